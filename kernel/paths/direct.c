/*
 * O_DIRECT: between the disk and the program's own pages, past the page cache.
 *
 *   disk --DMA--> the program's buffer          the program's buffer --DMA--> disk
 *
 * The CPU moves no byte (with a disk in a PIO mode it moves each of them once), and no page of the
 * cache is used. The price: whole sectors only, from the disk every time, and the program waits
 * for each transfer.
 *
 * The cache is kept coherent: dirty pages of the range are written before the disk is read or
 * written, and pages of the range are dropped when the disk has been written. As on Linux, a write
 * into a hole goes through the cache: a block that is taken for it holds rubbish until it is
 * written, and would be part of the file meanwhile.
 *
 * A call moves one piece of 128 KiB after the other; meanwhile the inode is locked, so the file
 * does not change its size or its blocks while the disk works. A call that fails after the first
 * piece has told how many bytes went before.
 */
#include <linux/fcntl.h>
#include "drivers/block.h"
#include "kernel/cache/writeback.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/pin.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"
#include "kernel/proc/wait.h"

#define PIECE_BYTES ((PIN_MAX_PAGES - 1) * PAGE_SIZE)
#define ALIGNED(x)  (((x) & (SECTOR_SIZE - 1)) == 0)

/* One piece under way. */
struct transfer {
    struct mapping *mapping;
    struct pins pins;
    u64 pos;
    u32 len;     /* whole sectors ... */
    u32 padding; /* ... of which so many, the last ones, lie behind the file's end */
    bool write;
    u32 in_flight; /* requests */
    int error;     /* of one of them */
    struct wait_queue done;
};

/* A request names the transfer that it is a part of, and which part. */
struct part {
    struct transfer *transfer;
    u32 at; /* from the piece's first byte */
};

/* Interrupt context. */
static void request_done(struct block_request *r, int error)
{
    struct part *part = r->context;
    struct transfer *t = part->transfer;
    u32 len = r->nr_sectors * SECTOR_SIZE;
    u32 payload = MIN(len, t->len - t->padding - MIN(part->at, t->len - t->padding));
    if (!error) {
        ledger_add(r->account, t->write ? EDGE_USER_DISK : EDGE_DISK_USER, r->mover, payload);
        ledger_add_apart(r->account, APART_PADDING, len - payload);
    } else {
        t->error = error;
    }
    if (--t->in_flight == 0)
        wake_all(&t->done);
    kfree(part);
    request_free(r);
}

static int submit(struct transfer *t, const struct disk_run *run, u32 at)
{
    for (u32 done = 0; done < run->len;) {
        struct block_request *r = request_new(run->device, PIN_MAX_PAGES);
        struct part *part = r ? kmalloc(sizeof(*part)) : NULL;
        if (!part) {
            if (r)
                request_free(r);
            return -ENOMEM;
        }
        *part = (struct part){t, at + done};
        r->lba = run->lba + done / SECTOR_SIZE;
        r->write = t->write;
        r->context = part;
        r->done = request_done;
        while (done < run->len) {
            struct frag f = pin_frag(&t->pins, at + done, run->len - done);
            if (!request_add(r, f))
                break;
            done += f.len;
        }
        u32 flags = irq_save();
        t->in_flight++;
        irq_restore(flags);
        block_submit(r);
    }
    return 0;
}

static void fill_hole(struct transfer *t, u32 at, u32 len)
{
    len = MIN(len, t->len - t->padding - at);
    for (u32 done = 0; done < len;) {
        struct frag f = pin_frag(&t->pins, at + done, len - done);
        copy_zeroes(EDGE_ZERO_USER, f);
        done += f.len;
    }
}

/* Moves the piece between the program's pages, which are pinned, and the disk, and waits for that.
 */
static int move(struct transfer *t)
{
    struct disk_run run;
    int error = 0;
    wait_init(&t->done);
    for (u32 at = 0; at < t->len && !error; at += run.len) {
        error = t->mapping->ops->locate(t->mapping, t->pos + at, t->len - at, &run);
        if (error)
            break;
        if (!run.hole)
            error = submit(t, &run, at);
        else if (t->write)
            error = -EIO; /* there was a block a moment ago */
        else
            fill_hole(t, at, run.len);
    }
    wait_event(&t->done, t->in_flight == 0);
    return error ? error : t->error;
}

static u32 first_page(u64 pos)
{
    return (u32)(pos >> PAGE_SHIFT);
}
static u32 behind_page(u64 end)
{
    return (u32)(DIV_ROUND_UP(end, PAGE_SIZE));
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* How many bytes were read, 0 behind the end, or a negative errno. The program's pages come first:
 * they may be those of a file that is mapped, which is locked while a page becomes writable. */
static ssize_t read_piece(struct inode *inode, struct transfer *t, void __user *buf, u32 len)
{
    struct mapping *m = t->mapping;
    int error = pin_pages(&t->pins, (virt_t)buf, len, true);
    if (error)
        return error;
    inode_lock(inode);
    u32 payload = m->size > t->pos ? (u32)MIN((u64)len, m->size - t->pos) : 0;
    t->len = ROUND_UP(payload, SECTOR_SIZE);
    t->padding = t->len - payload;
    error = cache_flush_range(m, first_page(t->pos), behind_page(t->pos + t->len));
    if (!error)
        error = move(t);
    inode_unlock(inode);
    unpin_pages(&t->pins);
    return error ? error : (ssize_t)payload;
}

ssize_t direct_read(struct file *file, struct mapping *m, void __user *buf, size_t len, u64 *pos)
{
    size_t done = 0;
    ssize_t n = 1;
    if (*pos < m->size && !ALIGNED((u32)*pos | (u32)(virt_t)buf | len))
        return -EINVAL;
    while (n > 0 && done < len && *pos < m->size && !task_pause()) {
        struct transfer t = {.mapping = m, .pos = *pos};
        u32 wanted = (u32)MIN((u64)MIN(len - done, PIECE_BYTES), m->size - *pos);
        n = read_piece(file->inode, &t, (char __user *)buf + done, ROUND_UP(wanted, SECTOR_SIZE));
        if (n > 0) {
            done += n;
            *pos += n;
        }
    }
    return done ? (ssize_t)done : MIN(n, 0);
}

/* --- Writing ---------------------------------------------------------------------------------- */

/*
 * How many bytes from pos on have a place on the disk, which behind the file's end is taken for
 * them, in whole blocks. 0: they go into a hole, *hole bytes long. An error counts only where not
 * a byte has a place; *trim: blocks may have been taken in vain.
 */
static ssize_t take_blocks(struct inode *inode, u64 pos, u32 len, u32 *hole, bool *trim)
{
    struct mapping *m = &inode->mapping;
    u32 block_size = inode->super->block_size;
    int error = 0;
    if (pos > m->size && pos >> PAGE_SHIFT == m->size >> PAGE_SHIFT) { /* between: zeroes */
        *hole = PAGE_SIZE - (u32)pos % PAGE_SIZE;
        return 0;
    }
    for (u32 ok = 0; ok < len;) {
        struct disk_run run;
        int e = m->ops->locate(m, pos + ok, len - ok, &run);
        if (e)
            return ok ? (ssize_t)ok : e;
        if (!run.hole) {
            ok += run.len;
            continue;
        }
        u64 at = pos + ok;
        u32 whole = MIN(ROUND_DOWN(len - ok, block_size), PAGE_SIZE - (u32)at % PAGE_SIZE);
        bool behind = at >= m->size && at % block_size == 0 && whole;
        if (error || !behind) {
            *hole = run.len;
            return ok ? (ssize_t)ok : error;
        }
        error = m->ops->prepare_write(m, (u32)(at >> PAGE_SHIFT), (u32)at % PAGE_SIZE, whole);
        if (error)
            *trim = true;
        else
            ok += whole;
    }
    return len;
}

static ssize_t write_hole(struct inode *inode, const char __user *buf, u64 pos, u32 len)
{
    u32 done = 0;
    ssize_t n = 0;
    while (done < len) {
        u32 piece = MIN(len - done, PAGE_SIZE - (u32)(pos + done) % PAGE_SIZE);
        n = cache_write_piece(inode, pos + done, (struct bytes){.user = buf + done}, piece);
        if (n < 0)
            break;
        done += n;
    }
    u32 first = first_page(pos), end = behind_page(pos + len);
    int error = done ? cache_flush_range(&inode->mapping, first, end) : 0;
    cache_invalidate(&inode->mapping, first, end);
    return error ? error : done ? (ssize_t)done : n;
}

/* How many bytes were written, or a negative errno. */
static ssize_t write_piece(struct inode *inode, const char __user *buf, u64 pos, u32 len)
{
    struct mapping *m = &inode->mapping;
    u32 hole = 0;
    bool trim = false;
    if (pos > m->size)
        cache_zero_gap(m, pos);
    ssize_t n = take_blocks(inode, pos, len, &hole, &trim);
    if (n == 0)
        return write_hole(inode, buf, pos, MIN(len, hole));
    struct transfer t = {.mapping = m, .pos = pos, .len = (u32)n, .write = true};
    u32 first = first_page(pos), end = behind_page(pos + len);
    int error = n < 0 ? (int)n : cache_flush_range(m, first, end);
    if (!error) {
        cache_invalidate(m, first, end);
        error = pin_pages(&t.pins, (virt_t)buf, t.len, false);
    }
    if (!error) {
        error = move(&t);
        unpin_pages(&t.pins);
        if (!error && pos + t.len > m->size)
            inode_set_size(inode, pos + t.len);
        cache_invalidate(m, first, end); /* who has read it meanwhile may have read either */
    }
    if ((error || trim) && m->ops->trim)
        m->ops->trim(m);
    return error ? error : (ssize_t)t.len;
}

/* Locks the inode when nothing of the range is dirty: of a file that is locked, the last page stays
 * dirty when it is written (it may be growing), and could not be dropped. */
static void lock_when_written(struct inode *inode, u64 pos, size_t len)
{
    struct mapping *m = &inode->mapping;
    for (u32 tries = 0;; tries++) {
        u32 first = first_page(MIN(pos, m->size)), end = behind_page(MAX(pos, m->size) + len);
        (void)cache_flush_range(m, first, end);
        inode_lock(inode);
        if (tries == 10 || !m->nr_dirty || cache_find_dirty(m, first, end, true) >= end)
            return;
        inode_unlock(inode);
    }
}

static ssize_t file_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct inode *inode = file->inode;
    size_t done = 0;
    lock_when_written(inode, *pos, len);
    if (file->flags & O_APPEND)
        *pos = inode->size;
    ssize_t n = cache_write_limit(file, *pos, len);
    len = MAX(n, 0);
    if (n >= 0 && !ALIGNED((u32)*pos | (u32)(virt_t)buf | len))
        n = -EINVAL;
    while (n > 0 && done < len && !task_pause()) {
        n = write_piece(inode, (const char __user *)buf + done, *pos, MIN(len - done, PIECE_BYTES));
        if (n > 0) {
            done += n;
            *pos += n;
        }
    }
    if (done)
        inode_written(inode);
    inode_unlock(inode);
    return file_write_end(file, done, n);
}

/* To a device all bytes have their place. */
static int write_device(struct transfer *t, const char __user *buf)
{
    u32 first = first_page(t->pos), end = behind_page(t->pos + t->len);
    int error = pin_pages(&t->pins, (virt_t)buf, t->len, false);
    if (error)
        return error;
    error = cache_flush_range(t->mapping, first, end);
    if (!error)
        error = move(t);
    cache_invalidate(t->mapping, first, end); /* also where it was written in part */
    unpin_pages(&t->pins);
    return error;
}

ssize_t direct_write(struct file *file, struct mapping *m, const void __user *buf, size_t len,
                     u64 *pos)
{
    size_t done = 0;
    int error = ALIGNED((u32)*pos | (u32)(virt_t)buf | len) ? 0 : -EINVAL;
    while (!error && done < len && !task_pause()) {
        struct transfer t = {
            .mapping = m, .pos = *pos, .len = MIN(len - done, PIECE_BYTES), .write = true};
        error = write_device(&t, (const char __user *)buf + done);
        if (!error) {
            done += t.len;
            *pos += t.len;
        }
    }
    return file_write_end(file, done, error);
}

static ssize_t file_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    file_accessed(file);
    return direct_read(file, &file->inode->mapping, buf, len, pos);
}

static const struct file_ops direct_file_ops = {.read = file_read, .write = file_write};

bool direct_vector_ok(const struct file *f, bool to_user, u64 pos, u32 bits)
{
    if (S_TYPE(f->inode->mode) == S_BLK)
        return !(f->flags & O_DIRECT) || ALIGNED(bits);
    bool nothing = to_user && pos >= f->inode->size;
    return f->ops != &direct_file_ops || nothing || ALIGNED(bits);
}

bool direct_possible(const struct inode *inode, const struct file_ops *ops)
{
    bool regular = ops == &regular_file_ops || ops == &direct_file_ops;
    return S_TYPE(inode->mode) == S_BLK || (regular && inode->mapping.ops->locate);
}

int direct_switch(struct file *f, bool on)
{
    if (on)
        read_once_switch(f, false); /* no page is used at all */
    if (on && !direct_possible(f->inode, f->ops))
        return -EINVAL;
    if (on && S_TYPE(f->inode->mode) == S_REG)
        f->ops = &direct_file_ops;
    else if (f->ops == &direct_file_ops)
        f->ops = &regular_file_ops;
    return 0;
}
