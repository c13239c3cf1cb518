/*
 * A file's blocks: where they are on the disk, and how pages are filled from them.
 *
 * Every pointer is checked against the file system's size before it is followed, so a damaged
 * tree leads to -EIO and nowhere else. The tables are metadata and come through the page cache of
 * the device; the data goes into the pages of the file's own mapping.
 */
#include "kernel/cache/writeback.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/ledger/copy.h"

int ext2_read_block(struct super *s, u32 block, struct page **page, const void **data)
{
    struct ext2 *fs = ext2_of(s);
    u64 pos = (u64)block << fs->g.block_shift; /* a block never crosses a page */
    int error = cache_read(fs->metadata, (u32)(pos >> PAGE_SHIFT), 1, NULL, page, NULL);
    if (error)
        return error == -ENXIO ? -EIO : error;
    *data = (char *)page_virt(*page) + (u32)pos % PAGE_SIZE;
    return 0;
}

/* How many of the entries continue the first: each one more than the last, or all zero. */
static u32 run_length(const u32 *entry, u32 max)
{
    u32 n = 1;
    while (n < max && entry[n] == (entry[0] ? entry[0] + n : 0))
        n++;
    return n;
}

int ext2_map(struct inode *inode, u32 file_block, u32 want, struct ext2_extent *e)
{
    struct super *s = inode->super;
    const struct ext2_geometry *g = &ext2_of(s)->g;
    struct ext2_path path = ext2_path(g->block_shift, file_block);
    u32 max = MIN(want, path.left);
    const void *table = ext2_info(inode)->block;
    struct page *page = NULL;

    if (path.depth == 0)
        return -EIO;
    *e = (struct ext2_extent){.file_block = file_block, .count = max};
    for (u32 level = 0;; level++) {
        const u32 *entry = (const u32 *)table + path.index[level];
        u32 block = *entry;
        bool last = level == path.depth - 1;
        if (last)
            e->count = run_length(entry, max);
        if (page)
            page_put(page, HOLD_USE);
        if (block == 0) /* of a table: everything below it is a hole */
            return 0;
        if (!ext2_blocks_valid(g, block, 1))
            return ext2_damaged(s, "inode %u names block %u for its block %u", inode->ino, block,
                                file_block);
        if (last) {
            e->disk_block = block;
            e->count = MIN(e->count, g->blocks - block);
            return 0;
        }
        int error = ext2_read_block(s, block, &page, &table);
        if (error)
            return error;
    }
}

static int ext2_locate(struct mapping *m, u64 pos, u32 len, struct disk_run *run)
{
    struct inode *inode = m->host;
    u32 shift = ext2_of(inode->super)->g.block_shift, skip = (u32)pos & ((1u << shift) - 1);
    struct ext2_extent e;
    int error = ext2_map(inode, (u32)(pos >> shift), (skip + len + (1u << shift) - 1) >> shift, &e);
    if (error)
        return error;
    *run = (struct disk_run){.device = inode->super->device,
                             .lba = (((u64)e.disk_block << shift) + skip) >> SECTOR_SHIFT,
                             .len = MIN(len, (e.count << shift) - skip),
                             .hole = !e.disk_block};
    return 0;
}

/* The bytes of a hole that lie inside the file count as moved: the CPU writes them. */
static void fill_hole(const struct inode *inode, struct page *page, u32 offset, u32 len)
{
    u64 pos = ((u64)page->index << PAGE_SHIFT) + offset;
    len = (u32)MIN((u64)len, inode->size - pos);
    copy_zeroes(EDGE_ZERO_CACHE, (struct frag){page, offset, len});
}

/* One page, up to the file's last block. `e` is the extent last looked up, and stays so from page
 * to page; the page takes from it in pieces as long as possible. */
static int read_page(struct inode *inode, struct page *page, u32 end_block, struct ext2_extent *e,
                     struct cache_gather *g)
{
    u32 shift = ext2_of(inode->super)->g.block_shift;
    u32 first = page->index << (PAGE_SHIFT - shift);
    u32 end = MIN(first + (PAGE_SIZE >> shift), end_block);
    for (u32 block = first, n; block < end; block += n) {
        if (block - e->file_block >= e->count) {
            int error = ext2_map(inode, block, end_block - block, e);
            if (error) {
                e->count = 0;
                return error;
            }
        }
        u32 skip = block - e->file_block;
        n = MIN(e->count - skip, end - block);
        u32 offset = (block - first) << shift, len = n << shift;
        if (e->disk_block == 0) {
            fill_hole(inode, page, offset, len);
            continue;
        }
        u64 lba = (u64)(e->disk_block + skip) << shift >> SECTOR_SHIFT;
        int error = cache_gather(g, lba, page, offset, len);
        if (error)
            return error;
    }
    return 0;
}

/* What lies behind the file's last block is left to the cache. */
static void ext2_read_pages(struct mapping *m, struct page **pages, u32 nr)
{
    struct inode *inode = m->host;
    u32 shift = ext2_of(inode->super)->g.block_shift;
    u32 pieces = 1u << (PAGE_SHIFT - shift);
    u64 file_blocks = (inode->size + (1u << shift) - 1) >> shift;
    u64 run_end = ((u64)pages[0]->index + nr) << (PAGE_SHIFT - shift);
    u32 end_block = (u32)MIN(file_blocks, run_end);
    struct cache_gather g = {.device = inode->super->device, .max_frags = nr * pieces};
    struct ext2_extent e = {0};
    for (u32 i = 0; i < nr; i++)
        cache_page_done(pages[i], read_page(inode, pages[i], end_block, &e, &g));
    cache_gather_end(&g);
}

const struct mapping_ops ext2_mapping_ops = {
    .read_pages = ext2_read_pages,
    .prepare_write = ext2_prepare_write,
    .write_pages = ext2_write_pages,
    .trim = ext2_trim,
    .locate = ext2_locate,
    .dirtied = writeback_dirtied,
};
