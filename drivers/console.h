/*
 * Consoles: where the kernel says what it has to say, and which terminal /dev/console is.
 *
 *     console=ttyS0      the first serial line          console=tty0   the VGA screen
 *
 * may be given several times: messages go to each that is named, and /dev/console is the one named
 * last. Without any, messages go to serial line and screen, and /dev/console is the serial line.
 * Whatever is chosen, /dev/ttyS0, /dev/ttyS1 and /dev/tty1 are terminals.
 */
#ifndef DRIVERS_CONSOLE_H
#define DRIVERS_CONSOLE_H

#include "kernel/lib/types.h"

struct tty;

void console_init(void);   /* usable at once */
void console_choose(void); /* console= */
void console_start(void);  /* the terminals; needs heap and interrupt controllers */
/* Kernel messages. Any context, a panic too; never sleeps. */
void console_write(const char *text, size_t len);

/* serial.c: 16550 UARTs, ttyS0 and ttyS1. */
#define NR_SERIAL 2
void serial_init(void);
bool serial_present(u32 port);
/* Waits for the chip, not for an interrupt; behind what the terminal has sent before. */
void serial_write(u32 port, const char *text, size_t len);
void serial_start(void); /* /dev/ttyS0 ... */

/* vt.c: screen and keyboard as one terminal, tty1. */
void vt_init(void);
void vt_write(const char *text, size_t len);
void vt_start(void);                        /* /dev/tty1 */
void vt_keys(const char *text, size_t len); /* what was typed; from interrupts */
bool vt_application_keys(void);             /* cursor keys as ESC O A, not ESC [ A */

/* keyboard.c */
void keyboard_init(void);

#endif
