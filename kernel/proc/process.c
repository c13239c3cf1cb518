/* Making processes, and finding them. */
#include "kernel/proc/process.h"
#include <linux/resource.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/itimer.h"
#include "kernel/proc/signal_internal.h"

struct process_list all_processes = TAILQ_HEAD_INITIALIZER(all_processes);
u32 process_count;

struct process *process_find(u32 pid)
{
    struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pid == pid)
            return p;
    return NULL;
}

void process_init(struct process *p, const char *name, struct account *account)
{
    memset(p, 0, sizeof(*p));
    strlcpy(p->name, name, TASK_NAME);
    TAILQ_INIT(&p->children);
    TAILQ_INIT(&p->threads);
    wait_init(&p->child_exit);
    wait_init(&p->continued);
    signal_init_pending(&p->pending);
    p->exit_signal = SIGCHLD;
    itimers_init(p);
    LIST_INIT(&p->posix_timers);
    p->account = account;
    for (u32 i = 0; i < NR_LIMITS; i++)
        p->limits[i] = (struct limit){RLIM_INFINITY, RLIM_INFINITY};
    p->limits[RLIMIT_STACK].soft = USER_STACK_MAX;
    p->limits[RLIMIT_CORE].soft = 0;
    p->limits[RLIMIT_MEMLOCK] = (struct limit){8u << 20, 8u << 20}; /* as on Linux */
    p->limits[RLIMIT_NOFILE] = (struct limit){NR_FDS, NR_FDS};
    p->limits[RLIMIT_SIGPENDING] = (struct limit){QUEUED_SIGNALS_MAX, QUEUED_SIGNALS_MAX};
    p->limits[RLIMIT_NPROC] = (struct limit){TASKS_MAX, TASKS_MAX};
}

struct process *process_alloc(const char *name, const struct process *from)
{
    struct process *p = kmalloc(sizeof(*p));
    struct account *account = account_new();
    struct signal_actions *actions = signal_actions_new(from ? from->actions : NULL);
    if (!p || !account || !actions) {
        kfree(p);
        account_put(account);
        signal_actions_put(actions);
        return NULL;
    }
    process_init(p, from ? from->name : name, account);
    p->actions = actions;
    return p;
}

void process_free(struct process *p)
{
    if (!p)
        return;
    account_put(p->account);
    signal_actions_put(p->actions);
    kfree(p);
}

void process_start(struct process *p, u32 pid)
{
    p->pid = pid;
    if (!p->pgid)
        p->pgid = p->sid = pid;
    p->start_tick = timer_ticks();
    u32 flags = irq_save();
    if (p->parent)
        TAILQ_INSERT_TAIL(&p->parent->children, p, sibling);
    TAILQ_INSERT_TAIL(&all_processes, p, all);
    process_count++;
    irq_restore(flags);
}

/* A zombie has been waited for: nothing of it is left. */
void process_reap(struct process *p)
{
    u32 flags = irq_save(); /* interrupt handlers look for whom to signal */
    TAILQ_REMOVE(&p->parent->children, p, sibling);
    TAILQ_REMOVE(&all_processes, p, all);
    process_count--;
    irq_restore(flags);
    process_free(p);
}

void process_cpu_ticks(const struct process *p, u64 *user, u64 *system)
{
    *user = p->ended_ticks_user;
    *system = p->ended_ticks_system;
    const struct task *t;
    TAILQ_FOREACH (t, &p->threads, thread) {
        *user += t->cpu_ticks_user;
        *system += t->cpu_ticks_system;
    }
}
