/*
 * Directory entries: a block of a directory is a chain of entries, each telling the distance to
 * the next. The chain is walked only over links that have been checked.
 */
#include "kernel/fs/ext2/layout.h"
#include "kernel/lib/lib.h"

/* The kernel's only: file types as getdents64(2) gives them. */
static const u8 dirent_types[EXT2_FT_MAX] = {
    [EXT2_FT_UNKNOWN] = 0, [EXT2_FT_REG_FILE] = 8, [EXT2_FT_DIR] = 4,   [EXT2_FT_CHRDEV] = 2,
    [EXT2_FT_BLKDEV] = 6,  [EXT2_FT_FIFO] = 1,     [EXT2_FT_SOCK] = 12, [EXT2_FT_SYMLINK] = 10,
};

const struct ext2_dir_entry_2 *ext2_dirent(const struct ext2_geometry *g, const void *block,
                                           u32 offset)
{
    if (offset % 4 || offset > g->block_size - EXT2_DIRENT_HEADER)
        return NULL;
    const struct ext2_dir_entry_2 *e = (const void *)((const char *)block + offset);
    u32 len = e->rec_len;
    if (len % 4 || len < EXT2_DIRENT_HEADER + 4 || len > g->block_size - offset)
        return NULL;
    if (e->inode == 0)
        return e;
    if (e->inode > g->inodes || e->name_len == 0 || EXT2_DIRENT_HEADER + e->name_len > len)
        return NULL;
    return e;
}

bool ext2_dirent_named(const struct ext2_dir_entry_2 *e)
{
    return !memchr(e->name, '/', e->name_len) && !memchr(e->name, 0, e->name_len);
}

bool ext2_dirent_is(const struct ext2_dir_entry_2 *e, const char *name, u32 len)
{
    return e->inode && e->name_len == len && memcmp(e->name, name, len) == 0;
}

u8 ext2_dirent_type(const struct ext2_geometry *g, const struct ext2_dir_entry_2 *e)
{
    return g->has_file_types && e->file_type < EXT2_FT_MAX ? dirent_types[e->file_type] : 0;
}
