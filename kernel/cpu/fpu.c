/*
 * The floating-point unit, saved and restored with every task: a program's x87 and SSE registers
 * are its own. The kernel itself is compiled without any use of them (-mgeneral-regs-only).
 * SDM vol. 1, 10.5 (FXSAVE) and 8.1.8 (FNSAVE for a processor without it).
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"

enum { CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_NE = 1 << 5 };
enum { CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10 };
#define MXCSR_DEFAULT 0x1F80u

static struct fpu_state initial;

void fpu_init(void)
{
    u32 cr0, cr4;
    __asm__ volatile("movl %%cr0, %0" : "=r"(cr0));
    cr0 = (cr0 & ~(CR0_EM | CR0_TS)) | CR0_MP | CR0_NE;
    __asm__ volatile("movl %0, %%cr0" ::"r"(cr0));
    if (cpu_has_fxsr) {
        __asm__ volatile("movl %%cr4, %0" : "=r"(cr4));
        __asm__ volatile("movl %0, %%cr4" ::"r"(cr4 | CR4_OSFXSR | CR4_OSXMMEXCPT));
    }
    __asm__ volatile("fninit");
    if (cpu_has_fxsr) {
        u32 mxcsr = MXCSR_DEFAULT;
        __asm__ volatile("ldmxcsr %0" ::"m"(mxcsr));
    }
    fpu_save(&initial);
}

void fpu_state_init(struct fpu_state *state)
{
    *state = initial;
}

void fpu_save(struct fpu_state *state)
{
    if (cpu_has_fxsr)
        __asm__ volatile("fxsave %0" : "=m"(*state));
    else
        __asm__ volatile("fnsave %0; frstor %0" : "+m"(*state));
}

void fpu_restore(const struct fpu_state *state)
{
    if (cpu_has_fxsr)
        __asm__ volatile("fxrstor %0" ::"m"(*state));
    else
        __asm__ volatile("frstor %0" ::"m"(*state));
}
