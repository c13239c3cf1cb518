/*
 * nanosleep(2) and clock_nanosleep(2). A sleep that a signal cuts short tells how much was left; if
 * the signal has no handler it goes on to the end that was set at first (restart_syscall(2)).
 */
#include <linux/time.h>
#include "kernel/cpu/cpu.h"
#include "kernel/proc/task.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/timeout.h"

/* 0, or -EINTR for the moment: a signal wants to be acted upon. */
static int sleep_until(const struct timeout *t)
{
    u32 flags = irq_save();
    bool early = true;
    while (!signal_pending() && (early = timer_ticks() < t->end_tick))
        wait_sleep(NULL, t->end_tick);
    irq_restore(flags);
    return early ? -EINTR : 0;
}

static long sleep_again(struct restart *r);

static long sleep_for(const struct timeout *t, void __user *left, enum time_form form)
{
    if (t->at_once || !sleep_until(t))
        return 0;
    if (left && !timeout_out(t, left, form))
        return -EFAULT;
    return signal_restart_later(sleep_again, t->end_ns, (u32)t->end_tick, (u32)(t->end_tick >> 32),
                                (u32)left, form);
}

static long sleep_again(struct restart *r)
{
    struct timeout t = {.end_ns = r->deadline, .end_tick = (u64)r->args[1] << 32 | r->args[0]};
    return sleep_for(&t, (void __user *)r->args[2], r->args[3]);
}

long sys_nanosleep(const void __user *request, void __user *left)
{
    struct timeout t;
    int err = request ? timeout_in(&t, request, TIMESPEC32) : -EFAULT;
    return err ? err : sleep_for(&t, left, TIMESPEC32);
}

#define REALTIME_COARSE 5 /* CLOCK_REALTIME_COARSE of <time.h>, not in <linux/time.h> */

/* By the clocks that always run, not those of processor time. */
static int sleep_on_clock(u32 clock, u32 flags, const void __user *request, void __user *left,
                          enum time_form form)
{
    const u32 absolute = 1; /* TIMER_ABSTIME */
    struct timeout t;
    u64 now;
    if (clock == CLOCK_THREAD_CPUTIME_ID || clock_read(clock, &now) < 0)
        return -EINVAL;
    if (clock == CLOCK_MONOTONIC_COARSE || clock == REALTIME_COARSE ||
        clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_PROCESS_CPUTIME_ID || (s32)clock < 0)
        return -EOPNOTSUPP;
    int err = !request           ? -EFAULT
              : flags & absolute ? timeout_at(&t, request, form, now)
                                 : timeout_in(&t, request, form);
    if (err)
        return err;
    if (flags & absolute)
        return t.at_once || !sleep_until(&t) ? 0 : -ERESTARTNOHAND;
    return sleep_for(&t, left, form);
}

long sys_clock_nanosleep(u32 clock, u32 flags, const void __user *request, void __user *left)
{
    return sleep_on_clock(clock, flags, request, left, TIMESPEC32);
}

long sys_clock_nanosleep64(u32 clock, u32 flags, const void __user *request, void __user *left)
{
    return sleep_on_clock(clock, flags, request, left, TIMESPEC64);
}
