/* Record locks as fcntl(2) has them. */
#ifndef KERNEL_SYS_LOCK_H
#define KERNEL_SYS_LOCK_H

#include "kernel/fs/vfs.h"

/* F_GETLK, F_SETLK, F_SETLKW, their 64-bit and F_OFD_ forms. */
long fcntl_lock(struct file *f, u32 fd, u32 command, void __user *argument);
long sys_flock(u32 fd, u32 operation);

#endif
