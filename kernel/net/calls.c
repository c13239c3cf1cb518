/*
 * The system calls that make, name and connect sockets, and socketcall(2), which contains all of
 * them: arguments checked as Linux does, then handed to the socket's operations.
 */
#include <linux/net.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/uapi.h"

/* --- Addresses ----------------------------------------------------------------------------- */

int address_in(struct address *a, const void __user *addr, u32 len)
{
    if (len > sizeof(a->bytes))
        return -EINVAL;
    a->family = AF_UNSPEC; /* should len be too short for one */
    a->len = len;
    return copyin(a->bytes, addr, len);
}

int address_out(const struct address *a, void __user *addr, u32 __user *len)
{
    u32 room;
    if (copyin(&room, len, sizeof(room)) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    if (copyout(addr, a->bytes, MIN(room, a->len)) < 0 || copyout(len, &a->len, sizeof(*len)) < 0)
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

/* A new socket with its protocol's half, but no file. */
static int make_socket(u32 family, u32 type, u32 protocol, struct socket **s)
{
    const struct socket_kind *kind;
    int err = socket_kind_find(family, type, protocol, &kind);
    if (err < 0)
        return err;
    *s = socket_new(kind);
    if (!*s)
        return -ENOBUFS;
    socket_used(*s);
    if (protocol)
        (*s)->protocol = protocol;
    err = (*s)->ops->open(*s);
    if (err < 0)
        socket_free(*s);
    return err;
}

#define TYPE_MASK 0xFu /* SOCK_TYPE_MASK: the rest are flags */
#define FLAGS     (SOCK_NONBLOCK | SOCK_CLOEXEC)

long sys_socket(u32 family, u32 type, u32 protocol)
{
    struct socket *s;
    if (type & ~(TYPE_MASK | FLAGS))
        return -EINVAL;
    int err = make_socket(family, type & TYPE_MASK, protocol, &s);
    return err < 0 ? err : socket_descriptor(s, type & FLAGS);
}

long sys_socketpair(u32 family, u32 type, u32 protocol, int __user *fds)
{
    struct socket *a, *b;
    int fd[2];
    if (type & ~(TYPE_MASK | FLAGS))
        return -EINVAL;
    int err = make_socket(family, type & TYPE_MASK, protocol, &a);
    if (err < 0)
        return err;
    err = make_socket(family, type & TYPE_MASK, protocol, &b);
    if (err < 0) {
        a->ops->release(a);
        return err;
    }
    err = a->ops->pair ? a->ops->pair(a, b) : -EOPNOTSUPP;
    if (err < 0) {
        a->ops->release(a);
        b->ops->release(b);
        return err;
    }
    fd[0] = socket_descriptor(a, type & FLAGS);
    if (fd[0] < 0) {
        b->ops->release(b);
        return fd[0];
    }
    fd[1] = socket_descriptor(b, type & FLAGS);
    if (fd[1] >= 0 && copyout(fds, fd, sizeof(fd)) == 0)
        return 0;
    fd_close(fd[0]);
    if (fd[1] < 0)
        return fd[1];
    fd_close(fd[1]);
    return -EFAULT;
}

long sys_bind(u32 fd, const void __user *addr, u32 len)
{
    struct address a;
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = address_in(&a, addr, len);
    if (!err)
        err = s->ops->bind ? s->ops->bind(s, &a) : -EOPNOTSUPP;
    file_put(file);
    return err;
}

long sys_connect(u32 fd, const void __user *addr, u32 len)
{
    struct address a;
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = address_in(&a, addr, len);
    if (!err && len < sizeof(a.family))
        err = -EINVAL;
    if (!err)
        err = s->ops->connect ? s->ops->connect(s, &a, file->flags & O_NONBLOCK) : -EOPNOTSUPP;
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
    err = s->ops->listen ? s->ops->listen(s, backlog) : -EOPNOTSUPP;
    file_put(file);
    return err;
}

static long do_accept(struct socket *s, bool nonblock, void __user *addr, u32 __user *len,
                      u32 flags)
{
    struct socket *child;
    struct address from;
    if (flags & ~(u32)FLAGS)
        return -EINVAL;
    if (!fd_available()) /* the connection stays for later */
        return -EMFILE;
    int err = s->ops->accept ? s->ops->accept(s, nonblock, &child, &from) : -EOPNOTSUPP;
    if (err < 0)
        return err;
    socket_used(child);
    err = addr ? address_out(&from, addr, len) : 0;
    if (err < 0) { /* the connection is lost, as on Linux */
        child->ops->release(child);
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
    ret = do_accept(s, file->flags & O_NONBLOCK, addr, len, flags);
    file_put(file);
    return ret;
}

static int give_name(u32 fd, void __user *addr, u32 __user *len, bool of_peer)
{
    struct address a;
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = s->ops->name(s, of_peer, &a);
    if (!err)
        err = address_out(&a, addr, len);
    file_put(file);
    return err;
}

long sys_getsockname(u32 fd, void __user *addr, u32 __user *len)
{
    return give_name(fd, addr, len, false);
}

long sys_getpeername(u32 fd, void __user *addr, u32 __user *len)
{
    return give_name(fd, addr, len, true);
}

long sys_shutdown(u32 fd, u32 how)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = how > SHUT_RDWR ? -EINVAL : s->ops->shutdown ? s->ops->shutdown(s, how) : -EOPNOTSUPP;
    file_put(file);
    return err;
}

/* Everything in one call, as programs of before Linux 4.3 (and static glibc) do it. */
long sys_socketcall(u32 call, u32 __user *args)
{
    static const u8 nr_args[] = {0, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 6, 6, 2, 5, 5, 3, 3, 4, 5, 4};
    u32 a[6];
    if (call < SYS_SOCKET || call > SYS_SENDMMSG)
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
    case SYS_RECVMMSG:
        return sys_recvmmsg(a[0], P(1), a[2], a[3], P(4));
    case SYS_SENDMMSG:
        return sys_sendmmsg(a[0], P(1), a[2], a[3]);
    }
#undef P
    return -EINVAL;
}
