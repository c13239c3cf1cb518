/*
 * The PS/2 keyboard on the VGA console: scan code set 1 as the controller translates it, US
 * layout, into the terminal. IBM PS/2 Technical Reference, Keyboard and Auxiliary Device
 * Controller.
 */
#include "drivers/console.h"
#include "kernel/cpu/cpu.h"

enum { PORT_DATA = 0x60, PORT_STATUS = 0x64, STATUS_FULL = 1 << 0, LINE = 1 };
enum {
    RELEASED = 0x80,
    EXTENDED = 0xE0,
    LEFT_SHIFT = 0x2A,
    RIGHT_SHIFT = 0x36,
    CONTROL = 0x1D,
    CAPS_LOCK = 0x3A
};

static const char plain[] =
    "\0\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
static const char shifted[] =
    "\0\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";

static bool shift, control, caps, extended;

static void key(u8 code)
{
    if (code == EXTENDED) {
        extended = true;
        return;
    }
    bool down = !(code & RELEASED);
    code &= ~RELEASED;
    bool was_extended = extended;
    extended = false;
    if (code == LEFT_SHIFT || code == RIGHT_SHIFT)
        shift = down;
    else if (code == CONTROL)
        control = down;
    else if (code == CAPS_LOCK && down)
        caps = !caps;
    else if (down && !was_extended && code < sizeof(plain) - 1) {
        char c = shift ? shifted[code] : plain[code];
        if (caps && (c | 32) >= 'a' && (c | 32) <= 'z')
            c ^= 32;
        if (control && (c | 32) >= 'a' && (c | 32) <= 'z')
            c &= 0x1F;
        if (c)
            vt_keys(&c, 1);
    }
}

static bool keyboard_interrupt(void *device)
{
    bool any = false;
    for (int i = 0; i < 16 && (inb(PORT_STATUS) & STATUS_FULL); i++) {
        key(inb(PORT_DATA));
        any = true;
    }
    return any;
}

void keyboard_init(void)
{
    for (int i = 0; i < 16 && (inb(PORT_STATUS) & STATUS_FULL); i++)
        inb(PORT_DATA); /* what the firmware left */
    irq_register(LINE, "keyboard", keyboard_interrupt, NULL);
}
