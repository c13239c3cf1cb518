/* Readahead: nothing twice, nothing behind the end, nothing that a jumping reader did not want. */
// units: kernel/cache/readahead.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/cache/readahead.h"

/* A file and its cache, as far as readahead can see: how often each page was read, and marks. */
#define FILE_MAX 1000
static struct file_model {
    u32 pages;
    u8 reads[FILE_MAX];
    bool marked[FILE_MAX];
    u32 commands, stalls; /* windows started; of these, with the reader waiting */
    u32 largest;
} model;

static int fresh(void **state)
{
    memset(&model, 0, sizeof(model));
    return 0;
}

static void carry_out(struct readahead_plan plan)
{
    u32 mark = plan.mark;
    assert_true(plan.start < model.pages && plan.count <= model.pages - plan.start);
    assert_true(plan.count <= READAHEAD_MAX_PAGES);
    model.commands++;
    model.largest = plan.count > model.largest ? plan.count : model.largest;
    for (u32 i = plan.start; i < plan.start + plan.count; i++) {
        if (model.reads[i])
            continue;
        model.reads[i]++;
        if (i >= mark) {
            model.marked[i] = true;
            mark = READAHEAD_NO_MARK;
        }
    }
}

/* What cache_read does. */
static void read_page(struct readahead *ra, u32 index, u32 want)
{
    if (!model.reads[index]) {
        carry_out(readahead_miss(ra, index, want, model.pages));
        model.stalls++;
        assert_int_equal(model.reads[index], 1);
    }
    if (model.marked[index] && readahead_sequential(ra, index)) {
        model.marked[index] = false;
        struct readahead_plan plan = readahead_marked(ra, index, want, model.pages);
        if (plan.count)
            carry_out(plan);
    }
    ra->next = index + 1;
}

static void assert_all_read_once(void)
{
    for (u32 i = 0; i < model.pages; i++)
        assert_int_equal(model.reads[i], 1);
}

static void a_sequential_reader_waits_once(void **state)
{
    struct readahead ra = {0};
    model.pages = 1000;
    for (u32 i = 0; i < model.pages; i++)
        read_page(&ra, i, 1);
    assert_all_read_once();
    assert_int_equal(model.stalls, 1);
    assert_int_equal(model.largest, READAHEAD_MAX_PAGES);
    assert_true(model.commands <= 3 + DIV_ROUND_UP(1000, READAHEAD_MAX_PAGES));
}

static void windows_grow_from_4_to_32(void **state)
{
    struct readahead ra = {0};
    struct readahead_plan p = readahead_miss(&ra, 0, 1, 1000);
    assert_int_equal(p.start, 0);
    assert_int_equal(p.count, 4);
    assert_int_equal(p.mark, 1);
    ra.next = 1;
    static const u32 sizes[] = {8, 16, 32, 32};
    u32 start = 4;
    for (u32 i = 0; i < 4; i++) {
        p = readahead_marked(&ra, p.mark, 1, 1000);
        assert_int_equal(p.start, start);
        assert_int_equal(p.count, sizes[i]);
        assert_int_equal(p.mark, start);
        start += sizes[i];
        ra.next = p.mark;
    }
}

static void small_reads_of_one_page_stay_sequential(void **state)
{
    struct readahead ra = {0};
    model.pages = 100;
    for (u32 i = 0; i < model.pages; i++) {
        for (int part = 0; part < 3; part++)
            read_page(&ra, i, 1);
    }
    assert_all_read_once();
    assert_int_equal(model.stalls, 1);
}

static void a_jumping_reader_gets_what_it_wants(void **state)
{
    struct readahead ra = {0};
    struct readahead_plan p = readahead_miss(&ra, 500, 1, 1000);
    assert_int_equal(p.start, 500);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.mark, READAHEAD_NO_MARK);
    ra.next = 501;
    p = readahead_miss(&ra, 100, 5, 1000);
    assert_int_equal(p.count, 5);
    assert_int_equal(p.mark, READAHEAD_NO_MARK);
}

static void a_wish_is_granted_in_one_window(void **state)
{
    struct readahead ra = {0};
    struct readahead_plan p = readahead_miss(&ra, 0, 16, 1000); /* sendfile of 64 KiB */
    assert_true(p.count >= 16);
    ra = (struct readahead){0};
    p = readahead_miss(&ra, 0, 100000, 1000);
    assert_int_equal(p.count, READAHEAD_MAX_PAGES);
    ra = (struct readahead){.next = 7};
    p = readahead_miss(&ra, 990, 16, 1000);
    assert_int_equal(p.count, 10);
    p = readahead_miss(&ra, 0, 0, 1000);
    assert_int_equal(p.count, 1);
}

static void chunks_of_any_size_read_each_page_once(void **state)
{
    for (u32 chunk = 1; chunk <= 70; chunk++) {
        for (u32 pages = 1; pages <= 130; pages += 3) {
            struct readahead ra = {0};
            fresh(NULL);
            model.pages = pages;
            for (u32 at = 0; at < pages; at += chunk) {
                u32 end = at + chunk < pages ? at + chunk : pages;
                for (u32 i = at; i < end; i++)
                    read_page(&ra, i, end - i);
            }
            assert_all_read_once();
            assert_int_equal(model.stalls, 1);
        }
    }
}

static void two_readers_read_nothing_twice(void **state)
{
    struct readahead a = {0}, b = {0};
    model.pages = 300;
    for (u32 i = 0; i < model.pages; i++) {
        read_page(&a, i, 1);
        if (i >= 5)
            read_page(&b, i - 5, 1);
    }
    assert_all_read_once();
}

static void random_readers_stay_in_the_file(void **state)
{
    u32 seed = 7;
    for (int round = 0; round < 20000; round++) {
        seed = seed * 1664525 + 1013904223;
        u32 file_pages = (seed >> 8) % 64 + 1;
        if (seed >> 31)
            file_pages = UINT32_MAX - (seed >> 8) % 64;
        u32 index = file_pages - 1 - (seed >> 3) % (file_pages < 64 ? file_pages : 64);
        struct readahead ra = {
            .next = seed & 1 ? index : seed * 3,
            .start = seed & 2 ? index - (seed & 31) : seed * 5,
            .size = seed >> 4 & 63,
        };
        struct readahead_plan p = readahead_miss(&ra, index, seed >> 5 & 127, file_pages);
        assert_true(p.start == index && p.count >= 1 && p.count <= file_pages - index);
        p = readahead_marked(&ra, index, seed >> 5 & 127, file_pages);
        assert_true(p.count == 0 ||
                    (p.start > index && p.start < file_pages && p.count <= file_pages - p.start));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sequential_reader_waits_once, fresh),
        cmocka_unit_test_setup(windows_grow_from_4_to_32, fresh),
        cmocka_unit_test_setup(small_reads_of_one_page_stay_sequential, fresh),
        cmocka_unit_test_setup(a_jumping_reader_gets_what_it_wants, fresh),
        cmocka_unit_test_setup(a_wish_is_granted_in_one_window, fresh),
        cmocka_unit_test_setup(chunks_of_any_size_read_each_page_once, fresh),
        cmocka_unit_test_setup(two_readers_read_nothing_twice, fresh),
        cmocka_unit_test_setup(random_readers_stay_in_the_file, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
