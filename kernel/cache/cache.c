/*
 * The page cache: finding pages, filling them, and giving them up again.
 *
 * One hash table for the machine leads from (mapping, index) to the page; which page goes when
 * memory is short is told in lru.c. A page in the cache is
 *
 *     locked        requests are filling it; nobody but their completion touches its flags
 *     up to date    readers may have it
 *     in error      the read failed; whoever finds it drops it and tries once more
 *
 * The table and the lists are changed only by tasks, never by interrupts: kernel code is not
 * preempted, so they need no lock. Completion (interrupt context) changes only the page.
 */
#include "kernel/cache/cache.h"
#include "kernel/cache/pages.h"
#include "kernel/cache/readahead.h"
#include "kernel/cache/writeback.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/shmem.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/wait.h"

struct cache_stats cache_stats;

/* --- The table ----------------------------------------------------------------------------- */

/* A chain for every two frames of RAM. Consecutive pages of a file fall into consecutive chains. */
static struct page **chains;
static u32 chain_mask; /* number of chains - 1 */

#define NR_WAIT_QUEUES 64 /* shared by pages that hash alike; a needless wake-up does no harm */
static struct wait_queue wait_queues[NR_WAIT_QUEUES];

void cache_init(void)
{
    u32 nr_chains = PAGE_SIZE / sizeof(*chains);
    while (nr_chains * 2 < nr_frames)
        nr_chains *= 2;
    chains = early_alloc(nr_chains * sizeof(*chains));
    chain_mask = nr_chains - 1;
    for (u32 i = 0; i < NR_WAIT_QUEUES; i++)
        wait_init(&wait_queues[i]);
}

static inline struct page **chain_of(const struct mapping *m, u32 index)
{
    u32 hash = ((u32)(uintptr_t)m >> 4) * 0x9E3779B1u; /* 2^32 / golden ratio */
    return &chains[((hash >> 8) + index) & chain_mask];
}

static inline struct page *lookup(const struct mapping *m, u32 index)
{
    struct page *page = *chain_of(m, index);
    while (page && (page->mapping != m || page->index != index))
        page = page->hash_next;
    return page;
}

struct page *cache_lookup(const struct mapping *m, u32 index)
{
    return lookup(m, index);
}

void cache_insert(struct mapping *m, u32 index, struct page *page)
{
    page->mapping = m;
    page->index = index;
    struct page **chain = chain_of(m, index);
    page->hash_next = *chain;
    *chain = page;
    lru_add(page);
    m->nr_pages++;
    cache_stats.pages++;
}

/* A new page of the mapping, locked, with the cache's reference and one of HOLD_USE. */
static struct page *add_page(struct mapping *m, u32 index)
{
    struct page *page = page_alloc(PAGE_CACHE, HOLD_CACHE);
    if (!page)
        return NULL;
    page_get(page, HOLD_USE);
    page->flags = PG_LOCKED | PG_FRESH;
    page->io_pending = 1; /* read_pages itself */
    cache_insert(m, index, page);
    return page;
}

/* Takes an unlocked page out of the cache; it lives on as long as others hold it. */
void cache_drop_page(struct page *page)
{
    struct mapping *m = page->mapping;
    struct page **p = chain_of(m, page->index);
    while (*p != page)
        p = &(*p)->hash_next;
    *p = page->hash_next;
    lru_remove(page);
    m->nr_pages--;
    cache_clear_dirty(page);
    if (m->ops->dropped)
        m->ops->dropped(m, page->index);
    page->mapping = NULL;
    page->hash_next = NULL;
    cache_stats.pages--;
    page_put(page, HOLD_CACHE);
}

/* --- Completion ------------------------------------------------------------------------------- */

struct wait_queue *cache_waiters(const struct page *page)
{
    return &wait_queues[(u32)(page - pages) % NR_WAIT_QUEUES];
}

void cache_unlock_page(struct page *page)
{
    u32 flags = irq_save();
    page->flags &= (u8)~PG_LOCKED;
    wake_all(cache_waiters(page));
    irq_restore(flags);
}

void page_wait(struct page *page)
{
    wait_event(cache_waiters(page), !(page->flags & PG_LOCKED));
}

/* How many of the page's bytes lie inside its mapping. */
static u32 bytes_inside(const struct mapping *m, u32 index)
{
    u64 start = (u64)index << PAGE_SHIFT;
    return start >= m->size ? 0 : (u32)MIN((u64)PAGE_SIZE, m->size - start);
}

void cache_page_done(struct page *page, int error)
{
    u32 flags = irq_save();
    if (error)
        page->flags |= PG_ERROR;
    if (--page->io_pending == 0) {
        if (!(page->flags & PG_ERROR)) {
            /* Behind the end a mapped page must read as zero (mmap(2)); this is no payload. */
            u32 inside = bytes_inside(page->mapping, page->index);
            if (unlikely(inside < PAGE_SIZE))
                memset((char *)page_virt(page) + inside, 0, PAGE_SIZE - inside);
            page->flags |= PG_UPTODATE;
        }
        cache_unlock_page(page);
    }
    irq_restore(flags);
}

/* --- Reading ---------------------------------------------------------------------------------- */

static u32 mapping_pages(const struct mapping *m)
{
    u64 nr = DIV_ROUND_UP(m->size, PAGE_SIZE);
    return (u32)MIN(nr, (u64)UINT32_MAX);
}

static void start_run(struct mapping *m, struct page **run, u32 nr)
{
    if (nr == 0)
        return;
    m->ops->read_pages(m, run, nr);
    for (u32 i = 0; i < nr; i++)
        page_put(run[i], HOLD_USE);
}

struct page *cache_fill(struct mapping *m, struct readahead_plan plan)
{
    struct page *run[2 * READAHEAD_MAX_PAGES], *first = NULL;
    u32 nr = 0, mark = plan.mark;
    for (u32 i = 0; i < plan.count; i++) {
        u32 index = plan.start + i;
        struct page *page = lookup(m, index);
        if (page) {
            start_run(m, run, nr);
            nr = 0;
        } else {
            page = add_page(m, index);
            if (!page)
                break;
            if (index >= mark) {
                page->flags |= PG_READAHEAD;
                mark = READAHEAD_NO_MARK;
            }
            run[nr++] = page;
            cache_stats.readahead_pages++;
        }
        if (i == 0) {
            first = page;
            page_get(first, HOLD_USE);
        }
    }
    start_run(m, run, nr);
    return first;
}

/* The reader has come to a marked page: starts the next window. */
static void follow_mark(struct mapping *m, struct page *page, struct readahead *ra, u32 want)
{
    if (!readahead_sequential(ra, page->index)) /* somebody else's mark */
        return;
    u32 flags = irq_save(); /* the page may still be locked: completion changes flags too */
    page->flags &= (u8)~PG_READAHEAD;
    irq_restore(flags);
    struct readahead_plan plan = readahead_marked(ra, page->index, want, mapping_pages(m));
    if (plan.count) {
        struct page *first = cache_fill(m, plan);
        if (first)
            page_put(first, HOLD_USE);
    }
}

/* The first use tells nothing yet; the next one does (lru.c). */
static void mark_used(struct page *page)
{
    u32 flags = irq_save(); /* completion of a write changes flags too */
    page->flags =
        page->flags & PG_FRESH ? page->flags & (u8)~PG_FRESH : page->flags | PG_REFERENCED;
    irq_restore(flags);
}

/*
 * cache_read where it is not simple: the page is missing, locked, marked, fresh or failed.
 *
 * A failed page may be the innocent neighbour of a bad sector in one request: it is dropped and
 * read once more by itself before the caller hears of an error.
 */
static int read_slow(struct mapping *m, u32 index, u32 want, struct readahead *ra,
                     struct page **result, bool *did_io)
{
    u32 file_pages = mapping_pages(m);
    u32 failures = 0;
    if (index >= file_pages)
        return -ENXIO;
    if (m->in_ram) {
        ra = NULL;
        want = 1;
    }
    for (;;) {
        frames_refill(); /* may sleep */
        struct page *page = lookup(m, index);
        if (page) {
            page_get(page, HOLD_USE);
            cache_stats.hits++;
            if (page->flags & PG_FRESH)
                cache_stats.readahead_used++;
        } else if (shmem_is_out(m, index)) {
            int error = shmem_in(m, index, did_io);
            if (error)
                return error;
            continue;
        } else {
            struct readahead_plan plan = {index, 1, READAHEAD_NO_MARK};
            if (failures == 0 && ra)
                plan = readahead_miss(ra, index, want, file_pages);
            else if (failures == 0)
                plan.count = MAX(1u, MIN(MIN(want, READAHEAD_MAX_PAGES), file_pages - index));
            if (plan.count == 1)
                failures = 1; /* it is by itself already */
            cache_stats.misses++;
            if (did_io)
                *did_io = true;
            page = cache_fill(m, plan);
            if (!page && frames_wait())
                continue;
            if (!page)
                return -ENOMEM;
            cache_stats.readahead_pages--; /* this one was asked for */
        }
        if (ra && (page->flags & PG_READAHEAD))
            follow_mark(m, page, ra, want);
        if (page->flags & PG_LOCKED) {
            if (did_io)
                *did_io = true;
            page_wait(page);
        }
        if (page->flags & PG_UPTODATE) {
            mark_used(page);
            if (ra)
                ra->next = index + 1;
            *result = page;
            return 0;
        }
        if (page->mapping) /* nobody else has dropped it yet */
            cache_drop_page(page);
        page_put(page, HOLD_USE);
        if (++failures >= 2)
            return -EIO;
    }
}

int cache_read(struct mapping *m, u32 index, u32 want_pages, struct readahead *ra,
               struct page **result, bool *did_io)
{
    struct page *page = lookup(m, index);
    if (unlikely(!page || (page->flags & (PG_UPTODATE | PG_LOCKED | PG_READAHEAD | PG_FRESH)) !=
                              PG_UPTODATE))
        return read_slow(m, index, want_pages, ra, result, did_io);
    page_get(page, HOLD_USE);
    if (!(page->flags & PG_REFERENCED))
        page->flags |= PG_REFERENCED;
    if (ra)
        ra->next = index + 1;
    cache_stats.hits++;
    *result = page;
    return 0;
}

struct page *cache_peek(struct mapping *m, u32 index)
{
    struct page *page = lookup(m, index);
    return page && (page->flags & (PG_UPTODATE | PG_LOCKED)) == PG_UPTODATE ? page : NULL;
}

int cache_read_bytes(struct mapping *m, u64 pos, void *buf, u32 len)
{
    char *to = buf;
    if (pos > m->size || len > m->size - pos)
        return -EIO;
    while (len) {
        u32 offset = (u32)pos % PAGE_SIZE;
        u32 piece = MIN(len, PAGE_SIZE - offset);
        struct page *page;
        int error = cache_read(m, (u32)(pos >> PAGE_SHIFT), 1, NULL, &page, NULL);
        if (error)
            return error == -ENXIO ? -EIO : error;
        memcpy(to, (char *)page_virt(page) + offset, piece);
        page_put(page, HOLD_USE);
        to += piece;
        pos += piece;
        len -= piece;
    }
    return 0;
}

/* --- Giving pages up -------------------------------------------------------------------------- */

static bool is_inside(const struct page *page, const struct mapping *m, u32 first, u32 end)
{
    return page->mapping == m && page->index >= first && page->index < end;
}

static u32 drop_if_clean(struct page *page)
{
    if (!page || !cache_droppable(page))
        return 0;
    cache_drop_page(page);
    return 1;
}

u32 cache_drop_clean(void)
{
    u32 dropped = 0;
    for (struct page *page = lru_next(NULL), *next; page; page = next) {
        next = lru_next(page);
        dropped += drop_if_clean(page);
    }
    return dropped;
}

/* Looks at the range's pages or at the machine's, whichever are fewer. */
u32 cache_drop_clean_of(struct mapping *m, u32 first, u32 end)
{
    u32 dropped = 0;
    if (end - first <= cache_stats.pages) {
        for (u32 index = first; m->nr_pages && index < end; index++)
            dropped += drop_if_clean(lookup(m, index));
        return dropped;
    }
    for (struct page *page = lru_next(NULL), *next; m->nr_pages && page; page = next) {
        next = lru_next(page);
        if (is_inside(page, m, first, end))
            dropped += drop_if_clean(page);
    }
    return dropped;
}

static void drop_when_unlocked(struct mapping *m, struct page *page)
{
    page_get(page, HOLD_USE);
    page_wait(page);
    cache_wait_written(page);
    if (page->mapping == m)
        cache_drop_page(page);
    page_put(page, HOLD_USE);
}

/* Looks at the range's pages or at the machine's, whichever are fewer. */
static void drop_range(struct mapping *m, u32 first, u32 end)
{
    struct page *page, *next;
    if (end - first <= cache_stats.pages) {
        for (u32 index = first; m->nr_pages && index < end; index++)
            if ((page = lookup(m, index)))
                drop_when_unlocked(m, page);
        return;
    }
again:
    for (page = lru_next(NULL); page; page = next) {
        next = lru_next(page);
        if (!is_inside(page, m, first, end))
            continue;
        bool sleeps =
            page->flags & (PG_LOCKED | PG_WRITEBACK); /* then the list may be another one */
        drop_when_unlocked(m, page);
        if (sleeps)
            goto again;
    }
}

/* What is in swap before and after: while this sleeps, a page may go either way. */
void cache_drop(struct mapping *m, u32 first, u32 end)
{
    shmem_forget(m, first, end);
    drop_range(m, first, end);
    shmem_forget(m, first, end);
}

void cache_truncate(struct mapping *m)
{
    u32 nr = mapping_pages(m);
    if (nr <= cache_stats.pages)
        cache_drop(m, 0, nr);
    while (m->nr_pages || m->nr_swapped) /* what is left, behind the end too */
        cache_drop(m, 0, ~0u);
}
