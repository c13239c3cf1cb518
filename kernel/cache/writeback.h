/* Write-back of dirty pages: see writeback.c. What may be called where nobody sleeps says so. */
#ifndef KERNEL_CACHE_WRITEBACK_H
#define KERNEL_CACHE_WRITEBACK_H

#include "kernel/cache/cache.h"

struct writeback_limits { /* /proc/sys/vm/, Linux: Documentation/admin-guide/sysctl/vm.rst */
    u32 dirty_ratio, dirty_background_ratio; /* percent of the memory ... */
    u32 dirty_bytes, dirty_background_bytes; /* ... or, unless they are 0, so much */
    u32 dirty_expire_centisecs, dirty_writeback_centisecs;
};
extern struct writeback_limits writeback_limits;
u32 writeback_limit(void); /* in pages: beyond it a writer waits */
u32 writeback_background_limit(void);

struct writeback_stats {
    u32 dirty;     /* pages now */
    u32 in_flight; /* pages on their way now */
    u32 dirtied;   /* pages since boot */
    u32 written;   /* the same */
    u32 throttled; /* how often a writer had to wait */
};
extern struct writeback_stats writeback_stats;

void writeback_init(void); /* starts flushd */
void writeback_kick(void); /* flushd shall write everything now; does not wait */

/* Writes what is dirty of the range [first, end) and waits for it. 0; the error of a write
 * meanwhile, which is not told by that: fsync still will (vfs_fsync); -ENOMEM: some of it is dirty
 * still. */
int cache_write_out(struct mapping *m, u32 first, u32 end);
/* The two halves of that: the first starts the pages, the second waits for all on their way. */
void cache_start_writing(struct mapping *m, u32 first, u32 end);
void cache_wait_range(struct mapping *m, u32 first, u32 end);
void cache_wait_written(struct page *page); /* the caller holds a reference */
/* A writer has made a page of the mapping dirty: waits if the disk cannot keep up. */
void writeback_throttle(struct mapping *m);
/* Until a mapping's pages on their way have arrived, or that tick. */
void writeback_wait(u64 deadline);

/*
 * A page on its way has a party for each piece that is gathered (gather.c) and one for write_pages
 * itself, as in cache_page_done; the last to end takes PG_WRITEBACK away. None of these sleeps.
 *
 *     writeback_begin        it goes now, with a HOLD_USE reference for that: before write_pages
 *     cache_page_started     write_pages is through with it. -ENOMEM: not all of it could be
 *                            submitted; it is dirty again, and nothing is lost. Any other error is
 *                            as of a piece.
 *     cache_page_written     a piece has ended; any context. An error is kept for fsync, and the
 *                            page does not become dirty for it: it would be so for ever on a bad
 *                            sector. (Swap's bytes are nowhere else: such a page is PG_ERROR, and
 *                            stays in memory.)
 */
void writeback_begin(struct mapping *m, struct page *page);
void cache_page_started(struct page *page, int error);
void cache_page_written(struct page *page, int error);
/* The mapping's dirty pages have become more or fewer by one (m->nr_dirty is the new count). */
void writeback_dirtied(struct mapping *m, int pages);

#endif
