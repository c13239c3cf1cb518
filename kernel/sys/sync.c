/*
 * What is written reaches the disk: sync(2), syncfs(2), fsync(2), fdatasync(2), sync_file_range(2).
 */
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/sys/sys.h"

static bool can_be_synced(const struct file *f)
{
    u16 type = S_TYPE(f->inode->mode);
    return type == S_REG || type == S_DIR || type == S_BLK;
}

static long sync_file(u32 fd, bool data_only)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = f->flags & O_PATH  ? -EBADF
               : can_be_synced(f) ? vfs_fsync(f->inode, &f->told, data_only)
                                  : -EINVAL;
    file_put(f);
    return ret;
}

long sys_fsync(u32 fd)
{
    return sync_file(fd, false);
}

long sys_fdatasync(u32 fd)
{
    return sync_file(fd, true);
}

long sys_sync(void)
{
    vfs_sync_all(false);
    return 0;
}

long sys_syncfs(u32 fd)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = f->flags & O_PATH ? -EBADF : file_syncfs(f);
    file_put(f);
    return ret;
}

/* Bytes alone: neither the inode that leads to them nor the drive's own cache. */
static int sync_pages(struct file *f, u32 first, u32 end, u32 flags)
{
    struct mapping *m = &f->inode->mapping;
    int error = 0;
    if (S_TYPE(f->inode->mode) == S_BLK && flags) /* more than is asked for */
        return vfs_fsync(f->inode, &f->told, true);
    if (!m->ops || !m->ops->write_pages)
        return 0;
    if (flags & SYNC_FILE_RANGE_WAIT_BEFORE) {
        cache_wait_range(m, first, end);
        error = errors_news(&m->errors, &f->told.file);
    }
    if (!error && flags & SYNC_FILE_RANGE_WRITE)
        cache_start_writing(m, first, end);
    if (!error && flags & SYNC_FILE_RANGE_WAIT_AFTER) {
        cache_wait_range(m, first, end);
        error = errors_news(&m->errors, &f->told.file);
    }
    return error;
}

long sys_sync_file_range(u32 fd, u32 from_low, u32 from_high, u32 len_low, u32 len_high, u32 flags)
{
    const u32 known =
        SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    u64 from = (u64)from_high << 32 | from_low, len = (u64)len_high << 32 | len_low;
    u64 end = from + len, last_page = 1ull << (32 + PAGE_SHIFT);
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = -EBADF;
    if (f->flags & O_PATH)
        goto end;
    ret = -EINVAL;
    if (flags & ~known || (s64)from < 0 || (s64)end < (s64)from)
        goto end;
    ret = can_be_synced(f) || S_TYPE(f->inode->mode) == S_LNK ? 0 : -ESPIPE;
    if (ret || from >= last_page) /* behind all pages that can be: Linux lets it succeed */
        goto end;
    if (!len || end >= last_page) /* 0: to the end of the file */
        end = last_page - PAGE_SIZE;
    ret = sync_pages(f, (u32)(from >> PAGE_SHIFT), (u32)DIV_ROUND_UP(end, PAGE_SIZE), flags);
end:
    file_put(f);
    return ret;
}
