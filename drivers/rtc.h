/* The CMOS real-time clock, read once at boot. */
#ifndef DRIVERS_RTC_H
#define DRIVERS_RTC_H

#include "kernel/lib/types.h"

void rtc_init(void);
u32 rtc_boot_time(void); /* seconds since 1970-01-01 UTC when the kernel started */

#endif
