/* What a file is, and the file system that it is on: stat(2), statx(2), statfs(2). */
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include <linux/stat.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

/* f_flags of statfs(2). */
enum { FLAG_VALID = 0x20, FLAG_RELATIME = 0x1000 };
#define FLAGS_SAME (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME)

static u32 device_of(const struct inode *inode)
{
    return inode->super ? inode->super->dev : 1;
}
static u32 block_size_of(const struct inode *inode)
{
    return inode->super ? inode->super->block_size : PAGE_SIZE;
}

static int copyout_stat64(const struct inode *i, void __user *to)
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
    s.st_atime = (u32)i->atime.sec;
    s.st_atime_nsec = i->atime.nsec;
    s.st_mtime = (u32)i->mtime.sec;
    s.st_mtime_nsec = i->mtime.nsec;
    s.st_ctime = (u32)i->ctime.sec;
    s.st_ctime_nsec = i->ctime.nsec;
    s.st_ino = i->ino;
    return copyout(to, &s, sizeof(s));
}

/* struct stat: what libc used before files over 2 GiB. */
static int copyout_stat32(const struct inode *i, void __user *to)
{
    struct stat s;
    if (i->size > 0x7FFFFFFF)
        return -EOVERFLOW;
    memset(&s, 0, sizeof(s));
    s.st_dev = device_of(i);
    s.st_ino = i->ino;
    s.st_mode = i->mode;
    s.st_nlink = i->nlink;
    s.st_uid = MIN(i->uid, 65534u);
    s.st_gid = MIN(i->gid, 65534u);
    s.st_rdev = i->rdev;
    s.st_size = (u32)i->size;
    s.st_blksize = block_size_of(i);
    s.st_blocks = i->blocks;
    s.st_atime = (u32)i->atime.sec;
    s.st_atime_nsec = i->atime.nsec;
    s.st_mtime = (u32)i->mtime.sec;
    s.st_mtime_nsec = i->mtime.nsec;
    s.st_ctime = (u32)i->ctime.sec;
    s.st_ctime_nsec = i->ctime.nsec;
    return copyout(to, &s, sizeof(s));
}

typedef int (*stat_form)(const struct inode *i, void __user *to);

static long stat_at(stat_form form, s32 dirfd, const char __user *path, void __user *to, u32 flags)
{
    struct inode *inode = inode_at(dirfd, path, flags);
    if (is_err(inode))
        return ptr_err(inode);
    long ret = form(inode, to);
    inode_put(inode);
    return ret;
}

static long stat_file(stat_form form, u32 fd, void __user *to)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = form(f->inode, to);
    file_put(f);
    return ret;
}

long sys_stat(const char __user *path, void __user *to)
{
    return stat_at(copyout_stat32, AT_FDCWD, path, to, 0);
}
long sys_lstat(const char __user *path, void __user *to)
{
    return stat_at(copyout_stat32, AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
long sys_fstat(u32 fd, void __user *to)
{
    return stat_file(copyout_stat32, fd, to);
}
long sys_stat64(const char __user *path, void __user *to)
{
    return stat_at(copyout_stat64, AT_FDCWD, path, to, 0);
}
long sys_lstat64(const char __user *path, void __user *to)
{
    return stat_at(copyout_stat64, AT_FDCWD, path, to, AT_SYMLINK_NOFOLLOW);
}
long sys_fstat64(u32 fd, void __user *to)
{
    return stat_file(copyout_stat64, fd, to);
}
long sys_fstatat64(s32 dirfd, const char __user *path, void __user *to, u32 flags)
{
    if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH | AT_NO_AUTOMOUNT))
        return -EINVAL;
    return stat_at(copyout_stat64, dirfd, path, to, flags);
}

static struct statx_timestamp statx_time(struct file_time t)
{
    return (struct statx_timestamp){.tv_sec = t.sec, .tv_nsec = t.nsec};
}

long sys_statx(s32 dirfd, const char __user *path, u32 flags, u32 mask, void __user *to)
{
    const u32 known = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_EMPTY_PATH | AT_STATX_SYNC_TYPE;
    if ((mask & STATX__RESERVED) || (flags & ~known) ||
        (flags & AT_STATX_SYNC_TYPE) == AT_STATX_SYNC_TYPE)
        return -EINVAL;
    struct inode *i = inode_at(dirfd, path, flags);
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
    s.stx_atime = statx_time(i->atime);
    s.stx_mtime = statx_time(i->mtime);
    s.stx_ctime = statx_time(i->ctime);
    s.stx_rdev_major = i->rdev >> 8;
    s.stx_rdev_minor = i->rdev & 0xFF;
    s.stx_dev_major = device_of(i) >> 8;
    s.stx_dev_minor = device_of(i) & 0xFF;
    inode_put(i);
    return copyout(to, &s, sizeof(s));
}

static int statfs_of(const struct inode *inode, struct statfs64 *s)
{
    struct super *super = inode->super;
    memset(s, 0, sizeof(*s));
    s->f_namelen = NAME_MAX_LEN;
    if (!super) /* a pipe, a socket */
        return -ENOSYS;
    if (super->statfs)
        super->statfs(super);
    s->f_type = super->magic;
    s->f_bsize = s->f_frsize = super->block_size;
    s->f_blocks = super->blocks;
    s->f_bfree = super->blocks_free;
    s->f_bavail = super->blocks_free - MIN(super->blocks_free, super->blocks_kept);
    s->f_files = super->files;
    s->f_ffree = super->files_free;
    s->f_fsid.val[0] = super->dev;
    s->f_flags =
        FLAG_VALID | (super->flags & FLAGS_SAME) | (super->flags & MS_RELATIME ? FLAG_RELATIME : 0);
    return 0;
}

static int copyout_statfs64(struct inode *inode, void __user *to)
{
    struct statfs64 s;
    int err = statfs_of(inode, &s);
    return err ? err : copyout(to, &s, sizeof(s));
}

static int copyout_statfs32(struct inode *inode, void __user *to)
{
    struct statfs64 l;
    int err = statfs_of(inode, &l);
    if (err)
        return err;
    if ((l.f_blocks | l.f_files) >> 32)
        return -EOVERFLOW;
    struct statfs s = {.f_type = l.f_type,
                       .f_bsize = l.f_bsize,
                       .f_blocks = (u32)l.f_blocks,
                       .f_bfree = (u32)l.f_bfree,
                       .f_bavail = (u32)l.f_bavail,
                       .f_files = (u32)l.f_files,
                       .f_ffree = (u32)l.f_ffree,
                       .f_fsid = l.f_fsid,
                       .f_namelen = l.f_namelen,
                       .f_frsize = l.f_frsize,
                       .f_flags = l.f_flags};
    return copyout(to, &s, sizeof(s));
}

static long statfs_path(int (*form)(struct inode *, void __user *), const char __user *path,
                        void __user *to)
{
    struct inode *inode = inode_at(AT_FDCWD, path, 0);
    if (is_err(inode))
        return ptr_err(inode);
    long ret = form(inode, to);
    inode_put(inode);
    return ret;
}

static long statfs_file(int (*form)(struct inode *, void __user *), u32 fd, void __user *to)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = form(f->inode, to);
    file_put(f);
    return ret;
}

long sys_statfs(const char __user *path, void __user *to)
{
    return statfs_path(copyout_statfs32, path, to);
}
long sys_fstatfs(u32 fd, void __user *to)
{
    return statfs_file(copyout_statfs32, fd, to);
}
long sys_statfs64(const char __user *path, u32 size, void __user *to)
{
    return size == sizeof(struct statfs64) ? statfs_path(copyout_statfs64, path, to) : -EINVAL;
}
long sys_fstatfs64(u32 fd, u32 size, void __user *to)
{
    return size == sizeof(struct statfs64) ? statfs_file(copyout_statfs64, fd, to) : -EINVAL;
}
