/*
 * Options of TCP sockets, tcp(7): those of the level IPPROTO_TCP, and SO_RCVLOWAT. What is asked
 * for has its effect; an option whose effect we do not have is refused with ENOPROTOOPT.
 */
#include <linux/in.h>
#include <linux/tcp.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/connection.h"
#include "kernel/net/net.h"
#include "kernel/net/uapi.h"
#include "lwip/priv/tcp_priv.h"

#define CONGESTION_CONTROL "reno" /* RFC 5681 and 6582: lwIP's, and feed.c */

enum { MSS_MIN = 88, MSS_MAX = 32767, KEEPALIVE_MAX = 32767, PROBES_MAX = 127 };
enum { DEFAULT_KEEP_IDLE = 7200, DEFAULT_KEEP_INTERVAL = 75, DEFAULT_KEEP_COUNT = 9 }; /* s */

static int set_ranged(u16 *to, s32 v, s32 min, s32 max)
{
    if (v < min || v > max)
        return -EINVAL;
    *to = v;
    return 0;
}

static int set_congestion(const void __user *value, u32 len)
{
    char name[16];
    u32 n = MIN(len, (u32)sizeof(name) - 1);
    if (!n)
        return -EINVAL;
    if (copyin(name, value, n) < 0)
        return -EFAULT;
    name[n] = 0;
    return strcmp(name, CONGESTION_CONTROL) ? -ENOENT : 0;
}

static int set_tcp(struct socket *s, u32 name, s32 v)
{
    int err = 0;
    switch (name) {
    case TCP_NODELAY:
        s->no_delay = v;
        break;
    case TCP_CORK:
        s->cork = v;
        break;
    case TCP_MAXSEG:
        return v ? set_ranged(&s->tcp_options.mss, v, MSS_MIN, MSS_MAX) : 0;
    case TCP_KEEPIDLE:
        err = set_ranged(&s->tcp_options.keep_idle, v, 1, KEEPALIVE_MAX);
        break;
    case TCP_KEEPINTVL:
        err = set_ranged(&s->tcp_options.keep_interval, v, 1, KEEPALIVE_MAX);
        break;
    case TCP_KEEPCNT:
        err = set_ranged(&s->tcp_options.keep_count, v, 1, PROBES_MAX);
        break;
    case TCP_USER_TIMEOUT:
        if (v < 0)
            return -EINVAL;
        s->tcp_options.user_timeout_ms = v;
        return 0;
    default:
        return -ENOPROTOOPT;
    }
    connection_apply_options(s);
    connection_push(s, false); /* what was held back may go now */
    return err;
}

int tcp_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len)
{
    s32 v;
    if (level != IPPROTO_TCP && level != SOL_SOCKET)
        return inet_set_option(s, level, name, value, len);
    if (level == SOL_SOCKET && name != SO_RCVLOWAT)
        return inet_set_option(s, level, name, value, len);
    if (level == IPPROTO_TCP && name == TCP_CONGESTION)
        return set_congestion(value, len);
    if (len < sizeof(v))
        return -EINVAL;
    if (copyin(&v, value, sizeof(v)) < 0)
        return -EFAULT;
    if (level == IPPROTO_TCP)
        return set_tcp(s, name, v);
    s->rcvlowat = v < 0 ? 0x7FFFFFFF : MAX(v, 1);
    return 0;
}

void tcp_apply_options(const struct socket *s, struct tcp_pcb *pcb)
{
    const struct tcp_options *o = &s->tcp_options;
    pcb->keep_idle = (o->keep_idle ? o->keep_idle : DEFAULT_KEEP_IDLE) * 1000u;
    pcb->keep_intvl = (o->keep_interval ? o->keep_interval : DEFAULT_KEEP_INTERVAL) * 1000u;
    pcb->keep_cnt = o->keep_count ? o->keep_count : DEFAULT_KEEP_COUNT;
}

/* struct tcp_info, as far as lwIP knows it. Times in microseconds. */
static void put_info(struct socket *s, struct option *o)
{
    struct tcp_info info;
    const struct tcp_pcb *pcb = s->tcp;
    memset(&info, 0, sizeof(info));
    info.tcpi_state = inet_tcp_state(pcb ? pcb->state : CLOSED);
    if (pcb && s->state != SOCKET_LISTENING) {
        info.tcpi_options = (pcb->flags & TF_WND_SCALE ? TCPI_OPT_WSCALE : 0) |
                            (pcb->flags & TF_SACK ? TCPI_OPT_SACK : 0);
        info.tcpi_retransmits = pcb->nrtx;
        info.tcpi_snd_wscale = pcb->snd_scale;
        info.tcpi_rcv_wscale = pcb->rcv_scale;
        info.tcpi_rto = pcb->rto * TCP_SLOW_INTERVAL * 1000u;
        info.tcpi_snd_mss = s->mss ? s->mss : pcb->mss;
        info.tcpi_rcv_mss = TCP_MSS;
        info.tcpi_advmss = TCP_MSS;
        info.tcpi_pmtu = inet_mtu(s->remote.ip);
        info.tcpi_unacked = pcb->snd_queuelen;
        info.tcpi_rtt = (pcb->sa >> 3) * TCP_SLOW_INTERVAL * 1000u;
        info.tcpi_rttvar = (pcb->sv >> 2) * TCP_SLOW_INTERVAL * 1000u;
        info.tcpi_snd_ssthresh = pcb->ssthresh / MAX(info.tcpi_snd_mss, 1u);
        info.tcpi_snd_cwnd = pcb->cwnd / MAX(info.tcpi_snd_mss, 1u);
        info.tcpi_rcv_space = pcb->rcv_wnd;
    } else if (s->state == SOCKET_LISTENING) {
        info.tcpi_unacked = s->accept_count;
        info.tcpi_sacked = s->backlog - 1;
    }
    o->size = MIN(sizeof(info), sizeof(o->bytes));
    memcpy(o->bytes, &info, o->size);
}

static int get_tcp(struct socket *s, u32 name, struct option *o)
{
    const struct tcp_options *t = &s->tcp_options;
    switch (name) {
    case TCP_NODELAY:
        o->number = s->no_delay;
        return 0;
    case TCP_CORK:
        o->number = s->cork;
        return 0;
    case TCP_MAXSEG:
        o->number = s->mss ? s->mss : t->mss ? t->mss : 536; /* RFC 9293, 3.7.1 */
        return 0;
    case TCP_KEEPIDLE:
        o->number = t->keep_idle ? t->keep_idle : DEFAULT_KEEP_IDLE;
        return 0;
    case TCP_KEEPINTVL:
        o->number = t->keep_interval ? t->keep_interval : DEFAULT_KEEP_INTERVAL;
        return 0;
    case TCP_KEEPCNT:
        o->number = t->keep_count ? t->keep_count : DEFAULT_KEEP_COUNT;
        return 0;
    case TCP_USER_TIMEOUT:
        o->number = t->user_timeout_ms;
        return 0;
    case TCP_INFO:
        put_info(s, o);
        return 0;
    case TCP_CONGESTION:
        memset(o->bytes, 0, 16); /* TCP_CA_NAME_MAX */
        o->size = 16;
        memcpy(o->bytes, CONGESTION_CONTROL, sizeof(CONGESTION_CONTROL));
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_get_option(struct socket *s, u32 level, u32 name, struct option *o)
{
    if (level == IPPROTO_TCP)
        return get_tcp(s, name, o);
    if (level != SOL_SOCKET || name != SO_RCVLOWAT)
        return inet_get_option(s, level, name, o);
    o->number = MAX(s->rcvlowat, 1u);
    return 0;
}
