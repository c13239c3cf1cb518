/*
 * Timers that can be waited for as files. timerfd_create(2).
 *
 * A timer knows its next expiration to the nanosecond; how often it has expired is worked out when
 * somebody looks. The alarm is there for those who sleep meanwhile, and comes with a tick, so up to
 * 10 ms late.
 */
#include <linux/fcntl.h>
#include <linux/time.h>
#include <linux/timerfd.h>
#include "kernel/cpu/cpu.h"
#include "kernel/fs/anon.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/div.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/alarm.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/itimerspec.h"

#define NS_PER_TICK (NS_PER_S / TIMER_HZ)

struct timerfd {
    u32 clock;
    u64 next;     /* expiration on timer_ns's clock; 0: not armed */
    u64 interval; /* ns between expirations; 0: there is only one */
    u64 expired;  /* times since they were last read */
    struct alarm alarm;
    struct wait_queue changed;
};

static void set_alarm(struct timerfd *t)
{
    if (t->next)
        alarm_set(&t->alarm, div_u64(t->next, NS_PER_TICK, NULL) + 1);
    else
        alarm_cancel(&t->alarm);
}

/* Counts the expirations up to now. */
static void catch_up(struct timerfd *t)
{
    u64 now = timer_ns();
    if (!t->next || t->next > now)
        return;
    if (!t->interval) {
        t->expired++;
        t->next = 0;
    } else {
        t->expired += itimer_advance(&t->next, t->interval, now);
    }
    set_alarm(t);
}

/* In the timer's interrupt; with interrupts off, everything else here that touches a timer. */
static void ring(struct alarm *a)
{
    struct timerfd *t = container_of(a, struct timerfd, alarm);
    catch_up(t);
    wake_all(&t->changed);
}

static u64 look(struct timerfd *t)
{
    u32 flags = irq_save();
    catch_up(t);
    irq_restore(flags);
    return t->expired;
}

static ssize_t timerfd_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct timerfd *t = file->private;
    if (len < sizeof(u64))
        return -EINVAL;
    if (!look(t) && (file->flags & O_NONBLOCK))
        return -EAGAIN;
    int err = wait_event_signal(&t->changed, look(t), 0);
    if (err)
        return err;
    u32 flags = irq_save();
    u64 times = t->expired;
    t->expired = 0;
    irq_restore(flags);
    return copyout(buf, &times, sizeof(times)) < 0 ? -EFAULT : (ssize_t)sizeof(times);
}

static u32 timerfd_poll(struct file *file, struct poll_table *table)
{
    struct timerfd *t = file->private;
    poll_wait(table, &t->changed);
    return look(t) ? POLLIN : 0;
}

static void timerfd_release(struct file *file)
{
    struct timerfd *t = file->private;
    alarm_cancel(&t->alarm);
    kfree(t);
}

static const struct file_ops timerfd_ops = {
    .release = timerfd_release,
    .read = timerfd_read,
    .poll = timerfd_poll,
};

long sys_timerfd_create(u32 clock, u32 flags)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_REALTIME_ALARM: /* they would wake a machine that sleeps; this one never does */
    case CLOCK_BOOTTIME_ALARM:
        break;
    default:
        return -EINVAL;
    }
    if (flags & ~(u32)(TFD_CLOEXEC | TFD_NONBLOCK))
        return -EINVAL;
    struct timerfd *t = kzalloc(sizeof(*t));
    if (!t)
        return -ENOMEM;
    t->clock = clock;
    t->alarm.ring = ring;
    wait_init(&t->changed);
    int fd = anon_descriptor("timerfd", &timerfd_ops, t, flags);
    if (fd < 0)
        kfree(t);
    return fd;
}

/* --- Setting ------------------------------------------------------------------------------- */

static void setting_set(struct timerfd *t, const struct itimerspec_ns *s, bool absolute)
{
    u64 now = timer_ns(), offset = 0;
    if (absolute && (t->clock == CLOCK_REALTIME || t->clock == CLOCK_REALTIME_ALARM))
        offset = realtime_ns() - now;
    u32 flags = irq_save();
    t->expired = 0;
    t->interval = s->interval;
    t->next = !s->value           ? 0
              : !absolute         ? now + s->value
              : s->value > offset ? s->value - offset
                                  : 1;
    set_alarm(t);
    irq_restore(flags);
}

static struct itimerspec_ns setting_get(struct timerfd *t)
{
    u32 flags = irq_save();
    catch_up(t);
    struct itimerspec_ns s = {t->interval, t->next ? t->next - timer_ns() : 0};
    if ((s64)s.value < 0)
        s.value = 1; /* it has expired just now */
    irq_restore(flags);
    return s;
}

/* The timer of a descriptor, its file held. */
static int timerfd_get(u32 fd, struct file **file)
{
    *file = fd_get(fd);
    if (!*file)
        return -EBADF;
    if ((*file)->ops == &timerfd_ops)
        return 0;
    file_put(*file);
    return -EINVAL;
}

static long set_time(u32 fd, u32 flags, const void __user *to, void __user *old, bool time64)
{
    struct itimerspec_ns s;
    struct file *file;
    int err = itimerspec_in(&s, to, time64);
    if (err)
        return err;
    if (flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    err = timerfd_get(fd, &file);
    if (err)
        return err;
    struct itimerspec_ns before = setting_get(file->private);
    setting_set(file->private, &s, flags & TFD_TIMER_ABSTIME);
    file_put(file);
    return old ? itimerspec_out(old, &before, time64) : 0;
}

static long get_time(u32 fd, void __user *to, bool time64)
{
    struct file *file;
    int err = timerfd_get(fd, &file);
    if (err)
        return err;
    struct itimerspec_ns s = setting_get(file->private);
    file_put(file);
    return itimerspec_out(to, &s, time64);
}

long sys_timerfd_settime(u32 fd, u32 flags, const void __user *to, void __user *old)
{
    return set_time(fd, flags, to, old, false);
}

long sys_timerfd_settime64(u32 fd, u32 flags, const void __user *to, void __user *old)
{
    return set_time(fd, flags, to, old, true);
}

long sys_timerfd_gettime(u32 fd, void __user *to)
{
    return get_time(fd, to, false);
}

long sys_timerfd_gettime64(u32 fd, void __user *to)
{
    return get_time(fd, to, true);
}
