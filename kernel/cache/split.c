/*
 * Two caches, as kernels had them before they were made one: ferry.cache=split.
 *
 *     read    disk --DMA--> buffer cache --CPU--> page cache --CPU--> program
 *     write   program --CPU--> buffer cache --DMA--> disk
 *                                  `--CPU--> page cache, where that has the page: the repair
 *
 * The buffer cache is kept by blocks of the disk, the page cache by pages of files; what both have,
 * they have twice. read(2), mmap(2) and sendfile(2) see the page cache, write(2) goes to the
 * buffers. So a page that is cached is wrong as soon as the file is written, unless the bytes are
 * copied a second time: that is what update_vm_cache did in Linux 2.0 and 2.2. With
 * ferry.cache=split,norepair it is left out, and a program reads what the file was.
 *
 * What is written through a mapping is dirty in the page cache; write-back copies it into the
 * buffers, and these go to the disk.
 *
 * The buffers are a second mapping of the device, beside that of the metadata. Nothing of this
 * costs anything when it is off: files then have other operations.
 */
#include "kernel/cache/split.h"
#include <linux/fcntl.h>
#include "drivers/block.h"
#include "kernel/cache/pages.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

static bool is_on, repairs;

/* The file system's own operations: what is not about pages stays theirs. */
static const struct mapping_ops *below;
static struct mapping_ops above;

/* Where a run of a file lies in the buffers, as far as one page of these goes. */
struct place {
    struct mapping *buffers;
    u32 index, offset, len;
    bool hole;
};

static int locate(struct mapping *m, u64 pos, u32 len, struct place *p)
{
    struct disk_run run;
    u32 inside = (u32)pos % SECTOR_SIZE;
    int error = below->locate(m, pos, len, &run);
    if (error)
        return error;
    u64 at = (run.lba << SECTOR_SHIFT) + inside;
    *p = (struct place){.buffers = block_buffers(run.device),
                        .index = (u32)(at >> PAGE_SHIFT),
                        .offset = (u32)at % PAGE_SIZE,
                        .len = run.len,
                        .hole = run.hole};
    return p->buffers ? 0 : -ENOMEM;
}

/* --- Reading ---------------------------------------------------------------------------------- */

/* The rest of the run is wanted as well: it comes in one command. */
static int copy_up(struct page *page, u32 offset, u32 len, const struct place *p)
{
    struct page *buffer;
    u32 want = DIV_ROUND_UP(p->offset + p->len, PAGE_SIZE);
    int error = cache_read(p->buffers, p->index, want, NULL, &buffer, NULL);
    if (error)
        return error == -ENXIO ? -EIO : error;
    copy_pages(EDGE_BUFFER_CACHE, (struct frag){page, offset, len},
               (struct frag){buffer, p->offset, len});
    page_put(buffer, HOLD_USE);
    return 0;
}

static int read_page(struct mapping *m, struct page *page, u64 run_end)
{
    u64 pos = (u64)page->index << PAGE_SHIFT, end = MIN(pos + PAGE_SIZE, m->size);
    while (pos < end) {
        struct place p;
        u32 offset = (u32)pos % PAGE_SIZE;
        int error = locate(m, pos, (u32)(run_end - pos), &p);
        if (error)
            return error;
        u32 len = MIN(p.len, (u32)(end - pos));
        if (p.hole) {
            copy_zeroes(EDGE_ZERO_CACHE, (struct frag){page, offset, len});
        } else {
            len = MIN(len, PAGE_SIZE - p.offset);
            error = copy_up(page, offset, len, &p);
        }
        if (error)
            return error;
        pos += len;
    }
    return 0;
}

static void split_read_pages(struct mapping *m, struct page **pages, u32 nr)
{
    u64 run_end = MIN(((u64)pages[0]->index + nr) << PAGE_SHIFT, m->size);
    for (u32 i = 0; i < nr; i++)
        cache_page_done(pages[i], read_page(m, pages[i], run_end));
}

/* --- Write-back of what programs wrote to the page cache -------------------------------------- */

/* One piece of a page into the buffers: all of it is new there. */
static int copy_down(struct page *page, u32 offset, u32 len, const struct place *p)
{
    struct page *buffer;
    u32 sectors = ROUND_UP(len, SECTOR_SIZE);
    int error = cache_get_new(p->buffers, p->index, p->offset, sectors, &buffer);
    if (error)
        return error;
    copy_pages(EDGE_CACHE_BUFFER, (struct frag){buffer, p->offset, len},
               (struct frag){page, offset, len});
    memset((char *)page_virt(buffer) + p->offset + len, 0, sectors - len);
    cache_dirty_bytes(buffer, p->offset, sectors);
    page_put(buffer, HOLD_USE);
    return 0;
}

static int write_page(struct mapping *m, struct page *page)
{
    u64 pos = (u64)page->index << PAGE_SHIFT, end = MIN(pos + PAGE_SIZE, m->size);
    while (pos < end) {
        struct place p;
        int error = locate(m, pos, (u32)(end - pos), &p);
        if (error)
            return error;
        u32 len = MIN(p.len, PAGE_SIZE - p.offset);
        if (!p.hole)
            error = copy_down(page, (u32)pos % PAGE_SIZE, len, &p);
        if (error)
            return error;
        pos += len;
    }
    return 0;
}

static void split_write_pages(struct mapping *m, struct page **pages, u32 nr)
{
    for (u32 i = 0; i < nr; i++)
        cache_page_started(pages[i], write_page(m, pages[i]));
}

/* --- write(2) --------------------------------------------------------------------------------- */

/* The page cache's copy becomes what the buffer is. */
static void repair(struct mapping *m, u64 pos, u32 len, struct page *buffer, u32 offset)
{
    struct page *page = cache_lookup(m, (u32)(pos >> PAGE_SHIFT));
    if (!page || !repairs)
        return;
    page_get(page, HOLD_USE);
    page_wait(page);
    if (page->mapping == m && page->flags & PG_UPTODATE)
        copy_pages(EDGE_BUFFER_CACHE, (struct frag){page, (u32)pos % PAGE_SIZE, len},
                   (struct frag){buffer, offset, len});
    page_put(page, HOLD_USE);
}

/* At most to the end of a block. How many bytes went in, at least one, or a negative errno. A block
 * that was a hole is zero around them. */
static ssize_t write_piece(struct inode *inode, const char __user *buf, u64 pos, u32 len)
{
    struct mapping *m = &inode->mapping;
    u32 block_size = inode->super->block_size, inside = (u32)pos & (block_size - 1);
    struct place was, p;
    struct page *buffer;
    len = MIN(len, block_size - inside);
    if (pos > m->size)
        cache_zero_gap(m, pos);
    int error = locate(m, pos - inside, block_size, &was);
    if (!error)
        error = below->prepare_write(m, (u32)(pos >> PAGE_SHIFT), (u32)pos % PAGE_SIZE, len);
    if (!error)
        error = locate(m, pos - inside, block_size, &p);
    if (!error)
        error = cache_get_new(p.buffers, p.index, p.offset, block_size, &buffer);
    if (error)
        return error;
    if (was.hole)
        memset((char *)page_virt(buffer) + p.offset, 0, block_size);
    struct frag to = {buffer, p.offset + inside, len};
    u32 done = len - copy_user_to_page(EDGE_USER_BUFFER, to, buf);
    cache_dirty_bytes(buffer, p.offset, block_size);
    if (done && pos + done > inode->size)
        inode_set_size(inode, pos + done);
    if (done)
        repair(m, pos, done, buffer, p.offset + inside);
    page_put(buffer, HOLD_USE);
    if (!done && below->trim)
        below->trim(m);
    writeback_throttle(p.buffers);
    return done ? (ssize_t)done : -EFAULT;
}

static ssize_t split_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct inode *inode = file->inode;
    size_t done = 0;
    inode_lock(inode);
    if (file->flags & O_APPEND)
        *pos = inode->size;
    ssize_t n = cache_write_limit(file, *pos, len);
    for (len = MAX(n, 0); done < len && !task_pause();) {
        n = write_piece(inode, (const char __user *)buf + done, *pos, len - done);
        if (n < 0)
            break;
        *pos += n;
        done += n;
    }
    if (done)
        inode_written(inode);
    inode_unlock(inode);
    return file_write_end(file, done, n);
}

/* ---------------------------------------------------------------------------------------------- */

static const struct file_ops split_file_ops = {.read = cache_file_read, .write = split_write};

static void find_out(const struct mapping_ops *ops)
{
    char value[32];
    if (cmdline_get("ferry.cache", value, sizeof(value))) {
        is_on = strncmp(value, "split", 5) == 0;
        repairs = strcmp(value, "split,norepair") != 0;
    }
    below = ops;
    above = *ops;
    above.read_pages = split_read_pages;
    above.write_pages = split_write_pages;
    above.locate = NULL; /* what is on the disk is not the file: no O_DIRECT */
}

void split_set_up(struct inode *inode)
{
    if (!below)
        find_out(inode->mapping.ops);
    if (is_on && inode->mapping.ops == below) {
        inode->mapping.ops = &above;
        inode->fops = &split_file_ops;
    }
}

int split_sync(struct block_device *d)
{
    return d->buffers ? cache_write_out(d->buffers, 0, ~0u) : 0;
}

void split_forget(struct block_device *d, u64 lba, u64 nr_sectors)
{
    for (u64 end = lba + nr_sectors; d->buffers && lba < end;) {
        u32 offset = (u32)(lba << SECTOR_SHIFT) % PAGE_SIZE;
        u32 len = (u32)MIN((u64)(PAGE_SIZE - offset), (end - lba) << SECTOR_SHIFT);
        cache_forget_bytes(d->buffers, (u32)(lba << SECTOR_SHIFT >> PAGE_SHIFT), offset, len);
        lba += len >> SECTOR_SHIFT;
    }
}
