/* An inode's owner, permissions and times: the rules that are the same in every file system. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/mount.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/task.h"
#include "kernel/sys/clock.h"

#define SECONDS_A_DAY (24 * 60 * 60)

u32 atime_clock = 1;

struct file_time inode_time(const struct inode *inode, struct file_time t)
{
    if (!inode->super || !inode->super->seconds)
        return t;
    t.nsec = 0;
    if (t.sec != (s32)t.sec)
        t.sec = t.sec < 0 ? INT32_MIN : INT32_MAX;
    return t;
}

struct file_time inode_now(const struct inode *inode)
{
    u32 nsec, sec = split_ns(realtime_ns(), &nsec);
    return inode_time(inode, (struct file_time){sec, nsec});
}

/* Without the right to execute, the group's bit has another meaning: chmod(2). */
void inode_drop_set_ids(struct inode *inode)
{
    enum { SET_USER_ID = 04000, GROUP_EXECUTES = 010 };
    if (inode->mode & GROUP_EXECUTES)
        inode->mode &= (u16)~S_SET_GID;
    inode->mode &= (u16)~SET_USER_ID;
}

void inode_written(struct inode *inode)
{
    if (unlikely(inode->mode & 06000) && S_TYPE(inode->mode) == S_REG && !capable(CAP_FSETID))
        inode_drop_set_ids(inode);
    inode_changed(inode);
    inode->mtime = inode->ctime;
}

void inode_changed(struct inode *inode)
{
    inode->ctime = inode_now(inode);
    inode->atime_seen = 0;
    inode->dirty = true;
}

static bool not_before(struct file_time a, struct file_time b)
{
    return a.sec > b.sec || (a.sec == b.sec && a.nsec >= b.nsec);
}

/* mount(2), MS_RELATIME: a program sees whether a file was read since it was written, and that
 * costs one change of the inode a day. Without it (strictatime) each read counts. */
static bool atime_is_due(const struct inode *inode, struct file_time now)
{
    return !(inode->super->flags & MS_RELATIME) || not_before(inode->mtime, inode->atime) ||
           not_before(inode->ctime, inode->atime) || now.sec - inode->atime.sec >= SECONDS_A_DAY;
}

static bool atime_is_kept(const struct inode *inode)
{
    u32 flags = inode->super ? inode->super->flags : MS_RDONLY;
    return !(flags & (MS_RDONLY | MS_NOATIME)) &&
           !(flags & MS_NODIRATIME && S_TYPE(inode->mode) == S_DIR);
}

void inode_accessed(struct inode *inode)
{
    if (atime_is_kept(inode)) {
        struct file_time now = inode_now(inode);
        if (atime_is_due(inode, now) &&
            (now.sec != inode->atime.sec || now.nsec != inode->atime.nsec)) {
            inode->atime = now;
            inode->dirty = true;
        }
        if (atime_is_due(inode, now)) /* still: it was written in this very second */
            return;
    }
    inode->atime_seen = atime_clock;
}

void file_accessed_slow(const struct file *file)
{
    if (!(file->flags & O_NOATIME))
        inode_accessed(file->inode);
}

int inode_permission(const struct inode *inode, u32 may)
{
    bool is_dir = S_TYPE(inode->mode) == S_DIR;
    u32 bits = inode->mode;
    if (inode->uid == current->cred.fsuid)
        bits >>= 6;
    else if (in_group(inode->gid))
        bits >>= 3;
    if (!(may & ~bits & (MAY_READ | MAY_WRITE | MAY_EXECUTE)))
        return 0;
    /* Root may all, but execute what is no program for anybody. */
    if ((is_dir || !(may & MAY_EXECUTE) || (inode->mode & 0111)) && capable(CAP_DAC_OVERRIDE))
        return 0;
    u32 looking = is_dir ? MAY_READ | MAY_EXECUTE : MAY_READ;
    return !(may & ~looking) && capable(CAP_DAC_READ_SEARCH) ? 0 : -EACCES;
}

bool inode_owned(const struct inode *inode)
{
    return inode->uid == current->cred.fsuid || capable(CAP_FOWNER);
}

void inode_init_owner(struct inode *inode, const struct inode *dir)
{
    inode->uid = current->cred.fsuid;
    inode->gid = dir->mode & S_SET_GID ? dir->gid : current->cred.fsgid;
    if (S_TYPE(inode->mode) == S_DIR)
        inode->mode |= dir->mode & S_SET_GID;
    inode->atime = inode->mtime = inode->ctime = inode_now(inode);
}
