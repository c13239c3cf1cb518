/* Making processes, and finding them. */
#include "kernel/proc/process.h"
#include <linux/resource.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/fork.h"

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
    LIST_INIT(&p->children);
    TAILQ_INIT(&p->threads);
    wait_init(&p->child_exit);
    p->account = account;
    for (u32 i = 0; i < NR_LIMITS; i++)
        p->limits[i] = (struct limit){RLIM_INFINITY, RLIM_INFINITY};
    p->limits[RLIMIT_STACK].soft = USER_STACK_MAX;
    p->limits[RLIMIT_CORE].soft = 0;
    p->limits[RLIMIT_NOFILE] = (struct limit){NR_FDS, NR_FDS};
    p->limits[RLIMIT_NPROC] = (struct limit){TASKS_MAX, TASKS_MAX};
}

struct process *process_alloc(const char *name)
{
    struct process *p = kmalloc(sizeof(*p));
    struct account *account = account_new();
    if (!p || !account) {
        kfree(p);
        account_put(account);
        return NULL;
    }
    process_init(p, name, account);
    return p;
}

void process_free(struct process *p)
{
    if (!p)
        return;
    account_put(p->account);
    kfree(p);
}

void process_start(struct process *p, u32 pid)
{
    p->pid = pid;
    if (!p->pgid)
        p->pgid = p->sid = pid;
    p->start_tick = timer_ticks();
    TAILQ_INSERT_TAIL(&all_processes, p, all);
    process_count++;
}

/* A zombie has been waited for: nothing of it is left. */
void process_reap(struct process *p)
{
    LIST_REMOVE(p, sibling);
    TAILQ_REMOVE(&all_processes, p, all);
    process_count--;
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
