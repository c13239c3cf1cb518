/*
 * The system calls of sockets (socketcall(2) and those that it contains): arguments checked as
 * Linux does, then handed to connection.c (TCP) or datagram.c (UDP).
 */
#include "kernel/net/socket.h"
#include <linux/in.h>
#include <linux/net.h>
#include <poll.h>
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/connection.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/pbuf.h"

#define DEFAULT_BUFFER (256u << 10) /* SO_SNDBUF and SO_RCVBUF, bytes */

struct socket_list all_sockets = TAILQ_HEAD_INITIALIZER(all_sockets);

/* --- The object --------------------------------------------------------------------------------- */

struct socket *socket_new(bool stream)
{
    struct socket *s = kzalloc(sizeof(*s));
    if (!s)
        return NULL;
    s->stream = stream;
    s->account = account_get(account_current());
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
    if (s->rx_head)
        pbuf_free(s->rx_head);
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

/* --- As a file ---------------------------------------------------------------------------------- */

static u32 message_flags(const struct file *file, u32 flags)
{
    return file->flags & O_NONBLOCK ? flags | MSG_DONTWAIT : flags;
}

static ssize_t file_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    return len ? socket_receive_user(file->private, buf, len, message_flags(file, 0)) : 0;
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
            wait_event_killable(&s->writers, s->state != SOCKET_CONNECTED || sendq_empty(&s->q),
                                timer_ticks() + (u64)s->linger_s * TIMER_HZ);
        }
        connection_close(s);
    } else {
        datagram_close(s);
        socket_free(s);
    }
}

static u32 file_poll(struct file *file)
{
    struct socket *s = file->private;
    u32 mask = s->error ? POLLERR : 0;
    if (!s->stream)
        return mask | POLLOUT | POLLWRNORM |
               (TAILQ_EMPTY(&s->datagrams) ? 0 : POLLIN | POLLRDNORM);
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

/* A descriptor for the socket. On failure the socket is closed. */
static int socket_descriptor(struct socket *s, u32 flags)
{
    static u32 number; /* inode numbers, as fstat shows them */
    struct inode *inode = inode_new(NULL, ++number, S_SOCK | 0777);
    struct file *file = inode ? file_new(inode, &socket_file_ops, O_RDWR | (flags & O_NONBLOCK))
                              : NULL;
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

/* --- Addresses ---------------------------------------------------------------------------------- */

static int endpoint_in(struct endpoint *e, const void __user *addr, u32 len, u16 *family)
{
    struct sockaddr_in in;
    *family = AF_UNSPEC;
    if (len < sizeof(*family) || len > sizeof(struct sockaddr_storage))
        return -EINVAL;
    memset(&in, 0, sizeof(in));
    if (copyin(&in, addr, MIN(len, (u32)sizeof(in))) < 0)
        return -EFAULT;
    *family = in.sin_family;
    if (in.sin_family == AF_INET && len < sizeof(in))
        return -EINVAL;
    *e = (struct endpoint){in.sin_addr.s_addr, in.sin_port};
    return 0;
}

/* As accept(2): the address is cut to the room there is, its full length is told. */
static int endpoint_out(struct endpoint e, void __user *addr, u32 __user *len)
{
    u32 room;
    if (!addr)
        return 0;
    if (copyin(&room, len, sizeof(room)) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = e.port, .sin_addr = {e.ip}};
    u32 full = sizeof(in);
    if (copyout(addr, &in, MIN(room, full)) < 0 || copyout(len, &full, sizeof(full)) < 0)
        return -EFAULT;
    return 0;
}

/* The socket of a descriptor, its file held; else an errno. */
static int socket_get(u32 fd, struct file **file, struct socket **s)
{
    *file = fd_get(fd);
    if (!*file)
        return -EBADF;
    *s = file_socket(*file);
    if (*s)
        return 0;
    file_put(*file);
    return -ENOTSOCK;
}

/* --- The calls ---------------------------------------------------------------------------------- */

long sys_socket(u32 family, u32 type, u32 protocol)
{
    u32 flags = type & (SOCK_NONBLOCK | SOCK_CLOEXEC);
    type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (family != AF_INET)
        return -EAFNOSUPPORT;
    if (type > 10)
        return -EINVAL;
    if (type != SOCK_STREAM && type != SOCK_DGRAM)
        return -ESOCKTNOSUPPORT;
    if (protocol && protocol != (type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP))
        return -EPROTONOSUPPORT;
    struct socket *s = socket_new(type == SOCK_STREAM);
    if (!s)
        return -ENOBUFS;
    int err = s->stream ? connection_open(s) : datagram_open(s);
    if (err < 0) {
        socket_free(s);
        return err;
    }
    return socket_descriptor(s, flags);
}

static int do_bind(struct socket *s, const void __user *addr, u32 len)
{
    struct endpoint e;
    u16 family;
    int err = endpoint_in(&e, addr, len, &family);
    if (err < 0)
        return err;
    if (family != AF_INET && !(family == AF_UNSPEC && !e.ip))
        return -EAFNOSUPPORT;
    if (s->state != SOCKET_NEW || s->local.port)
        return -EINVAL;
    if (e.ip && e.ip != 0xFFFFFFFF && !interface_is_ours(e.ip))
        return -EADDRNOTAVAIL;
    return s->stream ? connection_bind(s, e) : datagram_bind(s, e);
}

long sys_bind(u32 fd, const void __user *addr, u32 len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = do_bind(s, addr, len);
    file_put(file);
    return err;
}

static int wait_connected(struct socket *s)
{
    net_poll();
    int err = wait_event_killable(&s->writers, s->state != SOCKET_CONNECTING,
                                  socket_deadline(s->snd_timeout));
    if (err)
        return err == -ETIMEDOUT ? -EINPROGRESS : err;
    err = socket_take_error(s);
    return err ? err : s->state == SOCKET_CONNECTED ? 0 : -ECONNABORTED;
}

static int connect_stream(struct socket *s, struct endpoint to, bool nonblock)
{
    switch (s->state) {
    case SOCKET_LISTENING:
    case SOCKET_CONNECTED:
        return -EISCONN;
    case SOCKET_CONNECTING:
        return nonblock ? -EALREADY : wait_connected(s);
    case SOCKET_GONE: {
        int err = socket_take_error(s);
        if (err)
            return err;
        if (s->rx_head || s->rx_eof)
            return -EISCONN;
        err = connection_open(s); /* a refused connection may be tried again */
        if (err < 0)
            return err;
        s->state = SOCKET_NEW;
        break;
    }
    case SOCKET_NEW:
        break;
    }
    int err = connection_start(s, to);
    if (err < 0)
        return err;
    return nonblock ? -EINPROGRESS : wait_connected(s);
}

long sys_connect(u32 fd, const void __user *addr, u32 len)
{
    struct endpoint e;
    u16 family;
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = endpoint_in(&e, addr, len, &family);
    if (!err && family == AF_UNSPEC) {
        if (!s->stream)
            err = datagram_connect(s, (struct endpoint){0, 0});
        else if (s->state == SOCKET_CONNECTED || s->state == SOCKET_CONNECTING)
            connection_abort(s, 0);
    } else if (!err) {
        err = family != AF_INET ? -EAFNOSUPPORT
              : s->stream       ? connect_stream(s, e, file->flags & O_NONBLOCK)
                                : datagram_connect(s, e);
    }
    file_put(file);
    return err;
}

long sys_listen(u32 fd, u32 backlog)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    if (!s->stream)
        err = -EOPNOTSUPP;
    else if (s->state != SOCKET_NEW && s->state != SOCKET_LISTENING)
        err = -EINVAL;
    else
        err = connection_listen(s, backlog);
    file_put(file);
    return err;
}

static long do_accept(struct file *file, struct socket *s, void __user *addr, u32 __user *len,
                      u32 flags)
{
    if (!s->stream)
        return -EOPNOTSUPP;
    if (s->state != SOCKET_LISTENING || flags & ~(SOCK_NONBLOCK | SOCK_CLOEXEC))
        return -EINVAL;
    if (TAILQ_EMPTY(&s->accept_queue))
        net_poll();
    while (TAILQ_EMPTY(&s->accept_queue)) {
        if (file->flags & O_NONBLOCK)
            return -EAGAIN;
        int err = wait_event_killable(&s->readers, !TAILQ_EMPTY(&s->accept_queue),
                                      socket_deadline(s->rcv_timeout));
        if (err)
            return err == -ETIMEDOUT ? -EAGAIN : err;
    }
    struct socket *child = TAILQ_FIRST(&s->accept_queue);
    connection_accepted(child);
    socket_used(child);
    int err = endpoint_out(child->remote, addr, len);
    if (err < 0) { /* the connection is lost, as on Linux */
        connection_close(child);
        return err;
    }
    return socket_descriptor(child, flags);
}

long sys_accept4(u32 fd, void __user *addr, u32 __user *len, u32 flags)
{
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = do_accept(file, s, addr, len, flags);
    file_put(file);
    return ret;
}

long sys_getsockname(u32 fd, void __user *addr, u32 __user *len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = addr ? endpoint_out(s->local, addr, len) : -EFAULT;
    file_put(file);
    return err;
}

long sys_getpeername(u32 fd, void __user *addr, u32 __user *len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    if (s->state != SOCKET_CONNECTED)
        err = -ENOTCONN;
    else
        err = addr ? endpoint_out(s->remote, addr, len) : -EFAULT;
    file_put(file);
    return err;
}

long sys_shutdown(u32 fd, u32 how)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    if (how > SHUT_RDWR) {
        err = -EINVAL;
    } else if (s->stream && s->state == SOCKET_LISTENING) {
        err = 0; /* Linux stops listening; here the queue stays until close */
    } else if (s->state != SOCKET_CONNECTED) {
        err = -ENOTCONN;
    } else {
        if (how != SHUT_WR) {
            s->rx_shut = true;
            wake_all(&s->readers);
        }
        if (how != SHUT_RD && s->stream && !s->tx_shut) {
            connection_shut_write(s);
            wake_all(&s->writers);
        }
    }
    file_put(file);
    return err;
}

long sys_socketpair(u32 family, u32 type, u32 protocol, int __user *fds)
{
    return family == AF_INET ? -EOPNOTSUPP : -EAFNOSUPPORT;
}

long sys_setsockopt(u32 fd, u32 level, u32 name, const void __user *value, u32 len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = socket_set_option(s, level, name, value, len);
    file_put(file);
    return err;
}

long sys_getsockopt(u32 fd, u32 level, u32 name, void __user *value, u32 __user *len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = socket_get_option(s, level, name, value, len);
    file_put(file);
    return err;
}

/* --- Messages ----------------------------------------------------------------------------------- */

static ssize_t send_message(struct file *file, struct socket *s, const struct user_vec *v,
                            u32 flags, const struct endpoint *to)
{
    flags = message_flags(file, flags);
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (!s->stream)
        return datagram_send(s, v, to);
    ssize_t done = 0;
    for (u32 i = 0; i < v->count; i++) {
        const struct user_range *r = &v->range[i];
        bool more = flags & MSG_MORE || i + 1 < v->count;
        ssize_t n = socket_send_user(s, (const void __user *)r->base, r->len,
                                     flags & MSG_DONTWAIT, more);
        if (n < 0)
            return done ? done : n;
        done += n;
        if ((u32)n < r->len)
            break;
    }
    return done;
}

static ssize_t receive_message(struct file *file, struct socket *s, const struct user_vec *v,
                               u32 flags, struct endpoint *from, bool *cut)
{
    flags = message_flags(file, flags);
    if (flags & MSG_OOB)
        return -EINVAL;
    if (flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is ever queued there */
    if (!s->stream)
        return datagram_receive(s, v, flags, from, cut);
    ssize_t done = 0;
    for (u32 i = 0; i < v->count; i++) {
        const struct user_range *r = &v->range[i];
        if (!r->len)
            continue;
        ssize_t n = stream_receive(s, (void __user *)r->base, r->len, flags);
        if (n < 0)
            return done ? done : n;
        done += n;
        if ((u32)n < r->len || flags & MSG_PEEK)
            break;
        if (!(flags & MSG_WAITALL))
            flags |= MSG_DONTWAIT; /* the first bytes are there: do not wait for more */
    }
    return done;
}

long sys_sendto(u32 fd, const void __user *buf, u32 len, u32 flags, const void __user *addr,
                u32 addr_len)
{
    struct endpoint to;
    u16 family;
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    if (addr && !s->stream) {
        ret = endpoint_in(&to, addr, addr_len, &family);
        if (!ret && family != AF_INET)
            ret = -EAFNOSUPPORT;
    }
    if (!ret && !user_range_ok(buf, len))
        ret = -EFAULT;
    if (!ret) {
        struct user_range range = {(u32)buf, len};
        ret = send_message(file, s, &(struct user_vec){&range, 1, len}, flags,
                           addr && !s->stream ? &to : NULL);
    }
    file_put(file);
    return ret;
}

long sys_recvfrom(u32 fd, void __user *buf, u32 len, u32 flags, void __user *addr,
                  u32 __user *addr_len)
{
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    struct endpoint from = s->remote;
    struct user_range range = {(u32)buf, len};
    ret = user_range_ok(buf, len)
              ? receive_message(file, s, &(struct user_vec){&range, 1, len}, flags, &from, NULL)
              : -EFAULT;
    if (ret >= 0 && addr && !s->stream) { /* a stream's address is not told, recv(2) */
        int err = endpoint_out(from, addr, addr_len);
        ret = err < 0 ? err : ret;
    }
    file_put(file);
    return ret;
}

#define MAX_RANGES (PAGE_SIZE / sizeof(struct user_range) - 16) /* one heap object; Linux: 1024 */

/* The header of a message and its ranges, checked. v->range is to be freed. */
static int message_in(struct msghdr *m, const void __user *msg, struct user_vec *v)
{
    if (copyin(m, msg, sizeof(*m)) < 0)
        return -EFAULT;
    if ((u32)m->msg_iovlen > MAX_RANGES)
        return -EMSGSIZE;
    struct user_range *ranges = kmalloc(MAX(m->msg_iovlen, 1) * sizeof(*ranges));
    if (!ranges)
        return -ENOBUFS;
    *v = (struct user_vec){ranges, m->msg_iovlen, 0};
    int err = copyin(ranges, m->msg_iov, v->count * sizeof(*ranges));
    for (u32 i = 0; !err && i < v->count; i++) {
        if (!user_range_ok((void __user *)ranges[i].base, ranges[i].len))
            err = -EFAULT;
        else if (ranges[i].len > 0x7FFFF000u - v->bytes)
            err = -EINVAL;
        v->bytes += ranges[i].len;
    }
    if (err)
        kfree(ranges);
    return err;
}

long sys_sendmsg(u32 fd, const void __user *msg, u32 flags)
{
    struct msghdr m;
    struct user_vec v;
    struct endpoint to;
    u16 family;
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = message_in(&m, msg, &v);
    if (!ret) {
        bool named = m.msg_name && !s->stream;
        if (named)
            ret = endpoint_in(&to, m.msg_name, m.msg_namelen, &family);
        if (!ret && named && family != AF_INET)
            ret = -EAFNOSUPPORT;
        if (!ret)
            ret = send_message(file, s, &v, flags, named ? &to : NULL);
        kfree((void *)v.range);
    }
    file_put(file);
    return ret;
}

long sys_recvmsg(u32 fd, void __user *msg, u32 flags)
{
    struct msghdr m;
    struct user_vec v;
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = message_in(&m, msg, &v);
    if (!ret) {
        struct msghdr __user *um = msg;
        struct endpoint from = s->remote;
        bool cut = false;
        ret = receive_message(file, s, &v, flags, &from, &cut);
        kfree((void *)v.range);
        if (ret >= 0) {
            int err = m.msg_name && !s->stream
                          ? endpoint_out(from, m.msg_name, (u32 __user *)&um->msg_namelen)
                          : 0;
            u32 zero = 0;
            int got = cut ? MSG_TRUNC : 0;
            if (!err && (copyout(&um->msg_controllen, &zero, sizeof(zero)) < 0 ||
                         copyout(&um->msg_flags, &got, sizeof(got)) < 0))
                err = -EFAULT;
            ret = err < 0 ? err : ret;
        }
    }
    file_put(file);
    return ret;
}

/* Everything in one call, as programs of before Linux 4.3 (and static glibc) do it. */
long sys_socketcall(u32 call, u32 __user *args)
{
    static const u8 nr_args[] = {0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4};
    u32 a[6];
    if (call < SYS_SOCKET || call > SYS_ACCEPT4)
        return -EINVAL;
    if (copyin(a, args, nr_args[call] * sizeof(a[0])) < 0)
        return -EFAULT;
#define P(i) ((void __user *)a[i])
    switch (call) {
    case SYS_SOCKET: return sys_socket(a[0], a[1], a[2]);
    case SYS_BIND: return sys_bind(a[0], P(1), a[2]);
    case SYS_CONNECT: return sys_connect(a[0], P(1), a[2]);
    case SYS_LISTEN: return sys_listen(a[0], a[1]);
    case SYS_ACCEPT: return sys_accept4(a[0], P(1), P(2), 0);
    case SYS_GETSOCKNAME: return sys_getsockname(a[0], P(1), P(2));
    case SYS_GETPEERNAME: return sys_getpeername(a[0], P(1), P(2));
    case SYS_SOCKETPAIR: return sys_socketpair(a[0], a[1], a[2], P(3));
    case SYS_SEND: return sys_sendto(a[0], P(1), a[2], a[3], NULL, 0);
    case SYS_RECV: return sys_recvfrom(a[0], P(1), a[2], a[3], NULL, NULL);
    case SYS_SENDTO: return sys_sendto(a[0], P(1), a[2], a[3], P(4), a[5]);
    case SYS_RECVFROM: return sys_recvfrom(a[0], P(1), a[2], a[3], P(4), P(5));
    case SYS_SHUTDOWN: return sys_shutdown(a[0], a[1]);
    case SYS_SETSOCKOPT: return sys_setsockopt(a[0], a[1], a[2], P(3), a[4]);
    case SYS_GETSOCKOPT: return sys_getsockopt(a[0], a[1], a[2], P(3), P(4));
    case SYS_SENDMSG: return sys_sendmsg(a[0], P(1), a[2]);
    case SYS_RECVMSG: return sys_recvmsg(a[0], P(1), a[2]);
    case SYS_ACCEPT4: return sys_accept4(a[0], P(1), P(2), a[3]);
    }
#undef P
    return -EINVAL;
}
