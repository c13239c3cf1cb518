/*
 * The life of a TCP connection: between a socket and lwIP's control block (pcb).
 *
 * lwIP calls back from the middle of its input processing, where it would send nothing; so a
 * callback only takes over what came and notes the connection, and connection_service works the
 * list off when the batch of frames is done: release what was acknowledged, feed what may go
 * (feed.c), send the FIN when everything went. A whole batch of ACKs costs one service.
 *
 * The control block is lwIP's: it frees it on its own in TIME_WAIT and in LAST_ACK without
 * telling. So the socket lets go of it (detach) in the very callback after which nothing more
 * can be of interest: the FIN is queued, the peer's FIN came (or nobody is left to read), and
 * every byte was acknowledged. When the error callback is called, the block is gone already.
 */
#include "kernel/net/connection.h"
#include "kernel/lib/lib.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "lwip/priv/tcp_priv.h"

static struct socket_list noted = TAILQ_HEAD_INITIALIZER(noted);

int lwip_errno(int err)
{
    switch (err) {
    case ERR_OK:
        return 0;
    case ERR_MEM:
        return -ENOBUFS;
    case ERR_BUF:
        return -ENOBUFS;
    case ERR_TIMEOUT:
        return -ETIMEDOUT;
    case ERR_RTE:
        return -ENETUNREACH;
    case ERR_INPROGRESS:
        return -EINPROGRESS;
    case ERR_USE:
        return -EADDRINUSE;
    case ERR_ALREADY:
        return -EALREADY;
    case ERR_ISCONN:
        return -EISCONN;
    case ERR_CONN:
        return -ENOTCONN;
    case ERR_RST:
        return -ECONNRESET;
    case ERR_ABRT:
        return -ETIMEDOUT; /* of lwIP's own will: its retransmissions were silent */
    default:
        return -EINVAL;
    }
}

void connection_note(struct socket *s)
{
    if (!s->noted)
        TAILQ_INSERT_TAIL(&noted, s, service);
    s->noted = true;
}

/* --- Callbacks ----------------------------------------------------------------------------- */

static void detach(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    tcp_arg(pcb, NULL);
    if (pcb->state != LISTEN) { /* a listening block is a shorter structure */
        tcp_recv(pcb, NULL);
        tcp_sent(pcb, NULL);
        tcp_err(pcb, NULL);
        tcp_poll(pcb, NULL, 0);
    }
    s->tcp = NULL;
    s->state = SOCKET_GONE;
    sendq_free(&s->q);
    wake_all(&s->readers);
    wake_all(&s->writers);
}

/* Lets go of the control block when it holds nothing of ours any more. May free the socket. */
static void finish(struct socket *s)
{
    if (!s->fin_sent || !sendq_empty(&s->q) || (s->file && !s->rx_eof))
        return;
    detach(s);
    if (!s->file)
        socket_free(s);
}

/* lwIP may still point into every page from the first segment of its queues on. Not the number
 * of bytes it reports as acknowledged: a long segment stays queued as a whole while the ACKs of
 * its frames come in. */
static void release(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    u32 seq = pcb->snd_lbb;
    if (pcb->unacked && seq_diff(lwip_ntohl(pcb->unacked->tcphdr->seqno), seq) < 0)
        seq = lwip_ntohl(pcb->unacked->tcphdr->seqno);
    if (pcb->unsent && seq_diff(lwip_ntohl(pcb->unsent->tcphdr->seqno), seq) < 0)
        seq = lwip_ntohl(pcb->unsent->tcphdr->seqno);
    sendq_release(&s->q, seq);
}

static err_t on_sent(void *arg, struct tcp_pcb *pcb, u16_t len)
{
    struct socket *s = arg;
    release(s);
    connection_note(s);
    finish(s);
    return ERR_OK;
}

void connection_note_segment(struct tcp_pcb *pcb)
{
    if (pcb->sent == on_sent) /* neither a listener nor one that was let go */
        connection_note(pcb->callback_arg);
}

static err_t on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
    struct socket *s = arg;
    if (!p) {
        s->rx_eof = true;
        wake_all(&s->readers);
        finish(s);
        return ERR_OK;
    }
    if (!s->file && !s->listener) {
        /* Data for a closed socket: the peer must learn that nobody reads it (RFC 2525, 2.17). */
        pbuf_free(p);
        connection_abort(s, ECONNRESET);
        return ERR_ABRT;
    }
    if (s->rx_shut) {
        tcp_recved(pcb, p->tot_len);
        pbuf_free(p);
        return ERR_OK;
    }
    stream_queue(s, p);
    return ERR_OK;
}

static void on_error(void *arg, err_t err)
{
    struct socket *s = arg;
    if (err == ERR_RST && s->state == SOCKET_CONNECTING)
        s->error = ECONNREFUSED;
    else if (err != ERR_CLSD) /* ERR_CLSD: both directions were closed in good order */
        s->error = -lwip_errno(err);
    if (err == ERR_CLSD)
        s->rx_eof = true;
    s->tcp = NULL;
    s->state = SOCKET_GONE;
    sendq_free(&s->q);
    wake_all(&s->readers);
    wake_all(&s->writers);
    if (!s->file && !s->listener)
        socket_free(s);
}

static err_t on_tick(void *arg, struct tcp_pcb *pcb)
{
    struct socket *s = arg;
    s->ticked = true;
    connection_note(s);
    return ERR_OK;
}

static void attach(struct socket *s, struct tcp_pcb *pcb)
{
    s->tcp = pcb;
    tcp_arg(pcb, s);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_poll(pcb, on_tick, 1);
    tcp_nagle_disable(pcb); /* feed_amount decides */
    connection_apply_options(s);
}

static void established(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    s->state = SOCKET_CONNECTED;
    s->local = (struct endpoint){ip4_addr_get_u32(&pcb->local_ip), lwip_htons(pcb->local_port)};
    s->remote = (struct endpoint){ip4_addr_get_u32(&pcb->remote_ip), lwip_htons(pcb->remote_port)};
    if (s->tcp_options.mss && s->tcp_options.mss < pcb->mss)
        pcb->mss = s->tcp_options.mss;
    s->mss = pcb->mss;
    sendq_init(&s->q, pcb->snd_lbb, s->sndbuf);
    connection_tune(s);
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct socket *s = arg;
    established(s);
    /* RFC 3390, 1; lwIP has computed it before the segments became longer. */
    pcb->cwnd = MIN(4u * pcb->mss, MAX(2u * pcb->mss, 4380u));
    wake_all(&s->writers);
    return ERR_OK;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
    struct socket *listener = arg;
    if (err != ERR_OK || !pcb || listener->accept_count >= listener->backlog)
        return ERR_MEM; /* lwIP resets the connection */
    struct socket *s = socket_new_like(listener);
    if (!s)
        return ERR_MEM;
    s->keep_alive = listener->keep_alive;
    s->reuse_addr = listener->reuse_addr;
    s->no_delay = listener->no_delay;
    s->sndbuf = listener->sndbuf;
    s->rcvbuf = listener->rcvbuf;
    s->rcvlowat = listener->rcvlowat;
    s->ip = listener->ip;
    s->tcp_options = listener->tcp_options;
    attach(s, pcb);
    established(s);
    /* Counts against the backlog, as half-open ones do, until accept(2) takes it. */
    tcp_backlog_delayed(pcb);
    s->listener = listener;
    s->connect_told = true;
    TAILQ_INSERT_TAIL(&listener->accept_queue, s, accept_link);
    listener->accept_count++;
    wake_all(&listener->readers);
    return ERR_OK;
}

/* --- What system calls ask for ------------------------------------------------------------- */

int connection_open(struct socket *s)
{
    struct tcp_pcb *pcb = tcp_new();
    if (!pcb)
        return -ENOBUFS;
    attach(s, pcb);
    return 0;
}

void connection_apply_options(struct socket *s)
{
    if (!s->tcp || s->state == SOCKET_GONE)
        return;
    if (s->reuse_addr)
        ip_set_option(s->tcp, SOF_REUSEADDR);
    else
        ip_reset_option(s->tcp, SOF_REUSEADDR);
    if (s->keep_alive)
        ip_set_option(s->tcp, SOF_KEEPALIVE);
    else
        ip_reset_option(s->tcp, SOF_KEEPALIVE);
    s->tcp->ttl = s->ip.ttl;
    s->tcp->tos = s->ip.tos;
    s->tcp->netif_idx = s->device;
    if (s->state != SOCKET_LISTENING) /* that block is a shorter structure */
        tcp_apply_options(s, s->tcp);
    if (s->state == SOCKET_CONNECTED)
        s->q.limit = s->sndbuf;
}

/* With SO_REUSEADDR lwIP lets two sockets share a port; Linux does not while one of them
 * listens (socket(7)). */
static bool someone_listens(struct endpoint to)
{
    for (struct tcp_pcb_listen *l = tcp_listen_pcbs.listen_pcbs; l; l = l->next)
        if (l->local_port == lwip_ntohs(to.port) &&
            (!to.ip || ip_addr_isany(&l->local_ip) || ip4_addr_get_u32(&l->local_ip) == to.ip))
            return true;
    return false;
}

int connection_bind(struct socket *s, struct endpoint to)
{
    ip_addr_t ip = {.addr = to.ip};
    if (to.port && someone_listens(to))
        return -EADDRINUSE;
    int err = lwip_errno(tcp_bind(s->tcp, &ip, lwip_ntohs(to.port)));
    if (err < 0)
        return err;
    s->local = (struct endpoint){to.ip, lwip_htons(s->tcp->local_port)};
    return 0;
}

int connection_listen(struct socket *s, u32 backlog)
{
    err_t err = ERR_OK;
    s->backlog = MIN(backlog, 254u) + 1; /* as Linux: one more than asked for */
    if (s->state == SOCKET_LISTENING) {
        tcp_backlog_set(s->tcp, s->backlog);
        return 0;
    }
    if (!s->local.port) {
        int e = connection_bind(s, s->local);
        if (e < 0)
            return e;
    }
    struct tcp_pcb *pcb = tcp_listen_with_backlog_and_err(s->tcp, s->backlog, &err);
    if (!pcb)
        return lwip_errno(err);
    s->tcp = pcb; /* the former one was freed, its argument taken over */
    s->state = SOCKET_LISTENING;
    tcp_accept(pcb, on_accept);
    return 0;
}

int connection_start(struct socket *s, struct endpoint to)
{
    ip_addr_t ip = {.addr = to.ip ? to.ip : lwip_htonl(IPADDR_LOOPBACK)};
    /* To an address of our own: from the same one, as on Linux, not from 127.0.0.1. */
    if (ip_addr_isany(&s->tcp->local_ip) && interface_is_ours(ip.addr))
        ip_addr_copy(s->tcp->local_ip, ip);
    s->state = SOCKET_CONNECTING;
    s->remote = (struct endpoint){ip.addr, to.port};
    err_t err = tcp_connect(s->tcp, &ip, lwip_ntohs(to.port), on_connected);
    if (err != ERR_OK) {
        s->state = SOCKET_NEW;
        return lwip_errno(err);
    }
    s->local =
        (struct endpoint){ip4_addr_get_u32(&s->tcp->local_ip), lwip_htons(s->tcp->local_port)};
    net_flush();
    return 0;
}

void connection_accepted(struct socket *child)
{
    TAILQ_REMOVE(&child->listener->accept_queue, child, accept_link);
    child->listener->accept_count--;
    child->listener = NULL;
    if (child->tcp)
        tcp_backlog_accepted(child->tcp);
}

void connection_abort(struct socket *s, int error)
{
    struct tcp_pcb *pcb = s->tcp;
    s->error = error;
    if (pcb) {
        detach(s);
        tcp_abort(pcb); /* sends a RST */
    }
    if (!s->file && !s->listener)
        socket_free(s);
}

/* Resets who waits in the queue, and lets go of the listening block. */
static void stop_listening(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    struct socket *child;
    while ((child = TAILQ_FIRST(&s->accept_queue))) {
        connection_accepted(child);
        connection_abort(child, ECONNRESET);
    }
    detach(s);
    tcp_close(pcb);
}

int connection_unlisten(struct socket *s)
{
    stop_listening(s);
    s->state = SOCKET_NEW;
    int err = connection_open(s);
    return err < 0 ? err : connection_bind(s, s->local);
}

void connection_close(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    s->file = NULL;
    if (!pcb) {
        socket_free(s);
        return;
    }
    if (s->state == SOCKET_LISTENING) {
        stop_listening(s);
        socket_free(s);
    } else if (s->state != SOCKET_CONNECTED) { /* never connected: nothing to tell anybody */
        detach(s);
        tcp_close(pcb);
        socket_free(s);
    } else if (s->rx_head || (s->linger && s->linger_s == 0)) {
        connection_abort(s, ECONNRESET); /* unread data is lost, and the peer is told so */
    } else {
        if (s->fin_sent) { /* shutdown(SHUT_WR) came before: from now on lwIP bounds the wait */
            tcp_set_flags(pcb, TF_RXCLOSED);
            finish(s);
        } else {
            connection_note(s);
            connection_service();
        }
    }
    net_flush();
    net_rest(); /* the program may well do something else now */
}

void connection_shut_write(struct socket *s)
{
    s->tx_shut = true;
    connection_note(s);
    connection_service();
    net_flush();
}

void connection_received(struct socket *s, u32 len)
{
    if (!s->tcp)
        return;
    while (len) {
        u16 n = MIN(len, 0xFFFFu);
        tcp_recved(s->tcp, n);
        len -= n;
    }
    net_flush();
}

u32 connection_outq(const struct socket *s)
{
    if (!s->tcp || s->state != SOCKET_CONNECTED)
        return 0;
    s32 waiting = seq_diff(s->q.end, s->tcp->lastack); /* less than 0: the FIN was acknowledged */
    return waiting > 0 ? waiting : 0;
}

/* --- Service ------------------------------------------------------------------------------- */

/* Everything went to the stack: now the FIN may. May free the socket. */
static void send_fin(struct socket *s)
{
    struct tcp_pcb *pcb = s->tcp;
    s->fin_sent = true;
    if (s->file) {
        tcp_shutdown(pcb, 0, 1);
    } else if (pcb->rcv_wnd != TCP_WND_MAX(pcb) && !s->rx_eof) {
        /* Bytes that were never read; lwIP would free the block behind our back. */
        connection_abort(s, ECONNRESET);
        return;
    } else {
        tcp_close(pcb);
    }
    finish(s);
}

static void serve(struct socket *s)
{
    bool ticked = s->ticked;
    s->ticked = false;
    if (!s->tcp || s->state != SOCKET_CONNECTED)
        return;
    connection_recover(s);
    connection_feed(s, ticked, ticked);
    if (ticked && (connection_persist(s) || connection_stalled(s))) {
        connection_abort(s, ETIMEDOUT);
        return;
    }
    /* A writer is woken for a third of the buffer: fewer switches than for each ACK. */
    if (!TAILQ_EMPTY(&s->writers.sleepers) && sendq_space(&s->q) >= s->q.limit / 3)
        wake_all(&s->writers);
    if (!s->fin_sent && (s->tx_shut || !s->file) && !s->listener && s->q.written == s->q.end)
        send_fin(s);
}

void connection_service(void)
{
    struct socket *s;
    while ((s = TAILQ_FIRST(&noted))) {
        TAILQ_REMOVE(&noted, s, service);
        s->noted = false;
        serve(s);
    }
}

void connection_forget(struct socket *s)
{
    if (s->noted)
        TAILQ_REMOVE(&noted, s, service);
    s->noted = false;
}

void connection_retune(struct netdev *d)
{
    struct socket *s;
    TAILQ_FOREACH (s, &all_sockets, all) {
        if (s->state == SOCKET_CONNECTED && s->tcp && s->dev == d) {
            s->retune = true;
            connection_note(s);
        }
    }
    connection_service();
    net_flush();
}

struct socket *connection_of_frame(const u8 *frame)
{
    u16 local = (u16)(frame[34] << 8 | frame[35]), remote = (u16)(frame[36] << 8 | frame[37]);
    u32 ip;
    memcpy(&ip, frame + 30, 4);
    for (struct tcp_pcb *pcb = tcp_active_pcbs; pcb; pcb = pcb->next)
        if (pcb->remote_port == remote && pcb->local_port == local &&
            ip4_addr_get_u32(&pcb->remote_ip) == ip)
            return pcb->sent == on_sent ? pcb->callback_arg : NULL;
    return NULL;
}
