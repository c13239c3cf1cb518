/* What the parts of the terminal (tty.h) show to each other. */
#ifndef KERNEL_FS_TTY_LINE_H
#define KERNEL_FS_TTY_LINE_H

#include "kernel/fs/tty.h"

#define I_FLAG(tty, flag) ((tty)->termios.c_iflag & (flag))
#define O_FLAG(tty, flag) ((tty)->termios.c_oflag & (flag))
#define L_FLAG(tty, flag) ((tty)->termios.c_lflag & (flag))

static inline struct tty_open *tty_open_of(struct file *file)
{
    return file->private;
}
/* The file, or the line beneath it, is no longer there. */
static inline bool tty_is_gone(const struct tty_open *open)
{
    return open->hung_up || open->tty->line_dropped;
}

/* tty_line.c. Interrupts are off, but for line_read. */
void line_input(struct tty *tty, u8 c);
bool line_ready(const struct tty *tty, u32 at_least); /* raw: so many characters; else a line */
void line_flush(struct tty *tty);                     /* forgets the input */
void line_settings(struct tty *tty, const struct termios2 *old); /* they were changed */
u32 line_waiting(const struct tty *tty);                         /* FIONREAD */
/* read(2): sleeps. */
ssize_t line_read(struct tty *tty, struct file *file, void __user *buf, size_t len);

/* tty_output.c. Interrupts are off. */
u32 output_room(struct tty *tty); /* 0 while it is stopped */
/* Sends from the program's text; how many of its characters are on their way. */
u32 output_text(struct tty *tty, const char *text, u32 len);
void output_start(struct tty *tty);
void output_stop(struct tty *tty);
u32 output_pending(struct tty *tty);
void output_discard(struct tty *tty);
void echo_char(struct tty *tty, u8 c); /* a control character as ^X, with ECHOCTL */
void echo_raw(struct tty *tty, u8 c);
void echo_erase_tab(struct tty *tty, u32 columns, bool after_tab);
void echo_flush(struct tty *tty); /* as far as the driver has room */

/* tty_job.c */
struct tty *tty_controlling(void); /* the current process's; NULL: it has none */
/* May the current process do this to the terminal? 0; -ERESTARTSYS: it was sent `sig`, which will
 * stop it; -EIO: that would be of no use. */
int job_check(struct tty *tty, int sig);
void tty_forget(struct tty *tty);                    /* it is nobody's controlling terminal */
void job_opened(struct tty *tty, struct file *file); /* it may become the controlling one */
/* by_master: it was asked through a pseudo-terminal's other side. 0 ..., or -ENOIOCTLCMD. */
int job_ioctl(struct tty *tty, u32 request, u32 argument, bool by_master);
#define ENOIOCTLCMD 515 /* not one of mine: never seen by programs */

/* tty_ioctl.c */
int tty_ioctl(struct file *file, u32 request, u32 argument);
int tty_line_ioctl(struct tty *tty, u32 request, u32 argument, bool by_master);

#endif
