/* What the frames are used for. See usage.h. */
#include "kernel/mm/usage.h"
#include "drivers/block.h"
#include "kernel/mm/swap.h"

static bool is_block_mapping(const struct mapping *m)
{
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        if (d->metadata == m)
            return true;
    return false;
}

struct memory_usage memory_usage(void)
{
    struct memory_usage n = {0};
    for (u32 i = 0; i < nr_frames; i++) {
        const struct page *p = &pages[i];
        if (p->kind == PAGE_ANON)
            n.anonymous++;
        if (p->kind != PAGE_CACHE)
            continue;
        if (is_swap_page(p)) { /* a program's own: what no entry names shows as SwapCached alone */
            n.anonymous += p->refs > 1;
            continue;
        }
        if (p->mapping && p->mapping->is_metadata && is_block_mapping(p->mapping)) {
            n.buffers++;
        } else {
            n.cached++;
            n.shared += p->mapping && p->mapping->in_ram;
        }
        n.dirty += p->flags & PG_DIRTY && p->mapping && !p->mapping->in_ram;
        n.mapped += p->refs > 1;
    }
    return n;
}
