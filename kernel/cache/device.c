/*
 * The metadata of a block device: a mapping as long as the device, page n of it being the bytes
 * from n * 4096 on. File systems read superblocks, inode tables and directories through it.
 */
#include "drivers/block.h"
#include "kernel/cache/cache.h"
#include "kernel/cache/writeback.h"
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

/* Only what was changed: beside it in the page may lie what belongs to a file. */
static int write_sectors(struct cache_gather *g, struct page *page)
{
    u32 mask = page->dirty_sectors;
    page->dirty_sectors = 0;
    for (u32 first = 0, n; first < SECTORS_PER_PAGE; first += n) {
        for (n = 1;
             first + n < SECTORS_PER_PAGE && (mask >> first & 1) == (mask >> (first + n) & 1); n++)
            ;
        if (!(mask >> first & 1))
            continue;
        u64 lba = (u64)page->index * SECTORS_PER_PAGE + first;
        int error = cache_gather(g, lba, page, first * SECTOR_SIZE, n * SECTOR_SIZE);
        if (error) {
            page->dirty_sectors |= mask;
            return error;
        }
    }
    return 0;
}

static void device_write_pages(struct mapping *m, struct page **run, u32 nr)
{
    struct cache_gather g = {
        .device = m->host, .max_frags = nr * SECTORS_PER_PAGE / 2, .write = true};
    for (u32 i = 0; i < nr; i++)
        cache_page_started(run[i], write_sectors(&g, run[i]));
    cache_gather_end(&g);
}

/* Every byte of a device has its place already. */
static int device_prepare_write(struct mapping *m, u32 index, u32 offset, u32 len)
{
    return 0;
}

static int device_locate(struct mapping *m, u64 pos, u32 len, struct disk_run *run)
{
    *run = (struct disk_run){.device = m->host, .lba = pos >> SECTOR_SHIFT, .len = len};
    return 0;
}

static const struct mapping_ops device_mapping_ops = {
    .read_pages = device_read_pages,
    .prepare_write = device_prepare_write,
    .write_pages = device_write_pages,
    .locate = device_locate,
    .dirtied = writeback_dirtied,
};

static struct mapping *made(struct block_device *d, struct mapping **place, bool is_buffer)
{
    struct mapping *m = *place ? NULL : kzalloc(sizeof(*m));
    if (m) {
        m->ops = &device_mapping_ops;
        m->host = d;
        m->size = d->nr_sectors * SECTOR_SIZE;
        m->errors_above = &d->errors;
        m->is_metadata = true;
        m->is_buffer = is_buffer;
        *place = m;
    }
    return *place;
}

struct mapping *block_mapping(struct block_device *d)
{
    return made(d, &d->metadata, false);
}

struct mapping *block_buffers(struct block_device *d)
{
    return made(d, &d->buffers, true);
}

void block_mapping_free(struct block_device *d)
{
    struct mapping *gone[] = {d->metadata, d->buffers};
    d->metadata = d->buffers = NULL;
    for (u32 i = 0; i < ARRAY_LEN(gone); i++) {
        if (gone[i])
            cache_truncate(gone[i]);
        kfree(gone[i]);
    }
}
