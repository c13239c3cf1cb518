/*
 * A program's page tables, one record for each page of its address space, page n's at n times the
 * record's size:
 *
 *     /proc/<pid>/pagemap     8 bytes, as on Linux (Documentation/admin-guide/mm/pagemap.rst)
 *     /proc/<pid>/pagetable   struct page_view below, Ferry's own: the entries as the CPU sees them
 */
#include <linux/capability.h>
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/uaccess.h"

/* All of it in the CPU's byte order; user/pages.c reads it. */
struct page_view {
    u32 directory_entry; /* SDM vol. 3, 4.3, tables 4-5 and 4-6; 0: no table */
    u32 table_entry;  /* 0: nothing is there yet. Not present, but not 0: PTE_NONE is set while the
                       * program may not touch the page, else it names a slot of swap (swap.h) */
    u32 refs;         /* to the frame, by whoever; in swap: entries that name the slot */
    u32 kind;         /* enum page_kind; this and the rest are 0 without a frame */
    u32 flags;        /* enum page_flags */
    u32 inode, index; /* PAGE_CACHE: which page of which file; inode 0: of a device, or gone */
    u32 slot;         /* the page is in swap and in memory: the entry of its slot */
};

#define RECORD_MAX sizeof(struct page_view)

static bool is_of_file(const struct page *page)
{
    return page->kind == PAGE_CACHE && !is_swap_page(page);
}

/* Nobody but this entry has it mapped, nor has any other use for it. */
static bool is_exclusive(const struct page *page)
{
    return page->refs == 1u + (page->kind == PAGE_CACHE && page->mapping);
}

/* Bit 63: present; 61: of a file, or shared; 56: mapped here alone; 0-54: frame number, for who may
 * know it. Bit 62: in swap; 5-54: its slot, 0-4: of which area. */
static void linux_record(struct mm *mm, u32 page, void *record)
{
    u64 *entry = record;
    const u32 *pte = pte_get(mm, page << PAGE_SHIFT, false);
    *entry = 0;
    if (pte && is_swap_entry(*pte))
        *entry = (u64)1 << 62 | (u64)(*pte >> PAGE_SHIFT) << 5 | (*pte >> 1 & 31);
    if (!pte || !(*pte & PTE_HELD))
        return;
    const struct page *frame = phys_page(*pte & PAGE_MASK);
    *entry = (u64)1 << 63 | (u64)is_of_file(frame) << 61 | (u64)is_exclusive(frame) << 56;
    if (capable(CAP_SYS_ADMIN))
        *entry |= *pte >> PAGE_SHIFT;
}

static void ferry_record(struct mm *mm, u32 page, void *record)
{
    struct page_view *view = record;
    const u32 *pte = pte_get(mm, page << PAGE_SHIFT, false);
    *view = (struct page_view){.directory_entry = mm->pgdir[page / 1024]};
    if (!pte)
        return;
    view->table_entry = *pte;
    if (is_swap_entry(*pte)) {
        view->refs = swap_count(*pte);
        view->slot = swap_is_cached(*pte) ? *pte : 0;
    }
    if (!(*pte & PTE_HELD) || *pte >> PAGE_SHIFT >= nr_frames) /* a device's registers */
        return;
    const struct page *frame = phys_page(*pte & PAGE_MASK);
    view->refs = frame->refs;
    view->kind = frame->kind;
    view->flags = frame->flags;
    if (is_of_file(frame)) {
        const struct mapping *m = frame->mapping;
        view->index = frame->index;
        view->inode =
            m && (m->in_ram || !m->is_metadata) ? ((const struct inode *)m->host)->ino : 0;
    } else if (frame->kind == PAGE_CACHE) {
        view->kind = PAGE_ANON;
        view->slot = swap_entry(frame);
    }
}

/* In pieces, and the process is looked up for each: it may go while a copy sleeps. There are `end`
 * records. */
static ssize_t read_records(struct file *f, void __user *buf, size_t len, u64 *pos, u32 size,
                            u32 end, void (*make)(struct mm *, u32, void *))
{
    if (*pos % size || len % size)
        return -EINVAL;
    size_t done = 0;
    while (done < len) {
        u8 records[8 * RECORD_MAX] __attribute__((aligned(8)));
        u64 page = *pos / size;
        u32 n = 0;
        struct subject s;
        if (!subject_find(f->inode->ino, &s))
            return done ? (ssize_t)done : -ESRCH;
        struct mm *mm = s.task ? s.task->mm : NULL;
        for (; (n + 1) * size <= sizeof(records) && done + n * size < len; n++) {
            if (!mm || page + n >= end)
                break;
            make(mm, (u32)page + n, records + n * size);
        }
        if (!n)
            break;
        if (copyout((char __user *)buf + done, records, n * size) < 0)
            return done ? (ssize_t)done : -EFAULT;
        done += n * size;
        *pos += n * size;
    }
    return done;
}

static ssize_t pagemap_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    return read_records(f, buf, len, pos, sizeof(u64), USER_END >> PAGE_SHIFT, linux_record);
}

/* All 4 GiB: each program's tables show where the kernel is, too. */
static ssize_t pagetable_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    return read_records(f, buf, len, pos, sizeof(struct page_view), 1u << 20, ferry_record);
}

const struct file_ops pagemap_fops = {.read = pagemap_read};
const struct file_ops pagetable_fops = {.read = pagetable_read};
