/* Positions in files: lseek(2). */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "kernel/fs/dev.h"
#include "kernel/fs/vfs.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/sys.h"

enum { MEMORY_MAJOR = 1 }; /* null, zero, full ...: every position is as good */

/* SEEK_DATA and SEEK_HOLE. A file of a disk says that it is all data, as ext2 does on Linux. */
static s64 seek_data(struct inode *inode, s64 offset, bool data)
{
    struct mapping *m = &inode->mapping;
    if (offset < 0 || (u64)offset >= inode->size)
        return -ENXIO;
    if (!m->in_ram)
        return data ? offset : (s64)inode->size;
    u32 end = DIV_ROUND_UP(inode->size, PAGE_SIZE);
    u32 index = cache_find_dirty(m, (u64)offset >> PAGE_SHIFT, end, data);
    if (index == end)
        return data ? -ENXIO : (s64)inode->size;
    s64 found = (s64)((u64)index << PAGE_SHIFT);
    return found > offset ? found : offset;
}

/* Where it would lead, or a negative errno. */
static s64 target_of(const struct file *f, s64 offset, u32 whence)
{
    struct inode *inode = f->inode;
    u16 type = S_TYPE(inode->mode);
    s64 base, to;
    switch (whence) {
    case SEEK_SET:
        base = 0;
        break;
    case SEEK_CUR:
        base = (s64)f->pos;
        break;
    case SEEK_END:
        base = (s64)(type == S_BLK ? dev_size(inode->rdev) : inode->size);
        break;
    case SEEK_DATA:
    case SEEK_HOLE:
        return type == S_REG ? seek_data(inode, offset, whence == SEEK_DATA) : -EINVAL;
    default:
        return -EINVAL;
    }
    if (__builtin_add_overflow(base, offset, &to) || to < 0)
        return -EINVAL;
    return to;
}

static s64 seek(struct file *f, s64 offset, u32 whence)
{
    u16 type = S_TYPE(f->inode->mode);
    if (f->flags & O_PATH)
        return -EBADF;
    if (type == S_CHR && f->inode->rdev >> 8 == MEMORY_MAJOR)
        return f->pos = 0;
    if (type == S_CHR || type == S_SOCK || type == S_FIFO)
        return -ESPIPE;
    s64 to = target_of(f, offset, whence);
    if (to >= 0)
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
