/*
 * Ending the machine. The PIIX4's ACPI register is where QEMU's "pc" powers off; QEMU's
 * debug-exit device, where present, ends it with a failing status; the keyboard controller and
 * a triple fault reset it.
 */
#include "kernel/cpu/cpu.h"

enum {
    PM1A_CONTROL = 0x604, /* QEMU "pc": PM base 0x600 + 4 */
    PM1A_SLEEP = 0x2000,  /* SLP_EN, type 0 = S5 in its DSDT */
    DEBUG_EXIT = 0xF4,    /* QEMU exits with (value << 1) | 1 */
    KEYBOARD_COMMAND = 0x64,
    KEYBOARD_RESET = 0xFE,
};

static void __noreturn halt_forever(void)
{
    irq_disable();
    for (;;)
        __asm__ volatile("hlt");
}

void power_off(void)
{
    outw(PM1A_CONTROL, PM1A_SLEEP);
    halt_forever();
}

void power_fail(void)
{
    outb(DEBUG_EXIT, 1);
    halt_forever(); /* a person is watching: leave the panic on the screen */
}

void power_reboot(void)
{
    outb(KEYBOARD_COMMAND, KEYBOARD_RESET);
    delay_us(10000);
    struct {
        u16 limit;
        u32 base;
    } __packed none = {0, 0};
    __asm__ volatile("lidt %0; int $3" ::"m"(none)); /* no gate to take it: triple fault */
    halt_forever();
}
