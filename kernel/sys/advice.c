/*
 * Advice about files: posix_fadvise(2) and readahead(2). madvise(2) is in memory.c.
 *
 * NORMAL, RANDOM and SEQUENTIAL are about the open file, whatever range they name, as on Linux; the
 * others act on the range at once, but for NOREUSE: what is read through this open file then counts
 * as used once, however often that is.
 */
#include <linux/fadvise.h>
#include <linux/fcntl.h>
#include "drivers/block.h"
#include "kernel/cache/cache.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/paths/paths.h"
#include "kernel/sys/sys.h"

/* The pages that advice is about; NULL: there are none, and any advice will do. */
static struct mapping *mapping_of(const struct file *f)
{
    struct block_device *d = NULL;
    if (S_TYPE(f->inode->mode) == S_BLK)
        d = block_by_number(f->inode->rdev);
    if (d)
        return block_mapping(d);
    return S_TYPE(f->inode->mode) == S_REG && f->inode->mapping.ops ? &f->inode->mapping : NULL;
}

/* The pages that lie in the range as a whole; a file's last one counts as whole. */
static void dont_need(struct mapping *m, u64 pos, u64 end)
{
    u64 behind = end >= m->size ? DIV_ROUND_UP(m->size, PAGE_SIZE) : end >> PAGE_SHIFT;
    cache_dont_need(m, (u32)DIV_ROUND_UP(pos, PAGE_SIZE), (u32)MIN(behind, (u64)UINT32_MAX));
}

static void will_need(struct mapping *m, u64 pos, u64 end)
{
    end = MIN(end, m->size);
    if (pos < end)
        cache_will_need(m, (u32)(pos >> PAGE_SHIFT), (u32)DIV_ROUND_UP(end, PAGE_SIZE));
}

static int advise(struct file *f, u64 pos, u64 end, u32 advice)
{
    struct mapping *m = mapping_of(f);
    switch (advice) {
    case POSIX_FADV_NORMAL:
        f->ra.advice = READAHEAD_NORMAL;
        read_once_switch(f, false);
        return 0;
    case POSIX_FADV_RANDOM:
        f->ra.advice = READAHEAD_RANDOM;
        return 0;
    case POSIX_FADV_SEQUENTIAL:
        f->ra.advice = READAHEAD_SEQUENTIAL;
        return 0;
    case POSIX_FADV_NOREUSE:
        read_once_switch(f, true);
        return 0;
    case POSIX_FADV_WILLNEED:
        if (m)
            will_need(m, pos, end);
        return 0;
    case POSIX_FADV_DONTNEED:
        if (m)
            dont_need(m, pos, end);
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_fadvise64_64(u32 fd, u32 pos_low, u32 pos_high, u32 len_low, u32 len_high, u32 advice)
{
    u64 pos = (u64)pos_high << 32 | pos_low, len = (u64)len_high << 32 | len_low;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u64 end = len && pos + len >= pos ? pos + len : ~0ull;
    int err = f->flags & O_PATH                  ? -EBADF
              : S_TYPE(f->inode->mode) == S_FIFO ? -ESPIPE
              : (s64)len < 0                     ? -EINVAL
                                                 : advise(f, pos, end, advice);
    file_put(f);
    return err;
}

long sys_fadvise64(u32 fd, u32 pos_low, u32 pos_high, u32 len, u32 advice)
{
    return sys_fadvise64_64(fd, pos_low, pos_high, len, 0, advice);
}

long sys_readahead(u32 fd, u32 pos_low, u32 pos_high, u32 count)
{
    u64 pos = (u64)pos_high << 32 | pos_low;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    struct mapping *m = mapping_of(f);
    long ret = 0;
    if ((f->flags & O_ACCMODE) == O_WRONLY || f->flags & O_PATH)
        ret = -EBADF;
    else if (!m)
        ret = -EINVAL;
    else
        will_need(m, pos, pos + count);
    file_put(f);
    return ret;
}
