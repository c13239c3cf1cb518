/*
 * Payload into and out of a TCP socket, for the system calls and the paths.
 *
 * The three ways in differ in one line each: copy from the program, copy from a page, or take a
 * reference to the page. A writer that finds the send buffer full first looks at the card itself
 * (net_poll): the ACKs that make room are often there already, and that saves an interrupt and
 * two switches. Only then does it sleep, until a third of the buffer is free.
 *
 * A copy from or to the program may sleep over a page fault. Meanwhile the queue moves on: so one
 * writer (tx_busy) and one reader (rx_busy) at a time, and the page being filled is held as
 * HOLD_USE until its bytes are queued.
 */
#include <signal.h>
#include "kernel/cpu/cpu.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/net/connection.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "kernel/proc/task.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"

/* --- Sending ------------------------------------------------------------------------------- */

static int may_send(struct socket *s)
{
    int err = socket_take_error(s);
    if (err)
        return err;
    return s->state == SOCKET_CONNECTED && s->tcp && !s->tx_shut ? 0 : -EPIPE;
}

static bool worth_waking(struct socket *s)
{
    return s->state != SOCKET_CONNECTED || s->tx_shut || sendq_space(&s->q) >= s->q.limit / 3;
}

/* Waits for room in the send buffer: 0 or a negative errno. */
static int wait_room(struct socket *s, bool nonblock, u64 deadline)
{
    for (;;) {
        int err = 0;
        if (s->state == SOCKET_CONNECTING) {
            if (nonblock)
                return -EAGAIN;
            net_rest();
            err = wait_event_signal(&s->writers, s->state != SOCKET_CONNECTING, deadline);
        }
        if (!err)
            err = may_send(s);
        if (!err)
            err = sendq_prepare(&s->q);
        if (err)
            return socket_wait_error(err, s->snd_timeout);
        if (sendq_space(&s->q))
            return 0;
        connection_feed(s, true, false); /* a full buffer waits for nobody's MSG_MORE */
        net_flush();
        net_poll();
        sched_yield_if_needed();
        if (s->state != SOCKET_CONNECTED || sendq_space(&s->q))
            continue;
        if (nonblock)
            return -EAGAIN;
        net_rest();
        err = wait_event_signal(&s->writers, worth_waking(s), deadline);
        if (err)
            return socket_wait_error(err, s->snd_timeout);
    }
}

/* Gives the stack whole batches; the end of the call gives it the rest. */
static void push_batch(struct socket *s)
{
    if (sendq_unwritten(&s->q) >= FEED_BATCH)
        connection_push(s, true);
}

/* Room for at most `want` bytes that are to be copied. The page is held as HOLD_USE. */
static int make_room(struct socket *s, u32 want, struct frag *room)
{
    u32 slot = connection_slot(s);
    bool share = false;
    if (sendq_room(&s->q, slot, room, &share)) {
        page_get(room->page, HOLD_USE);
        s->q.filling = slot && !share; /* a slot must not be sent while it is being filled */
    } else {
        room->page = page_alloc(PAGE_SOCK, HOLD_USE);
        if (!room->page)
            return -ENOBUFS;
        room->page->index = slot ? SENDQ_SLOTS : SENDQ_FILLED;
        room->offset = slot ? SLOT_HEADROOM : 0;
        room->len = slot ? slot : PAGE_SIZE;
    }
    room->len = MIN(MIN(room->len, want), sendq_space(&s->q));
    return 0;
}

/* The bytes are there: they join the queue, unless the connection died in the meantime. */
static int commit_room(struct socket *s, struct frag room)
{
    int err = 0;
    s->q.filling = false;
    if (s->state != SOCKET_CONNECTED || !s->q.ring) {
        err = -EPIPE;
    } else if (room.len && !sendq_extend(&s->q, room, account_current())) {
        page_get(room.page, HOLD_SOCK);
        sendq_push(&s->q, room, account_current());
    }
    page_put(room.page, HOLD_USE);
    return err;
}

#define MEMORY_TRIES 500 /* of 20 ms each */
#define TICKS_20MS   (TIMER_HZ / 50)

/* There was no page: others give theirs back when their data is acknowledged. 0: try again. */
static int wait_memory(struct socket *s, bool nonblock, u32 *tries)
{
    if (nonblock || ++*tries > MEMORY_TRIES)
        return -ENOBUFS;
    connection_push(s, true);
    net_rest();
    int err =
        wait_event_signal(&s->writers, s->state != SOCKET_CONNECTED, timer_ticks() + TICKS_20MS);
    return err == -ERESTARTSYS ? err : 0;
}

static int lock_writer(struct socket *s)
{
    int err = wait_event_signal(&s->writers, !s->tx_busy, 0);
    if (!err)
        s->tx_busy = true;
    return err;
}

static void unlock_writer(struct socket *s)
{
    s->tx_busy = false;
    if (!TAILQ_EMPTY(&s->writers.sleepers))
        wake_all(&s->writers);
}

static ssize_t send_copying(struct socket *s, const char __user *user, struct frag from, size_t len,
                            bool nonblock, bool more)
{
    size_t done = 0;
    u32 tries = 0;
    u64 deadline = socket_deadline(s->snd_timeout);
    int err = lock_writer(s);
    if (err)
        return err;
    socket_used(s);
    while (done < len) {
        struct frag room;
        if ((err = wait_room(s, nonblock, deadline)) < 0)
            break;
        if (make_room(s, len - done, &room) < 0) {
            if ((err = wait_memory(s, nonblock, &tries)) < 0)
                break;
            continue;
        }
        tries = 0;
        u32 wanted = room.len;
        if (!from.page) { /* a program's address may well be NULL */
            room.len -= copy_user_to_page(EDGE_USER_SOCK, room, user + done);
        } else {
            enum ledger_edge edge = from.page->kind == PAGE_CACHE  ? EDGE_CACHE_SOCK
                                    : from.page->kind == PAGE_ANON ? EDGE_USER_SOCK
                                                                   : EDGE_SOCK_SOCK;
            copy_pages(edge, room, (struct frag){from.page, from.offset + done, room.len});
        }
        if ((err = commit_room(s, room)) < 0)
            break;
        done += room.len;
        if (room.len < wanted) {
            err = -EFAULT;
            break;
        }
        push_batch(s);
    }
    connection_push(s, more && done == len);
    unlock_writer(s);
    return done ? (ssize_t)done : err;
}

/* What a call answers that has sent `done` bytes and then met err. Who writes to a connection that
 * takes nothing any more gets a signal, too, unless he asked not to. */
static ssize_t sent(ssize_t done, int err, u32 flags)
{
    if (done)
        return done;
    if (err == -EPIPE && !(flags & MSG_NOSIGNAL))
        signal_task(current, SIGPIPE);
    return err;
}

ssize_t stream_send(struct socket *s, struct message *m)
{
    bool nonblock = m->flags & MSG_DONTWAIT;
    const struct user_range *r = m->data->range, *last = r + m->data->count - 1;
    ssize_t done = 0;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    for (; r <= last; r++) {
        bool more = m->flags & MSG_MORE || r < last;
        ssize_t n = send_copying(s, (const char __user *)r->base, (struct frag){NULL, 0, 0}, r->len,
                                 nonblock, more);
        if (n < 0)
            return sent(done, n, m->flags);
        done += n;
        if ((u32)n < r->len)
            break;
    }
    return done;
}

ssize_t stream_send_copy(struct socket *s, struct frag frag, bool nonblock, bool more)
{
    ssize_t n = send_copying(s, NULL, frag, frag.len, nonblock, more);
    return n < 0 ? sent(0, n, 0) : n;
}

ssize_t stream_send_page(struct socket *s, struct frag frag, bool nonblock, bool more)
{
    struct account *account = account_current();
    u32 done = 0;
    int err = 0;
    while (done < frag.len) {
        if (unlikely(!sendq_space(&s->q) || s->state != SOCKET_CONNECTED || s->error ||
                     s->tx_shut || !s->q.ring)) {
            err = wait_room(s, nonblock, socket_deadline(s->snd_timeout));
            if (err < 0)
                break;
        }
        struct frag f = {frag.page, frag.offset + done, MIN(frag.len - done, sendq_space(&s->q))};
        if (!sendq_extend(&s->q, f, account)) {
            page_get(f.page, HOLD_SOCK);
            sendq_push(&s->q, f, account);
        }
        done += f.len;
        push_batch(s);
    }
    if (!more || s->cork || err < 0)
        connection_push(s, more && !err);
    else
        s->more = true;
    return sent(done, err, 0);
}

/* --- Receiving ----------------------------------------------------------------------------- */

#define SMALL_PAYLOAD 256 /* bytes */

/* A peer that sends many tiny segments would hold a whole receive buffer with each. When buffers
 * become scarce, small payload moves to the heap. */
static struct pbuf *compact(struct pbuf *p)
{
    if (input_stats.outstanding < input_stats.limit / 4 * 3 || p->tot_len > SMALL_PAYLOAD)
        return p;
    struct pbuf *small = pbuf_alloc(PBUF_RAW, p->tot_len, PBUF_RAM);
    if (!small)
        return p;
    u32 at = 0;
    for (struct pbuf *q = p; q; at += q->len, q = q->next)
        memcpy((char *)small->payload + at, q->payload, q->len);
    small->if_idx = p->if_idx;
    ledger_add(account_current(), EDGE_SOCK_SOCK, MOVER_CPU, p->tot_len);
    pbuf_free(p);
    return small;
}

void stream_queue(struct socket *s, struct pbuf *p)
{
    p = compact(p);
    s->rx_bytes += p->tot_len;
    if (s->rx_tail)
        s->rx_tail->next = p;
    else
        s->rx_head = p;
    for (; p; p = p->next) { /* a queue, not a packet: each buffer counts for itself */
        p->tot_len = p->len;
        s->rx_tail = p;
    }
    wake_all(&s->readers);
}

/* The card moved these bytes into the buffer, and the stack has read each of them for the
 * checksum. They are entered when it is known whose they are: when they are read, or, unread, when
 * the socket goes. In order and counted once, whatever the peer repeats. */
static void enter_received(struct account *account, const struct pbuf *p, u32 len)
{
    if (!interface_card(netif_get_by_index(p->if_idx)))
        return;
    ledger_add(account, EDGE_NIC_SOCK, MOVER_DMA, len);
    ledger_add(account, EDGE_NIC_SOCK, MOVER_TOUCH, len);
}

void stream_discard(struct socket *s)
{
    for (struct pbuf *p = s->rx_head; p; p = p->next)
        enter_received(s->account, p, p->len);
    if (s->rx_head)
        pbuf_free(s->rx_head);
    s->rx_head = s->rx_tail = NULL;
}

static void consume(struct socket *s, u32 len)
{
    struct pbuf *p = s->rx_head;
    s->rx_bytes -= len;
    if (len < p->len) {
        pbuf_remove_header(p, len);
        return;
    }
    s->rx_head = p->next;
    if (!s->rx_head)
        s->rx_tail = NULL;
    p->next = NULL;
    pbuf_free(p);
}

/* Hands out what is queued, at most len bytes, beginning `skip` bytes behind its start (peeking);
 * -EFAULT only when nothing could be copied. */
static ssize_t take_queued(struct socket *s, char __user *buf, size_t len, u32 flags, u32 skip)
{
    bool peek = flags & MSG_PEEK;
    size_t done = 0;
    struct pbuf *p = s->rx_head;
    for (; p && skip >= p->len; p = p->next)
        skip -= p->len;
    while (p && done < len) {
        u32 n = MIN(len - done, p->len - skip), left = 0;
        if (!(flags & MSG_TRUNC)) /* else it is thrown away, tcp(7) */
            left = copy_buffer_to_user(EDGE_SOCK_USER, buf + done, (char *)p->payload + skip, n);
        struct pbuf *next = p->next;
        if (!peek && n > left) {
            enter_received(account_current(), p, n - left);
            consume(s, n - left);
        }
        done += n - left;
        if (left)
            return done ? (ssize_t)done : -EFAULT;
        p = peek ? next : s->rx_head;
        skip = 0;
    }
    return done;
}

/* Nothing is queued: is there a reason not to wait? 1: wait; 0: end of file; else an errno. */
static int must_wait(struct socket *s, bool nonblock)
{
    int err = socket_take_error(s);
    if (err)
        return err;
    if (s->state == SOCKET_NEW || s->state == SOCKET_LISTENING)
        return -ENOTCONN;
    if (s->rx_eof || s->rx_shut || s->state == SOCKET_GONE)
        return 0;
    return nonblock ? -EAGAIN : 1;
}

/* Waits until more is queued than `seen`: 1; 0: nothing will come; else an errno. */
static int wait_received(struct socket *s, u32 seen, bool nonblock, u64 deadline)
{
    int ret = must_wait(s, nonblock);
    if (ret <= 0)
        return ret;
    net_rest();
    int err = wait_event_signal(&s->readers,
                                s->rx_bytes > seen || s->rx_eof || s->rx_shut || s->error ||
                                    s->state == SOCKET_GONE,
                                deadline);
    return err ? socket_wait_error(err, s->rcv_timeout) : 1;
}

ssize_t stream_receive(struct socket *s, struct message *m)
{
    const struct user_range *r = m->data->range;
    u32 flags = m->flags, total = m->data->bytes, done = 0, at = 0; /* at: bytes of *r */
    u32 enough = MIN(flags & MSG_WAITALL ? total : MAX(s->rcvlowat, 1u), total);
    u64 deadline = socket_deadline(s->rcv_timeout);
    if (flags & MSG_OOB)
        return -EINVAL; /* there is never any */
    if (flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is ever queued there */
    int err = wait_event_signal(&s->readers, !s->rx_busy, deadline);
    if (err)
        return socket_wait_error(err, s->rcv_timeout);
    s->rx_busy = true;
    socket_used(s);
    while (done < total) {
        u32 skip = flags & MSG_PEEK ? done : 0;
        if (at == r->len) {
            r++;
            at = 0;
            continue;
        }
        if (s->rx_bytes <= skip)
            net_poll();
        if (s->rx_bytes > skip) {
            ssize_t n = take_queued(s, (char __user *)r->base + at, r->len - at, flags, skip);
            if (n < 0) {
                err = n;
                break;
            }
            done += n;
            at += n;
            if (!(flags & MSG_PEEK))
                connection_received(s, n);
            continue;
        }
        if (done >= enough)
            break;
        err = wait_received(s, skip, flags & MSG_DONTWAIT, deadline);
        if (err <= 0)
            break;
    }
    s->rx_busy = false;
    if (!TAILQ_EMPTY(&s->readers.sleepers))
        wake_all(&s->readers);
    return done ? (ssize_t)done : MIN(err, 0);
}
