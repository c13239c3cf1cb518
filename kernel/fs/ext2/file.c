/*
 * A regular file, written: blocks are taken when bytes are written into the cache (so that a full
 * disk is told to the writer, not found out later), and the pages go to the disk by write-back.
 */
#include "kernel/cache/writeback.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

#define MAX_PIECES (PAGE_SIZE / EXT2_MIN_BLOCK_SIZE)

/* Takes the blocks [first, last] that are holes, all of them or none: a block that is new holds
 * rubbish, and nobody would write it. Under the lock. */
static int fill_holes(struct inode *inode, u32 first, u32 last)
{
    u32 taken[MAX_PIECES], nr = 0;
    int error = 0;
    for (u32 block = first; block <= last && !error; block++) {
        u32 disk_block;
        bool fresh;
        error = ext2_map_new(inode, block, &disk_block, &fresh);
        if (!error && fresh)
            taken[nr++] = block;
    }
    while (error && nr)
        (void)ext2_unmap(inode, taken[--nr]); /* fails only if the disk does: told already */
    inode->dirty = inode->resized = true;
    return error;
}

/* A page that is written through a mapping lies inside the file, which may get shorter while we
 * wait for the lock: behind its end then, nobody would free what is taken. (write(2) holds the
 * inode.) */
static int take_blocks(struct inode *inode, u64 start, u32 len, u32 first, u32 last)
{
    u32 shift = ext2_of(inode->super)->g.block_shift;
    bool inside = start + len <= inode->size;
    int error = ext2_change_begin(inode->super);
    if (error)
        return error;
    if (inside && inode->size < start + len)
        last = inode->size ? (u32)MIN((u64)last, (inode->size - 1) >> shift) : 0;
    error = inside && inode->size <= (u64)first << shift ? 0 : fill_holes(inode, first, last);
    ext2_unlock(inode->super);
    return error;
}

/* Blocks are never more than a page's. */
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
    struct ext2_extent e;
    for (u32 block = (u32)first; block <= last; block += e.count) {
        int error = ext2_map(inode, block, (u32)last - block + 1, &e);
        if (error)
            return error;
        if (!e.disk_block)
            return take_blocks(inode, start, len, block, (u32)last);
    } /* the common case: all is there, and no lock was needed */
    return 0;
}

/* The page's blocks up to the file's end; one that is still a hole holds nothing but zeroes. What
 * programs may have written behind the end, through a mapping, does not go to the disk. */
static int write_page(struct inode *inode, struct page *page, u64 end_block, struct ext2_extent *e,
                      struct cache_gather *g)
{
    u64 start = (u64)page->index << PAGE_SHIFT;
    if (inode->size > start && inode->size - start < PAGE_SIZE) {
        u32 inside = (u32)(inode->size - start);
        if (inode->locked) /* what lies behind may be on its way in: once more, then */
            cache_redirty(page);
        else
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
        cache_page_started(pages[i], write_page(inode, pages[i], end_block, &e, &g));
    cache_gather_end(&g);
}

/* Frees the blocks behind the size. The table of inodes learns of it before anybody else gets one
 * of them, and whoever then has his file brought to the disk takes that along: no inode there names
 * the block of another. */
static int cut(struct inode *inode)
{
    struct super *s = inode->super;
    u32 shift = ext2_of(s)->g.block_shift;
    int error = ext2_change_begin(s);
    if (error)
        return error;
    error = ext2_tree_cut(inode, (u32)((inode->size + (1u << shift) - 1) >> shift));
    int e = ext2_write_inode(inode);
    ext2_unlock(s);
    return error ? error : e;
}

/* A write that failed may have taken blocks behind the end. */
void ext2_trim(struct mapping *m)
{
    (void)cut(m->host);
}

int ext2_update(struct inode *inode)
{
    inode->dirty = true;
    return 0;
}

int ext2_resize(struct inode *inode, u64 size)
{
    u32 shift = ext2_of(inode->super)->g.block_shift;
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
    if (tail) {
        cache_wait_written(tail); /* with blocks that go now */
        page_put(tail, HOLD_USE);
    }
    if (!error && shorter)
        error = cut(inode);
    inode->dirty = inode->resized = true;
    return error;
}
