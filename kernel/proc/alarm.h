/*
 * Alarms: functions that are called when a tick has come, for timers that programs set without
 * waiting for them (timerfd_create(2)). A task that waits itself gives wait_event_signal a deadline
 * instead.
 */
#ifndef KERNEL_PROC_ALARM_H
#define KERNEL_PROC_ALARM_H

#include <bsd/sys/queue.h>
#include "kernel/lib/types.h"

struct alarm {
    /* In the timer's interrupt, with the alarm no longer set; may set it again. */
    void (*ring)(struct alarm *a);
    u64 tick; /* of timer_ticks; 0: not set */
    TAILQ_ENTRY(alarm) link;
};

void alarm_set(struct alarm *a, u64 tick); /* for another time, if it was set; not 0 */
void alarm_cancel(struct alarm *a);        /* also if it is not set */

/* For the scheduler, interrupts off: the earliest tick, 0: none; and what is due now. */
u64 alarm_next(void);
void alarm_ring_due(u64 now);

#endif
