/* Paths as system calls get them. */
#ifndef KERNEL_SYS_LOOKUP_H
#define KERNEL_SYS_LOOKUP_H

#include "kernel/fs/vfs.h"

/* The path in kernel memory (kfree it), or err_ptr. */
char *path_copyin(const char __user *path);
/* Where a relative path starts: a directory with a reference, or err_ptr. */
struct inode *directory_of(s32 dirfd, const char *path);

#endif
