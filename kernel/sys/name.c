/* Calls on names: stat and its family, access, readlink, the current directory. */
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/stat.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

enum { ACCESS_WRITE = 2, ACCESS_EXECUTE = 1 };

char *path_copyin(const char __user *path)
{
    char *name = kmalloc(PATH_MAX_LEN);
    if (!name)
        return err_ptr(-ENOMEM);
    ssize_t n = copyin_string(name, path, PATH_MAX_LEN);
    if (n < 0) {
        kfree(name);
        return err_ptr(n);
    }
    return name;
}

struct inode *directory_of(s32 dirfd, const char *path)
{
    if (dirfd == AT_FDCWD || *path == '/')
        return inode_hold(task_cwd());
    struct file *f = fd_get(dirfd);
    if (!f)
        return err_ptr(-EBADF);
    struct inode *inode =
        S_TYPE(f->inode->mode) == S_DIR ? inode_hold(f->inode) : err_ptr(-ENOTDIR);
    file_put(f);
    return inode;
}

/* The inode that (dirfd, path) names, or err_ptr. */
static struct inode *lookup(s32 dirfd, const char __user *path, u32 flags)
{
    char *name = path_copyin(path);
    if (is_err(name))
        return (struct inode *)name;
    struct inode *inode;
    if ((flags & AT_EMPTY_PATH) && !*name) {
        struct file *f = fd_get(dirfd);
        inode = dirfd == AT_FDCWD ? inode_hold(task_cwd())
                : f               ? inode_hold(f->inode)
                                  : err_ptr(-EBADF);
        if (f)
            file_put(f);
    } else {
        struct inode *start = directory_of(dirfd, name);
        if (is_err(start)) {
            inode = start;
        } else {
            inode = path_walk(start, name, flags & AT_SYMLINK_NOFOLLOW ? WALK_NOFOLLOW : 0);
            inode_put(start);
        }
    }
    kfree(name);
    return inode;
}

static u32 device_of(const struct inode *inode)
{
    return inode->super ? inode->super->dev : 1;
}
static u32 block_size_of(const struct inode *inode)
{
    return inode->super ? inode->super->block_size : PAGE_SIZE;
}

static int stat_copyout(const struct inode *i, void __user *to)
{
    struct stat64 s;
    memset(&s, 0, sizeof(s));
    s.st_dev = device_of(i);
    s.__st_ino = i->ino;
    s.st_mode = i->mode;
    s.st_nlink = i->nlink;
    s.st_uid = i->uid;
    s.st_gid = i->gid;
    s.st_rdev = i->rdev;
    s.st_size = i->size;
    s.st_blksize = block_size_of(i);
    s.st_blocks = i->blocks;
    s.st_atime = i->atime;
    s.st_mtime = i->mtime;
    s.st_ctime = i->ctime;
    s.st_ino = i->ino;
    return copyout(to, &s, sizeof(s));
}

static long stat_and_put(struct inode *inode, void __user *to)
{
    if (is_err(inode))
        return ptr_err(inode);
    long ret = stat_copyout(inode, to);
    inode_put(inode);
    return ret;
}

long sys_stat64(const char __user *path, void __user *to)
{
    return stat_and_put(lookup(AT_FDCWD, path, 0), to);
}

long sys_lstat64(const char __user *path, void __user *to)
{
    return stat_and_put(lookup(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), to);
}

long sys_fstat64(u32 fd, void __user *to)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = stat_copyout(f->inode, to);
    file_put(f);
    return ret;
}

long sys_fstatat64(s32 dirfd, const char __user *path, void __user *to, u32 flags)
{
    if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    return stat_and_put(lookup(dirfd, path, flags), to);
}

long sys_statx(s32 dirfd, const char __user *path, u32 flags, u32 mask, void __user *to)
{
    if (mask & STATX__RESERVED)
        return -EINVAL;
    struct inode *i = lookup(dirfd, path, flags);
    if (is_err(i))
        return ptr_err(i);
    struct statx s;
    memset(&s, 0, sizeof(s));
    s.stx_mask = STATX_BASIC_STATS;
    s.stx_blksize = block_size_of(i);
    s.stx_nlink = i->nlink;
    s.stx_uid = i->uid;
    s.stx_gid = i->gid;
    s.stx_mode = i->mode;
    s.stx_ino = i->ino;
    s.stx_size = i->size;
    s.stx_blocks = i->blocks;
    s.stx_atime.tv_sec = i->atime;
    s.stx_mtime.tv_sec = i->mtime;
    s.stx_ctime.tv_sec = i->ctime;
    s.stx_rdev_major = i->rdev >> 8;
    s.stx_rdev_minor = i->rdev & 0xFF;
    s.stx_dev_major = device_of(i) >> 8;
    s.stx_dev_minor = device_of(i) & 0xFF;
    inode_put(i);
    return copyout(to, &s, sizeof(s));
}

/* Everybody is root here: only what nobody may do is refused. */
long sys_faccessat(s32 dirfd, const char __user *path, u32 mode)
{
    if (mode & ~7u)
        return -EINVAL;
    struct inode *inode = lookup(dirfd, path, 0);
    if (is_err(inode))
        return ptr_err(inode);
    long ret = 0;
    u16 type = S_TYPE(inode->mode);
    if ((mode & ACCESS_WRITE) && (type == S_REG || type == S_DIR) && inode->super &&
        (inode->super->flags & SUPER_READ_ONLY))
        ret = -EROFS;
    else if ((mode & ACCESS_EXECUTE) && type == S_REG && !(inode->mode & 0111))
        ret = -EACCES;
    inode_put(inode);
    return ret;
}

long sys_access(const char __user *path, u32 mode)
{
    return sys_faccessat(AT_FDCWD, path, mode);
}

static void change_directory(struct inode *dir)
{
    struct inode *old = current->fs->cwd;
    current->fs->cwd = dir;
    if (old)
        inode_put(old);
}

long sys_chdir(const char __user *path)
{
    char *name = path_copyin(path);
    if (is_err(name))
        return ptr_err(name);
    struct inode *dir = path_walk(NULL, name, WALK_DIRECTORY);
    kfree(name);
    if (is_err(dir))
        return ptr_err(dir);
    change_directory(dir);
    return 0;
}

long sys_fchdir(u32 fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    bool is_directory = S_TYPE(f->inode->mode) == S_DIR;
    if (is_directory)
        change_directory(inode_hold(f->inode));
    file_put(f);
    return is_directory ? 0 : -ENOTDIR;
}

long sys_getcwd(char __user *buf, u32 size)
{
    char *path = kmalloc(PATH_MAX_LEN);
    if (!path)
        return -ENOMEM;
    long n = path_of(task_cwd(), path, PATH_MAX_LEN - 1);
    if (n >= 0) {
        path[n++] = 0;
        n = (u32)n > size ? -ERANGE : copyout(buf, path, n) < 0 ? -EFAULT : n;
    }
    kfree(path);
    return n;
}

long sys_readlinkat(s32 dirfd, const char __user *path, char __user *buf, s32 size)
{
    if (size <= 0)
        return -EINVAL;
    struct inode *inode = lookup(dirfd, path, AT_SYMLINK_NOFOLLOW);
    if (is_err(inode))
        return ptr_err(inode);
    long ret = -EINVAL;
    char *target = NULL;
    if (S_TYPE(inode->mode) == S_LNK && inode->ops && inode->ops->readlink) {
        target = kmalloc(PATH_MAX_LEN);
        ret = target ? inode->ops->readlink(inode, target, PATH_MAX_LEN) : -ENOMEM;
    }
    if (ret > 0) {
        ret = MIN(ret, size);
        if (copyout(buf, target, ret) < 0)
            ret = -EFAULT;
    }
    kfree(target);
    inode_put(inode);
    return ret;
}

long sys_readlink(const char __user *path, char __user *buf, s32 size)
{
    return sys_readlinkat(AT_FDCWD, path, buf, size);
}

/* Calls that change names: every file system here is read-only, but a wrong name is still told
 * from a right one. */
static long refuse_change(const char __user *path, bool must_exist)
{
    char *name = path_copyin(path);
    if (is_err(name))
        return ptr_err(name);
    struct inode *inode = path_walk(NULL, name, WALK_NOFOLLOW);
    long ret;
    if (!is_err(inode)) {
        ret = must_exist ? -EROFS : -EEXIST;
        inode_put(inode);
    } else {
        ret = ptr_err(inode);
        if (ret == -ENOENT && !must_exist)
            ret = path_parent_error(NULL, name);
    }
    kfree(name);
    return ret;
}

long sys_unlink(const char __user *path)
{
    return refuse_change(path, true);
}
long sys_rmdir(const char __user *path)
{
    return refuse_change(path, true);
}
long sys_mkdir(const char __user *path, u32 mode)
{
    return refuse_change(path, false);
}
long sys_rename(const char __user *from, const char __user *to)
{
    return refuse_change(from, true);
}

long sys_umask(u32 mask)
{
    u32 old = current->fs->umask;
    current->fs->umask = mask & 0777;
    return old;
}
