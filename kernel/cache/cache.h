/*
 * The page cache: one cache of file pages for the whole machine, found by (mapping, index).
 *
 * To get a page of a file, call cache_read; it comes with a reference held as HOLD_USE, up to
 * date, and stays so until page_put. Do not hold it over a return to user mode: a longer life has
 * a holder's name of its own (a program's mapping, a socket's fragment ...).
 *
 * A miss starts a read of several pages at once (readahead): the pages enter the cache locked,
 * and are unlocked by the completion of the disk's requests. Who finds a locked page waits.
 * Clean pages that only the cache holds can be dropped at any time a frame is needed (lru.c).
 */
#ifndef KERNEL_CACHE_CACHE_H
#define KERNEL_CACHE_CACHE_H

#include "kernel/cache/errors.h"
#include "kernel/cache/readahead.h"
#include "kernel/lib/types.h"
#include "kernel/mm/page.h"

struct mapping;

struct block_device;
/* A run of a mapping's bytes that are consecutive on the disk, or that are nowhere on it. */
struct disk_run {
    struct block_device *device;
    u64 lba; /* where its first byte lies */
    u32 len; /* bytes */
    bool hole;
};

struct mapping_ops {
    /* Fills nr pages of consecutive index, all locked and already in the cache, each with a
     * HOLD_USE reference that the caller keeps. Splits them into disk requests as the file lies
     * on the disk (cache_gather), fills holes with zeroes, and calls cache_page_done once
     * for each page when all its pieces are on their way. Bytes behind the mapping's size are
     * the cache's care. May sleep (to read indirect blocks), must not wait for the data. */
    void (*read_pages)(struct mapping *m, struct page **pages, u32 nr);
    /* Bytes of page `index` are about to be written, by write(2) or through a program's mapping:
     * sees to it that there will be room for them (blocks are allocated here). 0, or -ENOSPC ...:
     * then no block was taken. May sleep. NULL: the mapping is never written. */
    int (*prepare_write)(struct mapping *m, u32 index, u32 offset, u32 len);
    /* Writes nr pages of consecutive index: the other way of read_pages. Each is clean and
     * PG_WRITEBACK now (writeback_begin), with a HOLD_USE reference of its own. Gathers their
     * pieces into requests, and calls cache_page_started once for each page: when all its pieces
     * are on their way, or with what hindered it. The page is at rest when all of these have ended.
     * May sleep, must not wait for the data. NULL: nothing behind the cache. */
    void (*write_pages)(struct mapping *m, struct page **pages, u32 nr);
    /* Room that prepare_write has taken behind the size, for bytes that then did not come, is given
     * back. By who alone can make the file longer (inode_lock). May be NULL. */
    void (*trim)(struct mapping *m);
    /* Where the bytes from `pos` on lie, `len` at most: for who goes past the cache. Whole sectors.
     * May sleep. NULL: there is no disk to go to. */
    int (*locate)(struct mapping *m, u64 pos, u32 len, struct disk_run *run);
    /* So many pages more are dirty (or fewer, below 0). Never sleeps. May be NULL. */
    void (*dirtied)(struct mapping *m, int pages);
    /* Page `index` has left the cache. Never sleeps. May be NULL. */
    void (*dropped)(struct mapping *m, u32 index);
};

SPLAY_HEAD(dirty_tree, page); /* dirty.c */
SPLAY_HEAD(swapped_tree, swapped);

struct mapping {
    const struct mapping_ops *ops;
    void *host;                    /* the inode, or the block device */
    u64 size;                      /* bytes; pages behind it are not read */
    bool is_metadata;              /* the ledger keeps its bytes apart */
    bool in_ram;                   /* nothing is read ahead: there is no disk behind it */
    bool is_swap;                  /* the same for its bytes, as those of swap (kernel/mm/swap.h) */
    bool is_buffer;                /* of ferry.cache=split; is_metadata too: its host is a device */
    u32 nr_pages;                  /* in the cache now */
    u32 nr_dirty;                  /* of these: with bytes that are nowhere else ... */
    struct dirty_tree dirty_pages; /* ... in the order of their index */
    bool stays;                    /* in_ram: never in swap (SHM_LOCK) */
    u32 nr_swapped;                /* in_ram: pages that are in swap instead (kernel/mm/shmem.h) */
    struct swapped_tree swapped;

    /* write-back (writeback.c) */
    u32 nr_writeback; /* pages on their way to the disk */
    bool starved;     /* there was no memory to start one: it is dirty again */
    struct write_errors errors, *errors_above; /* above: of all it is a part of; or NULL */
    bool closing;    /* its inode goes away: nothing is written any more */
    u64 dirty_since; /* tick */
    TAILQ_ENTRY(mapping) dirty;
};

void cache_init(void);

/* Page `index` of the mapping, up to date. `ra` may be NULL (reads just this page, or for
 * metadata as the mapping likes). `want_pages` is how many pages from index on the caller is
 * going to need (1 or more): a hint. 0 or negative errno (-EIO, -ENOMEM, -EINTR never).
 * Behind the end of the file: -ENXIO. Sleeps. *did_io is set true when it had to wait (may be
 * NULL). */
int cache_read(struct mapping *m, u32 index, u32 want_pages, struct readahead *ra,
               struct page **page, bool *did_io);

/* The page when it is in the cache and up to date; else NULL. Without a reference: it is there
 * until the caller sleeps, who takes one before. Starts nothing. */
struct page *cache_peek(struct mapping *m, u32 index);

/* Sleeps until the page is unlocked. The caller holds a reference. */
void page_wait(struct page *page);

/* For the makers of requests (read_pages). A page is filled by io_pending parties: each fragment
 * of a request, and read_pages itself, so that a page is not unlocked while pieces of it are still
 * to be submitted. Each ends with cache_page_done; the last unlocks the page and wakes who waits.
 * Any context. */
void cache_page_done(struct page *page, int error);

/* Gathers the pieces of pages that a read_pages wants from a disk into as few requests as their
 * order on the disk allows; each piece becomes a party of its page. The requests' completion
 * enters the bytes in the ledger, payload, padding and metadata apart.
 *
 *     struct cache_gather g = {.device = d, .max_frags = pieces at most};
 *     error = cache_gather(&g, lba, page, offset, len);    0 or -ENOMEM
 *     ...
 *     cache_gather_end(&g);
 */
struct block_device;
struct block_request;
struct cache_gather {
    struct block_device *device;
    u32 max_frags;
    bool write;                    /* from the pages to the disk */
    struct block_request *request; /* being filled; NULL: none */
};
int cache_gather(struct cache_gather *g, u64 lba, struct page *page, u32 offset, u32 len);
void cache_gather_end(struct cache_gather *g);

/* Copies bytes of a metadata mapping into the kernel's own memory (superblock, inode ...). Not
 * for payload. Returns 0 or negative errno. Sleeps. */
int cache_read_bytes(struct mapping *m, u64 pos, void *buf, u32 len);

/* --- Writing ---
 *
 * A page enters the cache whole, so that nobody ever finds half of it. To write `len` bytes at
 * `offset` of page `index`:
 *
 *     error = cache_write_begin(m, index, offset, len, &w);
 *     copy to (struct frag){w.page, offset, len}                    as much as can be
 *     done = cache_write_end(&w, copied);
 *
 * Either the page is in the cache and up to date, and is written in place; or none of its old
 * bytes matter (all are overwritten, or it lies behind the end), then it is `fresh`: filled in
 * private, and put into the cache by cache_write_end. That gives the number of bytes that count:
 * less than copied when they do not make a whole page; 0 with copied == len: another task was
 * faster, begin again; or a negative errno. The mapping's size is the caller's care: it is set
 * before anything sleeps, or write-back would take the bytes for what lies behind the end. */
struct cache_write {
    struct mapping *mapping;
    struct page *page;
    u32 index, offset, len;
    bool fresh;
};
int cache_write_begin(struct mapping *m, u32 index, u32 offset, u32 len, struct cache_write *w);
int cache_write_end(struct cache_write *w, u32 copied);
/* A page of the mapping is about to be written through a program's page table. 0, -ENOSPC ...;
 * -ENXIO: it is no longer the mapping's. Sleeps. */
int cache_make_dirty(struct mapping *m, struct page *page);
/* dirty.c */
void cache_redirty(struct page *page); /* it was dirty before: there is room for it */
void cache_clear_dirty(struct page *page);
/* The first page from `index` on that is there and (when `dirty`) has bytes that are nowhere else,
 * or is not; `end` when there is none before it. */
u32 cache_find_dirty(struct mapping *m, u32 index, u32 end, bool dirty);
/* For metadata, which is changed in place. cache_get_new: the page, of which `len` bytes are going
 * to be filled anew: not read when that is all of it. cache_dirty_bytes: these have been changed.
 * cache_forget_bytes: these are no longer worth writing. The range is whole sectors in a page. */
int cache_get_new(struct mapping *m, u32 index, u32 offset, u32 len, struct page **page);
void cache_dirty_bytes(struct page *page, u32 offset, u32 len);
void cache_forget_bytes(struct mapping *m, u32 index, u32 offset, u32 len);
/* The file grows to `end`: what lies between its size and there reads as zero, whatever a
 * program's mapping has left behind the end. */
void cache_zero_gap(struct mapping *m, u64 end);
/* Bytes inside of one page become zero; nothing happens when it is not in the cache. */
void cache_zero(struct mapping *m, u32 index, u32 offset, u32 len);
/* Drops the pages [first, end), dirty or not. Sleeps while one of them is being read. */
void cache_drop(struct mapping *m, u32 first, u32 end);

/* For who goes past the cache (invalidate.c), before and after. The first: what is dirty in the
 * range is on the disk; 0, or the error of a write, which fsync is still going to tell. The second
 * drops the range's clean pages, also out of programs' page tables. Both sleep. */
int cache_flush_range(struct mapping *m, u32 first, u32 end);
void cache_invalidate(struct mapping *m, u32 first, u32 end);

/* advice.c. Starts reading the pages; they are not waited for. Clean pages that nobody uses go, the
 * dirty ones are started on their way to the disk. Both sleep. */
void cache_will_need(struct mapping *m, u32 first, u32 end);
void cache_dont_need(struct mapping *m, u32 first, u32 end);
/* Has the page been used more than once? And it has not, whatever it looks like. */
bool cache_in_use(const struct mapping *m, u32 index);
void cache_not_used(const struct mapping *m, u32 index);

void cache_truncate(struct mapping *m); /* drops every page of it: the inode goes away */
u32 cache_drop_clean(void);             /* /proc/sys/vm/drop_caches; returns pages dropped */
/* Of one mapping, in [first, end). Returns pages dropped. */
u32 cache_drop_clean_of(struct mapping *m, u32 first, u32 end);
/* lru.c. Drops clean pages that were not used for longest; returns how many. Never sleeps. The hard
 * way drops any that can be dropped: also what was read ahead for a use to come. */
u32 cache_reclaim(u32 nr_pages);
u32 cache_reclaim_hard(u32 nr_pages);
/* Files in RAM: sends so many pages to swap that were not used for longest. Returns how many. Never
 * sleeps. */
u32 cache_swap_out(u32 nr_pages);
u32 cache_inactive(void); /* pages whose turn comes before that of those in steady use */
/* Of a page that programs have mapped, as the clock hand finds it (kernel/mm/scan.c): it was used;
 * it has been read ahead and shall wait some more for its use; no program has it any longer, none
 * has used it for a while: it goes first. */
void cache_touched(struct page *page);
bool cache_waits(struct page *page);
void cache_unmapped(struct page *page);

struct cache_stats {
    u32 pages, hits, misses, reclaimed;
    u32 readahead_pages; /* brought in before anybody had asked for them */
    u32 readahead_used;  /* of these, asked for later */
};
extern struct cache_stats cache_stats;

/* Metadata of a block device goes through a mapping of its own, byte for byte; NULL without
 * memory when it is asked for the first time. */
struct mapping *block_mapping(struct block_device *d);
/* A second one, for files' blocks, of ferry.cache=split alone (split.h). */
struct mapping *block_buffers(struct block_device *d);
/* The device goes away, and with it what is cached of it. Sleeps. */
void block_mapping_free(struct block_device *d);

#endif
