/*
 * Keeping the cache true to a disk that is read or written past it (kernel/paths/direct.c).
 *
 * Before the disk is read past the cache, what is dirty of the range goes to the disk; after it has
 * been written past the cache, what the cache has of the range is no longer so, and goes. A
 * program that has such a page in its page table loses the entry, and its next touch brings the
 * page anew. A page that somebody writes to at the same moment stays, and is the later writer's:
 * who writes the same bytes in two ways at once gets one of them.
 */
#include "kernel/cache/pages.h"
#include "kernel/cache/writeback.h"
#include "kernel/paths/paths.h"

int cache_flush_range(struct mapping *m, u32 first, u32 end)
{
    if (!m->nr_dirty && !m->nr_writeback)
        return 0;
    return cache_write_out(m, first, end); /* an error stays, for fsync */
}

void cache_invalidate(struct mapping *m, u32 first, u32 end)
{
    for (u32 index = first; m->nr_pages && index < end; index++) {
        struct page *page = cache_lookup(m, index);
        if (!page)
            continue;
        page_get(page, HOLD_USE);
        page_wait(page);
        cache_wait_written(page);
        if (page->mapping == m && !(page->flags & PG_DIRTY)) {
            if (page->refs > 2) /* beside the cache and us: programs' page tables, perhaps */
                mmap_unmap_page(m, index);
            cache_drop_page(page);
        }
        page_put(page, HOLD_USE);
    }
}
