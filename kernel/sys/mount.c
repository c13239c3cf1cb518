/* mount(2) and umount(2): what programs say; kernel/fs/mount.c does it. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

/* Of umount2(2). */
enum { UNMOUNT_FORCE = 1, UNMOUNT_DETACH = 2, UNMOUNT_EXPIRE = 4, UNMOUNT_NOFOLLOW = 8 };

/* A string argument that may be absent: then "". kfree it, or err_ptr. */
static char *text_copyin(const char __user *text)
{
    if (text)
        return path_copyin(text);
    char *empty = kzalloc(1);
    return empty ? empty : err_ptr(-ENOMEM);
}

static long mount_on(struct inode *on, const char *source, const char __user *type, u32 flags,
                     const char *options)
{
    char *name = text_copyin(type);
    if (is_err(name))
        return ptr_err(name);
    long err = vfs_mount(on, source, name, flags, options);
    kfree(name);
    return err;
}

long sys_mount(const char __user *source, const char __user *target, const char __user *type,
               u32 flags, const char __user *data)
{
    const u32 of_other_trees =
        MS_BIND | MS_MOVE | MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
        flags &= ~(u32)MS_MGC_MSK;
    char *options = text_copyin(data), *from = text_copyin(source);
    struct inode *on = err_ptr(-EFAULT);
    long err = is_err(options) ? ptr_err(options) : is_err(from) ? ptr_err(from) : 0;
    if (!err) {
        on = inode_at(AT_FDCWD, target, 0);
        err = is_err(on) ? ptr_err(on) : 0;
    }
    if (!err)
        err = flags & of_other_trees ? -EINVAL
              : flags & MS_REMOUNT   ? vfs_remount(on, flags, options)
                                     : mount_on(on, from, type, flags, options);
    if (!is_err(on))
        inode_put(on);
    kfree(is_err(from) ? NULL : from);
    kfree(is_err(options) ? NULL : options);
    return err;
}

/* Neither MNT_FORCE nor MNT_DETACH takes a file system away while it is used: -EBUSY. */
long sys_umount(const char __user *target, u32 flags)
{
    if (flags & ~(u32)(UNMOUNT_FORCE | UNMOUNT_DETACH | UNMOUNT_EXPIRE | UNMOUNT_NOFOLLOW))
        return -EINVAL;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (flags & UNMOUNT_EXPIRE)
        return -EINVAL;
    struct inode *root =
        inode_at(AT_FDCWD, target, flags & UNMOUNT_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0);
    return is_err(root) ? ptr_err(root) : vfs_umount(root);
}

long sys_oldumount(const char __user *target)
{
    return sys_umount(target, 0);
}
