/*
 * Is this a file system that we can read? Every later division, shift and index rests on what is
 * checked here.
 */
#include "kernel/fs/ext2/layout.h"
#include "kernel/lib/lib.h"

#define FEATURES_SUPPORTED EXT2_FEATURE_INCOMPAT_FILETYPE
#define RO_FEATURES_SUPPORTED \
    (EXT2_FEATURE_RO_COMPAT_SPARSE_SUPER | EXT2_FEATURE_RO_COMPAT_LARGE_FILE)

/* Names as mke2fs -O and dumpe2fs have them. */
static const struct {
    u32 bit;
    const char *name;
} feature_names[] = {
    {EXT2_FEATURE_INCOMPAT_COMPRESSION, "compression"},
    {EXT3_FEATURE_INCOMPAT_RECOVER, "needs_recovery"},
    {EXT3_FEATURE_INCOMPAT_JOURNAL_DEV, "journal_dev"},
    {EXT2_FEATURE_INCOMPAT_META_BG, "meta_bg"},
    {EXT3_FEATURE_INCOMPAT_EXTENTS, "extent"},
    {EXT4_FEATURE_INCOMPAT_64BIT, "64bit"},
    {EXT4_FEATURE_INCOMPAT_MMP, "mmp"},
    {EXT4_FEATURE_INCOMPAT_FLEX_BG, "flex_bg"},
    {EXT4_FEATURE_INCOMPAT_EA_INODE, "ea_inode"},
    {EXT4_FEATURE_INCOMPAT_DIRDATA, "dirdata"},
    {EXT4_FEATURE_INCOMPAT_CSUM_SEED, "metadata_csum_seed"},
    {EXT4_FEATURE_INCOMPAT_LARGEDIR, "large_dir"},
    {EXT4_FEATURE_INCOMPAT_INLINE_DATA, "inline_data"},
    {EXT4_FEATURE_INCOMPAT_ENCRYPT, "encrypt"},
    {EXT4_FEATURE_INCOMPAT_CASEFOLD, "casefold"},
};

static void name_features(u32 bits, char *why, size_t size)
{
    size_t at = (size_t)snprintf(why, size, "features that we do not have:");
    for (u32 i = 0; i < ARRAY_LEN(feature_names); i++) {
        if (!(bits & feature_names[i].bit) || at >= size)
            continue;
        bits &= ~feature_names[i].bit;
        at += (size_t)snprintf(why + at, size - at, " %s", feature_names[i].name);
    }
    if (bits && at < size)
        snprintf(why + at, size - at, " 0x%x", bits);
}

/* The parts that make the rest of the superblock readable: magic, revision, features, sizes. */
static bool check_format(const struct ext2_super_block *sb, struct ext2_geometry *g, char *why,
                         size_t size)
{
    if (sb->s_magic != EXT2_SUPER_MAGIC) {
        snprintf(why, size, "no ext2 file system (magic 0x%04x)", sb->s_magic);
        return false;
    }
    if (sb->s_log_block_size > 2) {
        snprintf(why, size, "block size 1024 << %u (1, 2 and 4 KiB can be read)",
                 sb->s_log_block_size);
        return false;
    }
    g->block_shift = 10 + sb->s_log_block_size;
    g->block_size = 1u << g->block_shift;
    g->inode_size = EXT2_GOOD_OLD_INODE_SIZE;
    g->first_inode = EXT2_GOOD_OLD_FIRST_INO;
    g->writable = !(sb->s_feature_ro_compat & ~(u32)RO_FEATURES_SUPPORTED);
    g->has_file_types = false;
    if (sb->s_rev_level == EXT2_GOOD_OLD_REV)
        return true; /* revision 0 has none of the fields below */
    if (sb->s_rev_level != EXT2_DYNAMIC_REV) {
        snprintf(why, size, "unknown revision %u", sb->s_rev_level);
        return false;
    }
    /* Unknown compatible features change nothing for a reader; nor do unknown read-only
     * compatible ones as long as nothing is written, and every mount is read-only. */
    if (sb->s_feature_incompat & ~(u32)FEATURES_SUPPORTED) {
        name_features(sb->s_feature_incompat & ~(u32)FEATURES_SUPPORTED, why, size);
        return false;
    }
    g->has_file_types = sb->s_feature_incompat & EXT2_FEATURE_INCOMPAT_FILETYPE;
    g->inode_size = sb->s_inode_size;
    g->first_inode = sb->s_first_ino;
    if (g->first_inode < EXT2_GOOD_OLD_FIRST_INO) {
        snprintf(why, size, "first inode %u", g->first_inode);
        return false;
    }
    if (g->inode_size < EXT2_GOOD_OLD_INODE_SIZE || g->inode_size > g->block_size ||
        (g->inode_size & (g->inode_size - 1))) {
        snprintf(why, size, "inode size %u", g->inode_size);
        return false;
    }
    return true;
}

/* The counts: they must agree with each other and with the device. */
static bool check_counts(const struct ext2_super_block *sb, u64 device_bytes,
                         struct ext2_geometry *g, char *why, size_t size)
{
    g->blocks = sb->s_blocks_count;
    g->first_data_block = sb->s_first_data_block;
    g->blocks_per_group = sb->s_blocks_per_group;
    g->inodes_per_group = sb->s_inodes_per_group;
    g->inodes = sb->s_inodes_count;
    g->groups = 0;

    /* The superblock is at byte 1024: in block 1 of 1 KiB, else in block 0. */
    if (g->first_data_block != (g->block_size == 1024 ? 1u : 0u)) {
        snprintf(why, size, "first data block %u", g->first_data_block);
        return false;
    }
    /* A group's bitmaps are one block each. */
    if (g->blocks_per_group == 0 || g->blocks_per_group > 8 * g->block_size ||
        g->inodes_per_group == 0 || g->inodes_per_group > 8 * g->block_size) {
        snprintf(why, size, "%u blocks and %u inodes a group", g->blocks_per_group,
                 g->inodes_per_group);
        return false;
    }
    if (g->blocks <= g->first_data_block + 1) {
        snprintf(why, size, "%u blocks", g->blocks);
        return false;
    }
    if ((u64)g->blocks << g->block_shift > device_bytes) {
        snprintf(why, size, "it has %llu bytes, the device only %llu: a truncated image?",
                 (unsigned long long)g->blocks << g->block_shift, (unsigned long long)device_bytes);
        return false;
    }
    g->groups = (g->blocks - g->first_data_block - 1) / g->blocks_per_group + 1;
    if (g->inodes < EXT2_ROOT_INO || g->inodes > (u64)g->groups * g->inodes_per_group) {
        snprintf(why, size, "%u inodes in %u groups of %u", g->inodes, g->groups,
                 g->inodes_per_group);
        return false;
    }
    /* The group descriptors, 32 bytes a group of one block or more, fit in any case. */
    return true;
}

bool ext2_check_super(const struct ext2_super_block *sb, u64 device_bytes, struct ext2_geometry *g,
                      char *why, size_t why_size)
{
    return check_format(sb, g, why, why_size) && check_counts(sb, device_bytes, g, why, why_size);
}
