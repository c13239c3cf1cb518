/* See timeout.h. */
#include "kernel/sys/timeout.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/div.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal.h"

#define NS_PER_S    1000000000u
#define NS_PER_TICK (NS_PER_S / TIMER_HZ)
#define SECONDS_MAX 0x7FFFFFFFu /* more is as good as never, and would not fit */

struct time32 {
    s32 sec, fraction;
};
struct time64 {
    s64 sec, fraction;
};

static struct timeout after(u32 sec, u32 nsec)
{
    if (!sec && !nsec)
        return (struct timeout){.at_once = true};
    u32 rest;
    u64 end = timer_ns() + (u64)sec * NS_PER_S + nsec;
    u64 tick = div_u64(end, NS_PER_TICK, &rest);
    return (struct timeout){.end_ns = end, .end_tick = tick + 1}; /* never too early */
}

struct timeout timeout_of_ms(s32 ms)
{
    if (ms < 0)
        return (struct timeout){.never = true};
    return after((u32)ms / 1000, (u32)ms % 1000 * 1000000);
}

/* 0, -EFAULT or -EINVAL; *nsec is less than a second. */
static int read_time(const void __user *from, enum time_form form, u32 *sec, u32 *nsec)
{
    struct time64 in;
    if (form == TIMESPEC64) {
        if (copyin(&in, from, sizeof(in)) < 0)
            return -EFAULT;
        in.fraction = (s32)in.fraction; /* a 32-bit program's padding is not ours to judge */
    } else {
        struct time32 in32;
        if (copyin(&in32, from, sizeof(in32)) < 0)
            return -EFAULT;
        in = (struct time64){in32.sec, in32.fraction};
    }
    if (form == TIMEVAL) { /* Linux takes more than a second of microseconds here */
        s32 usec = in.fraction;
        in.sec += usec / 1000000;
        in.fraction = usec % 1000000 * 1000;
    }
    if (in.sec < 0 || in.fraction < 0 || in.fraction >= NS_PER_S)
        return -EINVAL;
    *sec = MIN(in.sec, SECONDS_MAX);
    *nsec = in.fraction;
    return 0;
}

int timeout_in(struct timeout *t, const void __user *from, enum time_form form)
{
    u32 sec, nsec;
    *t = (struct timeout){.never = !from};
    int err = from ? read_time(from, form, &sec, &nsec) : 0;
    if (from && !err)
        *t = after(sec, nsec);
    return err;
}

int timeout_at(struct timeout *t, const void __user *from, enum time_form form, u64 now)
{
    u32 sec, nsec;
    *t = (struct timeout){.never = !from};
    int err = from ? read_time(from, form, &sec, &nsec) : 0;
    if (!from || err)
        return err;
    u64 end = (u64)sec * NS_PER_S + nsec;
    u32 left_ns, left = div_u64(end > now ? end - now : 0, NS_PER_S, &left_ns);
    *t = after(left, left_ns);
    return 0;
}

bool timeout_out(const struct timeout *t, void __user *to, enum time_form form)
{
    if (t->never || t->at_once)
        return true;
    u64 now = timer_ns();
    u32 rest;
    u64 sec = div_u64(t->end_ns > now ? t->end_ns - now : 0, NS_PER_S, &rest);
    if (form == TIMESPEC64)
        return copyout(to, &(struct time64){sec, rest}, sizeof(struct time64)) == 0;
    return copyout(to, &(struct time32){sec, form == TIMEVAL ? rest / 1000 : rest},
                   sizeof(struct time32)) == 0;
}

int wait_mask(const void __user *mask, u32 size)
{
    return signal_mask_enter(mask, size);
}

long wait_done(long answer, const struct timeout *t, void __user *to, enum time_form form)
{
    signal_mask_leave(answer == -ERESTARTNOHAND || answer == -EINTR);
    if (to && !timeout_out(t, to, form) && answer == -ERESTARTNOHAND)
        return -EINTR; /* started again, it would wait for the whole time once more */
    return answer;
}
