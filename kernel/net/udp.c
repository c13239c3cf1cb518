/* UDP sockets: one datagram a packet, checksum by the CPU. udp(7). */
#include "kernel/net/datagram.h"
#include "kernel/lib/lib.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "kernel/net/wire.h"
#include "lwip/ip.h"
#include "lwip/udp.h"

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    struct socket *s = arg;
    u32 len = p->tot_len;
    if (datagram_queue(s, p, (struct endpoint){ip4_addr_get_u32(from), lwip_htons(port)}) &&
        interface_card(ip_current_input_netif())) {
        ledger_add(s->account, EDGE_NIC_SOCK, MOVER_DMA, len);
        ledger_add(s->account, EDGE_NIC_SOCK, MOVER_TOUCH, len);
    }
}

static int udp_open(struct socket *s)
{
    s->udp = udp_new();
    if (!s->udp)
        return -ENOBUFS;
    udp_recv(s->udp, on_datagram, s);
    return 0;
}

static void udp_release(struct socket *s)
{
    udp_remove(s->udp);
    datagram_drop_all(s);
    socket_free(s);
}

static int bind_to(struct socket *s, struct endpoint to)
{
    ip_addr_t ip = {.addr = to.ip};
    if (s->reuse_addr)
        ip_set_option(s->udp, SOF_REUSEADDR);
    int err = lwip_errno(udp_bind(s->udp, &ip, lwip_ntohs(to.port)));
    if (!err)
        s->local = (struct endpoint){to.ip, lwip_htons(s->udp->local_port)};
    return err;
}

static int udp_socket_bind(struct socket *s, const struct address *a)
{
    struct endpoint to;
    int err = inet_bind_endpoint(a, &to);
    if (err < 0)
        return err;
    if (s->local.port)
        return -EINVAL;
    err = bind_to(s, to);
    s->bound = err ? (struct endpoint){0, 0} : to;
    return err;
}

/* Back to what bind(2) has set; what connect(2) has chosen goes. */
static int disconnect(struct socket *s)
{
    udp_disconnect(s->udp);
    s->state = SOCKET_NEW;
    s->remote = (struct endpoint){0, 0};
    s->local.ip = s->bound.ip;
    s->udp->local_ip.addr = s->bound.ip;
    if (s->bound.port)
        return 0;
    s->local.port = 0;
    udp_remove(s->udp); /* there is no other way to give a port back */
    return udp_open(s);
}

static int udp_socket_connect(struct socket *s, const struct address *a, bool nonblock)
{
    struct endpoint to;
    if (a->family == AF_UNSPEC)
        return disconnect(s);
    int err = inet_endpoint(a, &to);
    if (err < 0)
        return err;
    ip_addr_t ip = {.addr = to.ip ? to.ip : lwip_htonl(IPADDR_LOOPBACK)};
    u32 source;
    struct netif *netif = datagram_route(s, ip.addr, &source);
    if (!netif)
        return -ENETUNREACH;
    if (!s->broadcast && ip_addr_isbroadcast(&ip, netif))
        return -EACCES;
    err = lwip_errno(udp_connect(s->udp, &ip, lwip_ntohs(to.port)));
    if (err)
        return err;
    s->state = SOCKET_CONNECTED;
    s->remote = (struct endpoint){ip.addr, to.port};
    s->local.port = lwip_htons(s->udp->local_port);
    if (!s->local.ip) {
        s->local.ip = source;
        s->udp->local_ip.addr = source;
    }
    return 0;
}

/* The same for one that is longer than a packet. */
static ssize_t send_long(struct socket *s, const struct message *m, const struct endpoint *to,
                         struct netif *netif, u32 source)
{
    struct ip_addresses a = {source, to->ip};
    u16 len = UDP_HEADER + m->data->bytes;
    struct pbuf *list = fragments_gather(m, UDP_HEADER, datagram_mtu(to->ip));
    if (is_err(list))
        return ptr_err(list);
    struct udp_hdr *h = (void *)((u8 *)list->payload + IP_HEADER);
    *h = (struct udp_hdr){s->local.port, to->port, lwip_htons(len), 0};
    u8 rest[4] = {0, IP_PROTO_UDP, len >> 8, len & 0xFF};
    u32 pseudo = inet_sum(inet_sum(0, &a, sizeof(a)), rest, sizeof(rest));
    h->chksum = ~inet_fold(fragments_sum(list, pseudo));
    if (!h->chksum)
        h->chksum = 0xFFFF; /* 0 would mean that there is none */
    if (interface_card(netif))
        ledger_add(s->account, EDGE_SOCK_NIC, MOVER_TOUCH, m->data->bytes);
    return fragments_send(s, list, netif, &a, IP_PROTO_UDP, UDP_HEADER);
}

static ssize_t udp_send_message(struct socket *s, struct message *m)
{
    struct endpoint to;
    int err = datagram_destination(s, m, &to);
    if (err < 0)
        return err;
    if (!to.port)
        return -EINVAL;
    u32 source;
    struct netif *netif = datagram_route(s, to.ip, &source);
    if (!netif)
        return -ENETUNREACH;
    ip_addr_t ip = {.addr = to.ip}, from = {.addr = source};
    if (!s->local.port && (err = bind_to(s, (struct endpoint){0, 0})) < 0)
        return err == -EADDRINUSE ? -EAGAIN : err;
    int cut = datagram_must_cut(s, to.ip, netif, UDP_HEADER + m->data->bytes);
    if (cut)
        return cut < 0 ? cut : send_long(s, m, &to, netif, source);
    struct pbuf *p = datagram_gather(m, datagram_mtu(to.ip) - (IP_HEADER + UDP_HEADER));
    if (is_err(p))
        return ptr_err(p);
    if (s->broadcast)
        ip_set_option(s->udp, SOF_BROADCAST);
    else
        ip_reset_option(s->udp, SOF_BROADCAST);
    s->udp->ttl = ip_addr_ismulticast(&ip) ? s->ip.multicast_ttl : s->ip.ttl;
    s->udp->tos = s->ip.tos;
    u32 bytes = m->data->bytes;
    datagram_begin(s, bytes);
    if (interface_card(netif))
        ledger_add(s->account, EDGE_SOCK_NIC, MOVER_TOUCH, bytes); /* the checksum */
    err_t sent = udp_sendto_if_src(s->udp, p, &ip, lwip_ntohs(to.port), netif, &from);
    return datagram_sent(s, p, sent, bytes);
}

static void udp_options_changed(struct socket *s)
{
    s->udp->netif_idx = s->device;
}

const struct socket_ops udp_ops = {
    .open = udp_open,
    .release = udp_release,
    .bind = udp_socket_bind,
    .connect = udp_socket_connect,
    .shutdown = datagram_shutdown,
    .name = inet_name,
    .send = udp_send_message,
    .receive = datagram_receive,
    .poll = datagram_poll,
    .waiting = datagram_waiting,
    .set_option = inet_set_option,
    .get_option = inet_get_option,
    .options_changed = udp_options_changed,
};
