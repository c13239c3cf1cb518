/*
 * Partitions: what a disk's first sector says of them (mbr.c), as block devices of their own.
 *
 * They are found when the disk is, and again when a program that has changed the table asks for it
 * (BLKRRPART).
 */
#include "drivers/block.h"
#include "drivers/mbr.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

static int read_first_sector(struct block_device *d, struct page *page)
{
    struct block_request *r = request_new(d, 1);
    if (!r)
        return -ENOMEM;
    request_add(r, (struct frag){page, 0, SECTOR_SIZE});
    int error = block_submit_wait(r);
    if (!error)
        ledger_add_apart(r->account, APART_METADATA, SECTOR_SIZE);
    request_free(r);
    return error;
}

static void register_partition(struct block_device *disk, u32 number,
                               const struct mbr_partition *part)
{
    struct block_device *d = kzalloc(sizeof(*d));
    if (!d) {
        kprintf("%s%u: no memory for the partition\n", disk->name, number);
        return;
    }
    snprintf(d->name, sizeof(d->name), "%s%u", disk->name, number);
    strlcpy(d->model, disk->model, sizeof(d->model));
    d->rdev = disk->rdev + number;
    d->nr_sectors = part->nr_sectors;
    d->first_lba = part->first_lba;
    d->max_sectors = disk->max_sectors;
    d->disk = disk;
    d->ops = disk->ops;
    d->driver = disk->driver;
    block_add(d);
    kprintf("%s: sectors %llu to %llu\n", d->name, d->first_lba, d->first_lba + d->nr_sectors - 1);
}

int block_read_partitions(struct block_device *disk)
{
    struct mbr_partition part[MBR_PARTITIONS];
    struct page *page = page_alloc(PAGE_KERNEL, HOLD_KERNEL);
    int error = page ? read_first_sector(disk, page) : -ENOMEM;
    if (!error && mbr_parse(page_virt(page), disk->nr_sectors, part))
        for (u32 i = 0; i < MBR_PARTITIONS; i++)
            if (part[i].nr_sectors)
                register_partition(disk, i + 1, &part[i]);
    if (page)
        page_put(page, HOLD_KERNEL);
    return error;
}

void block_register(struct block_device *d)
{
    if (d->nr_sectors > BLOCK_MAX_SECTORS) {
        kprintf("%s: only the first 16 TiB can be reached\n", d->name);
        d->nr_sectors = BLOCK_MAX_SECTORS;
    }
    block_add(d);
    int error = block_read_partitions(d);
    if (error)
        kprintf("%s: cannot read the partition table (error %d)\n", d->name, -error);
}

struct block_device *block_partition(const struct block_device *disk)
{
    struct block_device *d = block_next(NULL);
    while (d && d->disk != disk)
        d = block_next(d);
    return d;
}

bool block_partitions_used(const struct block_device *disk)
{
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        if (d->disk == disk && (d->openers || d->claimed))
            return true;
    return false;
}
