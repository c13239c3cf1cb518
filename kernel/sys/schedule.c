/*
 * Scheduling, as programs ask for it: sched(7), nice(2), getpriority(2). There is one policy, round
 * robin among all; a process's nice value makes its turns longer or shorter (sched.c). So
 * SCHED_OTHER, BATCH and IDLE are the same here, and there is no real-time policy to be had.
 */
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/timeout.h"

enum { NICE_MIN = -20, NICE_MAX = 19 };

static struct task *target(u32 tid)
{
    return tid ? task_find(tid) : current;
}

static bool may_change(const struct task *t)
{
    const struct cred *me = &current->cred;
    return me->euid == t->cred.uid || me->euid == t->cred.euid || capable(CAP_SYS_NICE);
}

long sys_sched_yield(void)
{
    schedule();
    return 0;
}

long sys_sched_setscheduler(s32 tid, s32 policy, const s32 __user *param)
{
    s32 priority;
    if (tid < 0 || policy < 0 || !param)
        return -EINVAL;
    if (copyin(&priority, param, sizeof(priority)) < 0)
        return -EFAULT;
    policy &= ~SCHED_RESET_ON_FORK;
    bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;
    if ((!real_time && policy != SCHED_NORMAL && policy != SCHED_BATCH && policy != SCHED_IDLE) ||
        (real_time ? priority < 1 || priority > 99 : priority != 0))
        return -EINVAL;
    struct task *t = target((u32)tid);
    if (!t)
        return -ESRCH;
    if (real_time || !may_change(t))
        return -EPERM;
    t->policy = policy;
    return 0;
}

long sys_sched_setparam(s32 tid, const s32 __user *param)
{
    const struct task *t = tid < 0 ? NULL : target((u32)tid);
    if (tid < 0 || !param)
        return -EINVAL;
    return t ? sys_sched_setscheduler(tid, t->policy, param) : -ESRCH;
}

long sys_sched_getscheduler(s32 tid)
{
    const struct task *t = tid < 0 ? NULL : target((u32)tid);
    return tid < 0 ? -EINVAL : t ? t->policy : -ESRCH;
}

long sys_sched_getparam(s32 tid, s32 __user *param)
{
    const s32 priority = 0;
    if (tid < 0 || !param)
        return -EINVAL;
    return target((u32)tid) ? copyout(param, &priority, sizeof(priority)) : -ESRCH;
}

long sys_sched_get_priority_max(s32 policy)
{
    bool real_time = policy == SCHED_FIFO || policy == SCHED_RR;
    bool known = real_time || policy == SCHED_NORMAL || policy == SCHED_BATCH ||
                 policy == SCHED_IDLE || policy == SCHED_DEADLINE;
    return !known ? -EINVAL : real_time ? 99 : 0;
}

long sys_sched_get_priority_min(s32 policy)
{
    long max = sys_sched_get_priority_max(policy);
    return max > 0 ? 1 : max;
}

/* The length of a turn. */
static long rr_interval(s32 tid, struct time32 *t)
{
    const struct task *task = tid < 0 ? NULL : target((u32)tid);
    if (!task)
        return tid < 0 ? -EINVAL : -ESRCH;
    *t = (struct time32){0, (s32)(task_slice(task) * (NS_PER_S / TIMER_HZ))};
    return 0;
}

long sys_sched_rr_get_interval(s32 tid, void __user *to)
{
    struct time32 t;
    long err = rr_interval(tid, &t);
    return err ? err : copyout(to, &t, sizeof(t));
}

long sys_sched_rr_get_interval_time64(s32 tid, void __user *to)
{
    struct time32 t;
    long err = rr_interval(tid, &t);
    return err ? err : copyout(to, &(struct time64){t.sec, t.nsec}, sizeof(struct time64));
}

/* One processor: bit 0 of a mask of one word. */
long sys_sched_getaffinity(s32 tid, u32 len, u32 __user *mask)
{
    const u32 all = 1;
    if (len < sizeof(all) || len % sizeof(all))
        return -EINVAL;
    if (tid < 0 || !target((u32)tid))
        return -ESRCH;
    return copyout(mask, &all, sizeof(all)) < 0 ? -EFAULT : (long)sizeof(all);
}

long sys_sched_setaffinity(s32 tid, u32 len, const u32 __user *mask)
{
    u32 set = 0;
    if (len && copyin(&set, mask, MIN(len, (u32)sizeof(set))) < 0)
        return -EFAULT;
    const struct task *t = tid < 0 ? NULL : target((u32)tid);
    if (!t)
        return -ESRCH;
    if (!may_change(t))
        return -EPERM;
    return set & 1 ? 0 : -EINVAL;
}

/* ---- nice ---- */

static bool meant(const struct process *p, s32 which, u32 who)
{
    const struct task *t = process_task(p);
    switch (which) {
    case PRIO_PROCESS:
        return p->pid == (who ? who : current->process->pid);
    case PRIO_PGRP:
        return p->pgid == (who ? who : current->process->pgid);
    default:
        return t && t->cred.uid == (who ? who : current->cred.uid);
    }
}

static int set_nice(struct process *p, s32 nice)
{
    const struct task *t = process_task(p);
    const s32 lowest = 20 - (s32)MIN(current->process->limits[RLIMIT_NICE].soft, 40u);
    if (t && !may_change(t))
        return -EPERM;
    if (nice < p->nice && nice < lowest && !capable(CAP_SYS_NICE))
        return -EACCES;
    p->nice = nice;
    return 0;
}

long sys_setpriority(s32 which, u32 who, s32 nice)
{
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    nice = MIN(MAX(nice, NICE_MIN), NICE_MAX);
    int ret = -ESRCH;
    struct process *p;
    TAILQ_FOREACH (p, &all_processes, all) {
        if (!meant(p, which, who))
            continue;
        int err = set_nice(p, nice);
        if (err || ret == -ESRCH)
            ret = err;
    }
    return ret;
}

/* The kernel's answer is 20 - nice, so that it is never negative; libraries turn it round. */
long sys_getpriority(s32 which, u32 who)
{
    if (which < PRIO_PROCESS || which > PRIO_USER)
        return -EINVAL;
    long best = -ESRCH;
    const struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (meant(p, which, who))
            best = MAX(best, (long)(20 - p->nice));
    return best;
}

long sys_nice(s32 by)
{
    struct process *p = current->process;
    s32 nice = p->nice + MIN(MAX(by, -40), 40);
    int err = set_nice(p, MIN(MAX(nice, NICE_MIN), NICE_MAX));
    return err == -EACCES ? -EPERM : err;
}
