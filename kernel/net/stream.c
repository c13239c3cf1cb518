/*
 * TCP sockets as their system calls see them: who waits for what, and what is answered in which
 * state. What happens to the connection is connection.c's, how bytes get in and out transfer.c's.
 * tcp(7).
 */
#include <linux/poll.h>
#include "kernel/cpu/cpu.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"

static void stream_release(struct socket *s)
{
    if (s->file && s->linger && s->linger_s && s->state == SOCKET_CONNECTED) {
        connection_shut_write(s);
        net_rest();
        (void)wait_event_signal(&s->writers, s->state != SOCKET_CONNECTED || sendq_empty(&s->q),
                                timer_ticks() + (u64)s->linger_s * TIMER_HZ);
    }
    connection_close(s);
}

static int stream_bind(struct socket *s, const struct address *a)
{
    struct endpoint e;
    int err = inet_bind_endpoint(a, &e);
    if (err < 0)
        return err;
    if (s->state != SOCKET_NEW || s->local.port)
        return -EINVAL;
    return connection_bind(s, e);
}

/* --- Connecting ---------------------------------------------------------------------------- */

static int wait_connected(struct socket *s, int in_progress)
{
    net_poll();
    net_rest();
    int err = wait_event_signal(&s->writers, s->state != SOCKET_CONNECTING,
                                socket_deadline(s->snd_timeout));
    if (err)
        return err == -ETIMEDOUT ? in_progress : socket_wait_error(err, s->snd_timeout);
    err = socket_take_error(s);
    if (err || s->state != SOCKET_CONNECTED)
        return err ? err : -ECONNABORTED;
    s->connect_told = true;
    return 0;
}

static int stream_connect(struct socket *s, const struct address *a, bool nonblock)
{
    struct endpoint to;
    int err;
    if (a->family == AF_UNSPEC) {
        if (s->state == SOCKET_CONNECTED || s->state == SOCKET_CONNECTING)
            connection_abort(s, 0);
        return 0;
    }
    switch (s->state) {
    case SOCKET_LISTENING:
        return -EISCONN;
    case SOCKET_CONNECTED: /* who did not wait may learn here how it went */
        if (s->connect_told)
            return -EISCONN;
        s->connect_told = true;
        return 0;
    case SOCKET_CONNECTING: /* also a call that a signal interrupted, and that is restarted */
        return nonblock ? -EALREADY : wait_connected(s, -EALREADY);
    case SOCKET_GONE:
        err = socket_take_error(s);
        if (err)
            return err;
        if (s->rx_head || s->rx_eof)
            return -EISCONN;
        err = connection_open(s); /* a refused connection may be tried again */
        if (err < 0)
            return err;
        s->state = SOCKET_NEW;
        break;
    case SOCKET_NEW:
        break;
    }
    err = inet_endpoint(a, &to);
    if (!err)
        err = connection_start(s, to);
    if (err < 0)
        return err;
    return nonblock ? -EINPROGRESS : wait_connected(s, -EINPROGRESS);
}

static int stream_listen(struct socket *s, u32 backlog)
{
    if (s->state != SOCKET_NEW && s->state != SOCKET_LISTENING)
        return -EINVAL;
    return connection_listen(s, backlog);
}

static int stream_accept(struct socket *s, bool nonblock, struct socket **child,
                         struct address *from)
{
    if (s->state != SOCKET_LISTENING)
        return -EINVAL;
    if (TAILQ_EMPTY(&s->accept_queue))
        net_poll();
    while (TAILQ_EMPTY(&s->accept_queue)) {
        if (nonblock)
            return -EAGAIN;
        net_rest();
        int err = wait_event_signal(&s->readers,
                                    !TAILQ_EMPTY(&s->accept_queue) || s->state != SOCKET_LISTENING,
                                    socket_deadline(s->rcv_timeout));
        if (err)
            return socket_wait_error(err, s->rcv_timeout);
        if (s->state != SOCKET_LISTENING)
            return -EINVAL; /* shutdown(2) */
    }
    *child = TAILQ_FIRST(&s->accept_queue);
    connection_accepted(*child);
    inet_address((*child)->remote, from);
    return 0;
}

static int stream_shutdown(struct socket *s, u32 how)
{
    if (s->state == SOCKET_LISTENING)
        return how == SHUT_WR ? 0 : connection_unlisten(s);
    if (s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (how != SHUT_WR) {
        s->rx_shut = true;
        wake_all(&s->readers);
    }
    if (how != SHUT_RD && !s->tx_shut) {
        connection_shut_write(s);
        wake_all(&s->writers);
    }
    return 0;
}

/* --- Questions ----------------------------------------------------------------------------- */

static u32 stream_poll(struct socket *s, struct poll_table *p)
{
    if (s->state == SOCKET_LISTENING)
        return TAILQ_EMPTY(&s->accept_queue) ? 0 : POLLIN | POLLRDNORM;
    bool gone = s->state == SOCKET_GONE;
    bool eof = s->rx_eof || s->rx_shut || gone;
    u32 mask = s->error ? POLLERR : 0;
    if (gone || s->state == SOCKET_NEW || (eof && s->tx_shut))
        mask |= POLLHUP;
    if (eof)
        mask |= POLLIN | POLLRDNORM | POLLRDHUP;
    if (s->rx_head && s->rx_bytes >= s->rcvlowat)
        mask |= POLLIN | POLLRDNORM;
    if (s->state == SOCKET_CONNECTED ? sendq_space(&s->q) >= s->q.limit / 3 || s->tx_shut
                                     : s->state != SOCKET_CONNECTING)
        mask |= POLLOUT | POLLWRNORM;
    return mask;
}

static int stream_waiting(struct socket *s, bool to_send)
{
    if (s->state == SOCKET_LISTENING)
        return -EINVAL;
    net_poll();
    return to_send ? connection_outq(s) : s->rx_bytes;
}

const struct socket_ops stream_ops = {
    .open = connection_open,
    .release = stream_release,
    .bind = stream_bind,
    .connect = stream_connect,
    .listen = stream_listen,
    .accept = stream_accept,
    .shutdown = stream_shutdown,
    .name = inet_name,
    .send = stream_send,
    .receive = stream_receive,
    .poll = stream_poll,
    .waiting = stream_waiting,
    .set_option = tcp_set_option,
    .get_option = tcp_get_option,
    .options_changed = connection_apply_options,
    .takes_pages = stream_takes_pages,
    .send_page = stream_send_page,
    .send_copy = stream_send_copy,
};
