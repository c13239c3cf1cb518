/*
 * epoll(7): a set of files that is told which of them have something to say, instead of asking all.
 *
 * An item is a file of interest, found by (file, descriptor). It watches the file's queues all the
 * time; when one is woken, the item goes into the ready list, and who waits for the set is woken in
 * turn. epoll_wait takes the items of the ready list and asks their files whether it is true: an
 * item that is level-triggered goes back into the list as long as it is.
 *
 * The set holds no reference on its files: an item goes when the last descriptor of the file is
 * closed (epoll_forget), as on Linux. The ready list is changed by interrupts, too; everything else
 * only by system calls that do not sleep meanwhile, so it needs no lock. Where one does sleep - to
 * write an event into a program's memory - it holds the item.
 *
 * A set is a file itself and can be in another set, NESTS_MAX deep and not in a circle.
 */
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <linux/eventpoll.h>
#include <linux/fcntl.h>
#include "kernel/fs/anon.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/timeout.h"

#define NESTS_MAX 5
/* These are about the item; the others are bits of poll(2). */
#define HOW (EPOLLET | EPOLLONESHOT | EPOLLWAKEUP | EPOLLEXCLUSIVE)

struct item_watch {
    struct watcher watcher;
    struct epoll_item *item;
    struct wait_queue *queue;
    SLIST_ENTRY(item_watch) next;
};

struct epoll_item {
    u32 refs;
    struct epoll *epoll; /* NULL: taken out of its set */
    struct file *file;
    u32 fd;
    u32 events; /* what is asked for, and HOW; without bits of poll it is off (EPOLLONESHOT) */
    u64 data;   /* the program's own */
    bool ready; /* is in the ready list */
    bool no_memory;
    SLIST_HEAD(, item_watch) watches;
    struct poll_table table;
    RB_ENTRY(epoll_item) of_set;
    LIST_ENTRY(epoll_item) of_file;
    TAILQ_ENTRY(epoll_item) of_ready;
};
TAILQ_HEAD(ready_list, epoll_item);
RB_HEAD(item_tree, epoll_item);

struct epoll {
    struct item_tree items;
    struct ready_list ready;
    struct wait_queue changed; /* the ready list was empty and is not, or may be */
    struct file *file;
};

static int item_compare(const struct epoll_item *a, const struct epoll_item *b)
{
    if (a->file != b->file)
        return a->file < b->file ? -1 : 1;
    return a->fd < b->fd ? -1 : a->fd > b->fd;
}
RB_GENERATE_STATIC(item_tree, epoll_item, of_set, item_compare)

static struct epoll *file_epoll(const struct file *file)
{
    return file->ops == &epoll_file_ops ? file->private : NULL;
}

/* --- The ready list ------------------------------------------------------------------------ */

/* Into the list, quietly; whether it was not there. */
static bool put_back(struct epoll_item *item)
{
    u32 flags = irq_save();
    bool news = !item->ready;
    if (news)
        TAILQ_INSERT_TAIL(&item->epoll->ready, item, of_ready);
    item->ready = true;
    irq_restore(flags);
    return news;
}

/* Any context. */
static void make_ready(struct epoll_item *item)
{
    if (put_back(item))
        wake_all(&item->epoll->changed);
}

static void make_unready(struct epoll_item *item)
{
    u32 flags = irq_save();
    if (item->ready)
        TAILQ_REMOVE(&item->epoll->ready, item, of_ready);
    item->ready = false;
    irq_restore(flags);
}

/* What the file says now of what the item asks for. */
static u32 item_ask(struct epoll_item *item)
{
    return item->events & ~HOW ? poll_file(item->file, NULL) & item->events : 0;
}

/* --- Items --------------------------------------------------------------------------------- */

static void woken(struct watcher *w)
{
    struct epoll_item *item = container_of(w, struct item_watch, watcher)->item;
    if (item->events & ~HOW)
        make_ready(item);
}

static void watch(struct poll_table *table, struct wait_queue *q)
{
    struct epoll_item *item = container_of(table, struct epoll_item, table);
    struct item_watch *w = kmalloc(sizeof(*w));
    if (!w) {
        item->no_memory = true;
        return;
    }
    w->watcher.woken = woken;
    w->item = item;
    w->queue = q;
    SLIST_INSERT_HEAD(&item->watches, w, next);
    wait_watch(q, &w->watcher);
}

static void item_put(struct epoll_item *item)
{
    if (--item->refs == 0)
        kfree(item);
}

static void item_remove(struct epoll_item *item)
{
    struct item_watch *w;
    while ((w = SLIST_FIRST(&item->watches))) {
        SLIST_REMOVE_HEAD(&item->watches, next);
        wait_unwatch(w->queue, &w->watcher);
        kfree(w);
    }
    make_unready(item);
    RB_REMOVE(item_tree, &item->epoll->items, item);
    LIST_REMOVE(item, of_file);
    item->epoll = NULL;
    item_put(item);
}

static struct epoll_item *item_find(struct epoll *ep, struct file *file, u32 fd)
{
    struct epoll_item key = {.file = file, .fd = fd};
    return RB_FIND(item_tree, &ep->items, &key);
}

static int item_add(struct epoll *ep, struct file *file, u32 fd, const struct epoll_event *event)
{
    struct epoll_item *item = kzalloc(sizeof(*item));
    if (!item)
        return -ENOMEM;
    item->refs = 1;
    item->epoll = ep;
    item->file = file;
    item->fd = fd;
    item->events = event->events;
    item->data = event->data;
    item->table.watch = watch;
    RB_INSERT(item_tree, &ep->items, item);
    LIST_INSERT_HEAD(&file->epoll_items, item, of_file);
    u32 bits = poll_file(file, &item->table) & item->events;
    if (item->no_memory) {
        item_remove(item);
        return -ENOMEM;
    }
    if (bits & ~HOW)
        make_ready(item);
    return 0;
}

static void item_modify(struct epoll_item *item, const struct epoll_event *event)
{
    item->events = event->events;
    item->data = event->data;
    if (item_ask(item))
        make_ready(item);
}

void epoll_forget(struct file *file)
{
    struct epoll_item *item;
    while ((item = LIST_FIRST(&file->epoll_items)))
        item_remove(item);
}

/* --- Sets in sets -------------------------------------------------------------------------- */

/* How many sets lie below each other from this one on; NESTS_MAX + 1: too many, or `end` is among
 * them. */
static u32 depth_below(struct epoll *ep, const struct epoll *end, u32 limit)
{
    u32 depth = 0;
    struct epoll_item *item;
    if (ep == end || !limit)
        return NESTS_MAX + 1;
    RB_FOREACH (item, item_tree, &ep->items) {
        struct epoll *inner = file_epoll(item->file);
        if (inner)
            depth = MAX(depth, depth_below(inner, end, limit - 1));
        if (depth > NESTS_MAX)
            return depth;
    }
    return depth + 1;
}

/* The same for the sets in which this one is. */
static u32 depth_above(struct epoll *ep, u32 limit)
{
    u32 depth = 0;
    struct epoll_item *item;
    if (!limit)
        return NESTS_MAX + 1;
    LIST_FOREACH (item, &ep->file->epoll_items, of_file) {
        depth = MAX(depth, depth_above(item->epoll, limit - 1));
        if (depth > NESTS_MAX)
            return depth;
    }
    return depth + 1;
}

static bool may_nest(struct epoll *outer, struct epoll *inner)
{
    return depth_above(outer, NESTS_MAX) + depth_below(inner, outer, NESTS_MAX) <= NESTS_MAX;
}

/* --- epoll_ctl(2) -------------------------------------------------------------------------- */

#define EXCLUSIVE_OK \
    (EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | EPOLLET | EPOLLEXCLUSIVE)

static int control(struct epoll *ep, u32 operation, struct file *file, u32 fd,
                   struct epoll_event *event)
{
    struct epoll *inner = file_epoll(file);
    struct epoll_item *item = item_find(ep, file, fd);
    bool exclusive = operation != EPOLL_CTL_DEL && (event->events & EPOLLEXCLUSIVE);
    if (exclusive && (operation == EPOLL_CTL_MOD || inner || (event->events & ~EXCLUSIVE_OK)))
        return -EINVAL;
    event->events |= EPOLLERR | EPOLLHUP;
    switch (operation) {
    case EPOLL_CTL_ADD:
        if (inner && !may_nest(ep, inner))
            return -ELOOP;
        return item ? -EEXIST : item_add(ep, file, fd, event);
    case EPOLL_CTL_MOD:
        if (!item)
            return -ENOENT;
        if (item->events & EPOLLEXCLUSIVE)
            return -EINVAL;
        item_modify(item, event);
        return 0;
    case EPOLL_CTL_DEL:
        if (!item)
            return -ENOENT;
        item_remove(item);
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_epoll_ctl(u32 epfd, u32 operation, u32 fd, const void __user *from)
{
    struct epoll_event event = {0};
    if (operation != EPOLL_CTL_DEL && copyin(&event, from, sizeof(event)) < 0)
        return -EFAULT;
    struct file *file = fd_get(epfd), *target = fd_get(fd);
    long ret;
    if (!file || !target)
        ret = -EBADF;
    else if (!target->ops || !target->ops->poll)
        ret = -EPERM; /* it is always ready: nothing to wait for */
    else if (file == target || !file_epoll(file))
        ret = -EINVAL;
    else
        ret = control(file_epoll(file), operation, target, fd, &event);
    if (target)
        file_put(target);
    if (file)
        file_put(file);
    return ret;
}

/* --- epoll_wait(2) ------------------------------------------------------------------------- */

/* One item that was ready: 1 if an event went to the program, 0 if it was not true, or -EFAULT. */
static int deliver(struct epoll_item *item, struct epoll_event __user *to)
{
    u32 bits = item_ask(item), asked = item->events;
    if (!bits)
        return 0;
    if (asked & EPOLLONESHOT)
        item->events &= HOW; /* off, until epoll_ctl says otherwise */
    struct epoll_event event = {bits, item->data};
    bool lost = copyout(to, &event, sizeof(event)) < 0; /* sleeps: it may have gone meanwhile */
    if (lost && item->events == (asked & HOW))
        item->events = asked;
    if (item->epoll && (lost || !(asked & (EPOLLET | EPOLLONESHOT))))
        put_back(item);
    return lost ? -EFAULT : 1;
}

static u32 count_ready(const struct epoll *ep)
{
    u32 n = 0;
    struct epoll_item *item;
    TAILQ_FOREACH (item, &ep->ready, of_ready)
        n++;
    return n;
}

/* Each item that is ready now is looked at once, though it may come back. */
static int harvest(struct epoll *ep, struct epoll_event __user *to, u32 max)
{
    u32 flags = irq_save();
    u32 left = count_ready(ep);
    irq_restore(flags);
    u32 done = 0;
    struct epoll_item *item;
    while (done < max && left-- && (item = TAILQ_FIRST(&ep->ready))) {
        item->refs++;
        make_unready(item);
        int n = deliver(item, to + done);
        item_put(item);
        if (n < 0)
            return done ? (int)done : n;
        done += n;
    }
    return done;
}

static int wait_for_events(struct epoll *ep, struct epoll_event __user *to, u32 max,
                           const struct timeout *t)
{
    for (bool over = t->at_once;;) {
        int n = harvest(ep, to, max);
        if (n || over)
            return n;
        if (signal_pending())
            return -EINTR; /* never started again, signal(7) */
        if (wait_event_signal(&ep->changed, !TAILQ_EMPTY(&ep->ready), t->end_tick) == -ETIMEDOUT)
            over = true;
    }
}

static long epoll_wait_user(u32 epfd, void __user *events, s32 max, const struct timeout *t)
{
    if (max <= 0 || (u32)max > 0x7FFFFFFF / sizeof(struct epoll_event))
        return -EINVAL;
    if (!user_range_ok(events, max * sizeof(struct epoll_event)))
        return -EFAULT;
    struct file *file = fd_get(epfd);
    if (!file)
        return -EBADF;
    struct epoll *ep = file_epoll(file);
    long ret = ep ? wait_for_events(ep, events, max, t) : -EINVAL;
    file_put(file);
    return ret;
}

long sys_epoll_wait(u32 epfd, void __user *events, s32 max, s32 ms)
{
    struct timeout t = timeout_of_ms(ms);
    return epoll_wait_user(epfd, events, max, &t);
}

long sys_epoll_pwait(u32 epfd, void __user *events, s32 max, s32 ms, const void __user *mask,
                     u32 mask_size)
{
    struct timeout t = timeout_of_ms(ms);
    int err = wait_mask(mask, mask_size);
    return err ? err : wait_done(epoll_wait_user(epfd, events, max, &t), &t, NULL, TIMESPEC64);
}

long sys_epoll_pwait2(u32 epfd, void __user *events, s32 max, const void __user *time,
                      const void __user *mask, u32 mask_size)
{
    struct timeout t;
    int err = timeout_in(&t, time, TIMESPEC64);
    if (!err)
        err = wait_mask(mask, mask_size);
    return err ? err : wait_done(epoll_wait_user(epfd, events, max, &t), &t, NULL, TIMESPEC64);
}

/* --- The set as a file --------------------------------------------------------------------- */

/* Something in the ready list that is true; what is not true leaves the list. */
static u32 epoll_poll(struct file *file, struct poll_table *table)
{
    struct epoll *ep = file->private;
    struct epoll_item *item;
    poll_wait(table, &ep->changed);
    while ((item = TAILQ_FIRST(&ep->ready))) {
        make_unready(item);
        if (!item_ask(item))
            continue;
        put_back(item);
        return POLLIN | POLLRDNORM;
    }
    return 0;
}

static void epoll_release(struct file *file)
{
    struct epoll *ep = file->private;
    struct epoll_item *item;
    while ((item = RB_ROOT(&ep->items)))
        item_remove(item);
    kfree(ep);
}

const struct file_ops epoll_file_ops = {.release = epoll_release, .poll = epoll_poll};

long sys_epoll_create1(u32 flags)
{
    if (flags & ~(u32)EPOLL_CLOEXEC)
        return -EINVAL;
    struct epoll *ep = kmalloc(sizeof(*ep));
    if (!ep)
        return -ENOMEM;
    RB_INIT(&ep->items);
    TAILQ_INIT(&ep->ready);
    wait_init(&ep->changed);
    int fd = anon_descriptor("eventpoll", &epoll_file_ops, ep, flags);
    if (fd < 0)
        kfree(ep);
    else
        ep->file = current->files->fd[fd];
    return fd;
}

long sys_epoll_create(s32 size)
{
    return size <= 0 ? -EINVAL : sys_epoll_create1(0);
}
