/* /proc/<pid>/smaps: each region of maps, and what its page table entries say of it (proc(5)). */
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/swap.h"

#define PSS_ONE (PAGE_SIZE << 10) /* a page, of which each of several owners has a part */

/* Pages; the shares in PSS_ONE. */
struct sums {
    u32 resident, referenced, anonymous, swapped;
    u32 of[2][2]; /* [is it private][is it dirty] */
    u64 share, swap_share;
};

static void add_page(struct sums *n, u32 pte)
{
    const struct page *page = phys_page(pte & PAGE_MASK);
    bool cached = page->kind == PAGE_CACHE && page->mapping;
    u32 owners = MAX(1u, page->refs - cached);
    bool dirty = pte & PTE_DIRTY || (cached && page->flags & PG_DIRTY);
    n->resident++;
    n->referenced += !!(pte & PTE_ACCESSED) || page->flags & PG_REFERENCED;
    n->anonymous += page->kind == PAGE_ANON || is_swap_page(page);
    n->of[owners == 1][dirty]++;
    n->share += PSS_ONE / owners;
}

static void add_entry(struct sums *n, u32 pte)
{
    if (pte & PTE_HELD) {
        add_page(n, pte);
    } else if (is_swap_entry(pte)) {
        n->swapped++;
        n->swap_share += PSS_ONE / MAX(1u, swap_count(pte));
    }
}

static void line(struct text *t, const char *name, u32 kib)
{
    text_printf(t, "%s:", name);
    text_printf(t, "%*u kB\n", 23 - (int)strlen(name), kib);
}

static void region(struct text *t, struct mm *mm, const struct vma *v)
{
    const u32 kib = PAGE_SIZE / 1024;
    struct sums n = {0};
    for (virt_t va = v->start; va < v->end; va += PAGE_SIZE) {
        const u32 *pte = pte_get(mm, va, false);
        if (pte)
            add_entry(&n, *pte);
        else
            va = ROUND_UP(va + 1, 4u << 20) - PAGE_SIZE; /* on with the next table */
    }
    map_line(t, mm, v);
    line(t, "Size", (v->end - v->start) / 1024);
    line(t, "KernelPageSize", kib);
    line(t, "MMUPageSize", kib);
    line(t, "Rss", n.resident * kib);
    line(t, "Pss", (u32)(n.share >> 20));
    line(t, "Shared_Clean", n.of[0][0] * kib);
    line(t, "Shared_Dirty", n.of[0][1] * kib);
    line(t, "Private_Clean", n.of[1][0] * kib);
    line(t, "Private_Dirty", n.of[1][1] * kib);
    line(t, "Referenced", n.referenced * kib);
    line(t, "Anonymous", n.anonymous * kib);
    line(t, "Swap", n.swapped * kib);
    line(t, "SwapPss", (u32)(n.swap_share >> 20));
    line(t, "Locked", v->locked ? n.resident * kib : 0);
}

void pid_smaps(struct text *t, const struct subject *s)
{
    struct mm *mm = s->task ? s->task->mm : NULL;
    const struct vma *v;
    if (mm)
        TAILQ_FOREACH (v, &mm->vmas, link)
            region(t, mm, v);
}
