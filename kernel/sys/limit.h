/* Resource limits: getrlimit(2) and its kin. */
#ifndef KERNEL_SYS_LIMIT_H
#define KERNEL_SYS_LIMIT_H

#include "kernel/lib/types.h"

long sys_setrlimit(u32 resource, const void __user *from);
long sys_getrlimit(u32 resource, void __user *to);
long sys_old_getrlimit(u32 resource, void __user *to);
long sys_prlimit64(s32 pid, u32 resource, const void __user *from, void __user *to);

#endif
