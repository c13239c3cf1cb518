/*
 * The metadata of a block device: a mapping as long as the device, page n of it being the bytes
 * from n * 4096 on. File systems read superblocks, inode tables and directories through it.
 */
#include "drivers/block.h"
#include "kernel/cache/cache.h"
#include "kernel/mm/heap.h"

#define SECTORS_PER_PAGE (PAGE_SIZE / SECTOR_SIZE)

/* The last page may be a part only. */
static void device_read_pages(struct mapping *m, struct page **run, u32 nr)
{
    struct cache_gather g = {.device = m->host, .max_frags = nr};
    for (u32 i = 0; i < nr; i++) {
        u64 lba = (u64)run[i]->index * SECTORS_PER_PAGE;
        u64 left = g.device->nr_sectors - lba;
        u32 len = (u32)MIN((u64)SECTORS_PER_PAGE, left) * SECTOR_SIZE;
        cache_page_done(run[i], cache_gather(&g, lba, run[i], 0, len));
    }
    cache_gather_end(&g);
}

static const struct mapping_ops device_mapping_ops = {.read_pages = device_read_pages};

struct mapping *block_mapping(struct block_device *d)
{
    if (!d->metadata) {
        struct mapping *m = kzalloc(sizeof(*m));
        if (!m)
            return NULL;
        m->ops = &device_mapping_ops;
        m->host = d;
        m->size = d->nr_sectors * SECTOR_SIZE;
        m->is_metadata = true;
        d->metadata = m;
    }
    return d->metadata;
}
