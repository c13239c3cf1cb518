/*
 * The system calls that move messages: send(2) and recv(2) in their forms. Each makes one struct
 * message of its arguments; the kind of the socket does the rest. A stream takes the ranges of a
 * message one after the other, a datagram is gathered from and scattered to them.
 */
#define _GNU_SOURCE /* struct mmsghdr */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/user_iter.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/uapi.h"

/* --- One buffer ---------------------------------------------------------------------------- */

/* The address that a message is for, when the program gives one. */
static int name_in(struct message *m, struct address *name, const void __user *addr, u32 len)
{
    if (!addr)
        return 0;
    m->name = name;
    return address_in(name, addr, len);
}

long sys_sendto(u32 fd, const void __user *buf, u32 len, u32 flags, const void __user *addr,
                u32 addr_len)
{
    struct address name;
    struct user_range range = {(u32)buf, len};
    struct user_vec data = {&range, 1, len};
    struct message m = {.data = &data, .flags = flags};
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = name_in(&m, &name, addr, addr_len);
    if (!ret && !user_range_ok(buf, len))
        ret = -EFAULT;
    if (!ret)
        ret = socket_send(file, &m);
    file_put(file);
    return ret;
}

long sys_recvfrom(u32 fd, void __user *buf, u32 len, u32 flags, void __user *addr,
                  u32 __user *addr_len)
{
    struct address name = {.len = 0}; /* a stream tells none, recv(2) */
    struct user_range range = {(u32)buf, len};
    struct user_vec data = {&range, 1, len};
    struct message m = {.data = &data, .flags = flags, .name = addr ? &name : NULL};
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = user_range_ok(buf, len) ? socket_receive(file, &m) : -EFAULT;
    if (ret >= 0 && addr) {
        int err = address_out(&name, addr, addr_len);
        ret = err < 0 ? err : ret;
    }
    file_put(file);
    return ret;
}

/* --- Many buffers, and control data -------------------------------------------------------- */

#define MAX_RANGES \
    ((u32)(PAGE_SIZE / sizeof(struct user_range)) - 16) /* a heap object; Linux: 1024 */
#define MAX_CONTROL 2048u

/* The ranges of a message, checked. v->range is to be freed. */
static int ranges_in(struct user_vec *v, const void __user *iov, u32 count)
{
    if (count > MAX_RANGES)
        return -EMSGSIZE;
    struct user_range *ranges = kmalloc(MAX(count, 1) * sizeof(*ranges));
    if (!ranges)
        return -ENOBUFS;
    *v = (struct user_vec){ranges, count, 0};
    int err = copyin(ranges, iov, count * sizeof(*ranges));
    for (u32 i = 0; !err && i < count; i++) {
        if ((s32)ranges[i].len < 0)
            err = -EINVAL;
        else if (!user_range_ok((void __user *)ranges[i].base, ranges[i].len))
            err = -EFAULT;
        else
            ranges[i].len = MIN(ranges[i].len, 0x7FFFF000u - v->bytes);
        v->bytes += ranges[i].len;
    }
    if (err)
        kfree(ranges);
    return err;
}

/* The header of a message and its ranges, checked. v->range is to be freed. */
static int header_in(struct msghdr *h, const void __user *msg, struct user_vec *v)
{
    if (copyin(h, msg, sizeof(*h)) < 0)
        return -EFAULT;
    if ((s32)h->msg_namelen < 0)
        return -EINVAL;
    if (!h->msg_name)
        h->msg_namelen = 0;
    h->msg_namelen = MIN(h->msg_namelen, (u32)sizeof(struct sockaddr_storage));
    return ranges_in(v, h->msg_iov, h->msg_iovlen);
}

/* Every piece of control data must lie within the whole (cmsg(3)). */
static bool control_ok(const char *control, u32 len)
{
    for (u32 at = 0; len - at >= sizeof(struct cmsghdr);) {
        u32 piece = ((const struct cmsghdr *)(control + at))->cmsg_len;
        if (piece < sizeof(struct cmsghdr) || piece > len - at)
            return false;
        at += MIN(CMSG_ALIGN(piece), len - at);
    }
    return true;
}

static int control_in(struct message *m, const struct msghdr *h)
{
    if (!h->msg_controllen)
        return 0;
    if (h->msg_controllen > MAX_CONTROL)
        return -ENOBUFS;
    char *control = kmalloc(h->msg_controllen);
    if (!control)
        return -ENOBUFS;
    int err = copyin(control, h->msg_control, h->msg_controllen);
    if (!err && !control_ok(control, h->msg_controllen))
        err = -EINVAL;
    if (err) {
        kfree(control);
        return err;
    }
    m->control = control;
    m->control_len = h->msg_controllen;
    return 0;
}

void message_put_control(struct message *m, u32 level, u32 type, const void *data, u32 len)
{
    struct cmsghdr head = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    u32 room = m->control_room - m->control_used;
    char __user *to = m->control_to + m->control_used;
    if (room < sizeof(head)) {
        m->told |= MSG_CTRUNC;
        return;
    }
    if (room < head.cmsg_len) {
        m->told |= MSG_CTRUNC;
        head.cmsg_len = room;
    }
    if (copyout(to, &head, sizeof(head)) == 0 &&
        copyout(to + sizeof(head), data, head.cmsg_len - sizeof(head)) == 0)
        m->control_used += MIN(CMSG_ALIGN(head.cmsg_len), room);
}

static long send_message(struct file *file, const void __user *msg, u32 flags)
{
    struct msghdr h;
    struct user_vec data;
    struct address name;
    struct message m = {.data = &data, .flags = flags};
    long ret = header_in(&h, msg, &data);
    if (ret < 0)
        return ret;
    ret = name_in(&m, &name, h.msg_name, h.msg_namelen);
    if (!ret)
        ret = control_in(&m, &h);
    if (!ret) {
        ret = socket_send(file, &m);
        kfree((void *)m.control);
    }
    kfree((void *)data.range);
    return ret;
}

static long receive_message(struct file *file, void __user *msg, u32 flags)
{
    struct msghdr h, __user *user = msg;
    struct user_vec data;
    struct address name = {.len = 0};
    struct message m = {.data = &data, .flags = flags};
    long ret = header_in(&h, msg, &data);
    if (ret < 0)
        return ret;
    m.name = h.msg_name ? &name : NULL;
    m.control_to = h.msg_control;
    m.control_room = h.msg_control ? h.msg_controllen : 0;
    m.told = flags & MSG_CMSG_CLOEXEC;
    ret = socket_receive(file, &m);
    kfree((void *)data.range);
    if (ret < 0)
        return ret;
    int err = m.name ? address_out(&name, h.msg_name, (u32 __user *)&user->msg_namelen) : 0;
    if (err < 0)
        return err;
    if (copyout(&user->msg_controllen, &m.control_used, sizeof(m.control_used)) < 0 ||
        copyout(&user->msg_flags, &m.told, sizeof(m.told)) < 0)
        return -EFAULT;
    return ret;
}

long sys_sendmsg(u32 fd, const void __user *msg, u32 flags)
{
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = send_message(file, msg, flags);
    file_put(file);
    return ret;
}

long sys_recvmsg(u32 fd, void __user *msg, u32 flags)
{
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = receive_message(file, msg, flags);
    file_put(file);
    return ret;
}

/* --- readv(2), writev(2) ------------------------------------------------------------------- */

/* The pieces are one message. A stream may take fewer of them than there are. */
static ssize_t transfer_pieces(struct file *file, struct user_iter *it,
                               ssize_t (*transfer)(struct file *file, struct message *m))
{
    const struct socket *s = file->private;
    struct user_vec data;
    struct message m = {.data = &data};
    u32 count = s->type == SOCK_STREAM ? MIN(it->nr_next, MAX_RANGES) : it->nr_next;
    ssize_t ret = ranges_in(&data, it->next, count);
    if (ret < 0)
        return ret;
    ret = transfer(file, &m);
    kfree((void *)data.range);
    return ret;
}

ssize_t socket_read_iter(struct file *file, struct user_iter *to)
{
    return transfer_pieces(file, to, socket_receive);
}

ssize_t socket_write_iter(struct file *file, struct user_iter *from)
{
    return transfer_pieces(file, from, socket_send);
}

/* --- Many messages ------------------------------------------------------------------------- */

#define MAX_MESSAGES 1024 /* UIO_MAXIOV: more are cut, as on Linux */

/* An error after the first message is told by the next call. */
static long later(struct file *file, long ret, u32 done)
{
    struct socket *s = file->private;
    if (done && ret < 0 && ret != -EAGAIN && ret != -ERESTARTSYS && ret != -EINTR && !s->error)
        s->error = -ret;
    return done ? (long)done : ret;
}

long sys_sendmmsg(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags)
{
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    u32 done = 0;
    for (; done < MIN(count, (u32)MAX_MESSAGES); done++) {
        ret = send_message(file, &messages[done].msg_hdr, flags);
        if (ret < 0)
            break;
        u32 len = ret;
        ret = copyout(&messages[done].msg_len, &len, sizeof(len));
        if (ret < 0)
            break;
    }
    file_put(file);
    return done ? (long)done : ret;
}

/* The time limit is looked at between messages only: recvmmsg(2), BUGS. */
static long receive_many(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags,
                         u64 deadline)
{
    struct file *file;
    struct socket *s;
    long ret = socket_get(fd, &file, &s);
    if (ret < 0)
        return ret;
    ret = socket_take_error(s);
    u32 done = 0;
    for (; !ret && done < MIN(count, (u32)MAX_MESSAGES); done++) {
        ret = receive_message(file, &messages[done].msg_hdr, flags & ~(u32)MSG_WAITFORONE);
        if (ret < 0)
            break;
        u32 len = ret;
        ret = copyout(&messages[done].msg_len, &len, sizeof(len));
        if (ret < 0)
            break;
        if (flags & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        if (deadline && timer_ticks() >= deadline) {
            done++;
            break;
        }
    }
    ret = later(file, ret, done);
    file_put(file);
    return ret;
}

static u64 deadline_of(u64 seconds, u32 nanoseconds)
{
    u64 ticks = MIN(seconds, (u64)0x7FFFFFFF) * TIMER_HZ + nanoseconds / (1000000000 / TIMER_HZ);
    return timer_ticks() + MAX(ticks, (u64)1);
}

long sys_recvmmsg(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags,
                  const void __user *limit)
{
    s32 t[2];
    if (!limit)
        return receive_many(fd, messages, count, flags, 0);
    if (copyin(t, limit, sizeof(t)) < 0)
        return -EFAULT;
    if (t[0] < 0 || t[1] < 0 || t[1] >= 1000000000)
        return -EINVAL;
    return receive_many(fd, messages, count, flags, deadline_of(t[0], t[1]));
}

long sys_recvmmsg_time64(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags,
                         const void __user *limit)
{
    s64 t[2];
    if (!limit)
        return receive_many(fd, messages, count, flags, 0);
    if (copyin(t, limit, sizeof(t)) < 0)
        return -EFAULT;
    if (t[0] < 0 || (u32)t[1] >= 1000000000)
        return -EINVAL;
    return receive_many(fd, messages, count, flags, deadline_of(t[0], (u32)t[1]));
}
