/* Terminals as files: their table, open and close, read and write. See tty.h. */
#include "kernel/fs/tty.h"
#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "kernel/fs/poll.h"
#include "kernel/fs/tty_line.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal.h"
#include "kernel/proc/task.h"

#define RDEV(major, minor) ((major) << 8 | (minor))
enum { RDEV_TTY0 = RDEV(4, 0), RDEV_TTY1, RDEV_TTY = RDEV(5, 0), RDEV_CONSOLE };

/* poll says writable while less than this is pending, and the longest character would fit. */
#define POLL_OUT_PENDING 256
#define POLL_OUT_ROOM    8

static LIST_HEAD(, tty)
ttys = LIST_HEAD_INITIALIZER(ttys);
struct tty *tty_console;

static const struct termios2 first_settings = {
    .c_iflag = ICRNL | IXON,
    .c_oflag = OPOST | ONLCR,
    .c_cflag = B38400 | CS8 | CREAD | HUPCL,
    .c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN,
    .c_cc = {[VINTR] = 3,
             [VQUIT] = 28,
             [VERASE] = 127,
             [VKILL] = 21,
             [VEOF] = 4,
             [VMIN] = 1,
             [VSTART] = 17,
             [VSTOP] = 19,
             [VSUSP] = 26,
             [VREPRINT] = 18,
             [VDISCARD] = 15,
             [VWERASE] = 23,
             [VLNEXT] = 22},
    .c_ispeed = 38400,
    .c_ospeed = 38400,
};

struct tty *tty_new(const char *name, u32 rdev, const struct tty_ops *ops, void *device)
{
    struct tty *tty = kzalloc(sizeof(*tty));
    if (!tty)
        return NULL;
    tty->line.ring = kmalloc(TTY_INPUT);
    if (!tty->line.ring) {
        kfree(tty);
        return NULL;
    }
    strlcpy(tty->name, name, sizeof(tty->name));
    tty->rdev = rdev;
    tty->ops = ops;
    tty->device = device;
    tty->termios = first_settings;
    LIST_INIT(&tty->files);
    wait_init(&tty->readers);
    wait_init(&tty->writers);
    LIST_INSERT_HEAD(&ttys, tty, all);
    return tty;
}

void tty_free(struct tty *tty)
{
    ASSERT(!tty->opens);
    tty_forget(tty);
    LIST_REMOVE(tty, all);
    kfree(tty->line.ring);
    kfree(tty);
}

struct tty *tty_find(u32 rdev)
{
    struct tty *tty;
    LIST_FOREACH (tty, &ttys, all)
        if (tty->rdev == rdev)
            return tty;
    return NULL;
}

/* ---- drivers ---- */

u32 tty_input_room(struct tty *tty)
{
    struct tty_line *line = &tty->line;
    u32 used = line->head - line->tail;
    if (used < TTY_INPUT - 1)
        return TTY_INPUT - 1 - used;
    if (L_FLAG(tty, ICANON) && line->canon == line->tail)
        return 1; /* a line that is too long: its end is still wanted */
    line->full = true;
    return 0;
}

void tty_input(struct tty *tty, char c)
{
    u32 flags = irq_save();
    if (tty_input_room(tty))
        line_input(tty, c);
    irq_restore(flags);
}

void tty_output_room(struct tty *tty)
{
    echo_flush(tty);
    if (output_room(tty))
        wake_all(&tty->writers);
}

/* ---- open and close ---- */

static int open_file(struct tty *tty, struct file *file)
{
    struct tty_open *open = kzalloc(sizeof(*open));
    if (!open)
        return -ENOMEM;
    open->tty = tty;
    file->private = open;
    LIST_INSERT_HEAD(&tty->files, open, link);
    tty->opens++;
    return 0;
}

static int tty_open(struct inode *inode, struct file *file)
{
    bool is_console = inode->rdev == RDEV_CONSOLE;
    bool by_other_name = is_console || inode->rdev == RDEV_TTY0 || inode->rdev == RDEV_TTY;
    struct tty *tty = inode->rdev == RDEV_TTY    ? tty_controlling()
                      : is_console               ? tty_console
                      : inode->rdev == RDEV_TTY0 ? tty_find(RDEV_TTY1)
                                                 : tty_find(inode->rdev);
    if (!tty)
        return -ENXIO;
    if (tty->line_dropped)
        return -EIO;
    if (tty->exclusive && tty->opens && !capable(CAP_SYS_ADMIN))
        return -EBUSY;
    int err = tty->ops->open ? tty->ops->open(tty) : 0;
    if (!err)
        err = open_file(tty, file);
    if (err)
        return err;
    tty_open_of(file)->is_console = is_console;
    if (!by_other_name)
        job_opened(tty, file);
    return 0;
}

static void tty_release(struct file *file)
{
    struct tty_open *open = tty_open_of(file);
    struct tty *tty = open->tty;
    u32 flags = irq_save();
    LIST_REMOVE(open, link);
    bool last = !--tty->opens;
    tty->exclusive &= !last;
    irq_restore(flags);
    kfree(open);
    if (last && tty->ops->closed)
        tty->ops->closed(tty);
}

/* ---- read, write, poll ---- */

static ssize_t tty_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct tty_open *open = tty_open_of(file);
    if (open->hung_up)
        return 0;
    int err = open->is_console ? 0 : job_check(open->tty, SIGTTIN);
    return err ? err : line_read(open->tty, file, buf, len);
}

/* Until a part of `text` is on its way: how much. */
static ssize_t write_some(struct file *file, const char *text, u32 len)
{
    struct tty_open *open = tty_open_of(file);
    struct tty *tty = open->tty;
    for (;;) {
        if (tty_is_gone(open))
            return -EIO;
        u32 flags = irq_save();
        u32 n = output_text(tty, text, len);
        u32 before = output_room(tty); /* may be too little: a newline takes two */
        irq_restore(flags);
        if (n)
            return n;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int err =
            wait_event_signal(&tty->writers, output_room(tty) > before || tty_is_gone(open), 0);
        if (err)
            return err;
    }
}

static ssize_t tty_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct tty_open *open = tty_open_of(file);
    if (open->hung_up)
        return -EIO;
    if (L_FLAG(open->tty, TOSTOP) && !open->is_console) {
        int err = job_check(open->tty, SIGTTOU);
        if (err)
            return err;
    }
    size_t done = 0;
    ssize_t n = 0;
    while (done < len) {
        char piece[256];
        u32 want = MIN(len - done, sizeof(piece));
        if (copyin(piece, (const char __user *)buf + done, want) < 0)
            return done ? (ssize_t)done : -EFAULT;
        for (u32 at = 0; at < want; at += n) {
            n = write_some(file, piece + at, want - at);
            if (n < 0)
                return done ? (ssize_t)done : n;
            done += n;
        }
        if (done < len && task_pause())
            break;
    }
    return done;
}

static u32 tty_poll(struct file *file, struct poll_table *p)
{
    struct tty_open *open = tty_open_of(file);
    struct tty *tty = open->tty;
    poll_wait(p, &tty->readers);
    poll_wait(p, &tty->writers);
    if (open->hung_up)
        return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
    const u8 *cc = tty->termios.c_cc;
    u32 mask = tty->line_dropped ? POLLHUP : 0;
    if (line_ready(tty, !cc[VTIME] && cc[VMIN] ? cc[VMIN] : 1))
        mask |= POLLIN | POLLRDNORM;
    if (output_room(tty) >= POLL_OUT_ROOM && output_pending(tty) < POLL_OUT_PENDING)
        mask |= POLLOUT | POLLWRNORM;
    return mask;
}

const struct file_ops tty_ops = {.open = tty_open,
                                 .release = tty_release,
                                 .read = tty_read,
                                 .write = tty_write,
                                 .ioctl = tty_ioctl,
                                 .poll = tty_poll};
