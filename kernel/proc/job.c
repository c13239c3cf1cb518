/*
 * Job control: stopping and continuing processes, process groups and sessions, and what a parent
 * is told about it. signal(7), setpgid(2), credentials(7); POSIX 2.4.3 and 11.1.
 *
 * A stop is the process's, but each thread carries it out for itself: stop_signal is set, every
 * thread notices on its way to user mode and sits there (job_sit_out) until it is cleared. When the
 * last one sits, the process counts as stopped and its parent is told.
 */
#include "kernel/proc/job.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal_internal.h"

/* ---- the parent ---- */

/* SIGCHLD: what has become of p. Stops and continuations only to parents that want to know. */
void child_tell_parent(struct process *p, int code, int status)
{
    struct process *parent = p->parent;
    u64 user, system;
    if (!parent)
        return;
    const struct signal_action *a = &parent->actions->of[SIGCHLD - 1];
    bool job_news = code == CLD_STOPPED || code == CLD_CONTINUED;
    int sig = job_news ? SIGCHLD : (int)p->exit_signal;
    if (sig && !(job_news && a->flags & SA_NOCLDSTOP)) {
        siginfo_t info = signal_info(sig, SI_KERNEL);
        info.si_code = code;
        info.si_pid = (int)p->pid;
        info.si_uid = (process_task(p) ? process_task(p) : current)->cred.uid; /* it ends: us */
        info.si_status = status;
        process_cpu_ticks(p, &user, &system);
        info.si_utime = (long)user;
        info.si_stime = (long)system;
        (void)signal_send_process(parent, &info);
    }
    wake_all(&parent->child_exit);
}

/* ---- stopping ---- */

static void stopped_entirely(struct process *p)
{
    p->news = CHILD_STOPPED;
    child_tell_parent(p, CLD_STOPPED, (int)p->stop_signal);
}

void job_stop(struct process *p, int sig)
{
    struct task *t;
    u32 flags = irq_save();
    if (!p->stop_signal && !p->exiting) {
        p->stop_signal = (u32)sig;
        TAILQ_FOREACH (t, &p->threads, thread) {
            t->signal_work = true;
            if (t != current)
                task_wake(t);
        }
    }
    irq_restore(flags);
}

void job_sit_out(void)
{
    struct task *t = current;
    struct process *p = t->process;
    u32 flags = irq_save();
    t->signals.stopped = true;
    if (++p->nr_stopped == p->nr_threads)
        stopped_entirely(p);
    while (p->stop_signal && !t->killed)
        wait_sleep(&p->continued, 0);
    t->signals.stopped = false;
    p->nr_stopped--;
    signal_update(t);
    irq_restore(flags);
}

/* SIGCONT, sent: even if it is ignored or blocked. Interrupts are off. */
void job_continue(struct process *p)
{
    if (!p->stop_signal)
        return;
    bool all = p->nr_stopped == p->nr_threads;
    p->stop_signal = 0;
    wake_all(&p->continued);
    if (!all)
        return;
    p->news = CHILD_CONTINUED;
    child_tell_parent(p, CLD_CONTINUED, SIGCONT);
}

/* The rest may all be sitting by now. Interrupts are off. */
void job_thread_ended(struct process *p)
{
    if (p->stop_signal && p->nr_threads && p->nr_stopped == p->nr_threads)
        stopped_entirely(p);
}

/* ---- orphaned process groups ---- */

/* `leaving` is on its way out and does not count any more. */
static bool orphaned_without(u32 pgid, const struct process *leaving)
{
    const struct process *p;
    TAILQ_FOREACH (p, &all_processes, all) {
        if (p->pgid != pgid || p == leaving || p->zombie || !p->parent || p->parent->pid == 1)
            continue;
        if (p->parent->pgid != pgid && p->parent->sid == p->sid)
            return false;
    }
    return true;
}

bool group_orphaned(u32 pgid)
{
    return orphaned_without(pgid, NULL);
}

static bool has_stopped_member(u32 pgid)
{
    const struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pgid == pgid && p->stop_signal && !p->zombie)
            return true;
    return false;
}

static void let_go(u32 pgid)
{
    signal_group(pgid, SIGHUP);
    signal_group(pgid, SIGCONT);
}

/* Was the parent a link that kept its child's group from being an orphan? */
static bool links(const struct process *parent, const struct process *child)
{
    return parent && parent->pgid != child->pgid && parent->sid == child->sid;
}

/* POSIX, _exit: stopped members of a group that becomes an orphan get SIGHUP and SIGCONT. First p
 * leaves its own group, then its children get another parent. */
void job_process_ends(struct process *p)
{
    if (links(p->parent, p) && orphaned_without(p->pgid, p) && has_stopped_member(p->pgid))
        let_go(p->pgid);
}

void job_parent_ended(struct process *child, const struct process *parent)
{
    if (links(parent, child) && group_orphaned(child->pgid) && has_stopped_member(child->pgid))
        let_go(child->pgid);
}

/* ---- the calls ---- */

static struct process *target(u32 pid)
{
    return pid ? process_find(pid) : current->process;
}

static bool group_in_session(u32 pgid, u32 sid)
{
    const struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pgid == pgid && p->sid == sid)
            return true;
    return false;
}

long sys_setpgid(u32 pid, u32 pgid)
{
    struct process *me = current->process, *p = target(pid);
    if ((s32)pgid < 0)
        return -EINVAL;
    if (!p || (p != me && p->parent != me))
        return -ESRCH;
    if (p != me && p->sid != me->sid)
        return -EPERM;
    if (p != me && p->did_exec)
        return -EACCES;
    if (p->sid == p->pid)
        return -EPERM;
    if (!pgid)
        pgid = p->pid;
    if (pgid != p->pid && !group_in_session(pgid, me->sid))
        return -EPERM;
    p->pgid = pgid;
    return 0;
}

long sys_getpgid(u32 pid)
{
    struct process *p = target(pid);
    return p ? (long)p->pgid : -ESRCH;
}

long sys_getpgrp(void)
{
    return current->process->pgid;
}

long sys_setsid(void)
{
    struct process *me = current->process, *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pgid == me->pid) /* also when we lead it no more */
            return -EPERM;
    me->tty = NULL;
    return me->sid = me->pgid = me->pid;
}

long sys_getsid(u32 pid)
{
    struct process *p = target(pid);
    return p ? (long)p->sid : -ESRCH;
}
