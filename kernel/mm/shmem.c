/* Pages of files in RAM, on their way out to swap and in again. See shmem.h. */
#include "kernel/mm/shmem.h"
#include "kernel/cache/pages.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/task.h"

/* Stands in a mapping for a page that is in swap. */
struct swapped {
    SPLAY_ENTRY(swapped) node; /* of the mapping's tree */
    LIST_ENTRY(swapped) link;  /* of all there are */
    struct mapping *mapping;
    u32 index;
    u32 entry;
};

static LIST_HEAD(, swapped)
all_swapped = LIST_HEAD_INITIALIZER(all_swapped);

static inline int by_index(const struct swapped *a, const struct swapped *b)
{
    return a->index < b->index ? -1 : a->index > b->index;
}

SPLAY_PROTOTYPE(swapped_tree, swapped, node, by_index)
SPLAY_GENERATE(swapped_tree, swapped, node, by_index)

static struct swapped *find(struct mapping *m, u32 index)
{
    struct swapped key = {.index = index};
    return SPLAY_FIND(swapped_tree, &m->swapped, &key);
}

/* The first one from `index` on, or NULL. */
static struct swapped *first_from(struct mapping *m, u32 index)
{
    struct swapped key = {.index = index}, *s;
    if (SPLAY_EMPTY(&m->swapped))
        return NULL;
    swapped_tree_SPLAY(&m->swapped, &key); /* the root is now the one before, or the one behind */
    s = SPLAY_ROOT(&m->swapped);
    return s->index < index ? SPLAY_NEXT(swapped_tree, &m->swapped, s) : s;
}

static void count(struct mapping *m, int pages)
{
    m->nr_swapped += (u32)pages;
    m->ops->dirtied(m, pages);
}

static void forget(struct swapped *s)
{
    SPLAY_REMOVE(swapped_tree, &s->mapping->swapped, s);
    LIST_REMOVE(s, link);
    count(s->mapping, -1);
    swap_release(s->entry);
    kfree(s);
}

/* A page that is in no mapping, with a reference of the caller's. */
static void put_back(struct mapping *m, u32 index, struct page *page)
{
    page->kind = PAGE_CACHE;
    page->flags = PG_UPTODATE;
    page_get(page, HOLD_CACHE);
    cache_insert(m, index, page);
    cache_set_dirty(m, page);
}

static bool may_go(const struct page *page)
{
    const struct mapping *m = page->mapping;
    const u8 rest = PG_UPTODATE | PG_DIRTY, busy = PG_LOCKED | PG_WRITEBACK | PG_REFERENCED;
    return m && m->in_ram && !m->stays && !m->closing && page->refs == 1 &&
           (page->flags & (rest | busy)) == rest &&
           page->index < DIV_ROUND_UP(m->size, PAGE_SIZE); /* else it is being cut off */
}

bool shmem_out(struct page *page)
{
    struct mapping *m = page->mapping;
    u32 index = page->index;
    struct swapped *s = may_go(page) && swap_has_room() ? kmalloc(sizeof(*s)) : NULL;
    if (!s)
        return false;
    page_get(page, HOLD_USE);
    cache_drop_page(page);
    page->kind = PAGE_ANON;
    bool out = swap_add(page);
    if (out) {
        *s = (struct swapped){.mapping = m, .index = index, .entry = swap_entry(page)};
        swap_hold(s->entry);
        SPLAY_INSERT(swapped_tree, &m->swapped, s);
        LIST_INSERT_HEAD(&all_swapped, s, link);
        count(m, 1);
        swap_queue(page);
    } else {
        put_back(m, index, page);
        kfree(s);
    }
    page_put(page, HOLD_USE);
    return out;
}

int shmem_in(struct mapping *m, u32 index, bool *did_io)
{
    struct swapped *s;
    while ((s = find(m, index))) {
        struct page *page;
        u32 entries[SWAP_CLUSTER], entry = s->entry, nr = 0;
        for (; s && s->index == index + nr && nr < SWAP_CLUSTER;
             s = SPLAY_NEXT(swapped_tree, &m->swapped, s))
            entries[nr++] = s->entry;
        int err = swap_read(entries, nr, &page, did_io);
        if (err)
            return err;
        cache_wait_written(page);
        s = find(m, index); /* all may have changed while that slept */
        bool ours = s && s->entry == entry && is_swap_page(page) && swap_entry(page) == entry;
        if (ours) {
            cache_drop_page(page);
            forget(s);
            put_back(m, index, page);
        }
        page_put(page, HOLD_USE);
    }
    return 0;
}

int shmem_in_all(u32 area)
{
    struct swapped *s;
    int err = 0;
    while (!err) {
        LIST_FOREACH (s, &all_swapped, link)
            if (swap_area_number(s->entry) == area && !s->mapping->closing)
                break;
        if (!s)
            break;
        struct inode *inode = inode_hold(s->mapping->host);
        err = task_pause() ? -EINTR : shmem_in(s->mapping, s->index, NULL);
        inode_put(inode);
    }
    return err;
}

void shmem_forget(struct mapping *m, u32 first, u32 end)
{
    struct swapped *s;
    while (m->nr_swapped && (s = first_from(m, first)) && s->index < end)
        forget(s);
}

u32 shmem_first(struct mapping *m, u32 index, u32 end)
{
    const struct swapped *s = m->nr_swapped ? first_from(m, index) : NULL;
    return s ? MIN(s->index, end) : end;
}
