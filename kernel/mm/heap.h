/*
 * The kernel heap: slabs of equal objects, and kmalloc over a row of such slabs.
 *
 * An object never crosses a page, so it is physically contiguous. The largest object is one page.
 * In the debug build freed objects are poisoned and every object ends in a canary; a double free,
 * an overrun or a write after free panics with the cache's name. Nothing here sleeps; all may be
 * called in interrupts.
 */
#ifndef KERNEL_MM_HEAP_H
#define KERNEL_MM_HEAP_H

#include "kernel/lib/types.h"

struct slab_cache;
/* A cache of objects of `size` bytes (at most PAGE_SIZE); `name` is kept, shown in /proc/slabinfo.
 */
struct slab_cache *slab_create(const char *name, size_t size);
void *slab_alloc(struct slab_cache *cache); /* contents undefined; NULL without memory */
void slab_free(struct slab_cache *cache, void *object);

void *kmalloc(size_t size); /* size <= PAGE_SIZE; NULL without memory */
void *kzalloc(size_t size); /* zeroed */
void kfree(void *object);   /* NULL is allowed */

struct text;
u32 slab_pages(void);             /* pages that the heap holds */
void slab_format(struct text *t); /* text of /proc/slabinfo */

#endif
