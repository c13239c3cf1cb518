/* Signals, inside of kernel/proc. Not for files that include the C library's <signal.h>. */
#ifndef KERNEL_PROC_SIGNAL_INTERNAL_H
#define KERNEL_PROC_SIGNAL_INTERNAL_H

#include <asm/signal.h>
#include <asm/siginfo.h>
#include <linux/signal.h>
#include "kernel/proc/process.h"
#include "kernel/proc/signal.h"

#define STOP_SIGNALS \
    (SIGNAL_BIT(SIGSTOP) | SIGNAL_BIT(SIGTSTP) | SIGNAL_BIT(SIGTTIN) | SIGNAL_BIT(SIGTTOU))
/* Their default action is none. */
#define HARMLESS_SIGNALS \
    (SIGNAL_BIT(SIGCHLD) | SIGNAL_BIT(SIGCONT) | SIGNAL_BIT(SIGURG) | SIGNAL_BIT(SIGWINCH))
/* Neither caught, nor blocked, nor ignored. */
#define SUPREME_SIGNALS (SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP))

#define SYNCHRONOUS_SIGNALS                                                                \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

/* signalfd.c: woken by each signal that is queued for anybody, blocked or not. */
extern struct wait_queue signal_queued;

#define QUEUED_SIGNALS_MAX 1024u /* in the whole machine; RLIMIT_SIGPENDING may say less */

/* signal.c. Senders give 0, -EAGAIN (a queue is full), and never sleep. */
int signal_send_process(struct process *p, const siginfo_t *info);
int signal_send_task(struct task *t, const siginfo_t *info);
/* Takes the next signal of `from` for the current thread, or returns 0. */
int signal_take(u64 from, siginfo_t *info);
/* A fault: it arrives, blocked or ignored or not. Then it kills, which one line explains. */
void signal_fault(int sig, int code, u32 address, const char *fmt, ...) __printf_like(4, 5);
void signal_set_blocked(u64 mask);  /* of the current thread */
void signal_update(struct task *t); /* sets signal_work as it should be */
/* If the timer's last signal still waits, it stands for `times` expirations more: how many in all
 * beyond the first; else 0. */
s32 signal_timer_again(struct pending_signals *pending, int sig, s32 id, u32 times);
void signal_forget(struct pending_signals *pending, u64 set);
void signal_init_pending(struct pending_signals *pending);
struct signal_actions *signal_actions_new(const struct signal_actions *from); /* NULL: defaults */
void signal_actions_put(struct signal_actions *actions);
int signal_actions_unshare(void); /* for the current process; 0 or -ENOMEM */
void signal_exec(void);           /* handlers go, SIG_IGN stays; nobody shares the actions */
siginfo_t signal_info(int sig, int code); /* with the sender's pid */

/* signal_deliver.c */
void signal_deliver(struct trap_frame *f); /* on the way to user mode, when signal_work is set */

/* signal_frame.c: 0, or -EFAULT: the stack does not take it. */
int signal_frame_push(struct trap_frame *f, int sig, const siginfo_t *info,
                      const struct signal_action *action, u64 old_mask);

/* job.c */
void job_stop(struct process *p, int sig); /* begins a stop */
void job_sit_out(void);                    /* the current thread's part of it */
void job_continue(struct process *p);
void job_thread_ended(struct process *p);
void job_process_ends(struct process *p); /* while it still has its place */
void job_parent_ended(struct process *child, const struct process *parent); /* it has another */
void child_tell_parent(struct process *p, int code, int status); /* SIGCHLD with CLD_code */

#endif
