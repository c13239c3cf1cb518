/*
 * Taking and freeing blocks.
 *
 * A file stays in one piece where it can: a block is wanted behind the file's last one (the goal),
 * and when a file starts to grow, the blocks behind are kept for it (a window), so that two files
 * that grow at the same time do not interleave. A window is a promise in memory only, and the
 * first thing to go when the disk gets full.
 *
 * The caller holds the file system's lock (ext2_lock), so between looking at a bitmap and changing
 * it nobody else comes, whatever sleeps meanwhile.
 */
#include <linux/capability.h>
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/task.h"

#define WINDOW_BLOCKS 32u
/* So many files grow at the same time. All are looked at for each block that is taken. */
#define WINDOWS_MAX 32u

static void window_close(struct ext2 *fs, struct ext2_inode_info *info)
{
    if (info->window_len) {
        TAILQ_REMOVE(&fs->windows, info, window);
        fs->nr_windows--;
    }
    info->window_len = 0;
}

void ext2_window_close(struct inode *inode)
{
    window_close(ext2_of(inode->super), ext2_info(inode));
}

static void window_open(struct ext2 *fs, struct ext2_inode_info *info, u32 start, u32 len)
{
    window_close(fs, info);
    if (!len)
        return;
    if (fs->nr_windows == WINDOWS_MAX) /* of whom that has not grown for longest */
        window_close(fs, TAILQ_FIRST(&fs->windows));
    fs->nr_windows++;
    info->window_start = start;
    info->window_len = len;
    TAILQ_INSERT_TAIL(&fs->windows, info, window);
}

/* The window of another file that `block` lies in, or NULL. */
static struct ext2_inode_info *window_at(struct ext2 *fs, const struct ext2_inode_info *mine,
                                         u32 block)
{
    struct ext2_inode_info *info;
    TAILQ_FOREACH (info, &fs->windows, window)
        if (info != mine && block - info->window_start < info->window_len)
            return info;
    return NULL;
}

/* How many free blocks follow `block` (itself among them) that no other file's window touches. */
static u32 free_run(struct ext2 *fs, const struct ext2_inode_info *mine,
                    const struct ext2_group *gr, const void *map, u32 block, u32 max)
{
    u32 bit = block - gr->first_block;
    u32 n = ext2_bits_clear_run(map, bit, MIN(max, gr->nr_blocks - bit));
    const struct ext2_inode_info *info;
    TAILQ_FOREACH (info, &fs->windows, window)
        if (info != mine && info->window_start >= block)
            n = MIN(n, info->window_start - block);
    return n;
}

/* The first free block of the group from `from` on; 0: none. */
static u32 find_block(struct ext2 *fs, const struct ext2_inode_info *mine,
                      const struct ext2_group *gr, const void *map, u32 from)
{
    u32 bit = from - gr->first_block;
    while ((bit = ext2_bits_find_clear(map, bit, gr->nr_blocks)) < gr->nr_blocks) {
        const struct ext2_inode_info *other = window_at(fs, mine, gr->first_block + bit);
        if (!other)
            return gr->first_block + bit;
        bit = other->window_start + other->window_len - gr->first_block;
    }
    return 0;
}

static void count_blocks(struct super *s, struct ext2_group *gr, s32 more_free)
{
    gr->desc->bg_free_blocks_count = (u16)(gr->desc->bg_free_blocks_count + more_free);
    s->blocks_free += (s64)more_free;
    ext2_of(s)->counts_changed = true;
    ext2_buf_dirty(s, &gr->buf);
}

static bool overlap(u32 a, u32 a_count, u32 b, u32 b_count)
{
    return a < b + b_count && b < a + a_count;
}

/* The group's own bitmaps and table: a damaged bitmap may call them free, a damaged file may name
 * them. They are neither given away nor freed. */
static bool is_metadata(struct super *s, const struct ext2_group *gr, u32 block, u32 count)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    return overlap(block, count, gr->desc->bg_block_bitmap, 1) ||
           overlap(block, count, gr->desc->bg_inode_bitmap, 1) ||
           overlap(block, count, gr->desc->bg_inode_table, ext2_table_blocks(g));
}

/* Looks in one group, from `from` on. *block stays 0 when there is none. */
static int alloc_in_group(struct inode *inode, u32 group, u32 from, u32 *block)
{
    struct super *s = inode->super;
    struct ext2 *fs = ext2_of(s);
    struct ext2_inode_info *info = ext2_info(inode);
    struct ext2_group gr;
    struct ext2_buf map;
    int error = ext2_group_get(s, group, &gr);
    if (error)
        return error;
    if (gr.desc->bg_free_blocks_count &&
        !(error = ext2_buf_read(s, gr.desc->bg_block_bitmap, &map))) {
        *block = find_block(fs, info, &gr, map.data, MAX(from, gr.first_block));
        if (*block && is_metadata(s, &gr, *block, 1)) {
            ext2_bits_set(map.data, *block - gr.first_block, 1, true);
            ext2_buf_dirty(s, &map);
            error = ext2_damaged(s, "the bitmap calls block %u free, which is in use", *block);
        } else if (*block) {
            u32 run = free_run(fs, info, &gr, map.data, *block, WINDOW_BLOCKS);
            ext2_bits_set(map.data, *block - gr.first_block, 1, true);
            ext2_buf_dirty(s, &map);
            count_blocks(s, &gr, -1);
            window_open(fs, info, *block + 1, run - 1);
        }
        ext2_buf_put(&map);
    }
    ext2_buf_put(&gr.buf);
    return error;
}

/* All groups, from the goal on and round to it again. */
static int alloc_anywhere(struct inode *inode, u32 goal, u32 *block)
{
    const struct ext2_geometry *g = &ext2_of(inode->super)->g;
    u32 first = (goal - g->first_data_block) / g->blocks_per_group;
    *block = 0;
    for (u32 i = 0; i <= g->groups && !*block; i++) {
        u32 group = (first + i) % g->groups;
        int error = alloc_in_group(inode, group, i == 0 ? goal : 0, block);
        if (error)
            return error;
    }
    return 0;
}

/* The last blocks are kept (s_r_blocks_count, tune2fs -r) for root and whom it has named: so that
 * others cannot fill the disk on which the system lives. */
static bool may_take(const struct super *s)
{
    const struct ext2 *fs = ext2_of(s);
    return s->blocks_free > s->blocks_kept || capable(CAP_SYS_RESOURCE) ||
           current->cred.fsuid == fs->kept_uid || (fs->kept_gid && in_group(fs->kept_gid));
}

int ext2_block_alloc(struct inode *inode, u32 goal, u32 *block)
{
    struct super *s = inode->super;
    struct ext2 *fs = ext2_of(s);
    if (goal <= fs->g.first_data_block || goal >= fs->g.blocks)
        goal = fs->g.first_data_block + 1;
    if (!may_take(s))
        return -ENOSPC;
    int error = alloc_anywhere(inode, goal, block);
    while (!error && !*block && !TAILQ_EMPTY(&fs->windows)) { /* only promises are left */
        window_close(fs, TAILQ_FIRST(&fs->windows));
        error = alloc_anywhere(inode, goal, block);
    }
    if (error)
        return error;
    if (!*block)
        return -ENOSPC;
    inode->blocks += fs->g.block_size / SECTOR_SIZE;
    return 0;
}

int ext2_blocks_free(struct inode *inode, u32 block, u32 count)
{
    struct super *s = inode->super;
    const struct ext2_geometry *g = &ext2_of(s)->g;
    if (!ext2_blocks_valid(g, block, count))
        return ext2_damaged(s, "inode %u names block %u", inode->ino, block);
    split_forget(s->device, (u64)block << g->block_shift >> SECTOR_SHIFT,
                 (u64)count << g->block_shift >> SECTOR_SHIFT);
    while (count) {
        struct ext2_group gr;
        struct ext2_buf map;
        int error = ext2_group_get(s, (block - g->first_data_block) / g->blocks_per_group, &gr);
        if (error)
            return error;
        u32 bit = block - gr.first_block, n = MIN(count, gr.nr_blocks - bit);
        error = is_metadata(s, &gr, block, n)
                    ? ext2_damaged(s, "inode %u names block %u", inode->ino, block)
                    : ext2_buf_read(s, gr.desc->bg_block_bitmap, &map);
        if (!error) {
            u32 taken = ext2_bits_set_run(map.data, bit, n);
            ext2_bits_set(map.data, bit, taken, false);
            ext2_buf_dirty(s, &map);
            count_blocks(s, &gr, (s32)taken);
            ext2_buf_put(&map);
            if (taken < n)
                error = ext2_damaged(s, "block %u is freed, and was free", block + taken);
        }
        ext2_buf_put(&gr.buf);
        if (error)
            return error;
        inode->blocks -= n * (g->block_size / SECTOR_SIZE);
        block += n;
        count -= n;
    }
    return 0;
}
