/*
 * Areas of swap come and go: swapon(2), swapoff(2), /proc/swaps.
 *
 * What mkswap(8) has left in the first page is checked; nothing else of the area is believed. Of a
 * file the places of its blocks are asked for once: it must have no holes, and nobody writes to it
 * while it is in use.
 */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "drivers/block.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/scan.h"
#include "kernel/mm/shmem.h"
#include "kernel/mm/swap_area.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"

#define SWAP_FLAG_PREFER    0x8000 /* swapon(2) */
#define SWAP_FLAG_PRIO_MASK 0x7FFF
#define SWAP_FLAGS          (SWAP_FLAG_PREFER | SWAP_FLAG_PRIO_MASK | 0x70000 /* discard: no need */)

/* The first page; what is not named is for boot loaders and people. Linux: include/linux/swap.h. */
struct swap_header {
    u8 boot[1024];
    u32 version, last_page, nr_bad_pages;
    u8 uuid[16], label[16];
    u32 padding[117];
    u32 bad_pages[637];
    char unused[2];
    char magic[10]; /* "SWAPSPACE2" */
};
_Static_assert(sizeof(struct swap_header) == PAGE_SIZE, "the header is one page");

/* --- Tables ----------------------------------------------------------------------------------- */

/* `nr` values of `size` bytes, zeroed, in parts of a page each. NULL without memory. */
static void **table_new(u32 nr, u32 size)
{
    u32 nr_parts = DIV_ROUND_UP(nr, PAGE_SIZE / size);
    void **parts = kzalloc(PAGE_SIZE); /* room for the largest area */
    for (u32 i = 0; parts && i < nr_parts; i++) {
        struct page *page = page_alloc_zeroed(PAGE_KERNEL, HOLD_KERNEL);
        if (!page) {
            while (i--)
                page_put(virt_page(parts[i]), HOLD_KERNEL);
            kfree(parts);
            return NULL;
        }
        parts[i] = page_virt(page);
    }
    return parts;
}

static void table_free(void *table)
{
    void **parts = table;
    for (u32 i = 0; parts && i < PAGE_SIZE / sizeof(*parts) && parts[i]; i++)
        page_put(virt_page(parts[i]), HOLD_KERNEL);
    kfree(parts);
}

static bool is_file(const struct swap_area *a)
{
    return S_TYPE(a->inode->mode) == S_REG;
}

static void area_free(struct swap_area *a)
{
    if (a->mapping.ops)
        cache_truncate(&a->mapping);
    table_free(a->slots);
    table_free(a->sectors);
    if (a->device) { /* its bytes have changed below the cache */
        struct mapping *below = is_file(a) ? &a->inode->mapping : a->device->metadata;
        if (below)
            (void)cache_drop_clean_of(below, 0, ~0u);
        a->inode->runners -= is_file(a);
    }
    if (a->claimed)
        block_unclaim(a->device);
    inode_put(a->inode);
    kfree(a);
}

/* --- swapon ----------------------------------------------------------------------------------- */

/* Where a page of the file lies, all of it in one piece: 0, -EXDEV (it does not), -EINVAL (a hole).
 * The runs that are told may end in between. */
static int find_page(struct mapping *m, u32 index, u64 *sector)
{
    struct disk_run run;
    for (u32 at = 0; at < PAGE_SIZE; at += run.len) {
        int err = m->ops->locate(m, ((u64)index << PAGE_SHIFT) + at, PAGE_SIZE - at, &run);
        if (err)
            return err;
        if (run.hole)
            return -EINVAL;
        if (at == 0)
            *sector = run.lba;
        else if (run.lba != *sector + (at >> SECTOR_SHIFT))
            return -EXDEV;
    }
    return 0;
}

/* Of a file. A page in pieces is not used. */
static int find_sectors(struct swap_area *a)
{
    struct mapping *m = &a->inode->mapping;
    if (!m->ops || !m->ops->locate)
        return -EINVAL;
    a->sectors = (u32 **)table_new(a->nr_slots, sizeof(u32));
    if (!a->sectors)
        return -ENOMEM;
    for (u32 slot = 0; slot < a->nr_slots; slot++) {
        u64 sector = 0;
        int err = find_page(m, slot, &sector);
        if (err == -EXDEV && slot)
            *swap_slot(a, slot) = SLOT_BAD;
        else if (err)
            return err == -EXDEV ? -EINVAL : err;
        if (sector > UINT32_MAX) /* behind 2 TiB */
            *swap_slot(a, slot) = SLOT_BAD;
        a->sectors[slot / SECTORS_PER_PART][slot % SECTORS_PER_PART] = (u32)sector;
        if (task_pause())
            return -EINTR;
    }
    return 0;
}

static int open_area(struct swap_area *a)
{
    struct inode *inode = a->inode;
    if (S_TYPE(inode->mode) == S_BLK) {
        a->device = block_by_number(inode->rdev);
        if (!a->device)
            return -ENXIO;
        a->mapping.size = a->device->nr_sectors * SECTOR_SIZE;
        if (block_read_only(a->device))
            return -EROFS;
        int busy = block_claim(a->device);
        if (busy)
            return busy;
        a->claimed = true;
        return 0;
    }
    if (S_TYPE(inode->mode) != S_REG)
        return -EINVAL;
    if (inode->super->flags & SUPER_READ_ONLY)
        return -EROFS;
    a->device = inode->super->device;
    if (!a->device)
        return -EINVAL;
    inode->runners++; /* as of a program that runs: ETXTBSY for who would write it */
    int err = vfs_write_out(inode, false);
    cache_drop_clean_of(&inode->mapping, 0, ~0u);
    a->mapping.size = inode->size;
    return err;
}

/* The header is page 0 of the area itself. */
static int check_header(struct swap_area *a)
{
    struct page *page;
    int err = cache_read(&a->mapping, 0, 1, NULL, &page, NULL);
    if (err)
        return err;
    const struct swap_header *h = page_virt(page);
    bool ok = !strncmp(h->magic, "SWAPSPACE2", 10) && h->version == 1 && h->last_page &&
              h->last_page < a->mapping.size >> PAGE_SHIFT &&
              h->nr_bad_pages <= ARRAY_LEN(h->bad_pages) && !(h->nr_bad_pages && a->sectors);
    for (u32 i = 0; ok && i < h->nr_bad_pages; i++) {
        ok = h->bad_pages[i] && h->bad_pages[i] <= h->last_page;
        if (ok && h->bad_pages[i] < a->nr_slots)
            *swap_slot(a, h->bad_pages[i]) = SLOT_BAD;
    }
    if (ok)
        a->nr_slots = MIN(h->last_page + 1, a->nr_slots);
    page_put(page, HOLD_USE);
    cache_truncate(&a->mapping);
    return ok ? 0 : -EINVAL;
}

static int area_start(struct swap_area *a)
{
    int err = open_area(a);
    if (err)
        return err;
    a->mapping.ops = &swap_mapping_ops;
    a->mapping.host = a;
    a->mapping.is_swap = true;
    a->nr_slots = (u32)MIN(a->mapping.size >> PAGE_SHIFT, (u64)SLOTS_MAX);
    if (a->nr_slots < 2)
        return -EINVAL;
    a->slots = (u16 **)table_new(a->nr_slots, sizeof(u16));
    if (!a->slots)
        return -ENOMEM;
    *swap_slot(a, 0) = SLOT_BAD;
    if (is_file(a))
        err = find_sectors(a);
    if (!err)
        err = check_header(a);
    if (err)
        return err;
    for (u32 slot = 0; slot < a->nr_slots; slot++)
        a->usable += *swap_slot(a, slot) == 0;
    return a->usable ? 0 : -EINVAL;
}

static struct swap_area *area_find(const struct inode *inode)
{
    bool is_device = S_TYPE(inode->mode) == S_BLK;
    for (u32 i = 0; i < SWAP_AREAS; i++) {
        struct swap_area *a = swap_areas[i];
        if (a && (a->inode == inode ||
                  (is_device && S_TYPE(a->inode->mode) == S_BLK && a->inode->rdev == inode->rdev)))
            return a;
    }
    return NULL;
}

bool swap_uses_file(const struct inode *inode)
{
    return S_TYPE(inode->mode) == S_REG && area_find(inode);
}

/* Without a wish each area comes behind those before it. */
static s32 default_priority(void)
{
    s32 lowest = -1;
    for (u32 i = 0; i < SWAP_AREAS; i++)
        if (swap_areas[i])
            lowest = MIN(lowest, swap_areas[i]->priority);
    return lowest - 1;
}

static int area_add(struct swap_area *a, u32 flags)
{
    int err = area_find(a->inode) ? -EBUSY : 0;
    if (!err && is_file(a) && (a->inode->writers || mmap_may_write(a->inode->super, a->inode)))
        err = -ETXTBSY;
    if (!err)
        err = area_start(a);
    if (!err && area_find(a->inode)) /* another task was faster */
        err = -EBUSY;
    if (err)
        return err;
    for (a->number = 0; a->number < SWAP_AREAS && swap_areas[a->number];)
        a->number++;
    if (a->number == SWAP_AREAS)
        return -EPERM;
    a->priority =
        flags & SWAP_FLAG_PREFER ? (s32)(flags & SWAP_FLAG_PRIO_MASK) : default_priority();
    a->next = 1;
    swap_areas[a->number] = a;
    return 0;
}

long sys_swapon(const char __user *path, u32 flags)
{
    if (flags & ~(u32)SWAP_FLAGS)
        return -EINVAL;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    struct inode *inode = inode_at(AT_FDCWD, path, 0);
    if (is_err(inode))
        return ptr_err(inode);
    struct swap_area *a = kzalloc(sizeof(*a));
    if (!a) {
        inode_put(inode);
        return -ENOMEM;
    }
    a->inode = inode;
    int err = area_add(a, flags);
    if (err)
        area_free(a);
    return err;
}

/* --- swapoff ---------------------------------------------------------------------------------- */

/* Is there room for all of it, so that nobody need be killed for it? Pages of it that are in memory
 * already need none; of the files' pages, some have to stay. */
static bool fits(const struct swap_area *a)
{
    u32 needed = a->used - MIN(a->used, a->mapping.nr_pages);
    u32 files =
        cache_stats.pages - MIN(cache_stats.pages, a->mapping.nr_pages + writeback_stats.dirty);
    u32 kept = MAX(total_frames / 16, (2u << 20) / PAGE_SIZE) + 4 * ATOMIC_RESERVE;
    return needed + kept < nr_free_frames + files;
}

/* Pages that no entry names: programs that have one mapped keep it. */
static void drop_unnamed(struct swap_area *a)
{
    for (u32 slot = 1; slot < a->nr_slots; slot++)
        if (*swap_slot(a, slot) == SLOT_CACHED)
            cache_drop(&a->mapping, slot, slot + 1);
}

long sys_swapoff(const char __user *path)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    struct inode *inode = inode_at(AT_FDCWD, path, 0);
    if (is_err(inode))
        return ptr_err(inode);
    struct swap_area *a = area_find(inode);
    inode_put(inode);
    if (!a || a->closing)
        return -EINVAL;
    if (!fits(a))
        return -ENOMEM;
    a->closing = true;
    int err = 0;
    do {
        err = mm_swap_in_all(a->number);
        err = err ? err : shmem_in_all(a->number);
        if (!err)
            drop_unnamed(a);
        if (!err && (a->used || a->readers)) /* a program that ends has not yet let go of it */
            task_sleep_ticks(1);
    } while (!err && (a->used || a->readers));
    a->closing = false;
    if (err)
        return err;
    swap_areas[a->number] = NULL;
    area_free(a);
    return 0;
}

/* --- /proc/swaps ------------------------------------------------------------------------------ */

void swap_format(struct text *t)
{
    static char path[PATH_MAX_LEN]; /* makers of texts do not sleep */
    text_printf(t, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
    for (u32 i = 0; i < SWAP_AREAS; i++) {
        const struct swap_area *a = swap_areas[i];
        if (!a)
            continue;
        u32 len = inode_describe(a->inode, path, sizeof(path));
        u32 kib = a->usable * (PAGE_SIZE / 1024), used = a->used * (PAGE_SIZE / 1024);
        text_bytes(t, path, len);
        text_printf(t, "%*s%s\t%u\t%s%u\t%s%d\n", len < 40 ? 40 - (int)len : 1, " ",
                    S_TYPE(a->inode->mode) == S_BLK ? "partition" : "file\t", kib,
                    kib < 10000000 ? "\t" : "", used, used < 10000000 ? "\t" : "", a->priority);
    }
}
