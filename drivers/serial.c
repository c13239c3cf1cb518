/*
 * Serial lines: 16550 UARTs (TL16C550C data sheet, table 3), each a terminal.
 *
 * Both ways work by interrupt, and neither loses a byte: what the chip's FIFO does not take waits
 * in a ring, and whoever wants to add to a full ring waits for room; a sender whose bytes nobody
 * reads finds the receiver's FIFO full. Kernel messages wait for the chip instead, so that they
 * are out when the machine stops.
 */
#include "drivers/console.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"

enum { DATA = 0, IER = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCRATCH = 7 };
enum { DIVISOR_LOW = 0, DIVISOR_HIGH = 1 }; /* while LCR_DIVISOR is set */
enum {
    IER_RECEIVED = 1 << 0,
    IER_SENT = 1 << 1,
    IIR_NONE = 1 << 0,
    FCR_ENABLE_CLEAR = 0x07,
    LCR_TWO_STOPS = 1 << 2,
    LCR_PARITY = 1 << 3,
    LCR_EVEN = 1 << 4,
    LCR_8N1 = 0x03,
    LCR_DIVISOR = 0x80,
    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,
    MCR_DTR_RTS_OUT2 = 0x0B, /* OUT2 lets the interrupt reach the PIC */
    LSR_DATA_READY = 1 << 0,
    LSR_THR_EMPTY = 1 << 5,
    MSR_CTS = 1 << 4,
    MSR_DSR = 1 << 5,
    MSR_RING = 1 << 6,
    MSR_CARRIER = 1 << 7,
};
enum { FIFO = 16, OUT = 1024, CLOCK = 115200 };

static struct port {
    const char *name;
    u16 base;
    u8 line; /* of the interrupt controller */
    bool present;
    u8 ier;
    struct tty *tty;
    char out[OUT]; /* a ring of what the chip has not taken yet */
    u32 tail, head;
} ports[NR_SERIAL] = {
    {.name = "ttyS0", .base = 0x3F8, .line = 4},
    {.name = "ttyS1", .base = 0x2F8, .line = 3},
};

/* ---- the chip ---- */

static void set_ier(struct port *p, u8 ier)
{
    if (ier != p->ier)
        outb(p->base + IER, ier);
    p->ier = ier;
}

static void set_format(struct port *p, u32 divisor, u8 format)
{
    outb(p->base + LCR, format | LCR_DIVISOR);
    outb(p->base + DIVISOR_LOW, divisor & 0xFF);
    outb(p->base + DIVISOR_HIGH, divisor >> 8);
    outb(p->base + LCR, format);
}

void serial_init(void)
{
    for (struct port *p = ports; p < ports + NR_SERIAL; p++) {
        outb(p->base + SCRATCH, 0x5A); /* an absent chip reads as all ones */
        p->present = inb(p->base + SCRATCH) == 0x5A && inb(p->base + LSR) != 0xFF;
        if (!p->present)
            continue;
        outb(p->base + IER, 0);
        set_format(p, 1, LCR_8N1);
        outb(p->base + FCR, FCR_ENABLE_CLEAR);
        outb(p->base + MCR, MCR_DTR_RTS_OUT2);
    }
}

bool serial_present(u32 port)
{
    return ports[port].present;
}

/* Feeds the chip from the ring, a FIFO at a time; with what is left, its interrupt does. */
static void pump(struct port *p)
{
    while (p->tail != p->head && !p->tty->stopped && inb(p->base + LSR) & LSR_THR_EMPTY)
        for (u32 n = FIFO; n && p->tail != p->head; n--)
            outb(p->base + DATA, p->out[p->tail++ % OUT]);
    bool more = p->tail != p->head && !p->tty->stopped;
    set_ier(p, more ? p->ier | IER_SENT : p->ier & ~IER_SENT);
}

void serial_write(u32 port, const char *text, size_t len)
{
    struct port *p = &ports[port];
    if (!p->present)
        return;
    u32 flags = irq_save();
    while (len || p->tail != p->head) {
        for (int patience = 100000; patience && !(inb(p->base + LSR) & LSR_THR_EMPTY); patience--)
            ;
        if (p->tail != p->head) {
            outb(p->base + DATA, p->out[p->tail++ % OUT]);
        } else {
            outb(p->base + DATA, *text++);
            len--;
        }
    }
    irq_restore(flags);
}

/* ---- the terminal ---- */

static u32 room(struct tty *tty)
{
    struct port *p = tty->device;
    return OUT - (p->head - p->tail);
}

static u32 pending(struct tty *tty)
{
    struct port *p = tty->device;
    return p->head - p->tail;
}

static u32 send(struct tty *tty, const char *text, u32 len)
{
    struct port *p = tty->device;
    u32 n = MIN(len, room(tty));
    for (u32 i = 0; i < n; i++)
        p->out[p->head++ % OUT] = text[i];
    pump(p);
    return n;
}

static void discard(struct tty *tty)
{
    struct port *p = tty->device;
    p->tail = p->head;
    pump(p);
}

static void input_room(struct tty *tty)
{
    struct port *p = tty->device;
    set_ier(p, p->ier | IER_RECEIVED);
}

static void flow(struct tty *tty)
{
    pump(tty->device);
}

/* TIOCMGET: what the other side says by its wires, and we by ours. */
static int modem_lines(struct tty *tty, u32 request, u32 argument)
{
    if (request != TIOCMGET)
        return -ENOTTY;
    struct port *p = tty->device;
    u8 msr = inb(p->base + MSR), mcr = inb(p->base + MCR);
    int lines = (mcr & MCR_DTR ? TIOCM_DTR : 0) | (mcr & MCR_RTS ? TIOCM_RTS : 0) |
                (msr & MSR_CTS ? TIOCM_CTS : 0) | (msr & MSR_DSR ? TIOCM_DSR : 0) |
                (msr & MSR_RING ? TIOCM_RI : 0) | (msr & MSR_CARRIER ? TIOCM_CAR : 0);
    return copyout((void __user *)argument, &lines, sizeof(lines));
}

static void set_termios(struct tty *tty, const struct termios2 *old)
{
    struct port *p = tty->device;
    u32 c = tty->termios.c_cflag, speed = tty->termios.c_ospeed;
    if (c == old->c_cflag && speed == old->c_ospeed)
        return;
    outb(p->base + MCR, speed ? MCR_DTR_RTS_OUT2 : MCR_DTR_RTS_OUT2 & ~(MCR_DTR | MCR_RTS));
    u8 format = (c & CSIZE) >> 4; /* CS5 ... CS8 are 0 ... 3, in both */
    format |= (c & CSTOPB ? LCR_TWO_STOPS : 0) | (c & PARENB ? LCR_PARITY : 0) |
              (c & PARODD ? 0 : LCR_EVEN);
    set_format(p, speed ? MAX(CLOCK / speed, 1u) : 1, format);
}

static bool receive(struct port *p)
{
    bool any = false;
    for (int i = 0; i < 256 && (inb(p->base + LSR) & LSR_DATA_READY); i++) {
        if (!tty_input_room(p->tty)) { /* the rest stays in the FIFO until there is */
            set_ier(p, p->ier & ~IER_RECEIVED);
            break;
        }
        tty_input(p->tty, inb(p->base + DATA));
        any = true;
    }
    return any;
}

static bool interrupt(void *device)
{
    struct port *p = device;
    bool any = receive(p);
    if (p->ier & IER_SENT) {
        u32 before = pending(p->tty);
        pump(p);
        any |= before != pending(p->tty);
        if (before != pending(p->tty))
            tty_output_room(p->tty);
    }
    any |= !(inb(p->base + IIR) & IIR_NONE); /* reading it acknowledges "sent" */
    return any;
}

static const struct tty_ops ops = {.write = send,
                                   .room = room,
                                   .pending = pending,
                                   .discard = discard,
                                   .input_room = input_room,
                                   .flow = flow,
                                   .ioctl = modem_lines,
                                   .set_termios = set_termios};

void serial_start(void)
{
    for (u32 i = 0; i < NR_SERIAL; i++) {
        struct port *p = &ports[i];
        if (!p->present || !(p->tty = tty_new(p->name, 4 << 8 | (64 + i), &ops, p)))
            continue;
        p->tty->termios.c_cflag = B115200 | CS8 | CREAD | HUPCL | CLOCAL;
        p->tty->termios.c_ispeed = p->tty->termios.c_ospeed = 115200;
        irq_register(p->line, p->name, interrupt, p);
        set_ier(p, IER_RECEIVED);
    }
}
