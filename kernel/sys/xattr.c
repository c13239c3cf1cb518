/*
 * Extended attributes: no file system here has any, and says so as Linux does where that is so:
 * the list is empty, everything else is -EOPNOTSUPP. xattr(7).
 */
#include <linux/fcntl.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include "kernel/mm/uaccess.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

static int check_name(const char __user *name)
{
    char copy[XATTR_NAME_MAX + 1];
    ssize_t n = copyin_string(copy, name, sizeof(copy));
    if (n == 0 || n == -ENAMETOOLONG)
        return -ERANGE;
    return n < 0 ? n : 0;
}

/* Takes the inode's reference; it may be an err_ptr. */
static long refuse(struct inode *inode, const char __user *name)
{
    if (is_err(inode))
        return ptr_err(inode);
    inode_put(inode);
    int err = check_name(name);
    return err ? err : -EOPNOTSUPP;
}

static long refuse_set(struct inode *inode, const char __user *name, u32 size, u32 flags)
{
    long err = (flags & ~(u32)(XATTR_CREATE | XATTR_REPLACE)) ? -EINVAL
               : size > XATTR_SIZE_MAX                        ? -E2BIG
                                                              : 0;
    if (!err)
        return refuse(inode, name);
    if (!is_err(inode))
        inode_put(inode);
    return err;
}

static long list(struct inode *inode)
{
    if (is_err(inode))
        return ptr_err(inode);
    inode_put(inode);
    return 0;
}

long sys_setxattr(const char __user *path, const char __user *name, const void __user *value,
                  u32 size, u32 flags)
{
    return refuse_set(inode_at(AT_FDCWD, path, 0), name, size, flags);
}
long sys_lsetxattr(const char __user *path, const char __user *name, const void __user *value,
                   u32 size, u32 flags)
{
    return refuse_set(inode_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name, size, flags);
}
long sys_fsetxattr(u32 fd, const char __user *name, const void __user *value, u32 size, u32 flags)
{
    return refuse_set(inode_of_fd(fd), name, size, flags);
}
long sys_getxattr(const char __user *path, const char __user *name)
{
    return refuse(inode_at(AT_FDCWD, path, 0), name);
}
long sys_lgetxattr(const char __user *path, const char __user *name)
{
    return refuse(inode_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), name);
}
long sys_fgetxattr(u32 fd, const char __user *name)
{
    return refuse(inode_of_fd(fd), name);
}
long sys_listxattr(const char __user *path)
{
    return list(inode_at(AT_FDCWD, path, 0));
}
long sys_llistxattr(const char __user *path)
{
    return list(inode_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW));
}
long sys_flistxattr(u32 fd)
{
    return list(inode_of_fd(fd));
}
