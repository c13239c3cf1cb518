/* Calls on descriptors: open, close, dup, fcntl, ioctl. */
#include <asm/ioctls.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/fork.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

long sys_openat(s32 dirfd, const char __user *path, u32 flags, u32 mode)
{
    char *name = path_copyin(path);
    if (is_err(name))
        return ptr_err(name);
    struct inode *start = directory_of(dirfd, name);
    long ret;
    if (is_err(start)) {
        ret = ptr_err(start);
    } else {
        struct file *f = file_open_at(start, name, flags & ~(u32)O_CLOEXEC, mode);
        inode_put(start);
        ret = is_err(f) ? ptr_err(f) : fd_install(f, 0, flags & O_CLOEXEC);
        if (!is_err(f) && ret < 0)
            file_put(f);
    }
    kfree(name);
    return ret;
}

long sys_open(const char __user *path, u32 flags, u32 mode)
{
    return sys_openat(AT_FDCWD, path, flags, mode);
}

long sys_creat(const char __user *path, u32 mode)
{
    return sys_openat(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}

long sys_close(u32 fd)
{
    return fd_close(fd);
}

static long dup_from(u32 fd, u32 min_fd, bool cloexec)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    int to = fd_install(f, min_fd, cloexec);
    if (to < 0)
        file_put(f);
    return to;
}

long sys_dup(u32 fd)
{
    return dup_from(fd, 0, false);
}

static long dup_to(u32 fd, u32 to, bool cloexec)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    if (to >= fd_limit()) {
        file_put(f);
        return -EBADF;
    }
    fd_close(to); /* -EBADF: it was not open, which is as good */
    int ret = fd_install(f, to, cloexec);
    if (ret < 0)
        file_put(f);
    return ret;
}

long sys_dup2(u32 fd, u32 to)
{
    if (fd == to)
        return fd < NR_FDS && current->files->fd[fd] ? (long)fd : -EBADF;
    return dup_to(fd, to, false);
}

long sys_dup3(u32 fd, u32 to, u32 flags)
{
    if (fd == to || (flags & ~(u32)O_CLOEXEC))
        return -EINVAL;
    return dup_to(fd, to, flags & O_CLOEXEC);
}

long sys_close_range(u32 first, u32 last, u32 flags)
{
    if (first > last || (flags & ~(u32)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -EINVAL;
    struct files *files = current->files;
    if ((flags & CLOSE_RANGE_UNSHARE) && files->refs > 1) {
        struct files *own = files_copy(files);
        if (!own)
            return -ENOMEM;
        current->files = own;
        files_put(files);
        files = own;
    }
    for (u32 fd = first; fd <= last && fd < files->end; fd++) {
        if (!files->fd[fd])
            continue;
        if (flags & CLOSE_RANGE_CLOEXEC)
            files->cloexec[fd / 8] |= 1u << fd % 8;
        else
            fd_close(fd);
    }
    return 0;
}

/* What F_SETFL can change. */
#define SETTABLE_FLAGS (O_APPEND | O_NONBLOCK | O_NOATIME | O_DIRECT)

static long set_flags(struct file *f, u32 flags)
{
    if ((flags & O_NOATIME) && !(f->flags & O_NOATIME) && !inode_owned(f->inode))
        return -EPERM;
    if (S_TYPE(f->inode->mode) != S_FIFO) { /* there it means packets (pipe(2)) */
        int error = direct_switch(f, flags & O_DIRECT);
        if (error)
            return error;
    }
    f->flags = (f->flags & ~(u32)SETTABLE_FLAGS) | (flags & SETTABLE_FLAGS);
    return 0;
}

long sys_fcntl64(u32 fd, u32 command, u32 argument)
{
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) {
        if (fd >= NR_FDS || !current->files->fd[fd])
            return -EBADF;
        return argument >= fd_limit() ? -EINVAL
                                      : dup_from(fd, argument, command == F_DUPFD_CLOEXEC);
    }
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u8 *cloexec = &current->files->cloexec[fd / 8], bit = 1u << fd % 8;
    long ret = 0;
    if ((f->flags & O_PATH) && command != F_GETFD && command != F_SETFD && command != F_GETFL) {
        file_put(f);
        return -EBADF;
    }
    switch (command) {
    case F_GETFD:
        ret = *cloexec & bit ? FD_CLOEXEC : 0;
        break;
    case F_SETFD:
        *cloexec = argument & FD_CLOEXEC ? *cloexec | bit : *cloexec & ~bit;
        break;
    case F_GETFL:
        ret = f->flags;
        break;
    case F_SETFL:
        ret = set_flags(f, argument);
        break;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_GETLK64:
    case F_SETLK64:
    case F_SETLKW64:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        ret = fcntl_lock(f, fd, command, (void __user *)argument);
        break;
    case F_SETOWN:
        f->owner = (s32)argument;
        break;
    case F_GETOWN:
        ret = f->owner;
        break;
    case F_GETPIPE_SZ:
        ret = pipe_get_size(f);
        break;
    case F_SETPIPE_SZ:
        ret = pipe_set_size(f, argument);
        break;
    default:
        ret = -EINVAL;
    }
    file_put(f);
    return ret;
}

static long set_nonblocking(struct file *f, const void __user *argument)
{
    int on;
    if (copyin(&on, argument, sizeof(on)) < 0)
        return -EFAULT;
    f->flags = on ? f->flags | O_NONBLOCK : f->flags & ~(u32)O_NONBLOCK;
    return 0;
}

static long unread_bytes(const struct file *f, void __user *argument)
{
    int n = (int)(f->inode->size - f->pos);
    return copyout(argument, &n, sizeof(n));
}

/* ioctl_fioclex(2), FIONBIO and FIONREAD are the same for all files; the rest is the file's. */
long sys_ioctl(u32 fd, u32 request, u32 argument)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u8 *cloexec = &current->files->cloexec[fd / 8], bit = 1u << fd % 8;
    long ret = 0;
    if (request == FIOCLEX)
        *cloexec |= bit;
    else if (request == FIONCLEX)
        *cloexec &= ~bit;
    else if (request == FIONBIO)
        ret = set_nonblocking(f, (void __user *)argument);
    else if (request == FIONREAD && S_TYPE(f->inode->mode) == S_REG)
        ret = unread_bytes(f, (void __user *)argument);
    else
        ret = f->ops && f->ops->ioctl ? f->ops->ioctl(f, request, argument) : -ENOTTY;
    file_put(f);
    return ret;
}
