/*
 * Directory entries, changed: names added, found, turned and removed by chance, against a plain
 * list; after each step every block is a sound chain. The directory's blocks are pieces of the
 * heap.
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
#include "kernel/fs/ext2/dirent.c"
#include "kernel/fs/ext2/entries.c"

#define BLOCKS 40u
#define NAMES  120u

static u32 cache_reclaim_some(void)
{
    return 0;
}
void cache_truncate(struct mapping *m) {}

static void *blocks[BLOCKS];
static u32 limit, in_use; /* the disk is full at `limit` blocks of directory */
static struct ext2 fs = {
    .g = {.block_size = 1024, .block_shift = 10, .inodes = 1000, .has_file_types = true}};
static struct super super_block = {.block_size = 1024, .fs = &fs};
static struct inode dir = {.super = &super_block, .ino = 2, .mode = S_DIR};

int ext2_damaged(struct super *s, const char *fmt, ...)
{
    fail_msg("said to be damaged: %s", fmt);
    return -EIO;
}
int ext2_map(struct inode *inode, u32 file_block, u32 want, struct ext2_extent *e)
{
    assert_true(file_block < in_use);
    *e = (struct ext2_extent){.file_block = file_block, .count = 1, .disk_block = file_block + 1};
    return 0;
}
int ext2_buf_read(struct super *s, u32 block, struct ext2_buf *b)
{
    *b = (struct ext2_buf){.data = blocks[block - 1], .block = block};
    return 0;
}
void ext2_buf_dirty(struct super *s, struct ext2_buf *b) {}
void ext2_buf_put(struct ext2_buf *b) {}
int ext2_map_new(struct inode *inode, u32 file_block, u32 *disk_block, bool *fresh)
{
    assert_int_equal(file_block, in_use);
    if (in_use == limit)
        return -ENOSPC;
    blocks[in_use] = calloc(1, 1024);
    ((struct ext2_dir_entry_2 *)blocks[in_use++])->rec_len = 1024;
    *disk_block = in_use;
    return 0;
}
int ext2_unmap(struct inode *inode, u32 file_block)
{
    return 0;
}
int ext2_tree_cut(struct inode *inode, u32 keep_blocks)
{
    while (in_use > keep_blocks)
        free(blocks[--in_use]);
    return 0;
}

static u32 seed;
static u32 rnd(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (u32)((u64)(seed ^ seed >> 13) * below >> 32);
}

/* Name n has a length of its own, from 1 to 255. */
static u32 name_of(u32 n, char *name)
{
    u32 len = n % 3 ? 3 + n % 29 : 100 + n % 156;
    memset(name, 'a' + (int)(n % 26), len);
    name[0] = (char)('A' + n % 50);
    name[1] = (char)('A' + n / 50);
    return len;
}

/* Walks all blocks: each name of the model once with its inode, and no other. */
static void expect_entries(const u32 *model)
{
    u32 found = 0, expected = 2; /* "." and ".." */
    assert_int_equal(dir.size, (u64)in_use * 1024);
    for (u32 n = 0; n < NAMES; n++)
        expected += model[n] != 0;
    for (u32 i = 0; i < in_use; i++) {
        u32 offset = 0;
        while (offset < 1024) {
            const struct ext2_dir_entry_2 *e = ext2_dirent(&fs.g, blocks[i], offset);
            assert_non_null(e);
            found += e->inode != 0;
            offset += e->rec_len;
        }
        assert_int_equal(offset, 1024);
    }
    assert_int_equal(found, expected);
}

static void step(u32 *model)
{
    char name[256];
    u32 n = rnd(NAMES), len = name_of(n, name), ino = 11 + rnd(900);
    struct ext2_entry at;
    int error = ext2_entry_find(&dir, name, len, &at);
    assert_int_equal(error, model[n] ? 0 : -ENOENT);
    if (error) {
        error = ext2_entry_add(&dir, name, len, ino, S_REG, NULL);
        assert_true(error == 0 || (error == -ENOSPC && in_use == limit));
        model[n] = error ? 0 : ino;
        return;
    }
    assert_int_equal(at.entry->inode, model[n]);
    if (rnd(3) == 0) {
        ext2_entry_turn(&dir, &at, ino, S_LNK);
        model[n] = ino;
    } else {
        assert_int_equal(ext2_entry_remove(&dir, &at), 0);
        model[n] = 0;
    }
}

static void a_directory_is_what_was_put_into_it(void **state)
{
    for (seed = 1; seed < 30; seed += 7) {
        u32 model[NAMES] = {0}, first = seed;
        limit = seed % 2 ? BLOCKS : 4;
        assert_int_equal(ext2_dir_init(&dir, 2), 0);
        for (u32 i = 0; i < 4000; i++) {
            step(model);
            expect_entries(model);
        }
        for (u32 n = 0; n < NAMES; n++) {
            char name[256];
            u32 len = name_of(n, name);
            struct ext2_entry at;
            if (model[n]) {
                assert_int_equal(ext2_entry_find(&dir, name, len, &at), 0);
                assert_int_equal(ext2_entry_remove(&dir, &at), 0);
                model[n] = 0;
            }
        }
        assert_int_equal(ext2_dir_empty(&dir), 0);
        assert_int_equal(in_use, 1); /* it has given all others back */
        ext2_tree_cut(&dir, 0);
        dir.size = 0;
        seed = first;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_directory_is_what_was_put_into_it)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
