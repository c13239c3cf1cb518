/* Write-back of dirty pages: see writeback.c. All but cache_page_written and writeback_dirtied
 * sleep. */
#ifndef KERNEL_CACHE_WRITEBACK_H
#define KERNEL_CACHE_WRITEBACK_H

#include "kernel/cache/cache.h"

struct writeback_limits { /* /proc/sys/vm/, Linux: Documentation/admin-guide/sysctl/vm.rst */
    u32 dirty_ratio, dirty_background_ratio; /* percent of the memory */
    u32 dirty_expire_centisecs, dirty_writeback_centisecs;
};
extern struct writeback_limits writeback_limits;

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

/* Writes what is dirty and waits for it. 0, or the error of a write since the last call, which is
 * told once. */
int cache_sync(struct mapping *m);
int cache_sync_range(struct mapping *m, u32 first, u32 end);
/* The same, for who is not the one to be told: the error stays for fsync. */
int cache_write_out(struct mapping *m, u32 first, u32 end);
void cache_wait_written(struct page *page); /* the caller holds a reference */
/* A writer has made a page of the mapping dirty: waits if the disk cannot keep up. */
void writeback_throttle(struct mapping *m);

/* The page goes to the disk now: before write_pages. It has the HOLD_USE reference for that. */
void writeback_begin(struct mapping *m, struct page *page);
/* Until a mapping's pages on their way have arrived, or that tick. */
void writeback_wait(u64 deadline);

/* For write_pages, as cache_page_done is for read_pages. cache_page_started is for write_pages
 * itself, when it has submitted what there is of the page: without memory for that, it stays dirty.
 */
void cache_page_written(struct page *page, int error);
void cache_page_started(struct page *page, int error);
/* The mapping's dirty pages have become more or fewer by one (m->nr_dirty is the new count). */
void writeback_dirtied(struct mapping *m, int pages);

#endif
