/*
 * A regular file, written: blocks are taken when bytes are written into the cache (so that a full
 * disk is told to the writer, not found out later), and the pages go to the disk by write-back.
 */
#include "kernel/cache/writeback.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

/* A block that was a hole has nothing to be read: the pages around it know that it is zero. */
int ext2_prepare_write(struct mapping *m, u32 index, u32 offset, u32 len)
{
    struct inode *inode = m->host;
    struct super *s = inode->super;
    u32 shift = ext2_of(s)->g.block_shift;
    u64 start = ((u64)index << PAGE_SHIFT) + offset;
    u64 first = start >> shift, last = (start + len - 1) >> shift;
    if (s->flags & SUPER_READ_ONLY)
        return -EROFS;
    if (last >= ext2_max_blocks(shift))
        return -EFBIG;
    int error = 0;
    for (u32 block = (u32)first; block <= last && !error;) {
        struct ext2_extent e;
        error = ext2_map(inode, block, (u32)last - block + 1, &e);
        if (!error && e.disk_block) { /* the common case: no lock */
            block += e.count;
            continue;
        }
        u32 disk_block;
        bool fresh;
        ext2_lock(s);
        if (!error)
            error = ext2_map_new(inode, block, &disk_block, &fresh);
        inode->dirty = true;
        ext2_unlock(s);
        block++;
    }
    return error;
}

/* The page's blocks up to the file's end; one that is still a hole holds nothing but zeroes. What
 * programs may have written behind the end, through a mapping, does not go to the disk. */
static int write_page(struct inode *inode, struct page *page, u64 end_block, struct ext2_extent *e,
                      struct cache_gather *g)
{
    u64 start = (u64)page->index << PAGE_SHIFT;
    if (inode->size > start && inode->size - start < PAGE_SIZE) {
        u32 inside = (u32)(inode->size - start);
        memset((char *)page_virt(page) + inside, 0, PAGE_SIZE - inside);
    }
    u32 shift = ext2_of(inode->super)->g.block_shift;
    u64 first = (u64)page->index << (PAGE_SHIFT - shift);
    u64 end = MIN(first + (PAGE_SIZE >> shift), end_block);
    for (u64 block = first; block < end;) {
        if (block - e->file_block >= e->count) {
            int error = ext2_map(inode, (u32)block, (u32)(end_block - block), e);
            if (error) {
                e->count = 0;
                return error;
            }
        }
        u32 skip = (u32)block - e->file_block;
        u32 n = MIN(e->count - skip, (u32)(end - block));
        if (e->disk_block) {
            u64 lba = (u64)(e->disk_block + skip) << shift >> SECTOR_SHIFT;
            int error = cache_gather(g, lba, page, (u32)(block - first) << shift, n << shift);
            if (error)
                return error;
        }
        block += n;
    }
    return 0;
}

void ext2_write_pages(struct mapping *m, struct page **pages, u32 nr)
{
    struct inode *inode = m->host;
    u32 shift = ext2_of(inode->super)->g.block_shift;
    u64 end_block = (inode->size + (1u << shift) - 1) >> shift;
    u32 pieces = 1u << (PAGE_SHIFT - shift);
    struct cache_gather g = {
        .device = inode->super->device, .max_frags = nr * pieces, .write = true};
    struct ext2_extent e = {0};
    for (u32 i = 0; i < nr; i++)
        cache_page_written(pages[i], write_page(inode, pages[i], end_block, &e, &g));
    cache_gather_end(&g);
}

/* A write that failed may have taken blocks behind the end. */
void ext2_trim(struct mapping *m)
{
    struct inode *inode = m->host;
    struct super *s = inode->super;
    u32 shift = ext2_of(s)->g.block_shift;
    ext2_lock(s);
    ext2_tree_cut(inode, (u32)((inode->size + (1u << shift) - 1) >> shift));
    inode->dirty = true;
    ext2_unlock(s);
}

int ext2_update(struct inode *inode)
{
    inode->dirty = true;
    return 0;
}

int ext2_resize(struct inode *inode, u64 size)
{
    struct super *s = inode->super;
    u32 shift = ext2_of(s)->g.block_shift;
    bool shorter = size < inode->size;
    if (size > ext2_max_blocks(shift) << shift)
        return -EFBIG;
    struct page *tail =
        NULL; /* what is cut off of it must become zero: it is brought in for that */
    int error = 0;
    if (shorter && size % PAGE_SIZE) {
        error = cache_read(&inode->mapping, size >> PAGE_SHIFT, 1, NULL, &tail, NULL);
        if (error)
            return error;
    }
    error = cache_file_resize(inode, size);
    if (tail)
        page_put(tail, HOLD_USE);
    if (!error && shorter) {
        ext2_lock(s);
        error = ext2_tree_cut(inode, (u32)((size + (1u << shift) - 1) >> shift));
        ext2_unlock(s);
    }
    inode->dirty = true;
    return error;
}
