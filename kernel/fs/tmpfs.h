/*
 * tmpfs: a file system in RAM. tmpfs(5).
 *
 *     tmpfs.c       mounting, options, inodes and the pages of files
 *     tmpfs_dir.c   directories
 *
 * Names, inodes and pages exist nowhere else: an inode is kept alive by a reference for each file
 * that has a name (own_refs of its super), and its pages are in the page cache, dirty, so that
 * nothing drops them. A hole has no page, or a clean one of zeroes, which may go at any time.
 */
#ifndef KERNEL_FS_TMPFS_H
#define KERNEL_FS_TMPFS_H

#include <bsd/sys/tree.h>
#include "kernel/fs/vfs.h"

/* super->fs */
struct tmpfs {
    u32 max_pages, pages; /* limit, and dirty pages now */
    u32 max_inodes, inodes;
    u32 last_ino;
};

/* A name in a directory. */
struct tmpfs_entry {
    RB_ENTRY(tmpfs_entry) by_name;
    RB_ENTRY(tmpfs_entry) by_place;
    struct inode *inode; /* one of its own references for all its names */
    u32 place;           /* position in the directory: never changes, never used again */
    u32 len;
    char name[];
};
RB_HEAD(tmpfs_names, tmpfs_entry);
RB_HEAD(tmpfs_places, tmpfs_entry);

/* inode->fs of a directory (of a link: its target, terminated) */
struct tmpfs_dir {
    struct inode *parent; /* an own reference; NULL: it is the root, or was removed */
    struct tmpfs_names names;
    struct tmpfs_places places;
    u32 next_place;
};

static inline struct tmpfs *tmpfs_of(const struct inode *inode)
{
    return inode->super->fs;
}
static inline struct tmpfs_dir *tmpfs_dir(const struct inode *dir)
{
    return dir->fs;
}

/* tmpfs.c: a new inode without a name yet (nlink 0), with a reference; or err_ptr. */
struct inode *tmpfs_inode(struct super *super, struct inode *dir, const struct new_file *what);
extern const struct inode_ops tmpfs_file_ops, tmpfs_link_ops, tmpfs_dir_ops;
void tmpfs_release(struct inode *inode);
int tmpfs_update(struct inode *inode); /* nothing to keep: the inode itself is all there is */

/* tmpfs_dir.c */
extern const struct file_ops tmpfs_dir_fops;
int tmpfs_dir_init(struct inode *dir);
void tmpfs_empty(struct inode *root); /* takes all names away, in all directories below */

/* An empty one; also for the kernel's own, /dev. */
void tmpfs_unmount(struct super *super);
struct super *tmpfs_mount(struct block_device *device, u32 flags, const char *options);

#endif
