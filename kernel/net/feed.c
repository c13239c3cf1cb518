/*
 * Feeding the stack: how much of the send queue lwIP gets, and when.
 *
 * lwIP is given exactly what the peer's window and the congestion window let go at this moment,
 * and sends it at once. It never holds payload that it may not send. Three things follow:
 *
 *   - It never splits a waiting segment (tcp_split_unsent_seg), which would copy the rest of its
 *     payload with the CPU.
 *   - Its own persist timer never starts for data, whose window probe would copy a byte. Ours
 *     (connection_persist) sends an empty probe instead, as Linux does: a segment without data
 *     whose sequence number lies just before the window, which the peer must answer (RFC 9293,
 *     3.8.6.1 and 3.10.7.4). tcp_keepalive builds just that.
 *   - Nagle's rule is ours to keep (feed_amount), lwIP's is off.
 *
 * A segment is one frame, or with TSO as many as fit 32 KiB: then pcb->mss is a multiple of what
 * a frame carries, and lwIP thinks in such segments throughout, its congestion window included.
 * When the card's features are switched, nothing more is fed until lwIP's queues are empty; only
 * then is pcb->mss changed. So a long segment is never left to a short mss.
 *
 * After a retransmission time-out lwIP moves its segments back to the unsent list and sends them
 * again by its own rules; meanwhile it is fed nothing.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/net/connection.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "lwip/priv/tcp_priv.h"

/* Headers, and a run that starts in the middle of a page touches one page more. */
#define SEGMENT_RANGES (NETDEV_MAX_RANGES - 3)

/* How many frames a segment may be: lwIP cuts at half of the largest window that the peer ever
 * offered (tcp_write), and that cut must not fall into a frame. */
static u32 segment_frames(const struct socket *s)
{
    if (!s->dev || !(s->dev->features & NETDEV_TSO))
        return 1;
    u32 bytes = MIN(FEED_BATCH, s->tcp->snd_wnd_max / 2);
    return MAX(bytes / s->mss, 1u);
}

void connection_tune(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    struct netif *netif = ip_route(&pcb->local_ip, &pcb->remote_ip);
    s->dev = netif ? interface_card(netif) : NULL;
    s->tuned_window = pcb->snd_wnd_max;
    pcb->mss = s->mss * segment_frames(s);
    if (pcb->cwnd < pcb->mss)
        pcb->cwnd = pcb->mss;
    s->retune = false;
}

u32 connection_segment(const struct socket *s)
{
    u32 half = s->tcp->snd_wnd_max / 2;
    return half && half < s->tcp->mss ? half : s->tcp->mss;
}

u32 connection_slot(const struct socket *s)
{
    if (!s->dev || s->dev->features & NETDEV_SG)
        return 0;
    return MIN(MIN(connection_segment(s), s->mss), SLOT_MAX);
}

bool stream_takes_pages(struct socket *s)
{
    return !s->dev || s->dev->features & NETDEV_SG;
}

/* To ourselves one byte of the window always stays free: lwIP answers a bare ACK that meets a
 * closed window with another ACK, and two such ends, both with their windows full, would never
 * stop answering one another. */
static u32 window_room(const struct socket *s)
{
    const struct tcp_pcb *pcb = s->tcp;
    u32 offered = s->dev || !pcb->snd_wnd ? pcb->snd_wnd : pcb->snd_wnd - 1u;
    u32 window = MIN(offered, (u32)pcb->cwnd), in_flight = pcb->snd_lbb - pcb->lastack;
    return MIN(window > in_flight ? window - in_flight : 0, pcb->snd_buf);
}

/* The pages that len bytes from a page's offset on touch. */
static u32 pages_touched(u32 offset, u32 len)
{
    return (offset % PAGE_SIZE + len + PAGE_SIZE - 1) / PAGE_SIZE;
}

/* Gives lwIP n bytes. Its list of unsent segments is empty. */
static void write_bytes(struct socket *s, u32 n, u32 segment)
{
    struct tcp_pcb *pcb = s->tcp;
    bool slots = connection_slot(s) != 0;
    u32 filled = 0, ranges = 0; /* bytes and pieces of the segment under construction */
    struct frag run;
    while (n) {
        u32 len = sendq_run(&s->q, slots ? SLOT_SIZE : MIN(n, 0xF000u), &run);
        if (slots && len > n && (pcb->unacked || pcb->unsent))
            break; /* rather wait than cut a slot in two: its second half has no headroom */
        len = MIN(len, n);
        if (ranges + pages_touched(run.offset, MIN(len, segment - filled)) > SEGMENT_RANGES) {
            tcp_output(pcb); /* as many pieces as a packet can have: it ends here */
            filled = ranges = 0;
        }
        bool last = len == sendq_unwritten(&s->q);
        u8_t flags = last && !s->more ? 0 : TCP_WRITE_FLAG_MORE;
        if (tcp_write(pcb, frag_virt(run), len, flags) != ERR_OK)
            break; /* a pool is empty: the next ACK or tick tries again */
        sendq_wrote(&s->q, len);
        n -= len;
        filled += len;
        ranges += pages_touched(run.offset, len);
        if (filled >= segment) { /* a new one was begun */
            filled %= segment;
            ranges = filled ? pages_touched(PAGE_SIZE - 1, filled) : 0;
        } else if (slots) { /* the next slot must begin a segment of its own */
            tcp_output(pcb);
            filled = ranges = 0;
        }
    }
    tcp_output(pcb);
}

/* With gathering off a slot is cut in two only when the peer has kept its window short through
 * several probes: the second half costs a copy, which the ledger would show. */
#define PERSIST_CUTS 4

void connection_feed(struct socket *s, bool flush, bool tick)
{
    struct tcp_pcb *pcb = s->tcp;
    if (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT)
        return;
    if (pcb->unsent) { /* the ring was full, or this is a retransmission */
        tcp_output(pcb);
        if (pcb->unsent)
            return;
    }
    if (s->retune) {
        if (pcb->unacked)
            return;
        connection_tune(s);
    }
    if (pcb->snd_wnd_max != s->tuned_window)
        connection_tune(s); /* segments become longer: no harm to those that are on their way */
    struct feed_state f = {
        .unwritten = sendq_unwritten(&s->q),
        .room = window_room(s),
        .in_flight = pcb->snd_lbb - pcb->lastack,
        .mss = s->mss,
        .window = MIN(pcb->snd_wnd_max, pcb->cwnd),
        .more = s->more && !flush,
        .override = tick && (!connection_slot(s) || s->persist_shift >= PERSIST_CUTS),
        .now = s->no_delay || s->tx_shut || (!s->file && !s->listener),
    };
    if (!f.unwritten || !f.room)
        return;
    u32 n = feed_amount(&f);
    if (n)
        write_bytes(s, n, connection_segment(s));
}

void connection_push(struct socket *s, bool more)
{
    s->more = more || s->cork;
    if (!s->tcp || s->state != SOCKET_CONNECTED)
        return;
    connection_feed(s, false, false);
    net_flush();
    /* The window is full and more than a batch waits: look whether it has been opened. Not for
     * less, or each small write would go out on its own. */
    if (sendq_unwritten(&s->q) >= FEED_BATCH)
        net_poll();
}

/*
 * Several losses in one window. lwIP sends the first lost segment again after three duplicate
 * ACKs, and regards the matter as settled with the next ACK; every further loss would cost a
 * time-out. So here is NewReno (RFC 6582, 3.2): as long as an ACK does not cover what was in
 * flight when the loss was noticed, the first segment that it leaves uncovered is lost, too, and
 * goes out at once; and lwIP's own fast retransmission, which would halve the window again, is
 * held off (TF_INFR).
 */
void connection_recover(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    if (!s->recovering && !(pcb->flags & TF_INFR))
        return;
    u32 first = pcb->unacked ? lwip_ntohl(pcb->unacked->tcphdr->seqno) : pcb->lastack;
    if (!s->recovering) {
        s->recovering = true;
        s->recover = pcb->snd_nxt;
        s->recover_ack = pcb->lastack;
        s->recover_segment = first;
    }
    if (seq_diff(pcb->lastack, s->recover) >= 0 || pcb->flags & TF_RTO || !pcb->unacked) {
        s->recovering = false;
        tcp_clear_flags(pcb, TF_INFR);
        return;
    }
    if (pcb->lastack == s->recover_ack)
        return;
    s->recover_ack = pcb->lastack;
    tcp_set_flags(pcb, TF_INFR);
    if (first != s->recover_segment && tcp_rexmit(pcb) == ERR_OK) {
        s->recover_segment = first;
        tcp_output(pcb);
    }
}

#define PERSIST_FIRST  (1000 / TCP_SLOW_INTERVAL) /* ticks: one second */
#define PERSIST_SHIFTS 5                          /* 1, 2, 4, 8, 16, 16 ... s */
#define PERSIST_PROBES 5                          /* without any answer */

bool connection_persist(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    /* A peer that shrinks its window in the middle of a retransmission makes lwIP wait where it
     * cannot split the long segment; that, too, must end. */
    bool stuck = pcb->unsent && !pcb->unacked && pcb->persist_backoff;
    /* Data waits and nothing is in flight, although it was fed just now: the window is closed, or
     * too short. */
    bool closed = sendq_unwritten(&s->q) && pcb->snd_lbb == pcb->lastack;
    if (!stuck && !closed) {
        s->persist_shift = 0;
        return false;
    }
    if (!s->persist_shift) {
        s->persist_shift = 1;
        s->persist_wait = PERSIST_FIRST;
    }
    if (--s->persist_wait)
        return false;
    /* lwIP clears this count whenever a segment arrives, so it counts probes without an answer:
     * after 47 s of silence the peer is given up. */
    if (pcb->persist_probe >= PERSIST_PROBES)
        return true;
    pcb->persist_probe++;
    tcp_keepalive(pcb);
    if (s->persist_shift < PERSIST_SHIFTS)
        s->persist_shift++;
    s->persist_wait = PERSIST_FIRST << (s->persist_shift - 1);
    return false;
}

bool connection_stalled(struct socket *s)
{
    const struct tcp_pcb *pcb = s->tcp;
    u32 now = (u32)timer_ms();
    if (pcb->lastack != s->progress_ack || s->q.end == pcb->lastack) {
        s->progress_ack = pcb->lastack;
        s->progress_ms = now;
    }
    return s->tcp_options.user_timeout_ms && now - s->progress_ms >= s->tcp_options.user_timeout_ms;
}
