/*
 * The first serial port, a 16550 UART (TL16C550C data sheet, table 3): polled output, input by
 * interrupt into the terminal.
 */
#include "drivers/console.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/tty.h"

enum { COM1 = 0x3F8, COM1_LINE = 4 };
enum { DATA = 0, IER = 1, FCR = 2, LCR = 3, MCR = 4, LSR = 5 };
enum {
    IER_RECEIVED = 1 << 0,
    FCR_ENABLE_CLEAR = 0x07,
    LCR_8N1 = 0x03,
    LCR_DIVISOR = 0x80,
    MCR_DTR_RTS_OUT2 = 0x0B, /* OUT2 lets the interrupt reach the PIC */
    LSR_DATA_READY = 1 << 0,
    LSR_THR_EMPTY = 1 << 5,
};

void serial_init(void)
{
    outb(COM1 + IER, 0);
    outb(COM1 + LCR, LCR_DIVISOR);
    outb(COM1 + DATA, 1); /* 115200 baud */
    outb(COM1 + IER, 0);
    outb(COM1 + LCR, LCR_8N1);
    outb(COM1 + FCR, FCR_ENABLE_CLEAR);
    outb(COM1 + MCR, MCR_DTR_RTS_OUT2);
}

void serial_write(const char *text, size_t len)
{
    for (; len; len--, text++) {
        for (int patience = 100000; patience && !(inb(COM1 + LSR) & LSR_THR_EMPTY); patience--)
            ;
        outb(COM1 + DATA, *text);
    }
}

static bool serial_interrupt(void *device)
{
    bool any = false;
    /* A limit, since an absent UART reads as all ones. */
    for (int i = 0; i < 64 && (inb(COM1 + LSR) & LSR_DATA_READY); i++) {
        tty_input(inb(COM1 + DATA));
        any = true;
    }
    return any;
}

void serial_irq_init(void)
{
    if (inb(COM1 + LSR) == 0xFF)
        return; /* no such chip */
    irq_register(COM1_LINE, "ttyS0", serial_interrupt, NULL);
    outb(COM1 + IER, IER_RECEIVED);
}
