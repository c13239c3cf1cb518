/*
 * setitimer(2) and alarm(2). The real-time timer is an alarm of the machine; the other two, and
 * RLIMIT_CPU, count the ticks that find the process running, and cost others nothing.
 */
#include "kernel/proc/itimer.h"
#include <linux/resource.h>
#include <linux/time.h>
#include "kernel/lib/div.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/itimerspec.h"

#define NS_PER_TICK (NS_PER_S / TIMER_HZ)

/* The first tick at which that moment is over. */
static u64 tick_of(u64 ns)
{
    return div_u64(ns, NS_PER_TICK, NULL) + 1;
}

static void real_rings(struct alarm *a)
{
    struct itimers *t = container_of(a, struct itimers, alarm);
    struct process *p = container_of(t, struct process, itimers);
    signal_process(p, SIGALRM);
    if (!t->real_interval)
        return;
    (void)itimer_advance(&t->real_end, t->real_interval, timer_ns()); /* none twice in a tick */
    alarm_set(a, tick_of(t->real_end));
}

void itimers_init(struct process *p)
{
    p->itimers.alarm.ring = real_rings;
}

void itimers_stop(struct process *p)
{
    alarm_cancel(&p->itimers.alarm);
    p->itimers.cpu_in_use = false;
}

/* ---- processor time ---- */

void cpu_timers_changed(struct process *p)
{
    struct itimers *t = &p->itimers;
    t->cpu_in_use =
        t->cpu[0].left || t->cpu[1].left || p->limits[RLIMIT_CPU].soft != RLIM_INFINITY_32;
}

static void cpu_timer_tick(struct process *p, struct cpu_timer *t, int sig)
{
    if (!t->left)
        return;
    if (t->left > NS_PER_TICK) {
        t->left -= NS_PER_TICK;
        return;
    }
    t->left = t->interval;
    signal_process(p, sig);
}

static void limit_tick(struct process *p)
{
    const struct limit *l = &p->limits[RLIMIT_CPU];
    u64 user, system;
    if (l->soft == RLIM_INFINITY_32)
        return;
    process_cpu_ticks(p, &user, &system);
    u32 rest, seconds = (u32)div_u64(user + system, TIMER_HZ, &rest);
    if (seconds >= l->hard)
        process_kill(p, SIGKILL);
    else if (seconds >= l->soft && !rest) /* again each second until the hard limit */
        signal_process(p, SIGXCPU);
}

void cpu_timers_tick(struct process *p, bool user)
{
    if (user)
        cpu_timer_tick(p, &p->itimers.cpu[ITIMER_VIRTUAL - 1], SIGVTALRM);
    cpu_timer_tick(p, &p->itimers.cpu[ITIMER_PROF - 1], SIGPROF);
    limit_tick(p);
    cpu_timers_changed(p);
}

/* ---- the calls ---- */

struct itimer_ns {
    u64 interval, value;
};

static struct itimer_ns get(u32 which)
{
    const struct itimers *t = &current->process->itimers;
    if (which != ITIMER_REAL)
        return (struct itimer_ns){t->cpu[which - 1].interval, t->cpu[which - 1].left};
    u64 now = timer_ns();
    u64 left = !t->alarm.tick ? 0 : t->real_end > now ? t->real_end - now : 1000;
    return (struct itimer_ns){t->real_interval, left};
}

static void set(u32 which, struct itimer_ns new)
{
    struct process *p = current->process;
    struct itimers *t = &p->itimers;
    u32 flags = irq_save();
    if (which == ITIMER_REAL) {
        alarm_cancel(&t->alarm);
        t->real_interval = new.value ? new.interval : 0;
        t->real_end = timer_ns() + new.value;
        if (new.value)
            alarm_set(&t->alarm, tick_of(t->real_end));
    } else {
        t->cpu[which - 1] = (struct cpu_timer){new.value, new.interval};
        cpu_timers_changed(p);
    }
    irq_restore(flags);
}

struct itimerval_abi {
    s32 interval_sec, interval_usec, value_sec, value_usec;
};

static struct itimerval_abi to_abi(struct itimer_ns t)
{
    u32 interval_rest, value_rest;
    s32 interval = (s32)div_u64(t.interval, NS_PER_S, &interval_rest);
    s32 value = (s32)div_u64(t.value, NS_PER_S, &value_rest);
    return (struct itimerval_abi){interval, (s32)interval_rest / 1000, value,
                                  (s32)value_rest / 1000};
}

static bool valid(s32 sec, s32 usec)
{
    return sec >= 0 && usec >= 0 && usec < 1000000;
}

long sys_getitimer(u32 which, void __user *to)
{
    if (which > ITIMER_PROF)
        return -EINVAL;
    struct itimerval_abi now = to_abi(get(which));
    return copyout(to, &now, sizeof(now));
}

long sys_setitimer(u32 which, const void __user *from, void __user *old)
{
    struct itimerval_abi new = {0};
    if (from && copyin(&new, from, sizeof(new)) < 0)
        return -EFAULT;
    if (which > ITIMER_PROF || !valid(new.interval_sec, new.interval_usec) ||
        !valid(new.value_sec, new.value_usec))
        return -EINVAL;
    struct itimerval_abi was = to_abi(get(which));
    set(which,
        (struct itimer_ns){(u64)(u32) new.interval_sec *NS_PER_S + (u32) new.interval_usec * 1000,
                           (u64)(u32) new.value_sec *NS_PER_S + (u32) new.value_usec * 1000});
    return old ? copyout(old, &was, sizeof(was)) : 0;
}

long sys_alarm(u32 seconds)
{
    struct itimerval_abi was = to_abi(get(ITIMER_REAL));
    seconds = MIN(seconds, (u32)INT32_MAX);
    set(ITIMER_REAL, (struct itimer_ns){0, (u64)seconds * NS_PER_S});
    /* Rounded, but what is left is never told as nothing (alarm(2) on Linux). */
    bool up = was.value_usec >= 500000 || (!was.value_sec && was.value_usec);
    return was.value_sec + up;
}
