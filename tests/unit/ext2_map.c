/* The block tree: every block of a file has exactly one way, and the limits are the format's. */
// units: kernel/fs/ext2/map.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "kernel/fs/ext2/layout.h"

static void assert_path(u32 shift, u32 block, u32 depth, u32 i0, u32 i1, u32 i2, u32 i3)
{
    struct ext2_path p = ext2_path(shift, block);
    assert_int_equal(p.depth, depth);
    assert_int_equal(p.index[0], i0);
    assert_int_equal(p.index[1], i1);
    assert_int_equal(p.index[2], i2);
    assert_int_equal(p.index[3], i3);
}

static void the_borders_of_each_level(void **state)
{
    for (u32 shift = 10; shift <= 12; shift++) {
        u32 n = 1u << (shift - 2); /* pointers in a table */
        u32 indirect = 12, twice = indirect + n, thrice = twice + n * n;
        assert_path(shift, 0, 1, 0, 0, 0, 0);
        assert_path(shift, 11, 1, 11, 0, 0, 0);
        assert_path(shift, indirect, 2, 12, 0, 0, 0);
        assert_path(shift, twice - 1, 2, 12, n - 1, 0, 0);
        assert_path(shift, twice, 3, 13, 0, 0, 0);
        assert_path(shift, twice + n, 3, 13, 1, 0, 0);
        assert_path(shift, thrice - 1, 3, 13, n - 1, n - 1, 0);
        assert_path(shift, thrice, 4, 14, 0, 0, 0);
        assert_path(shift, thrice + n * n + n + 1, 4, 14, 1, 1, 1);
        assert_path(shift, (u32)ext2_max_blocks(shift) - 1, 4, 14, n - 1, n - 1, n - 1);
    }
}

static void behind_the_last_block_there_is_no_way(void **state)
{
    for (u32 shift = 10; shift <= 12; shift++) {
        assert_int_equal(ext2_path(shift, (u32)ext2_max_blocks(shift)).depth, 0);
        assert_int_equal(ext2_path(shift, UINT32_MAX).depth, 0);
    }
}

static void the_largest_file(void **state)
{
    assert_true(ext2_max_blocks(10) << 10 == 17247252480ull);   /* 16 GiB */
    assert_true(ext2_max_blocks(12) << 12 == 4402345721856ull); /* 4 TiB */
}

/* Reading a path back gives the block, and `left` is the distance to the table's end. */
static void a_path_counts_the_blocks_before_it(void **state)
{
    u32 seed = 3;
    for (int round = 0; round < 200000; round++) {
        seed = seed * 1664525 + 1013904223;
        u32 shift = 10 + seed % 3, bits = shift - 2;
        u32 block = round < 100000 ? (u32)round : seed;
        struct ext2_path p = ext2_path(shift, block);
        if (p.depth == 0) {
            assert_true(block >= ext2_max_blocks(shift));
            continue;
        }
        u64 before = 0, here = p.index[0];
        if (p.depth > 1) {
            before = 12;
            for (u32 d = 2; d < p.depth; d++)
                before += 1ull << bits * (d - 1);
            here = 0;
            for (u32 level = 1; level < p.depth; level++) {
                assert_true(p.index[level] < 1u << bits);
                here = here << bits | p.index[level];
            }
        }
        assert_true(before + here == block);
        u32 entries = p.depth == 1 ? 12 : 1u << bits;
        assert_int_equal(p.left, entries - p.index[p.depth - 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_borders_of_each_level),
        cmocka_unit_test(behind_the_last_block_there_is_no_way),
        cmocka_unit_test(the_largest_file),
        cmocka_unit_test(a_path_counts_the_blocks_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
