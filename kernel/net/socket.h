/*
 * A socket: what a program's descriptor stands for, and what stays of it while the peer has not
 * acknowledged everything.
 *
 * The system calls (calls.c, message.c, option.c, ioctl.c) check what is the same for all sockets
 * and leave the rest to the socket's operations, one table for each kind: TCP (stream.c), UDP
 * (datagram.c) ... Which kinds there are is a table, too (kind.c).
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

struct poll_table;
struct tcp_pcb;
struct udp_pcb;
struct raw_pcb;
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

/* A socket's address of any family, as programs give and get it (struct sockaddr). */
struct address {
    u32 len; /* bytes of it; 0: none */
    union {
        u16 family;
        u8 bytes[128]; /* struct sockaddr_storage */
    };
};

struct user_range { /* struct iovec of a program */
    u32 base, len;
};
struct user_vec {
    const struct user_range *range;
    u32 count, bytes;
};

/* What sendmsg(2) and recvmsg(2) are about. Sending, name and control are what the program gave;
 * receiving, the kind fills in what the program gets. */
struct message {
    const struct user_vec *data;
    u32 flags;            /* MSG_*; O_NONBLOCK is in it as MSG_DONTWAIT */
    struct address *name; /* NULL: nobody asks */
    const void *control;  /* to send: a row of struct cmsghdr, checked, in kernel memory */
    u32 control_len;
    char __user *control_to; /* to receive: message_put_control */
    u32 control_room, control_used;
    u32 told; /* received: MSG_TRUNC, MSG_CTRUNC */
};

/* The value of an option, for getsockopt(2). */
struct option {
    u32 size; /* bytes of it; at first those of one int */
    union {
        s32 number;
        u8 bytes[256];
    };
};

/* What the sockets of a kind do. The socket is held by its file, which a system call holds.
 * Everything returns 0 or more, or a negative errno; may sleep, but for poll, waiting and name.
 * An operation that is NULL: -EOPNOTSUPP (options: -ENOPROTOOPT). */
struct socket_ops {
    u32 size; /* bytes of a kind's own structure, which begins with struct socket; 0: just that */
    int (*open)(struct socket *s);
    /* The file is gone, or there never was one. Frees the socket, now or later. */
    void (*release)(struct socket *s);
    int (*pair)(struct socket *a, struct socket *b); /* socketpair(2) */
    int (*bind)(struct socket *s, const struct address *a);
    int (*connect)(struct socket *s, const struct address *a, bool nonblock);
    int (*listen)(struct socket *s, u32 backlog);
    /* The next connection of a listener, and its peer's address. */
    int (*accept)(struct socket *s, bool nonblock, struct socket **child, struct address *from);
    int (*shutdown)(struct socket *s, u32 how);
    int (*name)(struct socket *s, bool of_peer, struct address *a); /* to *a */
    ssize_t (*send)(struct socket *s, struct message *m);
    ssize_t (*receive)(struct socket *s, struct message *m);
    u32 (*poll)(struct socket *s, struct poll_table *p); /* readers and writers are named already */
    int (*waiting)(struct socket *s, bool to_send);      /* bytes: FIONREAD, TIOCOUTQ */
    /* Of other levels than SOL_SOCKET, and of that what option.c does not know. */
    int (*set_option)(struct socket *s, u32 level, u32 name, const void __user *value, u32 len);
    int (*get_option)(struct socket *s, u32 level, u32 name, struct option *o);
    void (*options_changed)(struct socket *s); /* those of SOL_SOCKET */
    /* sendfile(2), as socket_send_page and socket_send_copy; NULL: -EINVAL. */
    bool (*takes_pages)(struct socket *s);
    ssize_t (*send_page)(struct socket *s, struct frag f, bool nonblock, bool more);
    ssize_t (*send_copy)(struct socket *s, struct frag f, bool nonblock, bool more);
};

struct socket_kind { /* what socket(2) is asked for */
    u16 family, type;
    u16 protocol; /* IPPROTO_IP: any but that */
    const struct socket_ops *ops;
};

struct datagram;
TAILQ_HEAD(datagram_list, datagram);

struct ip_options { /* ip(7) */
    u8 ttl, tos, multicast_ttl, mtu_discover;
    bool multicast_loop;
    bool header_included;                               /* IP_HDRINCL */
    bool want_errors, want_pktinfo, want_ttl, want_tos; /* IP_RECVERR ... */
};
extern const struct ip_options ip_defaults;

struct tcp_options { /* tcp(7); 0: the default */
    u16 mss;
    u16 keep_idle, keep_interval, keep_count; /* seconds, seconds, probes */
    u32 user_timeout_ms;
};

struct socket {
    const struct socket_ops *ops;
    u16 family, type, protocol; /* AF_, SOCK_, IPPROTO_ */
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
    struct ip_options ip;
    struct tcp_options tcp_options;
    u32 rcvlowat; /* SO_RCVLOWAT, bytes; 0: 1 */
    u8 device;    /* SO_BINDTODEVICE: the interface's number; 0: any */

    /* received, not yet read: TCP as a chain of pbufs, UDP as datagrams */
    struct pbuf *rx_head, *rx_tail;
    struct datagram_list datagrams;
    u32 rx_bytes;
    u32 drops;    /* datagrams that found no room */
    bool rx_eof;  /* the peer's FIN came */
    bool rx_shut; /* shutdown(SHUT_RD) */
    bool rx_busy; /* a reader is copying, and may sleep over it */

    /* TCP (connection.c) */
    struct tcp_pcb *tcp; /* NULL: the stack has none */
    struct netdev *dev;  /* the card of its route; NULL: loopback */
    struct sendq q;
    u16 mss; /* payload of one frame; pcb->mss may be a multiple of it (TSO) */
    u32 progress_ack, progress_ms; /* since when nothing was acknowledged: TCP_USER_TIMEOUT */
    u32 tuned_window;              /* the peer's largest, for which pcb->mss was chosen */
    u32 sndbuf;
    bool connect_told; /* connect(2) has said that the connection stands */
    bool more;         /* the program has announced that more follows */
    bool cork;         /* TCP_CORK: always more */
    bool tx_shut;      /* shutdown(SHUT_WR) */
    bool fin_sent;     /* the FIN is queued in the stack */
    bool tx_busy;      /* a writer is copying, and may sleep over it */
    bool retune;       /* the card's features changed: settle when nothing is in flight */
    bool ticked;       /* lwIP's slow clock has ticked */
    u8 persist_shift;  /* 0: the window is open */
    u8 persist_wait;   /* ticks until the next probe */
    bool recovering;   /* from a loss, until everything before `recover` is acknowledged */
    u32 recover, recover_ack, recover_segment; /* sequence numbers, see feed.c */
    bool noted;                                /* is in the list of those to be served */
    TAILQ_ENTRY(socket) service;
    struct socket_list accept_queue;
    TAILQ_ENTRY(socket) accept_link;
    u32 accept_count, backlog;

    /* UDP, raw and ping sockets (udp.c, raw.c, icmp.c) */
    struct udp_pcb *udp;
    struct raw_pcb *raw;
    struct endpoint bound; /* by bind(2): what is left after a disconnect */
    u32 icmp_filter;       /* ICMP_FILTER: types that are not wanted */
};

extern struct socket_list all_sockets;
extern const struct file_ops socket_file_ops;

/* kind.c: the kind that socket(2) asks for, or why there is none (-EAFNOSUPPORT ...). */
int socket_kind_find(u32 family, u32 type, u32 protocol, const struct socket_kind **kind);
extern const struct socket_ops stream_ops, udp_ops, raw_ops, ping_ops, unix_ops;

/* socket.c */
struct socket *socket_new(const struct socket_kind *kind); /* NULL without memory */
/* One that is of the same kind as another: for a listener's queue. */
struct socket *socket_new_like(const struct socket *like);
void socket_free(struct socket *s); /* neither file nor connection is left */
/* The pending error as a negative errno, which is then no longer pending; 0: none. */
int socket_take_error(struct socket *s);
/* Note who uses the socket now. */
void socket_used(struct socket *s);
u64 socket_deadline(u32 timeout_ticks); /* 0: none */
/* What a call answers when its wait_event_signal, with such a time-out, ended with err:
 * -EAGAIN when the time was over; -EINTR, which is not restarted, when there was a limit. */
int socket_wait_error(int err, u32 timeout_ticks);
/* A descriptor for the socket, or a negative errno; then the socket is released. */
int socket_descriptor(struct socket *s, u32 flags);
ssize_t socket_send(struct file *file, struct message *m);
ssize_t socket_receive(struct file *file, struct message *m);

/* calls.c */
/* The socket of a descriptor, its file held; else an errno. */
int socket_get(u32 fd, struct file **file, struct socket **s);
int address_in(struct address *a, const void __user *addr, u32 len);
/* As accept(2): the address is cut to the room there is, its full length is told. */
int address_out(const struct address *a, void __user *addr, u32 __user *len);

/* message.c: vector calls, whose pieces are one message. */
ssize_t socket_read_iter(struct file *file, struct user_iter *to);
ssize_t socket_write_iter(struct file *file, struct user_iter *from);
/* A piece of control data for recvmsg(2); MSG_CTRUNC is told where it has no room. */
void message_put_control(struct message *m, u32 level, u32 type, const void *data, u32 len);

/* tcp_option.c */
int tcp_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len);
int tcp_get_option(struct socket *s, u32 level, u32 name, struct option *o);

/* inet_report.c: lwIP's state of a connection as Linux counts them (include/net/tcp_states.h). */
u32 inet_tcp_state(u32 lwip_state);

/* inet_option.c: the level IPPROTO_IP, and SO_BINDTODEVICE. */
int inet_set_option(struct socket *s, u32 level, u32 name, const void __user *value, u32 len);
int inet_get_option(struct socket *s, u32 level, u32 name, struct option *o);

/* inet.c: what the sockets of AF_INET have in common. */
u32 inet_mtu(u32 destination); /* bytes of an IP packet on the way there */
/* The endpoint of an AF_INET address: 0, -EINVAL (too short), -EAFNOSUPPORT. */
int inet_endpoint(const struct address *a, struct endpoint *e);
/* The same of one that bind(2) gives: -EADDRNOTAVAIL when it is not ours. */
int inet_bind_endpoint(const struct address *a, struct endpoint *e);
void inet_address(struct endpoint e, struct address *a);
int inet_name(struct socket *s, bool of_peer, struct address *a);

/* transfer.c: payload of TCP sockets. */
ssize_t stream_send(struct socket *s, struct message *m);
ssize_t stream_receive(struct socket *s, struct message *m);
ssize_t stream_send_page(struct socket *s, struct frag f, bool nonblock, bool more);
ssize_t stream_send_copy(struct socket *s, struct frag f, bool nonblock, bool more);
bool stream_takes_pages(struct socket *s); /* feed.c */

/* ioctl.c, ethtool.c */
int socket_ioctl(struct file *file, u32 request, u32 argument);
int interface_ioctl(u32 request, void __user *argument); /* ifreq.c */
int neighbour_ioctl(u32 request, void __user *argument); /* neighbour.c */
int ethtool_ioctl(struct netdev *d, void __user *data);

/* connection.c: the TCP socket and lwIP's control block. */
int connection_open(struct socket *s);
int connection_bind(struct socket *s, struct endpoint to);
int connection_listen(struct socket *s, u32 backlog);
int connection_unlisten(struct socket *s);                  /* shutdown(2): keeps the address */
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
void connection_service(void);            /* serves everyone who was noted */
void connection_retune(struct netdev *d); /* features have changed */
void connection_apply_options(struct socket *s);
/* The socket of a frame that is being sent, by its addresses; NULL when there is none. */
struct socket *connection_of_frame(const u8 *frame);
int lwip_errno(int err); /* negative errno of an err_t */

#endif
