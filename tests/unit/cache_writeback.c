/*
 * Write-back of a device's pages to a disk that is slow, has a bad sector, and is asked by a kernel
 * that runs out of memory in the middle of a request: what write-back says is so, and no page stays
 * on its way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#define KERNEL_PROC_TASK_H /* flushd is not here */
#include "tests/unit/ext2_image.h"
struct task *kthread_create(const char *name, void (*run)(void *), void *arg)
{
    return NULL;
}
#include "drivers/block.c"
#include "drivers/mbr.c"
#include "kernel/cache/cache.c"
#include "kernel/cache/device.c"
#include "kernel/cache/dirty.c"
#include "kernel/cache/gather.c"
#include "kernel/cache/lru.c"
#include "kernel/cache/readahead.c"
#include "kernel/cache/write.c"
#include "kernel/cache/writeback.c"

u32 total_frames = NR_PAGES;
void mmap_protect_page(struct mapping *m, u32 index) {}
struct inode *inode_hold(struct inode *inode)
{
    return inode;
}
struct inode *inode_next(struct super *super, struct inode *after)
{
    return NULL;
}
bool task_killed(void)
{
    return false;
}
void wake_one(struct wait_queue *q) {}

static u32 cache_reclaim_some(void)
{
    return cache_reclaim_hard(16);
}

#define DISK_PAGES 256u
static u8 on_disk[DISK_PAGES * PAGE_SIZE], model[DISK_PAGES * PAGE_SIZE];
static struct block_device device = {.name = "hda",
                                     .nr_sectors = sizeof(on_disk) / SECTOR_SIZE,
                                     .max_sectors = 256,
                                     .ops = &disk_ops};
static struct mapping *map;

static u32 seed = 1;
static u32 rnd(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (u32)((u64)(seed ^ seed >> 13) * below >> 32);
}

static bool mostly_none(void)
{
    return rnd(3) > 0;
}

/* Whole sectors of one page get other bytes. */
static void change(u32 sector, u32 count)
{
    struct page *page;
    u32 offset = sector % SECTORS_PER_PAGE * SECTOR_SIZE, len = count * SECTOR_SIZE;
    assert_int_equal(cache_read(map, sector / SECTORS_PER_PAGE, 1, NULL, &page, NULL), 0);
    memset(model + (size_t)sector * SECTOR_SIZE, (int)rnd(256), len);
    memcpy((char *)page_virt(page) + offset, model + (size_t)sector * SECTOR_SIZE, len);
    cache_dirty_bytes(page, offset, len);
    page_put(page, HOLD_USE);
}

static void change_something(void)
{
    u32 page = rnd(DISK_PAGES), first = rnd(SECTORS_PER_PAGE);
    change(page * SECTORS_PER_PAGE + first, 1 + rnd(SECTORS_PER_PAGE - first));
}

static void nothing_is_on_its_way(void)
{
    assert_int_equal(map->nr_writeback, 0);
    assert_int_equal(writeback_stats.in_flight, 0);
    assert_true(TAILQ_EMPTY(&disk_queue));
    assert_int_equal(page_holds[HOLD_USE], 0);
    assert_int_equal(objects, 1); /* the mapping */
}

static int start(void **state)
{
    if (!map)
        map = block_mapping(&device);
    disk_bytes = on_disk;
    cache_truncate(map);
    memset(on_disk, 0, sizeof(on_disk));
    memset(model, 0, sizeof(model));
    no_memory = NULL;
    bad_sector = ~0ull;
    map->errors = device.errors = (struct write_errors){0};
    disk_commands = 0;
    return 0;
}

static void pages_go_in_their_order_in_long_commands(void **state)
{
    for (u32 i = 0; i < DISK_PAGES; i++) /* by no order at all */
        change((i * 101 % DISK_PAGES) * SECTORS_PER_PAGE, SECTORS_PER_PAGE);
    assert_int_equal(map->nr_dirty, DISK_PAGES);
    disk_commands = 0;
    assert_int_equal(cache_write_out(map, 0, ~0u), 0);
    assert_int_equal(disk_commands, DISK_PAGES * SECTORS_PER_PAGE / device.max_sectors);
    assert_memory_equal(on_disk, model, sizeof(model));
    nothing_is_on_its_way();
}

static void a_range_is_a_range(void **state)
{
    for (u32 i = 0; i < 10; i++)
        change(i * SECTORS_PER_PAGE, 1);
    assert_int_equal(cache_write_out(map, 3, 6), 0);
    assert_int_equal(map->nr_dirty, 7);
    assert_int_equal(cache_find_dirty(map, 3, 10, true), 6);
    assert_memory_equal(on_disk + 3 * PAGE_SIZE, model + 3 * PAGE_SIZE, 3 * PAGE_SIZE);
    nothing_is_on_its_way();
}

/* Changes, starts, drops, and waits by chance; requests end when somebody waits, so a page is
 * changed again while it is on its way. */
static void what_is_acknowledged_is_on_the_disk(void **state)
{
    for (u32 round = 0; round < 20000; round++) {
        u32 first = rnd(DISK_PAGES), end = first + 1 + rnd(DISK_PAGES - first);
        no_memory = rnd(2) ? mostly_none : NULL;
        switch (rnd(8)) {
        case 0:
            cache_start_writing(map, first, end);
            break;
        case 1:
            cache_drop_clean();
            break;
        case 2: {
            int error = cache_write_out(map, first, end);
            assert_true(error == 0 || error == -ENOMEM);
            if (error) { /* it says so, and all of it is still to come */
                assert_true(cache_find_dirty(map, first, end, true) < end);
                no_memory = NULL;
                assert_int_equal(cache_write_out(map, first, end), 0);
            }
            assert_int_equal(cache_find_dirty(map, first, end, true), end);
            assert_memory_equal(on_disk + (size_t)first * PAGE_SIZE,
                                model + (size_t)first * PAGE_SIZE, (end - first) * PAGE_SIZE);
            break;
        }
        default:
            no_memory = NULL; /* reading may fail, but that is another story */
            change_something();
        }
        assert_int_equal(map->nr_dirty, writeback_stats.dirty);
    }
    no_memory = NULL;
    assert_int_equal(cache_write_out(map, 0, ~0u), 0);
    assert_int_equal(map->errors.count, 0); /* no memory is no error of the disk */
    assert_memory_equal(on_disk, model, sizeof(model));
    nothing_is_on_its_way();
}

static void an_error_is_told_once_and_the_page_does_not_stay_dirty(void **state)
{
    u32 early = errors_begin(&map->errors), other = early;
    change(20, 1);
    change(20 + SECTORS_PER_PAGE, 1); /* the next page: of the same request, or of none */
    change(200, 8);
    bad_sector = 20;
    assert_int_equal(cache_write_out(map, 0, ~0u), -EIO);
    assert_int_equal(map->nr_dirty, 0);
    assert_memory_equal(on_disk + 200 * SECTOR_SIZE, model + 200 * SECTOR_SIZE, PAGE_SIZE);
    assert_int_equal(cache_write_out(map, 0, ~0u), 0); /* there is nothing to write any more */
    u32 later = errors_begin(&map->errors);
    assert_int_equal(errors_news(&map->errors, &early), -EIO);
    assert_int_equal(errors_news(&map->errors, &early), 0);
    assert_int_equal(errors_news(&map->errors, &other), -EIO);
    assert_int_equal(errors_news(&map->errors, &later), -EIO); /* nobody had been told then */
    later = errors_begin(&map->errors);
    assert_int_equal(errors_news(&map->errors, &later), 0);
    assert_int_equal(device.errors.count, map->errors.count);
    bad_sector = ~0ull;
    change(20, 1); /* a good sector again */
    assert_int_equal(cache_write_out(map, 0, ~0u), 0);
    nothing_is_on_its_way();
}

static void dropping_waits_for_what_is_on_its_way(void **state)
{
    change(0, 8);
    change(80, 8);
    cache_start_writing(map, 0, ~0u);
    assert_int_equal(map->nr_writeback, 2);
    change(0, 1); /* dirty again, on its way still */
    cache_drop(map, 0, 1);
    assert_null(cache_lookup(map, 0));
    assert_int_equal(map->nr_dirty, 0);
    cache_truncate(map);
    nothing_is_on_its_way();
}

int main(void)
{
    cache_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pages_go_in_their_order_in_long_commands, start),
        cmocka_unit_test_setup(a_range_is_a_range, start),
        cmocka_unit_test_setup(what_is_acknowledged_is_on_the_disk, start),
        cmocka_unit_test_setup(an_error_is_told_once_and_the_page_does_not_stay_dirty, start),
        cmocka_unit_test_setup(dropping_waits_for_what_is_on_its_way, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
