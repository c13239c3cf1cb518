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

/* blkdev.c */
extern const struct file_ops disk_ops;
int disk_sync(u32 rdev); /* what was written to its raw sectors is on the disk: 0, -ENXIO, -EIO */

#endif
