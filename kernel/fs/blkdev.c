/*
 * Block devices as files: /dev/hda and its partitions, and the ioctls that are the same for every
 * disk (linux/fs.h); the others are the driver's.
 *
 * A disk's raw sectors come through the page cache, as the metadata of its file system do.
 */
#include "kernel/fs/dev.h"
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "drivers/block.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"

/* What is written here would go past the file system that is mounted from it. */
static int disk_open(struct inode *inode, struct file *f)
{
    return (f->flags & O_ACCMODE) == O_RDONLY ? 0 : -EROFS;
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

const struct file_ops disk_ops = {.open = disk_open, .read = disk_read, .ioctl = disk_ioctl};
