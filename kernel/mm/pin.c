/* See pin.h. */
#include "kernel/mm/pin.h"
#include "kernel/cache/cache.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/task.h"
#include "kernel/proc/wait.h"

static WAIT_QUEUE(unpinned); /* an address space has no more pins */

/* The entry as the device needs it, or NULL: the page has to be brought in, or made the program's
 * own. */
static const u32 *ready_entry(struct mm *mm, virt_t address, bool to_memory)
{
    const u32 *pte = pte_get(mm, address, false);
    u32 bits = PTE_PRESENT | (to_memory ? PTE_WRITE : 0);
    return pte && (*pte & bits) == bits ? pte : NULL;
}

/* Does not sleep, so that what was made ready is taken as it is. False: not all of it is ready. */
static bool take_all(struct pins *p, virt_t start, u32 nr)
{
    for (u32 i = 0; i < nr; i++)
        if (!ready_entry(p->mm, start + i * PAGE_SIZE, p->to_memory))
            return false;
    for (p->nr = 0; p->nr < nr; p->nr++) {
        u32 entry = *ready_entry(p->mm, start + p->nr * PAGE_SIZE, p->to_memory);
        p->page[p->nr] = phys_page(entry & PAGE_MASK);
        page_get(p->page[p->nr], HOLD_PIN);
    }
    p->mm->pins++;
    return true;
}

int pin_pages(struct pins *p, virt_t address, u32 len, bool to_memory)
{
    *p = (struct pins){
        .mm = current->mm, .to_memory = to_memory, .offset = address & (PAGE_SIZE - 1)};
    virt_t start = address & PAGE_MASK;
    u32 nr = DIV_ROUND_UP(p->offset + len, PAGE_SIZE);
    ASSERT(nr <= PIN_MAX_PAGES);
    do {
        for (u32 i = 0; i < nr; i++) {
            if (ready_entry(p->mm, start + i * PAGE_SIZE, to_memory))
                continue;
            int error = mm_touch(start + i * PAGE_SIZE, to_memory);
            if (error)
                return error;
        }
        if (task_pause())
            return -EINTR;
    } while (!take_all(p, start, nr)); /* bringing one in may have cost another */
    return 0;
}

void unpin_pages(struct pins *p)
{
    for (u32 i = 0; i < p->nr; i++) {
        if (p->to_memory && p->page[i]->kind == PAGE_CACHE) /* of a file that is mapped there */
            cache_redirty(p->page[i]);
        page_put(p->page[i], HOLD_PIN);
    }
    p->nr = 0;
    if (--p->mm->pins == 0)
        wake_all(&unpinned);
}

void pin_wait(struct mm *mm)
{
    wait_event(&unpinned, mm->pins == 0);
}
