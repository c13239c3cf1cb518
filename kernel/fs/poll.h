/*
 * Waiting for several files at once: poll(2), select(2).
 *
 * The caller asks each file for the bits that hold now (file_ops.poll); the file names with
 * poll_wait every queue that it wakes when they may have changed. The caller then sleeps until one
 * of them is woken, and asks again.
 */
#ifndef KERNEL_FS_POLL_H
#define KERNEL_FS_POLL_H

#include <poll.h>
#include "kernel/fs/vfs.h"
#include "kernel/proc/wait.h"

struct poll_table {
    /* Called for each queue; NULL: the caller will not sleep. */
    void (*watch)(struct poll_table *p, struct wait_queue *q);
};

static inline void poll_wait(struct poll_table *p, struct wait_queue *q)
{
    if (p && p->watch)
        p->watch(p, q);
}

/* The bits of any file. */
static inline u32 poll_file(struct file *f, struct poll_table *p)
{
    return f->ops && f->ops->poll ? f->ops->poll(f, p) : POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;
}

#endif
