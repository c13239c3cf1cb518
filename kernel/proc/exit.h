/* The end of threads and processes, and waiting for it. */
#ifndef KERNEL_PROC_EXIT_H
#define KERNEL_PROC_EXIT_H

#include "kernel/lib/types.h"
#include "kernel/proc/process.h"

/* Ends the current thread; the process with the last one, or with all when it is killed. status as
 * wait4(2) gives it (code << 8, or a signal); that of the last thread counts. */
void task_exit(int status) __noreturn;
/* All threads of p are to end, at the latest on their way to user mode, whatever they wait for. The
 * first status counts. Any context. */
void process_kill(struct process *p, int status);
/* The current thread is to be the only one of its process. 0, or -EINTR: another one was faster.
 * Sleeps. */
int threads_end_others(void);
/* On the way to user mode: acts on signals, gives the CPU up if its slice is used up. */
void task_return_to_user(void);
/* The current task no longer uses what vfork(2) lent it: its parent goes on. */
void vfork_release(void);

long sys_exit(u32 code);
long sys_exit_group(u32 code);

/* wait.c */
long sys_wait4(s32 pid, int __user *status, u32 options, void __user *rusage);
long sys_waitpid(s32 pid, int __user *status, u32 options);
long sys_waitid(u32 type, u32 id, void __user *info, u32 options, void __user *rusage);

#endif
