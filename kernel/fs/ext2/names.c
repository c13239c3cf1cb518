/*
 * What changes names: create, link, unlink, rename. The tree on the disk is never without a file
 * that it had: a new name is written before an old one goes, and counted while both stand.
 *
 * The inodes that a call has changed go into their tables before the lock is given up. So whoever
 * has all metadata written (fsync) never leaves a name without its directory's block behind.
 *
 * Each call takes the file system's lock, looks again at what may have changed before it had it,
 * and undoes what it has done when a later step fails.
 */
#include <linux/fs.h>
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"

#define LINKS_MAX 32000u /* EXT2_LINK_MAX: what other systems expect */

static bool is_dir(const struct inode *inode)
{
    return S_TYPE(inode->mode) == S_DIR;
}

static int dir_changed(struct inode *dir)
{
    inode_written(dir);
    ext2_info(dir)->flags &= ~(u32)EXT2_INDEX_FL; /* an index would not know of it */
    return ext2_write_inode(dir);
}

static int links_changed(struct inode *inode)
{
    inode_changed(inode);
    return ext2_write_inode(inode);
}

/* The name does not exist in a directory that does. */
static int check_free(struct inode *dir, const struct name *name)
{
    struct ext2_entry at;
    if (!dir->nlink)
        return -ENOENT;
    int error = ext2_entry_find(dir, name->text, name->len, &at);
    if (error)
        return error == -ENOENT ? 0 : error;
    ext2_buf_put(&at.buf);
    return -EEXIST;
}

/* The name still leads to the inode. */
static int find(struct inode *dir, const struct name *name, const struct inode *inode,
                struct ext2_entry *at)
{
    int error = ext2_entry_find(dir, name->text, name->len, at);
    if (error || (at->entry->inode == inode->ino && inode->nlink))
        return error;
    ext2_buf_put(&at->buf);
    return -ENOENT;
}

/* A directory has one "..", of another one, less. It counts its own name and "." in any case. */
static void lose_child(struct inode *dir)
{
    if (dir->nlink > 2)
        dir->nlink--;
    else
        ext2_damaged(dir->super, "directory %u has %u links and more children", dir->ino,
                     dir->nlink);
}

/* ---- create ---- */

/* A long target has a block of its own; a short one came with the inode. */
static int write_target(struct inode *link, const char *target)
{
    u32 block;
    bool fresh;
    struct ext2_buf b;
    if (ext2_is_short_link(link))
        return 0;
    int error = ext2_map_new(link, 0, &block, &fresh);
    if (!error)
        error = ext2_buf_new(link->super, block, &b);
    if (error)
        return error;
    memcpy(b.data, target, (u32)link->size);
    ext2_buf_put(&b);
    return 0;
}

static int fill_new(struct inode *inode, struct inode *dir, const struct new_file *what)
{
    if (is_dir(inode))
        return ext2_dir_init(inode, dir->ino);
    if (S_TYPE(inode->mode) == S_LNK)
        return write_target(inode, what->target);
    return 0;
}

static struct inode *create(struct inode *dir, const struct name *name, const struct new_file *what)
{
    bool directory = S_TYPE(what->mode) == S_DIR;
    u32 ino;
    int error = check_free(dir, name);
    if (!error && directory && dir->nlink >= LINKS_MAX)
        error = -EMLINK;
    if (!error && S_TYPE(what->mode) == S_LNK &&
        strlen(what->target) >= dir->super->block_size) /* e2fsck's opinion, too */
        error = -ENAMETOOLONG;
    if (!error)
        error = ext2_inode_alloc(dir, directory, &ino);
    if (error)
        return err_ptr(error);
    struct inode *inode = ext2_inode_make(dir, ino, what);
    if (is_err(inode)) {
        ext2_inode_free(dir->super, ino, directory);
        return inode;
    }
    error = fill_new(inode, dir, what);
    if (!error)
        error = ext2_write_inode(inode);
    if (!error)
        error = ext2_entry_add(dir, name->text, name->len, ino, inode->mode, NULL);
    if (error) {
        inode->nlink = 0; /* goes with its last reference */
        ext2_unlock(dir->super);
        inode_put(inode);
        ext2_lock(dir->super);
        return err_ptr(error);
    }
    if (directory)
        dir->nlink++;
    (void)dir_changed(dir); /* if the disk fails now, it stays dirty */
    return inode;
}

struct inode *ext2_create(struct inode *dir, const struct name *name, const struct new_file *what)
{
    int error = ext2_change_begin(dir->super);
    if (error)
        return err_ptr(error);
    struct inode *inode = create(dir, name, what);
    ext2_unlock(dir->super);
    return inode;
}

/* ---- link, unlink ---- */

int ext2_link(struct inode *dir, const struct name *name, struct inode *inode)
{
    int error = ext2_change_begin(dir->super);
    if (error)
        return error;
    error = check_free(dir, name);
    if (!error && !inode->nlink)
        error = -ENOENT;
    if (!error && inode->nlink >= LINKS_MAX)
        error = -EMLINK;
    if (!error)
        error = ext2_entry_add(dir, name->text, name->len, inode->ino, inode->mode, NULL);
    if (!error) {
        inode->nlink++;
        error = links_changed(inode);
        int e = dir_changed(dir);
        error = error ? error : e;
    }
    ext2_unlock(dir->super);
    return error;
}

/* One name less; a directory loses its own "." and its parent's "..", too. */
static int name_gone(struct inode *dir, struct inode *inode)
{
    if (is_dir(inode)) {
        inode->nlink = 0;
        lose_child(dir);
    } else {
        inode->nlink--;
    }
    return links_changed(inode);
}

int ext2_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct ext2_entry at;
    int error = ext2_change_begin(dir->super);
    if (error)
        return error;
    error = is_dir(inode) ? ext2_dir_empty(inode) : 0;
    if (!error)
        error = find(dir, name, inode, &at);
    if (!error)
        error = ext2_entry_remove(dir, &at);
    if (!error) {
        error = name_gone(dir, inode);
        int e = dir_changed(dir);
        error = error ? error : e;
    }
    ext2_unlock(dir->super);
    return error;
}

/* ---- rename ---- */

/* A directory that moves has another "..". */
static int turn_parent(struct inode *inode, struct inode *from, struct inode *to)
{
    struct ext2_entry at;
    if (!is_dir(inode) || from == to)
        return 0;
    int error = ext2_entry_find(inode, "..", 2, &at);
    if (error)
        return error == -ENOENT ? ext2_damaged(inode->super, "directory %u has no ..", inode->ino)
                                : error;
    ext2_entry_turn(inode, &at, to->ino, S_DIR);
    lose_child(from);
    to->nlink++;
    return 0;
}

/* May a directory's ".." come here from there? */
static int check_parent(const struct inode *inode, const struct inode *from, const struct inode *to)
{
    return is_dir(inode) && from != to && to->nlink >= LINKS_MAX ? -EMLINK : 0;
}

/* Two names cannot be written at once when they stand in two blocks: a machine that dies between
 * them leaves one of the files without a name, for e2fsck to put into lost+found. (ext2 on Linux
 * does not exchange at all.) */
static int exchange(struct inode *from, const struct name *from_name, struct inode *inode,
                    struct inode *to, const struct name *to_name, struct inode *target)
{
    struct ext2_entry a, b;
    int error = 0;
    if (is_dir(inode) != is_dir(target)) /* else one comes for one that goes */
        error = is_dir(inode) ? check_parent(inode, from, to) : check_parent(target, to, from);
    if (!error)
        error = find(from, from_name, inode, &a);
    if (error)
        return error;
    error = find(to, to_name, target, &b);
    if (error) {
        ext2_buf_put(&a.buf);
        return error;
    }
    ext2_entry_turn(from, &a, target->ino, target->mode);
    ext2_entry_turn(to, &b, inode->ino, inode->mode);
    error = turn_parent(inode, from, to);
    return error ? error : turn_parent(target, to, from);
}

/* The new name, in place of the target's or added. *block: where it stands. */
static int name_new(struct inode *inode, struct inode *to, const struct name *name,
                    struct inode *target, u32 *block)
{
    struct ext2_entry at;
    if (!target) {
        int error = check_free(to, name);
        return error ? error
                     : ext2_entry_add(to, name->text, name->len, inode->ino, inode->mode, block);
    }
    int error = is_dir(target) ? ext2_dir_empty(target) : 0;
    if (!error)
        error = find(to, name, target, &at);
    if (error)
        return error;
    *block = at.buf.block;
    ext2_entry_turn(to, &at, inode->ino, inode->mode);
    return 0;
}

/* While the old name still stands, it counts. In one block both changes reach the disk together;
 * else the new name goes first, so that there is always one. And the disk no longer leads to the
 * target when that is counted down: else the name might lead to an inode that is free. If that
 * writing fails, the next fsync is told: we go on. */
static int move(struct inode *from, const struct name *from_name, struct inode *inode,
                struct inode *to, const struct name *to_name, struct inode *target)
{
    struct ext2_entry at;
    u32 new_block;
    int error = find(from, from_name, inode, &at);
    if (error)
        return error;
    ext2_buf_put(&at.buf);
    error = target ? 0 : check_parent(inode, from, to);
    if (error)
        return error;
    inode->nlink++;
    error = links_changed(inode);
    if (!error)
        error = name_new(inode, to, to_name, target, &new_block);
    if (!error)
        error = dir_changed(to);
    if (!error)
        error = find(from, from_name, inode, &at);
    if (!error && (target || at.buf.block != new_block)) {
        ext2_buf_put(&at.buf);
        (void)cache_write_out(ext2_of(from->super)->metadata, 0, ~0u);
        (void)block_flush(from->super->device);
        error = target ? name_gone(to, target) : 0;
        int e = find(from, from_name, inode, &at);
        if (!e)
            e = ext2_entry_remove(from, &at);
        error = error ? error : e;
    } else if (!error) {
        error = ext2_entry_remove(from, &at);
    }
    inode->nlink--;
    int e = ext2_write_inode(inode);
    error = error ? error : e;
    return error ? error : turn_parent(inode, from, to);
}

int ext2_rename(struct inode *from, const struct name *from_name, struct inode *inode,
                struct inode *to, const struct name *to_name, struct inode *target, u32 flags)
{
    int error = ext2_change_begin(from->super);
    if (error)
        return error;
    error = flags & RENAME_EXCHANGE ? exchange(from, from_name, inode, to, to_name, target)
                                    : move(from, from_name, inode, to, to_name, target);
    if (!error) {
        int e = links_changed(inode), f = dir_changed(from), t = dir_changed(to);
        error = e ? e : f ? f : t;
    }
    ext2_unlock(from->super);
    return error;
}
