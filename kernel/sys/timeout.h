/*
 * The time limit of a call that waits: poll(2), select(2), epoll_wait(2) and their younger sisters,
 * in any of the forms in which programs give it.
 */
#ifndef KERNEL_SYS_TIMEOUT_H
#define KERNEL_SYS_TIMEOUT_H

#include "kernel/lib/types.h"

struct timeout {
    bool never;   /* wait for ever */
    bool at_once; /* do not wait at all */
    u64 end_ns;   /* on timer_ns's clock */
    u64 end_tick; /* the first tick at which it is over, for wait_event_signal; 0: never */
};

/* How a program writes a time. */
enum time_form {
    TIMEVAL,    /* s32 seconds, s32 microseconds */
    TIMESPEC32, /* s32 seconds, s32 nanoseconds */
    TIMESPEC64, /* s64 seconds, s64 nanoseconds */
};

struct timeout timeout_of_ms(s32 ms); /* negative: never */
/* NULL: never. 0, -EFAULT or -EINVAL. */
int timeout_in(struct timeout *t, const void __user *from, enum time_form form);
/* A moment, by a clock that shows `now` at present. */
int timeout_at(struct timeout *t, const void __user *from, enum time_form form, u64 now);
/* What is left of it is told where it came from. False: that could not be written. */
bool timeout_out(const struct timeout *t, void __user *to, enum time_form form);

/* ppoll(2), pselect(2) and epoll_pwait(2) wait under a signal mask of their own. It is put in force
 * by wait_mask (NULL: the task's own stays; else 0, -EINVAL or -EFAULT), and taken back by
 * wait_done, which also tells what is left of the time and returns the call's answer. */
int wait_mask(const void __user *mask, u32 size);
long wait_done(long answer, const struct timeout *t, void __user *to, enum time_form form);

#endif
