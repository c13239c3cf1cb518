/*
 * Signals, as the rest of the kernel sends them and waits with them in mind. signal(7).
 *
 * A signal is sent at any time, also by an interrupt handler; it is delivered when its task is
 * about to return to user mode. A task that sleeps meanwhile is woken if it may act on the signal:
 * its wait_event_signal ends with -ERESTARTSYS, and the system call passes that on (or what it has
 * done so far). The way back to user mode turns it into a restart of the call or into -EINTR, as
 * sigaction(2) asks; programs never see it. The numbers are those of <asm/signal.h>.
 */
#ifndef KERNEL_PROC_SIGNAL_H
#define KERNEL_PROC_SIGNAL_H

#include "kernel/lib/types.h"

struct process;
struct restart;
struct task;

/* Answers of a system call that a signal cut short, never seen by programs (as inside of Linux). */
#define ERESTARTSYS           512 /* restart if SA_RESTART, or if no handler ran */
#define ERESTARTNOINTR        513 /* restart always */
#define ERESTARTNOHAND        514 /* restart only if no handler ran: sleeps with a time limit */
#define ERESTART_RESTARTBLOCK 516 /* as before, with the rest of the time: restart_syscall(2) */

/* The current task has a signal to act on. Never sleeps. */
bool signal_pending(void);
/* The kernel sends (SI_KERNEL), to one thread or to a process. Any context. */
void signal_task(struct task *t, int sig);
void signal_process(struct process *p, int sig);
int signal_group(u32 pgid, int sig); /* 0, or -ESRCH: the process group has no member */
/* Would the current task not notice it? For SIGTTIN and SIGTTOU, credentials(7). */
bool signal_ignored(int sig); /* blocked counts, too */
/* No member's parent is in another group of the same session: nobody could continue it. */
bool group_orphaned(u32 pgid);

/*
 * A mask for the time of one call (ppoll, pselect6, epoll_pwait):
 *
 *     err = signal_mask_enter(mask, size);          -EINVAL, -EFAULT; mask NULL: nothing changes
 *     ret = ... wait_event_signal ...
 *     signal_mask_leave(ret == -ERESTARTNOHAND);    ended by a signal: its handler comes first
 */
int signal_mask_enter(const void __user *mask, u32 size);
void signal_mask_leave(bool interrupted);

/* Before a call returns -ERESTARTSYS for a signal that may go to another thread. */
void signal_look_again(void);

/* Ends a call with -ERESTART_RESTARTBLOCK: without a handler it goes on by again(&restart). */
long signal_restart_later(long (*again)(struct restart *), u64 deadline, u32 a, u32 b, u32 c,
                          u32 d);

#endif
