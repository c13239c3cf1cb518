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

/* With the lock held: the inode is not freed between its name and itself. */
static struct inode *find_inode(struct inode *dir, const char *name, u32 len)
{
    struct ext2_entry at;
    int error = ext2_entry_find(dir, name, len, &at);
    if (error)
        return err_ptr(error);
    u32 ino = at.entry->inode;
    ext2_buf_put(&at.buf);
    struct inode *inode = inode_get(dir->super, ino);
    if (is_err(inode) || inode->nlink)
        return inode;
    inode_put(inode); /* of a file that is open: this is not the last reference */
    return err_ptr(ext2_damaged(dir->super, "a name leads to inode %u, which has none", ino));
}

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
static int copy_block(struct inode *dir, u32 n, struct ext2_buf *copy)
{
    struct ext2_buf b;
    ext2_lock(dir->super);
    int result = n < ext2_dir_blocks(dir);
    if (result) {
        int error = ext2_dir_block(dir, n, &b);
        if (error)
            result = error;
    }
    ext2_unlock(dir->super);
    if (result == 1) {
        copy->block = b.block;
        memcpy(copy->data, b.data, dir->super->block_size);
        ext2_buf_put(&b);
    }
    return result;
}

/* Gives the entries of block `n` from file->pos on to the sink, which may sleep: it gets them from
 * a copy. 1: go on with the next block. */
static int list_block(struct file *file, u32 n, struct dir_sink *sink)
{
    struct inode *dir = file->inode;
    u64 start = (u64)n << ext2_of(dir->super)->g.block_shift;
    struct ext2_buf copy = {.data = kmalloc(dir->super->block_size)};
    int result = copy.data ? copy_block(dir, n, &copy) : -ENOMEM;
    for (u32 offset = 0; result == 1 && offset < dir->super->block_size;) {
        const struct ext2_dir_entry_2 *e = ext2_entry_at(dir, &copy, offset);
        if (e && e->inode && !ext2_dirent_named(e)) {
            ext2_damaged(dir->super, "directory %u has a name with a slash or a zero", dir->ino);
            e = NULL;
        }
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
    kfree(copy.data);
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
