/* Calls that make, remove and move names, and change a file's length: mkdir(2), mknod(2), link(2),
 * symlink(2), unlink(2), rename(2), truncate(2), fallocate(2). The work is kernel/fs/change.c's. */
#include <linux/capability.h>
#include <linux/falloc.h>
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

static long make_at(s32 dirfd, const char __user *path, const struct new_file *what)
{
    struct at_path p;
    long err = path_at(&p, dirfd, path);
    if (err)
        return err;
    struct inode *inode = vfs_make(p.start, p.name, what);
    path_at_end(&p);
    if (is_err(inode))
        return ptr_err(inode);
    inode_put(inode);
    return 0;
}

long sys_mkdirat(s32 dirfd, const char __user *path, u32 mode)
{
    struct new_file what = {.mode = S_DIR | (mode & 01777 & ~current->fs->umask)};
    return make_at(dirfd, path, &what);
}
long sys_mkdir(const char __user *path, u32 mode)
{
    return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(s32 dirfd, const char __user *path, u32 mode, u32 rdev)
{
    struct new_file what = {.mode = mode & ~current->fs->umask, .rdev = rdev};
    switch (S_TYPE(mode)) {
    case 0:
        what.mode |= S_REG;
        break;
    case S_REG:
    case S_FIFO:
    case S_SOCK:
        break;
    case S_CHR:
    case S_BLK:
        if (!capable(CAP_MKNOD))
            return -EPERM;
        break;
    case S_DIR:
        return -EPERM;
    default:
        return -EINVAL;
    }
    if (S_TYPE(mode) != S_CHR && S_TYPE(mode) != S_BLK)
        what.rdev = 0;
    return make_at(dirfd, path, &what);
}
long sys_mknod(const char __user *path, u32 mode, u32 rdev)
{
    return sys_mknodat(AT_FDCWD, path, mode, rdev);
}

long sys_symlinkat(const char __user *target, s32 dirfd, const char __user *path)
{
    char *text = path_copyin(target);
    if (is_err(text))
        return ptr_err(text);
    struct new_file what = {.mode = S_LNK | 0777, .target = text};
    long err = *text ? make_at(dirfd, path, &what) : -ENOENT;
    kfree(text);
    return err;
}
long sys_symlink(const char __user *target, const char __user *path)
{
    return sys_symlinkat(target, AT_FDCWD, path);
}

long sys_linkat(s32 from_dir, const char __user *from, s32 to_dir, const char __user *to, u32 flags)
{
    if (flags & ~(u32)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    u32 nofollow = flags & AT_SYMLINK_FOLLOW ? 0 : AT_SYMLINK_NOFOLLOW;
    struct inode *inode = inode_at(from_dir, from, (flags & AT_EMPTY_PATH) | nofollow);
    if (is_err(inode))
        return ptr_err(inode);
    struct at_path p;
    long err = path_at(&p, to_dir, to);
    if (!err) {
        err = vfs_link(inode, p.start, p.name);
        path_at_end(&p);
    }
    inode_put(inode);
    return err;
}
long sys_link(const char __user *from, const char __user *to)
{
    return sys_linkat(AT_FDCWD, from, AT_FDCWD, to, 0);
}

long sys_unlinkat(s32 dirfd, const char __user *path, u32 flags)
{
    if (flags & ~(u32)AT_REMOVEDIR)
        return -EINVAL;
    struct at_path p;
    long err = path_at(&p, dirfd, path);
    if (err)
        return err;
    err = flags & AT_REMOVEDIR ? vfs_rmdir(p.start, p.name) : vfs_unlink(p.start, p.name);
    path_at_end(&p);
    return err;
}
long sys_unlink(const char __user *path)
{
    return sys_unlinkat(AT_FDCWD, path, 0);
}
long sys_rmdir(const char __user *path)
{
    return sys_unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

long sys_renameat2(s32 from_dir, const char __user *from, s32 to_dir, const char __user *to,
                   u32 flags)
{
    struct at_path a, b;
    long err = path_at(&a, from_dir, from);
    if (err)
        return err;
    err = path_at(&b, to_dir, to);
    if (!err) {
        err = vfs_rename(a.start, a.name, b.start, b.name, flags);
        path_at_end(&b);
    }
    path_at_end(&a);
    return err;
}
long sys_renameat(s32 from_dir, const char __user *from, s32 to_dir, const char __user *to)
{
    return sys_renameat2(from_dir, from, to_dir, to, 0);
}
long sys_rename(const char __user *from, const char __user *to)
{
    return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* --- Length ----------------------------------------------------------------------------------- */

long sys_truncate64(const char __user *path, u32 low, u32 high)
{
    s64 size = (s64)((u64)high << 32 | low);
    if (size < 0)
        return -EINVAL;
    struct inode *inode = inode_at(AT_FDCWD, path, 0);
    if (is_err(inode))
        return ptr_err(inode);
    long err = S_TYPE(inode->mode) == S_REG ? inode_permission(inode, MAY_WRITE) : 0;
    if (!err && inode->runners)
        err = -ETXTBSY;
    if (!err)
        err = vfs_resize(inode, size);
    inode_put(inode);
    return err;
}

long sys_ftruncate64(u32 fd, u32 low, u32 high)
{
    s64 size = (s64)((u64)high << 32 | low);
    if (size < 0)
        return -EINVAL;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long err = -EINVAL;
    if (f->flags & O_PATH)
        err = -EBADF;
    else if (S_TYPE(f->inode->mode) == S_REG && (f->flags & O_ACCMODE) != O_RDONLY)
        err = !(f->flags & O_LARGEFILE) && size > 0x7FFFFFFF ? -EINVAL : vfs_resize(f->inode, size);
    file_put(f);
    return err;
}

long sys_truncate(const char __user *path, s32 size)
{
    return sys_truncate64(path, size, size < 0 ? ~0u : 0);
}
long sys_ftruncate(u32 fd, s32 size)
{
    return sys_ftruncate64(fd, size, size < 0 ? ~0u : 0);
}

static long allocate(struct file *f, u32 mode, s64 pos, s64 len)
{
    const u32 known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_COLLAPSE_RANGE |
                      FALLOC_FL_ZERO_RANGE | FALLOC_FL_INSERT_RANGE | FALLOC_FL_UNSHARE_RANGE;
    struct inode *inode = f->inode;
    u16 type = S_TYPE(inode->mode);
    if (pos < 0 || len <= 0)
        return -EINVAL;
    if ((mode & ~known) || ((mode & FALLOC_FL_PUNCH_HOLE) && !(mode & FALLOC_FL_KEEP_SIZE)))
        return -EOPNOTSUPP;
    if ((f->flags & O_PATH) || (f->flags & O_ACCMODE) == O_RDONLY)
        return -EBADF;
    if (type != S_REG)
        return type == S_FIFO ? -ESPIPE : type == S_DIR ? -EISDIR : -ENODEV;
    if ((pos + len) >> PAGE_SHIFT >= 0xFFFFFFFF || pos + len < 0)
        return -EFBIG;
    if (!inode->ops || !inode->ops->allocate)
        return -EOPNOTSUPP;
    inode_lock(inode);
    long err = inode->ops->allocate(inode, mode, pos, len);
    if (!err)
        inode_written(inode);
    inode_unlock(inode);
    return err;
}

long sys_fallocate(u32 fd, u32 mode, u32 pos_low, u32 pos_high, u32 len_low, u32 len_high)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long err = allocate(f, mode, (s64)((u64)pos_high << 32 | pos_low),
                        (s64)((u64)len_high << 32 | len_low));
    file_put(f);
    return err;
}
