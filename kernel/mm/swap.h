/*
 * Swap: where programs' own pages go when memory is short.
 *
 * An area - a partition, a disk, or a file that mkswap(8) has prepared - is a mapping of the page
 * cache like any file; the index is the slot, a place for one page. Going out, a page gets a slot
 * and enters the cache; the page table entry becomes the slot's number; the page is written, and
 * goes as any clean page of the cache does. Coming in again is a read of the cache.
 *
 *     page table entry, not present:   slot 31..12 | PTE_SWAP | area 5..1
 *
 * A slot is in use as long as entries name it (they are counted: fork copies entries as it shares
 * pages) or its page is in the cache. A page in the cache is mapped read-only: it is the slot's.
 * Who is alone with it and writes takes it out (swap_take).
 *
 * The bytes are kept apart in the ledger, under "swap": they are no payload of any path.
 */
#ifndef KERNEL_MM_SWAP_H
#define KERNEL_MM_SWAP_H

#include "kernel/lib/types.h"
#include "kernel/mm/mm.h"

struct inode;
struct text;

#define PTE_SWAP (1u << 10) /* not present, and not empty: a slot */

/* A page without a slot gets one and enters the cache with its contents; none names the slot yet.
 * False: every area is full, or there is no memory for the request. Never sleeps. */
bool swap_add(struct page *page);
/* The entry that stands for a page in the swap cache. */
u32 swap_entry(const struct page *page);
static inline bool is_swap_entry(u32 pte)
{
    return !(pte & PTE_HELD) && (pte & PTE_SWAP);
}
/* Entries that name a slot come and go. Neither sleeps. */
void swap_hold(u32 entry);
void swap_release(u32 entry);
/* Pages that swap_add has put in are written: neighbouring slots by one command. They are queued,
 * and who has queued one calls swap_flush before anything sleeps. */
void swap_queue(struct page *page);
void swap_flush(void);
/* Once more, where there was no memory to start one: it is dirty then. Does not sleep. */
void swap_write_left(void);
/* A slot is free somewhere, and there is memory for the request. */
bool swap_has_room(void);
static inline u32 swap_area_number(u32 entry)
{
    return entry >> 1 & 31;
}
/* The page of the first entry's slot, with a HOLD_USE reference. The others are those of its
 * neighbours in the program's memory (or in the file), which are read as well: its neighbours on
 * the disk may be anybody's. 0, -EIO, -ENOMEM. Sleeps. */
#define SWAP_CLUSTER 8u /* entries at most (Linux: vm.page-cluster 3) */
int swap_read(const u32 *entries, u32 nr, struct page **page, bool *did_io);
/* The page belongs to the cache of an area. */
bool is_swap_page(const struct page *page);
/* A mapped page of the swap cache that no entry names and nobody else has mapped becomes the
 * program's alone. False: it is not so. */
bool swap_take(struct page *page);
/* A page table entry lets go of an anonymous page. */
void anon_unmap(struct page *page);

struct swap_totals { /* pages */
    u32 total, used;
    u32 cached; /* in memory, too */
};
struct swap_totals swap_totals(void);
bool swap_is_scarce(void);      /* over half is used: slots are given back as soon as they can be */
bool swap_is_cached(u32 entry); /* its page is in memory all the same */
u32 swap_count(u32 entry);      /* entries that name the slot */

struct swap_stats {
    u32 in, out; /* pages since boot */
};
extern struct swap_stats swap_stats;

bool swap_uses_file(const struct inode *inode); /* an area is that file */
void swap_format(struct text *t);               /* /proc/swaps */
long sys_swapon(const char __user *path, u32 flags);
long sys_swapoff(const char __user *path);

#endif
