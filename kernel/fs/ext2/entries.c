/*
 * Directory entries, changed: added, taken away, turned to another inode.
 *
 * A block is a chain of entries, each telling the distance to the next. A new entry takes the free
 * entry or the slack behind an entry that is long enough; a removed one becomes slack of the one
 * before it. A directory grows by a block when no slack is left, and loses its last blocks when
 * nothing is in them any more. The caller holds the file system's lock.
 */
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

/* As long as the name needs, a multiple of 4. */
static u32 record_length(u32 name_len)
{
    return (EXT2_DIRENT_HEADER + name_len + 3) & ~3u;
}

/* ext2fs counts the type as the high byte of the name's length. */
static u8 type_of(const struct super *s, u16 mode)
{
    static const u8 types[16] = {
        [S_FIFO >> 12] = EXT2_FT_FIFO,    [S_CHR >> 12] = EXT2_FT_CHRDEV,
        [S_DIR >> 12] = EXT2_FT_DIR,      [S_BLK >> 12] = EXT2_FT_BLKDEV,
        [S_REG >> 12] = EXT2_FT_REG_FILE, [S_LNK >> 12] = EXT2_FT_SYMLINK,
        [S_SOCK >> 12] = EXT2_FT_SOCK,
    };
    return ext2_of(s)->g.has_file_types ? types[mode >> 12 & 15] : 0;
}

static void fill(struct super *s, struct ext2_dir_entry_2 *e, const char *name, u32 len, u32 ino,
                 u16 mode)
{
    e->inode = ino;
    e->name_len = (u8)len;
    e->file_type = type_of(s, mode);
    memcpy(e->name, name, len);
}

/* A directory has no holes. */
int ext2_dir_block(struct inode *dir, u32 n, struct ext2_buf *b)
{
    struct ext2_extent extent;
    int error = ext2_map(dir, n, 1, &extent);
    if (error)
        return error;
    if (!extent.disk_block)
        return ext2_damaged(dir->super, "directory %u has a hole", dir->ino);
    return ext2_buf_read(dir->super, extent.disk_block, b);
}

struct ext2_dir_entry_2 *ext2_entry_at(struct inode *dir, const struct ext2_buf *b, u32 offset)
{
    const struct ext2_dir_entry_2 *e = ext2_dirent(&ext2_of(dir->super)->g, b->data, offset);
    if (!e)
        ext2_damaged(dir->super, "directory %u, block %u, entry at %u", dir->ino, b->block, offset);
    return (struct ext2_dir_entry_2 *)e;
}

/* ---- adding ---- */

/* Puts the entry into the block where there is room. 1: done; 0: no room. */
static int add_in_block(struct inode *dir, struct ext2_buf *b, const char *name, u32 len, u32 ino,
                        u16 mode)
{
    u32 need = record_length(len);
    for (u32 offset = 0; offset < dir->super->block_size;) {
        struct ext2_dir_entry_2 *e = ext2_entry_at(dir, b, offset);
        if (!e)
            return -EIO;
        u32 used = e->inode ? record_length(e->name_len) : 0;
        if (e->rec_len >= used + need) {
            if (used) {
                struct ext2_dir_entry_2 *behind = (void *)((char *)e + used);
                behind->rec_len = (u16)(e->rec_len - used);
                e->rec_len = (u16)used;
                e = behind;
            }
            fill(dir->super, e, name, len, ino, mode);
            ext2_buf_dirty(dir->super, b);
            return 1;
        }
        offset += e->rec_len;
    }
    return 0;
}

int ext2_dir_grow(struct inode *dir, struct ext2_buf *b)
{
    u32 block;
    bool fresh;
    if (dir->size + dir->super->block_size > 0x7FFFFFFF)
        return -ENOSPC;
    int error = ext2_map_new(dir, ext2_dir_blocks(dir), &block, &fresh);
    dir->dirty = dir->resized = true; /* it may have got a table, and then no block below it */
    if (error)
        return error;
    error = ext2_buf_read(dir->super, block, b);
    if (error) {
        (void)ext2_unmap(dir, ext2_dir_blocks(dir));
        return error;
    }
    dir->size += dir->super->block_size;
    return 0;
}

int ext2_entry_add(struct inode *dir, const char *name, u32 len, u32 ino, u16 mode, u32 *block)
{
    struct ext2_buf b;
    int done = 0;
    for (u32 n = 0; n < ext2_dir_blocks(dir) && !done; n++) {
        done = ext2_dir_block(dir, n, &b);
        if (done)
            return done;
        done = add_in_block(dir, &b, name, len, ino, mode);
        ext2_buf_put(&b);
    }
    if (!done) {
        done = ext2_dir_grow(dir, &b);
        if (done)
            return done;
        done = add_in_block(dir, &b, name, len, ino, mode);
        ext2_buf_put(&b);
    }
    if (done > 0 && block)
        *block = b.block;
    return done < 0 ? done : 0;
}

/* ---- finding, turning, removing ---- */

int ext2_entry_find(struct inode *dir, const char *name, u32 len, struct ext2_entry *at)
{
    for (u32 n = 0; n < ext2_dir_blocks(dir); n++) {
        int error = ext2_dir_block(dir, n, &at->buf);
        if (error)
            return error;
        at->before = NULL;
        for (u32 offset = 0; offset < dir->super->block_size; offset += at->entry->rec_len) {
            at->entry = ext2_entry_at(dir, &at->buf, offset);
            if (!at->entry) {
                ext2_buf_put(&at->buf);
                return -EIO;
            }
            if (at->entry->inode && ext2_dirent_is(at->entry, name, len))
                return 0;
            at->before = at->entry;
        }
        ext2_buf_put(&at->buf);
    }
    return -ENOENT;
}

void ext2_entry_turn(struct inode *dir, struct ext2_entry *at, u32 ino, u16 mode)
{
    at->entry->inode = ino;
    at->entry->file_type = type_of(dir->super, mode);
    ext2_buf_dirty(dir->super, &at->buf);
    ext2_buf_put(&at->buf);
}

/* Nothing but one free entry that fills the block. */
static bool block_empty(struct inode *dir, const struct ext2_buf *b)
{
    const struct ext2_dir_entry_2 *e = b->data;
    return !e->inode && e->rec_len == dir->super->block_size;
}

/* Gives the last blocks back when they are empty. The first has "." and "..". */
static int shrink(struct inode *dir)
{
    u32 keep = ext2_dir_blocks(dir);
    while (keep > 1) {
        struct ext2_buf b;
        int error = ext2_dir_block(dir, keep - 1, &b);
        if (error)
            return error;
        bool empty = block_empty(dir, &b);
        ext2_buf_put(&b);
        if (!empty)
            break;
        keep--;
    }
    if (keep == ext2_dir_blocks(dir))
        return 0;
    dir->size = (u64)keep << ext2_of(dir->super)->g.block_shift;
    return ext2_tree_cut(dir, keep);
}

int ext2_entry_remove(struct inode *dir, struct ext2_entry *at)
{
    at->entry->inode = 0;
    if (at->before)
        at->before->rec_len = (u16)(at->before->rec_len + at->entry->rec_len);
    struct ext2_dir_entry_2 *first = at->buf.data;
    /* Free entries in front of others are slack, too, and a block that is all slack is one entry.
     */
    if (!first->inode) {
        for (u32 next = first->rec_len; next < dir->super->block_size;) {
            struct ext2_dir_entry_2 *e = ext2_entry_at(dir, &at->buf, next);
            if (!e || e->inode)
                break;
            next += e->rec_len;
            first->rec_len = (u16)next;
        }
    }
    bool empty = block_empty(dir, &at->buf);
    ext2_buf_dirty(dir->super, &at->buf);
    ext2_buf_put(&at->buf);
    return empty ? shrink(dir) : 0;
}

int ext2_dir_empty(struct inode *dir)
{
    for (u32 n = 0; n < ext2_dir_blocks(dir); n++) {
        struct ext2_buf b;
        int error = ext2_dir_block(dir, n, &b);
        if (error)
            return error;
        for (u32 offset = 0; offset < dir->super->block_size && !error;) {
            struct ext2_dir_entry_2 *e = ext2_entry_at(dir, &b, offset);
            if (!e)
                error = -EIO;
            else if (e->inode && !ext2_dirent_is(e, ".", 1) && !ext2_dirent_is(e, "..", 2))
                error = -ENOTEMPTY;
            else
                offset += e->rec_len;
        }
        ext2_buf_put(&b);
        if (error)
            return error;
    }
    return 0;
}

int ext2_dir_init(struct inode *dir, u32 parent_ino)
{
    struct ext2_buf b;
    int error = ext2_dir_grow(dir, &b);
    if (error)
        return error;
    struct ext2_dir_entry_2 *dot = b.data;
    fill(dir->super, dot, ".", 1, dir->ino, S_DIR);
    dot->rec_len = (u16)record_length(1);
    struct ext2_dir_entry_2 *up = (void *)((char *)dot + dot->rec_len);
    up->rec_len = (u16)(dir->super->block_size - dot->rec_len);
    fill(dir->super, up, "..", 2, parent_ino, S_DIR);
    ext2_buf_dirty(dir->super, &b);
    ext2_buf_put(&b);
    return 0;
}
