/* Connections of AF_UNIX sockets: socketpair(2), listen(2), connect(2), accept(2). */
#include "kernel/lib/lib.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"

#define BACKLOG_MAX 4096u /* net.core.somaxconn */

static void make_peers(struct unix_socket *a, struct unix_socket *b)
{
    a->peer = unix_hold(b);
    b->peer = unix_hold(a);
    if (a->s.type != SOCK_DGRAM)
        a->s.state = b->s.state = SOCKET_CONNECTED;
}

int unix_pair(struct socket *a, struct socket *b)
{
    unix_of(a)->peer_creds = unix_of(b)->peer_creds = unix_owner();
    make_peers(unix_of(a), unix_of(b));
    return 0;
}

int unix_listen(struct socket *s, u32 backlog)
{
    struct unix_socket *u = unix_of(s);
    if (s->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    if (!u->name || s->state == SOCKET_CONNECTED)
        return -EINVAL;
    s->backlog = MIN(backlog, BACKLOG_MAX);
    s->state = SOCKET_LISTENING;
    u->peer_creds = unix_owner(); /* whom those who connect talk to */
    wake_all(&u->room);           /* the queue may have become longer */
    return 0;
}

/* May this socket connect to that one? */
static int may_connect(const struct unix_socket *u, const struct unix_socket *listener)
{
    if (listener->s.state != SOCKET_LISTENING || listener->s.rx_shut)
        return -ECONNREFUSED;
    return u->s.state == SOCKET_CONNECTED ? -EISCONN : u->s.state == SOCKET_LISTENING ? -EINVAL : 0;
}

/* Puts the other end of a new connection into the listener's queue. It has the listener's name. */
static int join(struct unix_socket *u, struct unix_socket *listener)
{
    struct socket *child = socket_new_like(&listener->s);
    if (!child)
        return -ENOMEM;
    listener->s.ops->open(child);
    struct unix_socket *other = unix_of(child);
    other->name = listener->name;
    other->name->refs++;
    other->peer_creds = unix_owner();
    other->pass_creds = listener->pass_creds;
    u->peer_creds = listener->peer_creds;
    make_peers(u, other);
    child->listener = &listener->s;
    TAILQ_INSERT_TAIL(&listener->s.accept_queue, child, accept_link);
    listener->s.accept_count++;
    wake_all(&listener->s.readers);
    return 0;
}

static int connect_stream(struct unix_socket *u, const struct address *a, bool nonblock)
{
    u64 deadline = socket_deadline(u->s.snd_timeout);
    for (;;) {
        struct unix_socket *listener = unix_find(a, u->s.type);
        if (is_err(listener))
            return ptr_err(listener);
        bool wait = unix_full(listener);
        int err = may_connect(u, listener);
        if (!err && !wait)
            err = join(u, listener);
        else if (!err && nonblock)
            err = -EAGAIN;
        else if (!err)
            err = wait_event_signal(&listener->room, !unix_full(listener) || listener->s.rx_shut,
                                    deadline);
        unix_put(listener);
        if (err || !wait)
            return socket_wait_error(err, u->s.snd_timeout);
    }
}

/* The end of a datagram socket's peer. What it had sent is lost, as on Linux, and when it has us as
 * its peer, it is told. */
static void disconnect(struct unix_socket *u, struct unix_socket *old)
{
    if (!TAILQ_EMPTY(&u->queue)) {
        if (!old->dead && old->peer == u) {
            old->s.error = ECONNRESET;
            wake_all(&old->s.readers);
            wake_all(&old->s.writers);
        }
        unix_drop_queue(u);
    }
}

/* A datagram socket's peer is where it sends to, and the only one it receives from. AF_UNSPEC:
 * nobody any more. */
static int connect_datagram(struct unix_socket *u, const struct address *a)
{
    struct unix_socket *peer = NULL, *old = u->peer;
    if (a->family != AF_UNSPEC) {
        peer = unix_find(a, u->s.type);
        if (is_err(peer))
            return ptr_err(peer);
        if (peer->peer && peer->peer != u) {
            unix_put(peer);
            return -EPERM;
        }
        old = u->peer; /* to look for a path may have slept */
    }
    u->peer = peer;
    wake_all(&u->s.writers);
    if (old && old != peer)
        disconnect(u, old);
    if (old)
        unix_put(old);
    return 0;
}

int unix_connect(struct socket *s, const struct address *a, bool nonblock)
{
    struct unix_socket *u = unix_of(s);
    bool datagram = s->type == SOCK_DGRAM;
    if (!datagram || a->family != AF_UNSPEC) {
        int err = unix_check(a);
        if (!err && u->pass_creds && !u->name)
            err = unix_autobind(u);
        if (err < 0)
            return err;
    }
    return datagram ? connect_datagram(u, a) : connect_stream(u, a, nonblock);
}

int unix_accept(struct socket *s, bool nonblock, struct socket **child, struct address *from)
{
    if (s->type == SOCK_DGRAM)
        return -EOPNOTSUPP;
    if (s->state != SOCKET_LISTENING)
        return -EINVAL;
    u64 deadline = socket_deadline(s->rcv_timeout);
    while (TAILQ_EMPTY(&s->accept_queue)) {
        if (s->rx_shut)
            return -EINVAL;
        if (nonblock)
            return -EAGAIN;
        int err =
            wait_event_signal(&s->readers, !TAILQ_EMPTY(&s->accept_queue) || s->rx_shut, deadline);
        if (err)
            return socket_wait_error(err, s->rcv_timeout);
    }
    struct socket *first = TAILQ_FIRST(&s->accept_queue);
    bool full = unix_full(unix_of(s));
    TAILQ_REMOVE(&s->accept_queue, first, accept_link);
    s->accept_count--;
    first->listener = NULL;
    if (full)
        wake_all(&unix_of(s)->room);
    unix_name(first, true, from);
    *child = first;
    return 0;
}
