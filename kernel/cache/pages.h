/*
 * Inside of kernel/cache: the table of pages. cache.c keeps it, the others use it.
 * Nothing here sleeps unless it says so.
 */
#ifndef KERNEL_CACHE_PAGES_H
#define KERNEL_CACHE_PAGES_H

#include "kernel/cache/cache.h"

/* The page, whatever its state and without a reference; NULL when there is none. */
struct page *cache_lookup(const struct mapping *m, u32 index);
/* Puts a page in that has the cache's reference; there is none with this index. */
void cache_insert(struct mapping *m, u32 index, struct page *page);
/* Takes an unlocked page out, dirty or not; it lives on as long as others hold it. */
void cache_drop_page(struct page *page);
void cache_unlock_page(struct page *page); /* wakes who waits for it */
/* Where one waits for a page: for PG_LOCKED or PG_WRITEBACK to go. Shared with other pages. */
struct wait_queue *cache_waiters(const struct page *page);
/* dirty.c. The page, which is the mapping's, has bytes that are nowhere else. */
void cache_set_dirty(struct mapping *m, struct page *page);

/* Brings the planned pages in, but for those that are there: starts the reads and returns without
 * waiting for them. Returns the plan's first page with a HOLD_USE reference, or NULL when there
 * is no memory for it. Less memory than planned makes the plan shorter. Sleeps. */
struct page *cache_fill(struct mapping *m, struct readahead_plan plan);

/* lru.c: the order in which pages go. */
void lru_add(struct page *page);
void lru_remove(struct page *page);
/* The one behind `page` in an order of all pages of the cache; NULL: the first. */
struct page *lru_next(const struct page *page);
/* Only the cache holds it, it is at rest, and the disk has the same. */
bool cache_droppable(const struct page *page);

#endif
