/* See anon.h. */
#include "kernel/fs/anon.h"
#include <linux/fcntl.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

static struct inode *anon_inode(const char *name)
{
    static u32 number; /* as fstat shows them */
    struct inode *inode = inode_new(NULL, ++number, 0600);
    if (!inode)
        return NULL;
    inode->name = kmalloc(strlen(name) + 1);
    if (inode->name)
        memcpy(inode->name, name, strlen(name) + 1);
    return inode;
}

int anon_descriptor(const char *name, const struct file_ops *ops, void *object, u32 flags)
{
    struct inode *inode = anon_inode(name);
    struct file *file = inode ? file_new(inode, ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
    if (!file) {
        if (inode)
            inode_put(inode);
        return -ENFILE;
    }
    file->private = object;
    int fd = fd_install(file, 0, flags & O_CLOEXEC);
    if (fd < 0) {
        file->ops = NULL; /* the object is not ours to end */
        file_put(file);
    }
    return fd;
}
