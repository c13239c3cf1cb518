/*
 * The system calls that make, name and connect sockets, and socketcall(2), which contains all of
 * them: arguments checked as Linux does, then handed to connection.c (TCP) or datagram.c (UDP).
 */
#include <linux/in.h>
#include <linux/net.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"

/* --- Addresses ----------------------------------------------------------------------------- */

int endpoint_in(struct endpoint *e, const void __user *addr, u32 len, u16 *family)
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

int endpoint_out(struct endpoint e, void __user *addr, u32 __user *len)
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

int socket_get(u32 fd, struct file **file, struct socket **s)
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

/* --- The calls ----------------------------------------------------------------------------- */

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
    socket_used(s);
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
    net_rest();
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
        net_rest();
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
    case SYS_SOCKET:
        return sys_socket(a[0], a[1], a[2]);
    case SYS_BIND:
        return sys_bind(a[0], P(1), a[2]);
    case SYS_CONNECT:
        return sys_connect(a[0], P(1), a[2]);
    case SYS_LISTEN:
        return sys_listen(a[0], a[1]);
    case SYS_ACCEPT:
        return sys_accept4(a[0], P(1), P(2), 0);
    case SYS_GETSOCKNAME:
        return sys_getsockname(a[0], P(1), P(2));
    case SYS_GETPEERNAME:
        return sys_getpeername(a[0], P(1), P(2));
    case SYS_SOCKETPAIR:
        return sys_socketpair(a[0], a[1], a[2], P(3));
    case SYS_SEND:
        return sys_sendto(a[0], P(1), a[2], a[3], NULL, 0);
    case SYS_RECV:
        return sys_recvfrom(a[0], P(1), a[2], a[3], NULL, NULL);
    case SYS_SENDTO:
        return sys_sendto(a[0], P(1), a[2], a[3], P(4), a[5]);
    case SYS_RECVFROM:
        return sys_recvfrom(a[0], P(1), a[2], a[3], P(4), P(5));
    case SYS_SHUTDOWN:
        return sys_shutdown(a[0], a[1]);
    case SYS_SETSOCKOPT:
        return sys_setsockopt(a[0], a[1], a[2], P(3), a[4]);
    case SYS_GETSOCKOPT:
        return sys_getsockopt(a[0], a[1], a[2], P(3), P(4));
    case SYS_SENDMSG:
        return sys_sendmsg(a[0], P(1), a[2]);
    case SYS_RECVMSG:
        return sys_recvmsg(a[0], P(1), a[2]);
    case SYS_ACCEPT4:
        return sys_accept4(a[0], P(1), P(2), a[3]);
    }
#undef P
    return -EINVAL;
}
