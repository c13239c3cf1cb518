/* Pipes made, opened (FIFOs), resized and closed. See pipe.h; pipe(2), fifo(7), fcntl(2). */
#include <linux/fcntl.h>
#include "kernel/fs/pipe.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

/* What is in pipes belongs to no process that could be blamed for it, so all pipes together may
 * have slots for a quarter of the memory. Beyond that new ones are small, as on Linux (pipe(7),
 * pipe-user-pages-soft), and none can be made larger. */
static u32 slots_of_all;

static bool slots_are_short(u32 more)
{
    return more > nr_frames / 4 || slots_of_all > nr_frames / 4 - more;
}

static struct pipe *pipe_new(void)
{
    u32 nr_slots = slots_are_short(PIPE_SLOTS) ? PIPE_SLOTS_SHORT : PIPE_SLOTS;
    struct pipe *p = kzalloc(sizeof(*p));
    struct pipe_slot *slots = kmalloc(nr_slots * sizeof(*slots));
    if (!p || !slots) {
        kfree(p);
        kfree(slots);
        return NULL;
    }
    p->slots = slots;
    p->nr_slots = nr_slots;
    slots_of_all += nr_slots;
    wait_init(&p->unlocked);
    wait_init(&p->readable);
    wait_init(&p->writable);
    return p;
}

static void pipe_free(struct pipe *p)
{
    while (!pipe_empty(p))
        page_put(pipe_slot(p, p->tail++)->frag.page, HOLD_PIPE);
    if (p->spare)
        page_put(p->spare, HOLD_PIPE);
    slots_of_all -= p->nr_slots;
    kfree(p->slots);
    kfree(p);
}

/* --- Openers ------------------------------------------------------------------------------- */

static bool may_read(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY;
}

static bool may_write(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

/* One more open file; those who wait for one are woken. */
static void join(struct pipe *p, struct file *file)
{
    file->private = p;
    p->openers++;
    if (may_read(file)) {
        p->readers++;
        p->readers_ever++;
    }
    if (may_write(file)) {
        p->writers++;
        p->writers_ever++;
    }
    wake_all(&p->readable);
    wake_all(&p->writable);
}

static void leave(struct pipe *p, struct file *file)
{
    p->readers -= may_read(file);
    p->writers -= may_write(file);
    if (--p->openers == 0) {
        file->inode->object = NULL;
        pipe_free(p);
        return;
    }
    wake_all(&p->readable); /* end of file, EPIPE, POLLHUP, POLLERR */
    wake_all(&p->writable);
}

void pipe_release(struct file *file)
{
    leave(file->private, file);
}

/* Waits for the other side, as fifo(7) says: somebody who opens it and goes at once is enough. */
static int meet(struct pipe *p, struct file *file)
{
    u32 seen;
    switch (file->flags & O_ACCMODE) {
    case O_RDONLY:
        if (p->writers)
            return 0;
        if (file->flags & O_NONBLOCK) {
            file->pos = p->writers_ever; /* poll: no POLLHUP before there was a writer */
            return 0;
        }
        seen = p->writers_ever;
        return wait_event_signal(&p->readable, p->writers_ever != seen, 0);
    case O_WRONLY:
        if (p->readers)
            return 0;
        seen = p->readers_ever;
        return wait_event_signal(&p->writable, p->readers_ever != seen, 0);
    default:
        return 0;
    }
}

/* An anonymous pipe comes here as well, when it is opened by its name in /proc/PID/fd. */
int fifo_open(struct inode *inode, struct file *file)
{
    struct pipe *p = inode->object;
    u32 access = file->flags & O_ACCMODE;
    if (access == O_ACCMODE)
        return -EINVAL;
    if (access == O_WRONLY && (file->flags & O_NONBLOCK) && (!p || !p->readers))
        return -ENXIO;
    if (!p)
        p = inode->object = pipe_new();
    if (!p)
        return -ENOMEM;
    join(p, file);
    int err = inode->super ? meet(p, file) : 0;
    if (err)
        leave(p, file);
    return err;
}

/* --- pipe(2) ------------------------------------------------------------------------------- */

/* One end; takes over the inode's reference. */
static struct file *open_end(struct inode *inode, u32 flags)
{
    struct file *f = file_new(inode, &pipe_file_ops, flags);
    if (f)
        join(inode->object, f);
    else
        inode_put(inode);
    return f;
}

static int open_both_ends(struct file *ends[2], u32 flags)
{
    static u32 number; /* inode numbers, as fstat shows them */
    struct inode *inode = inode_new(NULL, ++number, S_FIFO | 0600);
    struct pipe *p = inode ? pipe_new() : NULL;
    if (!p) {
        if (inode)
            inode_put(inode);
        return -ENFILE;
    }
    inode->object = p;
    inode->uid = current->cred.fsuid;
    inode->gid = current->cred.fsgid;
    inode->atime = inode->mtime = inode->ctime = inode_now(inode);
    ends[0] = open_end(inode_hold(inode), O_RDONLY | flags);
    ends[1] = ends[0] ? open_end(inode, O_WRONLY | flags) : NULL;
    if (ends[1])
        return 0;
    if (ends[0]) {
        file_put(ends[0]);
    } else {
        pipe_free(p);
        inode_put(inode);
    }
    return -ENFILE;
}

long sys_pipe2(int __user *to, u32 flags)
{
    if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK | O_DIRECT))
        return -EINVAL;
    struct file *ends[2];
    int err = open_both_ends(ends, flags & ~(u32)O_CLOEXEC);
    if (err)
        return err;
    int fds[2];
    fds[0] = fd_install(ends[0], 0, flags & O_CLOEXEC);
    fds[1] = fds[0] < 0 ? fds[0] : fd_install(ends[1], 0, flags & O_CLOEXEC);
    if (fds[1] >= 0) {
        err = copyout(to, fds, sizeof(fds));
        if (err) {
            fd_close(fds[0]);
            fd_close(fds[1]);
        }
        return err;
    }
    if (fds[0] < 0)
        file_put(ends[0]);
    else
        fd_close(fds[0]);
    file_put(ends[1]);
    return fds[1];
}

long sys_pipe(int __user *to)
{
    return sys_pipe2(to, 0);
}

/* --- fcntl(2) ------------------------------------------------------------------------------ */

long pipe_get_size(struct file *file)
{
    struct pipe *p = file_pipe(file);
    return p ? (long)(p->nr_slots * PAGE_SIZE) : -EBADF;
}

/* Another ring with the same slots in it. The pipe is locked. */
static int resize(struct pipe *p, u32 nr_slots)
{
    if (nr_slots < pipe_used(p))
        return -EBUSY;
    if (nr_slots > p->nr_slots && slots_are_short(nr_slots - p->nr_slots))
        return -EPERM;
    struct pipe_slot *slots = kmalloc(nr_slots * sizeof(*slots));
    if (!slots)
        return -ENOMEM;
    u32 used = pipe_used(p);
    for (u32 n = 0; n < used; n++)
        slots[n] = *pipe_slot(p, p->tail + n);
    kfree(p->slots);
    slots_of_all += nr_slots - p->nr_slots;
    p->slots = slots;
    p->nr_slots = nr_slots;
    p->tail = 0;
    p->head = used;
    return 0;
}

long pipe_set_size(struct file *file, u32 bytes)
{
    struct pipe *p = file_pipe(file);
    if (!p)
        return -EBADF;
    if (bytes > 1u << 31)
        return -EINVAL;
    u32 nr_slots = 1;
    while (nr_slots * PAGE_SIZE < bytes)
        nr_slots *= 2;
    if (nr_slots > PIPE_SLOTS_MAX)
        return -EPERM;
    pipe_lock(p);
    int err = resize(p, nr_slots);
    pipe_unlock(p);
    if (err)
        return err;
    wake_all(&p->writable);
    return nr_slots * PAGE_SIZE;
}
