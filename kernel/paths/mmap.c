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
#include "kernel/cache/writeback.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

/* A fault maps up to this many pages around it that are in the cache already. */
#define FAULT_AROUND 16

/* The first write to a shared page has to be seen: by then it must be dirty, and have room on the
 * disk. In RAM one follows from the other; a page of a disk may be dirty with a hole behind it (the
 * zeroes behind a file's end). */
static void map_page(struct mm *mm, struct vma *v, u32 *pte, struct page *page)
{
    bool ready = (page->flags & PG_DIRTY) && v->inode->mapping.in_ram;
    u32 write = v->shared && (v->prot & PROT_WRITE) && ready ? PTE_WRITE : 0;
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
        if (*pte) /* it may also name a slot of swap */
            continue;
        u32 index = v->pgoff + ((va - v->start) >> PAGE_SHIFT);
        struct page *page = cache_peek(&v->inode->mapping, index);
        if (page)
            map_page(mm, v, pte, page);
    }
}

static u32 index_at(const struct vma *v, u32 address)
{
    return v->pgoff + ((address - v->start) >> PAGE_SHIFT);
}

/* Threads share regions, and one of them may change or remove `v` while another sleeps for the
 * page: what was true before is looked at again. */
int mmap_fault(struct mm *mm, struct vma *v, u32 address, bool *did_io)
{
    struct inode *inode = inode_hold(v->inode);
    struct readahead ra = v->ra;
    u32 prot = v->prot, index = index_at(v, address);
    u32 left = (v->end - (address & PAGE_MASK)) >> PAGE_SHIFT;
    u32 around = ra.advice == READAHEAD_RANDOM ? 1 : MIN(left, (u32)READAHEAD_MAX_PAGES);
    struct page *page = NULL;
    int err = cache_read(&inode->mapping, index, around, &ra, &page, did_io);
    v = vma_find(mm, address);
    if (!v || v->inode != inode || index_at(v, address) != index || v->prot != prot) {
        err = -EAGAIN;
        goto end;
    }
    ra.advice = v->ra.advice;
    v->ra = ra;
    if (!err && page->mapping != &inode->mapping) /* the file was cut meanwhile */
        err = -EAGAIN;
    if (err)
        goto end;
    u32 *pte = pte_get(mm, address, true);
    if (!pte) {
        err = -ENOMEM;
        goto end;
    }
    if (!*pte)
        map_page(mm, v, pte, page);
    if (*pte & PTE_PRESENT)
        *pte |= PTE_ACCESSED; /* it has its turn of the clock hand before it (kernel/mm/scan.c) */
    map_around(mm, v, address);
end:
    if (page)
        page_put(page, HOLD_USE);
    inode_put(inode);
    return err;
}

int mmap_make_writable(struct mm *mm, struct vma *v, u32 address)
{
    u32 *pte = pte_get(mm, address, false);
    if (!(*pte & PTE_PRESENT)) /* taken meanwhile: the program touches it again */
        return 0;
    struct inode *inode = inode_hold(v->inode);
    struct page *page = phys_page(*pte & PAGE_MASK);
    page_get(page, HOLD_USE);
    writeback_throttle(&inode->mapping);
    inode_lock(inode); /* its size stays as it is while room is taken for the page */
    int err = cache_make_dirty(&inode->mapping, page);
    inode_unlock(inode);
    v = vma_find(mm, address); /* all may have changed while that slept */
    pte = pte_get(mm, address, false);
    if (!err && v && v->inode == inode && v->shared && (v->prot & PROT_WRITE) && pte &&
        (*pte & PTE_PRESENT) && (*pte & PAGE_MASK) == page_phys(page)) {
        *pte |= PTE_WRITE | PTE_DIRTY;
        inode_written(inode);
    }
    tlb_flush_page(address);
    page_put(page, HOLD_USE);
    inode_put(inode);
    return err;
}

/* Linux finds the page tables from the page; here the few programs are asked, since it is rare that
 * a file which is mapped gets shorter. */
void mmap_forget(struct inode *inode, u32 first, u32 end)
{
    struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all) {
        struct vma *v;
        if (!t->mm)
            continue;
        TAILQ_FOREACH (v, &t->mm->vmas, link) {
            u32 nr = (v->end - v->start) >> PAGE_SHIFT, from = first, to = end;
            if (v->inode != inode || v->pgoff >= end)
                continue;
            from = MAX(from, v->pgoff) - v->pgoff;
            to = MIN(to - v->pgoff, nr);
            if (from < to)
                mm_discard(t->mm, v->start + from * PAGE_SIZE, v->start + to * PAGE_SIZE);
        }
    }
}

bool mmap_may_write(const struct super *super, const struct inode *inode)
{
    const struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all) {
        const struct vma *v;
        if (!t->mm)
            continue;
        TAILQ_FOREACH (v, &t->mm->vmas, link)
            if (v->shared && !v->no_write && v->inode && v->inode->super == super &&
                (!inode || v->inode == inode))
                return true;
    }
    return false;
}

/* Calls `change` for each page table entry in which some program's region shows page `index` of the
 * mapping, whatever is in it. */
static void for_each_entry(struct mapping *m, u32 index,
                           void (*change)(struct mm *mm, const struct vma *v, u32 *pte,
                                          const struct mapping *m))
{
    struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all) {
        struct vma *v;
        if (!t->mm)
            continue;
        TAILQ_FOREACH (v, &t->mm->vmas, link) {
            if (!v->inode || &v->inode->mapping != m || index < v->pgoff ||
                index - v->pgoff >= (v->end - v->start) >> PAGE_SHIFT)
                continue;
            u32 *pte = pte_get(t->mm, v->start + (index - v->pgoff) * PAGE_SIZE, false);
            if (pte)
                change(t->mm, v, pte, m);
        }
    }
    tlb_flush_all();
}

static void protect(struct mm *mm, const struct vma *v, u32 *pte, const struct mapping *m)
{
    if (v->shared)
        *pte &= ~(u32)(PTE_WRITE | PTE_DIRTY);
}

void mmap_protect_page(struct mapping *m, u32 index)
{
    for_each_entry(m, index, protect);
}

static void unmap(struct mm *mm, const struct vma *v, u32 *pte, const struct mapping *m)
{
    struct page *page = *pte & PTE_HELD ? phys_page(*pte & PAGE_MASK) : NULL;
    if (!page || page->mapping != m) /* a private copy */
        return;
    *pte = 0;
    mm->nr_pages--;
    page_put(page, HOLD_MAP);
}

void mmap_unmap_page(struct mapping *m, u32 index)
{
    for_each_entry(m, index, unmap);
}

/* What mmap is asked for, as far as it is known. */
struct request {
    virt_t address;
    u32 len, prot, flags, pgoff;
    bool shared, no_write;
    struct inode *inode; /* a reference; NULL: anonymous */
    struct errors_told told;
};

static int check_file(const struct file *f, const struct request *r)
{
    u32 access = f->flags & O_ACCMODE;
    if (access == O_WRONLY || (r->shared && (r->prot & PROT_WRITE) && access != O_RDWR))
        return -EACCES;
    return S_TYPE(f->inode->mode) == S_REG && f->inode->mapping.ops ? 0 : -ENODEV;
}

/* The descriptor's file. /dev/zero stands for anonymous memory, as it did before there was such. */
static int find_file(struct request *r, u32 fd)
{
    if (r->flags & MAP_ANONYMOUS)
        return 0;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    int err = 0;
    if (S_TYPE(f->inode->mode) == S_CHR && f->inode->rdev == DEV_ZERO) {
        r->flags |= MAP_ANONYMOUS;
    } else if (!(err = check_file(f, r))) {
        r->inode = inode_hold(f->inode);
        file_accessed(f);
        r->told = f->told;
        r->no_write = r->shared && (f->flags & O_ACCMODE) != O_RDWR;
    }
    file_put(f);
    return err;
}

static int check_request(struct mm *mm, const struct request *r)
{
    u32 type = r->flags & MAP_TYPE;
    const u32 known = MAP_SHARED_VALIDATE | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN |
                      MAP_DENYWRITE | MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |
                      MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB;
    if (!r->len || type == 0)
        return -EINVAL;
    if (r->pgoff + (r->len >> PAGE_SHIFT) < r->pgoff)
        return -EOVERFLOW;
    if (!r->shared && type != MAP_PRIVATE)
        return -EINVAL;
    if (type == MAP_SHARED_VALIDATE && r->flags & ~known)
        return -EOPNOTSUPP;
    if (r->flags & MAP_ANONYMOUS && r->shared && r->flags & MAP_GROWSDOWN)
        return -EINVAL;
    if (r->flags & MAP_HUGETLB)
        return -ENOMEM; /* as on Linux where nobody has set huge pages aside */
    if (r->flags & MAP_LOCKED && !may_lock())
        return -EPERM;
    if ((r->flags & MAP_LOCKED || mm->lock_future) && !mm_may_lock(mm, r->len >> PAGE_SHIFT))
        return -EAGAIN;
    return mm_may_grow(mm, r->len, !r->shared && (r->prot & PROT_WRITE),
                       r->inode || r->flags & MAP_NORESERVE);
}

/* Makes the place free where the mapping goes. */
static int choose_address(struct mm *mm, struct request *r)
{
    virt_t at = r->address, end = at + r->len;
    if (!(r->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))) {
        at &= PAGE_MASK;
        if (at < PAGE_SIZE || at >= MMAP_TOP || r->len > MMAP_TOP - at ||
            !mm_range_free(mm, at, at + r->len))
            at = mm_find_free(mm, r->len);
        r->address = at;
        return at ? 0 : -ENOMEM;
    }
    if (at >= USER_END || r->len > USER_END - at)
        return -ENOMEM;
    if (at & (PAGE_SIZE - 1))
        return -EINVAL;
    if (at < PAGE_SIZE)
        return -EPERM;
    if (r->flags & MAP_FIXED_NOREPLACE)
        return mm_range_free(mm, at, end) ? 0 : -EEXIST;
    return mm_unmap(mm, at, end);
}

static int map(struct mm *mm, struct request *r)
{
    int err = choose_address(mm, r);
    if (err)
        return err;
    if (r->flags & MAP_ANONYMOUS) {
        r->pgoff = 0;
        if (r->shared && !(r->inode = shared_memory_inode(r->len)))
            return -ENOMEM; /* anonymous memory that fork shares has an owner too */
    }
    virt_t end = r->address + r->len;
    u32 prot = r->prot & (PROT_READ | PROT_WRITE | PROT_EXEC);
    bool down = r->flags & MAP_GROWSDOWN && r->flags & MAP_ANONYMOUS;
    if (!down && !r->inode)
        return vma_add(mm, r->address, end, prot, r->shared, NULL, r->pgoff);
    struct vma like = {.prot = prot,
                       .shared = r->shared,
                       .inode = r->inode,
                       .no_write = r->no_write,
                       .told = r->told,
                       .grows_down = down};
    return vma_copy(mm, &like, r->address, end, r->pgoff);
}

long sys_mmap2(u32 address, u32 len, u32 prot, u32 flags, u32 fd, u32 pgoff)
{
    struct mm *mm = current->mm;
    u32 type = flags & MAP_TYPE;
    struct request r = {.address = address,
                        .len = ROUND_UP(len, PAGE_SIZE),
                        .prot = prot,
                        .flags = flags,
                        .pgoff = pgoff,
                        .shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE};
    int err = find_file(&r, fd);
    if (err)
        return err;
    err = len && !r.len ? -ENOMEM : check_request(mm, &r);
    if (!err)
        err = map(mm, &r);
    if (r.inode)
        inode_put(r.inode);
    if (err)
        return err;
    bool lock = flags & MAP_LOCKED || mm->lock_future;
    if (lock)
        (void)mm_lock(mm, r.address, r.address + r.len, true);
    if (flags & MAP_POPULATE || (lock && !mm->lock_on_fault))
        (void)mm_populate(r.address, r.address + r.len, POPULATE_USE);
    return r.address;
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

/* PROT_GROWSDOWN, which glibc uses to make a stack executable: from the range's end down to the
 * beginning of the region. */
static int extend_down(struct mm *mm, u32 *address, u32 len)
{
    virt_t at = mm_next_start(mm, *address), end = *address + len;
    struct vma *v = at < end ? vma_find(mm, at) : NULL;
    if (!v)
        return -ENOMEM;
    if (!v->grows_down)
        return -EINVAL;
    *address = v->start;
    return 0;
}

long sys_mprotect(u32 address, u32 len, u32 prot)
{
    struct mm *mm = current->mm;
    u32 grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    prot &= ~grows;
    if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (address & (PAGE_SIZE - 1)))
        return -EINVAL;
    if (!len)
        return 0;
    len = ROUND_UP(len, PAGE_SIZE);
    if (!len || !user_pages_ok(address, len))
        return -ENOMEM;
    if (prot & ~(u32)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
        return -EINVAL;
    virt_t end = address + len;
    int err = grows == PROT_GROWSUP     ? -EINVAL /* no stack grows up here */
              : grows == PROT_GROWSDOWN ? extend_down(mm, &address, len)
                                        : 0;
    return err ? err : mm_protect(mm, address, end, prot & ~(u32)PROT_SEM);
}
