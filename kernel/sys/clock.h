/*
 * Clocks: what time it is, by each of the clocks of clock_gettime(2), in nanoseconds.
 *
 * The wall clock is what the RTC said at boot, the time since, and how far it has been set. The
 * others start at boot; processor time is counted in ticks of 10 ms.
 */
#ifndef KERNEL_SYS_CLOCK_H
#define KERNEL_SYS_CLOCK_H

#include "kernel/lib/types.h"

#define NS_PER_S 1000000000u

struct time32 {
    s32 sec, nsec;
};
struct time64 {
    s64 sec, nsec;
};

u64 realtime_ns(void); /* since 1970-01-01 UTC */
u32 realtime_seconds(void);
void realtime_set(u64 ns);

int clock_read(u32 clock, u64 *ns); /* 0, or -EINVAL: no such clock, or no such process */
u32 split_ns(u64 ns, u32 *rest);    /* whole seconds, and the nanoseconds behind them */

long sys_time(u32 __user *to);
long sys_stime(const u32 __user *from);
long sys_gettimeofday(void __user *tv, void __user *tz);
long sys_settimeofday(const void __user *tv, const void __user *tz);
long sys_clock_gettime(u32 clock, void __user *to);
long sys_clock_gettime64(u32 clock, void __user *to);
long sys_clock_settime(u32 clock, const void __user *from);
long sys_clock_settime64(u32 clock, const void __user *from);
long sys_clock_getres(u32 clock, void __user *to);
long sys_clock_getres64(u32 clock, void __user *to);
long sys_adjtimex(void __user *timex);
long sys_clock_adjtime(u32 clock, void __user *timex);

#endif
