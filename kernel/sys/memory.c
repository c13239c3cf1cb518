/*
 * Calls on a program's memory that belong to no path: the break, advice, what is present.
 * brk(2), madvise(2), mincore(2), msync(2).
 */
#include <linux/mman.h>
#include "kernel/cache/cache.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/scan.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/sys.h"

/* brk(2) of the kernel: answers the break as it is then, moved or not. */
long sys_brk(u32 to)
{
    struct mm *mm = current->mm;
    if (to < mm->brk_start || to > MMAP_TOP)
        return mm->brk;
    virt_t old_end = ROUND_UP(mm->brk, PAGE_SIZE), new_end = ROUND_UP(to, PAGE_SIZE);
    if (new_end > old_end) {
        if (!mm_range_free(mm, old_end, new_end) ||
            mm_may_grow(mm, new_end - old_end, true, false) < 0 ||
            (mm->lock_future && !mm_may_lock(mm, (new_end - old_end) >> PAGE_SHIFT)) ||
            vma_add(mm, old_end, new_end, PROT_READ | PROT_WRITE, false, NULL, 0) < 0)
            return mm->brk;
    } else if (new_end < old_end && mm_unmap(mm, new_end, old_end) < 0) {
        return mm->brk;
    }
    mm->brk = to;
    if (mm->lock_future && new_end > old_end) {
        (void)mm_lock(mm, old_end, new_end, true);
        if (!mm->lock_on_fault)
            (void)mm_populate(old_end, new_end, POPULATE_USE);
    }
    return to;
}

/* Is every page of the range mapped? */
static bool all_mapped(virt_t start, virt_t end)
{
    while (start < end) {
        struct vma *v = vma_find(current->mm, start);
        if (!v)
            return false;
        start = v->end;
    }
    return true;
}

/* Rounds a range to pages; false where it does not end below the kernel. */
static bool range_ok(u32 address, u32 *len)
{
    u32 rounded = ROUND_UP(*len, PAGE_SIZE);
    if (rounded < *len || address > USER_END || rounded > USER_END - address)
        return false;
    *len = rounded;
    return true;
}

enum advice {
    ADVICE_NONE,
    ADVICE_READAHEAD,
    ADVICE_WILL_NEED,
    ADVICE_PAGE_OUT,
    ADVICE_DISCARD,
    ADVICE_POPULATE,
    ADVICE_FORK
};

/* What a region may be told, and what that means; negative: not that region. */
static int check_advice(const struct vma *v, u32 advice)
{
    switch (advice) {
    case MADV_NORMAL:
    case MADV_RANDOM:
    case MADV_SEQUENTIAL:
        return v->inode ? ADVICE_READAHEAD : ADVICE_NONE;
    case MADV_COLD:
    case MADV_PAGEOUT:
        return ADVICE_PAGE_OUT;
    case MADV_WILLNEED:
        return v->inode ? ADVICE_WILL_NEED : ADVICE_NONE;
    case MADV_DONTDUMP: /* no core is ever dumped */
    case MADV_DODUMP:
        return ADVICE_NONE;
    case MADV_FREE: /* may come back as zeroes at once */
        return v->inode || v->locked ? -EINVAL : ADVICE_DISCARD;
    case MADV_DONTNEED:
        return v->locked ? -EINVAL : ADVICE_DISCARD;
    case MADV_DONTNEED_LOCKED:
        return ADVICE_DISCARD;
    case MADV_POPULATE_READ:
        return v->prot & PROT_READ ? ADVICE_POPULATE : -EFAULT;
    case MADV_POPULATE_WRITE:
        return v->prot & PROT_WRITE ? ADVICE_POPULATE : -EFAULT;
    case MADV_WIPEONFORK:
        return v->inode ? -EINVAL : ADVICE_FORK;
    case MADV_DONTFORK:
    case MADV_DOFORK:
    case MADV_KEEPONFORK:
        return ADVICE_FORK;
    default:
        return -EINVAL;
    }
}

/* How faults read ahead; the region may have to become several. */
static int set_readahead(struct mm *mm, virt_t start, virt_t end, u32 advice)
{
    enum readahead_advice how = advice == MADV_RANDOM       ? READAHEAD_RANDOM
                                : advice == MADV_SEQUENTIAL ? READAHEAD_SEQUENTIAL
                                                            : READAHEAD_NORMAL;
    struct vma *v = vma_find(mm, start);
    if (v->ra.advice == how)
        return 0;
    v = vma_cut(mm, start, end);
    if (!v)
        return -ENOMEM;
    v->ra.advice = how;
    return 0;
}

static int will_need(const struct vma *v, virt_t start, virt_t end)
{
    u32 first = v->pgoff + ((start - v->start) >> PAGE_SHIFT);
    struct inode *inode = inode_hold(v->inode);
    cache_will_need(&inode->mapping, first, first + ((end - start) >> PAGE_SHIFT));
    inode_put(inode);
    return 0;
}

/* On a part of one region. */
static int advise(struct mm *mm, virt_t start, virt_t end, u32 advice)
{
    struct vma *v = vma_find(mm, start);
    int what = check_advice(v, advice);
    switch (what) {
    case ADVICE_READAHEAD:
        return set_readahead(mm, start, end, advice);
    case ADVICE_PAGE_OUT:
        if (v->locked)
            return -EINVAL;
        mm_page_out(mm, start, end, advice == MADV_PAGEOUT);
        return 0;
    case ADVICE_WILL_NEED:
        return will_need(v, start, end);
    case ADVICE_DISCARD:
        return mm_discard(mm, start, end);
    case ADVICE_POPULATE:
        return mm_populate(start, end,
                           advice == MADV_POPULATE_WRITE ? POPULATE_WRITE : POPULATE_READ);
    case ADVICE_FORK:
        v = vma_cut(mm, start, end);
        if (!v)
            return -ENOMEM;
        if (advice == MADV_DONTFORK || advice == MADV_DOFORK)
            v->dont_fork = advice == MADV_DONTFORK;
        else
            v->wipe_on_fork = advice == MADV_WIPEONFORK;
        return 0;
    default:
        return what;
    }
}

/* Holes are passed over and reported at the end, as on Linux. */
long sys_madvise(u32 address, u32 len, u32 advice)
{
    struct mm *mm = current->mm;
    static const struct vma any = {.prot = PROT_READ | PROT_WRITE};
    if (address & (PAGE_SIZE - 1) || check_advice(&any, advice) == -EINVAL ||
        !range_ok(address, &len))
        return -EINVAL;
    int hole = 0;
    virt_t end = address + len;
    for (virt_t at = address, next; at < end; at = next) {
        struct vma *v = vma_find(mm, at);
        if (!v) {
            hole = -ENOMEM;
            next = mm_next_start(mm, at);
            continue;
        }
        next = MIN(end, v->end);
        int err = advise(mm, at, next, advice);
        if (err)
            return err;
    }
    return hole;
}

/* What others read of a file is for its owner, and who may write it (mincore(2)). */
static bool may_tell(const struct inode *inode)
{
    return inode_owned(inode) || inode_permission(inode, MAY_WRITE) == 0;
}

static u8 is_present(struct mm *mm, virt_t at)
{
    u32 *pte = pte_get(mm, at, false);
    const struct vma *v = vma_find(mm, at);
    if (v && v->inode && !may_tell(v->inode))
        return 1;
    if (pte && (*pte & PTE_HELD))
        return 1;
    if (pte && *pte)
        return swap_is_cached(*pte);
    if (!v || !v->inode)
        return 0;
    return cache_peek(&v->inode->mapping, v->pgoff + ((at - v->start) >> PAGE_SHIFT)) != NULL;
}

long sys_mincore(u32 address, u32 len, u8 __user *vec)
{
    if (address & (PAGE_SIZE - 1))
        return -EINVAL;
    if (!range_ok(address, &len))
        return -ENOMEM;
    for (u32 at = 0; at < len;) {
        u8 answer[64];
        u32 n = 0, first = at;
        for (; n < sizeof(answer) && at < len; at += PAGE_SIZE) {
            if (!vma_find(current->mm, address + at))
                return -ENOMEM;
            answer[n++] = is_present(current->mm, address + at);
        }
        if (copyout(vec + (first >> PAGE_SHIFT), answer, n) < 0)
            return -EFAULT;
    }
    return 0;
}

/* What programs write to shared pages is in the file at once; MS_SYNC brings it to the disk. */
static int sync_range(virt_t from, virt_t end)
{
    int err = 0;
    for (virt_t at = from; at < end && !err;) {
        struct vma *v = vma_find(current->mm, at);
        if (!v) /* unmapped by another thread while we slept */
            return -ENOMEM;
        virt_t next = v->end;
        if (v->shared && v->inode) {
            struct inode *inode = inode_hold(v->inode);
            struct errors_told told = v->told;
            err = vfs_fsync(inode, &told, true);
            if ((v = vma_find(current->mm, at)) && v->inode == inode)
                v->told = told;
            inode_put(inode);
        }
        at = next;
    }
    return err;
}

long sys_msync(u32 address, u32 len, u32 flags)
{
    if (flags & ~(u32)(MS_ASYNC | MS_INVALIDATE | MS_SYNC) ||
        (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC) || address & (PAGE_SIZE - 1))
        return -EINVAL;
    if (!range_ok(address, &len) || !all_mapped(address, address + len))
        return -ENOMEM;
    return flags & MS_SYNC ? sync_range(address, address + len) : 0;
}
