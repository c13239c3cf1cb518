/*
 * Memory: start-up, kernel page tables, and the address spaces of programs.
 *
 *   00000000  never mapped (the first page)
 *   00001000  programs: text, data, heap upwards; mmap area and stack downwards
 *   C0000000  RAM, one to one, up to 768 MiB
 *   F0000000  device registers
 *   F8000000  kernel stacks, each above a guard page
 *
 * All kernel page tables exist from the start, so every address space shares them by copying
 * their directory entries once.
 */
#ifndef KERNEL_MM_MM_H
#define KERNEL_MM_MM_H

#include <bsd/sys/queue.h>
#include "kernel/cache/cache.h"
#include "kernel/lib/types.h"
#include "kernel/mm/page.h"

struct inode;
struct multiboot_info;
struct shm;

#define USER_END       0xC0000000u
#define USER_STACK_TOP 0xBFFFF000u
#define USER_STACK_MAX (8u << 20)
#define MMAP_TOP       (USER_STACK_TOP - USER_STACK_MAX - (1u << 20))
#define KERNEL_RAM_MAX (768u << 20)
#define MMIO_BASE      0xF0000000u
#define MMIO_END       0xF4000000u
#define KSTACK_BASE    0xF8000000u
#define KSTACK_SLOT    0x4000u /* 4 KiB guard + 12 KiB stack */
#define KSTACK_COUNT   1024u

enum pte_bits { /* SDM vol. 3, 4.3, table 4-6 */
                PTE_PRESENT = 1 << 0,
                PTE_WRITE = 1 << 1,
                PTE_USER = 1 << 2,
                PTE_NOCACHE = 1 << 4,
                PTE_ACCESSED = 1 << 5,
                PTE_DIRTY = 1 << 6,
                PTE_GLOBAL = 1 << 8,
                PTE_NONE =
                    1 << 9, /* left to us: not present, but still holds its frame (PROT_NONE) */
};

/* An entry with one of these bits holds a frame. */
#define PTE_HELD (PTE_PRESENT | PTE_NONE) /* others: empty, or a slot of swap (swap.h) */
#define VMAS_MAX 65530u                   /* of one program, as on Linux */

/* frame.c: the loader's map of RAM becomes free frames. */
void frame_init(const struct multiboot_info *info);
void *early_alloc(size_t size); /* zeroed, page aligned, for ever; before frame_start only */
void frame_start(void);         /* what early_alloc did not take becomes free */

/* paging.c */
void paging_init(void);
extern u32 *kernel_pgdir;
void kernel_map(virt_t va, phys_t phys, u32 bits); /* one page; its table exists */
void kernel_unmap(virt_t va);
virt_t kstack_alloc(void); /* lowest usable address; 0 without memory */
void kstack_free(virt_t stack);
#define KSTACK_SIZE (KSTACK_SLOT - PAGE_SIZE)

/* slab.c */
void heap_init(void);
void slab_trim(void);

/* A region of an address space. Protections as mmap(2). */
struct vma {
    virt_t start, end;       /* page aligned, end exclusive */
    u32 prot;                /* PROT_READ | PROT_WRITE | PROT_EXEC */
    bool shared;             /* writes go to the object, not to a private copy */
    bool grows_down;         /* the stack */
    bool no_write;           /* shared, and the file was not opened for writing */
    bool dont_fork;          /* a child does not get it (MADV_DONTFORK) */
    bool wipe_on_fork;       /* a child gets it empty (MADV_WIPEONFORK) */
    bool locked;             /* its pages stay in memory (mlock(2)) */
    struct shm *shm;         /* the System V segment that is attached here, or NULL (shm.h) */
    struct inode *inode;     /* a reference; NULL: anonymous */
    u32 pgoff;               /* of `start`, in pages of the inode */
    struct errors_told told; /* as of an open file: for msync(2) */
    struct readahead ra;     /* faults in order read ahead as read(2) does */
    TAILQ_ENTRY(vma) link;
};
TAILQ_HEAD(vma_list, vma);

struct mm {
    u32 refs;
    u32 *pgdir;
    struct page *pgdir_page;
    struct vma_list vmas; /* in the order of addresses */
    struct vma *last;     /* last one found: faults come in runs */
    virt_t brk_start, brk;
    virt_t arg_start, arg_end, env_start, env_end; /* of execve, for /proc/<pid>/cmdline, environ */
    virt_t start_stack;                            /* the stack pointer a program began with */
    struct inode *exe;                             /* what is running; a reference */
    bool lock_future;   /* what is mapped from now on is locked (mlockall(2)) ... */
    bool lock_on_fault; /* ... but need not be present at once (MCL_ONFAULT) */
    u32 nr_vmas;
    u32 nr_pages;        /* mapped now (resident set) */
    u32 nr_swapped;      /* entries that name a slot of swap */
    u32 pins;            /* transfers by a device to or from its pages (pin.h) */
    TAILQ_ENTRY(mm) all; /* scan.c */
};

/* space.c. Functions that return an int give 0 or a negative errno. */
struct mm *mm_new(void);
struct mm *mm_fork(struct mm *from); /* copy-on-write; NULL without memory */
void mm_put(struct mm *mm);
void mm_switch(struct mm *mm);                       /* loads CR3; NULL: the kernel's own */
struct vma *vma_find(struct mm *mm, virt_t address); /* the one that contains it */
/* Adds a region; takes its own inode reference. The range must be free. */
int vma_add(struct mm *mm, virt_t start, virt_t end, u32 prot, bool shared, struct inode *inode,
            u32 pgoff);
/* Adds a region like another one, at a free place. */
int vma_copy(struct mm *mm, const struct vma *like, virt_t start, virt_t end, u32 pgoff);
/* Makes a part of one region a region of its own; NULL without memory. */
struct vma *vma_cut(struct mm *mm, virt_t start, virt_t end);
/* Where something is mapped, from `at` on; USER_END when nothing is. */
virt_t mm_next_start(struct mm *mm, virt_t at);
int mm_unmap(struct mm *mm, virt_t start, virt_t end);
/* Drops the private pages of a range; they come back fresh (MADV_DONTNEED). */
int mm_discard(struct mm *mm, virt_t start, virt_t end);
int mm_protect(struct mm *mm, virt_t start, virt_t end, u32 prot);
/* A free range of that length, from the top of the mmap area down; 0 when there is none. */
virt_t mm_find_free(struct mm *mm, u32 len);
bool mm_range_free(struct mm *mm, virt_t start, virt_t end);
/* Reads another program's memory as far as it is present, without waking it (a command line for
 * /proc). The number of bytes read. Never sleeps. */
u32 mm_peek(struct mm *mm, virt_t from, void *buf, u32 len);

/* Makes a mapped range of the current program present: to be read, to be written, or as it will be
 * used (MAP_POPULATE, mlock(2): what is private and writable becomes the program's own, so that no
 * fault is left to come). 0, or what hindered it: -ENOMEM, -EFAULT, -EINTR. Leaves the last free
 * memory alone. Sleeps. */
enum populate { POPULATE_READ, POPULATE_WRITE, POPULATE_USE };
int mm_populate(virt_t start, virt_t end, enum populate how);
/* mlock.c. Pages of locked regions; may so many more be locked; a mapped range becomes locked, or
 * no longer so (0 or -ENOMEM). */
u32 mm_locked(const struct mm *mm);
bool may_lock(void); /* anything at all */
bool mm_may_lock(const struct mm *mm, u32 pages);
int mm_lock(struct mm *mm, virt_t start, virt_t end, bool locked);
/* limit.c: may the program map so many bytes more? `data`: private and writable; `backed`: by a
 * file. 0 or -ENOMEM. */
int mm_may_grow(struct mm *mm, u32 len, bool data, bool backed);
/* Anonymous memory that fork shares: a file of tmpfs without a name. NULL without memory.
 * kernel/fs/tmpfs.c */
void shared_memory_init(void);
struct inode *shared_memory_inode(u32 len);

/* fault.c: the entry of that address names a slot of swap: the page comes back, read-only. 0 (also
 * when another thread was faster), -ENOMEM, -EIO. Sleeps. */
int mm_swap_in(struct mm *mm, virt_t address, bool *did_io);

/* Page table entries of a program's address. pte_get makes the table when `make`; NULL without. */
u32 *pte_get(struct mm *mm, virt_t va, bool make);
void tlb_flush_page(virt_t va);
void tlb_flush_all(void);

extern u32 total_frames; /* RAM that was usable at boot */

#endif
