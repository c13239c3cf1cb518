/* Directory entries: whatever a block holds, a walk over it ends, inside it, or is refused. */
// units: kernel/fs/ext2/dirent.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/fs/ext2/layout.h"

static const struct ext2_geometry geometry = {
    .block_size = 1024,
    .block_shift = 10,
    .inodes = 100,
    .has_file_types = true,
};
static u8 *block; /* on the heap, so that a step outside is noticed */

static int set_up(void **state)
{
    block = test_calloc(1, 1024);
    return 0;
}
static int tear_down(void **state)
{
    test_free(block);
    return 0;
}

static void put(u32 offset, u32 ino, u16 rec_len, const char *name, u8 type)
{
    struct ext2_dir_entry_2 *e = (void *)(block + offset);
    e->inode = ino;
    e->rec_len = rec_len;
    e->name_len = (u8)strlen(name);
    e->file_type = type;
    memcpy((char *)e + 8, name, strlen(name));
}

static bool sound(u32 offset)
{
    const struct ext2_dir_entry_2 *e = ext2_dirent(&geometry, block, offset);
    return e && (!e->inode || ext2_dirent_named(e));
}

static void a_sound_entry_is_found_by_its_whole_name(void **state)
{
    put(0, 11, 16, "hello", EXT2_FT_REG_FILE);
    put(16, 12, 1008, "help", EXT2_FT_DIR);
    const struct ext2_dir_entry_2 *e = ext2_dirent(&geometry, block, 0);
    assert_non_null(e);
    assert_true(ext2_dirent_is(e, "hello", 5));
    assert_false(ext2_dirent_is(e, "hell", 4));
    assert_int_equal(ext2_dirent_type(&geometry, e), 8);
    e = ext2_dirent(&geometry, block, 16);
    assert_non_null(e);
    assert_int_equal(ext2_dirent_type(&geometry, e), 4);
}

static void a_length_of_zero_is_refused(void **state)
{
    put(0, 11, 0, "a", 1);
    assert_false(sound(0));
}

static void short_odd_and_overrunning_lengths_are_refused(void **state)
{
    static const u16 bad[] = {4, 8, 13, 14, 1020 + 8, 2048, 0xFFFC, 0xFFFF};
    for (u32 i = 0; i < ARRAY_LEN(bad); i++) {
        put(0, 11, bad[i], "a", 1);
        assert_false(sound(0));
    }
    put(1000, 11, 28, "a", 1); /* four bytes too long at the block's end */
    assert_false(sound(1000));
    put(1000, 11, 24, "a", 1);
    assert_true(sound(1000));
}

static void entries_begin_inside_the_block_at_multiples_of_four(void **state)
{
    assert_false(sound(1020)); /* no room for a header */
    assert_false(sound(1024));
    assert_false(sound(6));
    assert_false(sound(UINT32_MAX - 3));
}

static void a_name_longer_than_its_entry_is_refused(void **state)
{
    put(0, 11, 12, "abcd", 1);
    assert_true(sound(0));
    put(0, 11, 12, "abcde", 1);
    assert_false(sound(0));
}

static void names_with_slash_zero_or_nothing_are_refused(void **state)
{
    put(0, 11, 16, "a/b", 1);
    assert_false(sound(0));
    put(0, 11, 16, "", 1);
    assert_false(sound(0));
    put(0, 11, 16, "abc", 1);
    block[9] = 0;
    assert_false(sound(0));
}

static void inodes_that_cannot_exist_are_refused(void **state)
{
    put(0, 101, 16, "a", 1);
    assert_false(sound(0));
    put(0, 100, 16, "a", 1);
    assert_true(sound(0));
}

static void a_free_entry_is_sound_and_nameless(void **state)
{
    put(0, 0, 1024, "", 0);
    assert_true(sound(0));
    assert_false(ext2_dirent_is((void *)block, "", 0));
}

static void without_the_feature_types_are_unknown(void **state)
{
    struct ext2_geometry old = geometry;
    old.has_file_types = false;
    put(0, 11, 16, "a", EXT2_FT_DIR);
    assert_int_equal(ext2_dirent_type(&old, (void *)block), 0);
    put(0, 11, 16, "a", 200);
    assert_int_equal(ext2_dirent_type(&geometry, (void *)block), 0);
}

/* Rubbish and half-rubbish: the address sanitizer watches each step. */
static void walks_over_rubbish_end(void **state)
{
    u32 seed = 12345;
    for (int round = 0; round < 30000; round++) {
        put(0, 2, 12, ".", 2);
        put(12, 2, 12, "..", 2);
        put(24, 11, 20, "lost+found", 2);
        put(44, 12, 980, "x", 1);
        u32 damage = round % 3 == 0 ? 1024 : 4;
        for (u32 i = 0; i < damage; i++) {
            seed = seed * 1664525 + 1013904223;
            block[damage == 4 ? seed >> 8 & 63 : i] = (u8)(seed >> 24) & (seed & 1 ? 0xFF : 0x1C);
        }
        u32 offset = 0, steps = 0;
        while (offset < 1024) {
            const struct ext2_dir_entry_2 *e = ext2_dirent(&geometry, block, offset);
            if (!e)
                break;
            ext2_dirent_is(e, "some name", 9);
            ext2_dirent_type(&geometry, e);
            offset += e->rec_len;
            assert_true(offset <= 1024 && ++steps <= 1024 / 12);
        }
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sound_entry_is_found_by_its_whole_name),
        TEST(a_length_of_zero_is_refused),
        TEST(short_odd_and_overrunning_lengths_are_refused),
        TEST(entries_begin_inside_the_block_at_multiples_of_four),
        TEST(a_name_longer_than_its_entry_is_refused),
        TEST(names_with_slash_zero_or_nothing_are_refused),
        TEST(inodes_that_cannot_exist_are_refused),
        TEST(a_free_entry_is_sound_and_nameless),
        TEST(without_the_feature_types_are_unknown),
        TEST(walks_over_rubbish_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
