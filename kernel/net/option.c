/* Options of sockets: setsockopt(2), socket(7), tcp(7). */
#include <linux/in.h>
#include <netinet/tcp.h>
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

static int set_socket_level(struct socket *s, u32 name, s32 v, const void __user *value, u32 len)
{
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
    case SO_TYPE:
    case SO_ERROR:
    case SO_ACCEPTCONN:
        return -ENOPROTOOPT; /* to be read only */
    default:
        return -ENOPROTOOPT;
    }
    if (s->stream)
        connection_apply_options(s);
    return 0;
}

int socket_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len)
{
    s32 v;
    if (len < sizeof(v))
        return -EINVAL;
    if (copyin(&v, value, sizeof(v)) < 0)
        return -EFAULT;
    if (level == SOL_SOCKET)
        return set_socket_level(s, name, v, value, len);
    if (level == IPPROTO_TCP && s->stream) {
        if (name == TCP_NODELAY)
            s->no_delay = v;
        else if (name == TCP_CORK)
            s->cork = v;
        else
            return -ENOPROTOOPT;
        connection_push(s, false); /* what was held back may go now */
        return 0;
    }
    return -ENOPROTOOPT;
}

int socket_get_option(struct socket *s, u32 level, u32 name, void __user *value, u32 __user *len)
{
    s32 v[2] = {0, 0};
    u32 size = sizeof(v[0]), room;
    if (copyin(&room, len, sizeof(room)) < 0)
        return -EFAULT;
    if ((s32)room < 0)
        return -EINVAL;
    if (level == SOL_SOCKET) {
        switch (name) {
        case SO_REUSEADDR:
            v[0] = s->reuse_addr;
            break;
        case SO_KEEPALIVE:
            v[0] = s->keep_alive;
            break;
        case SO_BROADCAST:
            v[0] = s->broadcast;
            break;
        case SO_SNDBUF:
            v[0] = s->sndbuf;
            break;
        case SO_RCVBUF:
            v[0] = s->rcvbuf;
            break;
        case SO_TYPE:
            v[0] = s->stream ? SOCK_STREAM : SOCK_DGRAM;
            break;
        case SO_DOMAIN:
            v[0] = AF_INET;
            break;
        case SO_PROTOCOL:
            v[0] = s->stream ? IPPROTO_TCP : IPPROTO_UDP;
            break;
        case SO_ERROR:
            v[0] = -socket_take_error(s);
            break;
        case SO_ACCEPTCONN:
            v[0] = s->state == SOCKET_LISTENING;
            break;
        case SO_LINGER:
            v[0] = s->linger;
            v[1] = s->linger_s;
            size = sizeof(v);
            break;
        case SO_RCVTIMEO_OLD:
        case SO_SNDTIMEO_OLD: {
            u32 ticks = name == SO_RCVTIMEO_OLD ? s->rcv_timeout : s->snd_timeout;
            v[0] = ticks / TIMER_HZ;
            v[1] = ticks % TIMER_HZ * (1000000 / TIMER_HZ);
            size = sizeof(v);
            break;
        }
        default:
            return -ENOPROTOOPT;
        }
    } else if (level == IPPROTO_TCP && s->stream) {
        switch (name) {
        case TCP_NODELAY:
            v[0] = s->no_delay;
            break;
        case TCP_CORK:
            v[0] = s->cork;
            break;
        case TCP_MAXSEG:
            v[0] = s->mss ? s->mss : 536;
            break;
        default:
            return -ENOPROTOOPT;
        }
    } else {
        return -ENOPROTOOPT;
    }
    size = MIN(size, room);
    if (copyout(value, v, size) < 0 || copyout(len, &size, sizeof(size)) < 0)
        return -EFAULT;
    return 0;
}
