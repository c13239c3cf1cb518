/* The three interval timers that each process has (setitimer(2)), and its limit of processor time
 * (RLIMIT_CPU of getrlimit(2)). */
#ifndef KERNEL_PROC_ITIMER_H
#define KERNEL_PROC_ITIMER_H

#include "kernel/proc/process.h"

void itimers_init(struct process *p);
void itimers_stop(struct process *p);       /* it ends */
void cpu_timers_changed(struct process *p); /* is there one that cpu_timers_tick must serve? */
void cpu_timers_tick(struct process *p, bool user); /* in the timer's interrupt */

long sys_alarm(u32 seconds);
long sys_setitimer(u32 which, const void __user *new, void __user *old);
long sys_getitimer(u32 which, void __user *to);

#endif
