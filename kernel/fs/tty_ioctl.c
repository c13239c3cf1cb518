/* ioctl(2) on terminals: the settings, the window, flushing and flow. tty_ioctl(4). */
#include <asm/signal.h>
#include <linux/capability.h>
#include "kernel/fs/tty_line.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"

/* ---- the settings ---- */

static const u32 speeds[] = {0,   50,   75,   110,  134,  150,  200,   300,
                             600, 1200, 1800, 2400, 4800, 9600, 19200, 38400};
static const u32 fast_speeds[] = {57600,   115200,  230400,  460800,  500000,
                                  576000,  921600,  1000000, 1152000, 1500000,
                                  2000000, 2500000, 3000000, 3500000, 4000000};

/* The baud rate of a CBAUD field; `own` where it says BOTHER. */
static u32 baud(u32 code, u32 own)
{
    code &= CBAUD;
    if (code == BOTHER)
        return own;
    if (!(code & CBAUDEX))
        return speeds[code];
    code -= B57600;
    return code < ARRAY_LEN(fast_speeds) ? fast_speeds[code] : 38400;
}

static void take_speeds(struct termios2 *t)
{
    t->c_ospeed = baud(t->c_cflag, t->c_ospeed);
    u32 in = t->c_cflag >> IBSHIFT & CBAUD;
    t->c_ispeed = in == B0 ? t->c_ospeed : baud(in, t->c_ispeed);
}

/* Waits until all output is out. 0 or -ERESTARTSYS. */
static int drain(struct tty *tty)
{
    return wait_event_signal(&tty->writers, !output_pending(tty) || tty->line_dropped, 0);
}

static int apply(struct tty *tty, struct termios2 *wanted, u32 request)
{
    bool and_flush = request == TCSETSF || request == TCSETAF || request == TCSETSF2;
    bool and_drain = and_flush || request == TCSETSW || request == TCSETAW || request == TCSETSW2;
    if (and_drain) {
        int err = drain(tty);
        if (err)
            return err;
    }
    take_speeds(wanted);
    u32 flags = irq_save();
    struct termios2 old = tty->termios;
    if (and_flush)
        line_flush(tty);
    tty->termios = *wanted;
    line_settings(tty, &old);
    if (tty->ops->set_termios)
        tty->ops->set_termios(tty, &old);
    irq_restore(flags);
    return 0;
}

/* TCSETA: the sixteen-bit struct of System V changes what it has room for. */
static int apply_short(struct tty *tty, const void __user *from, u32 request)
{
    struct termio s;
    if (copyin(&s, from, sizeof(s)) < 0)
        return -EFAULT;
    struct termios2 wanted = tty->termios;
    wanted.c_iflag = (wanted.c_iflag & ~0xFFFFu) | s.c_iflag;
    wanted.c_oflag = (wanted.c_oflag & ~0xFFFFu) | s.c_oflag;
    wanted.c_cflag = (wanted.c_cflag & ~0xFFFFu) | s.c_cflag;
    wanted.c_lflag = (wanted.c_lflag & ~0xFFFFu) | s.c_lflag;
    wanted.c_line = s.c_line;
    memcpy(wanted.c_cc, s.c_cc, NCC);
    return apply(tty, &wanted, request);
}

static int get_short(const struct tty *tty, void __user *to)
{
    const struct termios2 *t = &tty->termios;
    struct termio s = {.c_iflag = t->c_iflag,
                       .c_oflag = t->c_oflag,
                       .c_cflag = t->c_cflag,
                       .c_lflag = t->c_lflag,
                       .c_line = t->c_line};
    memcpy(s.c_cc, t->c_cc, NCC);
    return copyout(to, &s, sizeof(s));
}

/* What tells the settings' calls apart is the size of their struct alone: termios is the first
 * part of termios2. */
static int termios_ioctl(struct tty *tty, u32 request, u32 argument)
{
    void __user *user = (void __user *)argument;
    struct termios2 wanted = tty->termios;
    int err;
    switch (request) {
    case TCGETS:
        return copyout(user, &wanted, sizeof(struct termios));
    case TCGETS2:
        return copyout(user, &wanted, sizeof(struct termios2));
    case TCGETA:
        return get_short(tty, user);
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCSETS2:
    case TCSETSW2:
    case TCSETSF2:
    case TCSETA:
    case TCSETAW:
    case TCSETAF:
        break;
    default:
        return -ENOIOCTLCMD;
    }
    err = job_check(tty, SIGTTOU);
    if (err)
        return err;
    if (request == TCSETA || request == TCSETAW || request == TCSETAF)
        return apply_short(tty, user, request);
    bool two = request == TCSETS2 || request == TCSETSW2 || request == TCSETSF2;
    if (copyin(&wanted, user, two ? sizeof(struct termios2) : sizeof(struct termios)) < 0)
        return -EFAULT;
    return apply(tty, &wanted, request);
}

/* ---- flushing and flow ---- */

static int flush(struct tty *tty, u32 what)
{
    if (what != TCIFLUSH && what != TCOFLUSH && what != TCIOFLUSH)
        return -EINVAL;
    u32 flags = irq_save();
    if (what != TCOFLUSH)
        line_flush(tty);
    if (what != TCIFLUSH)
        output_discard(tty);
    irq_restore(flags);
    return 0;
}

static int flow(struct tty *tty, u32 what)
{
    u32 flags = irq_save();
    int ret = 0;
    char key = what == TCIOFF ? tty->termios.c_cc[VSTOP] : tty->termios.c_cc[VSTART];
    switch (what) {
    case TCOOFF:
        tty->stopped_by_call = true;
        output_stop(tty);
        break;
    case TCOON:
        if (tty->stopped_by_call) {
            tty->stopped_by_call = false;
            output_start(tty);
        }
        break;
    case TCIOFF:
    case TCION:
        if (key)
            tty->ops->write(tty, &key, 1);
        break;
    default:
        ret = -EINVAL;
    }
    irq_restore(flags);
    return ret;
}

static int push_back(struct tty *tty, const void __user *from) /* TIOCSTI */
{
    char c;
    if (tty_controlling() != tty && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (copyin(&c, from, 1) < 0)
        return -EFAULT;
    tty_input(tty, c);
    return 0;
}

static int set_window(struct tty *tty, const void __user *from)
{
    struct winsize window;
    if (copyin(&window, from, sizeof(window)) < 0)
        return -EFAULT;
    tty_resize(tty, &window);
    return 0;
}

static int put_number(void __user *to, u32 number)
{
    return copyout(to, &number, sizeof(number));
}

/* What changes the line is not for those in the background. */
static bool is_for_foreground(u32 request)
{
    return request == TIOCSETD || request == TIOCSBRK || request == TIOCCBRK || request == TCSBRK ||
           request == TCSBRKP || request == TCXONC || request == TCFLSH;
}

static int other_ioctl(struct tty *tty, u32 request, u32 argument)
{
    void __user *user = (void __user *)argument;
    int err = is_for_foreground(request) ? job_check(tty, SIGTTOU) : 0;
    if (err)
        return err;
    switch (request) {
    case TIOCGWINSZ:
        return copyout(user, &tty->window, sizeof(tty->window));
    case TIOCSWINSZ:
        return set_window(tty, user);
    case FIONREAD:
        return put_number(user, line_waiting(tty));
    case TIOCOUTQ:
        return put_number(user, output_pending(tty));
    case TCFLSH:
        return flush(tty, argument);
    case TCXONC:
        return flow(tty, argument);
    case TCSBRK: /* 0: a break, which no line of ours can show; else tcdrain(3) */
    case TCSBRKP:
    case TIOCSBRK:
    case TIOCCBRK:
        return drain(tty);
    case TIOCSTI:
        return push_back(tty, user);
    case TIOCEXCL:
    case TIOCNXCL:
        tty->exclusive = request == TIOCEXCL;
        return 0;
    case TIOCGEXCL:
        return put_number(user, tty->exclusive);
    case TIOCGETD:
        return put_number(user, 0); /* N_TTY */
    case TIOCSETD: {
        u32 discipline;
        if (copyin(&discipline, user, sizeof(discipline)) < 0)
            return -EFAULT;
        return discipline ? -EINVAL : 0;
    }
    case TIOCGDEV:
        return put_number(user, tty->rdev);
    default:
        return tty->ops->ioctl ? tty->ops->ioctl(tty, request, argument) : -ENOTTY;
    }
}

int tty_line_ioctl(struct tty *tty, u32 request, u32 argument, bool by_master)
{
    int ret = termios_ioctl(tty, request, argument);
    if (ret == -ENOIOCTLCMD)
        ret = job_ioctl(tty, request, argument, by_master);
    if (ret == -ENOIOCTLCMD)
        ret = other_ioctl(tty, request, argument);
    return ret;
}

int tty_ioctl(struct file *file, u32 request, u32 argument)
{
    struct tty_open *open = tty_open_of(file);
    if (open->hung_up)
        return request == TIOCSPGRP ? -ENOTTY : -EIO;
    return tty_line_ioctl(open->tty, request, argument, false);
}
