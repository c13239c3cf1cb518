/* Slots, and pages on their way out and in. See swap.h. */
#include "kernel/mm/swap.h"
#include "drivers/block.h"
#include "kernel/cache/pages.h"
#include "kernel/cache/writeback.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/swap_area.h"

#define RUN_MAX     32u /* pages written at once */
#define TURN        32u /* pages for one area before another of its priority has its turn */
#define FRAMES_KEPT 4u  /* for the requests that carry pages out */

struct swap_area *swap_areas[SWAP_AREAS];
struct swap_stats swap_stats;

/* --- Slots ------------------------------------------------------------------------------------ */

static void set_slot(struct swap_area *a, u32 slot, u32 value)
{
    u16 *s = swap_slot(a, slot);
    a->used += !!value;
    a->used -= !!*s;
    *s = (u16)value;
}

/* One behind the other where that is possible: then they are written by one command. */
static bool find_free(struct swap_area *a, u32 *slot)
{
    for (u32 i = 0, at = a->next; i < a->nr_slots; i++, at++) {
        if (at >= a->nr_slots)
            at = 0;
        if (*swap_slot(a, at) == 0) {
            a->next = at + 1;
            *slot = at;
            return true;
        }
    }
    return false;
}

static bool has_room(const struct swap_area *a)
{
    return a && !a->closing && a->used < a->usable;
}

/* The area of highest priority that has room; of equal ones each in turn. *slot is free. NULL:
 * none. */
static struct swap_area *choose_slot(u32 *slot)
{
    static u32 last, given; /* the number of the last one chosen; how often in a row */
    struct swap_area *best = NULL;
    u32 first = given < TURN ? last : last + 1;
    for (u32 i = 0; i < SWAP_AREAS; i++) {
        struct swap_area *a = swap_areas[(first + i) % SWAP_AREAS];
        if (has_room(a) && (!best || a->priority > best->priority))
            best = a;
    }
    if (!best || !find_free(best, slot))
        return NULL;
    given = given < TURN && best->number == last ? given + 1 : 1;
    last = best->number;
    return best;
}

bool swap_has_room(void)
{
    bool room = false;
    for (u32 i = 0; i < SWAP_AREAS && !room; i++)
        room = has_room(swap_areas[i]);
    return room && nr_free_frames > FRAMES_KEPT;
}

static u32 entry_of(const struct swap_area *a, u32 slot)
{
    return slot << PAGE_SHIFT | PTE_SWAP | a->number << 1;
}
static struct swap_area *area_of(u32 entry)
{
    return swap_areas[swap_area_number(entry)];
}
static u32 slot_of(u32 entry)
{
    return entry >> PAGE_SHIFT;
}

u32 swap_entry(const struct page *page)
{
    return entry_of(page->mapping->host, page->index);
}

bool is_swap_page(const struct page *page)
{
    return page->mapping && page->mapping->ops == &swap_mapping_ops;
}

void swap_hold(u32 entry)
{
    struct swap_area *a = area_of(entry);
    set_slot(a, slot_of(entry), *swap_slot(a, slot_of(entry)) + 1u);
}

u32 swap_count(u32 entry)
{
    return *swap_slot(area_of(entry), slot_of(entry)) & SLOT_COUNT;
}

/* The page is of no use to anybody: it takes its slot along. On its way to the disk it stays, and
 * goes as clean pages do. */
static void drop_unused(struct swap_area *a, u32 slot, struct page *page)
{
    if (!(*swap_slot(a, slot) & SLOT_COUNT) && page->refs == 1 &&
        !(page->flags & (PG_LOCKED | PG_WRITEBACK)))
        cache_drop_page(page);
}

void swap_release(u32 entry)
{
    struct swap_area *a = area_of(entry);
    u32 slot = slot_of(entry);
    set_slot(a, slot, *swap_slot(a, slot) - 1u);
    if (*swap_slot(a, slot) == SLOT_CACHED)
        drop_unused(a, slot, cache_lookup(&a->mapping, slot));
}

/* The page has left the cache. */
static void dropped(struct mapping *m, u32 slot)
{
    struct swap_area *a = m->host;
    set_slot(a, slot, *swap_slot(a, slot) & ~SLOT_CACHED);
}

/* --- Pages ------------------------------------------------------------------------------------ */

bool swap_add(struct page *page)
{
    u32 slot;
    struct swap_area *a = swap_has_room() ? choose_slot(&slot) : NULL;
    if (!a)
        return false;
    set_slot(a, slot, SLOT_CACHED);
    page->flags = PG_UPTODATE;
    page_get(page, HOLD_CACHE);
    cache_insert(&a->mapping, slot, page);
    return true;
}

bool swap_take(struct page *page)
{
    if (!is_swap_page(page) || page->refs != 2 || page->flags & (PG_LOCKED | PG_WRITEBACK) ||
        *swap_slot(page->mapping->host, page->index) & SLOT_COUNT)
        return false;
    cache_drop_page(page);
    return true;
}

void anon_unmap(struct page *page)
{
    bool swapped = is_swap_page(page);
    page_put(page, HOLD_MAP);
    if (swapped)
        drop_unused(page->mapping->host, page->index, page);
}

/* Pages on their way to neighbouring slots. */
static struct {
    struct page *pages[RUN_MAX];
    u32 nr;
} run;

void swap_flush(void)
{
    if (!run.nr)
        return;
    struct mapping *m = run.pages[0]->mapping;
    for (u32 i = 0; i < run.nr; i++) {
        page_get(run.pages[i], HOLD_USE);
        writeback_begin(m, run.pages[i]);
    }
    swap_stats.out += run.nr;
    m->ops->write_pages(m, run.pages, run.nr);
    run.nr = 0;
}

void swap_queue(struct page *page)
{
    const struct page *last = run.nr ? run.pages[run.nr - 1] : NULL;
    if (run.nr == RUN_MAX ||
        (last && (last->mapping != page->mapping || last->index + 1 != page->index)))
        swap_flush();
    run.pages[run.nr++] = page;
}

void swap_write_left(void)
{
    for (u32 i = 0; i < SWAP_AREAS; i++)
        if (swap_areas[i] && swap_areas[i]->mapping.nr_dirty)
            cache_start_writing(&swap_areas[i]->mapping, 0, ~0u);
}

/* Starts the reads of what is not there yet, each run of neighbouring slots by one command. */
static void read_ahead(struct swap_area *a, const u32 *entries, u32 nr)
{
    for (u32 i = 0, n; i < nr; i += n) {
        u32 slot = slot_of(entries[i]);
        for (n = 1; i + n < nr && entries[i + n] == entry_of(a, slot + n);)
            n++;
        struct readahead_plan plan = {slot, n, READAHEAD_NO_MARK};
        struct page *page = area_of(entries[i]) == a ? cache_fill(&a->mapping, plan) : NULL;
        if (page)
            page_put(page, HOLD_USE);
    }
}

int swap_read(const u32 *entries, u32 nr, struct page **page, bool *did_io)
{
    struct swap_area *a = area_of(entries[0]);
    u32 slot = slot_of(entries[0]);
    a->readers++; /* while this sleeps, another thread may let go of the last slot in use */
    if (!cache_lookup(&a->mapping, slot)) {
        if (did_io)
            *did_io = true; /* also if it is there before anybody has waited for it */
        if (nr_free_frames > frames_low)
            read_ahead(a, entries, nr);
    }
    int err = cache_read(&a->mapping, slot, 1, NULL, page, did_io);
    a->readers--;
    return err;
}

/* --- The mapping ------------------------------------------------------------------------------ */

static u64 sector_of(const struct swap_area *a, u32 slot)
{
    return a->sectors ? a->sectors[slot / SECTORS_PER_PART][slot % SECTORS_PER_PART]
                      : (u64)slot * (PAGE_SIZE / SECTOR_SIZE);
}

static void read_pages(struct mapping *m, struct page **run, u32 nr)
{
    struct swap_area *a = m->host;
    struct cache_gather g = {.device = a->device, .max_frags = nr};
    for (u32 i = 0; i < nr; i++) {
        u32 slot = run[i]->index;
        run[i]->kind = PAGE_ANON;
        swap_stats.in += slot > 0; /* slot 0 is the header */
        set_slot(a, slot, *swap_slot(a, slot) | SLOT_CACHED);
        cache_page_done(run[i], cache_gather(&g, sector_of(a, slot), run[i], 0, PAGE_SIZE));
    }
    cache_gather_end(&g);
}

static void write_pages(struct mapping *m, struct page **run, u32 nr)
{
    struct swap_area *a = m->host;
    struct cache_gather g = {.device = a->device, .max_frags = nr, .write = true};
    for (u32 i = 0; i < nr; i++)
        cache_page_started(run[i],
                           cache_gather(&g, sector_of(a, run[i]->index), run[i], 0, PAGE_SIZE));
    cache_gather_end(&g);
}

const struct mapping_ops swap_mapping_ops = {
    .read_pages = read_pages, .write_pages = write_pages, .dropped = dropped};

/* --- Figures ---------------------------------------------------------------------------------- */

struct swap_totals swap_totals(void)
{
    struct swap_totals t = {0};
    for (u32 i = 0; i < SWAP_AREAS; i++) {
        const struct swap_area *a = swap_areas[i];
        if (!a)
            continue;
        t.total += a->usable;
        t.used += a->used;
        t.cached += a->mapping.nr_pages;
    }
    return t;
}

bool swap_is_scarce(void)
{
    struct swap_totals t = swap_totals();
    return t.used * 2 > t.total;
}

bool swap_is_cached(u32 entry)
{
    return *swap_slot(area_of(entry), slot_of(entry)) & SLOT_CACHED;
}
