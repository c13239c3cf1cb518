/* See itimerspec.h. */
#include "kernel/sys/itimerspec.h"
#include "kernel/lib/div.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/clock.h"

#define SECONDS_MAX 0x7FFFFFFF /* more is as good as never, and would not fit */

static int to_ns(u64 *ns, s64 sec, s64 nsec)
{
    if (sec < 0 || nsec < 0 || nsec >= NS_PER_S)
        return -EINVAL;
    *ns = (u64)MIN(sec, SECONDS_MAX) * NS_PER_S + (u32)nsec;
    return 0;
}

int itimerspec_in(struct itimerspec_ns *s, const void __user *from, bool time64)
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

int itimerspec_out(void __user *to, const struct itimerspec_ns *s, bool time64)
{
    u32 rest[2];
    u32 sec[2] = {split_ns(s->interval, &rest[0]), split_ns(s->value, &rest[1])};
    struct time64 t[2] = {{sec[0], rest[0]}, {sec[1], rest[1]}};
    struct time32 t32[2] = {{sec[0], rest[0]}, {sec[1], rest[1]}};
    return time64 ? copyout(to, t, sizeof(t)) : copyout(to, t32, sizeof(t32));
}

u32 itimer_advance(u64 *next, u64 interval, u64 now)
{
    u32 times = 0;
    if (*next > now)
        return 0;
    if (interval <= UINT32_MAX) {
        times = (u32)div_u64(now - *next, (u32)interval, NULL) + 1;
        *next += times * interval;
    } else {
        for (; *next <= now; *next += interval)
            times++; /* each more than 4 seconds */
    }
    return times;
}
