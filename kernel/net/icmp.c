/*
 * ICMP for sockets: the messages that say what became of a packet of ours (RFC 1122, 3.2.2.1),
 * and sockets that ping (icmp(7), "ICMP datagram sockets"). Echo requests are answered by lwIP.
 */
#include "kernel/net/icmp.h"
#include <linux/icmp.h>
#include <linux/in.h>
#include "kernel/lib/lib.h"
#include "kernel/net/datagram.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "kernel/net/wire.h"
#include "lwip/ip.h"
#include "lwip/raw.h"

static struct raw_pcb *watch; /* sees every ICMP packet, and lets it pass */

/* --- Errors -------------------------------------------------------------------------------- */

/* What a "destination unreachable" means to a program, by its code (Linux: icmp_err_convert). */
static int errno_of(u8 type, u8 code)
{
    static const u8 unreachable[] = {ENETUNREACH,  EHOSTUNREACH, ENOPROTOOPT,  ECONNREFUSED,
                                     EMSGSIZE,     EOPNOTSUPP,   ENETUNREACH,  EHOSTDOWN,
                                     ENONET,       ENETUNREACH,  EHOSTUNREACH, ENETUNREACH,
                                     EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH, EHOSTUNREACH};
    if (type == ICMP_TIME_EXCEEDED)
        return EHOSTUNREACH;
    if (type == ICMP_PARAMETERPROB)
        return EPROTO;
    return code < ARRAY_LEN(unreachable) ? unreachable[code] : EHOSTUNREACH;
}

/* Protocol and port are certain; a route may come back (Linux: `fatal`). */
static bool is_final(u8 type, u8 code)
{
    return type == ICMP_DEST_UNREACH && (code == ICMP_PROT_UNREACH || code == ICMP_PORT_UNREACH);
}

/* Tells the socket that sent the packet whose beginning (IP header and 8 bytes) came back. */
static void deliver_error(const struct ip_hdr *h, const u8 *ports, u8 type, u8 code)
{
    struct endpoint from = {h->src.addr, 0}, to = {h->dest.addr, 0};
    memcpy(&from.port, ports, 2);
    memcpy(&to.port, ports + 2, 2);
    struct socket *s;
    TAILQ_FOREACH (s, &all_sockets, all) {
        if (s->family != AF_INET || s->protocol != IPH_PROTO(h) || s->local.port != from.port ||
            (s->local.ip && s->local.ip != from.ip))
            continue;
        bool to_peer = s->remote.ip == to.ip && s->remote.port == to.port;
        if (s->type == SOCK_DGRAM && (to_peer ? is_final(type, code) || s->ip.want_errors
                                              : s->state == SOCKET_NEW && s->ip.want_errors)) {
            s->error = errno_of(type, code);
            wake_all(&s->readers);
            wake_all(&s->writers);
        } else if (s->state == SOCKET_CONNECTING && to_peer && type == ICMP_DEST_UNREACH) {
            connection_abort(s, errno_of(type, code));
            return; /* the list may have changed */
        }
    }
}

static u8_t on_icmp(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    u8 bytes[8 + 60 + 8]; /* ICMP header, IP header with options, ports */
    const struct ip_hdr *outer = p->payload, *inner = (const void *)(bytes + 8);
    u32 n = pbuf_copy_partial(p, bytes, sizeof(bytes), IPH_HL_BYTES(outer));
    u8 type = bytes[0];
    if (n < 8 + IP_HEADER + 8 ||
        (type != ICMP_DEST_UNREACH && type != ICMP_TIME_EXCEEDED && type != ICMP_PARAMETERPROB))
        return 0;
    if (IPH_HL_BYTES(inner) >= IP_HEADER && 8u + IPH_HL_BYTES(inner) + 4 <= n)
        deliver_error(inner, bytes + 8 + IPH_HL_BYTES(inner), type, bytes[1]);
    return 0;
}

void icmp_watch(void)
{
    watch = raw_new(IPPROTO_ICMP);
    if (watch)
        raw_recv(watch, on_icmp, NULL);
}

/* --- Ping sockets -------------------------------------------------------------------------- */

/* The port of such a socket is the identifier of its echo requests. */
static struct socket *ping_of(u16 id)
{
    struct socket *s;
    TAILQ_FOREACH (s, &all_sockets, all)
        if (s->ops == &ping_ops && s->local.port == id)
            return s;
    return NULL;
}

static u8_t on_reply(void *arg, struct raw_pcb *pcb, struct pbuf *p, const ip_addr_t *from)
{
    struct socket *s = arg;
    u32 header = IPH_HL_BYTES((const struct ip_hdr *)p->payload);
    const struct icmphdr *icmp = (const void *)((const u8 *)p->payload + header);
    if (p->len < header + sizeof(*icmp) || icmp->type != ICMP_ECHOREPLY || !s->local.port ||
        icmp->un.echo.id != s->local.port)
        return 0;
    struct pbuf *copy = datagram_copy(s, p);
    if (copy) {
        pbuf_remove_header(copy, header);
        datagram_queue(s, copy, (struct endpoint){ip4_addr_get_u32(from), 0});
    }
    return 0;
}

static int ping_open(struct socket *s)
{
    s->raw = raw_new(IPPROTO_ICMP);
    if (!s->raw)
        return -ENOBUFS;
    raw_recv(s->raw, on_reply, s);
    return 0;
}

static void ping_release(struct socket *s)
{
    raw_remove(s->raw);
    datagram_drop_all(s);
    socket_free(s);
}

static int take_id(struct socket *s, u16 id)
{
    static u16 last;
    if (id && ping_of(id))
        return -EADDRINUSE;
    for (u32 i = 0; !id && i < 0x10000; i++) {
        u16 next = lwip_htons(++last);
        id = next && !ping_of(next) ? next : 0;
    }
    s->local.port = id;
    return id ? 0 : -EADDRINUSE;
}

static int ping_bind(struct socket *s, const struct address *a)
{
    struct endpoint to;
    int err = inet_bind_endpoint(a, &to);
    if (err < 0)
        return err;
    if (s->local.port)
        return -EINVAL;
    err = take_id(s, to.port);
    if (!err) {
        s->local.ip = to.ip;
        s->raw->local_ip.addr = to.ip;
    }
    return err;
}

static int ping_connect(struct socket *s, const struct address *a, bool nonblock)
{
    struct endpoint to;
    if (a->family == AF_UNSPEC) {
        s->state = SOCKET_NEW;
        s->remote = (struct endpoint){0, 0};
        return 0;
    }
    int err = inet_endpoint(a, &to);
    if (err < 0)
        return err;
    u32 source;
    if (!datagram_route(s, to.ip, &source))
        return -ENETUNREACH;
    if (!s->local.port && (err = take_id(s, 0)) < 0)
        return err;
    s->state = SOCKET_CONNECTED;
    s->remote = to;
    if (!s->local.ip)
        s->local.ip = source;
    return 0;
}

static ssize_t ping_send(struct socket *s, struct message *m)
{
    struct endpoint to;
    u32 bytes = m->data->bytes;
    int err = datagram_destination(s, m, &to);
    if (err < 0)
        return err;
    if (bytes < sizeof(struct icmphdr))
        return -EINVAL;
    u32 source;
    struct netif *netif = datagram_route(s, to.ip, &source);
    if (!netif)
        return -ENETUNREACH;
    ip_addr_t ip = {.addr = to.ip}, from = {.addr = source};
    if (!s->local.port && (err = take_id(s, 0)) < 0)
        return err;
    struct pbuf *p = datagram_gather(m, datagram_mtu(to.ip) - IP_HEADER);
    if (is_err(p))
        return ptr_err(p);
    struct icmphdr *icmp = p->payload;
    if (icmp->type != ICMP_ECHO || icmp->code) {
        pbuf_free(p);
        return -EINVAL;
    }
    icmp->un.echo.id = s->local.port;
    icmp->checksum = 0;
    icmp->checksum = ~inet_fold(inet_sum(0, icmp, bytes));
    if (s->broadcast)
        ip_set_option(s->raw, SOF_BROADCAST);
    else
        ip_reset_option(s->raw, SOF_BROADCAST);
    s->raw->ttl = s->ip.ttl;
    s->raw->tos = s->ip.tos;
    datagram_begin(s, bytes);
    ledger_add(s->account, EDGE_SOCK_NIC, MOVER_TOUCH, bytes); /* the checksum */
    err_t sent = raw_sendto_if_src(s->raw, p, &ip, netif, &from);
    return datagram_sent(s, p, sent, bytes);
}

const struct socket_ops ping_ops = {
    .open = ping_open,
    .release = ping_release,
    .bind = ping_bind,
    .connect = ping_connect,
    .shutdown = datagram_shutdown,
    .name = inet_name,
    .send = ping_send,
    .receive = datagram_receive,
    .poll = datagram_poll,
    .waiting = datagram_waiting,
    .set_option = inet_set_option,
    .get_option = inet_get_option,
};
