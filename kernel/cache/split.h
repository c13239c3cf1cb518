/* The old way, two caches one above the other: ferry.cache=split (split.c). */
#ifndef KERNEL_CACHE_SPLIT_H
#define KERNEL_CACHE_SPLIT_H

#include "kernel/cache/cache.h"

struct block_device;
struct inode;

/* A regular file of a disk has been set up: with ferry.cache=split its operations are exchanged for
 * those of the old way. */
void split_set_up(struct inode *inode);
/* What is dirty in the device's buffers goes to the disk. 0, or the error of a write. Sleeps. */
int split_sync(struct block_device *d);
/* Blocks of files are free: what the buffers hold of them is not worth writing. Sleeps. */
void split_forget(struct block_device *d, u64 lba, u64 nr_sectors);

#endif
