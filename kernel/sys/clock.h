/* The wall clock: what the RTC said at boot, the time since, and how far it has been set. */
#ifndef KERNEL_SYS_CLOCK_H
#define KERNEL_SYS_CLOCK_H

#include "kernel/lib/types.h"

u64 realtime_ns(void); /* since 1970-01-01 UTC */
u32 realtime_seconds(void);

#endif
