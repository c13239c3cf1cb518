/*
 * Address spaces: the regions (VMAs) of a program, and the page tables behind them.
 *
 * A region says what may be there; a page table entry says what is there now. Regions are kept in
 * the order of their addresses and never overlap. Each present entry holds its page as HOLD_MAP.
 */
#include <linux/mman.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/pin.h"
#include "kernel/mm/scan.h"
#include "kernel/mm/shm.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/task.h"

#define USER_TABLES (USER_END >> 22)
#define TABLE_SPAN  (4u << 20)

struct mm *mm_new(void)
{
    struct mm *mm = kzalloc(sizeof(*mm));
    if (!mm)
        return NULL;
    mm->pgdir_page = page_alloc_zeroed(PAGE_KERNEL, HOLD_KERNEL);
    if (!mm->pgdir_page) {
        kfree(mm);
        return NULL;
    }
    mm->refs = 1;
    mm->pgdir = page_virt(mm->pgdir_page);
    memcpy(mm->pgdir + USER_TABLES, kernel_pgdir + USER_TABLES, (1024 - USER_TABLES) * 4);
    TAILQ_INIT(&mm->vmas);
    mm_scan_add(mm);
    return mm;
}

u32 *pte_get(struct mm *mm, virt_t va, bool make)
{
    u32 *pde = &mm->pgdir[va >> 22];
    if (!(*pde & PTE_PRESENT)) {
        if (!make)
            return NULL;
        struct page *table = page_alloc_zeroed(PAGE_KERNEL, HOLD_KERNEL);
        if (!table)
            return NULL;
        *pde = page_phys(table) | PTE_PRESENT | PTE_WRITE | PTE_USER;
    }
    return (u32 *)phys_to_virt(*pde & PAGE_MASK) + (va >> 12 & 1023);
}

/* Takes the pages out of a range; the regions are the caller's business. */
static void unmap_pages(struct mm *mm, virt_t start, virt_t end)
{
    bool mine = current && current->mm == mm;
    for (virt_t va = start; va < end;) {
        u32 *pte = pte_get(mm, va, false);
        if (!pte) {
            va = (va & ~(TABLE_SPAN - 1)) + TABLE_SPAN;
            continue;
        }
        if (*pte & PTE_HELD) {
            struct page *page = phys_page(*pte & PAGE_MASK);
            *pte = 0;
            if (mine)
                tlb_flush_page(va);
            anon_unmap(page);
            mm->nr_pages--;
        } else if (is_swap_entry(*pte)) {
            swap_release(*pte);
            *pte = 0;
            mm->nr_swapped--;
        }
        va += PAGE_SIZE;
    }
}

static void vma_free(struct mm *mm, struct vma *v)
{
    TAILQ_REMOVE(&mm->vmas, v, link);
    mm->nr_vmas--;
    mm->last = NULL;
    if (v->shm)
        shm_detached(v->shm);
    if (v->inode)
        inode_put(v->inode); /* may sleep */
    kfree(v);
}

void mm_put(struct mm *mm)
{
    if (!mm || --mm->refs)
        return;
    mm_scan_remove(mm);
    struct vma *v;
    while ((v = TAILQ_FIRST(&mm->vmas))) {
        unmap_pages(mm, v->start, v->end);
        vma_free(mm, v);
    }
    for (u32 i = 0; i < USER_TABLES; i++)
        if (mm->pgdir[i] & PTE_PRESENT)
            page_put(phys_page(mm->pgdir[i] & PAGE_MASK), HOLD_KERNEL);
    page_put(mm->pgdir_page, HOLD_KERNEL);
    if (mm->exe)
        inode_stop(mm->exe);
    kfree(mm);
}

struct vma *vma_find(struct mm *mm, virt_t address)
{
    struct vma *v = mm->last;
    if (v && address >= v->start && address < v->end)
        return v;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        if (address < v->start)
            return NULL;
        if (address < v->end)
            return mm->last = v;
    }
    return NULL;
}

static bool joins(const struct vma *v, virt_t start, u32 prot, bool shared, struct inode *inode)
{
    return v && v->end == start && v->prot == prot && !v->inode && !inode && !shared &&
           !v->shared && !v->grows_down && !v->dont_fork && !v->wipe_on_fork && !v->locked;
}

int vma_add(struct mm *mm, virt_t start, virt_t end, u32 prot, bool shared, struct inode *inode,
            u32 pgoff)
{
    struct vma *before = NULL, *v;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        if (v->start >= end)
            break;
        before = v;
    }
    if (joins(before, start, prot, shared, inode)) {
        before->end = end;
        return 0;
    }
    if (mm->nr_vmas >= VMAS_MAX || !(v = kzalloc(sizeof(*v))))
        return -ENOMEM;
    mm->nr_vmas++;
    *v = (struct vma){.start = start, .end = end, .prot = prot, .shared = shared, .pgoff = pgoff};
    v->inode = inode ? inode_hold(inode) : NULL;
    if (before)
        TAILQ_INSERT_AFTER(&mm->vmas, before, v, link);
    else
        TAILQ_INSERT_HEAD(&mm->vmas, v, link);
    return 0;
}

/* A region with what `like` has, in no list yet. */
static struct vma *vma_new(struct mm *mm, const struct vma *like)
{
    struct vma *v = mm->nr_vmas < VMAS_MAX ? kmalloc(sizeof(*v)) : NULL;
    if (!v)
        return NULL;
    mm->nr_vmas++;
    *v = *like;
    if (v->inode)
        inode_hold(v->inode);
    if (v->shm)
        shm_attached(v->shm);
    return v;
}

int vma_copy(struct mm *mm, const struct vma *like, virt_t start, virt_t end, u32 pgoff)
{
    struct vma *v = vma_new(mm, like), *next;
    if (!v)
        return -ENOMEM;
    v->start = start;
    v->end = end;
    v->pgoff = pgoff;
    TAILQ_FOREACH (next, &mm->vmas, link)
        if (next->start >= end)
            break;
    if (next)
        TAILQ_INSERT_BEFORE(next, v, link);
    else
        TAILQ_INSERT_TAIL(&mm->vmas, v, link);
    return 0;
}

/* Makes `at` a border between two regions where it lies inside one. */
static int split_at(struct mm *mm, virt_t at)
{
    struct vma *v = vma_find(mm, at);
    if (!v || v->start == at)
        return 0;
    struct vma *upper = vma_new(mm, v);
    if (!upper)
        return -ENOMEM;
    upper->start = at;
    upper->pgoff += (at - v->start) >> PAGE_SHIFT;
    v->end = at;
    TAILQ_INSERT_AFTER(&mm->vmas, v, upper, link);
    return 0;
}

struct vma *vma_cut(struct mm *mm, virt_t start, virt_t end)
{
    return split_at(mm, start) < 0 || split_at(mm, end) < 0 ? NULL : vma_find(mm, start);
}

/* The region that holds `at`, or the next one above; NULL when there is none. */
static struct vma *vma_from(struct mm *mm, virt_t at)
{
    struct vma *v;
    TAILQ_FOREACH (v, &mm->vmas, link)
        if (v->end > at)
            return v;
    return NULL;
}

virt_t mm_next_start(struct mm *mm, virt_t at)
{
    struct vma *v = vma_from(mm, at);
    return v ? MAX(v->start, at) : USER_END;
}

int mm_unmap(struct mm *mm, virt_t start, virt_t end)
{
    if (split_at(mm, start) < 0 || split_at(mm, end) < 0)
        return -ENOMEM;
    struct vma *v;
    while ((v = vma_from(mm, start)) && v->start < end) { /* vma_free may have slept */
        unmap_pages(mm, v->start, v->end);
        vma_free(mm, v);
    }
    return 0;
}

int mm_discard(struct mm *mm, virt_t start, virt_t end)
{
    for (virt_t at = start; at < end;) {
        struct vma *v = vma_find(mm, at);
        if (!v)
            return -ENOMEM;
        unmap_pages(mm, at, MIN(end, v->end));
        at = v->end;
    }
    return 0;
}

int mm_protect(struct mm *mm, virt_t start, virt_t end, u32 prot)
{
    for (virt_t at = start; at < end;) { /* the whole range must be mapped */
        struct vma *v = vma_find(mm, at);
        if (!v)
            return -ENOMEM;
        if ((prot & PROT_WRITE) && v->no_write)
            return -EACCES;
        at = v->end;
    }
    if (split_at(mm, start) < 0 || split_at(mm, end) < 0)
        return -ENOMEM;
    struct vma *v;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        if (v->start < start || v->end > end)
            continue;
        v->prot = prot;
        /* Entries lose rights at once and gain them by the next fault. */
        for (virt_t va = v->start; va < v->end; va += PAGE_SIZE) {
            u32 *pte = pte_get(mm, va, false);
            if (!pte || !(*pte & PTE_HELD))
                continue;
            *pte &= ~(PTE_WRITE | PTE_HELD);
            *pte |= prot == PROT_NONE ? PTE_NONE : PTE_PRESENT;
        }
    }
    tlb_flush_all();
    return 0;
}

u32 mm_peek(struct mm *mm, virt_t from, void *buf, u32 len)
{
    u32 done = 0;
    for (u32 n; done < len && from < USER_END; done += n, from += n) {
        u32 *pte = pte_get(mm, from, false);
        if (!pte || !(*pte & PTE_HELD))
            break;
        n = MIN(len - done, PAGE_SIZE - (from & (PAGE_SIZE - 1)));
        memcpy((char *)buf + done, phys_to_virt(*pte & PAGE_MASK) + (from & (PAGE_SIZE - 1)), n);
    }
    return done;
}

bool mm_range_free(struct mm *mm, virt_t start, virt_t end)
{
    struct vma *v;
    TAILQ_FOREACH (v, &mm->vmas, link)
        if (v->start < end && v->end > start)
            return false;
    return true;
}

virt_t mm_find_free(struct mm *mm, u32 len)
{
    virt_t top = MMAP_TOP;
    struct vma *v;
    TAILQ_FOREACH_REVERSE (v, &mm->vmas, vma_list, link) {
        if (v->start >= top)
            continue;
        if (v->end <= top && top - v->end >= len)
            return top - len;
        top = v->start;
    }
    return top > len && top - len >= PAGE_SIZE ? top - len : 0;
}

static void fork_page(struct mm *to, u32 *pte, u32 *copy, bool shared)
{
    if (is_swap_entry(*pte)) {
        swap_hold(*pte);
        to->nr_swapped++;
    } else {
        if (!shared)
            *pte &= ~PTE_WRITE;
        page_get(phys_page(*pte & PAGE_MASK), HOLD_MAP);
        to->nr_pages++;
    }
    *copy = *pte;
}

/* Private pages become shared read-only in both spaces; the first to write makes its copy. */
static int fork_pages(struct mm *to, struct mm *from, const struct vma *v)
{
    for (virt_t va = v->start; va < v->end;) {
        u32 *pte = pte_get(from, va, false);
        if (!pte) {
            va = (va & ~(TABLE_SPAN - 1)) + TABLE_SPAN;
            continue;
        }
        if (*pte) {
            u32 *copy = pte_get(to, va, true);
            if (!copy)
                return -ENOMEM;
            fork_page(to, pte, copy, v->shared);
        }
        va += PAGE_SIZE;
    }
    return 0;
}

struct mm *mm_fork(struct mm *from)
{
    pin_wait(from);
    struct mm *to = mm_new();
    if (!to)
        return NULL;
    to->brk_start = from->brk_start;
    to->brk = from->brk;
    to->arg_start = from->arg_start;
    to->arg_end = from->arg_end;
    to->env_start = from->env_start;
    to->env_end = from->env_end;
    to->start_stack = from->start_stack;
    to->exe = from->exe ? inode_run(from->exe) : NULL;
    struct vma *v;
    TAILQ_FOREACH (v, &from->vmas, link) {
        if (v->dont_fork)
            continue;
        struct vma *copy = vma_new(to, v);
        if (!copy)
            goto fail;
        copy->locked = false; /* mlock(2): a child inherits no locks */
        TAILQ_INSERT_TAIL(&to->vmas, copy, link);
        if (!v->wipe_on_fork && fork_pages(to, from, v) < 0)
            goto fail;
    }
    tlb_flush_all();
    return to;
fail:
    tlb_flush_all();
    mm_put(to);
    return NULL;
}
