/*
 * What programs say about the use of a file that is still to come: posix_fadvise(2), madvise(2),
 * readahead(2). Whether they read in order is in their struct readahead; here is what concerns the
 * pages themselves.
 */
#include "kernel/cache/pages.h"
#include "kernel/cache/writeback.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"

void cache_will_need(struct mapping *m, u32 first, u32 end)
{
    u64 file_pages = DIV_ROUND_UP(m->size, PAGE_SIZE);
    if (m->in_ram || !m->ops || !m->ops->read_pages)
        return;
    end = (u32)MIN((u64)end, file_pages);
    if (first < end)
        end = MIN(end, first + total_frames / 4); /* the rest would push out the beginning */
    while (first < end) {
        struct readahead_plan plan = {first, MIN(end - first, READAHEAD_MAX_PAGES),
                                      READAHEAD_NO_MARK};
        struct page *page = cache_fill(m, plan);
        if (!page)
            return;
        page_put(page, HOLD_USE);
        first += plan.count;
    }
}

/* What is dirty is on its way when this returns, and stays in the cache: who wants it gone calls
 * fsync first, as on Linux. So do pages that a program has mapped. */
void cache_dont_need(struct mapping *m, u32 first, u32 end)
{
    if (m->in_ram || !m->ops || !m->ops->read_pages)
        return;
    if (m->nr_dirty)
        cache_start_writing(m, first, end);
    if (first < end)
        cache_drop_clean_of(m, first, end);
}

bool cache_in_use(const struct mapping *m, u32 index)
{
    const struct page *page = cache_lookup(m, index);
    return page && page->flags & PG_REFERENCED;
}

void cache_not_used(const struct mapping *m, u32 index)
{
    struct page *page = cache_lookup(m, index);
    if (!page)
        return;
    u32 flags = irq_save(); /* completion of a write changes flags too */
    page->flags &= (u8)~PG_REFERENCED;
    irq_restore(flags);
}
