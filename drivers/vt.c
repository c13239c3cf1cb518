/*
 * The virtual terminal: the VGA text screen and the keyboard as one terminal, /dev/tty1.
 *
 * The screen's cells are kept in RAM and copied to the card when they have changed, since the
 * card's memory is slow. IBM VGA: text at 0xB8000, CRT controller registers 0Ah-0Fh.
 */
#include <linux/kd.h>
#include <linux/vt.h>
#include "drivers/console.h"
#include "drivers/screen.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/page.h"

enum { COLUMNS = 80, ROWS = 25 };
enum {
    CRTC_INDEX = 0x3D4,
    CRTC_DATA = 0x3D5,
    CRTC_CURSOR_START = 0x0A,
    CRTC_CURSOR_HIGH = 0x0E,
    CRTC_CURSOR_LOW = 0x0F,
};
enum { CURSOR_LINE = 13, CURSOR_OFF = 1 << 5 };
#define PIECE 256u /* characters shown at once, for the sake of interrupts */

static u16 cells[ROWS * COLUMNS];
static u16 *const card = (u16 *)(KERNEL_BASE + 0xB8000);
static struct screen screen;
static struct tty *tty;

static void crtc(u8 index, u8 value)
{
    outb(CRTC_INDEX, index);
    outb(CRTC_DATA, value);
}

/* What has changed goes to the card. */
static void flush(void)
{
    static bool hidden;
    u32 from = screen.dirty_from * COLUMNS, to = screen.dirty_to * COLUMNS;
    memcpy(card + from, cells + from, (to - from) * sizeof(u16));
    screen.dirty_from = screen.dirty_to = 0;
    u16 at = screen.now.row * COLUMNS + screen.now.column;
    crtc(CRTC_CURSOR_HIGH, at >> 8);
    crtc(CRTC_CURSOR_LOW, at & 0xFF);
    if (hidden != screen.hidden)
        crtc(CRTC_CURSOR_START, screen.hidden ? CURSOR_OFF : CURSOR_LINE);
    hidden = screen.hidden;
}

/* Interrupts are off. */
static void show(const char *text, size_t len)
{
    screen_write(&screen, text, len);
    flush();
}

void vt_init(void)
{
    screen_init(&screen, cells, ROWS, COLUMNS);
    crtc(CRTC_CURSOR_START, CURSOR_LINE);
    flush();
}

void vt_write(const char *text, size_t len)
{
    u32 flags = irq_save();
    show(text, len);
    irq_restore(flags);
}

void vt_keys(const char *text, size_t len)
{
    while (tty && len--)
        tty_input(tty, *text++);
}

bool vt_application_keys(void)
{
    return screen.application_keys;
}

static u32 room(struct tty *t)
{
    return PIECE; /* the screen takes everything at once */
}

static u32 write(struct tty *t, const char *text, u32 len)
{
    show(text, len);
    char reply[sizeof(screen.reply)];
    u32 reply_len = screen.reply_len;
    memcpy(reply, screen.reply, reply_len);
    screen.reply_len = 0; /* first: the reply may be echoed, and we be here again */
    vt_keys(reply, reply_len);
    return len;
}

/* ioctl_console(2), as far as one text screen has answers. */
static int console_ioctl(struct tty *t, u32 request, u32 argument)
{
    void __user *user = (void __user *)argument;
    const struct vt_stat state = {.v_active = 1, .v_state = 1 << 0 | 1 << 1};
    const u8 keyboard = KB_101;
    const u32 text_mode = KD_TEXT, key_mode = K_UNICODE;
    switch (request) {
    case KDGKBTYPE:
        return copyout(user, &keyboard, sizeof(keyboard));
    case KDGETMODE:
        return copyout(user, &text_mode, sizeof(text_mode));
    case KDGKBMODE:
        return copyout(user, &key_mode, sizeof(key_mode));
    case VT_GETSTATE:
        return copyout(user, &state, sizeof(state));
    case VT_ACTIVATE:
    case VT_WAITACTIVE:
        return argument == 1 ? 0 : -ENXIO;
    default:
        return -ENOTTY;
    }
}

static const struct tty_ops ops = {.write = write, .room = room, .ioctl = console_ioctl};

void vt_start(void)
{
    tty = tty_new("tty1", 4 << 8 | 1, &ops, NULL);
    if (!tty)
        return;
    tty->termios.c_iflag |= IUTF8;
    tty->window = (struct winsize){.ws_row = ROWS, .ws_col = COLUMNS};
}
