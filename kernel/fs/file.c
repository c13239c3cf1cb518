/* Open files: made by open(2) and friends, shared by dup(2) and fork(2), gone with the last. */
#include <linux/fcntl.h>
#include "kernel/fs/dev.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

u32 nr_open_files;

struct file *file_new(struct inode *inode, const struct file_ops *ops, u32 flags)
{
    struct file *f = kzalloc(sizeof(*f));
    if (!f)
        return NULL;
    nr_open_files++;
    f->refs = 1;
    f->flags = flags;
    f->inode = inode;
    f->ops = ops;
    return f;
}

struct file *file_hold(struct file *f)
{
    f->refs++;
    return f;
}

void file_put(struct file *f)
{
    ASSERT(f->refs > 0);
    if (--f->refs)
        return;
    if (f->ops && f->ops->release)
        f->ops->release(f);
    inode_put(f->inode);
    nr_open_files--;
    kfree(f);
}

/* What kind of file is it, and may it be opened like this? */
static int check_open(const struct inode *inode, u32 flags)
{
    u16 type = S_TYPE(inode->mode);
    bool write = (flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC);
    if ((flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL))
        return -EEXIST;
    if ((flags & O_DIRECTORY) && type != S_DIR)
        return -ENOTDIR;
    if (type == S_LNK)
        return -ELOOP; /* O_NOFOLLOW */
    if (type == S_DIR && (write || (flags & O_CREAT)))
        return -EISDIR;
    if (type == S_REG && write && inode->super && (inode->super->flags & SUPER_READ_ONLY))
        return -EROFS;
    if (type == S_SOCK)
        return -ENXIO;
    return 0;
}

struct file *file_open_at(struct inode *start, const char *path, u32 flags, u16 mode)
{
    struct inode *inode = path_walk(start, path, flags & O_NOFOLLOW ? WALK_NOFOLLOW : 0);
    if (is_err(inode)) {
        /* Creating needs a directory that exists, on a file system that takes writes. */
        if (ptr_err(inode) == -ENOENT && (flags & O_CREAT))
            return err_ptr(path_parent_error(start, path));
        return (struct file *)inode;
    }
    int err = check_open(inode, flags);
    if (err)
        goto fail;
    const struct file_ops *ops = inode->fops;
    if (S_TYPE(inode->mode) == S_FIFO)
        ops = &pipe_file_ops;
    if (S_TYPE(inode->mode) == S_CHR || S_TYPE(inode->mode) == S_BLK) {
        ops = dev_ops(inode->mode, inode->rdev);
        if (!ops) {
            err = -ENXIO;
            goto fail;
        }
    }
    struct file *f = file_new(inode, ops, flags & ~(u32)(O_CREAT | O_EXCL | O_TRUNC));
    if (!f) {
        err = -ENOMEM;
        goto fail;
    }
    if (ops && ops->open && (err = ops->open(inode, f)) < 0) {
        f->ops = NULL; /* never opened: nothing to release */
        file_put(f);
        return err_ptr(err);
    }
    f->flags &= ~(u32)O_NOCTTY; /* it was for ops->open */
    return f;
fail:
    inode_put(inode);
    return err_ptr(err);
}

struct file *file_open(const char *path, u32 flags, u16 mode)
{
    return file_open_at(NULL, path, flags, mode);
}
