/*
 * Names: from a path to an inode, across mounts and symbolic links.
 *
 * A file system is mounted on a (directory, name) pair, so that /proc and /dev are there even on
 * a disk without such directories. path_resolution(7).
 */
#include "kernel/fs/pty.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/task.h"
#include "drivers/block.h"

#define LINKS_MAX 40 /* symbolic links followed in one walk, as on Linux: then -ELOOP */
#define MOUNTS    8

struct inode *vfs_root;

static struct mount {
    struct inode *dir; /* where: the name below it; NULL for the root */
    char name[32];
    struct super *super;
    char device[32];
} mounts[MOUNTS];
static u32 nr_mounts;

struct walk {
    u32 links;
};

static struct mount *mount_below(struct inode *dir, const char *name, u32 len)
{
    for (u32 i = 0; i < nr_mounts; i++)
        if (mounts[i].dir == dir && strlen(mounts[i].name) == len &&
            !memcmp(mounts[i].name, name, len))
            return &mounts[i];
    return NULL;
}

static struct inode *parent_of(struct inode *dir)
{
    if (dir == vfs_root)
        return inode_hold(dir);
    for (u32 i = 0; i < nr_mounts; i++)
        if (mounts[i].super->root == dir)
            return inode_hold(mounts[i].dir);
    return dir->ops->lookup(dir, "..", 2);
}

static struct inode *step(struct inode *dir, const char *name, u32 len)
{
    if (S_TYPE(dir->mode) != S_DIR)
        return err_ptr(-ENOTDIR);
    if (len > NAME_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    if (len == 1 && name[0] == '.')
        return inode_hold(dir);
    if (len == 2 && name[0] == '.' && name[1] == '.')
        return parent_of(dir);
    struct mount *m = mount_below(dir, name, len);
    if (m)
        return inode_hold(m->super->root);
    if (!dir->ops || !dir->ops->lookup)
        return err_ptr(-ENOTDIR);
    struct inode *inode = dir->ops->lookup(dir, name, len);
    if (!is_err(inode))
        inode_set_name(inode, dir, name, len);
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
    char *target = kmalloc(PATH_MAX_LEN);
    if (!target)
        return err_ptr(-ENOMEM);
    ssize_t n = link->ops && link->ops->readlink
                    ? link->ops->readlink(link, target, PATH_MAX_LEN - 1)
                    : -EINVAL;
    struct inode *inode;
    if (n <= 0) {
        inode = err_ptr(n ? n : -ENOENT);
    } else {
        target[n] = 0;
        inode = walk(dir, target, 0, w);
    }
    kfree(target);
    return inode;
}

static struct inode *walk(struct inode *start, const char *path, u32 flags, struct walk *w)
{
    if (!*path)
        return err_ptr(-ENOENT);
    struct inode *dir = inode_hold(*path == '/' ? vfs_root : start);
    bool must_be_directory = flags & WALK_DIRECTORY;
    while (*path) {
        while (*path == '/')
            path++;
        if (!*path)
            break;
        u32 len = 0;
        while (path[len] && path[len] != '/')
            len++;
        const char *rest = path + len;
        bool last = !*rest;
        if (*rest == '/') {
            const char *p = rest;
            while (*p == '/')
                p++;
            if (!*p) { /* "name/" asks for a directory */
                must_be_directory = true;
                last = true;
            }
        }
        struct inode *next = step(dir, path, len);
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
    if (!start)
        start = task_cwd();
    if (strnlen(path, PATH_MAX_LEN) >= PATH_MAX_LEN)
        return err_ptr(-ENAMETOOLONG);
    return walk(start, path, flags, &w);
}

int path_parent_error(struct inode *start, const char *path)
{
    size_t n = strlen(path);
    char *copy = kmalloc(PATH_MAX_LEN);
    if (!copy)
        return -ENOMEM;
    strlcpy(copy, path, PATH_MAX_LEN);
    while (n > 1 && copy[n - 1] == '/')
        copy[--n] = 0;
    char *slash = strrchr(copy, '/');
    if (slash)
        slash[1] = 0;
    struct inode *dir =
        slash ? path_walk(start, copy, WALK_DIRECTORY) : inode_hold(start ? start : task_cwd());
    kfree(copy);
    if (is_err(dir))
        return ptr_err(dir);
    inode_put(dir);
    return -EROFS; /* no file system here takes new names yet */
}

/* ---- the way back: from a file to its path ---- */

int path_of(struct inode *inode, char *buf, u32 size)
{
    u32 at = size; /* the path grows from the end of buf to its start */
    if (S_TYPE(inode->mode) == S_DIR && !inode->nlink)
        return -ENOENT;
    while (inode != vfs_root) {
        struct inode *dir = inode->dir;
        const char *name = inode->name;
        for (u32 i = 0; i < nr_mounts; i++) {
            if (mounts[i].super->root == inode) {
                dir = mounts[i].dir;
                name = mounts[i].name;
            }
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

static void mount_on(struct inode *dir, const char *name, const struct fs_type *type,
                     struct block_device *device, const char *device_name)
{
    struct super *super = type->mount(device, SUPER_READ_ONLY);
    if (is_err(super))
        panic("cannot mount %s on %s as %s: error %d", device_name, name, type->name,
              -ptr_err(super));
    struct mount *m = &mounts[nr_mounts++];
    m->dir = dir;
    strlcpy(m->name, name, sizeof(m->name));
    strlcpy(m->device, device_name, sizeof(m->device));
    m->super = super;
}

/* A machine without a usable disk says so in one line and stops there: it is no panic. */
static void __noreturn refuse(const char *why, const char *what)
{
    kprintf("ferry: %s%s: cannot start\n", why, what);
    power_fail();
}

void vfs_mount_root(void)
{
    char name[32];
    if (!cmdline_get("root", name, sizeof(name)))
        strlcpy(name, "/dev/hda", sizeof(name));
    struct block_device *device = block_find(name);
    if (!device)
        refuse("no disk ", name);
    struct super *super = ext2_fs.mount(device, SUPER_READ_ONLY);
    if (is_err(super))
        refuse("no usable ext2 file system on ", name);
    mounts[nr_mounts] = (struct mount){.dir = NULL, .name = "/", .super = super};
    strlcpy(mounts[nr_mounts++].device, name, sizeof(mounts[0].device));
    vfs_root = super->root;
    mount_on(vfs_root, "proc", &proc_fs, NULL, "proc");
    mount_on(vfs_root, "dev", &dev_fs, NULL, "dev");
    mount_on(mounts[nr_mounts - 1].super->root, "pts", &devpts_fs, NULL, "devpts");
}

void mounts_format(struct text *t)
{
    for (u32 i = 0; i < nr_mounts; i++)
        text_printf(t, "%s %s%s %s ro 0 0\n", mounts[i].device, i ? "/" : "", mounts[i].name,
                    mounts[i].super->type);
}
