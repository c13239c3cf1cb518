/* The network as text: /proc/ferry/net, /proc/net/dev and /proc/net/tcp. */
#include "kernel/lib/text.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "lwip/memp.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"

static u32 list_length(const struct tcp_pcb *pcb)
{
    u32 n = 0;
    for (; pcb; pcb = pcb->next)
        n++;
    return n;
}

static void card_text(struct text *t, const struct netdev *d)
{
    text_printf(t, "card %s\n", d->name);
    text_printf(t, "features%s%s%s\n", d->features & NETDEV_CSUM ? " tx" : "",
                d->features & NETDEV_SG ? " sg" : "", d->features & NETDEV_TSO ? " tso" : "");
    text_printf(t, "tx_inflight %u\n", d->tx_inflight);
#define X(name) text_printf(t, #name " %llu\n", d->stats.name);
    NETDEV_STATS(X)
#undef X
}

static void sockets_text(struct text *t)
{
    const struct socket *s;
    u32 total = 0, streams = 0, orphans = 0, fragments = 0, bytes = 0, unread = 0;
    TAILQ_FOREACH (s, &all_sockets, all) {
        total++;
        streams += s->ops == &stream_ops;
        orphans += !s->file && !s->listener;
        fragments += s->q.tail - s->q.head;
        bytes += sendq_bytes(&s->q);
        unread += s->rx_bytes;
    }
    text_printf(t, "sockets %u\nstreams %u\norphans %u\n", total, streams, orphans);
    text_printf(t, "sendq_fragments %u\nsendq_pages %u\nsendq_bytes %u\nunread_bytes %u\n",
                fragments, page_holds[HOLD_SOCK], bytes, unread);
    text_printf(t, "tcp_active %u\ntcp_time_wait %u\n", list_length(tcp_active_pcbs),
                list_length(tcp_tw_pcbs));
}

void net_format(struct text *t)
{
    net_reap();
    for (u32 i = 0; i < nr_netdevs; i++)
        card_text(t, netdevs[i]);
    sockets_text(t);
    text_printf(t, "tx_records %u\ntx_slots %u\ntx_bounced %u\ntx_no_record %u\ntx_ring_full %u\n",
                output_records_used(), output_stats.slots, output_stats.bounced,
                output_stats.no_record, output_stats.ring_full);
    text_printf(t, "rx_buffers %u\nrx_outstanding %u\nrx_limit %u\nrx_pages %u\nrx_no_buffer %u\n",
                input_stats.buffers, input_stats.outstanding, input_stats.limit, input_stats.pages,
                input_stats.dropped);
    text_printf(t, "tx_stale %u\nrx_refused %u\n", output_stats.stale, input_stats.refused);
    text_printf(t, "acks_merged %u\n", input_stats.acks_merged);
    text_printf(t, "ip_drop %u\nip_chkerr %u\n", lwip_stats.ip.drop, lwip_stats.ip.chkerr);
    text_printf(t, "tcp_xmit %u\ntcp_recv %u\ntcp_drop %u\ntcp_chkerr %u\ntcp_memerr %u\n",
                lwip_stats.tcp.xmit, lwip_stats.tcp.recv, lwip_stats.tcp.drop,
                lwip_stats.tcp.chkerr, lwip_stats.tcp.memerr);
    text_printf(t, "heap %u %u\n", heap_use.used, heap_use.max);
#define LWIP_MEMPOOL(name, num, object_size, text)                               \
    text_printf(t, "pool " #name " %u %u\n", lwip_stats.memp[MEMP_##name]->used, \
                lwip_stats.memp[MEMP_##name]->max);
#include "lwip/priv/memp_std.h"
}

void net_dev_format(struct text *t)
{
    text_printf(
        t, "Inter-|   Receive                                                |  Transmit\n"
           " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "
           "errs drop fifo colls carrier compressed\n");
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n)) {
        static const struct netdev_stats none;
        const struct netdev *d = interface_card(n);
        const struct netdev_stats *s = d ? &d->stats : &none;
        text_printf(t, "%6s: %7llu %7llu %4llu %4llu    0     0          0         0 ",
                    interface_name(n), s->rx_bytes, s->rx_packets, s->rx_errors,
                    s->rx_missed + s->rx_dropped_fault);
        text_printf(t, "%8llu %7llu    0 %4llu    0     0       0          0\n", s->tx_bytes,
                    s->tx_packets, s->tx_dropped_fault);
    }
}

/* The states' numbers as Linux counts them (include/net/tcp_states.h). */
static u32 linux_state(enum tcp_state state)
{
    static const u8 number[] = {
        [CLOSED] = 7,      [LISTEN] = 10,    [SYN_SENT] = 2,   [SYN_RCVD] = 3,
        [ESTABLISHED] = 1, [FIN_WAIT_1] = 4, [FIN_WAIT_2] = 5, [CLOSE_WAIT] = 8,
        [CLOSING] = 11,    [LAST_ACK] = 9,   [TIME_WAIT] = 6,
    };
    return number[state];
}

static void tcp_line(struct text *t, u32 *number, const struct tcp_pcb *pcb)
{
    bool listening = pcb->state == LISTEN; /* a shorter structure */
    text_printf(t,
                "%4u: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000     0        0 0\n",
                (*number)++, ip4_addr_get_u32(&pcb->local_ip), pcb->local_port,
                listening ? 0 : ip4_addr_get_u32(&pcb->remote_ip), listening ? 0 : pcb->remote_port,
                linux_state(pcb->state), listening ? 0 : pcb->snd_lbb - pcb->lastack, 0);
}

void net_tcp_format(struct text *t)
{
    u32 number = 0;
    text_printf(
        t, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
           "timeout inode\n");
    for (const struct tcp_pcb *pcb = tcp_listen_pcbs.pcbs; pcb; pcb = pcb->next)
        tcp_line(t, &number, pcb);
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        tcp_line(t, &number, pcb);
    for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
        tcp_line(t, &number, pcb);
}
