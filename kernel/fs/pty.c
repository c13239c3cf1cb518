/* Pseudo-terminals: the master's side, and the "driver" beneath the slave. See pty.h. */
#include "kernel/fs/pty.h"
#include <asm/signal.h>
#include <linux/fcntl.h>
#include "kernel/fs/poll.h"
#include "kernel/fs/tty_line.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal.h"

#define OUT 4096u /* characters that the master has not read yet */

struct pty {
    u32 number;
    struct tty *slave;
    char *out; /* a ring */
    u32 tail, head;
    bool master_open;
    bool locked;     /* TIOCSPTLCK: the slave cannot be opened yet */
    bool was_opened; /* the slave; so when nobody has it open any more, it is gone */
    bool packet;     /* TIOCPKT: a byte in front of what is read says what it is */
    u8 news;         /* TIOCPKT_* bits that the master has not been told yet */
    struct wait_queue readers, writers; /* of the master */
};

static struct pty *ptys[NR_PTYS];

u32 pty_next(u32 from)
{
    while (from < NR_PTYS && !(ptys[from] && ptys[from]->master_open))
        from++;
    return from;
}

static bool slave_gone(const struct pty *p)
{
    return p->was_opened && !p->slave->opens;
}

/* ---- beneath the slave ---- */

static u32 slave_room(struct tty *tty)
{
    struct pty *p = tty->device;
    return OUT - (p->head - p->tail);
}

static u32 slave_write(struct tty *tty, const char *text, u32 len)
{
    struct pty *p = tty->device;
    u32 n = MIN(len, slave_room(tty));
    for (u32 i = 0; i < n; i++)
        p->out[p->head++ % OUT] = text[i];
    if (n)
        wake_all(&p->readers);
    return n;
}

/* Packet mode: the master is told what the slave's settings and flow have become. */
static void tell(struct pty *p, u8 add, u8 take_back)
{
    if (!p->packet)
        return;
    p->news = (p->news & ~take_back) | add;
    wake_all(&p->readers);
}

static void slave_flow(struct tty *tty)
{
    if (tty->stopped)
        tell(tty->device, TIOCPKT_STOP, TIOCPKT_START);
    else
        tell(tty->device, TIOCPKT_START, TIOCPKT_STOP);
}

/* What is on its way to the master stays, though: it may have been read as well. */
static void slave_discard(struct tty *tty)
{
    tell(tty->device, TIOCPKT_FLUSHWRITE, 0);
}

static void slave_flushed(struct tty *tty)
{
    tell(tty->device, TIOCPKT_FLUSHREAD, 0);
}

/* Does the other side do ^S and ^Q as everybody does? Then it may act on them by itself. */
static bool usual_flow(const struct termios2 *t)
{
    return (t->c_iflag & IXON) && t->c_cc[VSTOP] == 023 && t->c_cc[VSTART] == 021;
}

static void slave_set_termios(struct tty *tty, const struct termios2 *old)
{
    bool was = usual_flow(old), is = usual_flow(&tty->termios);
    if (was && !is)
        tell(tty->device, TIOCPKT_NOSTOP, TIOCPKT_DOSTOP);
    if (!was && is)
        tell(tty->device, TIOCPKT_DOSTOP, TIOCPKT_NOSTOP);
}

static void slave_input_room(struct tty *tty)
{
    struct pty *p = tty->device;
    wake_all(&p->writers);
}

static int slave_open(struct tty *tty)
{
    struct pty *p = tty->device;
    if (p->locked)
        return -EIO;
    p->was_opened = true;
    return 0;
}

static void pty_free(struct pty *p)
{
    ptys[p->number] = NULL;
    if (p->slave)
        tty_free(p->slave);
    kfree(p->out);
    kfree(p);
}

static void slave_closed(struct tty *tty)
{
    struct pty *p = tty->device;
    if (p->master_open) {
        wake_all(&p->readers);
        wake_all(&p->writers);
    } else {
        pty_free(p);
    }
}

static const struct tty_ops slave_ops = {.write = slave_write,
                                         .room = slave_room,
                                         .input_room = slave_input_room,
                                         .discard = slave_discard,
                                         .flow = slave_flow,
                                         .flushed = slave_flushed,
                                         .set_termios = slave_set_termios,
                                         .open = slave_open,
                                         .closed = slave_closed};

/* ---- the master ---- */

static struct pty *pty_new(void)
{
    u32 number = 0;
    while (number < NR_PTYS && ptys[number])
        number++;
    if (number == NR_PTYS)
        return err_ptr(-ENOSPC);
    struct pty *p = kzalloc(sizeof(*p));
    if (!p)
        return err_ptr(-ENOMEM);
    char name[8];
    snprintf(name, sizeof(name), "pts/%u", number);
    p->number = number;
    p->out = kmalloc(OUT);
    p->slave = tty_new(name, PTS_MAJOR << 8 | number, &slave_ops, p);
    if (!p->out || !p->slave) {
        pty_free(p);
        return err_ptr(-ENOMEM);
    }
    p->slave->termios.c_cflag &= ~(u32)HUPCL; /* as on Linux */
    p->slave->is_pty = true;
    p->locked = true;
    wait_init(&p->readers);
    wait_init(&p->writers);
    ptys[number] = p;
    return p;
}

static int master_open(struct inode *inode, struct file *file)
{
    struct pty *p = pty_new();
    if (is_err(p))
        return ptr_err(p);
    p->master_open = true;
    devpts_fresh(p->number);
    file->private = p;
    return 0;
}

/* The other side loses its line. */
static void master_release(struct file *file)
{
    struct pty *p = file->private;
    p->master_open = false;
    if (!p->slave->opens) {
        tty_hangup(p->slave);
        pty_free(p);
        return;
    }
    p->slave->line_dropped = true;
    tty_hangup(p->slave);
}

static bool master_ready(const struct pty *p)
{
    return p->head != p->tail || p->news;
}

static ssize_t master_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct pty *p = file->private;
    if (!len)
        return 0;
    if (!master_ready(p)) {
        if (slave_gone(p))
            return -EIO;
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = wait_event_signal(&p->readers, master_ready(p) || slave_gone(p), 0);
        if (err)
            return err;
        if (!master_ready(p))
            return -EIO;
    }
    size_t done = 0;
    if (p->packet) {
        u8 kind = p->news; /* 0 is TIOCPKT_DATA */
        p->news = 0;
        if (copyout(buf, &kind, 1) < 0)
            return -EFAULT;
        done = 1;
        if (kind)
            return done;
    }
    while (done < len && p->head != p->tail) {
        char piece[256];
        u32 n = 0;
        u32 flags = irq_save();
        while (n < MIN(len - done, sizeof(piece)) && p->head != p->tail)
            piece[n++] = p->out[p->tail++ % OUT];
        tty_output_room(p->slave);
        irq_restore(flags);
        if (copyout((char __user *)buf + done, piece, n) < 0)
            return done ? (ssize_t)done : -EFAULT;
        done += n;
    }
    return done;
}

static ssize_t master_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct pty *p = file->private;
    size_t done = 0;
    while (done < len) {
        char piece[256];
        u32 n = MIN(len - done, sizeof(piece));
        if (copyin(piece, (const char __user *)buf + done, n) < 0)
            return done ? (ssize_t)done : -EFAULT;
        for (u32 i = 0; i < n; i++, done++) {
            if (!tty_input_room(p->slave)) {
                if (file->flags & O_NONBLOCK)
                    return done ? (ssize_t)done : -EAGAIN;
                int err = wait_event_signal(&p->writers, tty_input_room(p->slave), 0);
                if (err)
                    return done ? (ssize_t)done : err;
            }
            tty_input(p->slave, piece[i]);
        }
    }
    return done;
}

static u32 master_poll(struct file *file, struct poll_table *table)
{
    struct pty *p = file->private;
    poll_wait(table, &p->readers);
    poll_wait(table, &p->writers);
    u32 mask = slave_gone(p) ? POLLHUP : 0;
    if (p->news)
        mask |= POLLPRI;
    if (master_ready(p))
        mask |= POLLIN | POLLRDNORM;
    if (tty_input_room(p->slave))
        mask |= POLLOUT | POLLWRNORM;
    return mask;
}

/* TIOCGPTPEER: the slave, without the way through its name. A descriptor. */
static int open_peer(struct pty *p, u32 flags)
{
    struct inode *inode = devpts_inode(p->number);
    if (is_err(inode))
        return ptr_err(inode);
    struct file *f = file_new(inode, &tty_ops, flags & ~(u32)O_CLOEXEC);
    if (!f) {
        inode_put(inode);
        return -ENOMEM;
    }
    int ret = tty_ops.open(inode, f);
    if (ret < 0)
        f->ops = NULL; /* never opened */
    f->flags &= ~(u32)O_NOCTTY;
    if (!ret)
        ret = fd_install(f, 0, flags & O_CLOEXEC);
    if (ret < 0)
        file_put(f);
    return ret;
}

static int put_number(void __user *to, u32 number)
{
    return copyout(to, &number, sizeof(number));
}

static int master_flush(struct pty *p, u32 what)
{
    if (what != TCIFLUSH && what != TCOFLUSH && what != TCIOFLUSH)
        return -EINVAL;
    u32 flags = irq_save();
    if (what != TCOFLUSH)
        p->tail = p->head;
    tty_output_room(p->slave);
    irq_restore(flags);
    return 0;
}

/* Settings, window and job control are the slave's. */
static int master_ioctl(struct file *file, u32 request, u32 argument)
{
    struct pty *p = file->private;
    void __user *user = (void __user *)argument;
    u32 number;
    switch (request) {
    case TIOCGPTN:
        return put_number(user, p->number);
    case TIOCSPTLCK:
        if (copyin(&number, user, sizeof(number)) < 0)
            return -EFAULT;
        p->locked = number != 0;
        return 0;
    case TIOCGPTLCK:
        return put_number(user, p->locked);
    case TIOCGPTPEER:
        return open_peer(p, argument);
    case TIOCPKT:
        if (copyin(&number, user, sizeof(number)) < 0)
            return -EFAULT;
        p->packet = number != 0;
        p->news = 0;
        return 0;
    case TIOCGPKT:
        return put_number(user, p->packet);
    case TIOCSIG: /* as if its key had been pressed */
        if (argument != SIGINT && argument != SIGQUIT && argument != SIGTSTP)
            return -EINVAL;
        if (p->slave->foreground)
            signal_group(p->slave->foreground, argument);
        return 0;
    case FIONREAD:
        return put_number(user, p->head - p->tail);
    case TIOCOUTQ:
        return put_number(user, 0);
    case TCFLSH:
        return master_flush(p, argument);
    case TIOCNOTTY: /* nobody's controlling terminal is a master */
        return -ENOTTY;
    case TIOCGDEV:
        return put_number(user, RDEV_PTMX);
    default:
        return tty_line_ioctl(p->slave, request, argument, true);
    }
}

const struct file_ops ptmx_ops = {.open = master_open,
                                  .release = master_release,
                                  .read = master_read,
                                  .write = master_write,
                                  .ioctl = master_ioctl,
                                  .poll = master_poll};
