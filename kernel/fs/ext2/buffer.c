/*
 * Blocks of metadata in memory: bitmaps, descriptors, inode tables, tables of pointers,
 * directories.
 *
 * They are bytes of the device's own mapping (block_mapping), found in the page cache like any
 * file's. A block may be smaller than a page, and its neighbours in the page may be anything, a
 * file's data too, whose truth is in that file's mapping; so what is dirty is known by sectors,
 * and only these are written.
 */
#include "kernel/cache/writeback.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

int ext2_buf_read(struct super *s, u32 block, struct ext2_buf *b)
{
    const void *data;
    int error = ext2_read_block(s, block, &b->page, &data);
    b->data = (void *)data;
    b->block = block;
    return error;
}

int ext2_buf_new(struct super *s, u32 block, struct ext2_buf *b)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u64 pos = (u64)block << g->block_shift;
    int error = cache_get_new(ext2_of(s)->metadata, (u32)(pos >> PAGE_SHIFT), (u32)pos % PAGE_SIZE,
                              g->block_size, &b->page);
    if (error)
        return error;
    b->data = (char *)page_virt(b->page) + (u32)pos % PAGE_SIZE;
    b->block = block;
    memset(b->data, 0, g->block_size);
    ext2_buf_dirty(s, b);
    return 0;
}

void ext2_buf_dirty(struct super *s, struct ext2_buf *b)
{
    u32 offset = (u32)((char *)b->data - (char *)page_virt(b->page));
    cache_dirty_bytes(b->page, offset, ext2_of(s)->g.block_size);
}

void ext2_buf_write(struct super *s, struct ext2_buf *b)
{
    cache_start_writing(ext2_of(s)->metadata, b->page->index, b->page->index + 1);
    cache_wait_written(b->page);
    (void)block_flush(s->device);
}

void ext2_buf_put(struct ext2_buf *b)
{
    page_put(b->page, HOLD_USE);
}

void ext2_forget(struct super *s, u32 block)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u64 pos = (u64)block << g->block_shift;
    cache_forget_bytes(ext2_of(s)->metadata, (u32)(pos >> PAGE_SHIFT), (u32)pos % PAGE_SIZE,
                       g->block_size);
}
