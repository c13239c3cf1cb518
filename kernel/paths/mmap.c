/*
 * mmap: the cache's own pages in the program's address space.
 *
 *   disk --DMA--> cache = the program's memory --CPU--> socket buffer --DMA--> card
 *
 * Nothing is copied to make a file readable: the page table entry points at the page of the page
 * cache. The price is a page fault for each run of pages, and one copy is left, the write(2).
 * mmap(2), munmap(2), mprotect(2).
 */
#include <linux/fcntl.h>
#include <linux/mman.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

/* A fault maps up to this many pages around it that are in the cache already. */
#define FAULT_AROUND 16

static void map_page(struct mm *mm, struct vma *v, u32 *pte, struct page *page)
{
    u32 write = v->shared && (v->prot & PROT_WRITE) ? PTE_WRITE : 0;
    *pte = page_phys(page) | PTE_PRESENT | PTE_USER | write;
    page_get(page, HOLD_MAP);
    mm->nr_pages++;
}

static void map_around(struct mm *mm, struct vma *v, virt_t address)
{
    virt_t start = MAX(ROUND_DOWN(address, FAULT_AROUND * PAGE_SIZE), v->start);
    virt_t end =
        MIN(ROUND_DOWN(address, FAULT_AROUND * PAGE_SIZE) + FAULT_AROUND * PAGE_SIZE, v->end);
    u32 *pte = pte_get(mm, start, false); /* the window never leaves its page table */
    for (virt_t va = start; va < end; va += PAGE_SIZE, pte++) {
        if (*pte & PTE_HELD)
            continue;
        u32 index = v->pgoff + ((va - v->start) >> PAGE_SHIFT);
        struct page *page = cache_peek(&v->inode->mapping, index);
        if (!page)
            continue;
        map_page(mm, v, pte, page);
        page_put(page, HOLD_USE);
    }
}

int mmap_fault(struct mm *mm, struct vma *v, u32 address, bool *did_io)
{
    u32 index = v->pgoff + ((address - v->start) >> PAGE_SHIFT);
    u32 left = (v->end - (address & PAGE_MASK)) >> PAGE_SHIFT;
    bool is_file = v->inode->super; /* shared memory: one page for each touch */
    struct page *page;
    int err =
        cache_read(&v->inode->mapping, index, is_file ? MIN(left, (u32)READAHEAD_MAX_PAGES) : 1,
                   is_file ? &v->ra : NULL, &page, did_io);
    if (err < 0)
        return err;
    u32 *pte = pte_get(mm, address, true);
    if (pte && !(*pte & PTE_HELD))
        map_page(mm, v, pte, page);
    page_put(page, HOLD_USE);
    if (!pte)
        return -ENOMEM;
    map_around(mm, v, address);
    return 0;
}

static int check_file(struct file *f, u32 prot, bool shared)
{
    u32 access = f->flags & O_ACCMODE;
    if (S_TYPE(f->inode->mode) != S_REG)
        return -ENODEV;
    if (access == O_WRONLY)
        return -EACCES;
    if (shared && (prot & PROT_WRITE) && access != O_RDWR)
        return -EACCES;
    return 0;
}

long sys_mmap2(u32 address, u32 len, u32 prot, u32 flags, u32 fd, u32 pgoff)
{
    struct mm *mm = current->mm;
    u32 type = flags & MAP_TYPE;
    bool shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE;
    if (!len || (!shared && type != MAP_PRIVATE) || (prot & ~7u))
        return -EINVAL;
    if (len > USER_END)
        return -ENOMEM;
    len = ROUND_UP(len, PAGE_SIZE);
    if (pgoff + (len >> PAGE_SHIFT) < pgoff)
        return -EOVERFLOW;

    if (flags & MAP_FIXED_NOREPLACE)
        flags |= MAP_FIXED;

    struct inode *inode = NULL;
    bool no_write = false;
    if (!(flags & MAP_ANONYMOUS)) {
        struct file *f = fd_get(fd);
        if (!f)
            return -EBADF;
        int err = check_file(f, prot, shared);
        inode = err ? NULL : inode_hold(f->inode);
        no_write = shared && (f->flags & O_ACCMODE) != O_RDWR;
        file_put(f);
        if (err)
            return err;
    } else if (shared) {
        inode = shared_memory_inode(len); /* anonymous memory that fork shares has an owner too */
        if (!inode)
            return -ENOMEM;
        pgoff = 0;
    } else {
        pgoff = 0;
    }

    long ret;
    if (flags & MAP_FIXED) {
        ret = address & (PAGE_SIZE - 1)                                                   ? -EINVAL
              : address < PAGE_SIZE                                                       ? -EPERM
              : address >= USER_END || len > USER_END - address                           ? -ENOMEM
              : flags & MAP_FIXED_NOREPLACE && !mm_range_free(mm, address, address + len) ? -EEXIST
                                                                                          : 0;
        if (ret == 0)
            ret = mm_unmap(mm, address, address + len);
    } else {
        address &= PAGE_MASK;
        if (address < PAGE_SIZE || address >= MMAP_TOP || len > MMAP_TOP - address ||
            !mm_range_free(mm, address, address + len))
            address = mm_find_free(mm, len);
        ret = address ? 0 : -ENOMEM;
    }
    if (ret == 0)
        ret = vma_add(mm, address, address + len, prot, shared, inode, pgoff);
    if (ret == 0 && no_write)
        vma_find(mm, address)->no_write = true;
    if (inode)
        inode_put(inode);
    if (ret == 0 && (flags & MAP_POPULATE))
        mm_populate(address, address + len);
    return ret < 0 ? ret : (long)address;
}

/* mmap(2) of old: six words in memory, the offset in bytes. */
long sys_old_mmap(const void __user *args)
{
    u32 a[6];
    if (copyin(a, args, sizeof(a)) < 0)
        return -EFAULT;
    if (a[5] & (PAGE_SIZE - 1))
        return -EINVAL;
    return sys_mmap2(a[0], a[1], a[2], a[3], a[4], a[5] >> PAGE_SHIFT);
}

static bool user_pages_ok(u32 address, u32 len)
{
    return address < USER_END && len <= USER_END - address;
}

long sys_munmap(u32 address, u32 len)
{
    len = ROUND_UP(len, PAGE_SIZE);
    if ((address & (PAGE_SIZE - 1)) || !len || !user_pages_ok(address, len))
        return -EINVAL;
    return mm_unmap(current->mm, address, address + len);
}

long sys_mprotect(u32 address, u32 len, u32 prot)
{
    if ((address & (PAGE_SIZE - 1)) || (prot & ~7u))
        return -EINVAL;
    if (!len)
        return 0;
    len = ROUND_UP(len, PAGE_SIZE);
    if (!len || !user_pages_ok(address, len))
        return -ENOMEM;
    return mm_protect(current->mm, address, address + len, prot);
}
