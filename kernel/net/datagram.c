/*
 * Datagrams, whatever is in them: received ones wait in the socket's queue, each with what is
 * known of it; those to be sent are gathered into one buffer, or into several when they are longer
 * than a packet (fragment.c). The path to the wire is the plain one: one copy into the stack's
 * buffer, one descriptor.
 */
#include "kernel/net/datagram.h"
#include <linux/in.h>
#include <linux/poll.h>
#include "kernel/fs/poll.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "kernel/net/wire.h"
#include "lwip/ip.h"

#define MAX_LENGTH 0xFFFFu /* of any datagram */

struct datagram { /* a received one */
    TAILQ_ENTRY(datagram) link;
    struct pbuf *p;
    struct endpoint from;
    u32 held; /* bytes of receive buffers */
    u32 to;   /* the address that it was sent to */
    u8 ttl, tos;
    u8 interface; /* its number */
};

/* --- Receiving ----------------------------------------------------------------------------- */

bool datagram_queue(struct socket *s, struct pbuf *p, struct endpoint from)
{
    struct datagram *d = NULL;
    /* A waiting datagram holds whole receive buffers, however short it is. */
    u32 held = pbuf_clen(p) * RX_BUFFER_SIZE;
    if (!s->rx_shut && s->rx_bytes + held <= s->rcvbuf)
        d = kmalloc(sizeof(*d));
    if (!d) {
        s->drops++;
        pbuf_free(p);
        return false;
    }
    d->p = p;
    d->from = from;
    d->to = ip4_addr_get_u32(ip4_current_dest_addr());
    d->ttl = IPH_TTL(ip4_current_header());
    d->tos = IPH_TOS(ip4_current_header());
    d->interface = netif_get_index(ip_current_input_netif());
    d->held = held;
    s->rx_bytes += held;
    TAILQ_INSERT_TAIL(&s->datagrams, d, link);
    wake_all(&s->readers);
    return true;
}

static void drop_first(struct socket *s)
{
    struct datagram *d = TAILQ_FIRST(&s->datagrams);
    TAILQ_REMOVE(&s->datagrams, d, link);
    s->rx_bytes -= d->held;
    pbuf_free(d->p);
    kfree(d);
}

void datagram_drop_all(struct socket *s)
{
    while (!TAILQ_EMPTY(&s->datagrams))
        drop_first(s);
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

/* Until there is a datagram: 1; 0: none will come; else an errno. */
static int wait_datagram(struct socket *s, bool nonblock, u64 deadline)
{
    while (TAILQ_EMPTY(&s->datagrams)) {
        net_poll();
        if (!TAILQ_EMPTY(&s->datagrams))
            break;
        int err = socket_take_error(s);
        if (err)
            return err;
        if (s->rx_shut)
            return 0;
        if (nonblock)
            return -EAGAIN;
        net_rest();
        err = wait_event_signal(&s->readers, !TAILQ_EMPTY(&s->datagrams) || s->rx_shut || s->error,
                                deadline);
        if (err)
            return socket_wait_error(err, s->rcv_timeout);
    }
    return 1;
}

/* ip(7): what a program has asked to be told with each datagram. */
static void put_control(const struct socket *s, const struct datagram *d, struct message *m)
{
    if (s->ip.want_pktinfo) {
        struct in_pktinfo info = {
            .ipi_ifindex = d->interface, .ipi_spec_dst = {d->to}, .ipi_addr = {d->to}};
        message_put_control(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
    if (s->ip.want_ttl) {
        s32 ttl = d->ttl;
        message_put_control(m, IPPROTO_IP, IP_TTL, &ttl, sizeof(ttl));
    }
    if (s->ip.want_tos)
        message_put_control(m, IPPROTO_IP, IP_TOS, &d->tos, sizeof(d->tos));
}

ssize_t datagram_receive(struct socket *s, struct message *m)
{
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    if (m->flags & MSG_ERRQUEUE)
        return -EAGAIN; /* nothing is ever queued there */
    socket_used(s);
    int ret = wait_datagram(s, m->flags & MSG_DONTWAIT, socket_deadline(s->rcv_timeout));
    if (ret <= 0)
        return ret;
    struct datagram d = *TAILQ_FIRST(&s->datagrams);
    u32 len = d.p->tot_len, copied;
    pbuf_ref(d.p); /* the copy may sleep, and another reader take the datagram */
    if (!(m->flags & MSG_PEEK))
        drop_first(s);
    int err = scatter(d.p, m->data, &copied);
    pbuf_free(d.p);
    if (err)
        return err;
    if (m->name)
        inet_address(d.from, m->name);
    put_control(s, &d, m);
    if (copied < len)
        m->told |= MSG_TRUNC;
    return m->flags & MSG_TRUNC ? len : copied;
}

u32 datagram_poll(struct socket *s, struct poll_table *p)
{
    u32 mask = POLLOUT | POLLWRNORM | POLLWRBAND;
    if (s->error)
        mask |= POLLERR;
    if (s->rx_shut)
        mask |= POLLRDHUP;
    if (s->rx_shut && s->tx_shut)
        mask |= POLLHUP;
    if (s->rx_shut || !TAILQ_EMPTY(&s->datagrams))
        mask |= POLLIN | POLLRDNORM;
    return mask;
}

int datagram_waiting(struct socket *s, bool to_send)
{
    net_poll();
    const struct datagram *d = TAILQ_FIRST(&s->datagrams);
    return d && !to_send ? d->p->tot_len : 0;
}

/* Has its effect without a peer, too, and says so all the same: as Linux does it. */
int datagram_shutdown(struct socket *s, u32 how)
{
    if (how != SHUT_WR)
        s->rx_shut = true;
    if (how != SHUT_RD)
        s->tx_shut = true;
    wake_all(&s->readers);
    wake_all(&s->writers);
    return s->state == SOCKET_CONNECTED ? 0 : -ENOTCONN;
}

/* --- Sending ------------------------------------------------------------------------------- */

int datagram_destination(struct socket *s, const struct message *m, struct endpoint *to)
{
    if (m->data->bytes > MAX_LENGTH)
        return -EMSGSIZE;
    if (m->flags & MSG_OOB)
        return -EOPNOTSUPP;
    *to = s->remote;
    if (m->name) {
        int err = inet_endpoint(m->name, to);
        if (err < 0)
            return err;
    } else if (s->state != SOCKET_CONNECTED) {
        return -EDESTADDRREQ;
    }
    if (!to->ip)
        to->ip = lwip_htonl(INADDR_LOOPBACK);
    if (s->tx_shut)
        return -EPIPE;
    return socket_take_error(s);
}

int datagram_must_cut(const struct socket *s, u32 dest, struct netif *netif, u32 len)
{
    ip_addr_t to = {.addr = dest};
    if (len <= datagram_mtu(dest) - (s->ip.header_included ? 0 : IP_HEADER))
        return false;
    if (len > 0xFFFFu - IP_HEADER || s->ip.header_included || ip_addr_isbroadcast(&to, netif))
        return -EMSGSIZE;
    return s->ip.mtu_discover == IP_PMTUDISC_DO || s->ip.mtu_discover == IP_PMTUDISC_PROBE
               ? -EMSGSIZE
               : true;
}

struct pbuf *datagram_copy(struct socket *s, const struct pbuf *p)
{
    struct pbuf *copy = NULL;
    for (; p; p = p->next) { /* piece by piece: a piece is one heap object */
        struct pbuf *piece = pbuf_alloc(PBUF_RAW, p->len, PBUF_RAM);
        if (!piece) {
            if (copy)
                pbuf_free(copy);
            return NULL;
        }
        memcpy(piece->payload, p->payload, p->len);
        ledger_add(s->account, EDGE_SOCK_SOCK, MOVER_CPU, p->len);
        if (copy)
            pbuf_cat(copy, piece);
        else
            copy = piece;
    }
    return copy;
}

u32 datagram_mtu(u32 destination)
{
    return MIN(inet_mtu(destination), (u32)MTU_MAX);
}

struct pbuf *datagram_gather(const struct message *m, u32 room)
{
    const struct user_vec *v = m->data;
    if (v->bytes > room)
        return err_ptr(-EMSGSIZE);
    struct pbuf *p = pbuf_alloc(PBUF_TRANSPORT, v->bytes, PBUF_RAM);
    if (!p)
        return err_ptr(-ENOBUFS);
    char *at = p->payload; /* a heap object: within one page */
    for (u32 i = 0; i < v->count; i++) {
        struct frag f = {virt_page(at), (virt_t)at % PAGE_SIZE, v->range[i].len};
        if (f.len && copy_user_to_page(EDGE_USER_SOCK, f, (const void __user *)v->range[i].base)) {
            pbuf_free(p);
            return err_ptr(-EFAULT);
        }
        at += f.len;
    }
    return p;
}

void datagram_begin(struct socket *s, u32 bytes)
{
    socket_used(s);
    output_datagram = (struct output_datagram){s->account, bytes};
}

ssize_t datagram_sent(struct socket *s, struct pbuf *p, int lwip_err, u32 bytes)
{
    output_datagram = (struct output_datagram){NULL, 0};
    if (p)
        pbuf_free(p);
    net_flush();
    net_poll(); /* to ourselves: it arrives at once */
    if (lwip_err == ERR_VAL)
        return s->broadcast ? -EINVAL : -EACCES;
    return lwip_err == ERR_OK ? (ssize_t)bytes : lwip_errno(lwip_err);
}

struct netif *datagram_route(const struct socket *s, u32 destination, u32 *source)
{
    ip_addr_t from = {.addr = s->local.ip}, to = {.addr = destination};
    struct netif *netif = s->device ? netif_get_by_index(s->device) : ip_route(&from, &to);
    if (!netif || !netif_is_up(netif))
        return NULL;
    *source = s->local.ip                      ? s->local.ip
              : interface_is_ours(destination) ? destination
                                               : ip4_addr_get_u32(netif_ip4_addr(netif));
    return netif;
}
