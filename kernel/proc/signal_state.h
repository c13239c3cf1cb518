/*
 * What a thread and a process carry for signals. Sets are 64 bits, signal n at bit n - 1.
 *
 *     sent ──> pending of the process, or of one thread ──> taken on the way to user mode by a
 *              (set: which; queue: siginfo of each)         thread that does not block it
 */
#ifndef KERNEL_PROC_SIGNAL_STATE_H
#define KERNEL_PROC_SIGNAL_STATE_H

#include <bsd/sys/queue.h>
#include "kernel/lib/types.h"

#define NR_SIGNALS      64
#define SIGNAL_BIT(sig) ((u64)1 << ((sig)-1))

/* sigaction(2), as the program gave it. Handlers are addresses; 0 is SIG_DFL, 1 is SIG_IGN. */
struct signal_action {
    u32 handler, flags, restorer;
    u64 mask; /* blocked while the handler runs, besides the signal itself */
};
enum { HANDLER_DEFAULT = 0, HANDLER_IGNORE = 1 };

struct signal_actions {
    u32 refs; /* processes that share it (CLONE_SIGHAND) */
    struct signal_action of[NR_SIGNALS];
};

/* Sent, not yet delivered. A standard signal is queued once at most, a real-time signal (32 ..)
 * as often as it was sent. */
struct queued_signal;
struct pending_signals {
    u64 set;
    TAILQ_HEAD(, queued_signal) queue; /* in the order of sending; without memory, not all of set */
};

/* How a call that a signal cut short goes on with the rest of its time: restart_syscall(2). */
struct restart {
    long (*again)(struct restart *r); /* NULL: it does not */
    u64 deadline;                     /* of the call's own unit */
    u32 args[4];
};

/* sigaltstack(2) */
struct signal_stack {
    u32 base, size, flags;
};

/* Of a thread. */
struct task_signals {
    u64 blocked;
    u64 waited_for; /* blocked, but sigtimedwait(2) waits for them: they do not kill */
    u64 saved_mask; /* what sigsuspend(2), ppoll(2) ... replaced for the time of the call */
    bool mask_saved;
    bool stopped; /* sits out a stop of its process (job.c) */
    struct pending_signals pending;
    struct signal_stack stack;
    struct restart restart;
    u32 trap, error, address; /* the last fault: vector, error code, cr2 */
};

#endif
