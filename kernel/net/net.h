/*
 * The network as the rest of the kernel sees it: sockets, and what the paths push into them.
 *
 * lwIP is called only from process context. One CPU and no kernel preemption make every call
 * here atomic up to where it sleeps.
 */
#ifndef KERNEL_NET_NET_H
#define KERNEL_NET_NET_H

#include "kernel/fs/vfs.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/types.h"
#include "kernel/mm/page.h"

void net_init(void); /* lwIP, loopback, the cards found, netd; DHCP or ip= */

struct socket;
/* The socket of an open file; NULL when the file is not a socket (-ENOTSOCK). */
struct socket *file_socket(struct file *file);

/* sendfile: a fragment into the socket. Queues what it can, sleeps while the send buffer is full
 * (unless nonblock: -EAGAIN), and returns the bytes queued or, when none were, a negative errno
 * (-EPIPE, -ECONNRESET, -EINVAL: not such a socket ...). `more` says that more follows at once
 * (MSG_MORE): the last segment may wait for it. By reference where the route's card gathers and
 * checksums, by one copy elsewhere. */
bool socket_can_send_pages(struct socket *s);
ssize_t socket_send_copy(struct socket *s, struct frag frag, bool nonblock,
                         bool more); /* cache -> sock by CPU */
ssize_t socket_send_page(struct socket *s, struct frag frag, bool nonblock,
                         bool more); /* by reference: nobody copies */

/* The system calls (kernel/sys/table.c). Arguments as in the man pages of section 2. */
long sys_socket(u32 family, u32 type, u32 protocol);
long sys_bind(u32 fd, const void __user *addr, u32 len);
long sys_connect(u32 fd, const void __user *addr, u32 len);
long sys_listen(u32 fd, u32 backlog);
long sys_accept4(u32 fd, void __user *addr, u32 __user *len, u32 flags);
long sys_getsockname(u32 fd, void __user *addr, u32 __user *len);
long sys_getpeername(u32 fd, void __user *addr, u32 __user *len);
long sys_sendto(u32 fd, const void __user *buf, u32 len, u32 flags, const void __user *addr,
                u32 addr_len);
long sys_recvfrom(u32 fd, void __user *buf, u32 len, u32 flags, void __user *addr,
                  u32 __user *addr_len);
long sys_sendmsg(u32 fd, const void __user *msg, u32 flags);
long sys_recvmsg(u32 fd, void __user *msg, u32 flags);
struct mmsghdr;
long sys_sendmmsg(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags);
long sys_recvmmsg(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags,
                  const void __user *limit);
long sys_recvmmsg_time64(u32 fd, struct mmsghdr __user *messages, u32 count, u32 flags,
                         const void __user *limit);
long sys_setsockopt(u32 fd, u32 level, u32 name, const void __user *value, u32 len);
long sys_getsockopt(u32 fd, u32 level, u32 name, void __user *value, u32 __user *len);
long sys_shutdown(u32 fd, u32 how);
long sys_socketpair(u32 family, u32 type, u32 protocol, int __user *fds);
long sys_socketcall(u32 call, u32 __user *args);

/* Texts of /proc; each returns the length. */
struct text;
void net_format(struct text *t); /* /proc/ferry/net: sockets, lwIP pools, card counters */
/* /proc/net/NAME: inet_report.c, unix_report.c, route.c, neighbour.c, name_server.c. */
void net_dev_format(struct text *t);
void net_tcp_format(struct text *t);
void net_udp_format(struct text *t);
void net_raw_format(struct text *t);
void net_icmp_format(struct text *t);
void net_unix_format(struct text *t);
void net_route_format(struct text *t);
void net_arp_format(struct text *t);
void net_snmp_format(struct text *t);
void net_sockstat_format(struct text *t);
void net_pnp_format(struct text *t);
void net_proof_format(struct text *t); /* /proc/ferry/proof, see proof.c */
void net_proof_enable(bool on);
int net_set_drop_nth(u32 n); /* /proc/sys/ferry/drop_nth */
void net_reap(void); /* hands back finished transmit descriptors: before the ledger is read */

#endif
