/*
 * Wait queues: how a task gives up the CPU until something is true.
 *
 *     wait_event(&sock->writers, sendq_space(sock) > 0);
 *
 * The condition is tested again after each wake-up. One CPU, and kernel code is not preempted:
 * between the test and the sleep only an interrupt can come in, so wait_event tests with
 * interrupts off; a wake-up from an interrupt handler is never lost.
 */
#ifndef KERNEL_PROC_WAIT_H
#define KERNEL_PROC_WAIT_H

#include <bsd/sys/queue.h>
#include "kernel/cpu/cpu.h"
#include "kernel/lib/types.h"
#include "kernel/proc/signal.h"

struct task;
TAILQ_HEAD(task_list, task);

/* Somebody who hears of each wake-up of a queue without sleeping on it: who waits for several
 * files at once (fs/poll.h). `woken` is called with interrupts off, also by interrupt handlers, and
 * may take this watcher out of the queue, but no other. */
struct watcher {
    void (*woken)(struct watcher *w);
    TAILQ_ENTRY(watcher) link;
};
TAILQ_HEAD(watcher_list, watcher);

struct wait_queue {
    struct task_list sleepers;
    struct watcher_list watchers;
};
#define WAIT_QUEUE(name)                                               \
    struct wait_queue name = {TAILQ_HEAD_INITIALIZER((name).sleepers), \
                              TAILQ_HEAD_INITIALIZER((name).watchers)}

static inline void wait_init(struct wait_queue *q)
{
    TAILQ_INIT(&q->sleepers);
    TAILQ_INIT(&q->watchers);
}

static inline void wait_watch(struct wait_queue *q, struct watcher *w)
{
    u32 flags = irq_save();
    TAILQ_INSERT_TAIL(&q->watchers, w, link);
    irq_restore(flags);
}

static inline void wait_unwatch(struct wait_queue *q, struct watcher *w)
{
    u32 flags = irq_save();
    TAILQ_REMOVE(&q->watchers, w, link);
    irq_restore(flags);
}

/* Sleeps on q until woken or, when deadline_ticks is not 0, until that tick (see timer_ticks).
 * Interrupts must be off; they are off again when it returns. Returns false on time-out.
 * Use the macros below. */
bool wait_sleep(struct wait_queue *q, u64 deadline_ticks);
void wait_sleep_disk(struct wait_queue *q); /* without a time-out: ps(1) shows a D, vmstat(8) a b */
void wake_all(struct wait_queue *q);        /* also from interrupts */
void wake_one(struct wait_queue *q);
/* True when the current task has been killed: a sleep that may last for ever must end (-EINTR). */
bool task_killed(void);

/* Until cond is true, whatever happens. For waits that end by themselves (a disk, with its
 * time-out). */
#define wait_event(q, cond)           \
    do {                              \
        u32 wait_flags_ = irq_save(); \
        while (!(cond))               \
            wait_sleep_disk((q));     \
        irq_restore(wait_flags_);     \
    } while (0)

/* Until cond is true, or `gives_up` is, which makes `error` of it, or `deadline` (in timer ticks,
 * 0: none) passes. Gives 0, the error or -ETIMEDOUT. Use one of the two below. */
#define wait_event_unless(q, cond, deadline, gives_up, error)                  \
    ({                                                                         \
        int wait_ret_ = 0;                                                     \
        u64 wait_deadline_ = (deadline); /* once: it may be relative to now */ \
        u32 wait_flags_ = irq_save();                                          \
        while (!(cond)) {                                                      \
            if (gives_up) {                                                    \
                wait_ret_ = (error);                                           \
                break;                                                         \
            }                                                                  \
            if (!wait_sleep((q), wait_deadline_) && !(cond)) {                 \
                wait_ret_ = -ETIMEDOUT;                                        \
                break;                                                         \
            }                                                                  \
        }                                                                      \
        irq_restore(wait_flags_);                                              \
        wait_ret_;                                                             \
    })

/* For every wait that a program may have to give up: any signal that the task may act on ends it,
 * with -ERESTARTSYS (signal.h). */
#define wait_event_signal(q, cond, deadline) \
    wait_event_unless(q, cond, deadline, signal_pending(), -ERESTARTSYS)

/* Where only a kill may cut in: -EINTR. */
#define wait_event_killable(q, cond, deadline) \
    wait_event_unless(q, cond, deadline, task_killed(), -EINTR)

#endif
