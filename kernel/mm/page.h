/*
 * Pages and fragments.
 *
 * Every frame of RAM has a struct page. A page is kept alive by references, and every reference
 * is held by name (enum holder): the last one out frees the frame. The counts per holder are
 * what the tests compare before and after to find a leak.
 *
 * A fragment is a reference to bytes in a page, never the bytes themselves. The page cache hands
 * out fragments, a socket's send queue is a queue of them, PRD tables and transmit rings are
 * built from them.
 *
 * page_get and page_put never sleep and may be called in interrupts.
 */
#ifndef KERNEL_MM_PAGE_H
#define KERNEL_MM_PAGE_H

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include "kernel/lib/types.h"

#define HOLDERS(X)                                                                             \
    X(KERNEL, "kernel") /* page tables, stacks, slabs, rings: the kernel's own */              \
    X(CACHE, "cache")   /* the page cache */                                                   \
    X(MAP, "map")       /* a page table entry of a program */                                  \
    X(USE, "use")       /* a call under way: dropped before it returns */                      \
    X(PIN, "pin")       /* a page of a program's that a device uses in place (pin.h) */        \
    X(PIPE, "pipe")     /* a pipe slot */                                                      \
    X(SOCK, "sock")     /* a fragment in a socket's send queue, until the peer has ACKed it */ \
    X(TX, "tx")         /* a transmit descriptor, until the card is done with it */            \
    X(RX, "rx")         /* a receive buffer */                                                 \
    X(PRD, "prd")       /* a PRD of a disk command in flight */

enum holder {
#define X(name, text) HOLD_##name,
    HOLDERS(X)
#undef X
        NR_HOLDERS
};

enum page_kind {
    PAGE_RESERVED, /* firmware, kernel image: never freed */
    PAGE_FREE,
    PAGE_KERNEL, /* the kernel's own */
    PAGE_ANON,   /* a program's memory */
    PAGE_CACHE,  /* of a mapping (below) */
    PAGE_SOCK,   /* payload copied into a socket's send queue */
    PAGE_RX,     /* receive buffers */
};

enum page_flags {
    PG_UPTODATE = 1 << 0,   /* contents are those of the file */
    PG_LOCKED = 1 << 1,     /* I/O in flight: wait with page_wait() */
    PG_ERROR = 1 << 2,      /* the last I/O failed */
    PG_DIRTY = 1 << 3,      /* must be written before it is dropped */
    PG_REFERENCED = 1 << 4, /* used since the reclaimer last looked */
    PG_READAHEAD = 1 << 5,  /* reaching this page starts the next readahead */
    PG_WRITEBACK = 1 << 6,  /* on its way to the disk: wait with cache_wait_written() */
    PG_FRESH = 1 << 7,      /* read ahead, and nobody has used it yet */
};

struct mapping;

struct page {
    u32 refs;                /* all holders together; 0: on the free list */
    u8 kind;                 /* enum page_kind */
    u8 flags;                /* enum page_flags */
    u16 io_pending;          /* block requests that still fill this page, or write it */
    struct mapping *mapping; /* PAGE_CACHE: whose page; else free for the owner's use */
    u32 index;               /* PAGE_CACHE: which page of the file */
    struct page *hash_next;  /* PAGE_CACHE: chain of the lookup table */
    TAILQ_ENTRY(page) link;  /* free list, or one of the cache's two lists (lru.c) */
    u8 dirty_sectors;        /* PAGE_CACHE of a block device: which of its 8 sectors are dirty */
    bool active;             /* in the cache: in which list */
    u8 turns;                /* PG_FRESH: how often its turn to be dropped has come */
    SPLAY_ENTRY(page) dirty; /* PG_DIRTY: its place among the mapping's (dirty.c) */
};
TAILQ_HEAD(page_list, page);

struct frag {
    struct page *page;
    u32 offset, len; /* bytes; offset + len <= PAGE_SIZE */
};

extern struct page *pages; /* one for each frame, by frame number */
extern u32 nr_frames;      /* frames that have a struct page */
extern u32 page_holds[NR_HOLDERS];
extern u32 nr_free_frames;

#define KERNEL_BASE 0xC0000000u /* RAM is mapped here, up to 768 MiB */

static inline void *phys_to_virt(phys_t phys)
{
    return (void *)(uintptr_t)(phys + KERNEL_BASE);
}
static inline phys_t virt_to_phys(const void *va)
{
    return (virt_t)(uintptr_t)va - KERNEL_BASE;
}
static inline phys_t page_phys(const struct page *p)
{
    return (phys_t)(p - pages) << PAGE_SHIFT;
}
static inline void *page_virt(const struct page *p)
{
    return phys_to_virt(page_phys(p));
}
static inline struct page *phys_page(phys_t phys)
{
    return &pages[phys >> PAGE_SHIFT];
}
/* Of an address in the RAM window (kernel data, a page's contents); not of a kernel stack. */
static inline struct page *virt_page(const void *va)
{
    return phys_page(virt_to_phys(va));
}
static inline void *frag_virt(struct frag f)
{
    return (char *)page_virt(f.page) + f.offset;
}
static inline phys_t frag_phys(struct frag f)
{
    return page_phys(f.page) + f.offset;
}

/* frame.c. A frame with one reference held by `holder`; contents undefined (page_alloc) or zero.
 * NULL when there is none and no clean page of the cache can be dropped either: who can sleep asks
 * frames_wait and tries again. Neither sleeps; page_alloc_atomic never reclaims (interrupts). */
struct page *page_alloc(enum page_kind kind, enum holder holder);
struct page *page_alloc_zeroed(enum page_kind kind, enum holder holder);
struct page *page_alloc_atomic(enum page_kind kind, enum holder holder);

/* page_alloc leaves this many to interrupts and to the heap, which cannot reclaim. At the start of
 * a system call and of a page fault frames_refill sees to it that they are there: may sleep. */
#define ATOMIC_RESERVE 32u
/* reclaim.c: see there. */
extern u32 frames_low;
void reclaim_init(void);   /* starts kswapd */
void reclaim_kick(void);   /* kswapd shall look; any context */
void reclaim_refill(void); /* may sleep */
/* page_alloc has found none: waits for some. False: there are none to be had. Sleeps. */
bool frames_wait(void);

static inline void frames_refill(void)
{
    if (unlikely(nr_free_frames < 2 * ATOMIC_RESERVE))
        reclaim_refill();
}

void page_get(struct page *page, enum holder holder);
void page_put(struct page *page, enum holder holder); /* the last one frees */

#endif
