/*
 * Block devices as files: /dev/hda and its partitions, and the ioctls that are the same for every
 * disk (linux/fs.h); the others are the driver's.
 *
 * A disk's raw sectors come and go through the page cache, as the metadata of its file system do.
 * They can be written while nobody else has the disk: not what is mounted (-EBUSY, and what is open
 * for writing cannot be mounted), nor what is in use for swap (-ETXTBSY). With the last writer's
 * close everything is on the disk.
 */
#include "kernel/fs/dev.h"
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "drivers/block.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

static bool may_write(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

static int disk_open(struct inode *inode, struct file *f)
{
    struct block_device *d = block_by_number(inode->rdev);
    if (!d)
        return -ENXIO;
    if (may_write(f) && vfs_has_mounted(d)) /* as Linux without CONFIG_BLK_DEV_WRITE_MOUNTED */
        return -EBUSY;
    d->writers += may_write(f);
    return 0;
}

int disk_sync(u32 rdev)
{
    struct block_device *d = block_by_number(rdev);
    if (!d || !d->metadata)
        return d ? 0 : -ENXIO;
    int error = cache_sync(d->metadata);
    return error ? error : block_flush(d);
}

static void disk_release(struct file *f)
{
    struct block_device *d = block_by_number(f->inode->rdev);
    if (!may_write(f))
        return;
    if (d->writers == 1)
        (void)disk_sync(d->rdev);
    d->writers--;
}

static ssize_t disk_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    struct block_device *d = block_by_number(f->inode->rdev);
    struct mapping *m = d ? block_mapping(d) : NULL;
    if (!m)
        return -ENXIO;
    if (f->flags & O_DIRECT)
        return direct_read(f, m, buf, len, pos);
    size_t done = 0;
    while (done < len && *pos < m->size) {
        u32 offset = (u32)*pos & (PAGE_SIZE - 1);
        u32 chunk = MIN(len - done, PAGE_SIZE - offset);
        if (chunk > m->size - *pos)
            chunk = m->size - *pos;
        struct page *page;
        u32 want = DIV_ROUND_UP(offset + len - done, PAGE_SIZE);
        int err = cache_read(m, *pos >> PAGE_SHIFT, want, &f->ra, &page, NULL);
        if (err < 0)
            return done ? (ssize_t)done : err;
        size_t left = copy_page_to_user(EDGE_CACHE_USER, (char __user *)buf + done,
                                        (struct frag){page, offset, chunk});
        page_put(page, HOLD_USE);
        if (left)
            return done ? (ssize_t)done : -EFAULT;
        done += chunk;
        *pos += chunk;
    }
    return done;
}

/* Bytes inside of one page: how many were written, or a negative errno. */
static ssize_t write_piece(struct mapping *m, u64 pos, const char __user *buf, u32 len)
{
    u32 offset = (u32)pos & (PAGE_SIZE - 1);
    u32 first = ROUND_DOWN(offset, SECTOR_SIZE), end = ROUND_UP(offset + len, SECTOR_SIZE);
    for (;;) {
        struct cache_write w;
        int n = cache_write_begin(m, (u32)(pos >> PAGE_SHIFT), offset, len, &w);
        if (n < 0)
            return n;
        size_t left = copy_user_to_page(EDGE_USER_CACHE, (struct frag){w.page, offset, len}, buf);
        page_get(w.page, HOLD_USE); /* beyond cache_write_end */
        n = cache_write_end(&w, len - left);
        if (n > 0)
            cache_dirty_bytes(w.page, first, end - first);
        page_put(w.page, HOLD_USE);
        if (n || left)
            return n ? n : -EFAULT;
    }
}

static ssize_t disk_write(struct file *f, const void __user *buf, size_t len, u64 *pos)
{
    struct block_device *d = block_by_number(f->inode->rdev);
    struct mapping *m = d ? block_mapping(d) : NULL;
    if (!m)
        return -ENXIO;
    if (d->read_only)
        return -EPERM;
    if (swap_uses(d))
        return -ETXTBSY;
    if (len && *pos >= m->size)
        return -ENOSPC;
    size_t done = 0;
    ssize_t n = 0;
    len = (size_t)MIN((u64)len, m->size - MIN(*pos, m->size));
    while (done < len && !task_pause()) {
        u32 piece = MIN(len - done, PAGE_SIZE - ((u32)*pos & (PAGE_SIZE - 1)));
        n = write_piece(m, *pos, (const char __user *)buf + done, piece);
        if (n < 0)
            break;
        done += n;
        *pos += n;
        writeback_throttle(m);
    }
    /* O_DIRECT goes through the cache here, but nothing of it stays there alone. */
    if (done && f->flags & (O_DSYNC | O_DIRECT) && (n = disk_sync(d->rdev)) < 0)
        return n;
    return done ? (ssize_t)done : MIN(n, 0);
}

static int give16(u32 argument, u16 value)
{
    return copyout((void __user *)argument, &value, sizeof(value));
}
static int give32(u32 argument, u32 value)
{
    return copyout((void __user *)argument, &value, sizeof(value));
}
static int give64(u32 argument, u64 value)
{
    return copyout((void __user *)argument, &value, sizeof(value));
}

static int set_read_only(struct block_device *d, u32 argument)
{
    u32 value;
    if (copyin(&value, (const void __user *)argument, sizeof(value)) < 0)
        return -EFAULT;
    d->read_only = value;
    return 0;
}

/* What nobody uses of its cached sectors goes. */
static int flush(struct block_device *d)
{
    if (d->metadata)
        cache_drop_clean_of(d->metadata);
    return 0;
}

static int disk_ioctl(struct file *f, u32 request, u32 argument)
{
    struct block_device *d = block_by_number(f->inode->rdev);
    const u32 readahead = READAHEAD_MAX_PAGES * (PAGE_SIZE / SECTOR_SIZE);
    if (!d)
        return -ENXIO;
    switch (request) {
    case BLKGETSIZE:
        return d->nr_sectors > UINT32_MAX ? -EFBIG : give32(argument, (u32)d->nr_sectors);
    case BLKGETSIZE64:
        return give64(argument, d->nr_sectors * SECTOR_SIZE);
    case BLKSSZGET:
    case BLKPBSZGET:
    case BLKIOMIN:
        return give32(argument, SECTOR_SIZE);
    case BLKBSZGET:
        return give32(argument, PAGE_SIZE);
    case BLKIOOPT:
    case BLKALIGNOFF:
        return give32(argument, 0);
    case BLKSECTGET:
        return give16(argument, (u16)d->max_sectors);
    case BLKROTATIONAL:
        return give16(argument, 1);
    case BLKROGET:
        return give32(argument, d->read_only);
    case BLKROSET:
        return set_read_only(d, argument);
    case BLKRAGET:
    case BLKFRAGET:
        return give32(argument, readahead);
    case BLKRASET: /* the window is the same for every file (readahead.c) */
    case BLKFRASET:
        return argument == readahead ? 0 : -EINVAL;
    case BLKFLSBUF:
        return flush(d);
    default:
        return d->ops->ioctl ? d->ops->ioctl(d, request, argument) : -ENOTTY;
    }
}

const struct file_ops disk_ops = {.open = disk_open,
                                  .release = disk_release,
                                  .read = disk_read,
                                  .write = disk_write,
                                  .ioctl = disk_ioctl};
