/* Every console at once: a newline becomes carriage return + newline on the serial line. */
#include "drivers/console.h"
#include "kernel/lib/lib.h"

static bool to_serial = true, to_vga = true;

void console_init(void)
{
    serial_init();
    vga_init();
}

void console_choose(void)
{
    char name[16];
    if (!cmdline_get("console", name, sizeof(name)))
        return;
    to_serial = !strncmp(name, "ttyS", 4);
    to_vga = !to_serial;
}

static void serial_text(const char *text, size_t len)
{
    while (len) {
        size_t n = 0;
        while (n < len && text[n] != '\n')
            n++;
        serial_write(text, n);
        if (n < len) {
            serial_write("\r\n", 2);
            n++;
        }
        text += n;
        len -= n;
    }
}

void console_write(const char *text, size_t len)
{
    if (to_serial)
        serial_text(text, len);
    if (to_vga)
        vga_write(text, len);
}
