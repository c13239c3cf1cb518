/* The clock hand over programs' page tables: see scan.c. */
#ifndef KERNEL_MM_SCAN_H
#define KERNEL_MM_SCAN_H

#include "kernel/lib/types.h"

struct mm;

/* Goes on for one turn at most, until `wanted` pages were taken from programs; returns how many
 * were. Programs' text only the hard way. Writes to swap are started, not waited for. Does not
 * sleep. */
u32 mm_scan(u32 wanted, bool hard);
/* A range of one region is not going to be used soon: its turn comes first, or (`now`) its pages
 * are taken from the program at once, and written. Does not sleep. */
void mm_page_out(struct mm *mm, virt_t start, virt_t end, bool now);
/* Every page that an area of swap holds comes back. 0, -ENOMEM, -EIO, -EINTR. Sleeps. */
int mm_swap_in_all(u32 area);
void mm_scan_add(struct mm *mm); /* space.c: a new one, one that goes */
void mm_scan_remove(struct mm *mm);
struct mm *mm_next(struct mm *mm); /* all of them, one after the other; NULL: the first, the end */

struct scan_stats {
    u32 scanned; /* entries looked at */
    u32 taken;   /* from programs */
};
extern struct scan_stats scan_stats;

/* Of every program: pages in memory that are locked there (mlock(2)). */
u32 mm_locked_pages(void);

#endif
