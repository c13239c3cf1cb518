/* Process groups and sessions: the system calls. What the rest of the kernel asks about them
 * stands in signal.h. */
#ifndef KERNEL_PROC_JOB_H
#define KERNEL_PROC_JOB_H

#include "kernel/lib/types.h"

long sys_setpgid(u32 pid, u32 pgid);
long sys_getpgid(u32 pid);
long sys_getpgrp(void);
long sys_setsid(void);
long sys_getsid(u32 pid);

#endif
