/* What a process has used: getrusage(2), wait4(2), times(2). */
#ifndef KERNEL_PROC_USAGE_H
#define KERNEL_PROC_USAGE_H

#include "kernel/proc/process.h"

struct usage usage_of(const struct process *p);
void usage_add(struct usage *sum, const struct usage *u);
int usage_out(const struct usage *u, void __user *to); /* struct rusage; 0 or -EFAULT */

long sys_getrusage(s32 who, void __user *to);
long sys_times(void __user *to);

#endif
