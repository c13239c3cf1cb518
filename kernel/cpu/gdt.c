/*
 * The global descriptor table and the task state segment.
 *
 * Flat segments for ring 0 and ring 3, one TSS whose only use is to name the kernel stack for a
 * trap out of ring 3 (ss0:esp0), a second TSS on which a double fault lands with a stack of its
 * own (a kernel stack that has run into its guard page cannot take another frame), and three
 * entries for the thread-local segments of set_thread_area(2), switched with the task.
 * SDM vol. 3, 3.4.5 and 7.2.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/segments.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/lib.h"

struct tss {
    u32 link, esp0, ss0, esp1, ss1, esp2, ss2, cr3;
    u32 eip, eflags, eax, ecx, edx, ebx, esp, ebp, esi, edi;
    u32 es, cs, ss, ds, fs, gs, ldt;
    u16 trap, iomap_base;
};

enum { ACCESS_CODE = 0x9A, ACCESS_DATA = 0x92, ACCESS_TSS = 0x89, ACCESS_RING3 = 0x60 };
enum { FLAGS_4K_32BIT = 0xC, FLAGS_BYTES = 0x0 };

static struct tss tss, double_fault_tss;
static u8 double_fault_stack[4096] __aligned(16);
static u64 gdt[GDT_ENTRIES];

extern u8 boot_stack_top[];
extern u32 boot_pgdir[];
void double_fault_entry(void);

static u64 descriptor(u32 base, u32 limit, u8 access, u8 flags)
{
    return (u64)(limit & 0xFFFF) | (u64)(base & 0xFFFFFF) << 16 | (u64)access << 40 |
           (u64)(limit >> 16 & 0xF) << 48 | (u64)flags << 52 | (u64)(base >> 24) << 56;
}

/* The interrupted registers are in the main TSS, where the processor put them at the switch. */
void double_fault_entry(void)
{
    struct trap_frame f = {.eax = tss.eax,
                           .ebx = tss.ebx,
                           .ecx = tss.ecx,
                           .edx = tss.edx,
                           .esi = tss.esi,
                           .edi = tss.edi,
                           .ebp = tss.ebp,
                           .esp_kernel = tss.esp - 20,
                           .eip = tss.eip,
                           .cs = tss.cs,
                           .eflags = tss.eflags,
                           .vector = TRAP_DOUBLE_FAULT};
    panic_frame(&f, "double fault (kernel stack overflow?)");
}

void gdt_init(void)
{
    gdt[KERNEL_CS / 8] = descriptor(0, 0xFFFFF, ACCESS_CODE, FLAGS_4K_32BIT);
    gdt[KERNEL_DS / 8] = descriptor(0, 0xFFFFF, ACCESS_DATA, FLAGS_4K_32BIT);
    gdt[USER_CS / 8] = descriptor(0, 0xFFFFF, ACCESS_CODE | ACCESS_RING3, FLAGS_4K_32BIT);
    gdt[USER_DS / 8] = descriptor(0, 0xFFFFF, ACCESS_DATA | ACCESS_RING3, FLAGS_4K_32BIT);
    gdt[TSS_SELECTOR / 8] = descriptor((u32)&tss, sizeof(tss) - 1, ACCESS_TSS, FLAGS_BYTES);
    gdt[DOUBLE_FAULT_TSS / 8] =
        descriptor((u32)&double_fault_tss, sizeof(tss) - 1, ACCESS_TSS, FLAGS_BYTES);

    tss.ss0 = KERNEL_DS;
    tss.esp0 = (u32)boot_stack_top;
    tss.iomap_base = sizeof(tss);

    double_fault_tss = tss;
    double_fault_tss.cr3 = virt_to_phys_boot(boot_pgdir);
    double_fault_tss.eip = (u32)double_fault_entry;
    double_fault_tss.esp = (u32)double_fault_stack + sizeof(double_fault_stack);
    double_fault_tss.eflags = 2;
    double_fault_tss.cs = KERNEL_CS;
    double_fault_tss.ss = double_fault_tss.ds = double_fault_tss.es = KERNEL_DS;

    struct {
        u16 limit;
        u32 base;
    } __packed gdtr = {sizeof(gdt) - 1, (u32)gdt};
    __asm__ volatile("lgdt %0\n\t"
                     "ljmp %1, $1f\n1:\n\t"
                     "movw %w2, %%ds; movw %w2, %%es; movw %w2, %%ss\n\t"
                     "movw %w3, %%fs; movw %w3, %%gs\n\t"
                     "ltr %w4" ::"m"(gdtr),
                     "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(0), "r"(TSS_SELECTOR)
                     : "memory");
}

void tss_set_kernel_stack(virt_t top)
{
    tss.esp0 = top;
}

void double_fault_set_pgdir(phys_t pgdir)
{
    double_fault_tss.cr3 = pgdir;
}

void gdt_set_tls(const u64 tls[NR_TLS_ENTRIES])
{
    for (int i = 0; i < NR_TLS_ENTRIES; i++)
        gdt[GDT_TLS_FIRST + i] = tls[i];
}
