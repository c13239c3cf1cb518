/*
 * Writing into the page cache: bytes of files by write(2) and through mappings, and metadata.
 *
 * Room on the disk is taken (prepare_write) when the page is safely in the cache, and its bytes are
 * known: a block that is new on the disk holds rubbish, which nobody may ever read.
 */
#include "kernel/cache/cache.h"
#include "kernel/cache/pages.h"
#include "kernel/cache/writeback.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/shmem.h"
#include "kernel/paths/paths.h"

/* The sectors that hold any of these bytes of a page. */
static u8 sectors_of(u32 offset, u32 len)
{
    u32 first = offset / 512, end = DIV_ROUND_UP(offset + len, 512);
    return (u8)((1u << end) - (1u << first));
}

/* A page that is not there need not be read when all of it is written, or when it lies behind the
 * end. */
static bool old_bytes_matter(const struct mapping *m, u32 index, u32 len)
{
    return len < PAGE_SIZE && (u64)index << PAGE_SHIFT < m->size;
}

static int prepare(struct mapping *m, u32 index, u32 offset, u32 len)
{
    return m->ops->prepare_write ? m->ops->prepare_write(m, index, offset, len) : -EROFS;
}

int cache_write_begin(struct mapping *m, u32 index, u32 offset, u32 len, struct cache_write *w)
{
    *w = (struct cache_write){.mapping = m, .index = index, .offset = offset, .len = len};
    if (cache_lookup(m, index) || shmem_is_out(m, index) || old_bytes_matter(m, index, len)) {
        int error = cache_read(m, index, 1, NULL, &w->page, NULL);
        if (!error && (error = prepare(m, index, offset, len)))
            page_put(w->page, HOLD_USE);
        if (error != -ENXIO) /* it lies behind the end, and has gone while we waited for it */
            return error;
    }
    w->fresh = true;
    frames_refill();
    do
        w->page = page_alloc(PAGE_CACHE, HOLD_USE);
    while (!w->page && frames_wait());
    if (!w->page)
        return -ENOMEM;
    /* Before the new bytes the file has a hole now; behind them it ends. */
    if (offset)
        copy_zeroes(EDGE_ZERO_CACHE, (struct frag){w->page, 0, offset});
    memset((char *)page_virt(w->page) + offset + len, 0, PAGE_SIZE - offset - len);
    return 0;
}

/* Puts a page that was filled in private into the cache. 1; 0: there is no place for it, or not
 * enough of it; or a negative errno. While room is taken for it, it is locked. */
static int insert_fresh(const struct cache_write *w, u32 copied)
{
    struct mapping *m = w->mapping;
    struct page *page = w->page;
    bool behind_end = (u64)w->index << PAGE_SHIFT >= m->size;
    if (!copied || cache_lookup(m, w->index) || shmem_is_out(m, w->index))
        return 0;
    if (!behind_end && copied < PAGE_SIZE) /* then its old bytes do matter */
        return 0;
    memset((char *)page_virt(page) + w->offset + copied, 0, w->len - copied);
    page->flags = PG_LOCKED;
    page_get(page, HOLD_CACHE);
    cache_insert(m, w->index, page);
    int error = prepare(m, w->index, w->offset, copied);
    if (!error)
        page->flags |= PG_UPTODATE;
    cache_unlock_page(page);
    if (error)
        cache_drop_page(page);
    return error ? error : 1;
}

/* A page that was written in place is dirty even if nothing could be copied: there may be new
 * blocks behind it now, which hold rubbish until it is written. */
int cache_write_end(struct cache_write *w, u32 copied)
{
    int done = w->fresh ? insert_fresh(w, copied) : w->page->mapping == w->mapping;
    if (done > 0 && w->mapping->is_metadata)
        w->page->dirty_sectors |= sectors_of(w->offset, copied);
    if (done > 0)
        cache_set_dirty(w->mapping, w->page);
    page_put(w->page, HOLD_USE);
    return done <= 0 ? done : (int)copied;
}

int cache_make_dirty(struct mapping *m, struct page *page)
{
    if ((page->flags & PG_DIRTY) && m->in_ram)
        return page->mapping == m ? 0 : -ENXIO;
    u64 start = (u64)page->index << PAGE_SHIFT;
    if (page->mapping != m || start >= m->size)
        return -ENXIO;
    int error = prepare(m, page->index, 0, (u32)MIN((u64)PAGE_SIZE, m->size - start));
    if (!error && page->mapping != m)
        error = -ENXIO;
    if (!error)
        cache_set_dirty(m, page);
    return error;
}

/* ---- metadata ---- */

int cache_get_new(struct mapping *m, u32 index, u32 offset, u32 len, struct page **page)
{
    struct cache_write w;
    if (len < PAGE_SIZE || cache_lookup(m, index))
        return cache_read(m, index, 1, NULL, page, NULL);
    int error = cache_write_begin(m, index, offset, len, &w);
    if (error)
        return error;
    *page = w.page;
    page_get(w.page, HOLD_USE); /* beyond cache_write_end */
    int done = cache_write_end(&w, len);
    if (done > 0)
        return 0;
    page_put(*page, HOLD_USE);
    return done ? done : cache_read(m, index, 1, NULL, page, NULL);
}

void cache_dirty_bytes(struct page *page, u32 offset, u32 len)
{
    page->dirty_sectors |= sectors_of(offset, len);
    cache_set_dirty(page->mapping, page);
}

void cache_forget_bytes(struct mapping *m, u32 index, u32 offset, u32 len)
{
    struct page *page = cache_lookup(m, index);
    if (!page)
        return;
    page_get(page, HOLD_USE);
    cache_wait_written(page);
    page->dirty_sectors &= (u8)~sectors_of(offset, len);
    if (page->mapping && !page->dirty_sectors)
        cache_clear_dirty(page);
    page_put(page, HOLD_USE);
}

/* ---- zeroes ---- */

void cache_zero(struct mapping *m, u32 index, u32 offset, u32 len)
{
    if (len && shmem_is_out(m, index))
        (void)shmem_in(m, index, NULL); /* or nobody can read it: that is told then */
    struct page *page = cache_lookup(m, index);
    if (!page || !len)
        return;
    page_get(page, HOLD_USE);
    page_wait(page);
    if (page->mapping == m && (page->flags & PG_UPTODATE)) { /* else it could not be read */
        copy_zeroes(EDGE_ZERO_CACHE, (struct frag){page, offset, len});
        if (m->ops->write_pages)
            cache_set_dirty(m, page);
    }
    page_put(page, HOLD_USE);
}

void cache_zero_gap(struct mapping *m, u64 end)
{
    u32 offset = (u32)m->size % PAGE_SIZE;
    if (offset && end > m->size) {
        /* Programs that can write to the page have room as far as the file reached. */
        const struct page *page = cache_lookup(m, m->size >> PAGE_SHIFT);
        if (page && page->refs > 1)
            mmap_protect_page(m, page->index);
        cache_zero(m, m->size >> PAGE_SHIFT, offset,
                   (u32)MIN((u64)(PAGE_SIZE - offset), end - m->size));
    }
}
