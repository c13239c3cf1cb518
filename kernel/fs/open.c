/* open(2): from a path to an open file, making the file where that is asked for. */
#include <linux/fcntl.h>
#include <linux/mount.h>
#include "kernel/fs/dev.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

#define LINKS_MAX 40 /* as in name.c */

static bool for_writing(u32 flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
}

/* The file that the last name stands for, made if it is not there. *next becomes where a link
 * leads (terminated, kfree it), when the answer is NULL. */
static struct inode *create_last(struct inode *dir, const struct name *last, u32 flags, u16 mode,
                                 bool *created, char **next)
{
    struct inode *inode = path_step(dir, last);
    if (is_err(inode) && ptr_err(inode) == -ENOENT) {
        struct new_file what = {.mode = S_REG | (mode & ~current->fs->umask)};
        inode = vfs_create(dir, last, &what);
        *created = !is_err(inode);
        return inode;
    }
    if (is_err(inode) || (flags & O_EXCL) || S_TYPE(inode->mode) != S_LNK || (flags & O_NOFOLLOW))
        return inode;
    struct inode *target = inode->ops->target ? inode->ops->target(inode) : NULL;
    if (target) {
        inode_put(inode);
        return target;
    }
    *next = path_readlink(inode);
    inode_put(inode);
    return is_err(*next) ? (struct inode *)*next : NULL;
}

/* O_CREAT: goes through links by itself, since what the last of them names may have to be made. */
static struct inode *walk_or_create(struct inode *start, const char *path, u32 flags, u16 mode,
                                    bool *created)
{
    char *link = NULL;
    struct inode *inode = err_ptr(-ELOOP);
    start = inode_hold(start ? start : task_cwd());
    for (u32 links = 0; links <= LINKS_MAX; links++) {
        struct name last;
        bool slash;
        char *next = NULL;
        struct inode *dir = path_parent(start, path, &last, &slash);
        inode_put(start);
        start = NULL;
        if (is_err(dir)) {
            inode = dir;
            break;
        }
        if (!last.len || slash || name_is_dots(&last))
            inode = err_ptr(-EISDIR);
        else
            inode = create_last(dir, &last, flags, mode, created, &next);
        kfree(link);
        link = NULL;
        start = dir;
        if (inode)
            break;
        path = link = next;
        inode = err_ptr(-ELOOP);
    }
    kfree(link);
    if (start)
        inode_put(start);
    return inode;
}

/* What kind of file is it, and may it be opened like this? */
static int check_open(const struct inode *inode, u32 flags)
{
    u16 type = S_TYPE(inode->mode);
    bool write = for_writing(flags);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if ((flags & O_DIRECTORY) && type != S_DIR)
        return -ENOTDIR;
    if (type == S_LNK)
        return -ELOOP; /* O_NOFOLLOW */
    if (type == S_DIR && (write || (flags & O_CREAT)))
        return -EISDIR;
    if (type == S_SOCK)
        return -ENXIO;
    if ((type == S_CHR || type == S_BLK) && inode->super && (inode->super->flags & MS_NODEV))
        return -EACCES;
    if (type == S_REG && write && inode->super && (inode->super->flags & MS_RDONLY))
        return -EROFS;
    if (type == S_REG && inode->size > 0x7FFFFFFF && !(flags & O_LARGEFILE))
        return -EOVERFLOW;
    if (type == S_REG && write && inode->runners)
        return -ETXTBSY;
    u32 access = flags & O_ACCMODE;
    int err =
        inode_permission(inode, (access != O_WRONLY ? MAY_READ : 0) | (write ? MAY_WRITE : 0));
    return !err && (flags & O_NOATIME) && !inode_owned(inode) ? -EPERM : err;
}

static int operations_of(const struct inode *inode, const struct file_ops **ops)
{
    u16 type = S_TYPE(inode->mode);
    *ops = inode->fops;
    if (type == S_FIFO)
        *ops = &pipe_file_ops;
    if (type == S_CHR || type == S_BLK)
        *ops = dev_ops(inode->mode, inode->rdev);
    return *ops || (type != S_CHR && type != S_BLK) ? 0 : -ENXIO;
}

/* Takes the inode's reference, also when it fails. */
static struct file *open_inode(struct inode *inode, u32 flags, bool created)
{
    const u32 not_kept = O_CREAT | O_TRUNC;
    const struct file_ops *ops = NULL;
    int err = 0;
    if (flags & O_PATH) {
        if ((flags & O_DIRECTORY) && S_TYPE(inode->mode) != S_DIR)
            err = -ENOTDIR;
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
    } else {
        err = created ? 0 : check_open(inode, flags);
        if (!err)
            err = operations_of(inode, &ops);
        if (!err && (flags & O_DIRECT) && !direct_possible(inode, ops))
            err = -EINVAL;
        if (!err && (flags & O_TRUNC) && !created && S_TYPE(inode->mode) == S_REG)
            err = vfs_resize(inode, 0);
    }
    struct file *f = err ? NULL : file_new(inode, ops, flags & ~not_kept);
    if (!f) {
        inode_put(inode);
        return err_ptr(err ? err : -ENOMEM);
    }
    if (S_TYPE(inode->mode) == S_REG && for_writing(flags) && inode->super) {
        f->writes = true;
        inode->super->writers++;
        inode->writers++;
    }
    if (ops && ops->open && (err = ops->open(inode, f)) < 0) {
        f->ops = NULL; /* never opened: nothing to release */
        file_put(f);
        return err_ptr(err);
    }
    if (flags & O_DIRECT)
        (void)direct_switch(f, true);
    f->flags &= ~(u32)(O_NOCTTY | O_EXCL); /* they were for ops->open */
    return f;
}

struct file *file_open_at(struct inode *start, const char *path, u32 flags, u16 mode)
{
    struct inode *inode;
    bool created = false;
    if ((flags & O_TMPFILE) == O_TMPFILE)
        return err_ptr(-EOPNOTSUPP);
    if (flags & O_PATH)
        flags &= ~(u32)O_CREAT;
    if ((flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY))
        return err_ptr(-EINVAL);
    if (flags & O_CREAT)
        inode = walk_or_create(start, path, flags, mode & 07777, &created);
    else
        inode = path_walk(start, path, flags & O_NOFOLLOW ? WALK_NOFOLLOW : 0);
    return is_err(inode) ? (struct file *)inode : open_inode(inode, flags, created);
}

struct file *file_open(const char *path, u32 flags, u16 mode)
{
    return file_open_at(NULL, path, flags, mode);
}
