/* Calls that change what an inode says of itself: chmod(2), chown(2), utimensat(2) and elders. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/lookup.h"
#include "kernel/sys/sys.h"

/* Of utimensat(2), in the place of nanoseconds; no header of the kernel has them. */
#define UTIME_NOW  0x3FFFFFFFu
#define UTIME_OMIT 0x3FFFFFFEu

/* May it be changed by this task? The inode may be an err_ptr. */
static long check_change(const struct inode *inode, bool owner_only)
{
    if (is_err(inode))
        return ptr_err(inode);
    if (inode->super && (inode->super->flags & SUPER_READ_ONLY))
        return -EROFS;
    if (owner_only && !inode_owned(inode))
        return -EPERM;
    return inode->ops && inode->ops->update ? 0 : -EPERM;
}

static long keep(struct inode *inode)
{
    inode_changed(inode);
    return inode->ops->update(inode);
}

static void put(struct inode *inode)
{
    if (!is_err(inode))
        inode_put(inode);
}

/* --- Mode ------------------------------------------------------------------------------------- */

static long change_mode(struct inode *inode, u32 mode)
{
    long err = check_change(inode, true);
    if (!err) {
        inode->mode = S_TYPE(inode->mode) | (mode & 07777);
        if (!in_group(inode->gid) && !capable(CAP_FSETID))
            inode->mode &= (u16)~S_SET_GID;
        err = keep(inode);
    }
    put(inode);
    return err;
}

long sys_fchmodat(s32 dirfd, const char __user *path, u32 mode)
{
    return change_mode(inode_at(dirfd, path, 0), mode);
}
long sys_chmod(const char __user *path, u32 mode)
{
    return change_mode(inode_at(AT_FDCWD, path, 0), mode);
}
long sys_fchmod(u32 fd, u32 mode)
{
    return change_mode(inode_of_fd(fd), mode);
}

/* --- Owner ------------------------------------------------------------------------------------ */

/* An owner may give a file to another group of his, and to nobody else. */
static bool may_give(const struct inode *inode, u32 uid, u32 gid)
{
    bool owner = inode->uid == current->cred.fsuid;
    bool same_user = uid == ~0u || (owner && uid == inode->uid);
    bool good_group = gid == ~0u || (owner && (gid == inode->gid || in_group(gid)));
    return (same_user && good_group) || capable(CAP_CHOWN);
}

/* ~0 leaves it as it is. A program that changes hands no longer runs with its owner's rights. */
static long change_owner(struct inode *inode, u32 uid, u32 gid)
{
    long err = check_change(inode, false);
    if (!err && !may_give(inode, uid, gid))
        err = -EPERM;
    if (!err) {
        inode->uid = uid == ~0u ? inode->uid : uid;
        inode->gid = gid == ~0u ? inode->gid : gid;
        if (S_TYPE(inode->mode) != S_DIR)
            inode_drop_set_ids(inode);
        err = keep(inode);
    }
    put(inode);
    return err;
}

/* The calls of old have 16 bits. */
static u32 wide(u32 id)
{
    return (id & 0xFFFF) == 0xFFFF ? ~0u : id & 0xFFFF;
}

long sys_fchownat(s32 dirfd, const char __user *path, u32 uid, u32 gid, u32 flags)
{
    if (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
        return -EINVAL;
    return change_owner(inode_at(dirfd, path, flags), uid, gid);
}
long sys_chown32(const char __user *path, u32 uid, u32 gid)
{
    return change_owner(inode_at(AT_FDCWD, path, 0), uid, gid);
}
long sys_lchown32(const char __user *path, u32 uid, u32 gid)
{
    return change_owner(inode_at(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW), uid, gid);
}
long sys_fchown32(u32 fd, u32 uid, u32 gid)
{
    return change_owner(inode_of_fd(fd), uid, gid);
}
long sys_chown(const char __user *path, u32 uid, u32 gid)
{
    return sys_chown32(path, wide(uid), wide(gid));
}
long sys_lchown(const char __user *path, u32 uid, u32 gid)
{
    return sys_lchown32(path, wide(uid), wide(gid));
}
long sys_fchown(u32 fd, u32 uid, u32 gid)
{
    return sys_fchown32(fd, wide(uid), wide(gid));
}

/* --- Times ------------------------------------------------------------------------------------ */

struct times {
    struct file_time time[2]; /* atime, mtime; nsec may be UTIME_NOW or UTIME_OMIT */
};
static const struct times now = {{{0, UTIME_NOW}, {0, UTIME_NOW}}};

static bool is_good(const struct file_time *t)
{
    return t->nsec < 1000000000 || t->nsec == UTIME_NOW || t->nsec == UTIME_OMIT;
}

static void set_time(const struct inode *inode, struct file_time *to, const struct file_time *t)
{
    if (t->nsec == UTIME_NOW)
        *to = inode_now(inode);
    else if (t->nsec != UTIME_OMIT)
        *to = inode_time(inode, *t);
}

/* To set both to now needs no more than the right to write. */
static long change_times(struct inode *inode, const struct times *t)
{
    bool only_now = t->time[0].nsec == UTIME_NOW && t->time[1].nsec == UTIME_NOW;
    long err = check_change(inode, !only_now);
    if (!err && only_now && !inode_owned(inode))
        err = inode_permission(inode, MAY_WRITE);
    if (!err) {
        set_time(inode, &inode->atime, &t->time[0]);
        set_time(inode, &inode->mtime, &t->time[1]);
        err = keep(inode);
    }
    put(inode);
    return err;
}

static long change_times_at(s32 dirfd, const char __user *path, const struct times *t, u32 flags)
{
    if (!is_good(&t->time[0]) || !is_good(&t->time[1]) ||
        (flags & ~(u32)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)))
        return -EINVAL;
    if (t->time[0].nsec == UTIME_OMIT && t->time[1].nsec == UTIME_OMIT)
        return 0;
    if (!path && dirfd != AT_FDCWD) /* futimens(3) */
        return flags ? -EINVAL : change_times(inode_of_fd(dirfd), t);
    return change_times(inode_at(dirfd, path, flags), t);
}

long sys_utimensat(s32 dirfd, const char __user *path, const void __user *times, u32 flags)
{
    struct {
        s32 sec;
        u32 nsec;
    } raw[2];
    if (!times)
        return change_times_at(dirfd, path, &now, flags);
    if (copyin(raw, times, sizeof(raw)) < 0)
        return -EFAULT;
    struct times t = {{{raw[0].sec, raw[0].nsec}, {raw[1].sec, raw[1].nsec}}};
    return change_times_at(dirfd, path, &t, flags);
}

long sys_utimensat64(s32 dirfd, const char __user *path, const void __user *times, u32 flags)
{
    struct {
        s64 sec;
        u32 nsec, padding;
    } raw[2];
    if (!times)
        return change_times_at(dirfd, path, &now, flags);
    if (copyin(raw, times, sizeof(raw)) < 0)
        return -EFAULT;
    struct times t = {{{raw[0].sec, raw[0].nsec}, {raw[1].sec, raw[1].nsec}}};
    return change_times_at(dirfd, path, &t, flags);
}

long sys_futimesat(s32 dirfd, const char __user *path, const void __user *times)
{
    struct {
        s32 sec;
        u32 usec;
    } raw[2];
    if (!times)
        return change_times_at(dirfd, path, &now, 0);
    if (copyin(raw, times, sizeof(raw)) < 0)
        return -EFAULT;
    if (raw[0].usec >= 1000000 || raw[1].usec >= 1000000)
        return -EINVAL;
    struct times t = {{{raw[0].sec, raw[0].usec * 1000}, {raw[1].sec, raw[1].usec * 1000}}};
    return change_times_at(dirfd, path, &t, 0);
}

long sys_utimes(const char __user *path, const void __user *times)
{
    return sys_futimesat(AT_FDCWD, path, times);
}

long sys_utime(const char __user *path, const s32 __user *times)
{
    s32 raw[2];
    if (!times)
        return change_times_at(AT_FDCWD, path, &now, 0);
    if (copyin(raw, times, sizeof(raw)) < 0)
        return -EFAULT;
    struct times t = {{{raw[0], 0}, {raw[1], 0}}};
    return change_times_at(AT_FDCWD, path, &t, 0);
}
