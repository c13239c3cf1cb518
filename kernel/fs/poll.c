/* See poll.h. */
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

#define BLOCK_WATCHES ((PAGE_SIZE - 64) / sizeof(struct poll_watch))

struct poll_block {
    struct poll_block *next;
    struct poll_watch watch[BLOCK_WATCHES];
};

static void woken(struct watcher *w)
{
    struct poller *p = container_of(w, struct poll_watch, watcher)->poller;
    p->woken = true;
    wake_all(&p->sleeper);
}

/* The first ones are in the poller itself, the rest in blocks. */
static struct poll_watch *watch_new(struct poller *p)
{
    if (!p->blocks && p->nr_watches < POLL_FIRST_WATCHES)
        return &p->first[p->nr_watches++];
    if (!p->blocks || p->nr_watches == BLOCK_WATCHES) {
        struct poll_block *b = kmalloc(sizeof(*b));
        if (!b)
            return NULL;
        b->next = p->blocks;
        p->blocks = b;
        p->nr_watches = 0;
    }
    return &p->blocks->watch[p->nr_watches++];
}

static void watch(struct poll_table *table, struct wait_queue *q)
{
    struct poller *p = container_of(table, struct poller, table);
    struct poll_watch *w = watch_new(p);
    if (!w) {
        p->no_memory = true;
        return;
    }
    w->watcher.woken = woken;
    w->poller = p;
    w->queue = q;
    w->file = file_hold(p->asked);
    wait_watch(q, &w->watcher);
}

static void unwatch(struct poll_watch *w, u32 nr)
{
    for (u32 i = 0; i < nr; i++) {
        wait_unwatch(w[i].queue, &w[i].watcher);
        file_put(w[i].file);
    }
}

void poller_init(struct poller *p, bool no_wait)
{
    p->table.watch = no_wait ? NULL : watch;
    wait_init(&p->sleeper);
    p->woken = p->no_memory = false;
    p->over = no_wait;
    p->nr_watches = 0;
    p->blocks = NULL;
}

void poller_free(struct poller *p)
{
    struct poll_block *b = p->blocks;
    unwatch(p->first, b ? POLL_FIRST_WATCHES : p->nr_watches);
    for (u32 nr = p->nr_watches; b; nr = BLOCK_WATCHES) {
        struct poll_block *next = b->next;
        unwatch(b->watch, nr);
        kfree(b);
        b = next;
    }
}

u32 poller_ask(struct poller *p, struct file *f)
{
    p->asked = f;
    return poll_file(f, &p->table);
}

bool poller_rest(struct poller *p, int found, u64 deadline, int *result)
{
    p->table.watch = NULL; /* everything is watched now */
    *result = found ? found : p->no_memory ? -ENOMEM : signal_pending() ? -ERESTARTNOHAND : 0;
    if (*result || p->over)
        return false;
    if (wait_event_signal(&p->sleeper, p->woken, deadline) == -ETIMEDOUT)
        p->over = true;
    p->woken = false;
    return true;
}
