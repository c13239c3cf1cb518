/*
 * The system calls that move messages: send(2) and recv(2) in their forms. A stream takes the
 * ranges of a message one after the other, a datagram is gathered from and scattered to them.
 */
#include <linux/in.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/uapi.h"

/* --- Messages ------------------------------------------------------------------------------ */

static ssize_t send_message(struct file *file, struct socket *s, const struct user_vec *v,
                            u32 flags, const struct endpoint *to)
{
    flags = socket_message_flags(file, flags);
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (!s->stream)
        return datagram_send(s, v, to);
    ssize_t done = 0;
    for (u32 i = 0; i < v->count; i++) {
        const struct user_range *r = &v->range[i];
        bool more = flags & MSG_MORE || i + 1 < v->count;
        ssize_t n =
            socket_send_user(s, (const void __user *)r->base, r->len, flags & MSG_DONTWAIT, more);
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
    flags = socket_message_flags(file, flags);
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
