/*
 * What this processor can do, asked by CPUID, and the protections switched on with it:
 * CR0.WP (the kernel, too, respects read-only pages), SMEP (it does not execute user pages) and
 * SMAP (it does not touch them by accident; uaccess.asm opens the door for one copy).
 * NX needs three-level (PAE) tables, which Ferry does not use. SDM vol. 2 CPUID, vol. 3 2.5, 4.6.
 */
#include "kernel/cpu/cpu.h"

enum { CR0_WP = 1 << 16, CR4_PGE = 1 << 7, CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21 };
enum { CPUID_1_EDX_PGE = 1 << 13, CPUID_1_EDX_FXSR = 1 << 24 };
enum { CPUID_7_EBX_SMEP = 1 << 7, CPUID_7_EBX_SMAP = 1 << 20 };

u32 cpu_capabilities;
bool cpu_has_smap, cpu_has_smep, cpu_has_fxsr;
static bool has_pge;

static void cpuid(u32 leaf, u32 *a, u32 *b, u32 *c, u32 *d)
{
    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(0));
}

void cpu_features_init(void)
{
    u32 a, b, c, d, highest;
    cpuid(0, &highest, &b, &c, &d);
    cpuid(1, &a, &b, &c, &d);
    cpu_capabilities = d;
    cpu_has_fxsr = d & CPUID_1_EDX_FXSR;
    has_pge = d & CPUID_1_EDX_PGE;
    if (highest >= 7) { /* qemu32 ends at 4, and answers higher leaves with rubbish */
        cpuid(7, &a, &b, &c, &d);
        cpu_has_smep = b & CPUID_7_EBX_SMEP;
        cpu_has_smap = b & CPUID_7_EBX_SMAP;
    }
    u32 cr0, cr4;
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    __asm__ volatile("movl %0, %%cr0" ::"r"(cr0 | CR0_WP) : "memory");
    __asm__ volatile("movl %%cr4, %0" : "=r"(cr4));
    cr4 |= (has_pge ? CR4_PGE : 0) | (cpu_has_smep ? CR4_SMEP : 0) | (cpu_has_smap ? CR4_SMAP : 0);
    __asm__ volatile("movl %0, %%cr4" ::"r"(cr4) : "memory");
}
