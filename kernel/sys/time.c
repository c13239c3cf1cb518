/* Time: clock_gettime and its elders. The wall clock starts from the RTC at boot. */
#include <linux/time.h>
#include "drivers/rtc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/sys.h"

#define NS_PER_S 1000000000u

struct time32 {
    s32 sec, nsec;
};
struct time64 {
    s64 sec, nsec;
};

/* Seconds and the rest; 64-bit division without libgcc. */
static u32 split_ns(u64 ns, u32 *rest)
{
    u32 s = 0;
    /* The quotient fits: 2^32 seconds are 136 years of uptime. */
    __asm__("divl %4"
            : "=a"(s), "=d"(*rest)
            : "a"((u32)ns), "d"((u32)(ns >> 32)), "r"(NS_PER_S)
            : "cc");
    return s;
}

static int clock_read(u32 clock, u32 *sec, u32 *nsec)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case 5: /* CLOCK_REALTIME_COARSE */
        *sec = split_ns(timer_ns(), nsec) + rtc_boot_time();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        *sec = split_ns(timer_ns(), nsec);
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
    case CLOCK_THREAD_CPUTIME_ID: {
        u32 ticks = (u32)(current->cpu_ticks_user + current->cpu_ticks_system);
        *sec = ticks / TIMER_HZ;
        *nsec = ticks % TIMER_HZ * (NS_PER_S / TIMER_HZ);
        return 0;
    }
    default:
        return -EINVAL;
    }
}

long sys_clock_gettime(u32 clock, void __user *to)
{
    u32 s, ns;
    if (clock_read(clock, &s, &ns) < 0)
        return -EINVAL;
    struct time32 t = {s, ns};
    return copyout(to, &t, sizeof(t));
}

long sys_clock_gettime64(u32 clock, void __user *to)
{
    u32 s, ns;
    if (clock_read(clock, &s, &ns) < 0)
        return -EINVAL;
    struct time64 t = {s, ns};
    return copyout(to, &t, sizeof(t));
}

long sys_clock_getres(u32 clock, void __user *to)
{
    u32 s, ns;
    if (clock_read(clock, &s, &ns) < 0)
        return -EINVAL;
    struct time32 t = {0, 1};
    return to ? copyout(to, &t, sizeof(t)) : 0;
}

long sys_gettimeofday(void __user *tv, void __user *tz)
{
    u32 s, ns;
    clock_read(CLOCK_REALTIME, &s, &ns);
    struct time32 t = {s, ns / 1000};
    if (tv && copyout(tv, &t, sizeof(t)) < 0)
        return -EFAULT;
    return tz && zero_user(tz, 8) < 0 ? -EFAULT : 0;
}

long sys_time(u32 __user *to)
{
    u32 s, ns;
    clock_read(CLOCK_REALTIME, &s, &ns);
    return to && copyout(to, &s, sizeof(s)) < 0 ? -EFAULT : (long)s;
}

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
    u32 now_s, now_ns;
    if (sec < 0 || nsec < 0 || nsec >= NS_PER_S)
        return -EINVAL;
    if (clock_read(clock, &now_s, &now_ns) < 0)
        return -EINVAL;
    if (!(flags & absolute))
        return sleep_for(sec, nsec);
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
