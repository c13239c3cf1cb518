/*
 * Making tasks, and finding them.
 *
 * A new task's kernel stack is prepared so that the first switch to it "returns" into
 * task_entry_user or task_entry_kernel (switch.asm).
 */
#include "kernel/proc/task.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/sched.h"

struct task *current;
struct task_list all_tasks = TAILQ_HEAD_INITIALIZER(all_tasks);
u32 task_count;

static struct slab_cache *task_cache;
static u32 last_pid;
static struct task boot_task; /* the code that boots, later idle */

#define PID_MAX 32767u

void task_init(void)
{
    task_cache = slab_create("task", sizeof(struct task));
    boot_task.account = account_new();
    strlcpy(boot_task.name, "idle", TASK_NAME);
    wait_init(&boot_task.child_exit);
    LIST_INIT(&boot_task.children);
    current = &boot_task;
    sched_set_idle(&boot_task);
}

struct task *task_find(u32 pid)
{
    struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all)
        if (t->pid == pid)
            return t;
    return NULL;
}

static bool pid_in_use(u32 pid)
{
    struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all)
        if (t->pid == pid || t->pgid == pid || t->sid == pid)
            return true;
    return false;
}

static u32 pid_new(void)
{
    do {
        last_pid = last_pid % PID_MAX + 1;
    } while (pid_in_use(last_pid));
    return last_pid;
}

struct task *task_alloc(const char *name)
{
    struct task *t = slab_alloc(task_cache);
    if (!t)
        return NULL;
    memset(t, 0, sizeof(*t));
    t->kstack = kstack_alloc();
    t->account = account_new();
    if (!t->kstack || !t->account) {
        if (t->kstack)
            kstack_free(t->kstack);
        account_put(t->account);
        slab_free(task_cache, t);
        return NULL;
    }
    strlcpy(t->name, name, TASK_NAME);
    LIST_INIT(&t->children);
    wait_init(&t->child_exit);
    fpu_state_init(&t->fpu);
    t->slice = TICKS_SLICE;
    t->umask = 022;
    return t;
}

void task_free(struct task *t)
{
    kstack_free(t->kstack);
    account_put(t->account);
    slab_free(task_cache, t);
}

/* Gives the task a number and lets it run. */
void task_start(struct task *t)
{
    t->pid = pid_new();
    if (!t->pgid)
        t->pgid = t->sid = t->pid;
    TAILQ_INSERT_TAIL(&all_tasks, t, all);
    task_count++;
    t->state = TASK_SLEEPING;
    task_wake(t);
}

/* The frame that switch_stacks pops, and what lies behind it. */
static u32 *push_entry(u32 *esp, void (*entry)(void))
{
    *--esp = (u32)entry;
    for (int i = 0; i < 4; i++)
        *--esp = 0; /* ebp, ebx, esi, edi */
    return esp;
}

struct trap_frame *task_user_frame(struct task *t)
{
    return (struct trap_frame *)(t->kstack + KSTACK_SIZE) - 1;
}

void task_prepare_user(struct task *t)
{
    t->frame = task_user_frame(t);
    t->kernel_esp = (u32)push_entry((u32 *)t->frame, task_entry_user);
}

struct task *kthread_create(const char *name, void (*run)(void *), void *arg)
{
    struct task *t = task_alloc(name);
    if (!t)
        return NULL;
    u32 *esp = (u32 *)(t->kstack + KSTACK_SIZE);
    *--esp = (u32)arg;
    *--esp = (u32)run;
    t->kernel_esp = (u32)push_entry(esp, task_entry_kernel);
    task_start(t);
    return t;
}
