/* The network as text: /proc/ferry/net. */
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
