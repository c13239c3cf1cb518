/*
 * UDP sockets: one datagram a packet, without fragmentation (a datagram that does not fit the
 * MTU is refused with EMSGSIZE, as on Linux with IP_PMTUDISC_DO). The path to the wire is the
 * plain one: one copy into the stack's buffer, the checksum by the CPU, one descriptor.
 */
#include <poll.h>
#include "kernel/fs/poll.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/ip.h"
#include "lwip/udp.h"

#define MAX_PAYLOAD (1500u - 20 - 8)

static void on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p, const ip_addr_t *from,
                        u16_t port)
{
    struct socket *s = arg;
    struct datagram *d = NULL;
    /* A waiting datagram holds a whole receive buffer, however short it is. */
    if (!s->rx_shut && s->rx_bytes + RX_BUFFER_SIZE <= s->rcvbuf)
        d = kmalloc(sizeof(*d));
    if (!d) {
        pbuf_free(p);
        return;
    }
    if (interface_card(ip_current_input_netif())) {
        ledger_add(s->account, EDGE_NIC_SOCK, MOVER_DMA, p->tot_len);
        ledger_add(s->account, EDGE_NIC_SOCK, MOVER_TOUCH, p->tot_len);
    }
    d->p = p;
    d->from = (struct endpoint){ip4_addr_get_u32(from), lwip_htons(port)};
    s->rx_bytes += RX_BUFFER_SIZE;
    TAILQ_INSERT_TAIL(&s->datagrams, d, link);
    wake_all(&s->readers);
}

static int datagram_open(struct socket *s)
{
    s->udp = udp_new();
    if (!s->udp)
        return -ENOBUFS;
    udp_recv(s->udp, on_datagram, s);
    return 0;
}

static void drop_first(struct socket *s)
{
    struct datagram *d = TAILQ_FIRST(&s->datagrams);
    TAILQ_REMOVE(&s->datagrams, d, link);
    s->rx_bytes -= RX_BUFFER_SIZE;
    pbuf_free(d->p);
    kfree(d);
}

static void datagram_release(struct socket *s)
{
    udp_remove(s->udp);
    while (!TAILQ_EMPTY(&s->datagrams))
        drop_first(s);
    socket_free(s);
}

static int datagram_bind(struct socket *s, const struct address *a)
{
    struct endpoint to;
    int err = inet_bind_endpoint(a, &to);
    if (err < 0)
        return err;
    if (s->state != SOCKET_NEW || s->local.port)
        return -EINVAL;
    ip_addr_t ip = {.addr = to.ip};
    if (s->reuse_addr)
        ip_set_option(s->udp, SOF_REUSEADDR);
    err = lwip_errno(udp_bind(s->udp, &ip, lwip_ntohs(to.port)));
    if (!err)
        s->local = (struct endpoint){to.ip, lwip_htons(s->udp->local_port)};
    return err;
}

static int datagram_connect(struct socket *s, const struct address *a, bool nonblock)
{
    struct endpoint to;
    if (a->family == AF_UNSPEC) {
        udp_disconnect(s->udp);
        s->state = SOCKET_NEW;
        s->remote = (struct endpoint){0, 0};
        return 0;
    }
    int err = inet_endpoint(a, &to);
    if (err < 0)
        return err;
    ip_addr_t ip = {.addr = to.ip ? to.ip : lwip_htonl(IPADDR_LOOPBACK)};
    struct netif *netif = ip_route(&s->udp->local_ip, &ip);
    if (!netif)
        return -ENETUNREACH;
    err = lwip_errno(udp_connect(s->udp, &ip, lwip_ntohs(to.port)));
    if (err)
        return err;
    s->state = SOCKET_CONNECTED;
    s->remote = (struct endpoint){ip.addr, to.port};
    s->local.port = lwip_htons(s->udp->local_port);
    if (!s->local.ip)
        s->local.ip = ip4_addr_get_u32(netif_ip4_addr(netif));
    return 0;
}

static int datagram_shutdown(struct socket *s, u32 how)
{
    if (s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    if (how != SHUT_WR) {
        s->rx_shut = true;
        wake_all(&s->readers);
    }
    return 0;
}

/* Where a datagram goes: the address that came with it, or the peer that the socket has. */
static int destination(struct socket *s, const struct message *m, struct endpoint *to)
{
    *to = s->remote;
    if (!m->name)
        return s->state == SOCKET_CONNECTED ? 0 : -EDESTADDRREQ;
    int err = inet_endpoint(m->name, to);
    if (err < 0)
        return err;
    return to->port ? 0 : -EINVAL;
}

static ssize_t datagram_send(struct socket *s, struct message *m)
{
    const struct user_vec *v = m->data;
    struct endpoint peer;
    if (v->bytes > MAX_PAYLOAD)
        return -EMSGSIZE;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    int bad = destination(s, m, &peer);
    if (bad)
        return bad;
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, v->bytes, PBUF_RAM);
    if (!p)
        return -ENOBUFS;
    char *at = p->payload; /* a heap object: within one page */
    for (u32 i = 0; i < v->count; i++) {
        struct frag f = {virt_page(at), (virt_t)at % PAGE_SIZE, v->range[i].len};
        if (f.len && copy_user_to_page(EDGE_USER_SOCK, f, (const void __user *)v->range[i].base)) {
            pbuf_free(p);
            return -EFAULT;
        }
        at += f.len;
    }
    socket_used(s);
    if (s->broadcast)
        ip_set_option(s->udp, SOF_BROADCAST);
    else
        ip_reset_option(s->udp, SOF_BROADCAST);
    ip_addr_t ip = {.addr = peer.ip ? peer.ip : lwip_htonl(IPADDR_LOOPBACK)};
    ledger_add(s->account, EDGE_SOCK_NIC, MOVER_TOUCH, v->bytes); /* the checksum */
    output_datagram_payer = s->account;
    err_t err = udp_sendto(s->udp, p, &ip, lwip_ntohs(peer.port));
    output_datagram_payer = NULL;
    pbuf_free(p);
    if (err == ERR_OK)
        s->local.port = lwip_htons(s->udp->local_port);
    net_flush();
    net_poll();
    if (err == ERR_VAL)
        return s->broadcast ? -EINVAL : -EACCES;
    return err == ERR_OK ? (ssize_t)v->bytes : lwip_errno(err);
}

static int scatter(const struct pbuf *p, const struct user_vec *v, u32 *copied)
{
    u32 i = 0, at = 0, off = 0; /* position in the ranges and in the pbuf */
    *copied = 0;
    while (p && i < v->count) {
        u32 n = MIN(v->range[i].len - at, p->len - off);
        if (n && copy_buffer_to_user(EDGE_SOCK_USER, (char __user *)v->range[i].base + at,
                                     (char *)p->payload + off, n))
            return -EFAULT;
        *copied += n;
        at += n;
        off += n;
        if (at == v->range[i].len) {
            i++;
            at = 0;
        }
        if (off == p->len) {
            p = p->next;
            off = 0;
        }
    }
    return 0;
}

static ssize_t datagram_receive(struct socket *s, struct message *m)
{
    u64 deadline = socket_deadline(s->rcv_timeout);
    if (m->flags & MSG_OOB)
        return -EINVAL;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is ever queued there */
    socket_used(s);
    while (TAILQ_EMPTY(&s->datagrams)) {
        net_poll();
        if (!TAILQ_EMPTY(&s->datagrams))
            break;
        int err = socket_take_error(s);
        if (err)
            return err;
        if (s->rx_shut)
            return 0;
        if (m->flags & MSG_DONTWAIT)
            return -EAGAIN;
        net_rest();
        err = wait_event_signal(&s->readers, !TAILQ_EMPTY(&s->datagrams) || s->rx_shut || s->error,
                                deadline);
        if (err)
            return socket_wait_error(err, s->rcv_timeout);
    }
    struct datagram *d = TAILQ_FIRST(&s->datagrams);
    struct pbuf *p = d->p;
    u32 len = p->tot_len, copied;
    if (m->name)
        inet_address(d->from, m->name);
    pbuf_ref(p); /* the copy may sleep, and another reader take the datagram */
    if (!(m->flags & MSG_PEEK))
        drop_first(s);
    int err = scatter(p, m->data, &copied);
    pbuf_free(p);
    if (err)
        return err;
    if (copied < len)
        m->told |= MSG_TRUNC;
    return m->flags & MSG_TRUNC ? len : copied;
}

static u32 datagram_poll(struct socket *s, struct poll_table *p)
{
    u32 mask = POLLOUT | POLLWRNORM | POLLWRBAND;
    if (s->error)
        mask |= POLLERR;
    if (s->rx_shut)
        mask |= POLLRDHUP;
    if (s->rx_shut || !TAILQ_EMPTY(&s->datagrams))
        mask |= POLLIN | POLLRDNORM;
    return mask;
}

static int datagram_waiting(struct socket *s, bool to_send)
{
    const struct datagram *d = TAILQ_FIRST(&s->datagrams);
    return d && !to_send ? d->p->tot_len : 0;
}

const struct socket_ops datagram_ops = {
    .open = datagram_open,
    .release = datagram_release,
    .bind = datagram_bind,
    .connect = datagram_connect,
    .shutdown = datagram_shutdown,
    .name = inet_name,
    .send = datagram_send,
    .receive = datagram_receive,
    .poll = datagram_poll,
    .waiting = datagram_waiting,
};
