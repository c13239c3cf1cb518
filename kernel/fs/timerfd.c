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

#define NS_PER_TICK (NS_PER_S / TIMER_HZ)
#define SECONDS_MAX 0x7FFFFFFF /* more is as good as never, and would not fit */

struct timerfd {
    u32 clock;
    u64 next;     /* expiration on timer_ns's clock; 0: not armed */
    u64 interval; /* ns between expirations; 0: there is only one */
    u64 expired;  /* times since they were last read */
    struct alarm alarm;
    struct wait_queue changed;
};

struct setting { /* struct itimerspec, in nanoseconds */
    u64 interval, value;
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
    } else if (t->interval <= 0xFFFFFFFF) {
        u64 times = div_u64(now - t->next, (u32)t->interval, NULL) + 1;
        t->expired += times;
        t->next += times * t->interval;
    } else {
        for (; t->next <= now; t->next += t->interval)
            t->expired++; /* each more than 4 seconds */
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

static void setting_set(struct timerfd *t, const struct setting *s, bool absolute)
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

static struct setting setting_get(struct timerfd *t)
{
    u32 flags = irq_save();
    catch_up(t);
    struct setting s = {t->interval, t->next ? t->next - timer_ns() : 0};
    if ((s64)s.value < 0)
        s.value = 1; /* it has expired just now */
    irq_restore(flags);
    return s;
}

static int to_ns(u64 *ns, s64 sec, s64 nsec)
{
    if (sec < 0 || nsec < 0 || nsec >= NS_PER_S)
        return -EINVAL;
    *ns = (u64)MIN(sec, SECONDS_MAX) * NS_PER_S + (u32)nsec;
    return 0;
}

static int setting_in(struct setting *s, const void __user *from, bool time64)
{
    struct time64 t[2];
    struct time32 t32[2];
    if (time64 ? copyin(t, from, sizeof(t)) < 0 : copyin(t32, from, sizeof(t32)) < 0)
        return -EFAULT;
    for (u32 i = 0; i < 2; i++)
        t[i] = time64 ? (struct time64){t[i].sec, (s32)t[i].nsec} /* the rest is padding */
                      : (struct time64){t32[i].sec, t32[i].nsec};
    int err = to_ns(&s->interval, t[0].sec, t[0].nsec);
    return err ? err : to_ns(&s->value, t[1].sec, t[1].nsec);
}

static int setting_out(void __user *to, const struct setting *s, bool time64)
{
    u32 rest[2];
    u32 sec[2] = {split_ns(s->interval, &rest[0]), split_ns(s->value, &rest[1])};
    struct time64 t[2] = {{sec[0], rest[0]}, {sec[1], rest[1]}};
    struct time32 t32[2] = {{sec[0], rest[0]}, {sec[1], rest[1]}};
    return time64 ? copyout(to, t, sizeof(t)) : copyout(to, t32, sizeof(t32));
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
    struct setting s;
    struct file *file;
    int err = setting_in(&s, to, time64);
    if (err)
        return err;
    if (flags & ~(u32)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    err = timerfd_get(fd, &file);
    if (err)
        return err;
    struct setting before = setting_get(file->private);
    setting_set(file->private, &s, flags & TFD_TIMER_ABSTIME);
    file_put(file);
    return old ? setting_out(old, &before, time64) : 0;
}

static long get_time(u32 fd, void __user *to, bool time64)
{
    struct file *file;
    int err = timerfd_get(fd, &file);
    if (err)
        return err;
    struct setting s = setting_get(file->private);
    file_put(file);
    return setting_out(to, &s, time64);
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
