/*
 * Making threads, and finding them.
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
#include "kernel/proc/process.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal_internal.h"

struct task *current;
struct task_list all_tasks = TAILQ_HEAD_INITIALIZER(all_tasks);
u32 task_count;

static struct slab_cache *task_cache;
u32 last_pid, tasks_started;
static struct task boot_task; /* the code that boots, later idle */
static struct process boot_process;

void task_init(void)
{
    task_cache = slab_create("task", sizeof(struct task));
    process_init(&boot_process, "idle", account_new());
    boot_task.process = &boot_process;
    boot_task.account = boot_process.account;
    strlcpy(boot_task.name, "idle", TASK_NAME);
    boot_task.cred = cred_root;
    current = &boot_task;
    sched_set_idle(&boot_task);
}

struct task *task_find(u32 tid)
{
    struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all)
        if (t->tid == tid)
            return t;
    return NULL;
}

/* A number is free when no thread, process, process group or session has it. */
static bool pid_in_use(u32 pid)
{
    struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pid == pid || p->pgid == pid || p->sid == pid)
            return true;
    return task_find(pid) != NULL;
}

static u32 pid_new(void)
{
    do {
        last_pid = last_pid % PID_MAX + 1;
    } while (pid_in_use(last_pid));
    return last_pid;
}

struct task *task_alloc(struct process *p)
{
    struct task *t = slab_alloc(task_cache);
    if (!t)
        return NULL;
    memset(t, 0, sizeof(*t));
    if (!(t->kstack = kstack_alloc())) {
        slab_free(task_cache, t);
        return NULL;
    }
    strlcpy(t->name, p->name, TASK_NAME);
    t->process = p;
    t->account = account_get(p->account);
    cred_copy(&t->cred, &current->cred);
    fpu_state_init(&t->fpu);
    signal_init_pending(&t->signals.pending);
    t->slice = TICKS_SLICE;
    return t;
}

void task_free(struct task *t)
{
    kstack_free(t->kstack);
    account_put(t->account);
    cred_drop(&t->cred);
    slab_free(task_cache, t);
}

/* Gives the task a number, its process too if it is the first there; others find it from now on. */
void task_number(struct task *t)
{
    struct process *p = t->process;
    t->tid = pid_new();
    tasks_started++;
    if (!p->pid)
        process_start(p, t->tid);
    u32 flags = irq_save(); /* interrupt handlers look for whom to signal */
    TAILQ_INSERT_TAIL(&p->threads, t, thread);
    p->nr_threads++;
    TAILQ_INSERT_TAIL(&all_tasks, t, all);
    task_count++;
    t->state = TASK_SLEEPING;
    irq_restore(flags);
}

/* It runs no more: nobody finds it from here on. Its memory goes when another task runs.
 * Interrupts are off. */
void task_retire(struct task *t)
{
    struct process *p = t->process;
    p->ended_ticks_user += t->cpu_ticks_user;
    p->ended_ticks_system += t->cpu_ticks_system;
    TAILQ_REMOVE(&p->threads, t, thread);
    p->nr_threads--;
    TAILQ_REMOVE(&all_tasks, t, all);
    task_count--;
    t->state = TASK_DEAD;
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
    struct process *p = process_alloc(name, NULL);
    struct task *t = p ? task_alloc(p) : NULL;
    if (!t) {
        process_free(p);
        return NULL;
    }
    u32 *esp = (u32 *)(t->kstack + KSTACK_SIZE);
    *--esp = (u32)arg;
    *--esp = (u32)run;
    t->kernel_esp = (u32)push_entry(esp, task_entry_kernel);
    task_number(t);
    task_wake(t);
    return t;
}
