/* Open files: made by open(2) and friends, shared by dup(2) and fork(2), gone with the last. */
#include "kernel/fs/anon.h"
#include "kernel/fs/lock.h"
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
    vfs_errors_begin(inode, &f->told);
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
    if (!LIST_EMPTY(&f->epoll_items))
        epoll_forget(f);
    if (f->ops && f->ops->release)
        f->ops->release(f);
    if (!LIST_EMPTY(&f->inode->locks))
        lock_drop_owner(f->inode, f);
    if (f->writes) {
        f->inode->super->writers--;
        f->inode->writers--;
    }
    inode_put(f->inode);
    nr_open_files--;
    kfree(f);
}
