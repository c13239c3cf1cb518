/* A counter that can be waited for. eventfd(2). */
#include <linux/fcntl.h>
#include "kernel/fs/anon.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"

#define EFD_SEMAPHORE 1u
#define COUNT_MAX     (~0ull - 1)

struct eventfd {
    u64 count;
    bool semaphore; /* a read takes one, not all */
    struct wait_queue changed;
};

static ssize_t eventfd_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct eventfd *e = file->private;
    if (len < sizeof(u64))
        return -EINVAL;
    if (!e->count && (file->flags & O_NONBLOCK))
        return -EAGAIN;
    int err = wait_event_signal(&e->changed, e->count, 0);
    if (err)
        return err;
    u64 taken = e->semaphore ? 1 : e->count;
    e->count -= taken;
    wake_all(&e->changed);
    return copyout(buf, &taken, sizeof(taken)) < 0 ? -EFAULT : (ssize_t)sizeof(taken);
}

static ssize_t eventfd_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct eventfd *e = file->private;
    u64 more;
    if (len < sizeof(more))
        return -EINVAL;
    if (copyin(&more, buf, sizeof(more)) < 0)
        return -EFAULT;
    if (more > COUNT_MAX)
        return -EINVAL;
    if (more > COUNT_MAX - e->count && (file->flags & O_NONBLOCK))
        return -EAGAIN;
    int err = wait_event_signal(&e->changed, more <= COUNT_MAX - e->count, 0);
    if (err)
        return err;
    e->count += more;
    wake_all(&e->changed);
    return sizeof(more);
}

static u32 eventfd_poll(struct file *file, struct poll_table *table)
{
    struct eventfd *e = file->private;
    poll_wait(table, &e->changed);
    return (e->count ? POLLIN : 0) | (e->count < COUNT_MAX ? POLLOUT : 0);
}

static void eventfd_release(struct file *file)
{
    kfree(file->private);
}

static const struct file_ops eventfd_ops = {
    .release = eventfd_release,
    .read = eventfd_read,
    .write = eventfd_write,
    .poll = eventfd_poll,
};

long sys_eventfd2(u32 count, u32 flags)
{
    if (flags & ~(u32)(EFD_SEMAPHORE | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    struct eventfd *e = kmalloc(sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->count = count;
    e->semaphore = flags & EFD_SEMAPHORE;
    wait_init(&e->changed);
    int fd = anon_descriptor("eventfd", &eventfd_ops, e, flags);
    if (fd < 0)
        kfree(e);
    return fd;
}

long sys_eventfd(u32 count)
{
    return sys_eventfd2(count, 0);
}
