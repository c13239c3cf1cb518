/*
 * What changes names: the checks that are the same in every file system, in the order in which
 * Linux makes them, before the file system's own operation. mkdir(2), link(2), unlink(2),
 * rename(2), truncate(2).
 */
#include <linux/fs.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/wait.h"
#include "kernel/mm/swap.h"

static bool read_only(const struct inode *inode)
{
    return inode->super->flags & SUPER_READ_ONLY;
}

/* What the name stands for in the directory itself, whatever may be mounted there. */
static struct inode *find(struct inode *dir, const struct name *name)
{
    int err = inode_permission(dir, MAY_EXECUTE);
    if (err)
        return err_ptr(err);
    if (name->len > NAME_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    return dir->ops->lookup(dir, name->text, name->len);
}

/* May a name come into this directory, or leave it? */
static int check_dir(const struct inode *dir)
{
    if (read_only(dir))
        return -EROFS;
    if (!dir->nlink)
        return -ENOENT; /* removed, while somebody is in it */
    return inode_permission(dir, MAY_WRITE | MAY_EXECUTE);
}

/* A sticky directory (/tmp): names are taken away by their owners alone; swap keeps its files'. */
static int check_delete(const struct inode *dir, const struct inode *victim)
{
    int err = check_dir(dir);
    if (!err && (dir->mode & S_STICKY) && !inode_owned(victim) && !inode_owned(dir))
        err = -EPERM;
    if (!err && swap_uses_file(victim))
        err = -EPERM;
    return err;
}

struct inode *vfs_create(struct inode *dir, const struct name *name, const struct new_file *what)
{
    int err = check_dir(dir);
    if (!err && name->len > NAME_MAX_LEN)
        err = -ENAMETOOLONG;
    if (err)
        return err_ptr(err);
    if (!dir->ops->create)
        return err_ptr(-EPERM);
    struct inode *inode = dir->ops->create(dir, name, what);
    if (!is_err(inode))
        inode_set_name(inode, dir, name->text, name->len);
    return inode;
}

/* The directory and the name for something new, or err_ptr. */
static struct inode *parent_for_new(struct inode *start, const char *path, struct name *last,
                                    bool for_dir)
{
    bool slash;
    struct inode *dir = path_parent(start, path, last, &slash);
    if (is_err(dir))
        return dir;
    int err = 0;
    struct inode *there = !last->len || name_is_dots(last) ? inode_hold(dir) : path_step(dir, last);
    if (!is_err(there)) {
        err = -EEXIST;
        inode_put(there);
    } else if (ptr_err(there) != -ENOENT) {
        err = ptr_err(there);
    } else if (slash && !for_dir) {
        err = -ENOENT;
    }
    if (!err)
        return dir;
    inode_put(dir);
    return err_ptr(err);
}

struct inode *vfs_make(struct inode *start, const char *path, const struct new_file *what)
{
    struct name last;
    struct inode *dir = parent_for_new(start, path, &last, S_TYPE(what->mode) == S_DIR);
    if (is_err(dir))
        return dir;
    struct inode *inode = vfs_create(dir, &last, what);
    inode_put(dir);
    return inode;
}

int vfs_link(struct inode *inode, struct inode *start, const char *path)
{
    struct name last;
    struct inode *dir = parent_for_new(start, path, &last, false);
    if (is_err(dir))
        return ptr_err(dir);
    int err = check_dir(dir);
    if (!err && inode->super != dir->super)
        err = -EXDEV;
    if (!err && (S_TYPE(inode->mode) == S_DIR || !dir->ops->link))
        err = -EPERM;
    if (!err && !inode->nlink)
        err = -ENOENT;
    if (!err)
        err = dir->ops->link(dir, &last, inode);
    inode_put(dir);
    return err;
}

static int remove_name(struct inode *dir, const struct name *name, bool is_rmdir, bool slash)
{
    if (read_only(dir))
        return -EROFS;
    struct inode *inode = find(dir, name);
    if (is_err(inode))
        return ptr_err(inode);
    bool is_dir = S_TYPE(inode->mode) == S_DIR;
    int err = 0;
    if (is_rmdir && !is_dir)
        err = -ENOTDIR;
    else if (!is_rmdir && is_dir)
        err = -EISDIR;
    else if (!is_rmdir && slash)
        err = -ENOTDIR;
    if (!err)
        err = check_delete(dir, inode);
    if (!err && mount_below(dir, name))
        err = -EBUSY;
    if (!err)
        err = dir->ops->unlink ? dir->ops->unlink(dir, name, inode) : -EPERM;
    inode_put(inode);
    return err;
}

int vfs_unlink(struct inode *start, const char *path)
{
    struct name last;
    bool slash;
    struct inode *dir = path_parent(start, path, &last, &slash);
    if (is_err(dir))
        return ptr_err(dir);
    int err = !last.len || name_is_dots(&last) ? -EISDIR : remove_name(dir, &last, false, slash);
    inode_put(dir);
    return err;
}

int vfs_rmdir(struct inode *start, const char *path)
{
    struct name last;
    bool slash;
    struct inode *dir = path_parent(start, path, &last, &slash);
    if (is_err(dir))
        return ptr_err(dir);
    int err = !last.len              ? -EBUSY
              : !name_is_dots(&last) ? remove_name(dir, &last, true, slash)
              : last.len == 1        ? -EINVAL
                                     : -ENOTEMPTY;
    inode_put(dir);
    return err;
}

/* Is `above` the directory itself, or one that it lies in? Positive: yes; or a negative errno. On a
 * damaged disk the way up may come back to a directory that it has passed: one is remembered, after
 * twice as many steps each time. */
static int is_above(const struct inode *above, struct inode *dir)
{
    int ret = -1;
    u32 steps = 0, passed = 0;
    inode_hold(dir);
    while (ret == -1) {
        struct inode *parent = NULL;
        if (dir == above)
            ret = 1;
        else if (dir == dir->super->root)
            ret = 0;
        else if (S_TYPE(dir->mode) != S_DIR || dir->ino == passed)
            ret = -EIO;
        else if (is_err(parent = dir->ops->lookup(dir, "..", 2)))
            ret = ptr_err(parent);
        if (ret != -1)
            break;
        if ((steps & (steps + 1)) == 0)
            passed = dir->ino;
        steps++;
        inode_put(dir);
        dir = parent;
    }
    inode_put(dir);
    return ret;
}

struct end {
    struct inode *dir;
    struct name name;
    bool slash;
    struct inode *inode; /* what stands there; NULL: nothing */
};

static int look_up_end(struct end *e)
{
    e->inode = find(e->dir, &e->name);
    int err = is_err(e->inode) ? ptr_err(e->inode) : 0;
    if (err)
        e->inode = NULL;
    return err;
}

static bool is_dir(const struct inode *inode)
{
    return S_TYPE(inode->mode) == S_DIR;
}

/* A directory that moves to another one is written: its ".." is. */
static int check_parent_changes(const struct inode *inode, const struct end *from,
                                const struct end *to)
{
    return is_dir(inode) && from->dir != to->dir ? inode_permission(inode, MAY_WRITE) : 0;
}

/* Both ends have been looked up, and something stands at the first. */
static int check_rename(const struct end *from, const struct end *to, u32 flags)
{
    bool exchange = flags & RENAME_EXCHANGE;
    if (to->inode && (flags & RENAME_NOREPLACE))
        return -EEXIST;
    if (!to->inode && exchange)
        return -ENOENT;
    if (exchange && !is_dir(to->inode) && to->slash)
        return -ENOTDIR;
    if (!is_dir(from->inode) && (from->slash || (!exchange && to->slash)))
        return -ENOTDIR;
    int above = is_dir(from->inode) ? is_above(from->inode, to->dir) : 0;
    if (above)
        return above < 0 ? above : -EINVAL;
    above = to->inode && is_dir(to->inode) ? is_above(to->inode, from->dir) : 0;
    if (above)
        return above < 0 ? above : exchange ? -EINVAL : -ENOTEMPTY;
    int err = check_delete(from->dir, from->inode);
    if (!err)
        err = to->inode ? check_delete(to->dir, to->inode) : check_dir(to->dir);
    if (err)
        return err;
    if (to->inode && !exchange && is_dir(from->inode) != is_dir(to->inode))
        return is_dir(to->inode) ? -EISDIR : -ENOTDIR;
    err = check_parent_changes(from->inode, from, to);
    if (!err && exchange)
        err = check_parent_changes(to->inode, from, to);
    if (err)
        return err;
    if (mount_below(from->dir, &from->name) || mount_below(to->dir, &to->name))
        return -EBUSY;
    return from->dir->ops->rename ? 0 : -EPERM;
}

static int rename_ends_locked(struct end *from, struct end *to, u32 flags)
{
    if (from->dir->super != to->dir->super)
        return -EXDEV;
    if (!from->name.len || name_is_dots(&from->name))
        return -EBUSY;
    if (!to->name.len || name_is_dots(&to->name))
        return flags & RENAME_NOREPLACE ? -EEXIST : -EBUSY;
    if (read_only(from->dir))
        return -EROFS;
    int err = look_up_end(from);
    if (!err && (err = look_up_end(to)) == -ENOENT)
        err = 0;
    if (!err)
        err = check_rename(from, to, flags);
    if (err || from->inode == to->inode) /* two names of one file: nothing to do, rename(2) */
        return err;
    err = from->dir->ops->rename(from->dir, &from->name, from->inode, to->dir, &to->name, to->inode,
                                 flags);
    if (!err) {
        inode_set_name(from->inode, to->dir, to->name.text, to->name.len);
        if (flags & RENAME_EXCHANGE)
            inode_set_name(to->inode, from->dir, from->name.text, from->name.len);
    }
    return err;
}

/* From directory to directory one thing moves at a time: that a directory does not get into itself
 * must still be so when it is done. */
static int rename_ends(struct end *from, struct end *to, u32 flags)
{
    static bool moving;
    static WAIT_QUEUE(moved);
    if (from->dir == to->dir)
        return rename_ends_locked(from, to, flags);
    wait_event(&moved, !moving);
    moving = true;
    int err = rename_ends_locked(from, to, flags);
    moving = false;
    wake_one(&moved);
    return err;
}

int vfs_rename(struct inode *from_start, const char *from, struct inode *to_start, const char *to,
               u32 flags)
{
    struct end a = {0}, b = {0};
    if ((flags & ~(u32)(RENAME_NOREPLACE | RENAME_EXCHANGE)) ||
        flags == (RENAME_NOREPLACE | RENAME_EXCHANGE))
        return -EINVAL;
    a.dir = path_parent(from_start, from, &a.name, &a.slash);
    if (is_err(a.dir))
        return ptr_err(a.dir);
    b.dir = path_parent(to_start, to, &b.name, &b.slash);
    if (is_err(b.dir)) {
        inode_put(a.dir);
        return ptr_err(b.dir);
    }
    int err = rename_ends(&a, &b, flags);
    struct inode *held[] = {a.inode, b.inode, a.dir, b.dir};
    for (u32 i = 0; i < ARRAY_LEN(held); i++)
        if (held[i])
            inode_put(held[i]);
    return err;
}

int vfs_resize(struct inode *inode, u64 size)
{
    u16 type = S_TYPE(inode->mode);
    if (type != S_REG)
        return type == S_DIR ? -EISDIR : -EINVAL;
    if (read_only(inode))
        return -EROFS;
    if (size >> PAGE_SHIFT >= 0xFFFFFFFF)
        return -EFBIG;
    int err = size > inode->size ? file_check_size(size) : 0;
    if (err)
        return err;
    if (!inode->ops || !inode->ops->resize)
        return inode->mapping.ops ? -EPERM
                                  : 0; /* a text of /proc takes O_TRUNC, and keeps itself */
    inode_lock(inode);
    err = inode->ops->resize(inode, size);
    if (!err)
        inode_written(inode);
    inode_unlock(inode);
    return err;
}
