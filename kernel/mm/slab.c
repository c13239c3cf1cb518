/*
 * Slabs: pages cut into objects of one size (after Bonwick, "The Slab Allocator", USENIX 1994).
 *
 * The frame's own struct page describes the slab: `mapping` points to its cache, `index` counts
 * the objects in use, `hash_next` heads the list of free ones, which are chained through their
 * first word. A slab whose last object is freed goes back to the frame allocator, but for one of
 * each cache: or objects that come and go would take a page along each time.
 *
 * Debug build: a freed object is filled with POISON, and a CANARY word ends every object.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"

#define POISON 0x6B
#define CANARY 0xC0DEFEEDu

#ifdef FERRY_DEBUG
#define CANARY_SIZE 4u
#else
#define CANARY_SIZE 0u
#endif

struct slab_cache {
    const char *name;
    u32 size, stride, per_slab;
    u32 in_use, slabs;
    struct page_list partial; /* slabs with at least one free object */
    struct page *spare;       /* the one of them that is all free, and stays; NULL: none */
};

static struct slab_cache caches[32];
static u32 nr_caches;

static const u16 kmalloc_sizes[] = {32, 64, 96, 128, 192, 256, 512, 1024, 1360, 2048};
static struct slab_cache *kmalloc_caches[ARRAY_LEN(kmalloc_sizes)];
static const char *const kmalloc_names[] = {
    "kmalloc-32",  "kmalloc-64",  "kmalloc-96",   "kmalloc-128",  "kmalloc-192",
    "kmalloc-256", "kmalloc-512", "kmalloc-1024", "kmalloc-1360", "kmalloc-2048"};
static u32 whole_pages;

struct slab_cache *slab_create(const char *name, size_t size)
{
    ASSERT(nr_caches < ARRAY_LEN(caches) && size + CANARY_SIZE <= PAGE_SIZE);
    struct slab_cache *c = &caches[nr_caches++];
    c->name = name;
    c->size = size;
    c->stride = ROUND_UP(size + CANARY_SIZE, 16);
    c->per_slab = PAGE_SIZE / c->stride;
    TAILQ_INIT(&c->partial);
    return c;
}

void heap_init(void)
{
    for (u32 i = 0; i < ARRAY_LEN(kmalloc_sizes); i++)
        kmalloc_caches[i] = slab_create(kmalloc_names[i], kmalloc_sizes[i] - CANARY_SIZE);
}

static void **free_head(struct page *slab)
{
    return (void **)&slab->hash_next;
}
static struct slab_cache *slab_owner(const struct page *slab)
{
    return (struct slab_cache *)slab->mapping;
}

static struct page *slab_grow(struct slab_cache *c)
{
    struct page *slab = page_alloc_atomic(PAGE_KERNEL, HOLD_KERNEL);
    if (!slab)
        return NULL;
    slab->mapping = (struct mapping *)c;
    slab->index = 0;
    void *next = NULL;
    for (u32 i = c->per_slab; i-- > 0;) {
        char *object = (char *)page_virt(slab) + i * c->stride;
#ifdef FERRY_DEBUG
        memset(object, POISON, c->stride);
#endif
        *(void **)object = next;
        next = object;
    }
    *free_head(slab) = next;
    TAILQ_INSERT_HEAD(&c->partial, slab, link);
    c->slabs++;
    return slab;
}

#ifdef FERRY_DEBUG
static u32 *canary(struct slab_cache *c, void *object)
{
    return (u32 *)((char *)object + c->stride - 4);
}

static void check_poison(struct slab_cache *c, void *object)
{
    for (u32 i = sizeof(void *); i < c->stride; i++)
        if (((u8 *)object)[i] != POISON)
            panic("slab %s: object %p written after free, at byte %u", c->name, object, i);
}
#endif

void *slab_alloc(struct slab_cache *c)
{
    u32 flags = irq_save();
    struct page *slab = TAILQ_FIRST(&c->partial);
    void *object = NULL;
    if (slab || (slab = slab_grow(c))) {
        object = *free_head(slab);
        *free_head(slab) = *(void **)object;
        slab->index++;
        c->in_use++;
        if (slab == c->spare)
            c->spare = NULL;
        if (!*free_head(slab))
            TAILQ_REMOVE(&c->partial, slab, link);
#ifdef FERRY_DEBUG
        check_poison(c, object);
        *canary(c, object) = CANARY;
#endif
    }
    irq_restore(flags);
    return object;
}

void slab_free(struct slab_cache *c, void *object)
{
    struct page *slab = virt_page(object);
    u32 flags = irq_save();
    if (slab->kind != PAGE_KERNEL || slab_owner(slab) != c ||
        ((virt_t)object & ~PAGE_MASK) % c->stride)
        panic("slab %s: %p is not one of its objects", c->name, object);
#ifdef FERRY_DEBUG
    if (*canary(c, object) != CANARY)
        panic("slab %s: object %p freed twice or written behind its end", c->name, object);
    memset(object, POISON, c->stride);
#endif
    if (!*free_head(slab))
        TAILQ_INSERT_HEAD(&c->partial, slab, link);
    *(void **)object = *free_head(slab);
    *free_head(slab) = object;
    c->in_use--;
    if (--slab->index == 0) {
        TAILQ_REMOVE(&c->partial, slab, link);
        if (c->spare) {
            c->slabs--;
            page_put(slab, HOLD_KERNEL);
        } else {
            c->spare = slab;
            TAILQ_INSERT_TAIL(&c->partial, slab, link);
        }
    }
    irq_restore(flags);
}

/* Gives empty slabs back, so that free frames can be compared before and after. */
void slab_trim(void)
{
    u32 flags = irq_save();
    for (u32 i = 0; i < nr_caches; i++) {
        struct page *slab, *next;
        TAILQ_FOREACH_SAFE (slab, &caches[i].partial, link, next) {
            if (slab->index)
                continue;
            TAILQ_REMOVE(&caches[i].partial, slab, link);
            caches[i].slabs--;
            page_put(slab, HOLD_KERNEL);
        }
        caches[i].spare = NULL;
    }
    irq_restore(flags);
}

void *kmalloc(size_t size)
{
    for (u32 i = 0; i < ARRAY_LEN(kmalloc_sizes); i++)
        if (size + CANARY_SIZE <= kmalloc_sizes[i])
            return slab_alloc(kmalloc_caches[i]);
    if (size > PAGE_SIZE)
        return NULL;
    struct page *page = page_alloc_atomic(PAGE_KERNEL, HOLD_KERNEL);
    if (!page)
        return NULL;
    whole_pages++;
    return page_virt(page);
}

void *kzalloc(size_t size)
{
    void *object = kmalloc(size);
    return object ? memset(object, 0, size) : NULL;
}

void kfree(void *object)
{
    if (!object)
        return;
    struct page *page = virt_page(object);
    if (slab_owner(page)) {
        slab_free(slab_owner(page), object);
        return;
    }
    if (page->kind != PAGE_KERNEL || (virt_t)object & ~PAGE_MASK)
        panic("kfree: %p was not allocated", object);
    whole_pages--;
    page_put(page, HOLD_KERNEL);
}

u32 slab_pages(void)
{
    u32 n = whole_pages;
    for (u32 i = 0; i < nr_caches; i++)
        n += caches[i].slabs;
    return n;
}

void slab_format(struct text *t)
{
    text_printf(t, "# name  objects_in_use object_size objects_per_slab slabs\n");
    for (u32 i = 0; i < nr_caches; i++)
        text_printf(t, "%-16s %6u %6u %4u %5u\n", caches[i].name, caches[i].in_use, caches[i].size,
                    caches[i].per_slab, caches[i].slabs);
    text_printf(t, "%-16s %6u %6u %4u %5u\n", "pages", whole_pages, PAGE_SIZE, 1u, whole_pages);
}
