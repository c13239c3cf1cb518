/*
 * Options of sockets: setsockopt(2), getsockopt(2), and those of the level SOL_SOCKET, socket(7).
 * What is of another level, or of one kind of sockets, is the kind's own.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/uapi.h"

/* A program's struct timeval: 32-bit for the old names, 64-bit for those of musl on i386. */
#define SO_RCVTIMEO_OLD 20
#define SO_SNDTIMEO_OLD 21
#define SO_RCVTIMEO_NEW 66
#define SO_SNDTIMEO_NEW 67

#define BUFFER_MIN 4608u /* as Linux's minimum for SO_SNDBUF */
#define BUFFER_MAX (1u << 20)

static int timeout_in(u32 *ticks, bool wide, const void __user *value, u32 len)
{
    s64 t[2];
    s32 t32[2];
    if (len < (wide ? sizeof(t) : sizeof(t32)))
        return -EINVAL;
    if (wide ? copyin(t, value, sizeof(t)) : copyin(t32, value, sizeof(t32)))
        return -EFAULT;
    if (!wide) {
        t[0] = t32[0];
        t[1] = t32[1];
    }
    if (t[1] < 0 || t[1] >= 1000000)
        return -EDOM;
    if (t[0] < 0)
        t[0] = 0;
    if (t[0] > 0x7FFFFFFF / TIMER_HZ) /* for ever, nearly */
        *ticks = 0;
    else
        *ticks = (u32)t[0] * TIMER_HZ + ((u32)t[1] + 1000000 / TIMER_HZ - 1) / (1000000 / TIMER_HZ);
    return 0;
}

/* SO_SNDBUF and SO_RCVBUF: Linux doubles what is asked for, for its own overhead. */
static u32 buffer_size(s32 asked)
{
    u32 twice = asked <= 0 ? 0 : MIN((u32)asked, BUFFER_MAX / 2) * 2;
    return MAX(twice, BUFFER_MIN);
}

static int set_socket_level(struct socket *s, u32 name, const void __user *value, u32 len)
{
    s32 v;
    if (len < sizeof(v))
        return -EINVAL;
    if (copyin(&v, value, sizeof(v)) < 0)
        return -EFAULT;
    switch (name) {
    case SO_REUSEADDR:
        s->reuse_addr = v;
        break;
    case SO_KEEPALIVE:
        s->keep_alive = v;
        break;
    case SO_BROADCAST:
        s->broadcast = v;
        break;
    case SO_SNDBUF:
        s->sndbuf = buffer_size(v);
        break;
    case SO_RCVBUF:
        s->rcvbuf = buffer_size(v);
        break;
    case SO_LINGER: {
        struct linger l;
        if (len < sizeof(l))
            return -EINVAL;
        if (copyin(&l, value, sizeof(l)) < 0)
            return -EFAULT;
        s->linger = l.l_onoff;
        s->linger_s = MIN((u32)MAX(l.l_linger, 0), 3600u);
        break;
    }
    case SO_RCVTIMEO_OLD:
        return timeout_in(&s->rcv_timeout, false, value, len);
    case SO_SNDTIMEO_OLD:
        return timeout_in(&s->snd_timeout, false, value, len);
    case SO_RCVTIMEO_NEW:
        return timeout_in(&s->rcv_timeout, true, value, len);
    case SO_SNDTIMEO_NEW:
        return timeout_in(&s->snd_timeout, true, value, len);
    default:
        return s->ops->set_option ? s->ops->set_option(s, SOL_SOCKET, name, value, len)
                                  : -ENOPROTOOPT;
    }
    if (s->ops->options_changed)
        s->ops->options_changed(s);
    return 0;
}

static void timeout_out(struct option *o, bool wide, u32 ticks)
{
    s64 t[2] = {ticks / TIMER_HZ, ticks % TIMER_HZ * (1000000 / TIMER_HZ)};
    s32 t32[2] = {(s32)t[0], (s32)t[1]};
    o->size = wide ? sizeof(t) : sizeof(t32);
    memcpy(o->bytes, wide ? (void *)t : t32, o->size);
}

static int get_socket_level(struct socket *s, u32 name, struct option *o)
{
    switch (name) {
    case SO_REUSEADDR:
        o->number = s->reuse_addr;
        return 0;
    case SO_KEEPALIVE:
        o->number = s->keep_alive;
        return 0;
    case SO_BROADCAST:
        o->number = s->broadcast;
        return 0;
    case SO_SNDBUF:
        o->number = s->sndbuf;
        return 0;
    case SO_RCVBUF:
        o->number = s->rcvbuf;
        return 0;
    case SO_TYPE:
        o->number = s->type;
        return 0;
    case SO_DOMAIN:
        o->number = s->family;
        return 0;
    case SO_PROTOCOL:
        o->number = s->protocol;
        return 0;
    case SO_ERROR:
        o->number = -socket_take_error(s);
        return 0;
    case SO_ACCEPTCONN:
        o->number = s->state == SOCKET_LISTENING;
        return 0;
    case SO_LINGER: {
        struct linger l = {s->linger, s->linger_s};
        o->size = sizeof(l);
        memcpy(o->bytes, &l, sizeof(l));
        return 0;
    }
    case SO_RCVTIMEO_OLD:
    case SO_RCVTIMEO_NEW:
        timeout_out(o, name == SO_RCVTIMEO_NEW, s->rcv_timeout);
        return 0;
    case SO_SNDTIMEO_OLD:
    case SO_SNDTIMEO_NEW:
        timeout_out(o, name == SO_SNDTIMEO_NEW, s->snd_timeout);
        return 0;
    default:
        return s->ops->get_option ? s->ops->get_option(s, SOL_SOCKET, name, o) : -ENOPROTOOPT;
    }
}

static int set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len)
{
    if ((s32)len < 0)
        return -EINVAL;
    if (level == SOL_SOCKET)
        return set_socket_level(s, name, value, len);
    return s->ops->set_option ? s->ops->set_option(s, level, name, value, len) : -ENOPROTOOPT;
}

long sys_setsockopt(u32 fd, u32 level, u32 name, const void __user *value, u32 len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = set_option(s, level, name, value, len);
    file_put(file);
    return err;
}

static int get_option(struct socket *s, u32 level, u32 name, void __user *value, u32 __user *len)
{
    u32 room;
    struct option o;
    if (copyin(&room, len, sizeof(room)) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    o.size = sizeof(o.number);
    int err = level == SOL_SOCKET  ? get_socket_level(s, name, &o)
              : s->ops->get_option ? s->ops->get_option(s, level, name, &o)
                                   : -ENOPROTOOPT;
    if (err < 0)
        return err;
    o.size = MIN(o.size, room);
    if (copyout(value, o.bytes, o.size) < 0 || copyout(len, &o.size, sizeof(o.size)) < 0)
        return -EFAULT;
    return 0;
}

long sys_getsockopt(u32 fd, u32 level, u32 name, void __user *value, u32 __user *len)
{
    struct file *file;
    struct socket *s;
    int err = socket_get(fd, &file, &s);
    if (err < 0)
        return err;
    err = get_option(s, level, name, value, len);
    file_put(file);
    return err;
}
