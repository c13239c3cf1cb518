/* See alarm.h. */
#include "kernel/proc/alarm.h"
#include "kernel/cpu/cpu.h"

static TAILQ_HEAD(, alarm) alarms = TAILQ_HEAD_INITIALIZER(alarms); /* earliest first */

void alarm_cancel(struct alarm *a)
{
    u32 flags = irq_save();
    if (a->tick)
        TAILQ_REMOVE(&alarms, a, link);
    a->tick = 0;
    irq_restore(flags);
}

void alarm_set(struct alarm *a, u64 tick)
{
    u32 flags = irq_save();
    alarm_cancel(a);
    a->tick = tick;
    struct alarm *later = TAILQ_FIRST(&alarms);
    while (later && later->tick <= tick)
        later = TAILQ_NEXT(later, link);
    if (later)
        TAILQ_INSERT_BEFORE(later, a, link);
    else
        TAILQ_INSERT_TAIL(&alarms, a, link);
    irq_restore(flags);
}

u64 alarm_next(void)
{
    struct alarm *first = TAILQ_FIRST(&alarms);
    return first ? first->tick : 0;
}

void alarm_ring_due(u64 now)
{
    struct alarm *first;
    while ((first = TAILQ_FIRST(&alarms)) && first->tick <= now) {
        alarm_cancel(first);
        first->ring(first); /* sets itself for later than now, if at all */
    }
}
