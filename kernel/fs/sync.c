/*
 * From memory to the disk on request: sync(2), fsync(2), and the end of the machine's life; and who
 * is told what could not be written.
 *
 * A file system on a disk brings itself into order (super->sync); what it needs from here is its
 * inodes: data pages first, then the inodes that have changed. A file system in RAM has neither.
 */
#include <linux/fcntl.h>
#include "drivers/block.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/vfs.h"

int inodes_sync(struct super *super)
{
    int error = 0;
    struct inode *inode = NULL;
    while ((inode = inode_next_dirty(super, inode))) { /* holds each as long as we are at it */
        if (inode->mapping.ops && (inode->mapping.nr_dirty || inode->mapping.nr_writeback)) {
            int e = cache_write_out(&inode->mapping, 0, ~0u);
            error = error ? error : e;
        }
        if (inode->dirty) {
            int e = super->write_inode(inode);
            error = error ? error : e;
        }
    }
    return error;
}

int vfs_write_out(struct inode *inode, bool data_only)
{
    if (S_TYPE(inode->mode) == S_BLK)
        return blkdev_fsync(inode);
    struct super *s = inode->super;
    return s && s->fsync ? s->fsync(inode, data_only) : 0;
}

int vfs_sync(struct super *super, bool last)
{
    return super->sync ? super->sync(super, last) : 0;
}

/* --- Who is told of errors -------------------------------------------------------------------- */

static struct block_device *device_of(const struct inode *inode)
{
    if (S_TYPE(inode->mode) == S_BLK)
        return block_by_number(inode->rdev);
    return inode->super ? inode->super->device : NULL;
}

void vfs_errors_begin(const struct inode *inode, struct errors_told *told)
{
    const struct block_device *device = device_of(inode);
    told->file = errors_begin(&inode->mapping.errors);
    told->device = device ? errors_begin(&device->errors) : 0;
    told->fs = inode->super ? errors_begin(&inode->super->errors) : 0;
}

static int device_news(const struct inode *inode, struct errors_told *told)
{
    struct block_device *device = device_of(inode);
    return device ? errors_news(&device->errors, &told->device) : 0;
}

int vfs_fsync(struct inode *inode, struct errors_told *told, bool data_only)
{
    int error = vfs_write_out(inode, data_only);
    int of_file = errors_news(&inode->mapping.errors, &told->file);
    int of_device = device_news(inode, told);
    return error ? error : of_file ? of_file : of_device;
}

int file_sync(struct file *f)
{
    return vfs_fsync(f->inode, &f->told, !(f->flags & __O_SYNC));
}

int file_syncfs(struct file *f)
{
    struct super *s = f->inode->super;
    if (!s)
        return 0;
    int error = vfs_sync(s, false);
    int of_files = errors_news(&s->errors, &f->told.fs);
    int of_device = device_news(f->inode, &f->told);
    return error ? error : of_files ? of_files : of_device;
}
