/*
 * Where in an inode's tree of tables a block of the file is found.
 *
 * The inode holds 12 pointers to blocks, then one to a table of pointers, one to a table of
 * tables, and one to a table of tables of tables. A table fills one block: 256, 512 or 1024
 * pointers of 4 bytes.
 */
#include "kernel/fs/ext2/layout.h"

struct ext2_path ext2_path(u32 block_shift, u32 file_block)
{
    struct ext2_path path = {0};
    u32 bits = block_shift - 2; /* a table has 1 << bits entries */
    u32 per_table = 1u << bits;
    u64 n = file_block;

    if (n < EXT2_NDIR_BLOCKS) {
        path.depth = 1;
        path.index[0] = (u32)n;
        path.left = EXT2_NDIR_BLOCKS - (u32)n;
        return path;
    }
    n -= EXT2_NDIR_BLOCKS;
    for (u32 depth = 2; depth <= 4; depth++) {
        u64 blocks_below = 1ull << bits * (depth - 1);
        if (n < blocks_below) {
            path.depth = depth;
            path.index[0] = EXT2_IND_BLOCK + depth - 2;
            for (u32 level = 1; level < depth; level++)
                path.index[level] = (u32)(n >> bits * (depth - 1 - level)) & (per_table - 1);
            path.left = per_table - path.index[depth - 1];
            return path;
        }
        n -= blocks_below;
    }
    return path;
}

u64 ext2_max_blocks(u32 block_shift)
{
    u32 bits = block_shift - 2;
    return EXT2_NDIR_BLOCKS + (1ull << bits) + (1ull << 2 * bits) + (1ull << 3 * bits);
}
