/* Device files: what a (type, number) pair stands for, and the file system on /dev. */
#ifndef KERNEL_FS_DEV_H
#define KERNEL_FS_DEV_H

#include "kernel/fs/vfs.h"

#define DEV_ZERO (1u << 8 | 5) /* /dev/zero, which can be mapped */

/* The operations of a character or block device by Linux's number; NULL when there is none. */
const struct file_ops *dev_ops(u16 mode, u32 rdev);
u32 random_word(void);
u64 dev_size(u32 rdev); /* bytes of a block device; 0: there is none */
/* What /dev/urandom gives; file and pos are not looked at. */
ssize_t random_read(struct file *f, void __user *buf, size_t len, u64 *pos);

/* A disk's partition has come, or gone: its node in each devtmpfs. 0 or a negative errno. Sleep. */
int dev_add(const char *name, u32 rdev);
void dev_remove(const char *name);

/* blkdev.c. What a block device's file is for fsync(2); and all of them, for sync(2). Sleep. */
extern const struct file_ops disk_ops;
int blkdev_fsync(struct inode *inode);
void blkdev_sync_all(void);

#endif
