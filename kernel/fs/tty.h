/*
 * The terminal: the serial line and the keyboard with the screen, as one /dev/console.
 * Lines are edited here (backspace, ^U, ^D) and handed to readers whole. termios(3), tty_ioctl(4).
 */
#ifndef KERNEL_FS_TTY_H
#define KERNEL_FS_TTY_H

#include "kernel/fs/vfs.h"

void tty_input(char c); /* interrupt context: a key was pressed, a character came in */
extern const struct file_ops tty_ops;

#endif
