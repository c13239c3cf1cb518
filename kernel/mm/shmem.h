/*
 * Swap for what lies in RAM alone: files of tmpfs, and with them all memory that programs share
 * without a file of a disk (MAP_SHARED | MAP_ANONYMOUS, shmget(2)).
 *
 * Such a page that nobody uses leaves its mapping and goes to swap as a program's own page does
 * (swap.h). In its place the mapping keeps the entry of its slot: each index has a page, an entry,
 * or neither, and then it is a hole. An entry counts as a dirty page does: for df, and for stat.
 * Who asks the cache for the page brings it back, the same page, nothing is copied.
 */
#ifndef KERNEL_MM_SHMEM_H
#define KERNEL_MM_SHMEM_H

#include "kernel/cache/cache.h"

/* A page of a mapping in RAM, which only the cache holds, gets a slot and is queued to be written
 * (swap_flush). False: it stays. Never sleeps. */
bool shmem_out(struct page *page);
/* The page comes back into its mapping. 0: it is there now, or has never been away; -EIO, -ENOMEM.
 * Sleeps. */
int shmem_in(struct mapping *m, u32 index, bool *did_io);
/* All those that an area of swap holds come back. 0, -EIO, -ENOMEM, -EINTR. Sleeps. */
int shmem_in_all(u32 area);
/* The range is cut off, or becomes a hole. Never sleeps. */
void shmem_forget(struct mapping *m, u32 first, u32 end);
/* The first page from `index` on that is in swap; `end` when there is none before it. */
u32 shmem_first(struct mapping *m, u32 index, u32 end);

static inline bool shmem_is_out(struct mapping *m, u32 index)
{
    return unlikely(m->nr_swapped) && shmem_first(m, index, index + 1) == index;
}

#endif
