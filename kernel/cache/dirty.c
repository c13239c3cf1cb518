/*
 * Dirty pages: those with bytes that are nowhere else.
 *
 * Each mapping has its own in a tree, in the order of their index. So write-back comes to them one
 * after the other as they lie in the file, which is how they lie on the disk, and its work depends
 * on how many are dirty, not on how many are cached. The tree is one that turns what was asked for
 * last into its root (a splay tree, bsd/sys/tree.h): to go on where one was, as nearly everybody
 * does who writes a file or writes it back, costs a few steps, however large it is.
 */
#include "kernel/cache/cache.h"
#include "kernel/cache/pages.h"
#include "kernel/cpu/cpu.h"
#include "kernel/mm/shmem.h"

static inline int by_index(const struct page *a, const struct page *b)
{
    return a->index < b->index ? -1 : a->index > b->index;
}

SPLAY_PROTOTYPE(dirty_tree, page, dirty, by_index)
SPLAY_GENERATE(dirty_tree, page, dirty, by_index)

void cache_set_dirty(struct mapping *m, struct page *page)
{
    if (page->flags & PG_DIRTY)
        return;
    u32 flags = irq_save(); /* completion changes flags too */
    page->flags |= PG_DIRTY;
    irq_restore(flags);
    SPLAY_INSERT(dirty_tree, &m->dirty_pages, page);
    m->nr_dirty++;
    if (m->ops->dirtied)
        m->ops->dirtied(m, 1);
}

void cache_redirty(struct page *page)
{
    if (page->mapping)
        cache_set_dirty(page->mapping, page);
}

void cache_clear_dirty(struct page *page)
{
    struct mapping *m = page->mapping;
    if (!(page->flags & PG_DIRTY))
        return;
    u32 flags = irq_save();
    page->flags &= (u8)~PG_DIRTY;
    irq_restore(flags);
    SPLAY_REMOVE(dirty_tree, &m->dirty_pages, page);
    m->nr_dirty--;
    if (m->ops->dirtied)
        m->ops->dirtied(m, -1);
}

/* The first dirty page from `index` on, NULL: there is none. Mostly it is that very one. */
static struct page *first_from(struct mapping *m, u32 index)
{
    struct page key, *page = cache_lookup(m, index);
    if (page && page->flags & PG_DIRTY)
        return page;
    if (SPLAY_EMPTY(&m->dirty_pages))
        return NULL;
    key.index = index;
    dirty_tree_SPLAY(&m->dirty_pages, &key); /* the root is now the one before, or the one behind */
    page = SPLAY_ROOT(&m->dirty_pages);
    if (page->index < index && (page = SPLAY_NEXT(dirty_tree, &m->dirty_pages, page)))
        dirty_tree_SPLAY(&m->dirty_pages, page);
    return page;
}

u32 cache_find_dirty(struct mapping *m, u32 index, u32 end, bool dirty)
{
    const struct page *page;
    if (dirty) {
        end = shmem_first(m, index, end); /* what is in swap is so as well */
        return (page = first_from(m, index)) ? MIN(page->index, end) : end;
    }
    while (index < end &&
           (((page = cache_lookup(m, index)) && page->flags & PG_DIRTY) || shmem_is_out(m, index)))
        index++;
    return index;
}
