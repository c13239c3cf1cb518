/* POSIX timers: timer_create(2). */
#ifndef KERNEL_PROC_TIMER_CALLS_H
#define KERNEL_PROC_TIMER_CALLS_H

#include "kernel/proc/process.h"

void posix_timers_delete(struct process *p); /* at its end, and when it starts another program */

long sys_timer_create(u32 clock, const void __user *event, s32 __user *id);
long sys_timer_settime(s32 id, u32 flags, const void __user *new, void __user *old);
long sys_timer_settime64(s32 id, u32 flags, const void __user *new, void __user *old);
long sys_timer_gettime(s32 id, void __user *to);
long sys_timer_gettime64(s32 id, void __user *to);
long sys_timer_getoverrun(s32 id);
long sys_timer_delete(s32 id);

#endif
