/* Vectors, and the C side of traps (trap.c). */
#ifndef KERNEL_CPU_TRAP_H
#define KERNEL_CPU_TRAP_H

#include "kernel/cpu/cpu.h"

enum trap_vector { /* SDM vol. 3, table 6-1 */
                   TRAP_DIVIDE = 0,
                   TRAP_DEBUG = 1,
                   TRAP_BREAKPOINT = 3,
                   TRAP_OVERFLOW = 4,
                   TRAP_BOUNDS = 5,
                   TRAP_INVALID_OPCODE = 6,
                   TRAP_DOUBLE_FAULT = 8,
                   TRAP_GENERAL_PROTECTION = 13,
                   TRAP_PAGE_FAULT = 14,
                   TRAP_FPU = 16,
                   TRAP_ALIGNMENT = 17,
                   TRAP_SIMD = 19,
                   TRAP_IRQ_FIRST = 32, /* 16 lines of the two PICs */
                   TRAP_SYSCALL = 0x80,
};

static inline bool trap_from_user(const struct trap_frame *f)
{
    return (f->cs & 3) == 3;
}

void trap_dispatch(struct trap_frame *frame);
void irq_dispatch(u8 line);                           /* irq.c */
void syscall_dispatch(struct trap_frame *frame);      /* kernel/sys/table.c */
void registers_print(const struct trap_frame *frame); /* panic.c */
void panic_frame(const struct trap_frame *frame, const char *why) __noreturn;
void double_fault_set_pgdir(phys_t pgdir);

#endif
