/*
 * The frames of the machine as Linux's tools see them: 8 bytes a frame, frame n's at 8 n
 * (Documentation/admin-guide/mm/pagemap.rst).
 *
 *     /proc/kpagecount     how many page table entries of programs lead to the frame
 *     /proc/kpageflags     what it is used for, in bits of <linux/kernel-page-flags.h>
 *
 * Nothing is kept for this: entries are counted in all programs' tables when somebody asks.
 */
#include <linux/kernel-page-flags.h>
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/scan.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/uaccess.h"

#define RECORDS (PAGE_SIZE / sizeof(u64))

static void count_table(const u32 *table, u32 first, u32 nr, u64 *counts)
{
    for (u32 i = 0; i < 1024; i++) {
        u32 frame = (table[i] >> PAGE_SHIFT) - first;
        if (table[i] & PTE_HELD && frame < nr)
            counts[frame]++;
    }
}

static void count_entries(u32 first, u32 nr, u64 *counts)
{
    memset(counts, 0, nr * sizeof(*counts));
    for (struct mm *mm = mm_next(NULL); mm; mm = mm_next(mm))
        for (u32 i = 0; i < USER_END >> 22; i++)
            if (mm->pgdir[i] & PTE_PRESENT)
                count_table(phys_to_virt(mm->pgdir[i] & PAGE_MASK), first, nr, counts);
}

#define BIT(n) ((u64)1 << (n))

static u64 flags_of(const struct page *p)
{
    static const u8 same[] = {/* enum page_flags, from bit 0 on; those without a name there: 63 */
                              KPF_UPTODATE,   KPF_LOCKED, KPF_ERROR,     KPF_DIRTY,
                              KPF_REFERENCED, 63,         KPF_WRITEBACK, 63};
    u64 flags = 0;
    if (p->kind == PAGE_FREE)
        return BIT(KPF_BUDDY);
    if (p->kind == PAGE_ANON)
        return BIT(KPF_ANON) | BIT(KPF_SWAPBACKED) | BIT(KPF_UPTODATE) | BIT(KPF_MMAP);
    if (p->kind != PAGE_CACHE)
        return 0;
    for (u32 i = 0; i < ARRAY_LEN(same); i++)
        if (p->flags >> i & 1 && same[i] != 63)
            flags |= BIT(same[i]);
    if (p->mapping)
        flags |= BIT(KPF_LRU) | (p->active ? BIT(KPF_ACTIVE) : 0);
    if (p->refs > 1) /* beside the cache: rarely for long by anything but a mapping */
        flags |= BIT(KPF_MMAP);
    if (is_swap_page(p))
        flags |= BIT(KPF_ANON) | BIT(KPF_SWAPCACHE) | BIT(KPF_SWAPBACKED);
    return flags;
}

static void find_flags(u32 first, u32 nr, u64 *flags)
{
    for (u32 i = 0; i < nr; i++)
        flags[i] = flags_of(&pages[first + i]);
}

static ssize_t read_frames(void __user *buf, size_t len, u64 *pos,
                           void (*make)(u32 first, u32 nr, u64 *records))
{
    if (*pos % sizeof(u64) || len % sizeof(u64))
        return -EINVAL;
    u64 *records = kmalloc(PAGE_SIZE);
    if (!records)
        return -ENOMEM;
    size_t done = 0;
    while (done < len && *pos / sizeof(u64) < nr_frames && !task_pause()) {
        u32 first = (u32)(*pos / sizeof(u64));
        u32 nr = MIN(MIN(RECORDS, (len - done) / sizeof(u64)), nr_frames - first);
        make(first, nr, records);
        if (copyout((char __user *)buf + done, records, nr * sizeof(u64)) < 0) {
            kfree(records);
            return done ? (ssize_t)done : -EFAULT;
        }
        done += nr * sizeof(u64);
        *pos += nr * sizeof(u64);
    }
    kfree(records);
    return done;
}

static ssize_t kpagecount_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    return read_frames(buf, len, pos, count_entries);
}

static ssize_t kpageflags_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    return read_frames(buf, len, pos, find_flags);
}

const struct file_ops kpagecount_fops = {.read = kpagecount_read};
const struct file_ops kpageflags_fops = {.read = kpageflags_read};
