/*
 * mremap(2): a region grows, shrinks, or moves elsewhere with its pages. Nothing is copied: page
 * table entries change their place.
 */
#include <linux/mman.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/task.h"
#include "kernel/sys/sys.h"

/* The tables at the new place first: after that nothing can fail. */
static int move_pages(struct mm *mm, virt_t from, virt_t to, u32 len)
{
    for (u32 at = 0; at < len; at += PAGE_SIZE) {
        u32 *pte = pte_get(mm, from + at, false);
        if (pte && *pte && !pte_get(mm, to + at, true))
            return -ENOMEM;
    }
    for (u32 at = 0; at < len; at += PAGE_SIZE) {
        u32 *pte = pte_get(mm, from + at, false);
        if (pte && *pte) { /* of a page, or of its slot in swap */
            *pte_get(mm, to + at, false) = *pte;
            *pte = 0;
        }
    }
    tlb_flush_all();
    return 0;
}

/* What of the region from `address` on becomes new_len long at `to`, where nothing is. With
 * old_len 0 a shared region gets a second place. */
static int move(struct mm *mm, virt_t address, u32 old_len, virt_t to, u32 new_len, u32 flags)
{
    struct vma *v = vma_find(mm, address);
    u32 pgoff = v->pgoff + ((address - v->start) >> PAGE_SHIFT);
    int err = vma_copy(mm, v, to, to + new_len, pgoff);
    if (err)
        return err;
    err = move_pages(mm, address, to, MIN(old_len, new_len));
    if (err) {
        mm_unmap(mm, to, to + new_len);
        return err;
    }
    bool locked = v->locked;
    if (old_len && !(flags & MREMAP_DONTUNMAP))
        err = mm_unmap(mm, address, address + old_len);
    if (!err && locked) /* also what it has grown by */
        (void)mm_populate(to, to + new_len, POPULATE_USE);
    return err;
}

/* May what begins at `address` become new_len long? As Linux's vma_to_resize. */
static int check_resize(struct mm *mm, const struct vma *v, virt_t address, u32 old_len,
                        u32 new_len)
{
    if (!old_len && !v->shared)
        return -EINVAL;
    if (old_len > v->end - address)
        return -EFAULT;
    u32 pgoff = v->pgoff + ((address - v->start) >> PAGE_SHIFT);
    if (v->inode && pgoff + (new_len >> PAGE_SHIFT) < pgoff)
        return -EINVAL;
    if (v->locked && new_len > old_len && !mm_may_lock(mm, (new_len - old_len) >> PAGE_SHIFT))
        return -EAGAIN;
    bool data = (v->prot & PROT_WRITE) && !v->shared;
    return new_len > old_len ? mm_may_grow(mm, new_len - old_len, data, v->inode) : 0;
}

static long remap_fixed(struct mm *mm, virt_t address, u32 old_len, u32 new_len, u32 flags,
                        virt_t to)
{
    if (to & (PAGE_SIZE - 1) || to >= USER_END || new_len > USER_END - to)
        return -EINVAL;
    if (to < address + old_len && address < to + new_len)
        return -EINVAL; /* they overlap */
    if (to < PAGE_SIZE)
        return -EPERM;
    int err = mm_unmap(mm, to, to + new_len);
    if (!err && old_len > new_len) {
        err = mm_unmap(mm, address + new_len, address + old_len);
        old_len = new_len;
    }
    struct vma *v = err ? NULL : vma_find(mm, address);
    if (!err)
        err = v ? check_resize(mm, v, address, old_len, new_len) : -EFAULT;
    if (!err)
        err = move(mm, address, old_len, to, new_len, flags);
    return err ? err : (long)to;
}

long sys_mremap(u32 address, u32 old_len, u32 new_len, u32 flags, u32 to)
{
    struct mm *mm = current->mm;
    if (flags & ~(u32)(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) ||
        ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE)) ||
        address & (PAGE_SIZE - 1))
        return -EINVAL;
    old_len = ROUND_UP(old_len, PAGE_SIZE);
    new_len = ROUND_UP(new_len, PAGE_SIZE);
    if (!new_len || ((flags & MREMAP_DONTUNMAP) && old_len != new_len))
        return -EINVAL;
    struct vma *v = vma_find(mm, address);
    if (!v)
        return -EFAULT;
    if (flags & MREMAP_FIXED)
        return remap_fixed(mm, address, old_len, new_len, flags, to);

    if (old_len >= new_len && !(flags & MREMAP_DONTUNMAP)) {
        int err = old_len > new_len ? mm_unmap(mm, address + new_len, address + old_len) : 0;
        return err ? err : (long)address;
    }
    int err = check_resize(mm, v, address, old_len, new_len);
    if (err)
        return err;
    if (!(flags & MREMAP_DONTUNMAP) && old_len == v->end - address &&
        new_len <= USER_END - address && mm_range_free(mm, v->end, address + new_len)) {
        v->end = address + new_len;
        if (v->locked)
            (void)mm_populate(address + old_len, address + new_len, POPULATE_USE);
        return address;
    }
    if (!(flags & MREMAP_MAYMOVE) || !(to = mm_find_free(mm, new_len)))
        return -ENOMEM;
    err = move(mm, address, old_len, to, new_len, flags);
    return err ? err : (long)to;
}
