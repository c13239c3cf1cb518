/*
 * Pipes and FIFOs. pipe(7), fifo(7).
 *
 * A pipe is a ring of fragments. A writer puts fragments of pages in at the head, a reader takes
 * bytes out at the tail; what lies between is held by HOLD_PIPE. write(2) fills pages that are the
 * pipe's own; a fragment of somebody else's page (of the page cache, say) may be put in as well,
 * and is only ever read: SLOT_APPEND tells the two apart.
 *
 * The capacity is counted in slots, as on Linux: 16 to begin with, 64 KiB if each page is filled.
 * A write of at most PIPE_BUF bytes (one page) needs at most one slot, or the rest of the last
 * one, so it goes in whole or not at all.
 *
 * Whoever looks at the ring holds the pipe (pipe_lock), since copies sleep where a program's page
 * has to be brought in. One holds it only while one can go on; who waits for room or for bytes
 * lets go of it. The counts of openers need no lock: they change without a sleep.
 */
#ifndef KERNEL_FS_PIPE_H
#define KERNEL_FS_PIPE_H

#include "kernel/fs/vfs.h"
#include "kernel/mm/page.h"
#include "kernel/proc/wait.h"

#define PIPE_SLOTS       16u  /* of a new pipe */
#define PIPE_SLOTS_SHORT 2u   /* the same when pipes have much of the memory already */
#define PIPE_SLOTS_MAX   256u /* 1 MiB, as /proc/sys/fs/pipe-max-size says on Linux */

enum pipe_slot_flags {
    SLOT_APPEND = 1 << 0, /* the page is this pipe's alone: what is behind the bytes is free */
    SLOT_PACKET = 1 << 1, /* O_DIRECT: a read takes it whole, and nothing behind it */
};

struct pipe_slot {
    struct frag frag; /* never empty; its page held by HOLD_PIPE */
    u32 flags;
};

struct pipe {
    struct pipe_slot *slots;
    u32 nr_slots;   /* a power of two */
    u32 head, tail; /* slots filled and emptied since the beginning, modulo 2^32 */
    bool locked;
    struct wait_queue unlocked, readable, writable;
    u32 openers;                    /* open files; the last one takes the pipe with it */
    u32 readers, writers;           /* open files that may read, that may write */
    u32 readers_ever, writers_ever; /* what they have been: a FIFO's open waits for a change */
    struct page *spare;             /* of the last slot emptied, for the next; HOLD_PIPE */
};

extern const struct file_ops pipe_file_ops;

/* The file's pipe, or NULL: it is none. */
struct pipe *file_pipe(struct file *file);

static inline u32 pipe_used(const struct pipe *p)
{
    return p->head - p->tail;
}
static inline bool pipe_empty(const struct pipe *p)
{
    return p->head == p->tail;
}
static inline bool pipe_full(const struct pipe *p)
{
    return pipe_used(p) >= p->nr_slots;
}
static inline struct pipe_slot *pipe_slot(struct pipe *p, u32 n)
{
    return &p->slots[n & (p->nr_slots - 1)];
}

/* pipe.c */
void pipe_lock(struct pipe *p);
void pipe_unlock(struct pipe *p);
/* Takes over the caller's HOLD_PIPE. The pipe is locked and not full. */
void pipe_put_in(struct pipe *p, struct frag frag, u32 flags);
/* The first `len` bytes of the fragment at the tail are taken, with the slot when none is left. */
void pipe_take_out(struct pipe *p, u32 len);

/* pipe_open.c */
/* open(2) of a FIFO, as file_ops.open: waits for the other side. -ENXIO, -ERESTARTSYS. */
int fifo_open(struct inode *inode, struct file *file);
void pipe_release(struct file *file);
/* fcntl(2) F_GETPIPE_SZ and F_SETPIPE_SZ: bytes, or -EBADF (no pipe), -EBUSY, -EPERM ... */
long pipe_get_size(struct file *file);
long pipe_set_size(struct file *file, u32 bytes);

long sys_pipe(int __user *fds);
long sys_pipe2(int __user *fds, u32 flags);

#endif
