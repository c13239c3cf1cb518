/* Readahead's decisions, as arithmetic: no pages, no disk, so that it is tested alone. */
#ifndef KERNEL_CACHE_READAHEAD_H
#define KERNEL_CACHE_READAHEAD_H

#include "kernel/lib/types.h"

enum readahead_advice { /* posix_fadvise(2), madvise(2) */
                        READAHEAD_NORMAL,
                        READAHEAD_RANDOM,     /* what is asked for, and nothing more */
                        READAHEAD_SEQUENTIAL, /* windows grow to twice the size */
};

/* Where a sequential reader is: one per open file. Zeroed at open. */
struct readahead {
    enum readahead_advice advice;
    u32 next;  /* index that a sequential reader would ask for next */
    u32 start; /* window last asked for: first page ... */
    u32 size;  /* ... and number of pages */
};
#define READAHEAD_MIN_PAGES 4
#define READAHEAD_MAX_PAGES 32 /* 128 KiB, one disk command */

/* What to read: pages start ... start + count - 1, of which those that are in the cache already
 * are skipped. The first page at or behind `mark` that is really read becomes PG_READAHEAD. */
struct readahead_plan {
    u32 start, count;
    u32 mark; /* READAHEAD_NO_MARK: none */
};
#define READAHEAD_NO_MARK (~0u)

/* Page `index` is not in the cache, and the reader wants `want` pages from there on. The file has
 * file_pages pages, index is one of them. Never plans beyond the file; count is 1 or more. */
struct readahead_plan readahead_miss(struct readahead *ra, u32 index, u32 want, u32 file_pages);

/* The sequential reader has come to a page that is marked. count 0: nothing to do. */
struct readahead_plan readahead_marked(struct readahead *ra, u32 index, u32 want, u32 file_pages);

/* The reader goes on where it was (or reads the same page once more, as small reads do). */
static inline bool readahead_sequential(const struct readahead *ra, u32 index)
{
    return index == ra->next || index + 1 == ra->next;
}

#endif
