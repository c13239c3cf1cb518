/*
 * Write-back: how dirty pages come to the disk.
 *
 * A write changes the page in the cache and marks it dirty; the disk learns of it later:
 *
 * - by fsync(2) and sync(2) at once, and the caller waits;
 * - by the kernel thread flushd, which looks every vm.dirty_writeback_centisecs at what has
 *   been dirty for vm.dirty_expire_centisecs, and at everything when more than
 *   vm.dirty_background_ratio percent of the memory (or vm.dirty_background_bytes) are dirty;
 * - by a writer that has brought it beyond vm.dirty_ratio percent (or vm.dirty_bytes): it writes
 *   its own pages and waits for them, and so cannot outrun the disk.
 *
 * While a page is on its way to the disk (PG_WRITEBACK) it can be read, and written again: then it
 * is dirty once more, and is written once more. An error is kept for the next fsync (errors.h).
 */
#include "kernel/cache/writeback.h"
#include "kernel/cache/pages.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

#define RUN_MAX 64u /* pages of one write_pages: two of the longest disk commands */

struct writeback_limits writeback_limits = {
    .dirty_ratio = 20,
    .dirty_background_ratio = 10,
    .dirty_expire_centisecs = 3000,
    .dirty_writeback_centisecs = 500,
};
struct writeback_stats writeback_stats;

/* Mappings with dirty pages, the one that has been dirty for longest first. */
static TAILQ_HEAD(, mapping) dirty_mappings = TAILQ_HEAD_INITIALIZER(dirty_mappings);
static WAIT_QUEUE(written);      /* a mapping has nothing more on its way */
static WAIT_QUEUE(flushd_queue); /* where flushd sleeps */
static bool flushd_wanted;

static u32 limit_of(u32 percent, u32 bytes)
{
    return bytes ? DIV_ROUND_UP(bytes, PAGE_SIZE) : MAX(total_frames / 100 * percent, 32u);
}

u32 writeback_limit(void)
{
    return limit_of(writeback_limits.dirty_ratio, writeback_limits.dirty_bytes);
}

u32 writeback_background_limit(void)
{
    return limit_of(writeback_limits.dirty_background_ratio,
                    writeback_limits.dirty_background_bytes);
}

/* --- Dirty ------------------------------------------------------------------------------------ */

void writeback_dirtied(struct mapping *m, int pages)
{
    writeback_stats.dirty += pages;
    writeback_stats.dirtied += MAX(pages, 0);
    if (pages > 0 && m->nr_dirty == 1) {
        m->dirty_since = timer_ticks();
        TAILQ_INSERT_TAIL(&dirty_mappings, m, dirty);
    }
    if (pages < 0 && m->nr_dirty == 0)
        TAILQ_REMOVE(&dirty_mappings, m, dirty);
    if (pages > 0 && writeback_stats.dirty > writeback_background_limit())
        writeback_kick();
}

void writeback_kick(void)
{
    flushd_wanted = true;
    wake_all(&flushd_queue);
}

/* --- Writing ---------------------------------------------------------------------------------- */

/* Completion of a page, or of a piece of it; any context. */
void cache_page_written(struct page *page, int error)
{
    struct mapping *m = page->mapping;
    u32 flags = irq_save();
    if (error)
        errors_add(&m->errors, error);
    if (error && m->errors_above)
        errors_add(m->errors_above, error);
    if (error && m->is_swap) /* its bytes are here only: it stays (cache_droppable) */
        page->flags |= PG_ERROR;
    if (--page->io_pending == 0) {
        page->flags &= (u8)~PG_WRITEBACK;
        wake_all(cache_waiters(page));
        writeback_stats.written++;
        writeback_stats.in_flight--;
        if (--m->nr_writeback == 0)
            wake_all(&written);
        page_put(page, HOLD_USE);
    }
    irq_restore(flags);
}

void writeback_begin(struct mapping *m, struct page *page)
{
    u32 flags = irq_save();
    page->flags |= PG_WRITEBACK;
    page->io_pending = 1; /* write_pages itself */
    m->nr_writeback++;
    writeback_stats.in_flight++;
    irq_restore(flags);
}

void cache_page_started(struct page *page, int error)
{
    bool starved = error == -ENOMEM;
    if (starved) {
        cache_redirty(page);
        page->mapping->starved = true;
    }
    cache_page_written(page, starved ? 0 : error);
}

static void write_run(struct mapping *m, struct page **run, u32 nr)
{
    if (nr)
        m->ops->write_pages(m, run, nr);
}

/* The page goes into a run: what is written to it from now on makes it dirty once more. */
static void take(struct mapping *m, struct page *page)
{
    if (page->refs > 2) /* beside the cache and us: programs' page tables, perhaps */
        mmap_protect_page(m, page->index);
    writeback_begin(m, page);
    cache_clear_dirty(page);
}

/* Starts the dirty pages in [first, end), in their order. A page that is on its way already is
 * waited for, since what has been written to it since must go, too; the run is on its way by then,
 * so tasks that write the same pages never wait for one another in a circle. */
static void write_range(struct mapping *m, u32 first, u32 end)
{
    struct page *run[RUN_MAX];
    u32 nr = 0, index = first;
    end = (u32)MIN((u64)end, DIV_ROUND_UP(m->size, PAGE_SIZE)); /* nothing is dirty behind it */
    for (; (index = cache_find_dirty(m, index, end, true)) < end; index++) {
        struct page *page = cache_peek(m, index);
        if (!page)
            continue;
        page_get(page, HOLD_USE);
        if (nr == RUN_MAX || (nr && run[nr - 1]->index + 1 != index) ||
            (page->flags & PG_WRITEBACK)) {
            write_run(m, run, nr);
            nr = 0;
            cache_wait_written(page);
        }
        if (page->mapping != m || !(page->flags & PG_DIRTY)) { /* gone, while we waited */
            page_put(page, HOLD_USE);
            continue;
        }
        take(m, page);
        run[nr++] = page;
    }
    write_run(m, run, nr);
}

void cache_start_writing(struct mapping *m, u32 first, u32 end)
{
    if (m->ops && m->ops->write_pages)
        write_range(m, first, end);
}

void cache_wait_range(struct mapping *m, u32 first, u32 end)
{
    end = (u32)MIN((u64)end, DIV_ROUND_UP(m->size, PAGE_SIZE));
    if (first < end && end - first < m->nr_pages) {
        for (; m->nr_writeback && first < end; first++) {
            struct page *page = cache_lookup(m, first);
            if (!page || !(page->flags & PG_WRITEBACK))
                continue;
            page_get(page, HOLD_USE);
            cache_wait_written(page);
            page_put(page, HOLD_USE);
        }
    } else {
        wait_event(&written, m->nr_writeback == 0);
    }
}

int cache_write_out(struct mapping *m, u32 first, u32 end)
{
    u32 before = m->errors.count;
    do {
        m->starved = false;
        cache_start_writing(m, first, end);
        cache_wait_range(m, first, end);
    } while (m->starved && frames_wait());
    return m->starved ? -ENOMEM : m->errors.count != before ? m->errors.last : 0;
}

void writeback_wait(u64 deadline)
{
    u32 before = writeback_stats.in_flight;
    (void)wait_event_killable(&written, before && writeback_stats.in_flight < before, deadline);
}

void cache_wait_written(struct page *page)
{
    wait_event(cache_waiters(page), !(page->flags & PG_WRITEBACK));
}

/* The writer's own pages first: they are the ones that it has just made. */
void writeback_throttle(struct mapping *m)
{
    u32 limit = writeback_limit();
    if (likely(writeback_stats.dirty <= limit) || !m->ops->write_pages)
        return;
    writeback_stats.throttled++;
    (void)cache_write_out(m, 0, ~0u); /* an error stays, for fsync */
}

/* --- flushd ----------------------------------------------------------------------------------- */

/* The first in the list that is due. A file's inode is held: it could go while we write. */
static struct mapping *next_due(u64 dirty_before)
{
    struct mapping *m;
    TAILQ_FOREACH (m, &dirty_mappings, dirty)
        if (m->dirty_since < dirty_before && !m->closing)
            return m;
    return NULL;
}

static void flush(u64 dirty_before)
{
    struct mapping *m;
    while ((m = next_due(dirty_before))) {
        struct inode *inode = m->is_metadata ? NULL : inode_hold(m->host);
        m->dirty_since = timer_ticks() + 1; /* what comes from now on waits for the next time */
        TAILQ_REMOVE(&dirty_mappings, m, dirty);
        TAILQ_INSERT_TAIL(&dirty_mappings, m, dirty);
        if (inode)
            super_sync_begin(inode->super);
        (void)cache_write_out(m, 0, ~0u);
        if (inode) {
            struct super *super = inode->super;
            inode_put(inode);
            super_sync_end(super);
        }
    }
}

static u64 ticks(u32 centisecs)
{
    return (u64)centisecs * TIMER_HZ / 100;
}

/* What has changed in inodes becomes dirty metadata. */
static void write_inodes(void)
{
    struct inode *inode = NULL;
    while ((inode = inode_next_dirty(NULL, inode)))
        if (inode->dirty && inode->super->write_inode) {
            super_sync_begin(inode->super);
            (void)inode->super->write_inode(inode);
            super_sync_end(inode->super);
        }
}

static void flushd(void *unused)
{
    for (;;) {
        u64 interval = ticks(writeback_limits.dirty_writeback_centisecs);
        bool kicked = wait_event_killable(&flushd_queue, flushd_wanted,
                                          interval ? timer_ticks() + interval : 0) == 0;
        flushd_wanted = false;
        u64 now = timer_ticks(), age = ticks(writeback_limits.dirty_expire_centisecs);
        atime_clock++; /* the day that relatime waits for may be over */
        write_inodes();
        if (kicked)
            flush(now + 1);
        else if (now > age)
            flush(now - age);
    }
}

void writeback_init(void)
{
    struct task *t = kthread_create("flushd", flushd, NULL);
    if (!t)
        panic("no memory for flushd");
}
