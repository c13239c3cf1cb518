/*
 * Readahead: how much to read when a reader asks for one page.
 *
 *     window:   |0 1 2 3|4 5 6 7 8 9 10 11|12 ...
 *     mark:        ^     ^                 ^
 *
 * A sequential reader gets a window that doubles from 4 to 32 pages (128 KiB, one disk command).
 * One page of each window is marked; when the reader comes to it, the next window is started
 * while this one is still being used, so that the disk works while the program does. A reader
 * that jumps gets what it asked for and nothing more. Windows lie end to end, so nothing is read
 * twice, and end with the file.
 *
 * For who has said that it reads in order, windows grow to 64 pages; who has said that it does not
 * never gets more than it asks for.
 */
#include "kernel/cache/readahead.h"

static u32 largest(const struct readahead *ra)
{
    return ra->advice == READAHEAD_SEQUENTIAL ? 2 * READAHEAD_MAX_PAGES : READAHEAD_MAX_PAGES;
}

static u32 clamp_want(const struct readahead *ra, u32 want)
{
    return MAX(1u, MIN(want, largest(ra)));
}

static u32 next_size(const struct readahead *ra, u32 want)
{
    u32 size = ra->size ? MIN(2 * ra->size, largest(ra)) : READAHEAD_MIN_PAGES;
    return MAX(size, MIN(2 * want, largest(ra)));
}

static struct readahead_plan plan_window(struct readahead *ra, u32 start, u32 size, u32 mark,
                                         u32 file_pages)
{
    ra->start = start;
    ra->size = size;
    return (struct readahead_plan){start, MIN(size, file_pages - start), mark};
}

struct readahead_plan readahead_miss(struct readahead *ra, u32 index, u32 want, u32 file_pages)
{
    want = clamp_want(ra, want);
    if (ra->advice == READAHEAD_RANDOM || !readahead_sequential(ra, index)) {
        /* Should it go on from here after all, the window grows from what it asked for. */
        return plan_window(ra, index, want, READAHEAD_NO_MARK, file_pages);
    }
    u32 size = next_size(ra, want);
    /* The mark lies behind what is wanted now: a single read does not start the next window. A
     * reader that wants a whole window at a time gets the next one started at once. */
    u32 mark = want < size ? index + want : index;
    return plan_window(ra, index, size, mark, file_pages);
}

struct readahead_plan readahead_marked(struct readahead *ra, u32 index, u32 want, u32 file_pages)
{
    struct readahead_plan nothing = {index, 0, READAHEAD_NO_MARK};
    u32 start = index + 1; /* another reader's window: go on behind it */
    if (index - ra->start < ra->size)
        start = ra->start + ra->size;
    if (ra->advice == READAHEAD_RANDOM)
        return nothing;
    if (start >= file_pages || start < index) /* the end, or 2^32 pages */
        return nothing;
    u32 size = next_size(ra, clamp_want(ra, want));
    return plan_window(ra, start, size, start, file_pages);
}
