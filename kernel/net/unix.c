/* The AF_UNIX socket as an object: made, shut down, asked (poll, options), closed. */
#include "kernel/net/unix.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/uapi.h"
#include "kernel/proc/process.h"

struct unix_socket_list unix_sockets = TAILQ_HEAD_INITIALIZER(unix_sockets);

static int unix_open(struct socket *s)
{
    struct unix_socket *u = unix_of(s);
    s->protocol = 0; /* PF_UNIX would be one, too */
    if (s->type == SOCK_RAW)
        s->type = SOCK_DGRAM;
    s->sndbuf = s->rcvbuf = UNIX_BUFFER;
    s->backlog = UNIX_QUEUE_MAX;
    u->refs = 1;
    u->receive_low = 1;
    u->peer_creds = (struct credentials){0, -1, -1}; /* nobody yet */
    TAILQ_INIT(&u->queue);
    wait_init(&u->room);
    TAILQ_INSERT_TAIL(&unix_sockets, u, all);
    return 0;
}

void unix_put(struct unix_socket *u)
{
    ASSERT(u->refs > 0);
    if (--u->refs)
        return;
    ASSERT(TAILQ_EMPTY(&u->queue) && TAILQ_EMPTY(&u->s.accept_queue) && !u->charged);
    TAILQ_REMOVE(&unix_sockets, u, all);
    unix_name_put(u->name);
    socket_free(&u->s);
}

struct credentials unix_sender(void)
{
    return (struct credentials){current->process->pid, current->cred.uid, current->cred.gid};
}

struct credentials unix_owner(void)
{
    return (struct credentials){current->process->pid, current->cred.euid, current->cred.egid};
}

/* A task in poll(2) that asks whether it can write to us waits at its own socket. */
void unix_room_made(struct unix_socket *u)
{
    struct unix_socket *other;
    wake_all(&u->room);
    if (u->s.type == SOCK_DGRAM)
        TAILQ_FOREACH (other, &unix_sockets, all)
            if (other->peer == u)
                wake_all(&other->s.writers);
}

/* --- Shutting down, closing ---------------------------------------------------------------- */

static void shut(struct unix_socket *u, bool read, bool write)
{
    u->s.rx_shut |= read;
    u->s.tx_shut |= write;
    wake_all(&u->s.readers);
    wake_all(&u->s.writers);
    if (read)
        unix_room_made(u); /* nobody needs to wait for that any more */
}

/* Who stops reading stops the peer's writing, and the other way round; datagrams know of no such
 * connection. As on Linux, a socket without a connection may be shut down as well. */
static int unix_shutdown(struct socket *s, u32 how)
{
    struct unix_socket *u = unix_of(s);
    bool read = how != SHUT_WR, write = how != SHUT_RD;
    shut(u, read, write);
    if (u->peer && s->type != SOCK_DGRAM)
        shut(u->peer, write, read);
    return 0;
}

void unix_close(struct unix_socket *u)
{
    struct unix_socket *peer = u->peer;
    struct socket *child;
    bool unread = !TAILQ_EMPTY(&u->queue) || u->s.listener; /* or never accepted */
    u->dead = true;
    u->s.file = NULL;
    u->s.listener = NULL;
    u->peer = NULL;
    shut(u, true, true);
    if (peer && u->s.type != SOCK_DGRAM) {
        if (unread)
            peer->s.error = ECONNRESET;
        shut(peer, true, true);
    }
    while ((child = TAILQ_FIRST(&u->s.accept_queue))) {
        TAILQ_REMOVE(&u->s.accept_queue, child, accept_link);
        u->s.accept_count--;
        unix_close(unix_of(child));
    }
    unix_unbind(u);
    unix_drop_queue(u);
    if (peer)
        unix_put(peer);
    unix_put(u);
    unix_rights_collect();
}

static void unix_release(struct socket *s)
{
    unix_close(unix_of(s));
}

/* --- Asking -------------------------------------------------------------------------------- */

/* poll(2) says that there is room with a margin, so that a writer is not woken for every byte. */
static bool has_room(const struct unix_socket *u)
{
    const struct unix_socket *peer = u->peer;
    if (u->s.state == SOCKET_LISTENING || u->charged * 4 > unix_send_limit(u))
        return false;
    return u->s.type != SOCK_DGRAM || !peer || peer->peer == u || !unix_full(peer);
}

static u32 unix_poll(struct socket *s, struct poll_table *p)
{
    const struct unix_socket *u = unix_of(s);
    u32 mask = s->error ? POLLERR : 0;
    if (s->rx_shut && s->tx_shut)
        mask |= POLLHUP;
    if (s->rx_shut)
        mask |= POLLRDHUP;
    if (s->rx_shut || !TAILQ_EMPTY(&u->queue) || !TAILQ_EMPTY(&s->accept_queue))
        mask |= POLLIN | POLLRDNORM;
    if (s->type != SOCK_DGRAM && s->state == SOCKET_NEW)
        mask |= POLLHUP;
    return has_room(u) ? mask | POLLOUT | POLLWRNORM | POLLWRBAND : mask;
}

/* Unread bytes; of datagrams, those of the first. Or bytes that nobody has read yet. */
static int unix_waiting(struct socket *s, bool to_send)
{
    const struct unix_socket *u = unix_of(s);
    const struct unix_packet *p;
    int n = 0;
    if (to_send)
        return u->charged;
    if (s->state == SOCKET_LISTENING)
        return -EINVAL;
    TAILQ_FOREACH (p, &u->queue, link) {
        n += p->len - p->taken;
        if (s->type == SOCK_DGRAM)
            break;
    }
    return n;
}

static int unix_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len)
{
    struct unix_socket *u = unix_of(s);
    s32 v;
    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    if (len < sizeof(v))
        return -EINVAL;
    if (copyin(&v, value, sizeof(v)) < 0)
        return -EFAULT;
    switch (name) {
    case SO_PASSCRED:
        u->pass_creds = v;
        return 0;
    case SO_RCVLOWAT:
        u->receive_low = v < 0 ? 0x7FFFFFFF : MAX(v, 1);
        return 0;
    }
    return -ENOPROTOOPT;
}

static int unix_get_option(struct socket *s, u32 level, u32 name, struct option *o)
{
    const struct unix_socket *u = unix_of(s);
    if (level != SOL_SOCKET)
        return -EOPNOTSUPP;
    switch (name) {
    case SO_PASSCRED:
        o->number = u->pass_creds;
        return 0;
    case SO_RCVLOWAT:
        o->number = u->receive_low;
        return 0;
    case SO_PEERCRED:
        o->size = sizeof(u->peer_creds);
        memcpy(o->bytes, &u->peer_creds, o->size);
        return 0;
    }
    return -ENOPROTOOPT;
}

const struct socket_ops unix_ops = {
    .size = sizeof(struct unix_socket),
    .open = unix_open,
    .release = unix_release,
    .pair = unix_pair,
    .bind = unix_bind,
    .connect = unix_connect,
    .listen = unix_listen,
    .accept = unix_accept,
    .shutdown = unix_shutdown,
    .name = unix_name,
    .send = unix_send,
    .receive = unix_receive,
    .takes_pages = unix_takes_pages,
    .send_page = unix_send_page,
    .poll = unix_poll,
    .waiting = unix_waiting,
    .set_option = unix_set_option,
    .get_option = unix_get_option,
};
