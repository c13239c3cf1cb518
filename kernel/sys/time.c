/* Time: sleeping, and processor time. Reading clocks is in clock.c. */
#include <linux/time.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/sys.h"

long sys_times(void __user *to)
{
    u64 user, system;
    process_cpu_ticks(current->process, &user, &system);
    u32 t[4] = {(u32)user, (u32)system, 0, 0};
    if (to && copyout(to, t, sizeof(t)) < 0)
        return -EFAULT;
    return (long)timer_ticks();
}

/* Sleeps are rounded up to timer ticks, plus one for the tick that is under way. */
static long sleep_for(u64 sec, u32 nsec)
{
    const u32 ns_per_tick = NS_PER_S / TIMER_HZ;
    if (sec > 0x7FFFFFFF)
        sec = 0x7FFFFFFF;
    u64 ticks = sec * TIMER_HZ + DIV_ROUND_UP(nsec, ns_per_tick);
    if (ticks)
        task_sleep_ticks(ticks + 1);
    return task_killed() ? -EINTR : 0;
}

static long sleep_until(u32 clock, u32 flags, s64 sec, s64 nsec)
{
    const u32 absolute = 1; /* TIMER_ABSTIME */
    u64 now;
    if (sec < 0 || nsec < 0 || nsec >= NS_PER_S)
        return -EINVAL;
    if (clock_read(clock, &now) < 0)
        return -EINVAL;
    if (!(flags & absolute))
        return sleep_for(sec, nsec);
    u32 now_ns, now_s = split_ns(now, &now_ns);
    if (sec < now_s || (sec == now_s && nsec <= now_ns))
        return 0;
    sec -= now_s;
    nsec -= now_ns;
    if (nsec < 0) {
        sec--;
        nsec += NS_PER_S;
    }
    return sleep_for(sec, nsec);
}

long sys_nanosleep(const void __user *request, void __user *remain)
{
    struct time32 t;
    if (copyin(&t, request, sizeof(t)) < 0)
        return -EFAULT;
    return sleep_until(CLOCK_MONOTONIC, 0, t.sec, t.nsec);
}

long sys_clock_nanosleep(u32 clock, u32 flags, const void __user *request, void __user *remain)
{
    struct time32 t;
    if (copyin(&t, request, sizeof(t)) < 0)
        return -EFAULT;
    return sleep_until(clock, flags, t.sec, t.nsec);
}

long sys_clock_nanosleep64(u32 clock, u32 flags, const void __user *request, void __user *remain)
{
    struct time64 t;
    if (copyin(&t, request, sizeof(t)) < 0)
        return -EFAULT;
    return sleep_until(clock, flags, t.sec, t.nsec);
}
