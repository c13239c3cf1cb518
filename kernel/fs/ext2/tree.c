/*
 * The block tree of a file, changed: blocks are added where a hole is written, and given back when
 * the file gets shorter. Reading it is in blocks.c.
 *
 * The caller holds the file system's lock, and marks the inode to be written: its own table of
 * pointers and its count of blocks change here.
 */
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

/* Where the next block of the file should be: behind the one before it. Of a new file's first one:
 * in the group that its inode is in. */
static u32 goal_of(struct inode *inode, const u32 *entry, u32 index)
{
    const struct ext2_geometry *g = &ext2_of(inode->super)->g;
    while (index--)
        if (entry[index])
            return entry[index] + 1;
    return g->first_data_block + (inode->ino - 1) / g->inodes_per_group * g->blocks_per_group + 1;
}

/*
 * A new table is all zeroes, a new block of a directory one entry that is free. Either is on the
 * disk before anything names it: what stood there may be any file's bytes, and if the power fails
 * e2fsck would take them for the numbers of blocks, and give the file up.
 */
static int make_metadata(struct inode *inode, u32 block, bool table)
{
    struct ext2_buf b;
    int error = ext2_buf_new(inode->super, block, &b);
    if (error)
        return error;
    if (!table)
        ((struct ext2_dir_entry_2 *)b.data)->rec_len = (u16)inode->super->block_size;
    ext2_buf_write(inode->super, &b);
    ext2_buf_put(&b);
    return 0;
}

/* A block for *entry: a table, or the file's own. */
static int add_block(struct inode *inode, u32 goal, bool table, u32 *entry)
{
    u32 block;
    int error = ext2_block_alloc(inode, goal, &block);
    if (error)
        return error;
    if (table || S_TYPE(inode->mode) == S_DIR)
        error = make_metadata(inode, block, table);
    if (error)
        ext2_blocks_free(inode, block, 1);
    else
        *entry = block;
    return error;
}

/* A table that was made for a block that then did not come stays: it is all holes, and goes when
 * the file does. */
int ext2_map_new(struct inode *inode, u32 file_block, u32 *disk_block, bool *fresh)
{
    struct super *s = inode->super;
    const struct ext2_geometry *g = &ext2_of(s)->g;
    struct ext2_path path = ext2_path(g->block_shift, file_block);
    u32 *table = ext2_info(inode)->block, above = 0;
    struct ext2_buf b = {0};
    int error = path.depth ? 0 : -EFBIG;

    *fresh = false;
    for (u32 level = 0; level < path.depth && !error; level++) {
        u32 *entry = &table[path.index[level]];
        bool last = level == path.depth - 1;
        if (!*entry) {
            u32 goal =
                path.index[level] || !above ? goal_of(inode, table, path.index[level]) : above + 1;
            error = add_block(inode, goal, !last, entry);
            if (!error && level)
                ext2_buf_dirty(s, &b);
            if (!error && last)
                *fresh = true;
        }
        if (!error && !ext2_blocks_valid(g, *entry, 1))
            error = ext2_damaged(s, "inode %u names block %u for its block %u", inode->ino, *entry,
                                 file_block);
        *disk_block = above = *entry;
        if (level)
            ext2_buf_put(&b);
        if (error || last)
            break;
        error = ext2_buf_read(s, above, &b);
        table = b.data;
    }
    return error;
}

/* A data block that was just given to the file is taken back. The tables above it stay. */
int ext2_unmap(struct inode *inode, u32 file_block)
{
    struct super *s = inode->super;
    struct ext2_path path = ext2_path(ext2_of(s)->g.block_shift, file_block);
    u32 *table = ext2_info(inode)->block;
    struct ext2_buf b = {0};
    for (u32 level = 0; level < path.depth; level++) {
        u32 *entry = &table[path.index[level]], block = *entry;
        bool last = level == path.depth - 1;
        if (last) {
            *entry = 0;
            if (level)
                ext2_buf_dirty(s, &b);
        }
        if (level)
            ext2_buf_put(&b);
        if (last)
            return ext2_blocks_free(inode, block, 1);
        int error = ext2_buf_read(s, block, &b);
        if (error)
            return error;
        table = b.data;
    }
    return -EIO;
}

/* ---- getting shorter ---- */

/* Frees entries [from, count) of a table of data blocks, runs at a time. */
static int free_data(struct inode *inode, u32 *entry, u32 from, u32 count)
{
    int error = 0;
    for (u32 i = from, n; i < count; i += n) {
        n = 1;
        if (!entry[i])
            continue;
        while (i + n < count && entry[i + n] == entry[i] + n)
            n++;
        for (u32 k = 0; k < n && S_TYPE(inode->mode) != S_REG; k++)
            ext2_forget(inode->super, entry[i] + k); /* of a directory: it was metadata */
        int e = ext2_blocks_free(inode, entry[i], n);
        error = error ? error : e;
        memset(entry + i, 0, n * sizeof(*entry));
    }
    return error;
}

/*
 * Frees what *entry leads to from block `keep` of its range on: *entry is a data block (depth 0),
 * or a table over `depth` levels. With nothing kept, the table goes too. What is damaged is told,
 * and left where it is.
 */
static int free_branch(struct inode *inode, u32 *entry, u32 depth, u64 keep)
{
    struct super *s = inode->super;
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u32 bits = g->block_shift - 2, count = 1u << bits;
    struct ext2_buf b;
    if (!*entry)
        return 0;
    if (!ext2_blocks_valid(g, *entry, 1))
        return ext2_damaged(s, "inode %u names block %u", inode->ino, *entry);
    int error = ext2_buf_read(s, *entry, &b);
    if (error)
        return error;
    u32 *table = b.data;
    if (depth == 1) {
        error = free_data(inode, table, (u32)MIN(keep, (u64)count), count);
    } else {
        u32 shift = bits * (depth - 1); /* blocks below one entry, as a shift */
        for (u32 i = (u32)(keep >> shift); i < count; i++) {
            u64 start = (u64)i << shift;
            int e = free_branch(inode, &table[i], depth - 1, keep > start ? keep - start : 0);
            error = error ? error : e;
        }
    }
    if (keep) {
        ext2_buf_dirty(s, &b);
        ext2_buf_put(&b);
        return error;
    }
    ext2_buf_put(&b);
    ext2_forget(s, *entry);
    int e = ext2_blocks_free(inode, *entry, 1);
    *entry = 0;
    return error ? error : e;
}

int ext2_tree_cut(struct inode *inode, u32 keep_blocks)
{
    u32 *block = ext2_info(inode)->block;
    u32 bits = ext2_of(inode->super)->g.block_shift - 2;
    u64 start = EXT2_NDIR_BLOCKS;
    ext2_window_close(inode);
    int error = 0;
    if (keep_blocks < EXT2_NDIR_BLOCKS)
        error = free_data(inode, block, keep_blocks, EXT2_NDIR_BLOCKS);
    for (u32 depth = 1; depth <= 3; depth++) {
        u64 below = 1ull << bits * depth;
        if (keep_blocks < start + below) {
            int e = free_branch(inode, &block[EXT2_IND_BLOCK + depth - 1], depth,
                                keep_blocks > start ? keep_blocks - start : 0);
            error = error ? error : e;
        }
        start += below;
    }
    return error;
}
