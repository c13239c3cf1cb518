/*
 * ext2 on the disk, as bytes and arithmetic: what can be decided without reading anything more.
 * Nothing here needs the kernel, so that it is tested alone and fed with rubbish.
 *
 * Every structure read from a disk is untrusted. The functions here are the gates: behind them a
 * geometry's fields can be divided by and a directory entry can be walked over.
 *
 * The structures themselves are those of ext2fs/ext2_fs.h (e2fsprogs); they are little-endian, as
 * this machine is. See also "The Second Extended File System", Dave Poirier.
 */
#ifndef KERNEL_FS_EXT2_LAYOUT_H
#define KERNEL_FS_EXT2_LAYOUT_H

#include <ext2fs/ext2_fs.h>
#include "kernel/lib/types.h"

#define EXT2_SUPER_OFFSET 1024 /* bytes from the start of the device, whatever the block size */

/* super_check.c: the shape of a file system, checked. */
struct ext2_geometry {
    u32 block_size, block_shift; /* 1024, 2048 or 4096 */
    u32 blocks;                  /* numbers of data blocks lie between ... */
    u32 first_data_block;        /* ... this (which holds the superblock) and `blocks` */
    u32 groups, blocks_per_group, inodes_per_group;
    u32 inodes;      /* numbers 1 ... inodes */
    u32 first_inode; /* the first that is not reserved */
    u32 inode_size;
    bool has_file_types; /* in directory entries */
    bool writable;       /* it has no feature that a writer would have to know, and we do not */
};
/* True when the file system can be read; else `why` is a sentence for people. */
bool ext2_check_super(const struct ext2_super_block *sb, u64 device_bytes, struct ext2_geometry *g,
                      char *why, size_t why_size);

/* A pointer to a block, or to `count` blocks in a row, leads into the file system (0 is no
 * pointer: it stands for a hole). */
static inline bool ext2_blocks_valid(const struct ext2_geometry *g, u32 block, u32 count)
{
    return block > g->first_data_block && block < g->blocks && count <= g->blocks - block;
}

/* Blocks of one group's piece of the inode table. */
static inline u32 ext2_table_blocks(const struct ext2_geometry *g)
{
    return DIV_ROUND_UP(g->inodes_per_group * g->inode_size, g->block_size);
}

/* map.c: the way from an inode to a block of its file: index[0] in the inode's own table, each
 * further index in the table block that the last one named. */
struct ext2_path {
    u32 depth; /* 1: direct ... 4: triple indirect; 0: the file cannot have such a block */
    u32 index[4];
    u32 left; /* entries from the last index to the end of its table: a run's upper limit */
};
struct ext2_path ext2_path(u32 block_shift, u32 file_block);
u64 ext2_max_blocks(u32 block_shift); /* that a file can have */

/* bitmap.c. The map is aligned to a word. */
bool ext2_bit(const void *map, u32 n);
void ext2_bits_set(void *map, u32 first, u32 count, bool value);
/* How many bits from `first` on are clear (or set), at most `max`. */
u32 ext2_bits_clear_run(const void *map, u32 first, u32 max);
u32 ext2_bits_set_run(const void *map, u32 first, u32 max);
u32 ext2_bits_find_clear(const void *map, u32 from, u32 end); /* `end`: none before it */

/* dirent.c. */
#define EXT2_DIRENT_HEADER 8u /* bytes before the name */
/* The entry at `offset` of a directory block, or NULL when it is not sound: then nothing in this
 * block from here on can be trusted. A sound entry ends inside the block, is at least 12 bytes
 * long (a walk always comes to the end), holds its name, and names an inode that can exist. Its
 * `inode` is 0 when the entry is free. */
const struct ext2_dir_entry_2 *ext2_dirent(const struct ext2_geometry *g, const void *block,
                                           u32 offset);
/* Can a program be given its name? Who looks for one finds no other, so only readdir asks. */
bool ext2_dirent_named(const struct ext2_dir_entry_2 *e);
bool ext2_dirent_is(const struct ext2_dir_entry_2 *e, const char *name, u32 len);
u8 ext2_dirent_type(const struct ext2_geometry *g, const struct ext2_dir_entry_2 *e); /* DT_* */

#endif
