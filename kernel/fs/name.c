/*
 * Names: from a path to an inode, across mounts and symbolic links, and back. path_resolution(7).
 *
 * A file system is mounted on a (directory, name) pair (mount.c), so that /proc and /dev are there
 * even on a disk without such directories.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/task.h"

#define LINKS_MAX 40 /* symbolic links followed in one walk, as on Linux: then -ELOOP */

struct inode *vfs_root;

/* Of a walk that ends before the last name (path_parent). */
enum { WALK_PARENT = 1 << 8 };

struct walk {
    u32 links;
    struct name last;
    bool slash; /* behind the last name */
};

bool name_is_dots(const struct name *name)
{
    return (name->len == 1 && name->text[0] == '.') ||
           (name->len == 2 && name->text[0] == '.' && name->text[1] == '.');
}

struct inode *path_up(struct inode *dir)
{
    const char *name;
    if (dir == vfs_root || dir == task_root())
        return inode_hold(dir);
    struct inode *below = mount_dir(dir, &name);
    return below ? inode_hold(below) : dir->ops->lookup(dir, "..", 2);
}

struct inode *path_step(struct inode *dir, const struct name *name)
{
    if (S_TYPE(dir->mode) != S_DIR)
        return err_ptr(-ENOTDIR);
    int err = inode_permission(dir, MAY_EXECUTE);
    if (err)
        return err_ptr(err);
    if (name->len > NAME_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    if (name_is_dots(name))
        return name->len == 1 ? inode_hold(dir) : path_up(dir);
    struct mount *m = mount_below(dir, name);
    if (m)
        return inode_hold(mount_root(m));
    if (!dir->ops || !dir->ops->lookup)
        return err_ptr(-ENOTDIR);
    struct inode *inode = dir->ops->lookup(dir, name->text, name->len);
    if (!is_err(inode))
        inode_set_name(inode, dir, name->text, name->len);
    return inode;
}

static struct inode *walk(struct inode *start, const char *path, u32 flags, struct walk *w);

/* Goes on at what the link says, seen from the directory it lies in. */
static struct inode *follow(struct inode *dir, struct inode *link, struct walk *w)
{
    if (++w->links > LINKS_MAX)
        return err_ptr(-ELOOP);
    struct inode *direct = link->ops && link->ops->target ? link->ops->target(link) : NULL;
    if (direct)
        return direct;
    char *target = path_readlink(link);
    if (is_err(target))
        return (struct inode *)target;
    struct inode *inode = walk(dir, target, 0, w);
    kfree(target);
    return inode;
}

char *path_readlink(struct inode *link)
{
    char *target = kmalloc(PATH_MAX_LEN);
    if (!target)
        return err_ptr(-ENOMEM);
    ssize_t n = link->ops && link->ops->readlink
                    ? link->ops->readlink(link, target, PATH_MAX_LEN - 1)
                    : -EINVAL;
    if (n > 0)
        inode_accessed(link);
    if (n <= 0) {
        kfree(target);
        return err_ptr(n ? n : -ENOENT);
    }
    target[n] = 0;
    return target;
}

static const char *skip_slashes(const char *path)
{
    while (*path == '/')
        path++;
    return path;
}

static struct inode *walk(struct inode *start, const char *path, u32 flags, struct walk *w)
{
    if (!*path)
        return err_ptr(-ENOENT);
    struct inode *dir = inode_hold(*path == '/' ? task_root() : start);
    bool must_be_directory = flags & (WALK_DIRECTORY | WALK_PARENT);
    for (path = skip_slashes(path); *path;) {
        struct name name = {path, 0};
        while (path[name.len] && path[name.len] != '/')
            name.len++;
        const char *rest = skip_slashes(path + name.len);
        bool last = !*rest;
        if (last && (flags & WALK_PARENT)) {
            w->last = name;
            w->slash = path[name.len] == '/';
            break;
        }
        if (last && path[name.len] == '/') /* "name/" asks for a directory */
            must_be_directory = true;
        struct inode *next = path_step(dir, &name);
        if (!is_err(next) && S_TYPE(next->mode) == S_LNK &&
            !(last && (flags & WALK_NOFOLLOW) && !must_be_directory)) {
            struct inode *target = follow(dir, next, w);
            inode_put(next);
            next = target;
        }
        inode_put(dir);
        if (is_err(next))
            return next;
        dir = next;
        path = rest;
    }
    if (must_be_directory && S_TYPE(dir->mode) != S_DIR) {
        inode_put(dir);
        return err_ptr(-ENOTDIR);
    }
    return dir;
}

struct inode *path_walk(struct inode *start, const char *path, u32 flags)
{
    struct walk w = {0};
    if (strnlen(path, PATH_MAX_LEN) >= PATH_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    return walk(start ? start : task_cwd(), path, flags, &w);
}

struct inode *path_parent(struct inode *start, const char *path, struct name *last, bool *slash)
{
    struct walk w = {0};
    if (strnlen(path, PATH_MAX_LEN) >= PATH_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    struct inode *dir = walk(start ? start : task_cwd(), path, WALK_PARENT, &w);
    *last = w.last;
    *slash = w.slash;
    return dir;
}

/* ---- the way back: from a file to its path ---- */

int path_of(struct inode *inode, char *buf, u32 size)
{
    u32 at = size; /* the path grows from the end of buf to its start */
    if (S_TYPE(inode->mode) == S_DIR && !inode->nlink)
        return -ENOENT;
    while (inode != vfs_root && inode != task_root()) {
        const char *name;
        struct inode *dir = mount_dir(inode, &name);
        if (!dir) {
            dir = inode->dir;
            name = inode->name;
        }
        if (!dir || !name)
            return -ENOENT;
        u32 len = strlen(name);
        if (len + 2 > at)
            return -ERANGE;
        at -= len + 1;
        buf[at] = '/';
        memcpy(buf + at + 1, name, len);
        inode = dir;
    }
    if (at == size)
        buf[--at] = '/';
    memmove(buf, buf + at, size - at);
    return size - at;
}
