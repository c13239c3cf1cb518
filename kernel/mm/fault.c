/*
 * Page faults. Five cases: a page of a file (kernel/paths/mmap.c brings it), a fresh anonymous
 * page, one that is in swap, a write to a page shared by copy-on-write, and the stack growing down.
 * Whatever is left is the program's mistake.
 */
#include <linux/mman.h>
#include <linux/resource.h>
#include "kernel/fs/vfs.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/pin.h"
#include "kernel/mm/swap.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/oom.h"
#include "kernel/proc/process.h"

enum { SIGNAL_KILL = 9, SIGNAL_BUS = 7, SIGNAL_SEGV = 11 };

#define STACK_GAP (256 * PAGE_SIZE) /* between a stack and what can be touched below it */

/* Linux lets the stack grow to any address within its limit; so do we. */
static struct vma *grow_stack(struct mm *mm, virt_t address)
{
    struct vma *v, *below = NULL;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        if (v->start > address)
            break;
        below = v;
    }
    virt_t page = address & PAGE_MASK;
    if (!v || !v->grows_down || v->end - page > current->process->limits[RLIMIT_STACK].soft ||
        mm_may_grow(mm, v->start - page, false, true) < 0)
        return NULL;
    if (below && below->prot && !below->grows_down && page - below->end < STACK_GAP)
        return NULL;
    v->start = page;
    return v;
}

static int anonymous_page(struct mm *mm, u32 *pte, u32 bits)
{
    struct page *page = page_alloc_zeroed(PAGE_ANON, HOLD_MAP);
    if (!page)
        return SIGNAL_KILL;
    *pte = page_phys(page) | bits | PTE_ACCESSED;
    mm->nr_pages++;
    return 0;
}

/* The entry is present and read-only, the region writable. */
static int copy_on_write(u32 *pte, virt_t address)
{
    struct page *old = phys_page(*pte & PAGE_MASK);
    if (old->kind != PAGE_ANON || (old->refs > 1 && !swap_take(old))) {
        if (current->mm->pins) { /* perhaps a device is just filling `old` for us */
            pin_wait(current->mm);
            return 0; /* all may have changed: the program touches it again */
        }
        struct page *copy = page_alloc(PAGE_ANON, HOLD_MAP);
        if (!copy)
            return SIGNAL_KILL;
        copy_pages(old->kind == PAGE_CACHE ? EDGE_CACHE_USER : EDGE_USER_USER,
                   (struct frag){copy, 0, PAGE_SIZE}, (struct frag){old, 0, PAGE_SIZE});
        *pte = page_phys(copy) | (*pte & ~PAGE_MASK);
        anon_unmap(old);
    }
    *pte |= PTE_WRITE | PTE_DIRTY | PTE_ACCESSED;
    tlb_flush_page(address);
    return 0;
}

/* The entry of that address, and those of swap behind it in its region and page table. */
static u32 swap_entries(struct mm *mm, virt_t address, u32 *entries)
{
    const struct vma *v = vma_find(mm, address);
    const u32 *pte = pte_get(mm, address, false);
    u32 nr = 0, left = MIN(1024 - (address >> 12 & 1023), SWAP_CLUSTER);
    left = v ? MIN(left, (v->end - (address & PAGE_MASK)) >> PAGE_SHIFT) : 1;
    for (u32 i = 0; i < left; i++)
        if (is_swap_entry(pte[i]))
            entries[nr++] = pte[i];
    return nr;
}

int mm_swap_in(struct mm *mm, virt_t address, bool *did_io)
{
    u32 entries[SWAP_CLUSTER];
    u32 nr = swap_entries(mm, address, entries), entry = entries[0];
    struct page *page;
    int err = swap_read(entries, nr, &page, did_io);
    if (err)
        return err;
    u32 *pte = pte_get(mm, address, false); /* all may have changed while that slept */
    const struct vma *v = vma_find(mm, address);
    if (pte && *pte == entry && is_swap_page(page) && swap_entry(page) == entry && v) {
        u32 present = v->prot == PROT_NONE ? PTE_NONE : PTE_PRESENT; /* swapoff asks for any page */
        *pte = page_phys(page) | present | PTE_USER | PTE_ACCESSED;
        page_get(page, HOLD_MAP);
        mm->nr_pages++;
        mm->nr_swapped--;
        swap_release(entry);
    }
    page_put(page, HOLD_USE);
    return 0;
}

/* The entry names a slot of swap. */
static int swapped_page(struct mm *mm, virt_t address, bool write, bool *did_io)
{
    int err = mm_swap_in(mm, address, did_io);
    if (err)
        return err == -ENOMEM ? SIGNAL_KILL : SIGNAL_BUS;
    u32 *pte = pte_get(mm, address, false);
    struct vma *v = vma_find(mm, address);
    if (!pte || !(*pte & PTE_PRESENT) || !v || !(v->prot & PROT_WRITE))
        return 0; /* another thread was at it: the program touches it again */
    if (write)
        return copy_on_write(pte, address);
    if (swap_is_scarce())
        (void)swap_take(phys_page(*pte & PAGE_MASK));
    return 0;
}

/* The entry is present, region and file are shared: the file hears of the write first. */
static int write_shared(struct mm *mm, struct vma *v, virt_t address)
{
    int err = mmap_make_writable(mm, v, address);
    return err == -ENOMEM ? SIGNAL_KILL : err < 0 ? SIGNAL_BUS : 0;
}

static int resolve(struct mm *mm, virt_t address, u32 error, bool *did_io)
{
    struct vma *v = vma_find(mm, address);
    if (!v && !(v = grow_stack(mm, address)))
        return SIGNAL_SEGV;
    bool write = error & FAULT_WRITE;
    u32 wanted = write                 ? PROT_WRITE
                 : error & FAULT_FETCH ? PROT_EXEC
                                       : PROT_READ | PROT_WRITE | PROT_EXEC;
    if (!(v->prot & wanted))
        return SIGNAL_SEGV;

    u32 *pte = pte_get(mm, address, true);
    if (!pte)
        return SIGNAL_KILL;
    if (*pte & PTE_NONE) /* was PROT_NONE for a while */
        *pte = (*pte & ~PTE_NONE) | PTE_PRESENT;
    if (*pte & PTE_PRESENT) {
        if (write && !(*pte & PTE_WRITE)) {
            return v->shared ? write_shared(mm, v, address) : copy_on_write(pte, address);
        }
        tlb_flush_page(address);
        return 0;
    }
    if (is_swap_entry(*pte))
        return swapped_page(mm, address, write, did_io);
    u32 bits = PTE_PRESENT | PTE_USER | (v->prot & PROT_WRITE ? PTE_WRITE : 0);
    if (!v->inode)
        return anonymous_page(mm, pte, bits);

    int err = mmap_fault(mm, v, address, did_io);
    if (err == -EAGAIN) /* the region has changed meanwhile: the program touches it again */
        return 0;
    if (err == -ENOMEM)
        return SIGNAL_KILL;
    if (err < 0)
        return SIGNAL_BUS;
    if (write && v->shared)
        return write_shared(mm, v, address);
    pte = pte_get(mm, address, false);
    if (write && (*pte & PTE_PRESENT))
        return copy_on_write(pte, address);
    return 0;
}

int fault_handle(u32 address, u32 error, bool from_user)
{
    struct mm *mm = current->mm;
    bool did_io = false;
    frames_refill();
    int signal = !mm || address >= USER_END ? SIGNAL_SEGV : resolve(mm, address, error, &did_io);
    ledger_entry(account_current(), did_io ? ENTRY_MAJOR_FAULT : ENTRY_MINOR_FAULT);
    while (signal == SIGNAL_KILL && (frames_wait() || out_of_memory()))
        signal = resolve(mm, address, error, &did_io);
    return signal;
}

int mm_touch(virt_t address, bool write)
{
    bool did_io = false;
    int signal;
    frames_refill();
    do
        signal = resolve(current->mm, address, write ? FAULT_WRITE : 0, &did_io);
    while (signal == SIGNAL_KILL && (frames_wait() || out_of_memory()));
    return signal == SIGNAL_KILL ? -ENOMEM : signal ? -EFAULT : 0;
}

int mm_populate(virt_t start, virt_t end, enum populate how)
{
    struct mm *mm = current->mm;
    for (virt_t va = start; va < end; va += PAGE_SIZE) {
        const struct vma *v = vma_find(mm, va);
        bool own = v && !v->shared && (v->prot & PROT_WRITE), did_io = false;
        bool write = how == POPULATE_WRITE || (how == POPULATE_USE && own);
        const u32 *pte = pte_get(mm, va, false);
        if (pte && (*pte & PTE_PRESENT) && (!write || (*pte & PTE_WRITE)))
            continue;
        if (nr_free_frames < 4 * ATOMIC_RESERVE && !frames_wait()) /* for who really touches it */
            return -ENOMEM;
        int signal = resolve(mm, va, write ? FAULT_WRITE : 0, &did_io);
        if (signal)
            return signal == SIGNAL_KILL ? -ENOMEM : -EFAULT;
        if (task_pause())
            return -EINTR;
    }
    return 0;
}
