/*
 * Which page goes when a frame is needed. All pages of the cache stand in one of two lists:
 *
 *     inactive   used once, or not yet: what is dropped is taken from the head
 *     active     found in use once more when its turn had come; also what programs have mapped
 *
 * A page comes in at the tail of the inactive list as PG_FRESH: read ahead, and not used yet. The
 * first use takes that mark away, every later one leaves PG_REFERENCED (cache_read). At the head of
 * the list a referenced page goes over to the active list, a fresh one has some more turns (to drop
 * it would be to read it twice), and the others are dropped if they can be. So a long file that is
 * read once takes nothing from those that are read again and again. The active list gives up what
 * was not used for a whole turn as soon as it is the longer one.
 *
 * Nothing here sleeps, so nothing is written: dirty pages are passed over.
 */
#include "kernel/cache/cache.h"
#include "kernel/cache/pages.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/shmem.h"
#include "kernel/mm/swap.h"

#define FRESH_TURNS 8 /* of the inactive list, then nobody is going to use it */

static struct page_list active = TAILQ_HEAD_INITIALIZER(active);
static struct page_list inactive = TAILQ_HEAD_INITIALIZER(inactive);
static u32 nr_active, nr_inactive;

static void insert(struct page *page, bool to_active, bool at_head)
{
    struct page_list *list = to_active ? &active : &inactive;
    *(to_active ? &nr_active : &nr_inactive) += 1;
    page->active = to_active;
    if (at_head)
        TAILQ_INSERT_HEAD(list, page, link);
    else
        TAILQ_INSERT_TAIL(list, page, link);
}

void lru_remove(struct page *page)
{
    TAILQ_REMOVE(page->active ? &active : &inactive, page, link);
    *(page->active ? &nr_active : &nr_inactive) -= 1;
}

void lru_add(struct page *page)
{
    page->turns = 0;
    insert(page, false, false);
}

static void move(struct page *page, bool to_active, bool at_head)
{
    lru_remove(page);
    insert(page, to_active, at_head);
}

struct page *lru_next(const struct page *page)
{
    struct page *next = page ? TAILQ_NEXT(page, link) : TAILQ_FIRST(&inactive);
    return next || (page && page->active) ? next : TAILQ_FIRST(&active);
}

u32 cache_inactive(void)
{
    return nr_inactive;
}

static void clear_flag(struct page *page, u8 flag)
{
    u32 flags = irq_save(); /* completion changes flags too */
    page->flags &= (u8)~flag;
    irq_restore(flags);
}

void cache_touched(struct page *page)
{
    if (page->flags & PG_FRESH)
        cache_stats.readahead_used++;
    clear_flag(page, PG_FRESH);
}

bool cache_waits(struct page *page)
{
    if (!(page->flags & PG_FRESH) || page->turns >= FRESH_TURNS ||
        page->mapping->is_swap) /* neighbours in swap are a guess only */
        return false;
    page->turns++;
    return true;
}

void cache_unmapped(struct page *page)
{
    if (page->mapping && page->refs == 1 && !(page->flags & PG_REFERENCED))
        move(page, false, true);
}

bool cache_droppable(const struct page *page)
{
    u8 lost = PG_ERROR | PG_UPTODATE; /* it could not be written where it has to be kept (swap) */
    return page->refs == 1 && !(page->flags & (PG_LOCKED | PG_DIRTY | PG_WRITEBACK)) &&
           (page->flags & lost) != lost;
}

/* Looks at so many pages of the active list; those not used since the last look go. */
static void deactivate(u32 looks)
{
    looks = MIN(looks, nr_active);
    while (looks--) {
        struct page *page = TAILQ_FIRST(&active);
        bool stays = page->flags & PG_REFERENCED || page->refs > 1;
        clear_flag(page, PG_REFERENCED);
        move(page, stays, false);
    }
}

static u32 sweep(u32 nr_pages, bool fresh_too)
{
    u32 dropped = 0, looks = nr_inactive;
    while (dropped < nr_pages && looks--) {
        struct page *page = TAILQ_FIRST(&inactive);
        bool busy = page->flags & (PG_LOCKED | PG_WRITEBACK);
        if (!busy && (page->flags & PG_REFERENCED || page->refs > 1)) {
            clear_flag(page, PG_REFERENCED);
            move(page, true, false);
        } else if (!cache_droppable(page)) {
            move(page, false, false);
        } else if (!fresh_too && cache_waits(page)) {
            move(page, false, false);
        } else {
            cache_drop_page(page);
            dropped++;
        }
    }
    return dropped;
}

u32 cache_swap_out(u32 nr_pages)
{
    u32 out = 0, looks = swap_has_room() ? nr_inactive : 0;
    while (out < nr_pages && looks--) {
        struct page *page = TAILQ_FIRST(&inactive);
        if (page->mapping->in_ram && shmem_out(page))
            out++;
        else
            move(page, false, false);
    }
    swap_flush();
    return out;
}

u32 cache_reclaim(u32 nr_pages)
{
    if (nr_active > nr_inactive)
        deactivate(MIN((nr_active - nr_inactive) / 2, 4 * nr_pages));
    u32 dropped = sweep(nr_pages, false);
    cache_stats.reclaimed += dropped;
    return dropped;
}

/* The first round takes away marks of use, the second one the pages. */
u32 cache_reclaim_hard(u32 nr_pages)
{
    u32 dropped = 0;
    for (u32 i = 0; i < 2 && !dropped; i++) {
        deactivate(nr_active);
        dropped = sweep(nr_pages, true);
    }
    cache_stats.reclaimed += dropped;
    return dropped;
}
