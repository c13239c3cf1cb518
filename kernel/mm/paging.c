/*
 * The kernel's half of every address space, in 4 KiB pages.
 *
 * RAM is mapped at KERNEL_BASE: kernel text and read-only data without the write bit (with CR0.WP
 * the kernel itself obeys), everything else writable. Tables for device registers and kernel
 * stacks are made now and filled later. SDM vol. 3, 4.3.
 */
#include "drivers/pci.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"

u32 *kernel_pgdir;
static virt_t mmio_next = MMIO_BASE;
static u32 kstack_used[KSTACK_COUNT / 32];

extern u8 kernel_start[], kernel_text_end[], kernel_rodata_end[];

static u32 *kernel_pte(virt_t va)
{
    u32 *table = phys_to_virt(kernel_pgdir[va >> 22] & PAGE_MASK);
    return &table[va >> 12 & 1023];
}

static void make_tables(virt_t from, virt_t to)
{
    for (u32 i = from >> 22; i < (to + (1 << 22) - 1) >> 22; i++)
        if (!kernel_pgdir[i])
            kernel_pgdir[i] = virt_to_phys(early_alloc(PAGE_SIZE)) | PTE_PRESENT | PTE_WRITE;
}

void paging_init(void)
{
    kernel_pgdir = early_alloc(PAGE_SIZE);
    make_tables(KERNEL_BASE, KERNEL_BASE + (nr_frames << PAGE_SHIFT));
    make_tables(MMIO_BASE, MMIO_END);
    make_tables(KSTACK_BASE, KSTACK_BASE + KSTACK_COUNT * KSTACK_SLOT);

    for (u32 frame = 0; frame < nr_frames; frame++) {
        virt_t va = KERNEL_BASE + (frame << PAGE_SHIFT);
        bool read_only = va >= (virt_t)kernel_start && va < (virt_t)kernel_rodata_end;
        *kernel_pte(va) =
            frame << PAGE_SHIFT | PTE_PRESENT | PTE_GLOBAL | (read_only ? 0 : PTE_WRITE);
    }
    double_fault_set_pgdir(virt_to_phys(kernel_pgdir));
    mm_switch(NULL);
}

void kernel_map(virt_t va, phys_t phys, u32 bits)
{
    *kernel_pte(va) = phys | bits | PTE_PRESENT | PTE_GLOBAL;
    tlb_flush_page(va);
}

void kernel_unmap(virt_t va)
{
    *kernel_pte(va) = 0;
    tlb_flush_page(va);
}

void *mmio_map(phys_t phys, u32 size)
{
    phys_t first = phys & PAGE_MASK;
    u32 len = ROUND_UP(phys - first + size, PAGE_SIZE);
    if (len > MMIO_END - mmio_next)
        return NULL;
    virt_t va = mmio_next;
    mmio_next += len;
    for (u32 at = 0; at < len; at += PAGE_SIZE)
        kernel_map(va + at, first + at, PTE_WRITE | PTE_NOCACHE);
    return (void *)(va + (phys - first));
}

virt_t kstack_alloc(void)
{
    for (u32 slot = 0; slot < KSTACK_COUNT; slot++) {
        if (kstack_used[slot / 32] & 1u << slot % 32)
            continue;
        virt_t bottom = KSTACK_BASE + slot * KSTACK_SLOT + PAGE_SIZE; /* above its guard page */
        for (u32 at = 0; at < KSTACK_SIZE; at += PAGE_SIZE) {
            struct page *page = page_alloc(PAGE_KERNEL, HOLD_KERNEL);
            if (!page) {
                while (at) {
                    at -= PAGE_SIZE;
                    page_put(phys_page(*kernel_pte(bottom + at) & PAGE_MASK), HOLD_KERNEL);
                    kernel_unmap(bottom + at);
                }
                return 0;
            }
            kernel_map(bottom + at, page_phys(page), PTE_WRITE);
        }
        kstack_used[slot / 32] |= 1u << slot % 32;
        return bottom;
    }
    return 0;
}

void kstack_free(virt_t bottom)
{
    for (u32 at = 0; at < KSTACK_SIZE; at += PAGE_SIZE) {
        page_put(phys_page(*kernel_pte(bottom + at) & PAGE_MASK), HOLD_KERNEL);
        kernel_unmap(bottom + at);
    }
    u32 slot = (bottom - KSTACK_BASE) / KSTACK_SLOT;
    kstack_used[slot / 32] &= ~(1u << slot % 32);
}

void tlb_flush_page(virt_t va)
{
    __asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

void tlb_flush_all(void)
{
    __asm__ volatile("movl %%cr3, %%eax; movl %%eax, %%cr3" ::: "eax", "memory");
}

void mm_switch(struct mm *mm)
{
    phys_t pgdir = virt_to_phys(mm ? mm->pgdir : kernel_pgdir), now;
    __asm__ volatile("movl %%cr3, %0" : "=r"(now));
    if (now != pgdir)
        __asm__ volatile("movl %0, %%cr3" ::"r"(pgdir) : "memory");
}
