/*
 * Datagrams that are longer than a packet: cut here, before they reach the stack, into fragments
 * (RFC 791, 3.2). lwIP could do it, but would then cut the segments that are left to the card, too
 * (TSO). Received fragments are put together by lwIP.
 */
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/net/datagram.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/wire.h"
#include "lwip/ip.h"

struct cursor { /* in a message's ranges */
    const struct user_range *range;
    u32 at;
};

/* The next len bytes of the program's, to a heap object: it lies within one page. */
static int take(struct cursor *c, char *to, u32 len)
{
    while (len) {
        u32 n = MIN(len, c->range->len - c->at);
        struct frag f = {virt_page(to), (virt_t)to % PAGE_SIZE, n};
        if (n && copy_user_to_page(EDGE_USER_SOCK, f, (char __user *)c->range->base + c->at))
            return -EFAULT;
        to += n;
        len -= n;
        c->at += n;
        if (c->at == c->range->len) {
            c->range++;
            c->at = 0;
        }
    }
    return 0;
}

struct pbuf *fragments_gather(const struct message *m, u32 header, u32 mtu)
{
    u32 total = header + m->data->bytes, room = (mtu - IP_HEADER) & ~7u, n;
    struct cursor c = {m->data->range, 0};
    struct pbuf *first = NULL, **link = &first;
    for (u32 at = 0; at < total; at += n) {
        n = MIN(room, total - at);
        struct pbuf *p = pbuf_alloc(PBUF_LINK, IP_HEADER + n, PBUF_RAM);
        int err = p ? 0 : -ENOBUFS;
        if (p) {
            u32 skip = at ? 0 : header;
            *link = p; /* a list of packets, not one packet in pieces */
            link = &p->next;
            err = take(&c, (char *)p->payload + IP_HEADER + skip, n - skip);
        }
        if (err) {
            if (first)
                pbuf_free(first);
            return err_ptr(err);
        }
    }
    return first;
}

u32 fragments_sum(const struct pbuf *list, u32 sum)
{
    for (; list; list = list->next) /* all but the last have an even length */
        sum = inet_sum(sum, (const u8 *)list->payload + IP_HEADER, list->len - IP_HEADER);
    return sum;
}

static void fill_header(struct socket *s, struct pbuf *p, const struct ip_addresses *a, u8 protocol,
                        u16 id, u32 offset, bool more)
{
    struct ip_hdr *h = p->payload;
    IPH_VHL_SET(h, 4, IP_HEADER / 4);
    IPH_TOS_SET(h, s->ip.tos);
    IPH_LEN_SET(h, lwip_htons(p->len));
    IPH_ID_SET(h, id);
    IPH_OFFSET_SET(h, lwip_htons(offset / 8 | (more ? IP_MF : 0)));
    IPH_TTL_SET(h, s->ip.ttl);
    IPH_PROTO_SET(h, protocol);
    h->src.addr = a->source;
    h->dest.addr = a->dest;
    IPH_CHKSUM_SET(h, 0);
    IPH_CHKSUM_SET(h, (u16)~inet_fold(inet_sum(0, h, IP_HEADER)));
}

ssize_t fragments_send(struct socket *s, struct pbuf *list, struct netif *netif,
                       const struct ip_addresses *a, u8 protocol, u32 header)
{
    u16 id = (u16)net_random();
    u32 offset = 0, bytes = 0;
    err_t err = ERR_OK;
    while (list) {
        struct pbuf *p = list, *next = p->next;
        u32 len = p->len - IP_HEADER;
        p->next = NULL;
        p->tot_len = p->len;
        fill_header(s, p, a, protocol, id, offset, next != NULL);
        datagram_begin(s, len - header);
        if (err == ERR_OK)
            err = ip4_output_if(p, NULL, LWIP_IP_HDRINCL, 0, 0, 0, netif);
        pbuf_free(p);
        bytes += len - header;
        offset += len;
        header = 0;
        list = next;
    }
    return datagram_sent(s, NULL, err, bytes);
}
