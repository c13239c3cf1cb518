/*
 * ext2, read-only: what its files share. The file system shows itself to the rest of the kernel
 * only as ext2_fs (kernel/fs/vfs.h).
 *
 *     super.c        mounting                    super_check.c  is the superblock sound?
 *     inode.c        inodes, symbolic links      map.c          the shape of the block tree
 *     blocks.c       a file's blocks and pages   dirent.c       is a directory entry sound?
 *     dir.c          directories
 */
#ifndef KERNEL_FS_EXT2_EXT2_H
#define KERNEL_FS_EXT2_EXT2_H

#include "drivers/block.h"
#include "kernel/fs/ext2/layout.h"
#include "kernel/fs/vfs.h"

/* super->fs */
struct ext2 {
    struct ext2_geometry g;
    struct mapping *metadata; /* the device, byte for byte */
    u64 quiet_until;          /* tick before which complaints are only counted ... */
    u32 swallowed;            /* ... here */
};

/* inode->fs */
struct ext2_inode_info {
    u32 block[EXT2_N_BLOCKS]; /* the inode's own table; a short symbolic link's target */
    u32 acl_sectors;          /* 512-byte units of inode->blocks that hold no data */
};

static inline struct ext2 *ext2_of(const struct super *s)
{
    return s->fs;
}
static inline struct ext2_inode_info *ext2_info(const struct inode *inode)
{
    return inode->fs;
}

/* super.c: one line about a damaged file system; at most one a second is printed. Returns -EIO, so
 * that it can end a function. */
int ext2_damaged(struct super *s, const char *fmt, ...) __printf_like(2, 3);

/* blocks.c. A metadata block that the caller has checked: *data is its bytes, in *page, which
 * carries a HOLD_USE reference. Sleeps. */
int ext2_read_block(struct super *s, u32 block, struct page **page, const void **data);
/* A run of a file's blocks that are consecutive on the disk, or a run of a hole. */
struct ext2_extent {
    u32 file_block, count;
    u32 disk_block; /* 0: a hole */
};
/* The run that begins with file_block, `want` blocks at most, one at least. Sleeps. */
int ext2_map(struct inode *inode, u32 file_block, u32 want, struct ext2_extent *e);
extern const struct mapping_ops ext2_mapping_ops;

/* inode.c */
int ext2_read_inode(struct inode *inode);
void ext2_release(struct inode *inode);

/* dir.c */
extern const struct inode_ops ext2_dir_ops;
extern const struct file_ops ext2_dir_fops;

/* Reading and what else the paths can do with a file in the page cache (kernel/paths/). */
extern const struct file_ops regular_file_ops;

#endif
