/*
 * Block devices as files: /dev/hda and its partitions, and the ioctls that are the same for every
 * disk (linux/fs.h); the others are the driver's.
 *
 * A disk's raw sectors come and go through the page cache, as the metadata of its file system do,
 * in the same pages. Whoever closes it last leaves the disk as he wants it: all is written.
 */
#include "kernel/fs/dev.h"
#include <linux/capability.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include "drivers/block.h"
#include "kernel/cache/writeback.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/task.h"

static struct block_device *device_of(const struct file *f)
{
    return block_by_number(f->inode->rdev);
}

static bool may_write(const struct file *f)
{
    return (f->flags & O_ACCMODE) == O_WRONLY || (f->flags & O_ACCMODE) == O_RDWR;
}

/* O_EXCL: only while nobody has it for himself (open(2)). */
static int disk_open(struct inode *inode, struct file *f)
{
    struct block_device *d = device_of(f);
    if (!d)
        return -ENXIO;
    if (!block_mapping(d))
        return -ENOMEM;
    if ((f->flags & O_EXCL) && d->claimed)
        return -EBUSY;
    return block_open(d, may_write(f));
}

static int device_sync(struct block_device *d)
{
    int error = cache_write_out(d->metadata, 0, ~0u), e = block_flush(d);
    return error ? error : e;
}

/* The next one who opens it finds what is on the disk, whoever has been there meanwhile. */
static void disk_release(struct file *f)
{
    struct block_device *d = device_of(f);
    if (may_write(f) && device_sync(d))
        kprintf("%s: not all could be written\n", d->name);
    block_close(d, may_write(f));
    if (!d->openers && !d->claimed)
        cache_drop_clean_of(d->metadata, 0, ~0u);
}

static ssize_t disk_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    struct mapping *m = device_of(f)->metadata;
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

/* Within one page. */
static ssize_t write_piece(struct mapping *m, const char __user *buf, u64 pos, u32 len)
{
    struct cache_write w;
    u32 copied;
    int done;
    do {
        int error = cache_write_begin(m, (u32)(pos >> PAGE_SHIFT), (u32)pos % PAGE_SIZE, len, &w);
        if (error)
            return error;
        struct frag to = {w.page, w.offset, len};
        copied = len - copy_user_to_page(EDGE_USER_CACHE, to, buf);
        done = cache_write_end(&w, copied);
    } while (done == 0 && copied == len);
    writeback_throttle(m);
    return done ? done : -EFAULT;
}

static ssize_t disk_write(struct file *f, const void __user *buf, size_t len, u64 *pos)
{
    struct block_device *d = device_of(f);
    struct mapping *m = d->metadata;
    size_t done = 0;
    ssize_t n = 0;
    if (block_read_only(d))
        return -EPERM;
    if (f->flags & O_APPEND)
        *pos = m->size;
    if (*pos >= m->size)
        return len ? -ENOSPC : 0;
    len = (size_t)MIN((u64)len, m->size - *pos);
    if (f->flags & O_DIRECT)
        return direct_write(f, m, buf, len, pos);
    while (done < len && !task_pause()) {
        u32 chunk = MIN(len - done, PAGE_SIZE - ((u32)*pos & (PAGE_SIZE - 1)));
        n = write_piece(m, (const char __user *)buf + done, *pos, chunk);
        if (n < 0)
            break;
        *pos += n;
        done += n;
        if ((u32)n < chunk)
            break;
    }
    return file_write_end(f, done, n);
}

int blkdev_fsync(struct inode *inode)
{
    struct block_device *d = block_by_number(inode->rdev);
    return d && d->metadata ? device_sync(d) : 0;
}

/* sync(2): what programs have written to disks past any file system. */
void blkdev_sync_all(void)
{
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        if (d->writers)
            (void)cache_write_out(d->metadata, 0, ~0u);
}

/* BLKRRPART: the partitions are those of the table as it is now. */
static int read_partitions(struct block_device *disk)
{
    static bool busy;
    struct block_device *p;
    if (disk->disk)
        return -EINVAL;
    if (!capable(CAP_SYS_ADMIN))
        return -EACCES;
    if (busy || block_partitions_used(disk))
        return -EBUSY;
    busy = true;
    int error = device_sync(disk);
    while (!error && !block_partitions_used(disk) && (p = block_partition(disk))) {
        block_forget(p);
        dev_remove(p->name);
        block_mapping_free(p);
        kfree(p);
    }
    if (!error)
        error = block_partition(disk) ? -EBUSY : block_read_partitions(disk);
    for (p = block_next(NULL); p && !error; p = block_next(p))
        if (p->disk == disk)
            error = dev_add(p->name, p->rdev);
    busy = false;
    return error;
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
    if (!capable(CAP_SYS_ADMIN))
        return -EACCES;
    if (copyin(&value, (const void __user *)argument, sizeof(value)) < 0)
        return -EFAULT;
    d->read_only = value;
    return 0;
}

/* All is written, and what nobody uses of its cached sectors goes. */
static int flush(struct block_device *d)
{
    if (!capable(CAP_SYS_ADMIN))
        return -EACCES;
    int error = device_sync(d);
    cache_drop_clean_of(d->metadata, 0, ~0u);
    return error;
}

static int disk_ioctl(struct file *f, u32 request, u32 argument)
{
    struct block_device *d = device_of(f);
    const u32 readahead = READAHEAD_MAX_PAGES * (PAGE_SIZE / SECTOR_SIZE);
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
        return give32(argument, block_read_only(d));
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
    case BLKRRPART:
        return read_partitions(d);
    default:
        return d->ops->ioctl ? d->ops->ioctl(d, request, argument) : -ENOTTY;
    }
}

const struct file_ops disk_ops = {
    .open = disk_open,
    .release = disk_release,
    .read = disk_read,
    .write = disk_write,
    .ioctl = disk_ioctl,
};
