/* The wall clock. See clock.h. */
#include "kernel/sys/clock.h"
#include "drivers/rtc.h"
#include "kernel/cpu/cpu.h"

#define NS_PER_S 1000000000u

u64 realtime_ns(void)
{
    return (u64)rtc_boot_time() * NS_PER_S + timer_ns();
}

u32 realtime_seconds(void)
{
    return rtc_boot_time() + (u32)(timer_ticks() / TIMER_HZ);
}
