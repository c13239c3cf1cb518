/*
 * Writing through the page cache, against a plain array: writes, cuts, extensions and dropped pages
 * by chance, and what is read is what was written. The mapping's "disk" is a second array that
 * pages come from; dirty pages are nowhere else.
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
#include "tests/unit/ext2_image.h"
#include "kernel/cache/cache.c"
#include "kernel/cache/dirty.c"
#include "kernel/cache/lru.c"
#include "kernel/cache/readahead.c"
#include "kernel/cache/write.c"

/* Nothing is on its way to a disk here. */
void cache_wait_written(struct page *page) {}
void mmap_protect_page(struct mapping *m, u32 index) {}

static u32 cache_reclaim_some(void)
{
    return cache_reclaim_hard(16);
}

#define FILE_MAX (64 * PAGE_SIZE)
static u8 stored[FILE_MAX], model[FILE_MAX];
static int dirty, room = 1 << 20; /* pages: counted by dirtied(), allowed by prepare_write() */

static void read_pages(struct mapping *m, struct page **run, u32 nr)
{
    for (u32 i = 0; i < nr; i++) {
        memcpy(page_virt(run[i]), stored + ((size_t)run[i]->index << PAGE_SHIFT), PAGE_SIZE);
        cache_page_done(run[i], 0);
    }
}
static int prepare_write(struct mapping *m, u32 index, u32 offset, u32 len)
{
    assert_true(len > 0 && offset + len <= PAGE_SIZE);
    return dirty < room || cache_find_dirty(m, index, index + 1, true) == index ? 0 : -ENOSPC;
}
static void count_dirty(struct mapping *m, int pages)
{
    dirty += pages;
}
static const struct mapping_ops ops = {
    .read_pages = read_pages, .prepare_write = prepare_write, .dirtied = count_dirty};
static struct mapping map = {.ops = &ops};

static u32 seed = 1;
static u32 rnd(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (u32)((u64)(seed ^ seed >> 13) * below >> 32);
}

/* As cache_write_piece does it; `copied` of the bytes come in, then the program's memory ends. */
static u32 write_some(u64 pos, u32 len, u32 copied)
{
    struct cache_write w;
    u32 offset = (u32)pos % PAGE_SIZE;
    assert_int_equal(cache_write_begin(&map, (u32)(pos >> PAGE_SHIFT), offset, len, &w), 0);
    if (pos > map.size)
        cache_zero_gap(&map, pos);
    u8 *to = (u8 *)page_virt(w.page) + offset;
    for (u32 i = 0; i < copied; i++)
        to[i] = model[pos + i] = (u8)rnd(256);
    u32 done = cache_write_end(&w, copied);
    if (done && pos + done > map.size)
        map.size = pos + done;
    return done;
}

static void expect_file_is_model(void)
{
    for (u32 index = 0; index < DIV_ROUND_UP(map.size, PAGE_SIZE); index++) {
        struct page *page;
        assert_int_equal(cache_read(&map, index, 1, NULL, &page, NULL), 0);
        u64 start = (u64)index << PAGE_SHIFT;
        u32 inside = (u32)MIN((u64)PAGE_SIZE, map.size - start);
        assert_memory_equal(page_virt(page), model + start, inside);
        for (u32 i = inside; i < PAGE_SIZE; i++) /* mmap(2): behind the end it is zero */
            assert_int_equal(((u8 *)page_virt(page))[i], 0);
        page_put(page, HOLD_USE);
    }
}

static void cut(u64 size)
{
    if (size >= map.size) {
        cache_zero_gap(&map, size);
    } else {
        u32 first = (u32)DIV_ROUND_UP(size, PAGE_SIZE), tail = (u32)size % PAGE_SIZE;
        memset(model + size, 0, FILE_MAX - size);
        memset(stored + (size_t)first * PAGE_SIZE, 0, FILE_MAX - (size_t)first * PAGE_SIZE);
        map.size = size;
        cache_drop(&map, first, ~0u);
        if (tail)
            cache_zero(&map, first - 1, tail, PAGE_SIZE - tail);
        if (tail && cache_find_dirty(&map, first - 1, first, true) == first)
            memset(stored + size, 0, PAGE_SIZE - tail);
    }
    map.size = size;
}

/* Against a look at each page. */
static void expect_dirty_pages_are_found(void)
{
    u32 from = rnd(FILE_MAX / PAGE_SIZE), end = from + rnd(FILE_MAX / PAGE_SIZE), index = from;
    const struct page *page;
    while (index < end && !((page = lookup(&map, index)) && page->flags & PG_DIRTY))
        index++;
    assert_int_equal(cache_find_dirty(&map, from, end, true), index);
}

static void start(void)
{
    cache_truncate(&map);
    memset(stored, 0, sizeof(stored));
    memset(model, 0, sizeof(model));
    map.size = 0;
}

static void what_is_written_is_read(void **state)
{
    start();
    for (u32 round = 0; round < 20000; round++) {
        u64 pos = rnd(FILE_MAX - PAGE_SIZE);
        u32 len = 1 + rnd(PAGE_SIZE - (u32)pos % PAGE_SIZE);
        switch (rnd(8)) {
        case 0:
            cut(rnd(FILE_MAX));
            break;
        case 1:
            cache_drop_clean();
            break;
        case 2: /* a whole page */
            pos = ROUND_DOWN(pos, PAGE_SIZE);
            len = PAGE_SIZE; /* fall through */
        default:
            assert_int_equal(write_some(pos, len, len), len);
        }
        assert_int_equal(map.nr_dirty, dirty);
        expect_dirty_pages_are_found();
        if (round % 64 == 0)
            expect_file_is_model();
    }
    expect_file_is_model();
}

static void memory_that_ends_on_the_way_leaves_no_half_page(void **state)
{
    start();
    memset(stored, 's', 2 * PAGE_SIZE);
    memcpy(model, stored, 2 * PAGE_SIZE);
    map.size = 2 * PAGE_SIZE;
    /* A page that is not in the cache and would be overwritten whole: nothing counts. */
    assert_int_equal(write_some(0, PAGE_SIZE, 100), 0);
    memset(model, 's', 100);
    expect_file_is_model();
    /* In the cache now: in place. */
    assert_int_equal(write_some(0, PAGE_SIZE, 100), 100);
    expect_file_is_model();
    /* Behind the end: what came in, and zeroes. */
    assert_int_equal(write_some(2 * PAGE_SIZE, PAGE_SIZE, 100), 100);
    assert_int_equal(map.size, 2 * PAGE_SIZE + 100);
    expect_file_is_model();
    assert_int_equal(write_some(3 * PAGE_SIZE, 10, 0), 0);
}

static void a_page_that_another_task_made_meanwhile_is_not_replaced(void **state)
{
    struct cache_write w, other;
    start();
    assert_int_equal(cache_write_begin(&map, 0, 0, 10, &w), 0);
    assert_int_equal(cache_write_begin(&map, 0, 0, 20, &other), 0);
    memset(page_virt(other.page), 'o', 20);
    assert_int_equal(cache_write_end(&other, 20), 20);
    map.size = 20;
    memset(page_virt(w.page), 'w', 10);
    assert_int_equal(cache_write_end(&w, 10), 0); /* once more, then */
    memset(model, 'o', 20);
    expect_file_is_model();
}

static void dirty_pages_stay_and_are_found(void **state)
{
    start();
    write_some(3 * PAGE_SIZE, 10, 10);
    write_some(9 * PAGE_SIZE, PAGE_SIZE, PAGE_SIZE);
    expect_file_is_model(); /* brings the holes in, clean */
    assert_int_equal(map.nr_pages, 10);
    cache_drop_clean();
    assert_int_equal(map.nr_pages, 2);
    assert_int_equal(cache_find_dirty(&map, 0, 10, true), 3);
    assert_int_equal(cache_find_dirty(&map, 4, 10, true), 9);
    assert_int_equal(cache_find_dirty(&map, 4, ~0u, true), 9);
    assert_int_equal(cache_find_dirty(&map, 3, 10, false), 4);
    assert_int_equal(cache_find_dirty(&map, 10, ~0u, true), ~0u);
    room = 2;
    struct cache_write w;
    assert_int_equal(cache_write_begin(&map, 5, 0, 10, &w), -ENOSPC);
    assert_int_equal(write_some(9 * PAGE_SIZE, 5, 5), 5); /* takes no more room */
    room = 1 << 20;
}

static void everything_is_given_back(void **state)
{
    cache_truncate(&map);
    assert_int_equal(dirty, 0);
    assert_int_equal(cache_stats.pages, 0);
    assert_int_equal(page_holds[HOLD_CACHE], 0);
    assert_int_equal(page_holds[HOLD_USE], 0);
}

int main(void)
{
    cache_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(memory_that_ends_on_the_way_leaves_no_half_page),
        cmocka_unit_test(a_page_that_another_task_made_meanwhile_is_not_replaced),
        cmocka_unit_test(dirty_pages_stay_and_are_found),
        cmocka_unit_test(everything_is_given_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
