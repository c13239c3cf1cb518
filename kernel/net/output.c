/*
 * From lwIP to the card: a chain of buffers becomes a list of physical ranges, and when the card
 * has fetched them, entries in the ledger.
 *
 *   gathering on   one range for the headers, one for each page of payload
 *   gathering off  one range: the headers are written into the headroom in front of the payload,
 *                  which lies in a slot (sendq.h). What does not lie so - it should not happen
 *                  but for a peer with a tiny window, or just after gathering was switched off -
 *                  is copied into a page of its own, and the ledger shows that copy.
 *   checksum on    the TCP field is seeded with the sum over the pseudo-header, not complemented;
 *                  with TSO without the length, and the IP length is 0 (8254x manual, 3.5.7)
 *   checksum off   the CPU reads every byte: a "touch" in the ledger
 *
 * A segment with more payload than a frame may carry was built for TSO and is sent that way
 * whatever the switches say now; they decide how the next segments are built (feed.c).
 *
 * Payload is entered on completion (netdev_tx_done), by DMA, in the account of who wrote it.
 * Bytes that were in a frame before are a retransmission and kept apart, so the first
 * transmissions of N bytes come to exactly N, whatever is lost. With TSO the card makes more
 * headers than it was given; those handed over are counted.
 */
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/net/net.h"
#include "kernel/net/output.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/wire.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"

#define MAX_ENTRIES 6

struct entry {
    struct account *account;
    enum ledger_edge edge;
    u32 bytes;
};

/* A packet that the card has: what to give back, and what to enter, when it is done. */
struct tx_record {
    struct pbuf *p;
    struct page *pages[NETDEV_MAX_RANGES]; /* each held as HOLD_TX */
    struct entry entries[MAX_ENTRIES];
    u32 nr_pages, nr_entries;
    struct account *account;    /* pays for the two below */
    u32 headers, retransmitted; /* bytes */
    struct tx_record *next;
};

static struct tx_record records[256]; /* the ring holds fewer packets */
static struct tx_record *free_records;
static u32 nr_used;
struct output_stats output_stats;
struct output_datagram output_datagram;

void output_init(void)
{
    for (u32 i = ARRAY_LEN(records); i-- > 0;) {
        records[i].next = free_records;
        free_records = &records[i];
    }
}

u32 output_records_used(void)
{
    return nr_used;
}

static struct tx_record *record_get(struct netdev *d)
{
    if (!free_records) {
        d->ops->tx_kick(d);
        d->ops->tx_reap(d);
    }
    struct tx_record *r = free_records;
    if (!r) {
        output_stats.no_record++;
        return NULL;
    }
    free_records = r->next;
    nr_used++;
    r->p = NULL;
    r->nr_pages = r->nr_entries = 0;
    r->headers = r->retransmitted = 0;
    r->account = NULL;
    return r;
}

/* Gives everything back; enters it first when the card has done its part. */
static void record_end(struct tx_record *r, bool sent)
{
    for (u32 i = 0; i < r->nr_entries; i++) {
        struct entry *e = &r->entries[i];
        if (sent)
            ledger_add(e->account, e->edge, MOVER_DMA, e->bytes);
        account_put(e->account);
    }
    if (sent) {
        ledger_add_apart(r->account, APART_TX_HEADERS, r->headers);
        ledger_add_apart(r->account, APART_RETRANSMIT, r->retransmitted);
    }
    account_put(r->account);
    for (u32 i = 0; i < r->nr_pages; i++)
        page_put(r->pages[i], HOLD_TX);
    if (r->p)
        pbuf_free(r->p);
    r->next = free_records;
    free_records = r;
    nr_used--;
}

void netdev_tx_done(struct netdev *d, void *cookie)
{
    record_end(cookie, true);
}

static enum ledger_edge edge_of(const void *payload)
{
    switch (virt_page(payload)->kind) {
    case PAGE_CACHE:
        return EDGE_CACHE_NIC;
    case PAGE_ANON:
        return EDGE_USER_NIC;
    default:
        return EDGE_SOCK_NIC;
    }
}

static void entry_add(struct tx_record *r, struct account *account, enum ledger_edge edge,
                      u32 bytes, bool touched)
{
    if (touched)
        ledger_add(account, edge, MOVER_TOUCH, bytes);
    for (u32 i = r->nr_entries; i-- > 0;) {
        if (r->entries[i].account == account && r->entries[i].edge == edge) {
            r->entries[i].bytes += bytes;
            return;
        }
    }
    if (r->nr_entries == MAX_ENTRIES) /* many writers in one packet: a little early, not wrong */
        ledger_add(account, edge, MOVER_DMA, bytes);
    else
        r->entries[r->nr_entries++] = (struct entry){account_get(account), edge, bytes};
}

/* Enters len bytes of payload at `payload`, which are bytes seq... of the connection. */
static void account_run(struct tx_record *r, struct socket *s, enum ledger_edge edge, u32 seq,
                        u32 len, bool touched)
{
    u32 first = s ? sendq_first_sent(&s->q, seq, len) : len;
    r->retransmitted += len - first;
    seq += len - first;
    while (first) {
        u32 n = first;
        struct account *payer = s ? sendq_payer(&s->q, seq, &n) : NULL;
        if (!payer)
            payer = account_current();
        n = MIN(n, first);
        entry_add(r, payer, edge, n, touched);
        first -= n;
        seq += n;
    }
}

/* What is known of a frame that lwIP built. */
struct frame {
    struct pbuf *p;
    u8 *headers; /* Ethernet, IPv4, TCP: contiguous in the first buffer */
    u32 header_len;
    u32 payload_len; /* TCP payload, or that of a program's datagram */
    bool ipv4, tcp;
    struct socket *s; /* whose payload it is; NULL: unknown or none */
};

/* False for what must not be sent: what is no frame, and payload that is in no send queue any
 * more. A segment that waited for ARP may have outlived its connection, and its pages. */
static bool frame_parse(struct frame *f, struct pbuf *p)
{
    const u8 *h = p->payload;
    *f = (struct frame){.p = p, .headers = p->payload, .header_len = p->tot_len};
    if (p->len < ETH_HEADER)
        return false;
    f->ipv4 = p->len >= ETH_HEADER + IP_HEADER && get_be16(h + 12) == 0x0800 && h[14] == 0x45;
    f->tcp = f->ipv4 && p->len >= ETH_HEADER + IP_HEADER + TCP_HEADER && h[23] == 6;
    if (f->tcp) {
        f->header_len = ETH_HEADER + IP_HEADER + (h[46] >> 4) * 4u;
        if (f->header_len > p->len)
            return false;
        f->payload_len = p->tot_len - f->header_len;
        if (f->payload_len) {
            f->s = connection_of_frame(h);
            if (!f->s || !sendq_has(&f->s->q, get_be32(h + 38), f->payload_len))
                return false;
        }
    } else if (output_datagram.payer && f->ipv4 && p->tot_len > output_datagram.bytes) {
        f->payload_len = output_datagram.bytes;
        f->header_len = p->tot_len - f->payload_len;
    }
    return true;
}

/* The checksum fields: filled in by the CPU, or prepared for the card. `whole` is the frame in
 * one piece when the CPU has to sum it up. */
static void checksums(const struct frame *f, u8 *h, const u8 *whole, bool offload, bool tso)
{
    if (!f->ipv4)
        return;
    put_be16(h + 24, 0);
    if (!offload) {
        u16 sum = ~inet_fold(inet_sum(0, h + ETH_HEADER, IP_HEADER));
        memcpy(h + 24, &sum, 2);
    } else if (tso) {
        put_be16(h + 16, 0);
    }
    if (!f->tcp)
        return;
    u32 tcp_len = f->p->tot_len - ETH_HEADER - IP_HEADER;
    u8 rest[4] = {0, 6, tso ? 0 : tcp_len >> 8, tso ? 0 : tcp_len & 0xFF};
    u32 pseudo = inet_sum(inet_sum(0, h + 26, 8), rest, 4); /* addresses, protocol, length */
    u16 sum = inet_fold(pseudo);
    if (!offload) {
        put_be16(h + 50, 0);
        sum = ~inet_fold(inet_sum(pseudo, whole + ETH_HEADER + IP_HEADER, tcp_len));
    }
    memcpy(h + 50, &sum, 2);
}

/* The frame in one piece, for a card that does not gather: the address of its first byte. *page
 * is what holds it; NULL without memory. */
static u8 *linearize(const struct frame *f, struct page **page)
{
    struct pbuf *second = f->p->next;
    u8 *payload = second->payload;
    *page = virt_page(payload);
    if (f->p->len == f->header_len && !second->next && (*page)->kind == PAGE_SOCK &&
        (*page)->index == SENDQ_SLOTS && (virt_t)payload % SLOT_SIZE == SLOT_HEADROOM) {
        output_stats.slots++;
        page_get(*page, HOLD_TX);
        return memcpy(payload - f->header_len, f->headers, f->header_len);
    }
    *page = f->p->tot_len <= PAGE_SIZE ? page_alloc_atomic(PAGE_SOCK, HOLD_TX) : NULL;
    if (!*page)
        return NULL;
    output_stats.bounced++;
    (*page)->index = 0;
    struct frag to = {*page, f->p->len, 0};
    memcpy(page_virt(*page), f->p->payload, f->p->len);
    for (struct pbuf *q = second; q; q = q->next) {
        enum ledger_edge edge = edge_of(q->payload) == EDGE_CACHE_NIC  ? EDGE_CACHE_SOCK
                                : edge_of(q->payload) == EDGE_USER_NIC ? EDGE_USER_SOCK
                                                                       : EDGE_SOCK_SOCK;
        to.len = q->len;
        copy_pages(edge, to,
                   (struct frag){virt_page(q->payload), (virt_t)q->payload % PAGE_SIZE, q->len});
        to.offset += q->len;
    }
    return page_virt(*page);
}

static void hold_pages(struct tx_record *r, const struct netdev_packet *pkt)
{
    for (u32 i = 0; i < pkt->nr_ranges; i++) {
        struct page *page = phys_page(pkt->ranges[i].phys);
        if (page->kind == PAGE_KERNEL || page->kind == PAGE_RESERVED)
            continue; /* the stack's buffer: held through the pbuf */
        page_get(page, HOLD_TX);
        r->pages[r->nr_pages++] = page;
        if (unlikely(proof_enabled) && page->kind == PAGE_CACHE)
            proof_record(page, pkt->ranges[i].phys, pkt->ranges[i].len);
    }
}

static void account_payload(struct tx_record *r, const struct frame *f, bool bounced, bool touched)
{
    r->headers = f->header_len;
    if (f->s)
        r->account = account_get(f->s->account);
    if (!f->payload_len)
        return;
    if (!f->tcp) {
        entry_add(r, output_datagram.payer, EDGE_SOCK_NIC, f->payload_len, false);
        return;
    }
    u32 seq = get_be32(f->headers + 38), skip = f->header_len;
    for (struct pbuf *q = f->p; q; q = q->next) {
        u32 len = q->len - skip;
        if (len)
            account_run(r, f->s, bounced ? EDGE_SOCK_NIC : edge_of(q->payload), seq, len, touched);
        seq += len;
        skip = 0;
    }
    if (f->s)
        sendq_mark_sent(&f->s->q, seq);
}

err_t interface_output(struct netif *netif, struct pbuf *p)
{
    struct netdev *d = netif->state;
    struct frame f;
    if (!frame_parse(&f, p)) {
        output_stats.stale++;
        return ERR_OK;
    }
    struct tx_record *r = record_get(d);
    if (!r)
        return ERR_MEM;

    struct netdev_packet pkt;
    u16 mss = f.s ? f.s->mss : d->mtu - IP_HEADER - TCP_HEADER;
    bool tso = f.tcp && f.payload_len > mss;
    if (!tso && p->tot_len > ETH_HEADER + MAX(d->mtu, MTU_MIN)) { /* lwIP's answer to a long ping */
        record_end(r, false);
        return ERR_VAL;
    }
    bool offload = f.tcp && (tso || d->features & NETDEV_CSUM);
    bool bounced = false;
    u8 *headers = f.headers, *whole = p->next ? NULL : f.headers;
    pkt.nr_ranges = 0;
    pkt.csum_ip = pkt.csum_tcp = offload;
    pkt.mss = tso ? mss : 0;
    pkt.header_len = f.header_len;
    pkt.cookie = r;
    if (p->next && !tso && !(d->features & NETDEV_SG)) {
        struct page *page;
        headers = whole = linearize(&f, &page);
        if (!whole)
            goto no_memory;
        bounced = page != virt_page(p->next->payload);
        r->pages[r->nr_pages++] = page;
        pkt.ranges[pkt.nr_ranges++] = (struct netdev_range){virt_to_phys(whole), p->tot_len};
    } else {
        for (struct pbuf *q = p; q; q = q->next)
            if (q->len && !packet_add_run(&pkt, virt_to_phys(q->payload), q->len))
                goto no_memory; /* feed.c sees to it that this does not happen */
    }
    checksums(&f, headers, whole, offload, tso);

    int err = d->ops->tx(d, &pkt);
    if (err < 0) {
        d->ops->tx_kick(d);
        d->ops->tx_reap(d);
        err = d->ops->tx(d, &pkt);
    }
    if (err < 0) {
        output_stats.ring_full++;
        goto no_memory;
    }
    if (!r->nr_pages)
        hold_pages(r, &pkt);
    account_payload(r, &f, bounced, f.tcp && !offload);
    pbuf_ref(p);
    r->p = p;
    return ERR_OK;

no_memory:
    record_end(r, false);
    return ERR_MEM;
}
