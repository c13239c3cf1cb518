/*
 * From memory to the disk on request: sync(2), fsync(2), and the end of the machine's life.
 *
 * A file system on a disk brings itself into order (super->sync); what it needs from here is its
 * inodes: data pages first, then the inodes that have changed. A file system in RAM has neither.
 */
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

int vfs_fsync(struct inode *inode)
{
    if (S_TYPE(inode->mode) == S_BLK)
        return blkdev_fsync(inode);
    struct super *s = inode->super;
    return s && s->fsync ? s->fsync(inode) : 0;
}

int vfs_sync(struct super *super, bool last)
{
    return super->sync ? super->sync(super, last) : 0;
}
