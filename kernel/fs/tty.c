/* See tty.h. */
#include "kernel/fs/tty.h"
#include <asm/termbits.h>
#include <asm/ioctls.h>
#include <linux/fcntl.h>
#include "drivers/console.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"

#define LINE_MAX  1024
#define READY_MAX 4096 /* lines typed ahead; what is beyond is lost */

struct winsize_ { /* struct winsize of <asm/termios.h>, which drags in more than we want */
    u16 rows, columns, x_pixels, y_pixels;
};

static char ready[READY_MAX]; /* characters that a reader may have */
static u32 ready_head, ready_tail;
static char line[LINE_MAX]; /* the line being edited */
static u32 line_len;
static bool end_of_file;
static WAIT_QUEUE(readers);

static struct termios settings = {
    .c_iflag = ICRNL,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK,
    .c_cc = {[VINTR] = 3, [VQUIT] = 28, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4, [VMIN] = 1},
};
static struct winsize_ window = {25, 80, 0, 0};

static void make_ready(const char *text, u32 len)
{
    for (u32 i = 0; i < len && ready_head - ready_tail < READY_MAX; i++)
        ready[ready_head++ % READY_MAX] = text[i];
    wake_all(&readers);
}

static void echo(const char *text, u32 len)
{
    if (settings.c_lflag & ECHO)
        console_write(text, len);
}

void tty_input(char c)
{
    if (c == '\r' && (settings.c_iflag & ICRNL))
        c = '\n';
    if (!(settings.c_lflag & ICANON)) {
        echo(&c, 1);
        make_ready(&c, 1);
    } else if (c == (char)settings.c_cc[VERASE] || c == '\b') {
        if (line_len) {
            line_len--;
            echo("\b \b", 3);
        }
    } else if (c == (char)settings.c_cc[VKILL]) {
        for (; line_len; line_len--)
            echo("\b \b", 3);
    } else if (c == (char)settings.c_cc[VEOF]) {
        end_of_file = !line_len;
        make_ready(line, line_len);
        line_len = 0;
    } else if (line_len < LINE_MAX - 1 || (c == '\n' && line_len < LINE_MAX)) {
        line[line_len++] = c;
        echo(&c, 1);
        if (c == '\n') {
            make_ready(line, line_len);
            line_len = 0;
        }
    }
}

static ssize_t tty_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    if (ready_head == ready_tail && !end_of_file) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = wait_event_killable(&readers, ready_head != ready_tail || end_of_file, 0);
        if (err)
            return err;
    }
    if (ready_head == ready_tail) {
        end_of_file = false;
        return 0;
    }
    char piece[256];
    u32 n = 0;
    while (n < MIN(len, sizeof(piece)) && ready_tail != ready_head) {
        piece[n++] = ready[ready_tail++ % READY_MAX];
        if (piece[n - 1] == '\n' && (settings.c_lflag & ICANON))
            break;
    }
    return copyout(buf, piece, n) < 0 ? -EFAULT : (ssize_t)n;
}

static ssize_t tty_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    size_t done = 0;
    while (done < len && !task_pause()) {
        char piece[256];
        u32 n = MIN(len - done, sizeof(piece));
        if (copyin(piece, (const char __user *)buf + done, n) < 0)
            return done ? (ssize_t)done : -EFAULT;
        console_write(piece, n);
        done += n;
    }
    return done;
}

static int tty_ioctl(struct file *file, u32 request, u32 argument)
{
    void __user *to = (void __user *)argument;
    u32 pgid = current->process->pgid;
    switch (request) {
    case TCGETS:
        return copyout(to, &settings, sizeof(settings));
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
        return copyin(&settings, to, sizeof(settings));
    case TIOCGWINSZ:
        return copyout(to, &window, sizeof(window));
    case TIOCSWINSZ:
        return copyin(&window, to, sizeof(window));
    case TIOCGPGRP:
        return copyout(to, &pgid, sizeof(pgid));
    case TIOCSPGRP:
    case TIOCSCTTY:
        return 0;
    default:
        return -ENOTTY;
    }
}

const struct file_ops tty_ops = {.read = tty_read, .write = tty_write, .ioctl = tty_ioctl};
