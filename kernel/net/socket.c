/*
 * The socket as an object and as an open file: made, read, written, asked (poll), closed.
 */
#include "kernel/net/socket.h"
#include <poll.h>
#include "kernel/cpu/cpu.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/connection.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/pbuf.h"

#define DEFAULT_BUFFER (256u << 10) /* SO_SNDBUF and SO_RCVBUF, bytes */

struct socket_list all_sockets = TAILQ_HEAD_INITIALIZER(all_sockets);

/* --- The object ---------------------------------------------------------------------------- */

struct socket *socket_new(bool stream)
{
    struct socket *s = kzalloc(sizeof(*s));
    if (!s)
        return NULL;
    s->stream = stream;
    s->account = account_get(&ledger_machine); /* until a task uses it */
    s->sndbuf = cmdline_u32("ferry.sndbuf", DEFAULT_BUFFER);
    s->rcvbuf = DEFAULT_BUFFER;
    sendq_init(&s->q, 0, s->sndbuf);
    wait_init(&s->readers);
    wait_init(&s->writers);
    TAILQ_INIT(&s->datagrams);
    TAILQ_INIT(&s->accept_queue);
    TAILQ_INSERT_TAIL(&all_sockets, s, all);
    return s;
}

void socket_free(struct socket *s)
{
    connection_forget(s);
    TAILQ_REMOVE(&all_sockets, s, all);
    stream_discard(s);
    sendq_free(&s->q);
    account_put(s->account);
    kfree(s);
}

int socket_take_error(struct socket *s)
{
    int err = s->error;
    s->error = 0;
    return -err;
}

void socket_used(struct socket *s)
{
    struct account *now = account_current();
    if (s->account == now)
        return;
    account_put(s->account);
    s->account = account_get(now);
}

u64 socket_deadline(u32 timeout_ticks)
{
    return timeout_ticks ? timer_ticks() + timeout_ticks : 0;
}

struct socket *file_socket(struct file *file)
{
    return file->ops == &socket_file_ops ? file->private : NULL;
}

/* --- As a file ----------------------------------------------------------------------------- */

u32 socket_message_flags(const struct file *file, u32 flags)
{
    return file->flags & O_NONBLOCK ? flags | MSG_DONTWAIT : flags;
}

static ssize_t file_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    return len ? socket_receive_user(file->private, buf, len, socket_message_flags(file, 0)) : 0;
}

static ssize_t file_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct socket *s = file->private;
    if (s->stream)
        return socket_send_user(s, buf, len, file->flags & O_NONBLOCK, false);
    struct user_range range = {(u32)buf, len};
    return datagram_send(s, &(struct user_vec){&range, 1, len}, NULL);
}

static void file_release(struct file *file)
{
    struct socket *s = file->private;
    if (s->stream) {
        if (s->linger && s->linger_s && s->state == SOCKET_CONNECTED) {
            connection_shut_write(s);
            net_rest();
            wait_event_killable(&s->writers, s->state != SOCKET_CONNECTED || sendq_empty(&s->q),
                                timer_ticks() + (u64)s->linger_s * TIMER_HZ);
        }
        connection_close(s);
    } else {
        datagram_close(s);
        socket_free(s);
    }
}

static u32 file_poll(struct file *file, struct poll_table *p)
{
    struct socket *s = file->private;
    poll_wait(p, &s->readers);
    poll_wait(p, &s->writers);
    net_rest(); /* who asks is about to sleep */
    u32 mask = s->error ? POLLERR : 0;
    if (!s->stream)
        return mask | POLLOUT | POLLWRNORM | (TAILQ_EMPTY(&s->datagrams) ? 0 : POLLIN | POLLRDNORM);
    if (s->state == SOCKET_LISTENING)
        return mask | (TAILQ_EMPTY(&s->accept_queue) ? 0 : POLLIN | POLLRDNORM);
    if (s->rx_head || s->rx_eof || s->rx_shut || s->error || s->state == SOCKET_GONE)
        mask |= POLLIN | POLLRDNORM;
    if (s->rx_eof || s->rx_shut)
        mask |= POLLRDHUP;
    if (s->state == SOCKET_GONE || s->state == SOCKET_NEW || (s->rx_eof && s->tx_shut))
        mask |= POLLHUP;
    if (s->state != SOCKET_CONNECTED ? s->state != SOCKET_CONNECTING
                                     : sendq_space(&s->q) >= s->q.limit / 3 || s->tx_shut)
        mask |= POLLOUT | POLLWRNORM;
    return mask;
}

const struct file_ops socket_file_ops = {
    .release = file_release,
    .read = file_read,
    .write = file_write,
    .ioctl = socket_ioctl,
    .poll = file_poll,
};

int socket_descriptor(struct socket *s, u32 flags)
{
    static u32 number; /* inode numbers, as fstat shows them */
    struct inode *inode = inode_new(NULL, ++number, S_SOCK | 0777);
    struct file *file =
        inode ? file_new(inode, &socket_file_ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
    if (!file) {
        if (inode)
            inode_put(inode);
        if (s->stream)
            connection_close(s);
        else {
            datagram_close(s);
            socket_free(s);
        }
        return -ENFILE;
    }
    file->private = s;
    s->file = file;
    int fd = fd_install(file, 0, flags & SOCK_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}
