/* The virtual terminal: screen and keyboard as one terminal, /dev/tty1. */
#include "drivers/console.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/lib.h"

void vga_init(void);
void vga_write(const char *text, size_t len);

static struct tty *tty;

void vt_init(void)
{
    vga_init();
}

void vt_write(const char *text, size_t len)
{
    u32 flags = irq_save();
    vga_write(text, len);
    irq_restore(flags);
}

void vt_keys(const char *text, size_t len)
{
    while (tty && len--)
        tty_input(tty, *text++);
}

static u32 room(struct tty *t)
{
    return 256; /* the screen takes everything at once; in pieces, for interrupts' sake */
}

static u32 show(struct tty *t, const char *text, u32 len)
{
    vga_write(text, len);
    return len;
}

static const struct tty_ops ops = {.write = show, .room = room};

void vt_start(void)
{
    tty = tty_new("tty1", 4 << 8 | 1, &ops, NULL);
    if (!tty)
        return;
    tty->window = (struct winsize){.ws_row = 25, .ws_col = 80};
}
