/*
 * The interrupt descriptor table: all 256 gates lead to the stubs of trap.asm.
 *
 * Every gate is an interrupt gate (interrupts off on entry); the system call turns them on again
 * in trap.c. Ring 3 may raise only 3 (breakpoint), 4 (overflow) and 0x80. SDM vol. 3, 6.11.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/segments.h"
#include "kernel/cpu/trap.h"

enum { GATE_INTERRUPT = 0x8E, GATE_TASK = 0x85, GATE_RING3 = 0x60 };

struct gate {
    u16 offset_low, selector;
    u8 zero, type;
    u16 offset_high;
};

static struct gate idt[256];
extern const u32 trap_stubs[256];

void idt_init(void)
{
    for (u32 v = 0; v < 256; v++) {
        bool from_user = v == TRAP_BREAKPOINT || v == TRAP_OVERFLOW || v == TRAP_SYSCALL;
        idt[v] = (struct gate){
            .offset_low = trap_stubs[v] & 0xFFFF,
            .offset_high = trap_stubs[v] >> 16,
            .selector = KERNEL_CS,
            .type = GATE_INTERRUPT | (from_user ? GATE_RING3 : 0),
        };
    }
    idt[TRAP_DOUBLE_FAULT] = (struct gate){.selector = DOUBLE_FAULT_TSS, .type = GATE_TASK};

    struct {
        u16 limit;
        u32 base;
    } __packed idtr = {sizeof(idt) - 1, (u32)idt};
    __asm__ volatile("lidt %0" ::"m"(idtr));
}
