/*
 * /proc/net: what netstat, ifconfig and ss read, in Linux's formats (proc(5), and the kernel's
 * own networking documentation). Sockets are those of lwIP's lists: a connection that has lost
 * its program is shown, too.
 */
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "lwip/netif.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/stats.h"

/* --- Interfaces ---------------------------------------------------------------------------- */

struct traffic {
    u64 rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_dropped;
};

static struct traffic traffic_of(struct netif *n)
{
    const struct netdev *d = interface_card(n);
    if (!d)
        return (struct traffic){
            .rx_bytes = n->mib2_counters.ifinoctets,
            .rx_packets = n->mib2_counters.ifinucastpkts,
            .tx_bytes = n->mib2_counters.ifoutoctets,
            .tx_packets = n->mib2_counters.ifoutucastpkts,
            .tx_dropped = n->mib2_counters.ifoutdiscards,
        };
    const struct netdev_stats *s = &d->stats;
    return (struct traffic){
        .rx_bytes = s->rx_bytes,
        .rx_packets = s->rx_packets,
        .rx_errors = s->rx_errors,
        .rx_dropped = s->rx_missed + s->rx_dropped_fault,
        .tx_bytes = s->tx_bytes,
        .tx_packets = s->tx_packets,
        .tx_dropped = s->tx_dropped_fault,
    };
}

void net_dev_format(struct text *t)
{
    text_string(t, "Inter-|   Receive                                                |  Transmit\n"
                   " face |bytes    packets errs drop fifo frame compressed multicast|"
                   "bytes    packets errs drop fifo colls carrier compressed\n");
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n)) {
        struct traffic c = traffic_of(n);
        text_printf(t, "%6s: %7llu %7llu %4llu %4llu    0     0          0         0 ",
                    interface_name(n), c.rx_bytes, c.rx_packets, c.rx_errors, c.rx_dropped);
        text_printf(t, "%8llu %7llu    0 %4llu    0     0       0          0\n", c.tx_bytes,
                    c.tx_packets, c.tx_dropped);
    }
}

/* --- Sockets ------------------------------------------------------------------------------- */

enum { LINUX_ESTABLISHED = 1, LINUX_CLOSE = 7 };

u32 inet_tcp_state(u32 lwip_state)
{
    static const u8 number[] = {
        [CLOSED] = LINUX_CLOSE, [LISTEN] = 10,    [SYN_SENT] = 2,
        [SYN_RCVD] = 3,         [FIN_WAIT_1] = 4, [ESTABLISHED] = LINUX_ESTABLISHED,
        [FIN_WAIT_2] = 5,       [CLOSE_WAIT] = 8, [CLOSING] = 11,
        [LAST_ACK] = 9,         [TIME_WAIT] = 6,
    };
    return number[lwip_state];
}

static u32 inode_of(const struct socket *s)
{
    return s && s->file ? s->file->inode->ino : 0;
}

/* Addresses as they are in memory, ports as numbers. */
static void socket_line(struct text *t, const char *head, struct endpoint local,
                        struct endpoint remote, u32 state, u32 tx_queue, u32 rx_queue, u32 inode)
{
    text_printf(t, "%s: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000 %5u %8u %u", head,
                local.ip, lwip_ntohs(local.port), remote.ip, lwip_ntohs(remote.port), state,
                tx_queue, rx_queue, 0, 0, inode);
}

static const struct socket *socket_of_pcb(const struct tcp_pcb *pcb)
{
    const struct socket *s;
    TAILQ_FOREACH (s, &all_sockets, all)
        if (s->tcp == pcb)
            return s;
    return NULL;
}

static void tcp_line(struct text *t, u32 *number, const struct tcp_pcb *pcb)
{
    const struct socket *s = socket_of_pcb(pcb);
    struct endpoint local = {ip4_addr_get_u32(&pcb->local_ip), lwip_htons(pcb->local_port)};
    struct endpoint remote = {0, 0};
    u32 tx_queue = 0, rx_queue = s ? s->rx_bytes : 0;
    char head[12];
    if (pcb->state != LISTEN) { /* that is a shorter structure */
        remote.ip = ip4_addr_get_u32(&pcb->remote_ip);
        remote.port = lwip_htons(pcb->remote_port);
        tx_queue = s ? connection_outq(s) : pcb->snd_lbb - pcb->lastack;
    } else if (s) {
        rx_queue = s->accept_count;
        tx_queue = s->backlog - 1; /* as listen(2) was told */
    }
    snprintf(head, sizeof(head), "%4u", (*number)++);
    socket_line(t, head, local, remote, inet_tcp_state(pcb->state), tx_queue, rx_queue,
                inode_of(s));
    text_printf(t, " %u %08x %d %d %d %d %d\n", s ? 2 : 1, (u32)pcb, 100, 0, 0, 10, -1);
}

void net_tcp_format(struct text *t)
{
    u32 number = 0;
    text_string(t,
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
                "  timeout inode\n");
    for (const struct tcp_pcb *pcb = tcp_listen_pcbs.pcbs; pcb; pcb = pcb->next)
        tcp_line(t, &number, pcb);
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        tcp_line(t, &number, pcb);
    for (const struct tcp_pcb *pcb = tcp_tw_pcbs; pcb; pcb = pcb->next)
        tcp_line(t, &number, pcb);
}

static void datagrams_format(struct text *t, const struct socket_ops *ops)
{
    const struct socket *s;
    u32 number = 0;
    text_string(t,
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid"
                "  timeout inode ref pointer drops\n");
    TAILQ_FOREACH (s, &all_sockets, all) {
        struct endpoint local = s->local;
        char head[12];
        if (s->ops != ops || (ops == &udp_ops && !local.port))
            continue;
        if (ops == &raw_ops)
            local.port = lwip_htons(s->protocol);
        snprintf(head, sizeof(head), "%5u", number++);
        socket_line(t, head, local, s->remote,
                    s->state == SOCKET_CONNECTED ? LINUX_ESTABLISHED : LINUX_CLOSE, 0, s->rx_bytes,
                    inode_of(s));
        text_printf(t, " %d %08x %u\n", 2, (u32)s, s->drops);
    }
}

void net_udp_format(struct text *t)
{
    datagrams_format(t, &udp_ops);
}
void net_raw_format(struct text *t)
{
    datagrams_format(t, &raw_ops);
}
void net_icmp_format(struct text *t)
{
    datagrams_format(t, &ping_ops);
}

static u32 list_length(const struct tcp_pcb *pcb)
{
    u32 n = 0;
    for (; pcb; pcb = pcb->next)
        n++;
    return n;
}

void net_sockstat_format(struct text *t)
{
    const struct socket *s;
    u32 used = 0, tcp = 0, udp = 0, raw = 0, orphans = 0;
    TAILQ_FOREACH (s, &all_sockets, all) {
        used += s->file != NULL;
        tcp += s->ops == &stream_ops;
        udp += s->ops == &udp_ops;
        raw += s->ops == &raw_ops;
        orphans += s->ops == &stream_ops && !s->file && !s->listener;
    }
    text_printf(t, "sockets: used %u\n", used);
    text_printf(t, "TCP: inuse %u orphan %u tw %u alloc %u mem %u\n", tcp, orphans,
                list_length(tcp_tw_pcbs), tcp, page_holds[HOLD_SOCK]);
    text_printf(t, "UDP: inuse %u mem 0\nUDPLITE: inuse 0\nRAW: inuse %u\nFRAG: inuse 0 memory 0\n",
                udp, raw);
}

/* --- Counters ------------------------------------------------------------------------------ */

/* RFC 1213's, as far as lwIP keeps them; the others are 0. */
void net_snmp_format(struct text *t)
{
    const struct stats_mib2 *m = &lwip_stats.mib2;
    u32 established = 0;
    for (const struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        established += pcb->state == ESTABLISHED || pcb->state == CLOSE_WAIT;
    text_string(t, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
                   "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
                   "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n");
    text_printf(t, "Ip: 2 %u %u %u %u %u %u %u %u %u %u %u 0 %u %u %u %u %u %u\n", IP_DEFAULT_TTL,
                m->ipinreceives, m->ipinhdrerrors, m->ipinaddrerrors, m->ipforwdatagrams,
                m->ipinunknownprotos, m->ipindiscards, m->ipindelivers, m->ipoutrequests,
                m->ipoutdiscards, m->ipoutnoroutes, m->ipreasmreqds, m->ipreasmoks, m->ipreasmfails,
                m->ipfragoks, m->ipfragfails, m->ipfragcreates);
    text_string(t, "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds InParmProbs "
                   "InSrcQuenchs InRedirects InEchos InEchoReps InTimestamps InTimestampReps "
                   "InAddrMasks InAddrMaskReps OutMsgs OutErrors OutDestUnreachs OutTimeExcds "
                   "OutParmProbs OutSrcQuenchs OutRedirects OutEchos OutEchoReps OutTimestamps "
                   "OutTimestampReps OutAddrMasks OutAddrMaskReps\n");
    text_printf(t, "Icmp: %u %u 0 %u %u %u %u %u %u %u %u %u %u %u ", m->icmpinmsgs,
                m->icmpinerrors, m->icmpindestunreachs, m->icmpintimeexcds, m->icmpinparmprobs,
                m->icmpinsrcquenchs, m->icmpinredirects, m->icmpinechos, m->icmpinechoreps,
                m->icmpintimestamps, m->icmpintimestampreps, m->icmpinaddrmasks,
                m->icmpinaddrmaskreps);
    text_printf(t, "%u %u %u %u 0 0 0 %u %u 0 0 0 0\n", m->icmpoutmsgs, m->icmpouterrors,
                m->icmpoutdestunreachs, m->icmpouttimeexcds, m->icmpoutechos, m->icmpoutechoreps);
    text_string(t,
                "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
                "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
    text_printf(t, "Tcp: 1 %u %u -1 %u %u %u %u %u %u %u %u %u %u %u\n", 3 * TCP_SLOW_INTERVAL,
                60000, m->tcpactiveopens, m->tcppassiveopens, m->tcpattemptfails, m->tcpestabresets,
                established, m->tcpinsegs, m->tcpoutsegs, m->tcpretranssegs, m->tcpinerrs,
                m->tcpoutrsts, lwip_stats.tcp.chkerr);
    text_string(t, "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors "
                   "InCsumErrors IgnoredMulti MemErrors\n");
    text_printf(t, "Udp: %u %u %u %u 0 0 %u 0 0\n", m->udpindatagrams, m->udpnoports,
                m->udpinerrors, m->udpoutdatagrams, lwip_stats.udp.chkerr);
}
