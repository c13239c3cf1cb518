/*
 * POSIX timers: timer_create(2). Each is an alarm of the machine that sends a signal. While that
 * signal is still pending, further expirations only count (timer_getoverrun(2)).
 */
#include "kernel/proc/timer_calls.h"
#include <linux/time.h>
#include "kernel/lib/div.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/itimerspec.h"

#define NS_PER_TICK (NS_PER_S / TIMER_HZ)
#define TIMERS_MAX  256 /* of one process */
#define ABSOLUTE    1   /* TIMER_ABSTIME */

struct posix_timer {
    LIST_ENTRY(posix_timer) link;
    struct process *process;
    s32 id;
    u32 clock;
    s32 notify, sig; /* SIGEV_... */
    u32 value;       /* sigev_value */
    u32 tid;         /* SIGEV_THREAD_ID */
    struct alarm alarm;
    u64 next, interval; /* ns on timer_ns's clock; next 0: not set */
    s32 overrun;        /* expirations that the last signal stands for, but one */
};

static struct posix_timer *find(s32 id)
{
    struct posix_timer *t;
    LIST_FOREACH (t, &current->process->posix_timers, link)
        if (t->id == id)
            return t;
    return NULL;
}

/* ---- expiration, in the timer's interrupt ---- */

/* How many times it has expired by now. */
static u32 advance(struct posix_timer *t, u64 now)
{
    if (t->interval)
        return itimer_advance(&t->next, t->interval, now);
    t->next = 0;
    return 1;
}

static void set_alarm(struct posix_timer *t)
{
    if (t->next)
        alarm_set(&t->alarm, div_u64(t->next, NS_PER_TICK, NULL) + 1);
    else
        alarm_cancel(&t->alarm);
}

static void send(struct posix_timer *t, u32 times)
{
    struct process *p = t->process;
    struct task *to = NULL;
    if (t->notify == SIGEV_THREAD_ID && (!(to = task_find(t->tid)) || to->process != p))
        return;
    struct pending_signals *where = to ? &to->signals.pending : &p->pending;
    s32 more = signal_timer_again(where, t->sig, t->id, times);
    if (more) {
        t->overrun = more;
        return;
    }
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = t->sig;
    info.si_code = SI_TIMER;
    info.si_tid = t->id;
    info.si_overrun = t->overrun = (s32)times - 1;
    info.si_ptr = (void *)t->value;
    (void)(to ? signal_send_task(to, &info) : signal_send_process(p, &info));
}

static void ring(struct alarm *a)
{
    struct posix_timer *t = container_of(a, struct posix_timer, alarm);
    u32 times = advance(t, timer_ns());
    set_alarm(t);
    if (times && t->notify != SIGEV_NONE)
        send(t, times);
}

/* ---- the calls ---- */

static void timer_free(struct posix_timer *t)
{
    alarm_cancel(&t->alarm);
    LIST_REMOVE(t, link);
    kfree(t);
}

void posix_timers_delete(struct process *p)
{
    struct posix_timer *t;
    while ((t = LIST_FIRST(&p->posix_timers)))
        timer_free(t);
}

static bool event_valid(const struct posix_timer *t)
{
    const struct task *to;
    switch (t->notify) {
    case SIGEV_NONE:
        return true;
    case SIGEV_THREAD_ID:
        to = task_find(t->tid);
        if (!to || to->process != current->process)
            return false;
        break;
    case SIGEV_SIGNAL:
    case SIGEV_THREAD: /* a C library's own affair; the kernel sends the signal */
        break;
    default:
        return false;
    }
    return t->sig > 0 && t->sig <= NR_SIGNALS;
}

/* The lowest number that no timer of the process has. */
static s32 free_id(void)
{
    s32 id = 0;
    while (id < TIMERS_MAX && find(id))
        id++;
    return id;
}

long sys_timer_create(u32 clock, const void __user *event, s32 __user *to)
{
    struct {
        u32 value;
        s32 sig, notify;
        u32 tid;
    } e = {.sig = SIGALRM, .notify = SIGEV_SIGNAL}; /* the first words of struct sigevent */
    u64 now;
    if (event && copyin(&e, event, sizeof(e)) < 0)
        return -EFAULT;
    if (clock_read(clock, &now) < 0)
        return -EINVAL;
    if (clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return -EOPNOTSUPP;
    s32 id = free_id();
    if (id == TIMERS_MAX)
        return -EAGAIN;
    struct posix_timer *t = kzalloc(sizeof(*t));
    if (!t)
        return -EAGAIN;
    *t = (struct posix_timer){.process = current->process,
                              .id = id,
                              .clock = clock,
                              .notify = e.notify,
                              .sig = e.sig,
                              .value = event ? e.value : (u32)id,
                              .tid = e.tid,
                              .alarm.ring = ring};
    int err = !event_valid(t) ? -EINVAL : copyout(to, &id, sizeof(id));
    if (err) {
        kfree(t);
        return err;
    }
    LIST_INSERT_HEAD(&current->process->posix_timers, t, link);
    return 0;
}

static struct itimerspec_ns get(const struct posix_timer *t)
{
    u32 flags = irq_save();
    u64 now = timer_ns();
    struct itimerspec_ns s = {t->interval, !t->next ? 0 : t->next > now ? t->next - now : 1};
    irq_restore(flags);
    return s;
}

static long settime(s32 id, u32 how, const void __user *from, void __user *old, bool time64)
{
    struct itimerspec_ns new, was;
    struct posix_timer *t;
    if (!from)
        return -EINVAL;
    int err = itimerspec_in(&new, from, time64);
    if (err)
        return err;
    if (!(t = find(id)))
        return -EINVAL;
    was = get(t);
    u64 now, clock_now = 0;
    clock_read(t->clock, &clock_now);
    u32 flags = irq_save();
    now = timer_ns();
    u64 left = !(how & ABSOLUTE) ? new.value : new.value > clock_now ? new.value - clock_now : 0;
    t->next = new.value ? now + left : 0;
    t->interval = new.value ? new.interval : 0;
    t->overrun = 0;
    set_alarm(t);
    irq_restore(flags);
    return old ? itimerspec_out(old, &was, time64) : 0;
}

long sys_timer_settime(s32 id, u32 flags, const void __user *new, void __user *old)
{
    return settime(id, flags, new, old, false);
}

long sys_timer_settime64(s32 id, u32 flags, const void __user *new, void __user *old)
{
    return settime(id, flags, new, old, true);
}

static long gettime(s32 id, void __user *to, bool time64)
{
    const struct posix_timer *t = find(id);
    if (!t)
        return -EINVAL;
    struct itimerspec_ns s = get(t);
    return itimerspec_out(to, &s, time64);
}

long sys_timer_gettime(s32 id, void __user *to)
{
    return gettime(id, to, false);
}

long sys_timer_gettime64(s32 id, void __user *to)
{
    return gettime(id, to, true);
}

long sys_timer_getoverrun(s32 id)
{
    const struct posix_timer *t = find(id);
    return t ? t->overrun : -EINVAL;
}

long sys_timer_delete(s32 id)
{
    struct posix_timer *t = find(id);
    if (!t)
        return -EINVAL;
    timer_free(t);
    return 0;
}
