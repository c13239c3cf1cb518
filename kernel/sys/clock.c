/* Clocks: reading and setting them. See clock.h; clock_gettime(2), settimeofday(2), adjtimex(2). */
#include "kernel/sys/clock.h"
#include <linux/capability.h>
#include <linux/time.h>
#include <linux/timex.h>
#include "drivers/rtc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"

#define REALTIME_COARSE 5 /* CLOCK_REALTIME_COARSE ... of <time.h>, not in <linux/time.h> */
#define REALTIME_MAX    0xF0000000ll /* the year 2097: split_ns goes to 2106 */
#define NS_PER_TICK     (NS_PER_S / TIMER_HZ)

static s64 shift_ns; /* how far the wall clock has been set */

/* 64-bit division without libgcc. The quotient fits: 2^32 seconds are 136 years. */
u32 split_ns(u64 ns, u32 *rest)
{
    u32 s = 0;
    __asm__("divl %4"
            : "=a"(s), "=d"(*rest)
            : "a"((u32)ns), "d"((u32)(ns >> 32)), "r"(NS_PER_S)
            : "cc");
    return s;
}

u64 realtime_ns(void)
{
    return (u64)rtc_boot_time() * NS_PER_S + timer_ns() + (u64)shift_ns;
}

u32 realtime_seconds(void)
{
    u32 rest;
    return split_ns(realtime_ns(), &rest);
}

void realtime_set(u64 ns)
{
    shift_ns += (s64)(ns - realtime_ns());
    atime_clock++;
}

/* The clock of a process or thread (clock_getcpuclockid(3)): bits 0-1 say which time, bit 2 that
 * it is of a thread, the rest is the number, inverted. */
static int cpu_clock_read(u32 clock, u64 *ns)
{
    u32 id = ~((s32)clock >> 3), which = clock & 3;
    u64 user = 0, system = 0;
    if (which == 3)
        return -EINVAL; /* of a device: there are none */
    if (clock & 4) {
        const struct task *t = id ? task_find(id) : current;
        if (!t || t->process != current->process)
            return -EINVAL;
        user = t->cpu_ticks_user;
        system = t->cpu_ticks_system;
    } else {
        const struct process *p = id ? process_find(id) : current->process;
        if (!p)
            return -EINVAL;
        process_cpu_ticks(p, &user, &system);
    }
    *ns = (which == 1 ? user : user + system) * NS_PER_TICK;
    return 0;
}

int clock_read(u32 clock, u64 *ns)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
        *ns = realtime_ns();
        return 0;
    case CLOCK_TAI: /* nobody told us of leap seconds */
        *ns = realtime_ns();
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *ns = timer_ns();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        return cpu_clock_read(~0u << 3 | 2, ns);
    case CLOCK_THREAD_CPUTIME_ID:
        return cpu_clock_read(~0u << 3 | 6, ns);
    default:
        return (s32)clock < 0 ? cpu_clock_read(clock, ns) : -EINVAL;
    }
}

static struct time32 to_time32(u64 ns)
{
    u32 rest, s = split_ns(ns, &rest);
    return (struct time32){(s32)s, (s32)rest};
}

static struct time64 to_time64(u64 ns)
{
    u32 rest, s = split_ns(ns, &rest);
    return (struct time64){s, rest};
}

long sys_clock_gettime(u32 clock, void __user *to)
{
    u64 ns;
    if (clock_read(clock, &ns) < 0)
        return -EINVAL;
    struct time32 t = to_time32(ns);
    return copyout(to, &t, sizeof(t));
}

long sys_clock_gettime64(u32 clock, void __user *to)
{
    u64 ns;
    if (clock_read(clock, &ns) < 0)
        return -EINVAL;
    struct time64 t = to_time64(ns);
    return copyout(to, &t, sizeof(t));
}

/* Processor time and the coarse clocks go by ticks; the others by the time-stamp counter. */
static int clock_resolution(u32 clock, u32 *ns)
{
    u64 now;
    bool coarse = clock == REALTIME_COARSE || clock == CLOCK_MONOTONIC_COARSE;
    if (clock_read(clock, &now) < 0)
        return -EINVAL;
    *ns = coarse ? NS_PER_TICK : 1;
    return 0;
}

long sys_clock_getres(u32 clock, void __user *to)
{
    u32 ns;
    if (clock_resolution(clock, &ns) < 0)
        return -EINVAL;
    struct time32 t = {0, (s32)ns};
    return to ? copyout(to, &t, sizeof(t)) : 0;
}

long sys_clock_getres64(u32 clock, void __user *to)
{
    u32 ns;
    if (clock_resolution(clock, &ns) < 0)
        return -EINVAL;
    struct time64 t = {0, (s32)ns};
    return to ? copyout(to, &t, sizeof(t)) : 0;
}

/* ---- setting ---- */

static long clock_set(u32 clock, s64 sec, s64 nsec)
{
    u64 ns;
    if (clock != CLOCK_REALTIME)
        return clock_read(clock, &ns) < 0 || (s32)clock >= 0 ? -EINVAL : -EPERM;
    if (sec < 0 || sec > REALTIME_MAX || nsec < 0 || nsec >= NS_PER_S)
        return -EINVAL;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    realtime_set((u64)sec * NS_PER_S + (u64)nsec);
    return 0;
}

long sys_clock_settime(u32 clock, const void __user *from)
{
    struct time32 t;
    return copyin(&t, from, sizeof(t)) < 0 ? -EFAULT : clock_set(clock, t.sec, t.nsec);
}

long sys_clock_settime64(u32 clock, const void __user *from)
{
    struct time64 t;
    return copyin(&t, from, sizeof(t)) < 0 ? -EFAULT : clock_set(clock, t.sec, (s32)t.nsec);
}

long sys_gettimeofday(void __user *tv, void __user *tz)
{
    struct time32 t = to_time32(realtime_ns());
    t.nsec /= 1000;
    if (tv && copyout(tv, &t, sizeof(t)) < 0)
        return -EFAULT;
    return tz && zero_user(tz, 8) < 0 ? -EFAULT : 0;
}

/* The kernel keeps no time zone: the two words of it are read, checked and forgotten. */
long sys_settimeofday(const void __user *tv, const void __user *tz)
{
    struct time32 t = {0, 0};
    s32 zone[2] = {0, 0};
    if (tv && copyin(&t, tv, sizeof(t)) < 0)
        return -EFAULT;
    if (t.nsec < 0 || t.nsec > 1000000)
        return -EINVAL;
    if (tz && copyin(zone, tz, sizeof(zone)) < 0)
        return -EFAULT;
    if (!capable(CAP_SYS_TIME))
        return -EPERM;
    if (zone[0] > 15 * 60 || zone[0] < -15 * 60)
        return -EINVAL;
    return tv ? clock_set(CLOCK_REALTIME, t.sec, (s64)t.nsec * 1000) : 0;
}

long sys_time(u32 __user *to)
{
    u32 s = realtime_seconds();
    return to && copyout(to, &s, sizeof(s)) < 0 ? -EFAULT : (long)s;
}

long sys_stime(const u32 __user *from)
{
    s32 s;
    if (copyin(&s, from, sizeof(s)) < 0)
        return -EFAULT;
    return capable(CAP_SYS_TIME) ? clock_set(CLOCK_REALTIME, s, 0) : -EPERM;
}

/* Only to be looked at: the clock is not steered. TIME_ERROR: nobody keeps it in step. */
long sys_adjtimex(void __user *timex)
{
    struct timex tx;
    if (copyin(&tx, timex, sizeof(tx)) < 0)
        return -EFAULT;
    if (tx.modes)
        return capable(CAP_SYS_TIME) ? -EOPNOTSUPP : -EPERM;
    struct time32 now = to_time32(realtime_ns());
    memset(&tx, 0, sizeof(tx));
    tx.status = STA_UNSYNC;
    tx.maxerror = tx.esterror = 16000000;
    tx.precision = 1;
    tx.tick = 1000000 / TIMER_HZ;
    tx.time.tv_sec = now.sec;
    tx.time.tv_usec = now.nsec / 1000;
    return copyout(timex, &tx, sizeof(tx)) < 0 ? -EFAULT : TIME_ERROR;
}

long sys_clock_adjtime(u32 clock, void __user *timex)
{
    u64 ns;
    if (clock != CLOCK_REALTIME)
        return clock_read(clock, &ns) < 0 ? -EINVAL : -EOPNOTSUPP;
    return sys_adjtimex(timex);
}
