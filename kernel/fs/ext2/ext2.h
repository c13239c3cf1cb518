/*
 * ext2: what its files share. The file system shows itself to the rest of the kernel
 * only as ext2_fs (kernel/fs/vfs.h).
 *
 *     super.c        mounting, sync              super_check.c  is the superblock sound?
 *     inode.c        inodes, symbolic links      map.c          the shape of the block tree
 *     blocks.c       a file's blocks, read       dirent.c       is a directory entry sound?
 *     dir.c          directories, read           bitmap.c       bits
 *
 * and what changes the disk:
 *
 *     names.c        create, link, rename ...    entries.c      entries of a directory
 *     file.c         a file's pages, written     tree.c         its block tree
 *     inode_write.c  inodes                      balloc.c, ialloc.c, group.c   what is free
 *     buffer.c       blocks of metadata in the page cache
 *
 * One task at a time changes a file system's metadata (ext2_lock): each change takes several steps
 * that sleep, and one simple lock is worth more here than the speed of many.
 */
#ifndef KERNEL_FS_EXT2_EXT2_H
#define KERNEL_FS_EXT2_EXT2_H

#include "drivers/block.h"
#include "kernel/cache/split.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/ext2/layout.h"
#include "kernel/fs/vfs.h"
#include "kernel/proc/wait.h"

/* super->fs */
struct ext2 {
    struct ext2_geometry g;
    struct mapping *metadata; /* the device, byte for byte */
    u32 errors_before;        /* of writing these, until we mounted it */
    u64 quiet_until;          /* tick before which complaints are only counted ... */
    u32 swallowed;            /* ... here */
    u32 kept_uid, kept_gid;   /* who may take super->blocks_kept, beside root */
    bool locked;              /* ext2_lock */
    bool closing;             /* read-only now, but for what is still to be freed */
    struct wait_queue unlocked;
    bool was_clean;      /* before we mounted it: else only e2fsck may say that it is */
    bool is_clean;       /* the superblock says so now */
    bool large_files;    /* the superblock says that there may be files of 2 GiB and more */
    bool counts_changed; /* the superblock's free counts are to be written */
    TAILQ_HEAD(, ext2_inode_info) windows; /* the one opened last at the end */
    u32 nr_windows;
};

/* inode->fs */
struct ext2_inode_info {
    u32 block[EXT2_N_BLOCKS];     /* the inode's own table; a short symbolic link's target */
    u32 acl_sectors;              /* 512-byte units of inode->blocks that hold no data */
    u32 flags;                    /* EXT2_*_FL */
    bool deleted;                 /* on the disk it is free already */
    u32 window_start, window_len; /* blocks kept for this file's growth (balloc.c) */
    TAILQ_ENTRY(ext2_inode_info) window;
};

/* A block of metadata that can be changed, in a page with a HOLD_USE reference. */
struct ext2_buf {
    struct page *page;
    void *data;
    u32 block;
};
struct ext2_group {
    struct ext2_buf buf; /* of the descriptor */
    struct ext2_group_desc *desc;
    u32 first_block, nr_blocks;
};
/* Where a name stands: held by the buffer, until it is turned, removed or put. */
struct ext2_entry {
    struct ext2_buf buf;
    struct ext2_dir_entry_2 *entry, *before; /* before: in the same block, or NULL */
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

/* super.c */
void ext2_lock(struct super *s); /* sleeps, not twice by one task */
void ext2_unlock(struct super *s);
/* The lock, for a change; or -EROFS, without it: it may have become read-only while we waited. */
int ext2_change_begin(struct super *s);
int ext2_allow_large_files(struct super *s); /* the superblock says: there are sizes of 33 bits */

/* inode.c */
int ext2_read_inode(struct inode *inode);
int ext2_inode_locate(struct super *s, u32 ino, u64 *pos); /* in bytes of the device */
bool ext2_is_short_link(const struct inode *link);

/* The rest changes the disk; with the lock held, unless it says otherwise. */

/* buffer.c */
int ext2_buf_read(struct super *s, u32 block, struct ext2_buf *b);
int ext2_buf_new(struct super *s, u32 block, struct ext2_buf *b); /* zeroed, and dirty */
void ext2_buf_dirty(struct super *s, struct ext2_buf *b);
/* To the disk, past the drive's own cache; waits. An error is told to fsync. */
void ext2_buf_write(struct super *s, struct ext2_buf *b);
void ext2_buf_put(struct ext2_buf *b);
void ext2_forget(struct super *s, u32 block); /* it is metadata no longer: do not write it */

/* group.c, balloc.c, ialloc.c */
int ext2_group_get(struct super *s, u32 group, struct ext2_group *gr); /* put: gr->buf */
int ext2_block_alloc(struct inode *inode, u32 goal, u32 *block);
int ext2_blocks_free(struct inode *inode, u32 block, u32 count);
void ext2_window_close(struct inode *inode);
int ext2_inode_alloc(struct inode *dir, bool directory, u32 *ino);
int ext2_inode_free(struct super *s, u32 ino, bool directory);

/* tree.c. The disk block of a file's block, taken where there is none (*fresh). */
int ext2_map_new(struct inode *inode, u32 file_block, u32 *disk_block, bool *fresh);
int ext2_unmap(struct inode *inode, u32 file_block);     /* undoes that, when it was fresh */
int ext2_tree_cut(struct inode *inode, u32 keep_blocks); /* frees the blocks from there on */

/* inode_write.c */
int ext2_write_inode(struct inode *inode);
/* A new inode, its table written, with a reference; err_ptr. */
struct inode *ext2_inode_make(struct inode *dir, u32 ino, const struct new_file *what);
void ext2_delete(struct inode *inode);  /* from the disk: it has no name */
void ext2_release(struct inode *inode); /* takes the lock */

/* entries.c. Block `n` of a directory, and the entry at `offset` of it, which can be changed; NULL:
 * the block is damaged, and that was said. */
int ext2_dir_block(struct inode *dir, u32 n, struct ext2_buf *b);
struct ext2_dir_entry_2 *ext2_entry_at(struct inode *dir, const struct ext2_buf *b, u32 offset);
static inline u32 ext2_dir_blocks(const struct inode *dir)
{
    return (u32)(dir->size >> ext2_of(dir->super)->g.block_shift);
}
int ext2_entry_find(struct inode *dir, const char *name, u32 len, struct ext2_entry *at);
/* *block (may be NULL): the disk block that it stands in. */
int ext2_entry_add(struct inode *dir, const char *name, u32 len, u32 ino, u16 mode, u32 *block);
void ext2_entry_turn(struct inode *dir, struct ext2_entry *at, u32 ino, u16 mode);
int ext2_entry_remove(struct inode *dir, struct ext2_entry *at);
int ext2_dir_grow(struct inode *dir, struct ext2_buf *b); /* by one block, which is all free */
int ext2_dir_empty(struct inode *dir);                    /* 0, or -ENOTEMPTY */
int ext2_dir_init(struct inode *dir, u32 parent_ino);

/* names.c, file.c: with the lock free */
struct inode *ext2_create(struct inode *dir, const struct name *name, const struct new_file *what);
int ext2_link(struct inode *dir, const struct name *name, struct inode *inode);
int ext2_unlink(struct inode *dir, const struct name *name, struct inode *inode);
int ext2_rename(struct inode *from, const struct name *from_name, struct inode *inode,
                struct inode *to, const struct name *to_name, struct inode *target, u32 flags);
int ext2_prepare_write(struct mapping *m, u32 index, u32 offset, u32 len);
void ext2_write_pages(struct mapping *m, struct page **pages, u32 nr);
void ext2_trim(struct mapping *m);
int ext2_resize(struct inode *inode, u64 size);
int ext2_update(struct inode *inode); /* it is dirty, and written in its time */

/* dir.c */
extern const struct inode_ops ext2_dir_ops;
extern const struct file_ops ext2_dir_fops;

/* Reading and what else the paths can do with a file in the page cache (kernel/paths/). */
extern const struct file_ops regular_file_ops;

#endif
