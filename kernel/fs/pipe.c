/* A pipe's bytes: put in, taken out, waited for. See pipe.h. */
#include "kernel/fs/pipe.h"
#include <asm/ioctls.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include "kernel/fs/poll.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/user_iter.h"
#include "kernel/proc/task.h"

struct pipe *file_pipe(struct file *file)
{
    return file->ops == &pipe_file_ops ? file->private : NULL;
}

void pipe_lock(struct pipe *p)
{
    if (unlikely(p->locked))
        wait_event(&p->unlocked, !p->locked);
    p->locked = true;
}

void pipe_unlock(struct pipe *p)
{
    p->locked = false;
    wake_one(&p->unlocked);
}

void pipe_put_in(struct pipe *p, struct frag frag, u32 flags)
{
    ASSERT(!pipe_full(p));
    *pipe_slot(p, p->head++) = (struct pipe_slot){frag, flags};
}

static void page_done(struct pipe *p, struct pipe_slot *slot)
{
    if (!p->spare && (slot->flags & SLOT_APPEND))
        p->spare = slot->frag.page;
    else
        page_put(slot->frag.page, HOLD_PIPE);
}

void pipe_take_out(struct pipe *p, u32 len)
{
    struct pipe_slot *slot = pipe_slot(p, p->tail);
    slot->frag.offset += len;
    slot->frag.len -= len;
    if (slot->frag.len)
        return;
    p->tail++;
    page_done(p, slot);
}

/* --- Writing ------------------------------------------------------------------------------- */

/* The odd bytes of a write go behind those of the last one, if they all fit: so many short writes
 * share a page, and what is left fills whole ones. Linux counts like this, too, and programs can
 * see it in how much a pipe takes. Returns what was written, or -EFAULT. */
static ssize_t append_odd_bytes(struct pipe *p, struct user_iter *from)
{
    u32 odd = from->left & (PAGE_SIZE - 1);
    if (!odd || pipe_empty(p))
        return 0;
    struct pipe_slot *last = pipe_slot(p, p->head - 1);
    u32 end = last->frag.offset + last->frag.len;
    if (!(last->flags & SLOT_APPEND) || odd > PAGE_SIZE - end)
        return 0;
    if (copy_iter_to_page(EDGE_USER_PIPE, (struct frag){last->frag.page, end, odd}, from))
        return -EFAULT; /* what came before the fault stays invisible */
    last->frag.len += odd;
    return odd;
}

static ssize_t fill_slot(struct pipe *p, struct user_iter *from, u32 flags)
{
    struct page *page = p->spare ? p->spare : page_alloc(PAGE_KERNEL, HOLD_PIPE);
    if (!page)
        return -ENOMEM;
    p->spare = NULL;
    struct frag frag = {page, 0, MIN(from->left, PAGE_SIZE)};
    if (copy_iter_to_page(EDGE_USER_PIPE, frag, from)) {
        p->spare = page;
        return -EFAULT;
    }
    pipe_put_in(p, frag, flags);
    return frag.len;
}

static ssize_t pipe_write_iter(struct file *file, struct user_iter *from)
{
    struct pipe *p = file->private;
    u32 flags = file->flags & O_DIRECT ? SLOT_PACKET : SLOT_APPEND;
    size_t done = 0;
    pipe_lock(p);
    ssize_t n = p->readers ? append_odd_bytes(p, from) : 0;
    while (n >= 0) {
        done += n;
        if (!from->left)
            break;
        if (!p->readers) {
            signal_task(current, SIGPIPE);
            n = -EPIPE;
        } else if (!pipe_full(p)) {
            n = fill_slot(p, from, flags);
        } else if (file->flags & O_NONBLOCK) {
            n = -EAGAIN;
        } else {
            pipe_unlock(p);
            wake_all(&p->readable);
            n = wait_event_signal(&p->writable, !pipe_full(p) || !p->readers, 0);
            pipe_lock(p);
        }
    }
    pipe_unlock(p);
    if (done)
        wake_all(&p->readable);
    return done ? (ssize_t)done : n;
}

static ssize_t pipe_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct user_iter from = user_iter_of(buf, len);
    return pipe_write_iter(file, &from);
}

/* --- Reading ------------------------------------------------------------------------------- */

/* Out of the slot at the tail; *packet says that the read ends here. */
static ssize_t drain_slot(struct pipe *p, struct user_iter *to, bool *packet)
{
    struct pipe_slot *slot = pipe_slot(p, p->tail);
    struct frag frag = slot->frag;
    frag.len = MIN(frag.len, to->left);
    if (copy_page_to_iter(EDGE_PIPE_USER, to, frag))
        return -EFAULT; /* the bytes stay in the pipe */
    *packet = slot->flags & SLOT_PACKET;
    pipe_take_out(p, *packet ? slot->frag.len : frag.len);
    return frag.len;
}

static ssize_t pipe_read_iter(struct file *file, struct user_iter *to)
{
    struct pipe *p = file->private;
    size_t done = 0;
    ssize_t n = 0;
    bool packet = false;
    pipe_lock(p);
    bool was_full = false; /* at any time: a writer may have come while we waited */
    while (n >= 0) {
        done += n;
        if (!to->left || packet)
            break;
        if (!pipe_empty(p)) {
            was_full |= pipe_full(p);
            n = drain_slot(p, to, &packet);
        } else if (!p->writers || done) {
            break;
        } else if (file->flags & O_NONBLOCK) {
            n = -EAGAIN;
        } else {
            pipe_unlock(p);
            n = wait_event_signal(&p->readable, !pipe_empty(p) || !p->writers, 0);
            pipe_lock(p);
        }
    }
    pipe_unlock(p);
    if (was_full)
        wake_all(&p->writable);
    return done ? (ssize_t)done : n;
}

static ssize_t pipe_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct user_iter to = user_iter_of(buf, len);
    return pipe_read_iter(file, &to);
}

/* --- Asking -------------------------------------------------------------------------------- */

static u32 pipe_poll(struct file *file, struct poll_table *table)
{
    struct pipe *p = file->private;
    u32 mask = 0;
    if ((file->flags & O_ACCMODE) != O_WRONLY) {
        poll_wait(table, &p->readable);
        if (!pipe_empty(p))
            mask |= POLLIN | POLLRDNORM;
        if (!p->writers && p->writers_ever != file->pos)
            mask |= POLLHUP;
    }
    if ((file->flags & O_ACCMODE) != O_RDONLY) {
        poll_wait(table, &p->writable);
        if (!pipe_full(p))
            mask |= POLLOUT | POLLWRNORM;
        if (!p->readers)
            mask |= POLLERR;
    }
    return mask;
}

static int bytes_inside(struct pipe *p)
{
    int bytes = 0;
    pipe_lock(p);
    for (u32 n = p->tail; n != p->head; n++)
        bytes += pipe_slot(p, n)->frag.len;
    pipe_unlock(p);
    return bytes;
}

static int pipe_ioctl(struct file *file, u32 request, u32 argument)
{
    if (request != FIONREAD)
        return -ENOTTY;
    int bytes = bytes_inside(file->private);
    return copyout((void __user *)argument, &bytes, sizeof(bytes));
}

const struct file_ops pipe_file_ops = {
    .open = fifo_open,
    .release = pipe_release,
    .read = pipe_read,
    .write = pipe_write,
    .read_iter = pipe_read_iter,
    .write_iter = pipe_write_iter,
    .ioctl = pipe_ioctl,
    .poll = pipe_poll,
};
