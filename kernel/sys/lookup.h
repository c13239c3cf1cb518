/* Paths as system calls get them. */
#ifndef KERNEL_SYS_LOOKUP_H
#define KERNEL_SYS_LOOKUP_H

#include "kernel/fs/vfs.h"

/* The path in kernel memory (kfree it), or err_ptr. */
char *path_copyin(const char __user *path);
/* Where a relative path starts: a directory with a reference, or err_ptr. */
struct inode *directory_of(s32 dirfd, const char *path);
/* The inode that (dirfd, path) names, with a reference, or err_ptr. flags: AT_SYMLINK_NOFOLLOW,
 * AT_EMPTY_PATH; others are not looked at. */
struct inode *inode_at(s32 dirfd, const char __user *path, u32 flags);
/* What a descriptor stands for, with a reference; O_PATH does not count (-EBADF). */
struct inode *inode_of_fd(u32 fd);

/* A path together with where it starts. path_at: 0 or a negative errno; then nothing is held. */
struct at_path {
    char *name;
    struct inode *start;
};
int path_at(struct at_path *p, s32 dirfd, const char __user *path);
void path_at_end(struct at_path *p);

#endif
