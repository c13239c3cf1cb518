/*
 * Waiting for several files at once: poll(2), select(2), epoll(7).
 *
 * Who waits asks each file for the bits that hold now (file_ops.poll); the file names with
 * poll_wait every queue that it wakes when they may have changed. Who waits then sleeps until one
 * of them is woken, and asks again.
 */
#ifndef KERNEL_FS_POLL_H
#define KERNEL_FS_POLL_H

#include <linux/poll.h>
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

/*
 * A task that waits for many files, for the length of one call:
 *
 *     poller_init(&p, ...);
 *     for (;;) {
 *         ask each file: poller_ask(&p, file);
 *         if (done = poller_rest(&p, found, deadline)) break;
 *     }
 *     poller_free(&p);
 *
 * Each queue is watched from the first time its file is asked until poller_free; the file is held
 * meanwhile, so that the queue cannot go away.
 */
struct poller;
struct poll_watch {
    struct watcher watcher;
    struct poller *poller;
    struct wait_queue *queue;
    struct file *file;
};

#define POLL_FIRST_WATCHES 8 /* without memory of their own: most calls need no more */

struct poller {
    struct poll_table table;
    struct wait_queue sleeper;
    bool woken;                /* a queue was, since the files were last asked */
    bool over;                 /* the time limit has passed: this is the last round */
    bool no_memory;            /* a queue could not be watched */
    struct file *asked;        /* whose queues come in */
    u32 nr_watches;            /* in the last block */
    struct poll_block *blocks; /* newest first */
    struct poll_watch first[POLL_FIRST_WATCHES];
};

/* With `no_wait` the files will be asked only once. */
void poller_init(struct poller *p, bool no_wait);
u32 poller_ask(struct poller *p, struct file *f);
/* After a round: sleeps until a next one makes sense (true), or says that the wait is over, since
 * something was found, or time (*result 0), or with an error: -ERESTARTNOHAND, -ENOMEM. */
bool poller_rest(struct poller *p, int found, u64 deadline, int *result);
void poller_free(struct poller *p);

#endif
