/*
 * Memory that stays: mlock(2), munlock(2), mlockall(2), MAP_LOCKED.
 *
 * To be locked is a property of regions; the clock hand of reclaim passes them over (scan.c). What
 * becomes locked is brought in at once, unless that shall wait for its first use (MLOCK_ONFAULT).
 * A program without CAP_IPC_LOCK may lock RLIMIT_MEMLOCK bytes.
 */
#include <linux/capability.h>
#include <linux/mman.h>
#include <linux/resource.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/process.h"
#include "kernel/sys/sys.h"

u32 mm_locked(const struct mm *mm)
{
    const struct vma *v;
    u32 n = 0;
    TAILQ_FOREACH (v, &mm->vmas, link)
        n += v->locked ? (v->end - v->start) >> PAGE_SHIFT : 0;
    return n;
}

static u32 limit(void)
{
    return current->process->limits[RLIMIT_MEMLOCK].soft;
}

bool may_lock(void)
{
    return limit() || capable(CAP_IPC_LOCK);
}

bool mm_may_lock(const struct mm *mm, u32 pages)
{
    return limit() == RLIM_INFINITY_32 || mm_locked(mm) + pages <= limit() >> PAGE_SHIFT ||
           capable(CAP_IPC_LOCK);
}

/* How much of a range is locked already. */
static u32 locked_in(const struct mm *mm, virt_t start, virt_t end)
{
    const struct vma *v;
    u32 n = 0;
    TAILQ_FOREACH (v, &mm->vmas, link)
        if (v->locked && v->start < end && v->end > start)
            n += (MIN(v->end, end) - MAX(v->start, start)) >> PAGE_SHIFT;
    return n;
}

int mm_lock(struct mm *mm, virt_t start, virt_t end, bool locked)
{
    for (virt_t at = start; at < end;) {
        struct vma *v = vma_find(mm, at);
        if (!v)
            return -ENOMEM;
        virt_t next = MIN(v->end, end);
        if (v->locked != locked) {
            v = vma_cut(mm, at, next);
            if (!v)
                return -ENOMEM;
            v->locked = locked;
        }
        at = next;
    }
    return 0;
}

/* To whole pages; 0, -EINVAL or -ENOMEM (it does not end below the kernel). */
static int whole_pages(u32 *address, u32 *len)
{
    u32 inside = *address & (PAGE_SIZE - 1);
    u32 rounded = ROUND_UP(*len + inside, PAGE_SIZE);
    *address -= inside;
    if (rounded < *len || *address + rounded < *address)
        return -EINVAL;
    *len = rounded;
    return *address > USER_END || rounded > USER_END - *address ? -ENOMEM : 0;
}

long sys_mlock2(u32 address, u32 len, u32 flags)
{
    struct mm *mm = current->mm;
    if (flags & ~(u32)MLOCK_ONFAULT)
        return -EINVAL;
    if (!may_lock())
        return -EPERM;
    int err = whole_pages(&address, &len);
    if (err)
        return err;
    u32 pages = (len >> PAGE_SHIFT) - locked_in(mm, address, address + len);
    if (!mm_may_lock(mm, pages))
        return -ENOMEM;
    err = mm_lock(mm, address, address + len, true);
    if (err || (flags & MLOCK_ONFAULT))
        return err;
    err = mm_populate(address, address + len, POPULATE_USE);
    return err == -ENOMEM ? -EAGAIN : err == -EFAULT ? -ENOMEM : err; /* as POSIX has them */
}

long sys_mlock(u32 address, u32 len)
{
    return sys_mlock2(address, len, 0);
}

long sys_munlock(u32 address, u32 len)
{
    int err = whole_pages(&address, &len);
    return err ? err : mm_lock(current->mm, address, address + len, false);
}

/* All regions there are. What cannot be brought in now is no error. */
static void lock_all(struct mm *mm, bool locked, bool populate)
{
    for (virt_t at = mm_next_start(mm, 0); at < USER_END; at = mm_next_start(mm, at)) {
        struct vma *v = vma_find(mm, at);
        v->locked = locked;
        virt_t start = at;
        at = v->end;
        if (populate)
            (void)mm_populate(start, at, POPULATE_USE);
    }
}

long sys_mlockall(u32 flags)
{
    struct mm *mm = current->mm;
    if (!flags || flags == MCL_ONFAULT || flags & ~(u32)(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
        return -EINVAL;
    if (!may_lock())
        return -EPERM;
    u32 all = 0;
    const struct vma *v;
    TAILQ_FOREACH (v, &mm->vmas, link)
        all += (v->end - v->start) >> PAGE_SHIFT;
    if ((flags & MCL_CURRENT) && !mm_may_lock(mm, all - mm_locked(mm)))
        return -ENOMEM;
    mm->lock_future = flags & MCL_FUTURE;
    mm->lock_on_fault = flags & MCL_ONFAULT;
    if (flags & MCL_CURRENT)
        lock_all(mm, true, !mm->lock_on_fault);
    return 0;
}

long sys_munlockall(void)
{
    current->mm->lock_future = false;
    lock_all(current->mm, false, false);
    return 0;
}
