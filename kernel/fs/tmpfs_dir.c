/*
 * Directories of tmpfs. The names stand in two trees: one in the order of the names, to find them,
 * and one in the order in which they were made, to list them. A place in the second order is never
 * used again, so a reader that comes back finds its place whatever has happened meanwhile: each
 * name that is there all the time is listed once.
 *
 * Nothing here sleeps but the sink of readdir, so each change is seen whole or not at all.
 */
#include <linux/fs.h>
#include "kernel/fs/tmpfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

#define BYTES_PER_NAME 20 /* what a name adds to a directory's size, as on Linux */

enum { PLACE_SELF, PLACE_PARENT, FIRST_PLACE };

static int compare_names(const struct tmpfs_entry *a, const struct tmpfs_entry *b)
{
    int order = memcmp(a->name, b->name, MIN(a->len, b->len));
    return order ? order : (int)a->len - (int)b->len;
}
static int compare_places(const struct tmpfs_entry *a, const struct tmpfs_entry *b)
{
    return a->place < b->place ? -1 : a->place > b->place;
}
RB_GENERATE_STATIC(tmpfs_names, tmpfs_entry, by_name, compare_names)
RB_GENERATE_STATIC(tmpfs_places, tmpfs_entry, by_place, compare_places)

static struct tmpfs_entry *find(struct inode *dir, const char *name, u32 len)
{
    struct tmpfs_entry *e = RB_ROOT(&tmpfs_dir(dir)->names);
    while (e) {
        int order = memcmp(name, e->name, MIN(len, e->len));
        if (!order)
            order = (int)len - (int)e->len;
        if (!order)
            return e;
        e = order < 0 ? RB_LEFT(e, by_name) : RB_RIGHT(e, by_name);
    }
    return NULL;
}

static struct tmpfs_entry *entry_new(const struct name *name)
{
    struct tmpfs_entry *e = kmalloc(sizeof(*e) + name->len);
    if (!e)
        return NULL;
    e->len = name->len;
    memcpy(e->name, name->text, name->len);
    return e;
}

static void insert(struct inode *dir, struct tmpfs_entry *e, struct inode *inode)
{
    struct tmpfs_dir *d = tmpfs_dir(dir);
    e->inode = inode;
    e->place = d->next_place++;
    RB_INSERT(tmpfs_names, &d->names, e);
    RB_INSERT(tmpfs_places, &d->places, e);
    dir->size += BYTES_PER_NAME;
}

static void take_out(struct inode *dir, struct tmpfs_entry *e)
{
    struct tmpfs_dir *d = tmpfs_dir(dir);
    RB_REMOVE(tmpfs_names, &d->names, e);
    RB_REMOVE(tmpfs_places, &d->places, e);
    dir->size -= BYTES_PER_NAME;
    kfree(e);
}

/* One name more, or fewer. The first brings the file system's own reference, the last takes it. A
 * directory has two links, and is one of its parent's. */
static void add_link(struct inode *dir, struct inode *inode)
{
    bool is_dir = S_TYPE(inode->mode) == S_DIR;
    if (!inode->nlink)
        inode_hold_own(inode);
    inode->nlink += is_dir ? 2 : 1;
    dir->nlink += is_dir;
    if (is_dir)
        tmpfs_dir(inode)->parent = inode_hold_own(dir);
}
static void drop_link(struct inode *dir, struct inode *inode)
{
    bool is_dir = S_TYPE(inode->mode) == S_DIR;
    inode->nlink -= is_dir ? 2 : 1;
    dir->nlink -= is_dir;
    if (is_dir) {
        tmpfs_dir(inode)->parent = NULL;
        inode_put_own(dir); /* not the last: the caller has one */
    }
    inode_changed(inode);
    if (!inode->nlink)
        inode_put_own(inode);
}

static bool is_empty(const struct inode *inode)
{
    return S_TYPE(inode->mode) != S_DIR || RB_EMPTY(&tmpfs_dir(inode)->names);
}

/* Of a directory that was removed: the one where it was. */
static struct inode *parent_of(struct inode *dir)
{
    struct inode *parent = tmpfs_dir(dir)->parent;
    return parent ? parent : dir->dir ? dir->dir : dir;
}

static struct inode *dir_lookup(struct inode *dir, const char *name, u32 len)
{
    if (len == 2 && name[0] == '.' && name[1] == '.')
        return inode_hold(parent_of(dir));
    struct tmpfs_entry *e = find(dir, name, len);
    return e ? inode_hold(e->inode) : err_ptr(-ENOENT);
}

static struct inode *dir_create(struct inode *dir, const struct name *name,
                                const struct new_file *what)
{
    if (find(dir, name->text, name->len))
        return err_ptr(-EEXIST);
    struct tmpfs_entry *e = entry_new(name);
    if (!e)
        return err_ptr(-ENOSPC);
    struct inode *inode = tmpfs_inode(dir->super, dir, what);
    if (is_err(inode)) {
        kfree(e);
        return inode;
    }
    add_link(dir, inode);
    insert(dir, e, inode);
    inode_written(dir);
    return inode;
}

static int dir_link(struct inode *dir, const struct name *name, struct inode *inode)
{
    if (find(dir, name->text, name->len))
        return -EEXIST;
    struct tmpfs_entry *e = entry_new(name);
    if (!e)
        return -ENOSPC;
    add_link(dir, inode);
    insert(dir, e, inode);
    inode_changed(inode);
    inode_written(dir);
    return 0;
}

static int dir_unlink(struct inode *dir, const struct name *name, struct inode *inode)
{
    struct tmpfs_entry *e = find(dir, name->text, name->len);
    if (!e || e->inode != inode)
        return -ENOENT;
    if (!is_empty(inode))
        return -ENOTEMPTY;
    take_out(dir, e);
    drop_link(dir, inode);
    inode_written(dir);
    return 0;
}

/* The directory `inode` moves from one parent to another. */
static void change_parent(struct inode *inode, struct inode *from, struct inode *to)
{
    if (S_TYPE(inode->mode) != S_DIR || from == to)
        return;
    tmpfs_dir(inode)->parent = inode_hold_own(to);
    from->nlink--;
    to->nlink++;
    inode_put_own(from);
}

static int dir_rename(struct inode *from, const struct name *from_name, struct inode *inode,
                      struct inode *to, const struct name *to_name, struct inode *target, u32 flags)
{
    struct tmpfs_entry *a = find(from, from_name->text, from_name->len);
    struct tmpfs_entry *b = find(to, to_name->text, to_name->len);
    if (!a || a->inode != inode || (b ? b->inode : NULL) != target)
        return -ENOENT;
    if (flags & RENAME_EXCHANGE) {
        a->inode = target;
        b->inode = inode;
        change_parent(target, to, from);
        inode_changed(target);
    } else {
        if (target && !is_empty(target))
            return -ENOTEMPTY;
        struct tmpfs_entry *e = entry_new(to_name);
        if (!e)
            return -ENOSPC;
        if (target) {
            take_out(to, b);
            drop_link(to, target);
        }
        take_out(from, a);
        insert(to, e, inode);
    }
    change_parent(inode, from, to);
    inode_changed(inode);
    inode_written(from);
    inode_written(to);
    return 0;
}

static int dir_readdir(struct file *file, struct dir_sink *sink)
{
    struct inode *dir = file->inode;
    struct tmpfs_dir *d = tmpfs_dir(dir);
    if (file->pos == PLACE_SELF) {
        if (!sink->emit(sink, ".", 1, dir->ino, S_DIR >> 12, PLACE_PARENT))
            return 0;
        file->pos = PLACE_PARENT;
    }
    if (file->pos == PLACE_PARENT) {
        if (!sink->emit(sink, "..", 2, parent_of(dir)->ino, S_DIR >> 12, FIRST_PLACE))
            return 0;
        file->pos = FIRST_PLACE;
    }
    while (file->pos <= UINT32_MAX) {
        struct tmpfs_entry key = {.place = (u32)file->pos};
        const struct tmpfs_entry *e = RB_NFIND(tmpfs_places, &d->places, &key);
        if (!e)
            return 0;
        u64 next = (u64)e->place + 1; /* the entry may go while emit sleeps */
        if (!sink->emit(sink, e->name, e->len, e->inode->ino, S_TYPE(e->inode->mode) >> 12, next))
            return 0;
        file->pos = next;
    }
    return 0;
}

int tmpfs_dir_init(struct inode *dir)
{
    struct tmpfs_dir *d = kzalloc(sizeof(*d));
    if (!d)
        return -ENOSPC;
    d->next_place = FIRST_PLACE;
    dir->size = 2 * BYTES_PER_NAME;
    dir->fs = d;
    return 0;
}

/* Without recursion: goes down to a directory without directories, empties it, comes back. */
void tmpfs_empty(struct inode *root)
{
    struct inode *dir = root;
    for (;;) {
        struct tmpfs_entry *e = RB_MIN(tmpfs_places, &tmpfs_dir(dir)->places);
        if (e && !is_empty(e->inode)) {
            dir = e->inode;
        } else if (e) {
            struct inode *inode = e->inode;
            take_out(dir, e);
            drop_link(dir, inode);
        } else if (dir == root) {
            return;
        } else {
            dir = tmpfs_dir(dir)->parent;
        }
    }
}

const struct inode_ops tmpfs_dir_ops = {
    .lookup = dir_lookup,
    .create = dir_create,
    .link = dir_link,
    .unlink = dir_unlink,
    .rename = dir_rename,
    .update = tmpfs_update,
    .release = tmpfs_release,
};
const struct file_ops tmpfs_dir_fops = {.readdir = dir_readdir};
