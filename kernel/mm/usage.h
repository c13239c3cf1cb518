/* What the frames are used for, counted from the table of all frames when somebody asks. */
#ifndef KERNEL_MM_USAGE_H
#define KERNEL_MM_USAGE_H

#include "kernel/lib/types.h"

struct memory_usage { /* pages */
    u32 anonymous;    /* programs' own */
    u32 cached;       /* of files, those of shared memory and of files in memory among them */
    u32 buffers;      /* a disk's own structures */
    u32 shared;       /* of the cached: they have no disk */
    u32 dirty;        /* to be written to a disk */
    u32 mapped;       /* of the cached: somebody besides the cache holds them, mostly a mapping */
};
struct memory_usage memory_usage(void);

#endif
