/*
 * Groups: a disk is cut into groups of as many blocks as one bitmap block can tell of, each with a
 * bitmap of its blocks, one of its inodes, and a piece of the inode table. A descriptor says where
 * these are and how many of each are free.
 */
#include "kernel/fs/ext2/ext2.h"

/* Nothing that a descriptor names lies outside of the file system. */
static bool descriptor_sound(const struct ext2_geometry *g, const struct ext2_group_desc *gd)
{
    return ext2_blocks_valid(g, gd->bg_inode_table, ext2_table_blocks(g)) &&
           ext2_blocks_valid(g, gd->bg_block_bitmap, 1) &&
           ext2_blocks_valid(g, gd->bg_inode_bitmap, 1);
}

int ext2_group_get(struct super *s, u32 group, struct ext2_group *gr)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    u32 per_block = g->block_size / sizeof(struct ext2_group_desc);
    int error = ext2_buf_read(s, g->first_data_block + 1 + group / per_block, &gr->buf);
    if (error)
        return error;
    gr->desc = (struct ext2_group_desc *)gr->buf.data + group % per_block;
    gr->first_block = g->first_data_block + group * g->blocks_per_group;
    gr->nr_blocks = MIN(g->blocks_per_group, g->blocks - gr->first_block);
    if (descriptor_sound(g, gr->desc))
        return 0;
    ext2_buf_put(&gr->buf);
    return ext2_damaged(s, "the descriptor of group %u leads out of the file system", group);
}
