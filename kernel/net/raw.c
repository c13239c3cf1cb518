/*
 * Raw sockets: whole IP packets in, with their header; out with the header that we make, or, with
 * IP_HDRINCL, with the program's. raw(7).
 *
 * A packet is copied for each raw socket that wants it: the stack goes on working with it (and
 * answers a ping in the very buffer that it came in).
 */
#include <linux/icmp.h>
#include <linux/in.h>
#include "kernel/net/datagram.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "kernel/net/wire.h"
#include "lwip/ip.h"
#include "lwip/raw.h"

static bool wanted(const struct socket *s, const struct pbuf *p)
{
    u32 header = IPH_HL_BYTES((const struct ip_hdr *)p->payload);
    if (s->protocol != IPPROTO_ICMP || p->len <= header)
        return true;
    u8 type = ((const u8 *)p->payload)[header];
    return type >= 32 || !(s->icmp_filter & 1u << type);
}

static u8_t on_packet(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct socket *s = arg;
    struct pbuf *copy = wanted(s, p) ? datagram_copy(s, p) : NULL;
    if (copy)
        datagram_queue(s, copy, (struct endpoint){ip4_addr_get_u32(from), 0});
    return 0; /* it goes on to the stack */
}

static int raw_open(struct socket *s)
{
    if (s->protocol > 255)
        return -EINVAL;
    s->raw = raw_new(s->protocol);
    if (!s->raw)
        return -ENOBUFS;
    if (s->protocol == IPPROTO_RAW)
        s->ip.header_included = true; /* for sending only */
    else
        raw_recv(s->raw, on_packet, s);
    return 0;
}

static void raw_release(struct socket *s)
{
    raw_remove(s->raw);
    datagram_drop_all(s);
    socket_free(s);
}

static int raw_socket_bind(struct socket *s, const struct address *a)
{
    struct endpoint to;
    int err = inet_bind_endpoint(a, &to);
    if (err < 0)
        return err;
    s->local.ip = to.ip;
    s->raw->local_ip.addr = to.ip;
    return 0;
}

static int raw_socket_connect(struct socket *s, const struct address *a, bool nonblock)
{
    struct endpoint to;
    if (a->family == AF_UNSPEC) {
        raw_disconnect(s->raw);
        s->state = SOCKET_NEW;
        return 0;
    }
    int err = inet_endpoint(a, &to);
    if (err < 0)
        return err;
    ip_addr_t ip = {.addr = to.ip};
    u32 source;
    if (!datagram_route(s, to.ip, &source))
        return -ENETUNREACH;
    raw_connect(s->raw, &ip);
    s->state = SOCKET_CONNECTED;
    s->remote = (struct endpoint){to.ip, 0};
    if (!s->local.ip)
        s->local.ip = source;
    return 0;
}

/* raw(7): what of a header of the program's own the kernel fills in. */
static int complete_header(struct pbuf *p, u32 source)
{
    struct ip_hdr *h = p->payload;
    if (p->len < IP_HEADER || IPH_HL_BYTES(h) < IP_HEADER || IPH_HL_BYTES(h) > p->len)
        return -EINVAL;
    if (!h->src.addr)
        h->src.addr = source;
    if (!h->_id)
        h->_id = (u16)net_random();
    h->_len = lwip_htons(p->tot_len);
    h->_chksum = 0;
    h->_chksum = ~inet_fold(inet_sum(0, h, IPH_HL_BYTES(h)));
    return 0;
}

static ssize_t raw_send_message(struct socket *s, struct message *m)
{
    struct endpoint to;
    int err = datagram_destination(s, m, &to);
    if (err < 0)
        return err;
    u32 source, bytes = m->data->bytes;
    struct netif *netif = datagram_route(s, to.ip, &source);
    if (!netif)
        return -ENETUNREACH;
    ip_addr_t ip = {.addr = to.ip}, from = {.addr = source};
    int cut = datagram_must_cut(s, to.ip, netif, bytes);
    if (cut < 0)
        return cut;
    if (cut) {
        struct ip_addresses a = {source, to.ip};
        struct pbuf *list = fragments_gather(m, 0, datagram_mtu(to.ip));
        return is_err(list) ? ptr_err(list) : fragments_send(s, list, netif, &a, s->protocol, 0);
    }
    struct pbuf *p =
        datagram_gather(m, datagram_mtu(to.ip) - (s->ip.header_included ? 0 : IP_HEADER));
    if (is_err(p))
        return ptr_err(p);
    if (s->ip.header_included && (err = complete_header(p, source)) < 0) {
        pbuf_free(p);
        return err;
    }
    if (s->broadcast)
        ip_set_option(s->raw, SOF_BROADCAST);
    else
        ip_reset_option(s->raw, SOF_BROADCAST);
    raw_setflags(s->raw, s->ip.header_included ? RAW_FLAGS_HDRINCL : 0);
    s->raw->ttl = ip_addr_ismulticast(&ip) ? s->ip.multicast_ttl : s->ip.ttl;
    s->raw->tos = s->ip.tos;
    datagram_begin(s, bytes);
    err_t sent = raw_sendto_if_src(s->raw, p, &ip, netif, &from);
    return datagram_sent(s, p, sent, bytes);
}

static int raw_name(struct socket *s, bool of_peer, struct address *a)
{
    if (of_peer && s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    inet_address((struct endpoint){of_peer ? s->remote.ip : s->local.ip,
                                   of_peer ? 0 : lwip_htons(s->protocol)},
                 a);
    return 0;
}

static int raw_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len)
{
    if (level != SOL_RAW)
        return inet_set_option(s, level, name, value, len);
    if (s->protocol != IPPROTO_ICMP)
        return -EOPNOTSUPP;
    if (name != ICMP_FILTER)
        return -ENOPROTOOPT;
    return copyin(&s->icmp_filter, value, MIN(len, (u32)sizeof(s->icmp_filter)));
}

static int raw_get_option(struct socket *s, u32 level, u32 name, struct option *o)
{
    if (level != SOL_RAW)
        return inet_get_option(s, level, name, o);
    if (s->protocol != IPPROTO_ICMP)
        return -EOPNOTSUPP;
    if (name != ICMP_FILTER)
        return -ENOPROTOOPT;
    o->number = s->icmp_filter;
    return 0;
}

const struct socket_ops raw_ops = {
    .open = raw_open,
    .release = raw_release,
    .bind = raw_socket_bind,
    .connect = raw_socket_connect,
    .shutdown = datagram_shutdown,
    .name = raw_name,
    .send = raw_send_message,
    .receive = datagram_receive,
    .poll = datagram_poll,
    .waiting = datagram_waiting,
    .set_option = raw_set_option,
    .get_option = raw_get_option,
};
