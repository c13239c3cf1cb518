/*
 * Block devices: the register of disks and partitions, and the way of a request to its driver.
 *
 * A partition (partitions.c) is a device of its own whose requests are moved up by its first sector
 * and handed to the disk. Whoever fills a request does so through request_add, and everything that
 * reaches a driver has passed the range checks of block_submit: drivers may trust it.
 */
#include "drivers/block.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/wait.h"

static TAILQ_HEAD(, block_device) block_devices = TAILQ_HEAD_INITIALIZER(block_devices);

struct block_request *request_new(struct block_device *d, u32 max_frags)
{
    ASSERT(max_frags >= 1 && max_frags <= REQUEST_MAX_FRAGS);
    struct block_request *r = kmalloc(sizeof(*r) + max_frags * sizeof(r->frags[0]));
    if (!r)
        return NULL;
    *r = (struct block_request){.device = d, .max_frags = max_frags};
    return r;
}

void request_free(struct block_request *r)
{
    account_put(r->account);
    kfree(r);
}

bool request_add(struct block_request *r, struct frag f)
{
    ASSERT(f.len % SECTOR_SIZE == 0 && f.offset % 2 == 0 && f.offset + f.len <= PAGE_SIZE);
    if (r->nr_sectors + f.len / SECTOR_SIZE > r->device->max_sectors)
        return false;
    struct frag *last = r->nr_frags ? &r->frags[r->nr_frags - 1] : NULL;
    if (last && last->page == f.page && last->offset + last->len == f.offset) {
        last->len += f.len;
    } else {
        if (r->nr_frags == r->max_frags)
            return false;
        r->frags[r->nr_frags++] = f;
    }
    r->nr_sectors += f.len / SECTOR_SIZE;
    return true;
}

/* 0 when the driver may have the request. */
static int check_request(const struct block_request *r)
{
    const struct block_device *d = r->device;
    if (r->flush)
        return 0;
    if (r->nr_sectors == 0 || r->nr_sectors > d->max_sectors)
        return -EINVAL;
    if (r->lba >= d->nr_sectors || r->nr_sectors > d->nr_sectors - r->lba)
        return -EIO;
    if (r->write && block_read_only(d))
        return -EROFS;
    return 0;
}

static void count_request(struct block_device *d, const struct block_request *r)
{
    *(r->write ? &d->writes : &d->reads) += 1;
    *(r->write ? &d->sectors_written : &d->sectors_read) += r->nr_sectors;
    d->in_flight++;
}

void block_submit(struct block_request *r)
{
    struct block_device *d = r->device;
    int error = check_request(r);
    if (error) {
        u32 flags = irq_save();
        r->done(r, error);
        irq_restore(flags);
        return;
    }
    if (!r->account)
        r->account = account_get(account_current());
    r->disk_lba = r->lba + d->first_lba;
    struct block_device *disk = d->disk ? d->disk : d;
    u32 flags = irq_save(); /* requests end in interrupts */
    count_request(d, r);
    if (disk != d)
        count_request(disk, r);
    irq_restore(flags);
    disk->ops->submit(disk, r);
}

void block_done(struct block_request *r, int error)
{
    r->device->in_flight--;
    if (r->device->disk)
        r->device->disk->in_flight--;
    r->done(r, error);
}

struct sync_wait {
    struct wait_queue queue;
    bool finished;
    int error;
};

static void sync_done(struct block_request *r, int error)
{
    struct sync_wait *wait = r->context;
    wait->error = error;
    wait->finished = true;
    wake_all(&wait->queue);
}

int block_submit_wait(struct block_request *r)
{
    struct sync_wait wait = {.finished = false};
    wait_init(&wait.queue);
    r->done = sync_done;
    r->context = &wait;
    block_submit(r);
    wait_event(&wait.queue, wait.finished);
    return wait.error;
}

int block_flush(struct block_device *d)
{
    struct block_request *r = request_new(d, 1);
    if (!r)
        return -ENOMEM;
    r->flush = r->write = true;
    int error = block_submit_wait(r);
    request_free(r);
    return error;
}

struct block_device *block_find(const char *name)
{
    struct block_device *d;
    if (strncmp(name, "/dev/", 5) == 0)
        name += 5;
    TAILQ_FOREACH (d, &block_devices, link) {
        if (strcmp(d->name, name) == 0)
            return d;
    }
    return NULL;
}

struct block_device *block_by_number(u32 rdev)
{
    struct block_device *d = block_next(NULL);
    while (d && d->rdev != rdev)
        d = block_next(d);
    return d;
}

struct block_device *block_next(struct block_device *after)
{
    return after ? TAILQ_NEXT(after, link) : TAILQ_FIRST(&block_devices);
}

void block_add(struct block_device *d)
{
    TAILQ_INSERT_TAIL(&block_devices, d, link);
}

void block_forget(struct block_device *partition)
{
    TAILQ_REMOVE(&block_devices, partition, link);
}

/* ---- who uses it ---- */

/* Have they sectors in common: a disk and its partition? */
static bool share(const struct block_device *a, const struct block_device *b)
{
    return a == b || a->disk == b || b->disk == a;
}

/* Is it somebody's, or a device that shares sectors with it? */
static bool taken(const struct block_device *d, bool writers_count)
{
    const struct block_device *other;
    TAILQ_FOREACH (other, &block_devices, link)
        if (share(d, other) && (other->claimed || (writers_count && other->writers)))
            return true;
    return false;
}

int block_claim(struct block_device *d)
{
    if (taken(d, true))
        return -EBUSY;
    d->claimed = true;
    return 0;
}

void block_unclaim(struct block_device *d)
{
    d->claimed = false;
}

int block_open(struct block_device *d, bool write)
{
    if (write && taken(d, false))
        return -EBUSY;
    d->openers++;
    d->writers += write;
    return 0;
}

void block_close(struct block_device *d, bool write)
{
    d->openers--;
    d->writers -= write;
}
