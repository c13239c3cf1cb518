/*
 * Packets of AF_UNIX sockets: the bytes that a program has sent and another has not yet read.
 *
 * A packet counts in its sender's buffer with all the memory that it takes, and until it is
 * freed; that bounds what a program can make the kernel keep. Short ones take one heap object.
 */
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/unix.h"

#define HEAP_OBJECT 1024u /* header and bytes together, at most */

/* What waits in queues belongs to no process that could be blamed for it: all of it together may
 * take a quarter of the memory. Beyond that, send buffers are as small as they can be. */
static u32 charged_by_all;

static bool memory_is_short(void)
{
    return charged_by_all / PAGE_SIZE >= nr_frames / 4;
}

u32 unix_send_limit(const struct unix_socket *u)
{
    return memory_is_short() ? MIN(u->s.sndbuf, PAGE_SIZE) : u->s.sndbuf;
}

static void free_pages(struct unix_packet *p)
{
    for (u32 i = 0; i < p->nr_pages && p->pages[i]; i++)
        page_put(p->pages[i], HOLD_SOCK);
}

static struct unix_packet *charge(struct unix_packet *p, struct unix_socket *sender, u32 len,
                                  u32 size)
{
    p->refs = 1;
    p->len = len;
    p->sender = unix_hold(sender);
    p->charge = size + p->nr_pages * PAGE_SIZE;
    sender->charged += p->charge;
    charged_by_all += p->charge;
    return p;
}

struct unix_packet *unix_packet_new(struct unix_socket *sender, u32 len)
{
    bool is_short = sizeof(struct unix_packet) + len <= HEAP_OBJECT;
    u32 nr_pages = is_short ? 0 : DIV_ROUND_UP(len, PAGE_SIZE);
    u32 size = sizeof(struct unix_packet) + (is_short ? len : nr_pages * sizeof(struct page *));
    struct unix_packet *p = nr_pages > 1 && memory_is_short() ? NULL : kzalloc(size);
    if (!p)
        return NULL;
    p->nr_pages = nr_pages;
    for (u32 i = 0; i < nr_pages; i++) {
        p->pages[i] = page_alloc(PAGE_SOCK, HOLD_SOCK);
        if (!p->pages[i]) {
            free_pages(p);
            kfree(p);
            return NULL;
        }
    }
    return charge(p, sender, len, size);
}

struct unix_packet *unix_packet_of(struct unix_socket *sender, struct frag f)
{
    u32 size = sizeof(struct unix_packet) + sizeof(struct page *);
    struct unix_packet *p = kzalloc(size);
    if (!p)
        return NULL;
    page_get(f.page, HOLD_SOCK);
    p->nr_pages = 1;
    p->pages[0] = f.page;
    p->offset = f.offset;
    return charge(p, sender, f.len, size);
}

void unix_packet_put(struct unix_packet *p)
{
    if (--p->refs)
        return;
    struct unix_socket *sender = p->sender;
    struct unix_rights *rights = p->rights;
    sender->charged -= p->charge;
    charged_by_all -= p->charge;
    if (sender->charged * 4 <= unix_send_limit(sender)) /* worth a writer's while */
        wake_all(&sender->s.writers);
    unix_put(sender);
    free_pages(p);
    kfree(p);
    if (rights) {
        unix_rights_arrive(rights);
        unix_rights_free(rights); /* last: it may sleep */
    }
}

/* --- Bytes --------------------------------------------------------------------------------- */

/* What lies in one piece at that place, at most len bytes. */
static struct frag piece(struct unix_packet *p, u32 at, u32 len)
{
    if (!p->nr_pages) { /* behind the header: a heap object lies within one page */
        char *from = (char *)p->pages + at;
        return (struct frag){virt_page(from), (virt_t)from % PAGE_SIZE, len};
    }
    at += p->offset;
    u32 offset = at % PAGE_SIZE;
    return (struct frag){p->pages[at / PAGE_SIZE], offset, MIN(len, PAGE_SIZE - offset)};
}

/* The program's bytes at the cursor, in one piece, at most len; 0: there are no more. */
static u32 cursor_piece(struct user_cursor *c, char __user **from, u32 len)
{
    while (c->count && c->at == c->range->len) {
        c->range++;
        c->count--;
        c->at = 0;
    }
    if (!c->count)
        return 0;
    *from = (char __user *)c->range->base + c->at;
    return MIN(len, c->range->len - c->at);
}

int unix_packet_fill(struct unix_packet *p, struct user_cursor *from)
{
    for (u32 at = 0; at < p->len;) {
        char __user *user;
        u32 n = cursor_piece(from, &user, p->len - at);
        struct frag f = piece(p, at, n);
        if (!n || copy_user_to_page(EDGE_USER_SOCK, f, user))
            return -EFAULT;
        at += f.len;
        from->at += f.len;
    }
    return 0;
}

ssize_t unix_packet_copy(struct unix_packet *p, u32 at, u32 len, struct user_cursor *to)
{
    u32 done = 0;
    while (done < len) {
        char __user *user;
        u32 n = cursor_piece(to, &user, len - done);
        if (!n)
            break;
        struct frag f = piece(p, at + done, n);
        u32 copied = f.len - copy_page_to_user(EDGE_SOCK_USER, user, f);
        done += copied;
        to->at += copied;
        if (copied < f.len)
            return done ? (ssize_t)done : -EFAULT;
    }
    return done;
}

/* --- Queues -------------------------------------------------------------------------------- */

void unix_enqueue(struct unix_socket *to, struct unix_packet *p)
{
    TAILQ_INSERT_TAIL(&to->queue, p, link);
    to->queued++;
    wake_all(&to->s.readers);
}

void unix_dequeue(struct unix_socket *u, struct unix_packet *p)
{
    bool full = unix_full(u);
    TAILQ_REMOVE(&u->queue, p, link);
    u->queued--;
    if (full && !unix_full(u))
        unix_room_made(u);
}

void unix_drop_queue(struct unix_socket *u)
{
    struct unix_packet *p;
    while ((p = TAILQ_FIRST(&u->queue))) {
        unix_dequeue(u, p);
        unix_packet_put(p);
    }
}
