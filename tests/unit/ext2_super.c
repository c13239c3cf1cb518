/* The superblock: sound ones are taken, the others refused with a reason that names the fault. */
// units: kernel/fs/ext2/super_check.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/fs/ext2/layout.h"

#define DEVICE_BYTES (8192ull * 1024)
static struct ext2_super_block sb;
static struct ext2_geometry g;
static char why[160];

/* As mke2fs -t ext2 -b 1024 makes it on 8 MiB. */
static int fresh(void **state)
{
    memset(&sb, 0, sizeof(sb));
    sb.s_magic = EXT2_SUPER_MAGIC;
    sb.s_rev_level = EXT2_DYNAMIC_REV;
    sb.s_blocks_count = 8192;
    sb.s_inodes_count = 2048;
    sb.s_first_data_block = 1;
    sb.s_blocks_per_group = 8192;
    sb.s_inodes_per_group = 2048;
    sb.s_first_ino = 11;
    sb.s_inode_size = 256;
    sb.s_feature_incompat = EXT2_FEATURE_INCOMPAT_FILETYPE;
    return 0;
}

static bool check(void)
{
    why[0] = 0;
    return ext2_check_super(&sb, DEVICE_BYTES, &g, why, sizeof(why));
}

static void assert_refused(const char *reason)
{
    assert_false(check());
    assert_non_null(strstr(why, reason));
    fresh(NULL);
}

static void a_sound_one_is_taken(void **state)
{
    assert_true(check());
    assert_int_equal(g.block_size, 1024);
    assert_int_equal(g.groups, 1);
    assert_int_equal(g.inode_size, 256);
    assert_true(g.has_file_types);
}

static void revision_0_has_the_old_sizes(void **state)
{
    sb.s_rev_level = EXT2_GOOD_OLD_REV;
    sb.s_inode_size = 0;
    sb.s_first_ino = 0;
    sb.s_feature_incompat = 0xFFFF; /* no such field in revision 0 */
    assert_true(check());
    assert_int_equal(g.inode_size, 128);
    assert_int_equal(g.first_inode, 11);
    assert_false(g.has_file_types);
}

static void the_last_group_may_be_short(void **state)
{
    sb.s_blocks_per_group = 3000;
    sb.s_inodes_per_group = 1000;
    assert_true(check());
    assert_int_equal(g.groups, 3); /* 8191 blocks */
    sb.s_blocks_count = 6001;
    sb.s_inodes_count = 2000;
    assert_true(check());
    assert_int_equal(g.groups, 2);
}

static void unsupported_features_are_named(void **state)
{
    sb.s_feature_incompat |= EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT;
    assert_false(check());
    assert_non_null(strstr(why, "extent"));
    assert_non_null(strstr(why, "64bit"));
    assert_null(strstr(why, "filetype"));
    fresh(NULL);
    sb.s_feature_incompat |= 0x40000000;
    assert_refused("0x40000000");
    sb.s_feature_incompat = 0xFFFFFFFF; /* the list is longer than the buffer: cut, not overrun */
    assert_refused("compression");
}

static void read_only_features_do_not_matter(void **state)
{
    sb.s_feature_ro_compat = 0xFFFFFFFF;
    sb.s_feature_compat = 0xFFFFFFFF;
    assert_true(check());
}

static void refusals(void **state)
{
    sb.s_magic = 0;
    assert_refused("no ext2");
    sb.s_rev_level = 2;
    assert_refused("revision");
    sb.s_log_block_size = 3;
    assert_refused("block size");
    sb.s_log_block_size = 0xFFFFFFFF;
    assert_refused("block size");
    sb.s_inode_size = 0;
    assert_refused("inode size");
    sb.s_inode_size = 192;
    assert_refused("inode size");
    sb.s_inode_size = 2048;
    assert_refused("inode size");
    sb.s_first_data_block = 0;
    assert_refused("first data block");
    sb.s_first_data_block = 0xFFFFFFFF;
    assert_refused("first data block");
    sb.s_blocks_per_group = 0;
    assert_refused("a group");
    sb.s_blocks_per_group = 8193;
    assert_refused("a group");
    sb.s_inodes_per_group = 0;
    assert_refused("a group");
    sb.s_inodes_per_group = 8193;
    assert_refused("a group");
    sb.s_inodes_count = 2049;
    assert_refused("inodes");
    sb.s_inodes_count = 1;
    assert_refused("inodes");
    sb.s_blocks_count = 1;
    assert_refused("blocks");
    sb.s_blocks_count = 0;
    assert_refused("blocks");
    sb.s_blocks_per_group = 1; /* 8191 groups: their descriptors take a quarter of the disk */
    sb.s_inodes_per_group = 1;
    assert_true(check());
    fresh(NULL);
    sb.s_blocks_count = 2;
    assert_refused("2 blocks");
}

static void a_truncated_image_is_refused(void **state)
{
    sb.s_blocks_count = 8193;
    assert_refused("truncated");
    sb.s_blocks_count = 0xFFFFFFFF;
    assert_refused("truncated");
}

/* Whatever it says: what is taken has the shape that the rest of the code divides by. */
static void rubbish_that_passes_is_sound(void **state)
{
    u32 seed = 99, taken = 0;
    for (int round = 0; round < 300000; round++) {
        fresh(NULL);
        u32 *words = (u32 *)&sb;
        for (int i = 0; i < 3; i++) {
            seed = seed * 1664525 + 1013904223;
            u32 value = seed << 7;
            words[seed >> 8 & 31] = value >> (seed >> 3 & 31);
        }
        if (!check()) {
            assert_true(why[0] && strlen(why) < sizeof(why));
            continue;
        }
        taken++;
        assert_true(g.block_size == 1u << g.block_shift && g.block_size <= PAGE_SIZE);
        assert_true(g.blocks_per_group && g.inodes_per_group && g.groups);
        assert_true((g.inodes - 1) / g.inodes_per_group < g.groups);
        assert_true(g.inode_size >= 128 && g.block_size % g.inode_size == 0);
        assert_true((u64)g.blocks * g.block_size <= DEVICE_BYTES);
    }
    assert_true(taken > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_sound_one_is_taken, fresh),
        cmocka_unit_test_setup(revision_0_has_the_old_sizes, fresh),
        cmocka_unit_test_setup(the_last_group_may_be_short, fresh),
        cmocka_unit_test_setup(unsupported_features_are_named, fresh),
        cmocka_unit_test_setup(read_only_features_do_not_matter, fresh),
        cmocka_unit_test_setup(refusals, fresh),
        cmocka_unit_test_setup(a_truncated_image_is_refused, fresh),
        cmocka_unit_test_setup(rubbish_that_passes_is_sound, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
