/*
 * Inodes: from the table on the disk to the kernel's own, and symbolic links.
 */
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

/* Data that is not where the block tree says: only with features that we do not mount, so an
 * inode that claims it is damaged. */
#define FLAGS_UNREADABLE (EXT4_EXTENTS_FL | EXT4_INLINE_DATA_FL)

/* Where inode `ino` is on the device. */
int ext2_inode_locate(struct super *s, u32 ino, u64 *pos)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    struct ext2_group_desc gd;
    /* Reserved inodes (bad blocks, journal, resize ...) are no files, but for the root. */
    if (ino > g->inodes || (ino < g->first_inode && ino != EXT2_ROOT_INO))
        return ext2_damaged(s, "a name leads to inode %u", ino);
    u32 group = (ino - 1) / g->inodes_per_group;
    u32 index = (ino - 1) % g->inodes_per_group;
    u64 table = ((u64)g->first_data_block + 1) << g->block_shift;
    int error =
        cache_read_bytes(ext2_of(s)->metadata, table + (u64)group * sizeof(gd), &gd, sizeof(gd));
    if (error)
        return error;
    if (!ext2_blocks_valid(g, gd.bg_inode_table, ext2_table_blocks(g)))
        return ext2_damaged(s, "the inode table of group %u is at block %u", group,
                            gd.bg_inode_table);
    *pos = ((u64)gd.bg_inode_table << g->block_shift) + (u64)index * g->inode_size;
    return 0;
}

static ssize_t ext2_readlink(struct inode *link, char *buf, u32 size);

static const struct inode_ops file_ops = {
    .update = ext2_update,
    .resize = ext2_resize,
    .release = ext2_release,
};
static const struct inode_ops plain_ops = {.update = ext2_update, .release = ext2_release};
static const struct inode_ops link_ops = {
    .readlink = ext2_readlink,
    .update = ext2_update,
    .release = ext2_release,
};

/* A regular file can be as long as its block tree reaches. Pages are numbered by 32 bits, which
 * 4 KiB blocks stay far below. */
static int set_up_regular(struct inode *inode, const struct ext2_inode *raw)
{
    const struct ext2_geometry *g = &ext2_of(inode->super)->g;
    inode->size = raw->i_size | (u64)raw->i_size_high << 32;
    if (inode->size > ext2_max_blocks(g->block_shift) << g->block_shift)
        return ext2_damaged(inode->super, "inode %u has %llu bytes", inode->ino,
                            (unsigned long long)inode->size);
    inode->ops = &file_ops;
    inode->fops = &regular_file_ops;
    inode->mapping = (struct mapping){
        .ops = &ext2_mapping_ops,
        .host = inode,
        .size = inode->size,
    };
    split_set_up(inode);
    return 0;
}

/* A directory is whole blocks, and not larger than the disk: whoever walks it comes to an end. */
static int set_up_directory(struct inode *inode, const struct ext2_inode *raw)
{
    const struct ext2_geometry *g = &ext2_of(inode->super)->g;
    inode->size = raw->i_size;
    if (inode->size % g->block_size || inode->size >> g->block_shift > g->blocks)
        return ext2_damaged(inode->super, "directory %u has %llu bytes", inode->ino,
                            (unsigned long long)inode->size);
    inode->ops = &ext2_dir_ops;
    inode->fops = &ext2_dir_fops;
    return 0;
}

/* A target has at least one character, and fits into one block and into a path. */
static int set_up_link(struct inode *inode, const struct ext2_inode *raw)
{
    const struct ext2_geometry *g = &ext2_of(inode->super)->g;
    inode->size = raw->i_size;
    if (inode->size == 0 || inode->size >= PATH_MAX_LEN || inode->size >= g->block_size)
        return ext2_damaged(inode->super, "symbolic link %u has %llu bytes", inode->ino,
                            (unsigned long long)inode->size);
    inode->ops = &link_ops;
    return 0;
}

/* Device numbers: the old 16-bit form in the first pointer, or the new one in the second. */
static int set_up_special(struct inode *inode, const struct ext2_inode *raw)
{
    u16 type = S_TYPE(inode->mode);
    if (type == S_CHR || type == S_BLK)
        inode->rdev = raw->i_block[0] ? raw->i_block[0] : raw->i_block[1];
    inode->ops = &plain_ops;
    return 0;
}

static int set_up(struct inode *inode, const struct ext2_inode *raw)
{
    if (raw->i_links_count == 0)
        return ext2_damaged(inode->super, "a name leads to inode %u, which is free", inode->ino);
    if (raw->i_flags & FLAGS_UNREADABLE)
        return ext2_damaged(inode->super, "inode %u has flags 0x%x", inode->ino, raw->i_flags);
    switch (S_TYPE(raw->i_mode)) {
    case S_REG:
        return set_up_regular(inode, raw);
    case S_DIR:
        return set_up_directory(inode, raw);
    case S_LNK:
        return set_up_link(inode, raw);
    case S_CHR:
    case S_BLK:
    case S_FIFO:
    case S_SOCK:
        return set_up_special(inode, raw);
    }
    return ext2_damaged(inode->super, "inode %u has mode 0%o", inode->ino, raw->i_mode);
}

int ext2_read_inode(struct inode *inode)
{
    const struct ext2_geometry *g = &ext2_of(inode->super)->g;
    struct ext2_inode raw; /* the part that every revision has */
    u64 pos = 0;
    int error = ext2_inode_locate(inode->super, inode->ino, &pos);
    if (error)
        return error;
    error = cache_read_bytes(ext2_of(inode->super)->metadata, pos, &raw, sizeof(raw));
    if (error)
        return error;
    struct ext2_inode_info *info = kzalloc(sizeof(*info));
    if (!info)
        return -ENOMEM;
    memcpy(info->block, raw.i_block, sizeof(info->block));
    info->flags = raw.i_flags;
    info->acl_sectors = raw.i_file_acl ? g->block_size / SECTOR_SIZE : 0;

    inode->mode = raw.i_mode;
    inode->nlink = raw.i_links_count;
    inode->uid = raw.i_uid | (u32)raw.osd2.linux2.l_i_uid_high << 16;
    inode->gid = raw.i_gid | (u32)raw.osd2.linux2.l_i_gid_high << 16;
    inode->blocks = raw.i_blocks;
    inode->atime.sec = (s32)raw.i_atime;
    inode->mtime.sec = (s32)raw.i_mtime;
    inode->ctime.sec = (s32)raw.i_ctime;
    inode->fs = info;
    error = set_up(inode, &raw);
    if (error) {
        kfree(info);
        inode->fs = NULL;
    }
    return error;
}

/* A target of up to 59 bytes stands in the inode itself, where the pointers would be: then the
 * link has no block of its own. */
bool ext2_is_short_link(const struct inode *link)
{
    return link->blocks == ext2_info(link)->acl_sectors &&
           link->size < sizeof(ext2_info(link)->block);
}

static ssize_t ext2_readlink(struct inode *link, char *buf, u32 size)
{
    u32 len = (u32)MIN((u64)size, link->size);
    if (ext2_is_short_link(link)) {
        memcpy(buf, ext2_info(link)->block, len);
        return (ssize_t)len;
    }
    struct ext2_extent e;
    struct page *page;
    const void *target;
    int error = ext2_map(link, 0, 1, &e);
    if (error)
        return error;
    if (e.disk_block == 0)
        return ext2_damaged(link->super, "symbolic link %u has no target", link->ino);
    error = ext2_read_block(link->super, e.disk_block, &page, &target);
    if (error)
        return error;
    memcpy(buf, target, len);
    page_put(page, HOLD_USE);
    return (ssize_t)len;
}
