/*
 * The end of threads and of processes. A thread gives everything back at once; its stack goes when
 * the next thread runs. Of a process remains what its parent may ask for (a zombie, wait.c).
 */
#include "kernel/proc/exit.h"
#include "kernel/fs/tty.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/futex.h"
#include "kernel/proc/itimer.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/proc/timer_calls.h"

void process_kill(struct process *p, int status)
{
    struct task *t;
    u32 flags = irq_save();
    if (!p->exiting) {
        p->exiting = true;
        p->exit_status = status;
    }
    p->stop_signal = 0;
    TAILQ_FOREACH (t, &p->threads, thread) {
        t->killed = t->signal_work = true;
        if (t != current)
            task_wake(t);
    }
    irq_restore(flags);
}

int threads_end_others(void)
{
    struct task *me = current, *t;
    struct process *p = me->process;
    u32 flags = irq_save();
    if (!me->killed)
        TAILQ_FOREACH (t, &p->threads, thread)
            if (t != me) {
                t->killed = t->signal_work = true;
                task_wake(t);
            }
    irq_restore(flags);
    return wait_event_killable(&p->child_exit, p->nr_threads == 1, 0);
}

/* Nobody will wait for it: its parent has said so (wait(2), NOTES). */
static bool nobody_waits(const struct process *p)
{
    const struct signal_action *a = &p->parent->actions->of[SIGCHLD - 1];
    return p->exit_signal == SIGCHLD && (a->handler == HANDLER_IGNORE || a->flags & SA_NOCLDWAIT);
}

/* A zombie tells its parent, or disappears. */
static void announce_end(struct process *p)
{
    int status = p->exit_status, sig = status & 0x7F;
    child_tell_parent(p, sig ? CLD_KILLED : CLD_EXITED, sig ? sig : status >> 8);
    if (nobody_waits(p))
        process_reap(p);
}

/* Who takes the orphans: the nearest ancestor that has asked for it, else init. */
static struct process *reaper_of(const struct process *p)
{
    struct process *a;
    for (a = p->parent; a && a->pid != 1; a = a->parent)
        if (a->subreaper && a->nr_threads)
            return a;
    return process_find(1);
}

static void give_children_away(struct process *p)
{
    struct process *to = reaper_of(p), *child, *next;
    TAILQ_FOREACH_SAFE (child, &p->children, sibling, next) {
        u32 flags = irq_save();
        TAILQ_REMOVE(&p->children, child, sibling);
        child->parent = to;
        TAILQ_INSERT_TAIL(&to->children, child, sibling);
        child->exit_signal = SIGCHLD;
        irq_restore(flags);
        job_parent_ended(child, p);
        if (child->death_signal)
            signal_process(child, (int)child->death_signal);
        if (child->zombie)
            announce_end(child);
    }
}

/* The last thread has ended. Interrupts are off: it still runs, on a stack that is not ours. */
static void process_end(struct process *p)
{
    p->zombie = true;
    itimers_stop(p);
    signal_forget(&p->pending, ~(u64)0);
    announce_end(p);
}

static void check_init_lives(const struct process *p, int status)
{
    if (p->pid != 1 || p->nr_threads > 1)
        return;
    kprintf("init has ended with %s %d: nothing left to run\n", status & 0x7F ? "signal" : "status",
            status & 0x7F ? status & 0x7F : status >> 8);
    if (status)
        power_fail();
    power_off();
}

static void thread_ended(struct process *p)
{
    job_thread_ended(p);
    if (p->nr_threads == 1)
        wake_all(&p->child_exit); /* the last one may be waiting for that: threads_end_others */
}

void task_exit(int status)
{
    struct task *t = current;
    struct process *p = t->process;
    trace(TRACE_EXIT, status, t->tid);
    check_init_lives(p, status);
    signal_set_blocked(~(u64)0); /* what is yet to come is for the other threads */
    futex_thread_ends();
    struct files *files = t->files;
    t->files = NULL;
    files_put(files);
    struct mm *mm = t->mm;
    p->pages_max = MAX(p->pages_max, mm->nr_pages);
    t->mm = NULL;
    mm_switch(NULL);
    mm_put(mm);
    fs_put(t->fs);
    t->fs = NULL;
    vfork_release();
    if (p->nr_threads == 1) {
        posix_timers_delete(p);
        job_process_ends(p);
        tty_session_ended(p);
        give_children_away(p);
    }

    irq_disable();
    if (!p->exiting)
        p->exit_status = status;
    signal_forget(&t->signals.pending, ~(u64)0);
    task_retire(t);
    if (!p->nr_threads)
        process_end(p);
    else
        thread_ended(p);
    schedule();
    panic("a dead thread runs");
}

void task_return_to_user(void)
{
    irq_disable();
    while (unlikely(current->signal_work || need_resched)) {
        irq_enable();
        sched_yield_if_needed();
        if (current->signal_work)
            signal_deliver(current->frame);
        irq_disable();
    }
}

void vfork_release(void)
{
    if (!current->vfork_done)
        return;
    *current->vfork_done = true;
    current->vfork_done = NULL;
    wake_all(&current->vfork_parent->child_exit);
}

long sys_exit(u32 code)
{
    task_exit((int)(code & 0xFF) << 8);
}

long sys_exit_group(u32 code)
{
    process_kill(current->process, (int)(code & 0xFF) << 8);
    task_exit(current->process->exit_status);
}
