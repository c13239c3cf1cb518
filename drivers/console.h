/* The consoles: the serial line and the VGA text screen, both written at once; console= on the
 * command line picks one ("ttyS0" or "tty0"). Output never sleeps and is safe in a panic. */
#ifndef DRIVERS_CONSOLE_H
#define DRIVERS_CONSOLE_H

#include "kernel/lib/types.h"

void console_init(void);   /* usable at once; chooses by the command line */
void console_choose(void); /* console= */
void console_write(const char *text, size_t len);

void serial_init(void);
void serial_write(const char *text, size_t len);
void serial_irq_init(void); /* from here on received characters go to tty_input */
void vga_init(void);
void vga_write(const char *text, size_t len);
void keyboard_init(void);

#endif
