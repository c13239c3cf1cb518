/*
 * Options of the level IPPROTO_IP, ip(7). They belong to the socket; each packet takes them from
 * there when it is sent.
 */
#include <linux/in.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/netif.h"

const struct ip_options ip_defaults = {
    .ttl = 64, .multicast_ttl = 1, .multicast_loop = true, .mtu_discover = IP_PMTUDISC_WANT};

/* As Linux: some options may be given as one byte, too. */
static int number_in(s32 *v, const void __user *value, u32 len)
{
    u8 byte;
    if (len >= sizeof(*v))
        return copyin(v, value, sizeof(*v));
    if (!len)
        return -EINVAL;
    if (copyin(&byte, value, 1) < 0)
        return -EFAULT;
    *v = byte;
    return 0;
}

/* SO_BINDTODEVICE, socket(7). An empty name: any device again. */
static int set_device(struct socket *s, const void __user *value, u32 len)
{
    char name[16];
    u32 n = MIN(len, (u32)sizeof(name) - 1);
    if (copyin(name, value, n) < 0)
        return -EFAULT;
    name[n] = 0;
    struct netif *netif = *name ? interface_find(name) : NULL;
    if (*name && !netif)
        return -ENODEV;
    s->device = netif ? netif_get_index(netif) : 0;
    if (s->ops->options_changed)
        s->ops->options_changed(s);
    return 0;
}

static int get_device(const struct socket *s, struct option *o)
{
    struct netif *netif = netif_get_by_index(s->device);
    o->size = 0;
    if (netif) {
        o->size = strlen(interface_name(netif)) + 1;
        memcpy(o->bytes, interface_name(netif), o->size);
    }
    return 0;
}

int inet_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len)
{
    struct ip_options *ip = &s->ip;
    s32 v;
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
        return set_device(s, value, len);
    if (level != IPPROTO_IP)
        return -ENOPROTOOPT;
    int err = number_in(&v, value, len);
    if (err < 0)
        return err;
    switch (name) {
    case IP_TTL:
        if (v != -1 && (v < 1 || v > 255))
            return -EINVAL;
        ip->ttl = v == -1 ? ip_defaults.ttl : v;
        break;
    case IP_TOS:
        ip->tos = s->type == SOCK_STREAM ? v & ~3 : v; /* TCP's own two bits: ECN */
        break;
    case IP_MTU_DISCOVER:
        if (v < IP_PMTUDISC_DONT || v > IP_PMTUDISC_OMIT)
            return -EINVAL;
        ip->mtu_discover = v;
        break;
    case IP_RECVERR:
        ip->want_errors = v;
        break;
    case IP_PKTINFO:
        ip->want_pktinfo = v;
        break;
    case IP_RECVTTL:
        ip->want_ttl = v;
        break;
    case IP_RECVTOS:
        ip->want_tos = v;
        break;
    case IP_HDRINCL:
        if (s->type != SOCK_RAW)
            return -ENOPROTOOPT;
        ip->header_included = v;
        break;
    case IP_MULTICAST_TTL:
        if (s->type == SOCK_STREAM || v < -1 || v > 255)
            return -EINVAL;
        ip->multicast_ttl = v == -1 ? 1 : v;
        break;
    case IP_MULTICAST_LOOP:
        if (v != 0 && v != 1)
            return -EINVAL;
        ip->multicast_loop = v;
        break;
    default:
        return -ENOPROTOOPT;
    }
    if (s->ops->options_changed)
        s->ops->options_changed(s);
    return 0;
}

int inet_get_option(struct socket *s, u32 level, u32 name, struct option *o)
{
    const struct ip_options *ip = &s->ip;
    if (level == SOL_SOCKET && name == SO_BINDTODEVICE)
        return get_device(s, o);
    if (level != IPPROTO_IP)
        return -ENOPROTOOPT;
    switch (name) {
    case IP_TTL:
        o->number = ip->ttl;
        return 0;
    case IP_TOS:
        o->number = ip->tos;
        return 0;
    case IP_MTU_DISCOVER:
        o->number = ip->mtu_discover;
        return 0;
    case IP_RECVERR:
        o->number = ip->want_errors;
        return 0;
    case IP_PKTINFO:
        o->number = ip->want_pktinfo;
        return 0;
    case IP_RECVTTL:
        o->number = ip->want_ttl;
        return 0;
    case IP_RECVTOS:
        o->number = ip->want_tos;
        return 0;
    case IP_HDRINCL:
        o->number = ip->header_included;
        return s->type == SOCK_RAW ? 0 : -ENOPROTOOPT;
    case IP_MULTICAST_TTL:
        o->number = ip->multicast_ttl;
        return 0;
    case IP_MULTICAST_LOOP:
        o->number = ip->multicast_loop;
        return 0;
    case IP_MTU:
        o->number = inet_mtu(s->remote.ip);
        return s->state == SOCKET_CONNECTED ? 0 : -ENOTCONN;
    default:
        return -ENOPROTOOPT;
    }
}
