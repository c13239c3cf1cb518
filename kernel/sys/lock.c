/* The calls of record locks and flock(2): what programs pass, for kernel/fs/lock.c. */
#include <linux/fcntl.h>
#include "kernel/fs/lock.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/sys.h"

/* struct flock and struct flock64, as one. */
struct request {
    s16 type, whence;
    s64 start, len;
    s32 pid;
};

static int request_copyin(struct request *r, const void __user *from, bool wide)
{
    struct flock narrow;
    struct flock64 l;
    if (wide) {
        if (copyin(&l, from, sizeof(l)) < 0)
            return -EFAULT;
        *r = (struct request){l.l_type, l.l_whence, l.l_start, l.l_len, l.l_pid};
        return 0;
    }
    if (copyin(&narrow, from, sizeof(narrow)) < 0)
        return -EFAULT;
    *r = (struct request){narrow.l_type, narrow.l_whence, narrow.l_start, narrow.l_len,
                          narrow.l_pid};
    return 0;
}

static int request_copyout(const struct request *r, void __user *to, bool wide)
{
    if (wide) {
        struct flock64 l = {.l_type = r->type,
                            .l_whence = r->whence,
                            .l_start = r->start,
                            .l_len = r->len,
                            .l_pid = r->pid};
        return copyout(to, &l, sizeof(l));
    }
    if (r->start > 0x7FFFFFFF || r->len > 0x7FFFFFFF)
        return -EOVERFLOW;
    struct flock l = {.l_type = r->type,
                      .l_whence = r->whence,
                      .l_start = (s32)r->start,
                      .l_len = (s32)r->len,
                      .l_pid = r->pid};
    return copyout(to, &l, sizeof(l));
}

static int to_lock(const struct file *f, const struct request *r, bool of_file,
                   struct file_lock *lock)
{
    s64 base = r->whence == 0 ? 0 : r->whence == 1 ? (s64)f->pos : (s64)f->inode->size;
    s64 first, last;
    if (r->whence < 0 || r->whence > 2)
        return -EINVAL;
    if (__builtin_add_overflow(base, r->start, &first))
        return -EOVERFLOW;
    if (first < 0)
        return -EINVAL;
    if (r->len > 0 && __builtin_add_overflow(first, r->len - 1, &last))
        return -EOVERFLOW;
    if (r->len < 0) { /* the bytes before */
        last = first - 1;
        first += r->len;
        if (first < 0)
            return -EINVAL;
    }
    enum lock_type type = r->type == F_RDLCK   ? LOCK_SHARED
                          : r->type == F_WRLCK ? LOCK_EXCLUSIVE
                                               : LOCK_NONE;
    if (type == LOCK_NONE && r->type != F_UNLCK)
        return -EINVAL;
    *lock = (struct file_lock){
        .kind = LOCK_RECORD,
        .type = type,
        .first = first,
        .last = r->len ? (u64)last : ~0ull,
        .owner = of_file ? (const void *)f : current->files,
        .pid = of_file ? 0 : current->process->pid,
    };
    return 0;
}

static long get_lock(struct file *f, struct request *r, const struct file_lock *lock)
{
    struct file_lock found;
    if (lock->type == LOCK_NONE)
        return -EINVAL;
    if (!lock_test(f->inode, lock, &found)) {
        r->type = F_UNLCK;
        return 0;
    }
    r->type = found.type == LOCK_SHARED ? F_RDLCK : F_WRLCK;
    r->whence = 0;
    r->start = found.first;
    r->len = found.last == ~0ull ? 0 : found.last - found.first + 1;
    r->pid = found.pid ? (s32)found.pid : -1;
    return 0;
}

static long set_lock(struct file *f, u32 fd, const struct file_lock *lock, bool wait)
{
    u32 access = f->flags & O_ACCMODE;
    if ((lock->type == LOCK_SHARED && access == O_WRONLY) ||
        (lock->type == LOCK_EXCLUSIVE && access == O_RDONLY))
        return -EBADF;
    long err = lock_set(f->inode, lock, wait);
    /* Another thread may have closed it while we waited: then nobody would ever let go. */
    if (!err && lock->pid && current->files->fd[fd] != f)
        lock_drop_owner(f->inode, lock->owner);
    return err;
}

long fcntl_lock(struct file *f, u32 fd, u32 command, void __user *argument)
{
    bool of_file = command == F_OFD_GETLK || command == F_OFD_SETLK || command == F_OFD_SETLKW;
    bool wide = of_file || command == F_GETLK64 || command == F_SETLK64 || command == F_SETLKW64;
    bool get = command == F_GETLK || command == F_GETLK64 || command == F_OFD_GETLK;
    bool wait = command == F_SETLKW || command == F_SETLKW64 || command == F_OFD_SETLKW;
    struct request r;
    struct file_lock lock;
    long err = request_copyin(&r, argument, wide);
    if (!err && of_file && r.pid)
        err = -EINVAL;
    if (!err)
        err = to_lock(f, &r, of_file, &lock);
    if (err)
        return err;
    if (!get)
        return set_lock(f, fd, &lock, wait);
    err = get_lock(f, &r, &lock);
    return err ? err : request_copyout(&r, argument, wide);
}

long sys_flock(u32 fd, u32 operation)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u32 what = operation & ~(u32)LOCK_NB;
    struct file_lock lock = {
        .kind = LOCK_WHOLE,
        .type = what == LOCK_SH   ? LOCK_SHARED
                : what == LOCK_EX ? LOCK_EXCLUSIVE
                                  : LOCK_NONE,
        .last = ~0ull,
        .owner = f,
    };
    long err = f->flags & O_PATH                                       ? -EBADF
               : what != LOCK_SH && what != LOCK_EX && what != LOCK_UN ? -EINVAL
                                                                       : 0;
    if (!err)
        err = lock_set(f->inode, &lock, !(operation & LOCK_NB));
    file_put(f);
    return err;
}
