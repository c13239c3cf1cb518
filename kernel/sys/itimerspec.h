/* struct itimerspec, in nanoseconds: how timers are set that come again (timer_settime(2),
 * timerfd_settime(2)). */
#ifndef KERNEL_SYS_ITIMERSPEC_H
#define KERNEL_SYS_ITIMERSPEC_H

#include "kernel/lib/types.h"

struct itimerspec_ns {
    u64 interval, value;
};

int itimerspec_in(struct itimerspec_ns *s, const void __user *from, bool time64); /* also -EINVAL */
int itimerspec_out(void __user *to, const struct itimerspec_ns *s, bool time64);

/* How many of the expirations from *next on, `interval` (not 0) apart, have come by now. *next
 * becomes the first that has not. */
u32 itimer_advance(u64 *next, u64 interval, u64 now);

#endif
