/*
 * Taking and freeing inodes. A file's inode goes into the group of its directory, so that what is
 * used together lies together; a directory's into the group with the most free blocks among those
 * with an average share of free inodes, so that there is room for its files beside it.
 *
 * The caller holds the file system's lock.
 */
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

static void count_inodes(struct super *s, struct ext2_group *gr, s32 more_free, bool directory)
{
    gr->desc->bg_free_inodes_count = (u16)(gr->desc->bg_free_inodes_count + more_free);
    if (directory)
        gr->desc->bg_used_dirs_count = (u16)(gr->desc->bg_used_dirs_count - more_free);
    s->files_free += (s64)more_free;
    ext2_of(s)->counts_changed = true;
    ext2_buf_dirty(s, &gr->buf);
}

/* The group for a new directory; any will do when no group has its share. */
static int group_for_directory(struct super *s, u32 *best)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u32 share = (u32)s->files_free / g->groups, most = 0;
    for (u32 group = 0; group < g->groups; group++) {
        struct ext2_group gr;
        int error = ext2_group_get(s, group, &gr);
        if (error)
            return error;
        if (gr.desc->bg_free_inodes_count && gr.desc->bg_free_inodes_count >= share &&
            gr.desc->bg_free_blocks_count > most) {
            most = gr.desc->bg_free_blocks_count;
            *best = group;
        }
        ext2_buf_put(&gr.buf);
    }
    return 0;
}

/* A damaged bitmap may call an inode free that a file has. */
static int check_unused(struct super *s, u32 ino)
{
    struct ext2_inode raw;
    u64 pos;
    int error = ext2_inode_locate(s, ino, &pos);
    if (!error)
        error = cache_read_bytes(ext2_of(s)->metadata, pos, &raw, sizeof(raw));
    if (!error && (raw.i_links_count || inode_in_memory(s, ino)))
        error = ext2_damaged(s, "the bitmap calls inode %u free, which is in use", ino);
    return error;
}

/* Takes the first free inode of the group; *ino stays 0 when there is none. */
static int alloc_in_group(struct super *s, u32 group, bool directory, u32 *ino)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    struct ext2_group gr;
    struct ext2_buf map;
    int error = ext2_group_get(s, group, &gr);
    if (error)
        return error;
    if (gr.desc->bg_free_inodes_count &&
        !(error = ext2_buf_read(s, gr.desc->bg_inode_bitmap, &map))) {
        u32 first = group ? 0 : g->first_inode - 1; /* reserved ones are never given away */
        u32 end = MIN(g->inodes_per_group, g->inodes - group * g->inodes_per_group);
        u32 bit = ext2_bits_find_clear(map.data, first, end);
        if (bit < end) {
            ext2_bits_set(map.data, bit, 1, true);
            ext2_buf_dirty(s, &map);
            error = check_unused(s, group * g->inodes_per_group + bit + 1);
            if (!error) {
                count_inodes(s, &gr, -1, directory);
                *ino = group * g->inodes_per_group + bit + 1;
            }
        }
        ext2_buf_put(&map);
    }
    ext2_buf_put(&gr.buf);
    return error;
}

int ext2_inode_alloc(struct inode *dir, bool directory, u32 *ino)
{
    struct super *s = dir->super;
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u32 first = (dir->ino - 1) / g->inodes_per_group;
    int error = directory ? group_for_directory(s, &first) : 0;
    *ino = 0;
    for (u32 i = 0; i < g->groups && !error && !*ino; i++)
        error = alloc_in_group(s, (first + i) % g->groups, directory, ino);
    return error ? error : *ino ? 0 : -ENOSPC;
}

int ext2_inode_free(struct super *s, u32 ino, bool directory)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u32 bit = (ino - 1) % g->inodes_per_group;
    struct ext2_group gr;
    struct ext2_buf map;
    int error = ext2_group_get(s, (ino - 1) / g->inodes_per_group, &gr);
    if (error)
        return error;
    error = ext2_buf_read(s, gr.desc->bg_inode_bitmap, &map);
    if (!error) {
        if (ext2_bit(map.data, bit)) {
            ext2_bits_set(map.data, bit, 1, false);
            ext2_buf_dirty(s, &map);
            count_inodes(s, &gr, 1, directory);
        } else {
            error = ext2_damaged(s, "inode %u is freed, and was free", ino);
        }
        ext2_buf_put(&map);
    }
    ext2_buf_put(&gr.buf);
    return error;
}
