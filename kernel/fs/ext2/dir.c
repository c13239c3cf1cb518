/*
 * Directories: finding a name, and listing names. Both walk the blocks in order; an index
 * (dir_index) is not needed, since its blocks look like free entries to who does not know it.
 *
 * A position in a directory is the byte offset of an entry, as a program gets it from
 * getdents64(2) and may give back by lseek(2): it is believed only where an entry begins.
 */
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

/* Block `n` of the directory, held until page_put. A directory has no holes. */
static int read_dir_block(struct inode *dir, u32 n, struct page **page, const void **data)
{
    struct ext2_extent e;
    int error = ext2_map(dir, n, 1, &e);
    if (error)
        return error;
    if (e.disk_block == 0)
        return ext2_damaged(dir->super, "directory %u has a hole", dir->ino);
    return ext2_read_block(dir->super, e.disk_block, page, data);
}

static const struct ext2_dir_entry_2 *entry_at(struct inode *dir, u32 n, const void *block,
                                               u32 offset)
{
    const struct ext2_dir_entry_2 *e = ext2_dirent(&ext2_of(dir->super)->g, block, offset);
    if (!e)
        ext2_damaged(dir->super, "directory %u, block %u, entry at %u", dir->ino, n, offset);
    return e;
}

/* The inode number of a name in block `n`; 0 when it is not there. */
static int find_in_block(struct inode *dir, u32 n, const char *name, u32 len, u32 *ino)
{
    struct page *page;
    const void *block;
    int error = read_dir_block(dir, n, &page, &block);
    if (error)
        return error;
    *ino = 0;
    for (u32 offset = 0; offset < dir->super->block_size;) {
        const struct ext2_dir_entry_2 *e = entry_at(dir, n, block, offset);
        if (!e) {
            error = -EIO;
            break;
        }
        if (ext2_dirent_is(e, name, len)) {
            *ino = e->inode;
            break;
        }
        offset += e->rec_len;
    }
    page_put(page, HOLD_USE);
    return error;
}

static struct inode *find_inode(struct inode *dir, const char *name, u32 len)
{
    u32 nr_blocks = (u32)(dir->size >> ext2_of(dir->super)->g.block_shift);
    for (u32 n = 0; n < nr_blocks; n++) {
        u32 ino;
        int error = find_in_block(dir, n, name, len, &ino);
        if (error)
            return err_ptr(error);
        if (ino)
            return inode_get(dir->super, ino);
    }
    return err_ptr(-ENOENT);
}

/* With the lock held: the inode is not freed between its name and itself. */
static struct inode *ext2_lookup(struct inode *dir, const char *name, u32 len)
{
    if (len > NAME_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    ext2_lock(dir->super);
    struct inode *inode = find_inode(dir, name, len);
    ext2_unlock(dir->super);
    return inode;
}

/* What is in block `n` now. 1; 0: the directory has become shorter. */
static int copy_block(struct inode *dir, u32 n, void *copy)
{
    struct page *page;
    const void *block;
    ext2_lock(dir->super);
    int result = n < dir->size >> ext2_of(dir->super)->g.block_shift;
    if (result) {
        int error = read_dir_block(dir, n, &page, &block);
        if (error)
            result = error;
    }
    ext2_unlock(dir->super);
    if (result == 1) {
        memcpy(copy, block, dir->super->block_size);
        page_put(page, HOLD_USE);
    }
    return result;
}

/* Gives the entries of block `n` from file->pos on to the sink, which may sleep: it gets them from
 * a copy. 1: go on with the next block. */
static int list_block(struct file *file, u32 n, struct dir_sink *sink)
{
    struct inode *dir = file->inode;
    u64 start = (u64)n << ext2_of(dir->super)->g.block_shift;
    void *block = kmalloc(dir->super->block_size);
    int result = block ? copy_block(dir, n, block) : -ENOMEM;
    for (u32 offset = 0; result == 1 && offset < dir->super->block_size;) {
        const struct ext2_dir_entry_2 *e = entry_at(dir, n, block, offset);
        if (!e) {
            result = -EIO;
            break;
        }
        u64 next = start + offset + e->rec_len;
        if (start + offset >= file->pos) {
            u8 type = ext2_dirent_type(&ext2_of(dir->super)->g, e);
            if (e->inode && !sink->emit(sink, e->name, e->name_len, e->inode, type, next)) {
                result = 0;
                break;
            }
            file->pos = next;
        }
        offset += e->rec_len;
    }
    kfree(block);
    return result;
}

static int ext2_readdir(struct file *file, struct dir_sink *sink)
{
    struct inode *dir = file->inode;
    u32 shift = ext2_of(dir->super)->g.block_shift;
    while (file->pos < dir->size) {
        u32 n = (u32)(file->pos >> shift);
        int result = list_block(file, n, sink);
        if (result <= 0)
            return result;
        u64 behind = (u64)(n + 1) << shift; /* a position behind the last entry's beginning */
        if (file->pos < behind)
            file->pos = behind;
    }
    return 0;
}

const struct inode_ops ext2_dir_ops = {
    .lookup = ext2_lookup,
    .create = ext2_create,
    .link = ext2_link,
    .unlink = ext2_unlink,
    .rename = ext2_rename,
    .update = ext2_update,
    .release = ext2_release,
};
const struct file_ops ext2_dir_fops = {.readdir = ext2_readdir};
