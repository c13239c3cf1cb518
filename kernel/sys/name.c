/* Calls on names: access, readlink, the current directory; and paths as all calls get them. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

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

struct inode *inode_at(s32 dirfd, const char __user *path, u32 flags)
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

struct inode *inode_of_fd(u32 fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return err_ptr(-EBADF);
    struct inode *inode = f->flags & O_PATH ? err_ptr(-EBADF) : inode_hold(f->inode);
    file_put(f);
    return inode;
}

int path_at(struct at_path *p, s32 dirfd, const char __user *path)
{
    p->name = path_copyin(path);
    if (is_err(p->name))
        return ptr_err(p->name);
    p->start = directory_of(dirfd, p->name);
    if (!is_err(p->start))
        return 0;
    kfree(p->name);
    return ptr_err(p->start);
}

void path_at_end(struct at_path *p)
{
    inode_put(p->start);
    kfree(p->name);
}

static long check_access(s32 dirfd, const char __user *path, u32 mode, u32 flags)
{
    struct inode *inode = inode_at(dirfd, path, flags);
    if (is_err(inode))
        return ptr_err(inode);
    u16 type = S_TYPE(inode->mode);
    long ret = inode_permission(inode, mode);
    if (!ret && (mode & MAY_WRITE) && (type == S_REG || type == S_DIR || type == S_LNK) &&
        inode->super && (inode->super->flags & SUPER_READ_ONLY))
        ret = -EROFS;
    inode_put(inode);
    return ret;
}

/* Asked is what the caller might do by its real numbers, which a set-user-ID program wants to know:
 * it takes them on while it looks. */
long sys_faccessat2(s32 dirfd, const char __user *path, u32 mode, u32 flags)
{
    if ((mode & ~7u) || (flags & ~(u32)(AT_EACCESS | AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    struct cred *c = &current->cred;
    struct cred before = *c;
    if (!(flags & AT_EACCESS)) {
        c->fsuid = c->uid;
        c->fsgid = c->gid;
        c->effective = c->uid ? 0 : c->permitted;
    }
    long ret = check_access(dirfd, path, mode, flags);
    *c = before;
    return ret;
}

long sys_faccessat(s32 dirfd, const char __user *path, u32 mode)
{
    return sys_faccessat2(dirfd, path, mode, 0);
}

long sys_access(const char __user *path, u32 mode)
{
    return sys_faccessat2(AT_FDCWD, path, mode, 0);
}

/* A directory that the program may enter takes the place of another. */
static long change_directory(struct inode **which, struct inode *dir)
{
    if (is_err(dir))
        return ptr_err(dir);
    struct inode *old = *which;
    long err = S_TYPE(dir->mode) == S_DIR ? inode_permission(dir, MAY_EXECUTE) : -ENOTDIR;
    *which = err ? old : dir;
    inode_put(err ? dir : old);
    return err;
}

long sys_chdir(const char __user *path)
{
    return change_directory(&current->fs->cwd, inode_at(AT_FDCWD, path, 0));
}

long sys_chroot(const char __user *path)
{
    if (!capable(CAP_SYS_CHROOT))
        return -EPERM;
    return change_directory(&current->fs->root, inode_at(AT_FDCWD, path, 0));
}

long sys_fchdir(u32 fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long err = change_directory(&current->fs->cwd, inode_hold(f->inode));
    file_put(f);
    return err;
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
    struct inode *inode =
        inode_at(dirfd, path, AT_SYMLINK_NOFOLLOW | (dirfd == AT_FDCWD ? 0 : AT_EMPTY_PATH));
    if (is_err(inode))
        return ptr_err(inode);
    long ret = -EINVAL;
    char *target = NULL;
    if (S_TYPE(inode->mode) == S_LNK && inode->ops && inode->ops->readlink) {
        target = kmalloc(PATH_MAX_LEN);
        ret = target ? inode->ops->readlink(inode, target, PATH_MAX_LEN) : -ENOMEM;
    }
    if (ret > 0) {
        inode_accessed(inode);
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

long sys_umask(u32 mask)
{
    u32 old = current->fs->umask;
    current->fs->umask = mask & 0777;
    return old;
}
