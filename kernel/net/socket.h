/*
 * A socket: what a program's descriptor stands for, and what stays of it while the peer has not
 * acknowledged everything.
 *
 * Two things keep a socket alive: its open file, and (TCP) the connection in the stack. close()
 * takes the file away; the connection goes on sending what is queued, then a FIN, and the socket
 * is freed when the last byte was acknowledged, or the connection died. A socket in a listener's
 * queue has no file yet.
 *
 * Sleeping is done only by the functions that system calls use; they hold the file meanwhile.
 */
#ifndef KERNEL_NET_SOCKET_H
#define KERNEL_NET_SOCKET_H

#include <bsd/sys/queue.h>
#include "kernel/fs/vfs.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/types.h"
#include "kernel/net/sendq.h"
#include "kernel/proc/wait.h"

struct tcp_pcb;
struct udp_pcb;
struct pbuf;
struct netdev;
struct socket;
TAILQ_HEAD(socket_list, socket);

enum socket_state {
    SOCKET_NEW, /* may be bound, not connected */
    SOCKET_LISTENING,
    SOCKET_CONNECTING,
    SOCKET_CONNECTED,
    SOCKET_GONE, /* was connected; the stack has nothing of it any more */
};

struct endpoint { /* as in sockaddr_in: network byte order */
    u32 ip;
    u16 port;
};

struct user_range { /* struct iovec of a program */
    u32 base, len;
};
struct user_vec {
    const struct user_range *range;
    u32 count, bytes;
};

struct datagram { /* a received one */
    TAILQ_ENTRY(datagram) link;
    struct pbuf *p;
    struct endpoint from;
};
TAILQ_HEAD(datagram_list, datagram);

struct socket {
    bool stream; /* SOCK_STREAM (TCP), else SOCK_DGRAM (UDP) */
    enum socket_state state;
    struct file *file;       /* NULL: closed, or not accepted yet */
    struct socket *listener; /* whose queue it is in */
    int error;               /* positive errno that the next call reports (SO_ERROR) */
    struct account *account; /* who last used it: pays for what has no writer */
    struct endpoint local, remote;
    struct wait_queue readers, writers;
    TAILQ_ENTRY(socket) all;

    /* options */
    bool reuse_addr, keep_alive, broadcast, no_delay, linger;
    u32 linger_s;
    u32 rcvbuf;
    u32 rcv_timeout, snd_timeout; /* ticks; 0: none */

    /* received, not yet read: TCP as a chain of pbufs, UDP as datagrams */
    struct pbuf *rx_head, *rx_tail;
    struct datagram_list datagrams;
    u32 rx_bytes;
    bool rx_eof;  /* the peer's FIN came */
    bool rx_shut; /* shutdown(SHUT_RD) */
    bool rx_busy; /* a reader is copying, and may sleep over it */

    /* TCP (connection.c) */
    struct tcp_pcb *tcp; /* NULL: the stack has none */
    struct netdev *dev;  /* the card of its route; NULL: loopback */
    struct sendq q;
    u16 mss;          /* payload of one frame; pcb->mss may be a multiple of it (TSO) */
    u32 tuned_window; /* the peer's largest, for which pcb->mss was chosen */
    u32 sndbuf;
    bool more;        /* the program has announced that more follows */
    bool cork;        /* TCP_CORK: always more */
    bool tx_shut;     /* shutdown(SHUT_WR) */
    bool fin_sent;    /* the FIN is queued in the stack */
    bool tx_busy;     /* a writer is copying, and may sleep over it */
    bool retune;      /* the card's features changed: settle when nothing is in flight */
    bool ticked;      /* lwIP's slow clock has ticked */
    u8 persist_shift; /* 0: the window is open */
    u8 persist_wait;  /* ticks until the next probe */
    bool recovering;  /* from a loss, until everything before `recover` is acknowledged */
    u32 recover, recover_ack, recover_segment; /* sequence numbers, see feed.c */
    bool noted;                                /* is in the list of those to be served */
    TAILQ_ENTRY(socket) service;
    struct socket_list accept_queue;
    TAILQ_ENTRY(socket) accept_link;
    u32 accept_count, backlog;

    struct udp_pcb *udp;
};

extern struct socket_list all_sockets;
extern const struct file_ops socket_file_ops;

/* socket.c */
struct socket *socket_new(bool stream); /* NULL without memory */
void socket_free(struct socket *s);     /* neither file nor connection is left */
/* The pending error as a negative errno, which is then no longer pending; 0: none. */
int socket_take_error(struct socket *s);
void socket_drop_received(struct socket *s);
/* Note who uses the socket now. */
void socket_used(struct socket *s);
u64 socket_deadline(u32 timeout_ticks); /* 0: none */

/* A descriptor for the socket, or a negative errno; then the socket is closed. */
int socket_descriptor(struct socket *s, u32 flags);
u32 socket_message_flags(const struct file *file, u32 flags); /* MSG_DONTWAIT by O_NONBLOCK */

/* calls.c */
/* The socket of a descriptor, its file held; else an errno. */
int socket_get(u32 fd, struct file **file, struct socket **s);
int endpoint_in(struct endpoint *e, const void __user *addr, u32 len, u16 *family);
/* As accept(2): the address is cut to the room there is, its full length is told. */
int endpoint_out(struct endpoint e, void __user *addr, u32 __user *len);

/* transfer.c: TCP's receiving half; the sending half is in net.h. */
ssize_t stream_receive(struct socket *s, void __user *buf, size_t len, u32 flags);

/* datagram.c */
int datagram_open(struct socket *s);
void datagram_close(struct socket *s);
int datagram_bind(struct socket *s, struct endpoint to);
int datagram_connect(struct socket *s, struct endpoint to); /* port and ip 0: disconnects */
/* One datagram, gathered from or scattered to the program's buffers. `to` NULL: the peer that the
 * socket is connected to. Receiving returns the datagram's whole length with MSG_TRUNC; *cut says
 * that the buffers were shorter. */
ssize_t datagram_send(struct socket *s, const struct user_vec *v, const struct endpoint *to);
ssize_t datagram_receive(struct socket *s, const struct user_vec *v, u32 flags,
                         struct endpoint *from, bool *cut);

/* option.c, ioctl.c, ethtool.c */
int socket_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len);
int socket_get_option(struct socket *s, u32 level, u32 name, void __user *value, u32 __user *len);
int socket_ioctl(struct file *file, u32 request, u32 argument);
int ethtool_ioctl(struct netdev *d, void __user *data);

/* connection.c: the TCP socket and lwIP's control block. */
int connection_open(struct socket *s);
int connection_bind(struct socket *s, struct endpoint to);
int connection_listen(struct socket *s, u32 backlog);
int connection_start(struct socket *s, struct endpoint to); /* sends the SYN */
void connection_accepted(struct socket *child);             /* left the listener's queue */
void connection_close(struct socket *s);                    /* the file is gone; may free s */
void connection_shut_write(struct socket *s);
void connection_abort(struct socket *s, int error); /* RST */
/* Gives the stack what may go now; with `more` whole segments only. */
void connection_push(struct socket *s, bool more);
/* Bytes were read: the window opens. */
void connection_received(struct socket *s, u32 len);
/* Bytes not yet acknowledged (SIOCOUTQ). */
u32 connection_outq(const struct socket *s);
/* Payload of the segments that are built now; slots are laid out for it. */
u32 connection_segment(const struct socket *s);
/* Slot length for bytes to be copied into the send queue; 0: pages are filled. */
u32 connection_slot(const struct socket *s);
const char *connection_state(const struct socket *s);
void connection_service(void);            /* serves everyone who was noted */
void connection_retune(struct netdev *d); /* features have changed */
void connection_apply_options(struct socket *s);
/* The socket of a frame that is being sent, by its addresses; NULL when there is none. */
struct socket *connection_of_frame(const u8 *frame);
int lwip_errno(int err); /* negative errno of an err_t */

#endif
