/*
 * Pins: pages of a program's memory that a device reads or writes where they lie.
 *
 *     error = pin_pages(&p, address, len, to_memory);    0, -EFAULT, -ENOMEM, -EINTR
 *     ... the device's work, and the wait for it ...
 *     unpin_pages(&p);
 *
 * A pinned page has a reference of its own (HOLD_PIN): the program may unmap it, or be told by
 * another thread to do so, and the device still writes to a page that is nobody else's. When the
 * device is going to write (to_memory), each page is the program's own before: copy-on-write has
 * been resolved. And it stays so: while a program has pins, fork and a write that would break
 * copy-on-write wait for their end (pin_wait), or the device's bytes would reach a page that the
 * program has just left for a copy.
 *
 * Between pin_pages and unpin_pages the task must not touch the program's memory.
 */
#ifndef KERNEL_MM_PIN_H
#define KERNEL_MM_PIN_H

#include "kernel/mm/page.h"

struct mm;

#define PIN_MAX_PAGES 33 /* 128 KiB, which need not begin with a page */

struct pins {
    struct mm *mm;
    bool to_memory;
    u32 offset; /* of the first byte in the first page */
    u32 nr;
    struct page *page[PIN_MAX_PAGES];
};

/* Of the current program; the range has been checked (user_range_ok). Sleeps. */
int pin_pages(struct pins *p, virt_t address, u32 len, bool to_memory);
void unpin_pages(struct pins *p);
/* Sleeps until the address space has no pins. */
void pin_wait(struct mm *mm);

/* Bytes from `at` on, counted from the first one, as far as they lie in one page. */
static inline struct frag pin_frag(const struct pins *p, u32 at, u32 len)
{
    u32 offset = (p->offset + at) % PAGE_SIZE;
    struct page *page = p->page[(p->offset + at) / PAGE_SIZE];
    return (struct frag){page, offset, MIN(len, PAGE_SIZE - offset)};
}

#endif
