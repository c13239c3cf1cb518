/*
 * Inodes on their way back to the disk: made, written, and freed when no name and nobody is left.
 */
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/sys/clock.h"

/* The bytes of inode `ino` in its table. */
static int raw_get(struct super *s, u32 ino, struct ext2_buf *b, struct ext2_inode **raw)
{
    u32 shift = ext2_of(s)->g.block_shift;
    u64 pos;
    int error = ext2_inode_locate(s, ino, &pos);
    if (!error)
        error = ext2_buf_read(s, (u32)(pos >> shift), b);
    if (!error)
        *raw = (struct ext2_inode *)((char *)b->data + ((u32)pos & ((1u << shift) - 1)));
    return error;
}

static bool is_device(const struct inode *inode)
{
    return S_TYPE(inode->mode) == S_CHR || S_TYPE(inode->mode) == S_BLK;
}

static void fill_raw(const struct inode *inode, struct ext2_inode *raw)
{
    const struct ext2_inode_info *info = ext2_info(inode);
    raw->i_mode = inode->mode;
    raw->i_links_count = (u16)inode->nlink;
    raw->i_uid = (u16)inode->uid;
    raw->i_gid = (u16)inode->gid;
    raw->osd2.linux2.l_i_uid_high = (u16)(inode->uid >> 16);
    raw->osd2.linux2.l_i_gid_high = (u16)(inode->gid >> 16);
    raw->i_atime = (u32)inode->atime.sec;
    raw->i_mtime = (u32)inode->mtime.sec;
    raw->i_ctime = (u32)inode->ctime.sec;
    raw->i_blocks = inode->blocks;
    raw->i_flags = info->flags;
    raw->i_size = (u32)inode->size;
    if (S_TYPE(inode->mode) == S_REG)
        raw->i_size_high = (u32)(inode->size >> 32);
    memcpy(raw->i_block, info->block, sizeof(info->block));
    if (is_device(inode)) { /* the old form where it fits, else the new one beside it */
        raw->i_block[0] = inode->rdev <= 0xFFFF ? inode->rdev : 0;
        raw->i_block[1] = inode->rdev <= 0xFFFF ? 0 : inode->rdev;
    }
}

int ext2_write_inode(struct inode *inode)
{
    struct ext2_buf b;
    struct ext2_inode *raw;
    int error = S_TYPE(inode->mode) == S_REG && inode->size > 0x7FFFFFFF
                    ? ext2_allow_large_files(inode->super)
                    : 0;
    if (!error)
        error = raw_get(inode->super, inode->ino, &b, &raw);
    if (error)
        return error;
    inode->dirty = inode->resized = false;
    fill_raw(inode, raw);
    ext2_buf_dirty(inode->super, &b);
    ext2_buf_put(&b);
    return 0;
}

struct inode *ext2_inode_make(struct inode *dir, u32 ino, const struct new_file *what)
{
    static u32 generation;
    struct super *s = dir->super;
    struct ext2_buf b;
    struct ext2_inode *raw;
    int error = raw_get(s, ino, &b, &raw);
    if (error)
        return err_ptr(error);
    u32 now = realtime_seconds();
    memset(raw, 0, ext2_of(s)->g.inode_size);
    raw->i_mode = what->mode;
    raw->i_links_count = S_TYPE(what->mode) == S_DIR ? 2 : 1;
    raw->i_atime = raw->i_mtime = raw->i_ctime = now;
    raw->i_generation = now + generation++;
    if (S_TYPE(what->mode) == S_LNK) { /* a short target stands where the pointers would be */
        raw->i_size = strlen(what->target);
        if (raw->i_size < sizeof(raw->i_block))
            memcpy(raw->i_block, what->target, raw->i_size);
    }
    if (S_TYPE(what->mode) == S_CHR || S_TYPE(what->mode) == S_BLK)
        raw->i_block[what->rdev <= 0xFFFF ? 0 : 1] = what->rdev;
    ext2_buf_dirty(s, &b);
    ext2_buf_put(&b);
    struct inode *inode = inode_get(s, ino); /* as any other, from its table */
    if (!is_err(inode)) {
        inode_init_owner(inode, dir);
    } else if (raw_get(s, ino, &b, &raw) == 0) { /* no memory: it has never been */
        memset(raw, 0, ext2_of(s)->g.inode_size);
        ext2_buf_dirty(s, &b);
        ext2_buf_put(&b);
    }
    return inode;
}

static bool has_tree(const struct inode *inode)
{
    u16 type = S_TYPE(inode->mode);
    return type == S_REG || type == S_DIR || (type == S_LNK && !ext2_is_short_link(inode));
}

/* Extended attributes, which we do not read: a block that several files may share, counted in its
 * second word (ext2_ext_attr.h). */
static void free_attributes(struct inode *inode, struct ext2_inode *raw)
{
    struct super *s = inode->super;
    struct ext2_buf b;
    if (!raw->i_file_acl || !ext2_blocks_valid(&ext2_of(s)->g, raw->i_file_acl, 1) ||
        ext2_buf_read(s, raw->i_file_acl, &b) < 0)
        return;
    u32 *head = b.data;
    bool sound = head[0] == 0xEA020000 && head[1], shared = sound && head[1] > 1;
    if (shared) {
        head[1]--;
        ext2_buf_dirty(s, &b);
    }
    ext2_buf_put(&b);
    if (sound && !shared) {
        ext2_forget(s, raw->i_file_acl);
        (void)ext2_blocks_free(inode, raw->i_file_acl, 1);
    }
    raw->i_file_acl = 0;
}

void ext2_delete(struct inode *inode)
{
    struct super *s = inode->super;
    struct ext2_buf b;
    struct ext2_inode *raw;
    bool directory = S_TYPE(inode->mode) == S_DIR;
    if (has_tree(inode))
        ext2_tree_cut(inode, 0); /* what is damaged has been told, and stays behind */
    inode->size = 0;
    ext2_info(inode)->deleted = true;
    if (ext2_write_inode(inode) < 0 || raw_get(s, inode->ino, &b, &raw) < 0)
        return;
    free_attributes(inode, raw);
    raw->i_dtime = realtime_seconds();
    ext2_buf_dirty(s, &b);
    ext2_buf_put(&b);
    ext2_inode_free(s, inode->ino, directory);
}

void ext2_release(struct inode *inode)
{
    if (!inode->fs)
        return;
    ext2_window_close(inode); /* nobody sleeps over the list of windows: it needs no lock */
    bool read_only = inode->super->flags & SUPER_READ_ONLY;
    if (!inode->nlink && (!read_only || ext2_of(inode->super)->closing)) {
        ext2_lock(inode->super);
        if (!ext2_info(inode)->deleted)
            ext2_delete(inode);
        ext2_unlock(inode->super);
    }
    kfree(inode->fs);
    inode->fs = NULL;
}
