/* The end of tasks. */
#ifndef KERNEL_PROC_EXIT_H
#define KERNEL_PROC_EXIT_H

#include "kernel/lib/types.h"
#include "kernel/proc/task.h"

/* Ends the current task; status as wait4(2) gives it (code << 8, or a signal). */
void task_exit(int status) __noreturn;
/* The current program has done what it may not: one line says why, and it ends by the signal. */
void task_die(int signal, const char *fmt, ...) __printf_like(2, 3) __noreturn;
/* On the way to user mode: dies if it was killed, gives the CPU up if its slice is used up. */
void task_return_to_user(void);
/* The current task no longer uses what vfork(2) lent it: its parent goes on. */
void vfork_release(void);

long sys_exit(u32 code);
long sys_wait4(s32 pid, int __user *status, u32 options, void __user *rusage);
long sys_waitpid(s32 pid, int __user *status, u32 options);
long sys_kill(s32 pid, u32 signal);

#endif
