/*
 * Errors of writing dirty pages, for who asks later.
 *
 * A page is written when its writer has long gone on, so the error waits for the next fsync: each
 * open file is told of it, once. Whoever opens a file while an error has not been told to anybody
 * is told of that one, too; else nobody would be (Linux: lib/errseq.c).
 */
#ifndef KERNEL_CACHE_ERRORS_H
#define KERNEL_CACHE_ERRORS_H

#include "kernel/lib/types.h"

/* Of a file, of a device, of a file system. */
struct write_errors {
    u32 count; /* so far */
    u32 told;  /* so many when somebody was told last */
    int last;  /* the latest: a negative errno */
};

/* How far one open file has been told. */
struct errors_told {
    u32 file, device, fs;
};

/* With interrupts off: completions are who finds errors. */
static inline void errors_add(struct write_errors *e, int error)
{
    e->count++;
    e->last = error;
}

/* Where a new open file begins. */
static inline u32 errors_begin(const struct write_errors *e)
{
    return e->told;
}

/* What this one has not yet been told: 0, or the latest. */
static inline int errors_news(struct write_errors *e, u32 *told)
{
    u32 count = e->count;
    if (*told == count)
        return 0;
    *told = e->told = count;
    return e->last;
}

#endif
