/* An inode's owner, permissions and times: the rules that are the same in every file system. */
#include <linux/capability.h>
#include <linux/mount.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/task.h"
#include "kernel/sys/clock.h"

#define SECONDS_A_DAY (24 * 60 * 60)

struct file_time file_time_now(void)
{
    u32 nsec, sec = split_ns(realtime_ns(), &nsec);
    return (struct file_time){sec, nsec};
}

void inode_written(struct inode *inode)
{
    inode->mtime = inode->ctime = file_time_now();
    inode->dirty = true;
}

void inode_changed(struct inode *inode)
{
    inode->ctime = file_time_now();
    inode->dirty = true;
}

static bool not_before(struct file_time a, struct file_time b)
{
    return a.sec > b.sec || (a.sec == b.sec && a.nsec >= b.nsec);
}

/* mount(2), MS_RELATIME: a program sees whether a file was read since it was written, and that
 * costs one change of the inode a day. */
void inode_accessed(struct inode *inode)
{
    if (inode->super->flags & (MS_RDONLY | MS_NOATIME))
        return;
    if (!not_before(inode->mtime, inode->atime) && !not_before(inode->ctime, inode->atime) &&
        file_time_now().sec - inode->atime.sec < SECONDS_A_DAY)
        return;
    inode->atime = file_time_now();
    inode->dirty = true;
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
    inode->atime = inode->mtime = inode->ctime = file_time_now();
}
