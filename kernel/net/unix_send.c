/*
 * Sending over AF_UNIX sockets.
 *
 * The packet is made first, which may sleep; then it is seen whether anybody is there to take it. A
 * stream's bytes go in packets of limited length; what a reader takes of them need not end where
 * they end. Datagrams and SOCK_SEQPACKET keep to the borders.
 */
#include <signal.h>
#include "kernel/lib/lib.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"
#include "kernel/proc/task.h"

#define STREAM_CHUNK  (32u << 10) /* bytes of a stream in one packet */
#define DATAGRAM_SLOP 32u         /* a datagram is that much shorter than the send buffer */

/* Waits until the send buffer has room: 0, or a negative errno. */
static int wait_room(struct unix_socket *u, u32 flags, u64 deadline)
{
    struct socket *s = &u->s;
    while (!s->error && !s->tx_shut && u->charged >= unix_send_limit(u)) {
        if (flags & MSG_DONTWAIT)
            return -EAGAIN;
        int err = wait_event_signal(
            &s->writers, s->error || s->tx_shut || u->charged < unix_send_limit(u), deadline);
        if (err)
            return socket_wait_error(err, s->snd_timeout);
    }
    int err = socket_take_error(s);
    return err ? err : s->tx_shut ? -EPIPE : 0;
}

/* The packet with its bytes, and with what goes beside them: the files are then its own. */
static struct unix_packet *make_packet(struct unix_socket *u, struct user_cursor *from, u32 len,
                                       u32 flags, u64 deadline, struct unix_control *control)
{
    int err = wait_room(u, flags, deadline);
    struct unix_packet *p = err ? NULL : unix_packet_new(u, len);
    if (!p)
        return err_ptr(err ? err : -ENOBUFS);
    err = unix_packet_fill(p, from);
    p->creds = control->creds;
    if (!err && control->rights) {
        err = unix_rights_depart(control->rights);
        if (!err) {
            p->rights = control->rights;
            control->rights = NULL;
        }
    }
    if (!err)
        return p;
    unix_packet_put(p);
    return err_ptr(err);
}

static int broken_pipe(u32 flags)
{
    if (!(flags & MSG_NOSIGNAL))
        signal_task(current, SIGPIPE);
    return -EPIPE;
}

static ssize_t send_stream(struct unix_socket *u, struct message *m, struct unix_control *control)
{
    u64 deadline = socket_deadline(u->s.snd_timeout);
    struct user_cursor from = user_cursor(m->data);
    struct unix_socket *peer = u->peer; /* a stream's stays for as long as our file does */
    u32 done = 0, len = m->data->bytes;
    int err = 0;
    if (m->name && m->name->len)
        return u->s.state == SOCKET_CONNECTED ? -EISCONN : -EOPNOTSUPP;
    if (!peer)
        return -ENOTCONN;
    if (u->s.tx_shut)
        return broken_pipe(m->flags);
    while (done < len && !err) {
        u32 chunk = MIN(MIN(len - done, STREAM_CHUNK), unix_send_limit(u) / 2);
        struct unix_packet *p = make_packet(u, &from, chunk, m->flags, deadline, control);
        if (is_err(p)) {
            err = ptr_err(p);
        } else if (peer->dead || peer->s.rx_shut) {
            unix_packet_put(p);
            err = done ? -EPIPE : broken_pipe(m->flags);
        } else {
            unix_enqueue(peer, p);
            done += chunk;
            err = task_pause() ? -EINTR : 0;
        }
    }
    return done ? (ssize_t)done : err;
}

bool unix_takes_pages(struct socket *s)
{
    return s->type == SOCK_STREAM;
}

ssize_t unix_send_page(struct socket *s, struct frag f, bool nonblock, bool more)
{
    struct unix_socket *u = unix_of(s), *peer = u->peer;
    if (!peer)
        return -ENOTCONN;
    if (s->tx_shut)
        return broken_pipe(0);
    int err = wait_room(u, nonblock ? MSG_DONTWAIT : 0, socket_deadline(s->snd_timeout));
    if (err < 0)
        return err;
    if (peer->dead || peer->s.rx_shut)
        return broken_pipe(0);
    struct unix_packet *p = unix_packet_of(u, f);
    if (!p)
        return -ENOBUFS;
    p->creds = unix_sender();
    unix_enqueue(peer, p);
    return f.len;
}

/* Who is to get a datagram, with a reference, or err_ptr. A peer that has gone is forgotten. */
static struct unix_socket *receiver(struct unix_socket *u, const struct address *to)
{
    struct unix_socket *peer = u->peer;
    if (to)
        return unix_find(to, u->s.type);
    if (!peer)
        return err_ptr(-ECONNRESET); /* disconnected meanwhile */
    if (!peer->dead)
        return unix_hold(peer);
    if (u->s.type == SOCK_SEQPACKET)
        return err_ptr(-EPIPE);
    u->peer = NULL;
    unix_put(peer);
    unix_drop_queue(u); /* what it had sent is lost, as on Linux */
    return err_ptr(-ECONNREFUSED);
}

static int may_send(const struct unix_socket *u, const struct unix_socket *to)
{
    if (to->peer && to->peer != u)
        return -EPERM;
    return to->dead ? -ECONNREFUSED : to->s.rx_shut ? -EPIPE : 0;
}

/* Hangs the packet into the receiver's queue; waits for room there. 0, or an errno. */
static int deliver(struct unix_socket *u, struct unix_packet *p, u32 flags,
                   const struct address *to, u64 deadline)
{
    for (;;) {
        struct unix_socket *other = receiver(u, to);
        if (is_err(other))
            return ptr_err(other);
        int err = may_send(u, other);
        /* Between two peers the send buffer is limit enough. */
        bool wait = other != u && other->peer != u && unix_full(other);
        if (!err && !wait)
            unix_enqueue(other, p);
        else if (!err && (flags & MSG_DONTWAIT))
            err = -EAGAIN;
        else if (!err)
            err = socket_wait_error(
                wait_event_signal(&other->room, !unix_full(other) || other->s.rx_shut, deadline),
                u->s.snd_timeout);
        unix_put(other);
        if (err || !wait)
            return err;
    }
}

static ssize_t send_datagram(struct unix_socket *u, struct message *m, struct unix_control *control)
{
    u64 deadline = socket_deadline(u->s.snd_timeout);
    struct user_cursor from = user_cursor(m->data);
    const struct address *to = m->name && m->name->len ? m->name : NULL;
    int err = 0;
    if (u->s.type == SOCK_SEQPACKET) {
        err = socket_take_error(&u->s);
        if (err || u->s.state != SOCKET_CONNECTED)
            return err ? err : -ENOTCONN;
        to = NULL;
    }
    if (to)
        err = unix_check(to);
    else if (!u->peer)
        err = -ENOTCONN;
    if (!err && u->pass_creds && !u->name)
        err = unix_autobind(u);
    if (!err && m->data->bytes > u->s.sndbuf - DATAGRAM_SLOP)
        err = -EMSGSIZE;
    if (err)
        return err;
    struct unix_packet *p = make_packet(u, &from, m->data->bytes, m->flags, deadline, control);
    if (is_err(p))
        return ptr_err(p);
    err = deliver(u, p, m->flags, to, deadline);
    if (!err)
        return m->data->bytes;
    unix_packet_put(p);
    return err;
}

ssize_t unix_send(struct socket *s, struct message *m)
{
    struct unix_control control;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    int err = unix_control_in(&control, m);
    if (err < 0)
        return err;
    socket_used(s);
    ssize_t n = s->type == SOCK_STREAM ? send_stream(unix_of(s), m, &control)
                                       : send_datagram(unix_of(s), m, &control);
    unix_rights_free(control.rights); /* what no packet took */
    return n;
}
