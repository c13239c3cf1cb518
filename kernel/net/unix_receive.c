/* Receiving from AF_UNIX sockets: bytes of a stream, or one datagram at a time. */
#include "kernel/lib/lib.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"
#include "kernel/proc/task.h"

/* Waits for the first packet. 1: it is there; 0: none will come; or a negative errno. */
static int wait_packet(struct unix_socket *u, u32 flags, u64 deadline)
{
    struct socket *s = &u->s;
    while (TAILQ_EMPTY(&u->queue)) {
        int err = socket_take_error(s);
        /* As on Linux: a datagram socket may be shut down and, without waiting, not say so. */
        bool told = s->type != SOCK_DGRAM || !(flags & MSG_DONTWAIT);
        if (err || (s->rx_shut && told))
            return err;
        if (flags & MSG_DONTWAIT)
            return -EAGAIN;
        err = wait_event_signal(&s->readers, !TAILQ_EMPTY(&u->queue) || s->error || s->rx_shut,
                                deadline);
        if (err)
            return socket_wait_error(err, s->rcv_timeout);
    }
    return 1;
}

/* The files leave the packet, or are copied when it is only looked at. */
static struct unix_rights *take_rights(struct unix_packet *p, u32 flags)
{
    struct unix_rights *r = p->rights;
    if (!r || flags & MSG_PEEK)
        return r ? unix_rights_copy(r) : NULL;
    unix_rights_arrive(r);
    p->rights = NULL;
    return r;
}

static void tell_sender(const struct unix_packet *p, struct message *m)
{
    if (m->name)
        unix_tell(p->sender->name, m->name, 0);
}

/* --- Streams ------------------------------------------------------------------------------- */

static bool same_credentials(struct credentials a, struct credentials b)
{
    return a.pid == b.pid && a.uid == b.uid && a.gid == b.gid;
}

/* Takes bytes from packet after packet, but not past one that brings files, nor, if the reader
 * wants to know who sent, past the first sender's. Alone (rx_busy): no packet goes meanwhile. */
static ssize_t read_stream(struct unix_socket *u, struct message *m, struct unix_control *got)
{
    u64 deadline = socket_deadline(u->s.rcv_timeout);
    struct user_cursor to = user_cursor(m->data);
    bool peek = m->flags & MSG_PEEK, told = false, stop = false;
    u32 len = m->data->bytes, done = 0;
    u32 wanted = MAX(m->flags & MSG_WAITALL ? len : MIN(u->receive_low, len), 1u);
    struct unix_packet *p = NULL;
    ssize_t n = 0;
    do {
        p = peek && p ? TAILQ_NEXT(p, link) : TAILQ_FIRST(&u->queue);
        if (!p) {
            if (told && (peek || done >= wanted))
                break;
            n = wait_packet(u, m->flags, deadline);
            if (n <= 0)
                break;
            p = TAILQ_FIRST(&u->queue);
        }
        if (!told) {
            tell_sender(p, m);
            got->creds = p->creds;
            told = true;
        } else if (u->pass_creds && !same_credentials(p->creds, got->creds)) {
            break;
        }
        n = unix_packet_copy(p, p->taken, MIN(len - done, p->len - p->taken), &to);
        if (n < 0)
            break;
        done += n;
        stop = p->rights;
        got->rights = take_rights(p, m->flags);
        if (peek)
            continue;
        p->taken += n;
        if (p->taken == p->len) {
            unix_dequeue(u, p);
            unix_packet_put(p);
        }
    } while (done < len && !stop && !task_pause());
    return done ? (ssize_t)done : n;
}

static ssize_t receive_stream(struct unix_socket *u, struct message *m, struct unix_control *got)
{
    struct socket *s = &u->s;
    if (s->state != SOCKET_CONNECTED)
        return -EINVAL;
    int err = wait_event_signal(&s->readers, !s->rx_busy, 0);
    if (err)
        return err;
    s->rx_busy = true;
    ssize_t n = read_stream(u, m, got);
    s->rx_busy = false;
    wake_all(&s->readers);
    return n;
}

/* --- Datagrams ----------------------------------------------------------------------------- */

static ssize_t receive_datagram(struct unix_socket *u, struct message *m, struct unix_control *got)
{
    struct user_cursor to = user_cursor(m->data);
    if (u->s.type == SOCK_SEQPACKET && u->s.state != SOCKET_CONNECTED)
        return -ENOTCONN;
    int err = socket_take_error(&u->s); /* even before what is there */
    if (err)
        return err;
    err = wait_packet(u, m->flags, socket_deadline(u->s.rcv_timeout));
    if (err <= 0)
        return err;
    struct unix_packet *p = TAILQ_FIRST(&u->queue);
    tell_sender(p, m);
    got->creds = p->creds;
    got->rights = take_rights(p, m->flags);
    p->refs++; /* the copy may sleep, and another reader take it */
    if (!(m->flags & MSG_PEEK)) {
        unix_dequeue(u, p); /* for good, even should the program's memory turn out to be bad */
        unix_packet_put(p);
    }
    u32 len = p->len, fits = MIN(len, m->data->bytes);
    ssize_t n = unix_packet_copy(p, 0, fits, &to);
    unix_packet_put(p);
    if (n < (ssize_t)fits)
        return -EFAULT;
    if (fits < len)
        m->told |= MSG_TRUNC;
    return m->flags & MSG_TRUNC ? (ssize_t)len : n;
}

ssize_t unix_receive(struct socket *s, struct message *m)
{
    struct unix_control got = {{0, 0, 0}, NULL};
    if (m->flags & MSG_OOB)
        return s->type == SOCK_STREAM ? -EINVAL : -EOPNOTSUPP;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is ever queued there */
    socket_used(s);
    ssize_t n = s->type == SOCK_STREAM ? receive_stream(unix_of(s), m, &got)
                                       : receive_datagram(unix_of(s), m, &got);
    if (n >= 0)
        unix_control_out(unix_of(s), m, &got);
    else
        unix_rights_free(got.rights);
    return n;
}
