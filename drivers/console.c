/* See console.h. */
#include "drivers/console.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/lib.h"

#define RDEV_TTY1 (4 << 8 | 1)
#define RDEV_TTYS (4 << 8 | 64)

static bool to_serial[NR_SERIAL] = {true}, to_screen = true;
static u32 chosen = RDEV_TTYS; /* what /dev/console shall be */

void console_init(void)
{
    serial_init();
    vt_init();
    if (!serial_present(0))
        chosen = RDEV_TTY1;
}

/* "ttyS0", "ttyS0,115200n8", "tty0", "tty1", "tty"; false: no such. */
static bool choose(const char *name)
{
    if (!strncmp(name, "ttyS", 4)) {
        u32 port = name[4] - '0';
        if (port >= NR_SERIAL || !serial_present(port))
            return false;
        to_serial[port] = true;
        chosen = RDEV_TTYS + port;
        return true;
    }
    if (strncmp(name, "tty", 3) != 0)
        return false;
    to_screen = true;
    chosen = RDEV_TTY1;
    return true;
}

void console_choose(void)
{
    char name[24];
    bool serial[NR_SERIAL], screen = to_screen, any = false;
    memcpy(serial, to_serial, sizeof(serial));
    memset(to_serial, 0, sizeof(to_serial));
    to_screen = false;
    for (u32 i = 0; cmdline_get_nth("console", i, name, sizeof(name)); i++)
        any |= choose(name);
    if (!any) {
        memcpy(to_serial, serial, sizeof(serial));
        to_screen = screen;
    }
}

void console_start(void)
{
    serial_start();
    vt_start();
    keyboard_init();
    tty_console = tty_find(chosen);
}

static void say(const char *text, size_t len)
{
    for (u32 port = 0; port < NR_SERIAL; port++)
        if (to_serial[port])
            serial_write(port, text, len);
    if (to_screen)
        vt_write(text, len);
}

void console_write(const char *text, size_t len)
{
    while (len) {
        size_t n = 0;
        while (n < len && text[n] != '\n')
            n++;
        say(text, n);
        if (n < len) {
            say("\r\n", 2);
            n++;
        }
        text += n;
        len -= n;
    }
}
