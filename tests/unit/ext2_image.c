/*
 * ext2 and the page cache on images that mke2fs made, and on such images damaged at random: every
 * file reads right, and no damage leads outside the memory, to a loop, or to a lost page.
 *
 * EXT2_ROUNDS=n in the environment: damaged images for each block size.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "tests/unit/ext2_image.h"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#include "drivers/block.c"
#include "drivers/mbr.c"
#include "kernel/cache/cache.c"
#include "kernel/cache/device.c"
#include "kernel/cache/dirty.c"
#include "kernel/cache/gather.c"
#include "kernel/cache/lru.c"
#include "kernel/cache/readahead.c"
#include "kernel/cache/write.c"
#include "kernel/fs/ext2/blocks.c"
#include "kernel/fs/ext2/buffer.c"
#include "kernel/fs/ext2/dir.c"
#include "kernel/fs/ext2/dirent.c"
#include "kernel/fs/ext2/entries.c"
#include "kernel/fs/ext2/inode.c"
#include "kernel/fs/ext2/map.c"
#include "kernel/fs/ext2/super.c"
#include "kernel/fs/ext2/super_check.c"

/* Nothing is written here: what writes is named by tables of operations, and never called. */
#define NEVER(type, name, ...)          \
    type name(__VA_ARGS__)              \
    {                                   \
        assert_string_equal(#name, ""); \
        abort();                        \
    }
NEVER(int, inodes_sync, struct super *s)
NEVER(struct inode *, inode_take_unlinked, struct super *s)
NEVER(void, inodes_wait_ending, const struct super *s)
NEVER(void, ext2_delete, struct inode *inode)
NEVER(void, cache_page_written, struct page *page, int error)
NEVER(void, cache_page_started, struct page *page, int error)
NEVER(void, writeback_dirtied, struct mapping *m, int pages)
NEVER(u32, realtime_seconds, void)
NEVER(void, cache_start_writing, struct mapping *m, u32 first, u32 end)
NEVER(int, ext2_map_new, struct inode *inode, u32 file_block, u32 *disk_block, bool *fresh)
NEVER(int, ext2_unmap, struct inode *inode, u32 file_block)
NEVER(int, ext2_tree_cut, struct inode *inode, u32 keep_blocks)
NEVER(int, ext2_write_inode, struct inode *inode)
NEVER(struct inode *, ext2_create, struct inode *d, const struct name *n, const struct new_file *w)
NEVER(int, ext2_link, struct inode *d, const struct name *n, struct inode *i)
NEVER(int, ext2_unlink, struct inode *d, const struct name *n, struct inode *i)
NEVER(int, ext2_rename, struct inode *f, const struct name *n, struct inode *i, struct inode *t,
      const struct name *m, struct inode *target, u32 flags)
NEVER(int, ext2_prepare_write, struct mapping *m, u32 index, u32 offset, u32 len)
NEVER(void, ext2_write_pages, struct mapping *m, struct page **run, u32 nr)
NEVER(void, ext2_trim, struct mapping *m)
NEVER(int, ext2_resize, struct inode *inode, u64 size)
NEVER(int, ext2_update, struct inode *inode)
NEVER(int, split_sync, struct block_device *d)
NEVER(int, cache_write_out, struct mapping *m, u32 first, u32 end)
NEVER(void, mmap_protect_page, struct mapping *m, u32 index)

void split_set_up(struct inode *inode) {} /* ferry.cache=split */
void cache_wait_written(struct page *page) {}
void wake_one(struct wait_queue *q) {} /* of the file system's lock */
void ext2_release(struct inode *inode)
{
    kfree(inode->fs);
    inode->fs = NULL;
}

static u32 cache_reclaim_some(void)
{
    return cache_reclaim_hard(16);
}

#define IMAGE_BYTES (4u << 20)
static u8 *pristine; /* as mke2fs made it */
static struct block_device *disk;
static u32 seed;

static u32 rnd(u32 below)
{
    seed = seed * 1664525 + 1013904223;
    return (u32)((u64)(seed ^ seed >> 13) * below >> 32);
}

/* The files, in a folder of the host; the sparse one has its last byte behind the double indirect
 * blocks of 1 KiB. */
static const char make_image[] =
    "set -e; PATH=$PATH:/sbin:/usr/sbin; rm -rf \"$D\"; mkdir -p \"$D/r/dir/sub\"; cd \"$D/r\";"
    "seq 100000 | head -c 400001 >numbers; printf x >one; : >empty; head -c 4096 numbers >page;"
    "printf end | dd of=sparse bs=1 seek=70000000 status=none; truncate -s 123457 hole;"
    "seq 3000 | dd of=sparse bs=1000 seek=333 conv=notrunc status=none;"
    "ln -s one short; ln -s $(printf 'd/%.0s' $(seq 500)) long; mkfifo fifo;"
    "for i in $(seq 100); do echo $i >dir/a-name-that-fills-the-directory-$i; done;"
    "mke2fs -q -t ext2 -b $B -I 128 -N 256 -d . ../image 4M >/dev/null 2>&1";

static void make(u32 block_size)
{
    char folder[64], command[2048], path[80];
    snprintf(folder, sizeof(folder), "/tmp/ferry-ext2-%d", (int)getpid());
    snprintf(command, sizeof(command), "D=%s B=%u; %s", folder, block_size, make_image);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof(path), "%s/image", folder);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fread(pristine, 1, IMAGE_BYTES, f), IMAGE_BYTES);
    fclose(f);
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

static void plug_in(void)
{
    memcpy(disk_bytes, pristine, IMAGE_BYTES);
    disk = calloc(1, sizeof(*disk));
    strcpy(disk->name, "hda");
    disk->nr_sectors = IMAGE_BYTES / SECTOR_SIZE;
    disk->max_sectors = 256;
    disk->ops = &disk_ops;
    bad_sector = ~0ull;
    moved_payload = moved_padding = moved_zeroes = 0;
}

static void unmount(struct super *s)
{
    s->unmount(s);
}

/* Everything is given back: no page, no object, no request is left. */
static void pull_out(void)
{
    while (!TAILQ_EMPTY(&disk_queue))
        disk_end(TAILQ_FIRST(&disk_queue));
    if (disk->metadata) {
        cache_truncate(disk->metadata);
        kfree(disk->metadata);
    }
    free(disk);
    assert_int_equal(cache_stats.pages, 0);
    assert_int_equal(page_holds[HOLD_CACHE], 0);
    assert_int_equal(page_holds[HOLD_USE], 0);
    assert_int_equal(objects, 0);
    assert_int_equal(account.refs, 1);
}

static struct super *mount(void)
{
    struct super *s = ext2_fs.mount(disk, SUPER_READ_ONLY, "");
    if (is_err(s))
        fail_msg("not mounted: %s", said);
    return s;
}

static struct inode *find(struct super *s, const char *name)
{
    struct inode *inode = s->root->ops->lookup(s->root, name, (u32)strlen(name));
    if (is_err(inode))
        fail_msg("%s: error %d", name, ptr_err(inode));
    return inode;
}

/* Reads a whole file through the cache and compares it with what it was made of. */
static void assert_file(struct super *s, const char *name, u64 size, u8 (*byte)(u64 pos))
{
    struct inode *inode = find(s, name);
    struct readahead ra = {0};
    assert_true(inode->size == size && inode->mapping.size == size);
    for (u32 i = 0; i < DIV_ROUND_UP(size, PAGE_SIZE); i++) {
        struct page *page;
        assert_int_equal(cache_read(&inode->mapping, i, 1, &ra, &page, NULL), 0);
        const u8 *data = page_virt(page);
        for (u32 j = 0; j < PAGE_SIZE; j++) {
            u64 pos = (u64)i * PAGE_SIZE + j;
            u8 want = pos < size ? byte(pos) : 0;
            if (data[j] != want)
                fail_msg("%s: byte %llu is %02x, not %02x", name, (unsigned long long)pos, data[j],
                         want);
        }
        page_put(page, HOLD_USE);
    }
    inode_put(inode);
}

static char numbers[600000];
static u8 byte_of_numbers(u64 pos)
{
    return (u8)numbers[pos];
}
static u8 byte_of_one(u64 pos)
{
    return 'x';
}
static u8 byte_of_hole(u64 pos)
{
    return 0;
}
static u8 byte_of_sparse(u64 pos)
{
    if (pos >= 333000 && pos < 333000 + 13893) /* the length of `seq 3000` */
        return (u8)numbers[pos - 333000];
    return pos >= 70000000 ? (u8) "end"[pos - 70000000] : 0;
}

static u32 names_seen;
static u64 last_next;
static bool count_name(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 type, u64 next)
{
    assert_true(len > 0 && len <= NAME_MAX_LEN && next > last_next);
    assert_null(memchr(name, '/', len));
    last_next = next;
    names_seen++;
    return names_seen % 7 != 0; /* stops now and then, as a program's buffer does */
}

/* All names of a directory, in as many calls as it takes. */
static int list(struct inode *dir)
{
    struct dir_sink sink = {count_name};
    struct file file = {.inode = dir};
    u64 before;
    int error;
    last_next = 0;
    do {
        before = file.pos;
        u32 seen = names_seen;
        error = dir->fops->readdir(&file, &sink);
        assert_true(file.pos >= before);
        if (names_seen % 7 == 0 && names_seen > seen)
            last_next = file.pos; /* the entry that was refused comes again */
        else
            break;
    } while (!error);
    return error;
}

static void every_file_reads_right(void **state)
{
    for (u32 block_size = 1024; block_size <= 4096; block_size *= 2) {
        make(block_size);
        plug_in();
        struct super *s = mount();
        assert_int_equal(s->block_size, block_size);
        assert_file(s, "numbers", 400001, byte_of_numbers);
        assert_true(moved_payload == 400001);
        assert_true(moved_padding == ROUND_UP(400001, block_size) - 400001);
        assert_file(s, "one", 1, byte_of_one);
        assert_file(s, "empty", 0, byte_of_one);
        assert_file(s, "page", 4096, byte_of_numbers);
        assert_file(s, "hole", 123457, byte_of_hole);
        assert_true(moved_zeroes == 123457);
        assert_file(s, "sparse", 70000003, byte_of_sparse);

        char target[PATH_MAX_LEN];
        struct inode *link = find(s, "short");
        assert_int_equal(link->ops->readlink(link, target, sizeof(target)), 3);
        assert_memory_equal(target, "one", 3);
        inode_put(link);
        link = find(s, "long");
        assert_int_equal(link->ops->readlink(link, target, sizeof(target)), 1000);
        assert_memory_equal(target + 998, "d/", 2);
        assert_int_equal(link->ops->readlink(link, target, 5), 5);
        inode_put(link);

        struct inode *dir = find(s, "dir");
        names_seen = 0;
        assert_int_equal(list(dir), 0);
        assert_true(names_seen >= 103); /* with . and .. and sub; refused ones come twice */
        struct inode *absent = dir->ops->lookup(dir, "a-name", 6);
        assert_int_equal(ptr_err(absent), -ENOENT);
        inode_put(dir);
        unmount(s);
        pull_out();
    }
}

static void little_memory_only_costs_time(void **state)
{
    make(1024);
    plug_in();
    struct super *s = mount();
    u32 kept = pages_left;
    pages_left = 40;
    assert_file(s, "numbers", 400001, byte_of_numbers);
    assert_file(s, "sparse", 70000003, byte_of_sparse);
    pages_left += kept - 40;
    unmount(s);
    pull_out();
}

static void a_bad_sector_costs_one_page(void **state)
{
    make(4096);
    plug_in();
    struct super *s = mount();
    struct inode *inode = find(s, "numbers");
    struct ext2_extent e;
    assert_int_equal(ext2_map(inode, 50, 1, &e), 0);
    bad_sector = e.disk_block * 8 + 3;
    struct readahead ra = {0};
    for (u32 i = 0; i < DIV_ROUND_UP(400001, PAGE_SIZE); i++) {
        struct page *page;
        int error = cache_read(&inode->mapping, i, 1, &ra, &page, NULL);
        assert_int_equal(error, i == 50 ? -EIO : 0);
        if (error) {
            assert_null(cache_peek(&inode->mapping, i));
            continue;
        }
        assert_memory_equal(page_virt(page), numbers + i * PAGE_SIZE,
                            MIN(PAGE_SIZE, 400001 - i * PAGE_SIZE));
        page_put(page, HOLD_USE);
    }
    bad_sector = ~0ull; /* the sector is good again: so is the page */
    struct page *page;
    assert_int_equal(cache_read(&inode->mapping, 50, 1, &ra, &page, NULL), 0);
    page_put(page, HOLD_USE);
    inode_put(inode);
    unmount(s);
    pull_out();
}

/* --- Damage ----------------------------------------------------------------------------------- */

static void damage(u32 block_size)
{
    u32 *words = (u32 *)disk_bytes, nr = IMAGE_BYTES / 4;
    for (u32 n = 1 + rnd(12); n; n--) {
        /* Words that are in use; the superblock seldom, since then nothing else is seen. */
        u32 at = rnd(nr);
        for (u32 tries = 0; tries < 100000; tries++, at = (at + 1) % nr) {
            if (words[at] && !(at >= 256 && at < 512 && rnd(100)))
                break;
        }
        switch (rnd(6)) {
        case 0:
            words[at] = rnd(2) ? 0 : ~0u;
            break;
        case 1:
            words[at] ^= 1u << rnd(32);
            break;
        case 2:
            words[at] += rnd(2) ? 1 : -1u;
            break;
        case 3:
            words[at] = rnd(IMAGE_BYTES / block_size + 2); /* some block */
            break;
        case 4:
            disk_bytes[at * 4 + rnd(4)] = (u8)rnd(256);
            break;
        case 5:
            memcpy(disk_bytes + rnd(IMAGE_BYTES / block_size) * block_size,
                   disk_bytes + rnd(IMAGE_BYTES / block_size) * block_size, block_size);
            break;
        }
    }
    if (rnd(4) == 0)
        bad_sector = rnd(IMAGE_BYTES / SECTOR_SIZE);
}

static u32 visits;

static void visit(struct inode *inode, u32 depth);

static bool visit_name(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 type, u64 next)
{
    return true;
}

static void visit_directory(struct inode *dir, u32 depth)
{
    static const char *const names[] = {
        "..",    "numbers", "sparse", "hole", "long",
        "short", "dir",     "sub",    "fifo", "a-name-that-fills-the-directory-77"};
    struct dir_sink sink = {visit_name};
    struct file file = {.inode = dir, .pos = rnd(3) ? 0 : rnd(10000)};
    dir->fops->readdir(&file, &sink);
    for (u32 i = 0; i < ARRAY_LEN(names); i++) {
        struct inode *inode = dir->ops->lookup(dir, names[i], (u32)strlen(names[i]));
        if (is_err(inode)) {
            assert_true(ptr_err(inode) == -ENOENT || ptr_err(inode) == -EIO);
            continue;
        }
        visit(inode, depth + 1);
        inode_put(inode);
    }
}

static void visit_file(struct inode *inode)
{
    struct readahead ra = {0};
    u32 nr = mapping_pages(&inode->mapping);
    for (u32 n = 0, i = 0; n < 150; n++, i++) {
        if (n % 50 == 49)
            i = rnd(2) ? nr - 3 : rnd(nr + 1);
        struct page *page;
        int error = cache_read(&inode->mapping, i, 1 + rnd(20), &ra, &page, NULL);
        assert_true(error == 0 || error == -EIO || (error == -ENXIO && i >= nr));
        if (!error)
            page_put(page, HOLD_USE);
    }
}

static void visit(struct inode *inode, u32 depth)
{
    char target[PATH_MAX_LEN];
    if (visits++ > 300 || depth > 4)
        return;
    switch (S_TYPE(inode->mode)) {
    case S_DIR:
        visit_directory(inode, depth);
        break;
    case S_LNK:
        assert_true(inode->ops->readlink(inode, target, sizeof(target)) < PATH_MAX_LEN);
        break;
    case S_REG:
        visit_file(inode);
        break;
    }
}

static void no_damage_does_harm(void **state)
{
    const char *rounds_text = getenv("EXT2_ROUNDS");
    u32 rounds = rounds_text ? (u32)atoi(rounds_text) : 300;
    for (u32 block_size = 1024; block_size <= 4096; block_size *= 2) {
        u32 mounted = 0;
        make(block_size);
        for (u32 round = 0; round < rounds; round++) {
            seed = block_size + round;
            alarm(20); /* a loop ends the test */
            plug_in();
            damage(block_size);
            visits = 0;
            struct super *s = ext2_fs.mount(disk, SUPER_READ_ONLY, "");
            if (!is_err(s)) {
                mounted++;
                visit(s->root, 0);
                unmount(s);
            }
            pull_out();
        }
        assert_true(mounted > rounds / 2);
    }
    alarm(0);
}

int main(void)
{
    u32 at = 0;
    for (u32 i = 1; at < sizeof(numbers) - 10; i++)
        at += (u32)snprintf(numbers + at, 10, "%u\n", i);
    pristine = malloc(IMAGE_BYTES);
    disk_bytes = malloc(IMAGE_BYTES);
    cache_init();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_reads_right),
        cmocka_unit_test(little_memory_only_costs_time),
        cmocka_unit_test(a_bad_sector_costs_one_page),
        cmocka_unit_test(no_damage_does_harm),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free(pristine);
    free(disk_bytes);
    return failed;
}
