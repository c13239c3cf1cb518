/* poll and ppoll: which of these files can be read or written? poll(2). */
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal_state.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/timeout.h"

/* The program's list, in pieces that the heap has. */
#define PIECE_ENTRIES 500u

struct piece {
    struct piece *next;
    u32 count;
    struct pollfd entry[];
};

static struct piece *piece_in(const struct pollfd __user *from, u32 count)
{
    struct piece *piece = kmalloc(sizeof(*piece) + count * sizeof(struct pollfd));
    if (!piece)
        return err_ptr(-ENOMEM);
    piece->next = NULL;
    piece->count = count;
    if (copyin(piece->entry, from, count * sizeof(struct pollfd)) < 0) {
        kfree(piece);
        return err_ptr(-EFAULT);
    }
    return piece;
}

static void free_list(struct piece *piece)
{
    while (piece) {
        struct piece *next = piece->next;
        kfree(piece);
        piece = next;
    }
}

static int list_in(struct piece **list, const struct pollfd __user *from, u32 count)
{
    *list = NULL;
    for (struct piece **end = list; count;) {
        u32 n = MIN(count, PIECE_ENTRIES);
        struct piece *piece = piece_in(from, n);
        if (is_err(piece)) {
            free_list(*list);
            return ptr_err(piece);
        }
        *end = piece;
        end = &piece->next;
        from += n;
        count -= n;
    }
    return 0;
}

/* Only what poll has to say goes back. */
static int list_out(const struct piece *piece, struct pollfd __user *to)
{
    for (; piece; piece = piece->next)
        for (u32 i = 0; i < piece->count; i++, to++)
            if (copyout(&to->revents, &piece->entry[i].revents, sizeof(to->revents)) < 0)
                return -EFAULT;
    return 0;
}

/* Fills in what holds; true: something does. */
static bool ask(struct poller *p, struct pollfd *entry)
{
    entry->revents = 0;
    if (entry->fd < 0)
        return false;
    struct file *f = fd_get(entry->fd);
    if (f) {
        entry->revents = poller_ask(p, f) & ((u16)entry->events | POLLERR | POLLHUP);
        file_put(f);
    } else {
        entry->revents = POLLNVAL;
    }
    if (entry->revents)
        p->table.watch = NULL; /* no need to wait any more */
    return entry->revents;
}

static int poll_list(struct piece *list, const struct timeout *t)
{
    struct poller p;
    int result, found;
    poller_init(&p, t->at_once);
    do {
        found = 0;
        for (struct piece *piece = list; piece; piece = piece->next)
            for (u32 i = 0; i < piece->count; i++)
                found += ask(&p, &piece->entry[i]);
    } while (poller_rest(&p, found, t->end_tick, &result));
    poller_free(&p);
    return result;
}

static long poll_user(struct pollfd __user *fds, u32 count, const struct timeout *t)
{
    if (count > fd_limit())
        return -EINVAL;
    struct piece *list;
    long ret = list_in(&list, fds, count);
    if (ret < 0)
        return ret;
    ret = poll_list(list, t);
    if (ret >= 0 && list_out(list, fds) < 0)
        ret = -EFAULT;
    free_list(list);
    return ret;
}

/* A poll goes on to the end that was set at first, if the signal that cut it short has no handler
 * (restart_syscall(2)). */
static long poll_again(struct restart *r);

static long poll_until(void __user *fds, u32 count, const struct timeout *t)
{
    long ret = poll_user(fds, count, t);
    if (ret != -ERESTARTNOHAND)
        return ret;
    return signal_restart_later(poll_again, t->end_ns, (u32)fds, count, (u32)t->end_tick,
                                (u32)(t->end_tick >> 32));
}

static long poll_again(struct restart *r)
{
    struct timeout t = {.end_ns = r->deadline, .end_tick = (u64)r->args[3] << 32 | r->args[2]};
    return poll_until((void __user *)r->args[0], r->args[1], &t);
}

long sys_poll(void __user *fds, u32 count, s32 ms)
{
    struct timeout t = timeout_of_ms(ms);
    return poll_until(fds, count, &t);
}

static long ppoll(void __user *fds, u32 count, void __user *time, enum time_form form,
                  const void __user *mask, u32 mask_size)
{
    struct timeout t;
    long ret = timeout_in(&t, time, form);
    if (ret < 0)
        return ret;
    ret = wait_mask(mask, mask_size);
    if (ret < 0)
        return ret;
    return wait_done(poll_user(fds, count, &t), &t, time, form);
}

long sys_ppoll(void __user *fds, u32 count, void __user *time, const void __user *mask,
               u32 mask_size)
{
    return ppoll(fds, count, time, TIMESPEC32, mask, mask_size);
}

long sys_ppoll_time64(void __user *fds, u32 count, void __user *time, const void __user *mask,
                      u32 mask_size)
{
    return ppoll(fds, count, time, TIMESPEC64, mask, mask_size);
}
