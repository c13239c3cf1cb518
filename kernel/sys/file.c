/* Calls on descriptors: open, close, dup, fcntl, lseek, getdents64, ioctl. */
#include <linux/fcntl.h>
#include "kernel/fs/pipe.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

enum { SEEK_TO = 0, SEEK_BY = 1, SEEK_FROM_END = 2 };

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
    if (to >= NR_FDS) {
        file_put(f);
        return -EBADF;
    }
    fd_close(to); /* -EBADF: it was not open, which is as good */
    return fd_install(f, to, cloexec);
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

long sys_fcntl64(u32 fd, u32 command, u32 argument)
{
    const u32 settable = O_APPEND | O_NONBLOCK;
    if (command == F_DUPFD || command == F_DUPFD_CLOEXEC)
        return argument >= NR_FDS ? -EINVAL : dup_from(fd, argument, command == F_DUPFD_CLOEXEC);
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u8 *cloexec = &current->files->cloexec[fd / 8], bit = 1u << fd % 8;
    long ret = 0;
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
        f->flags = (f->flags & ~settable) | (argument & settable);
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

long sys_ioctl(u32 fd, u32 request, u32 argument)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = f->ops && f->ops->ioctl ? f->ops->ioctl(f, request, argument) : -ENOTTY;
    file_put(f);
    return ret;
}

/* The new position, or a negative errno. */
static s64 seek(struct file *f, s64 offset, u32 whence)
{
    u16 type = S_TYPE(f->inode->mode);
    if (type == S_CHR || type == S_SOCK || type == S_FIFO)
        return -ESPIPE;
    s64 base = whence == SEEK_TO         ? 0
               : whence == SEEK_BY       ? (s64)f->pos
               : whence == SEEK_FROM_END ? (s64)f->inode->size
                                         : -1;
    if (base < 0)
        return -EINVAL;
    s64 to;
    if (__builtin_add_overflow(base, offset, &to) || to < 0)
        return -EINVAL;
    f->pos = to;
    return to;
}

long sys_lseek(u32 fd, s32 offset, u32 whence)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u64 before = f->pos;
    s64 to = seek(f, offset, whence);
    if (to > 0x7FFFFFFF) {
        f->pos = before;
        to = -EOVERFLOW;
    }
    file_put(f);
    return to;
}

long sys_llseek(u32 fd, u32 high, u32 low, u64 __user *result, u32 whence)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    s64 to = seek(f, (s64)((u64)high << 32 | low), whence);
    file_put(f);
    if (to < 0)
        return to;
    return copyout(result, &to, sizeof(to));
}

/* ---- getdents64(2) ---- */

struct dirent64 {
    u64 ino, next;
    u16 record_len;
    u8 type;
    char name[];
} __packed;

struct user_sink {
    struct dir_sink sink;
    char __user *to;
    u32 room, used;
    int error;
};

static bool emit_dirent(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 type,
                        u64 next)
{
    struct user_sink *s = container_of(sink, struct user_sink, sink);
    char buf[sizeof(struct dirent64) + NAME_MAX_LEN + 8];
    u32 record_len = ROUND_UP(sizeof(struct dirent64) + len + 1, 8);
    if (len > NAME_MAX_LEN || record_len > s->room - s->used) {
        s->error = -EINVAL; /* only when nothing fits at all */
        return false;
    }
    struct dirent64 *d = (struct dirent64 *)buf;
    memset(buf, 0, sizeof(buf));
    d->ino = ino;
    d->next = next;
    d->record_len = record_len;
    d->type = type;
    memcpy(d->name, name, len);
    if (copyout(s->to + s->used, buf, record_len) < 0) {
        s->error = -EFAULT;
        return false;
    }
    s->used += record_len;
    return true;
}

long sys_getdents64(u32 fd, void __user *buf, u32 len)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    struct user_sink s = {.sink = {emit_dirent}, .to = buf, .room = len};
    long ret = f->ops && f->ops->readdir ? f->ops->readdir(f, &s.sink) : -ENOTDIR;
    file_put(f);
    if (ret < 0)
        return s.used ? (long)s.used : ret;
    return s.used ? (long)s.used : s.error;
}

/* Nothing is written yet, so nothing has to reach the disk. */
long sys_fsync(u32 fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u16 type = S_TYPE(f->inode->mode);
    file_put(f);
    return type == S_REG || type == S_DIR || type == S_BLK ? 0 : -EINVAL;
}

long sys_sync(void)
{
    return 0;
}
