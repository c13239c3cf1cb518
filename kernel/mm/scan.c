/*
 * Reclaim, the programs' side: a clock hand goes over all page tables, one address space after
 * the other (the virtual scan of Linux 2.4).
 *
 *     accessed bit set      it is taken away; the page has one more turn of the hand
 *     a page of a file      the entry is emptied, but for pages read ahead for a use to come: the
 *                           page is the cache's alone again, which drops it when it is its turn.
 *                           That it is dirty, the cache knows: a shared page can be written only
 *                           while it is (kernel/paths/mmap.c)
 *     a program's own page  it enters the swap cache, and its entry becomes that of a slot (swap.h)
 *
 *     one of a file in RAM  (tmpfs, shared memory): its mapping keeps the slot in its place, as
 * soon as no program has it any longer (shmem.h)
 *
 * Left alone: what is locked (mlock(2)), and what devices move at this moment (pin.h).
 */
#include "kernel/mm/scan.h"
#include <linux/mman.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/shmem.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/task.h"

#define TABLE_SPAN (4u << 20)

struct scan_stats scan_stats;

static TAILQ_HEAD(, mm) spaces = TAILQ_HEAD_INITIALIZER(spaces);
static u32 nr_spaces;
static struct mm *hand; /* NULL: at the first */
static virt_t hand_at;

void mm_scan_add(struct mm *mm)
{
    TAILQ_INSERT_TAIL(&spaces, mm, all);
    nr_spaces++;
}

struct mm *mm_next(struct mm *mm)
{
    return mm ? TAILQ_NEXT(mm, all) : TAILQ_FIRST(&spaces);
}

static void next_space(void)
{
    hand = hand ? TAILQ_NEXT(hand, all) : NULL;
    hand_at = 0;
}

void mm_scan_remove(struct mm *mm)
{
    if (hand == mm)
        next_space();
    TAILQ_REMOVE(&spaces, mm, all);
    nr_spaces--;
}

static bool take_anonymous(struct mm *mm, u32 *pte, struct page *page)
{
    bool fresh = !is_swap_page(page);
    if (fresh && !swap_add(page))
        return false;
    u32 entry = swap_entry(page);
    swap_hold(entry);
    *pte = entry;
    mm->nr_swapped++;
    page_put(page, HOLD_MAP);
    if (fresh)
        swap_queue(page);
    else
        cache_unmapped(page);
    return true;
}

/* A file without a disk behind it, and without swap. */
static bool left_in_ram(const struct mapping *m)
{
    return m->in_ram && (m->stays || !swap_has_room());
}

static bool take(struct mm *mm, u32 *pte)
{
    struct page *page = phys_page(*pte & PAGE_MASK);
    if (page->kind == PAGE_ANON) {
        if (!take_anonymous(mm, pte, page))
            return false;
    } else if (page->kind == PAGE_CACHE && page->mapping && !left_in_ram(page->mapping) &&
               !cache_waits(page)) {
        *pte = 0;
        page_put(page, HOLD_MAP);
        if (!shmem_out(page))
            cache_unmapped(page);
    } else {
        return false;
    }
    mm->nr_pages--;
    return true;
}

static bool was_used(const u32 *pte)
{
    struct page *page = phys_page(*pte & PAGE_MASK);
    if (page->kind == PAGE_CACHE && page->mapping && *pte & PTE_ACCESSED)
        cache_touched(page);
    return *pte & PTE_ACCESSED;
}

/* From hand_at to the end of the region, or until enough was taken. */
static u32 scan_region(struct mm *mm, const struct vma *v, u32 wanted)
{
    u32 taken = 0;
    while (hand_at < v->end && taken < wanted) {
        u32 *pte = pte_get(mm, hand_at, false);
        if (!pte) {
            hand_at = (hand_at & ~(TABLE_SPAN - 1)) + TABLE_SPAN;
            continue;
        }
        hand_at += PAGE_SIZE;
        if (!(*pte & PTE_HELD))
            continue;
        scan_stats.scanned++;
        if (was_used(pte))
            *pte &= ~(u32)PTE_ACCESSED;
        else if (take(mm, pte))
            taken++;
    }
    return taken;
}

/* Text, that of the program and of others, is missed at once. */
static bool is_text(const struct mm *mm, const struct vma *v)
{
    return v->inode && (v->inode == mm->exe || v->prot & PROT_EXEC);
}

static bool left_alone(const struct vma *v)
{
    return v->locked || (v->shared && v->inode && left_in_ram(&v->inode->mapping));
}

u32 mm_scan(u32 wanted, bool hard)
{
    u32 taken = 0, ends = nr_spaces + 1; /* the first space is met twice: its rest, its beginning */
    swap_write_left();
    while (taken < wanted && ends && nr_spaces) {
        if (!hand)
            hand = TAILQ_FIRST(&spaces);
        virt_t at = hand->pins ? USER_END : mm_next_start(hand, hand_at);
        if (at == USER_END) {
            next_space();
            ends--;
            continue;
        }
        struct vma *v = vma_find(hand, at);
        hand_at = at;
        if (left_alone(v) || (!hard && is_text(hand, v)))
            hand_at = v->end;
        else
            taken += scan_region(hand, v, wanted - taken);
    }
    swap_flush();
    tlb_flush_all(); /* the tables may be those in use: kernel threads borrow them */
    scan_stats.taken += taken;
    return taken;
}

/* --- madvise(2) ------------------------------------------------------------------------------- */

/* Linux takes only what no other program has mapped: the others have not been asked. */
static bool shown_once(const struct page *page)
{
    return page->refs <= (page->kind == PAGE_CACHE ? 2 : 1);
}

void mm_page_out(struct mm *mm, virt_t start, virt_t end, bool now)
{
    const struct vma *v = vma_find(mm, start);
    if (!v || left_alone(v) || mm->pins)
        return;
    for (virt_t va = start; va < end; va += PAGE_SIZE) {
        u32 *pte = pte_get(mm, va, false);
        if (!pte || !(*pte & PTE_HELD) || !shown_once(phys_page(*pte & PAGE_MASK)))
            continue;
        *pte &= ~(u32)PTE_ACCESSED;
        if (now && v->inode)
            cache_not_used(&v->inode->mapping, v->pgoff + ((va - v->start) >> PAGE_SHIFT));
        if (now && take(mm, pte))
            scan_stats.taken++;
    }
    swap_flush();
    tlb_flush_all();
}

/* --- swapoff(2) ------------------------------------------------------------------------------- */

static int swap_in_space(struct mm *mm, u32 area)
{
    for (virt_t at = mm_next_start(mm, 0); at < USER_END; at = mm_next_start(mm, at)) {
        u32 *pte = pte_get(mm, at, false);
        if (!pte) {
            at = (at & ~(TABLE_SPAN - 1)) + TABLE_SPAN;
            continue;
        }
        if (is_swap_entry(*pte) && swap_area_number(*pte) == area) {
            int err = mm_swap_in(mm, at, NULL);
            if (err)
                return err;
        }
        at += PAGE_SIZE;
        if (task_pause())
            return -EINTR;
    }
    return 0;
}

/* Spaces that are made meanwhile come at the end, and are met as well. */
int mm_swap_in_all(u32 area)
{
    int err = 0;
    struct mm *mm = TAILQ_FIRST(&spaces), *next;
    if (mm)
        mm->refs++;
    for (; mm; mm = next) {
        if (!err && mm->nr_swapped)
            err = swap_in_space(mm, area);
        next = TAILQ_NEXT(mm, all);
        if (next)
            next->refs++;
        mm_put(mm);
    }
    return err;
}

/* --- mlock(2) --------------------------------------------------------------------------------- */

u32 mm_locked_pages(void)
{
    u32 n = 0;
    struct mm *mm;
    TAILQ_FOREACH (mm, &spaces, all) {
        const struct vma *v;
        TAILQ_FOREACH (v, &mm->vmas, link) {
            for (virt_t va = v->start; v->locked && va < v->end; va += PAGE_SIZE) {
                const u32 *pte = pte_get(mm, va, false);
                n += pte && *pte & PTE_HELD;
            }
        }
    }
    return n;
}
