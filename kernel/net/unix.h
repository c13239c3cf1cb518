/*
 * AF_UNIX sockets: between the programs of one machine. unix(7), socketpair(2).
 *
 * No protocol and no card: a send makes a packet out of the program's bytes and hangs it into the
 * queue of the socket at the other end, a receive takes it from there. So payload is copied twice,
 * user -> sock and sock -> user, and waits in between in pages of its own (HOLD_SOCK), or, when it
 * is short, behind its packet's header in the heap. Of what sendfile(2) sends, the packet takes a
 * reference to the cache's page: the first of the two copies is not made.
 *
 * A socket is kept by references: of its open file (or of the listener in whose queue it waits to
 * be accepted), of the sockets whose peer it is, and of the packets that it has sent and nobody
 * has read, since these fill its send buffer and tell its address. A closed socket is `dead`.
 *
 *      unix.c            the object: made, shut down, closed, asked (poll, options)
 *      unix_name.c       addresses: bind(2), and who is meant by one
 *      unix_connect.c    socketpair(2), listen(2), connect(2), accept(2)
 *      unix_packet.c     packets and their bytes
 *      unix_send.c       send(2)
 *      unix_receive.c    recv(2)
 *      unix_control.c    what goes beside the bytes: credentials and open files (SCM_)
 *      unix_rights.c     open files under way, and the collection of those that nobody can reach
 *
 * One CPU and no kernel preemption: everything here is atomic up to where it sleeps, and it sleeps
 * only where a program's memory or a path is reached, in the waits, and where the last reference
 * to a file is given up.
 */
#ifndef KERNEL_NET_UNIX_H
#define KERNEL_NET_UNIX_H

#include <bsd/sys/queue.h>
#include <linux/un.h>
#include "kernel/fs/vfs.h"
#include "kernel/mm/page.h"
#include "kernel/net/socket.h"
#include "kernel/proc/wait.h"

#define UNIX_BUFFER    212992u /* SO_SNDBUF and SO_RCVBUF, bytes: Linux's defaults */
#define UNIX_QUEUE_MAX 10u     /* datagrams from strangers: net.unix.max_dgram_qlen */

struct credentials { /* struct ucred of unix(7) */
    u32 pid, uid, gid;
};

struct unix_name { /* an address that a socket is bound to; never changes */
    u32 refs;
    u32 len; /* as bind(2) and getsockname(2) count it */
    struct sockaddr_un address;
};

struct unix_rights { /* open files under way (SCM_RIGHTS), each with a reference */
    struct unix_rights *next;
    u32 count;
    struct file *files[];
};
#define UNIX_RIGHTS_MAX 253u /* in one packet: SCM_MAX_FD of Linux */

struct unix_control { /* what a send gives beside the bytes */
    struct credentials creds;
    struct unix_rights *rights; /* NULL: none */
};

struct unix_packet {
    TAILQ_ENTRY(unix_packet) link;
    u32 refs;                   /* its queue, and who copies from it: a copy may sleep */
    struct unix_socket *sender; /* whose send buffer it fills */
    u32 charge;                 /* how much of it */
    u32 len, taken;             /* bytes; of a stream, those that have been read */
    struct credentials creds;
    struct unix_rights *rights;
    u32 nr_pages; /* 0: the bytes lie behind this header */
    u32 offset;   /* where they begin in the first page */
    struct page *pages[];
};
TAILQ_HEAD(unix_packets, unix_packet);

struct unix_socket;
TAILQ_HEAD(unix_socket_list, unix_socket);

/* s.state is SOCKET_CONNECTED from the first connection on, also when the peer has gone; a datagram
 * socket stays SOCKET_NEW, with or without a peer. */
struct unix_socket {
    struct socket s; /* must stay first */
    u32 refs;
    bool dead; /* closed */
    struct unix_socket *peer;
    struct unix_name *name; /* NULL: not bound */
    bool abstract;          /* is to be found by it: has bound it itself, and it is no path */
    struct inode *inode;    /* bound to a path: its S_SOCK, whose `object` is this socket */
    struct credentials peer_creds;
    TAILQ_ENTRY(unix_socket) all;

    struct unix_packets queue; /* received, not yet read */
    u32 queued;                /* packets in it */
    struct wait_queue room;    /* others: for room in the queue, or in that of connections */
    u32 charged;               /* bytes of what it has sent and nobody has read */
    bool pass_creds;           /* SO_PASSCRED */
    u32 receive_low;           /* SO_RCVLOWAT */

    /* unix_rights.c */
    u32 in_flight; /* how often its file is in a packet that is queued somewhere */
    bool reached;
    TAILQ_ENTRY(unix_socket) work;
};
extern struct unix_socket_list unix_sockets;

static inline struct unix_socket *unix_of(struct socket *s)
{
    return container_of(s, struct unix_socket, s);
}

/* unix.c */
static inline struct unix_socket *unix_hold(struct unix_socket *u)
{
    u->refs++;
    return u;
}
void unix_put(struct unix_socket *u);
void unix_close(struct unix_socket *u); /* takes the reference of the file, or of the listener */
static inline bool unix_full(const struct unix_socket *u)
{
    return u->queued + u->s.accept_count > u->s.backlog;
}
/* Others, waiting or polling, may find room in the queue of this one now. */
void unix_room_made(struct unix_socket *u);
/* Of the current task: as SCM_CREDENTIALS says it (real), and as SO_PEERCRED does (effective). */
struct credentials unix_sender(void);
struct credentials unix_owner(void);

/* unix_name.c */
int unix_check(const struct address *a); /* can it be an address of ours? 0 or -EINVAL */
/* `otherwise` is the length told when there is no name. */
void unix_tell(const struct unix_name *name, struct address *a, u32 otherwise);
int unix_bind(struct socket *s, const struct address *a);
int unix_autobind(struct unix_socket *u);
void unix_unbind(struct unix_socket *u);
void unix_name_put(struct unix_name *name); /* NULL is allowed */
/* The socket of that type that is bound to the address, with a reference, or err_ptr. */
struct unix_socket *unix_find(const struct address *a, u16 type);
int unix_name(struct socket *s, bool of_peer, struct address *a);

/* unix_connect.c */
int unix_pair(struct socket *a, struct socket *b);
int unix_listen(struct socket *s, u32 backlog);
int unix_connect(struct socket *s, const struct address *a, bool nonblock);
int unix_accept(struct socket *s, bool nonblock, struct socket **child, struct address *from);

/* unix_packet.c */
struct user_cursor { /* a place in a program's ranges */
    const struct user_range *range;
    u32 count; /* ranges from here on */
    u32 at;    /* bytes of the first that are done */
};
static inline struct user_cursor user_cursor(const struct user_vec *v)
{
    return (struct user_cursor){v->range, v->count, 0};
}
u32 unix_send_limit(const struct unix_socket *u); /* SO_SNDBUF, or less when memory is short */
struct unix_packet *unix_packet_new(struct unix_socket *sender, u32 len); /* NULL without memory */
/* One that refers to bytes in a page of somebody else's, and copies none. */
struct unix_packet *unix_packet_of(struct unix_socket *sender, struct frag f);
void unix_packet_put(struct unix_packet *p);
int unix_packet_fill(struct unix_packet *p, struct user_cursor *from); /* 0 or -EFAULT */
/* Copies bytes [at, at + len) to the program: how many went, or -EFAULT if none did. */
ssize_t unix_packet_copy(struct unix_packet *p, u32 at, u32 len, struct user_cursor *to);
void unix_enqueue(struct unix_socket *to, struct unix_packet *p); /* takes the reference */
void unix_dequeue(struct unix_socket *u, struct unix_packet *p);  /* gives it */
void unix_drop_queue(struct unix_socket *u);

/* unix_send.c, unix_receive.c */
ssize_t unix_send(struct socket *s, struct message *m);
bool unix_takes_pages(struct socket *s); /* sendfile(2) */
ssize_t unix_send_page(struct socket *s, struct frag f, bool nonblock, bool more);
ssize_t unix_receive(struct socket *s, struct message *m);

/* unix_control.c */
int unix_control_in(struct unix_control *c, const struct message *m);
/* Tells who sent, if the program has asked for it, and hands out the files (which it takes). */
void unix_control_out(const struct unix_socket *u, struct message *m, const struct unix_control *c);

/* unix_rights.c */
struct unix_rights *unix_rights_new(u32 count);                    /* NULL without memory */
struct unix_rights *unix_rights_copy(const struct unix_rights *r); /* the same */
void unix_rights_free(struct unix_rights *r); /* closes them; NULL is allowed */
/* Into a packet: 0, or -ETOOMANYREFS. And out of it. */
int unix_rights_depart(struct unix_rights *r);
void unix_rights_arrive(struct unix_rights *r);
void unix_rights_collect(void);

#endif
