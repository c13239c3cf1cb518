/* What the sockets that know datagrams share: the queue of received ones, and the way out. */
#ifndef KERNEL_NET_DATAGRAM_H
#define KERNEL_NET_DATAGRAM_H

#include "kernel/net/socket.h"

/* A packet for the socket: joins the queue (true), or is dropped when there is no room. Takes p,
 * whose payload is what recv(2) shall give. From lwIP's callbacks: the packet is the current one.
 * Who calls enters the packet into the ledger: UDP payload as moved by the card; packets of raw
 * sockets are entered apart already, as all that is neither TCP nor UDP (input.c). */
bool datagram_queue(struct socket *s, struct pbuf *p, struct endpoint from);
void datagram_drop_all(struct socket *s);
ssize_t datagram_receive(struct socket *s, struct message *m);
u32 datagram_poll(struct socket *s, struct poll_table *p);
int datagram_waiting(struct socket *s, bool to_send);
int datagram_shutdown(struct socket *s, u32 how);

/* Before a datagram is built: checks the length and flags, and finds where it goes: the address
 * that came with it, or the peer that the socket has. */
int datagram_destination(struct socket *s, const struct message *m, struct endpoint *to);
/* The longest packet on the way there. To ourselves not longer than over a card: a packet is one
 * heap object. */
u32 datagram_mtu(u32 destination);
/* The program's bytes in one buffer with room for headers in front, or err_ptr. `room`: bytes
 * that fit a packet. */
struct pbuf *datagram_gather(const struct message *m, u32 room);
/* Who pays for what goes to the card from here to datagram_sent, and how many bytes of it are
 * payload. */
void datagram_begin(struct socket *s, u32 bytes);
/* Sends it off. What the call answers: the length, or why lwIP refused. */
ssize_t datagram_sent(struct socket *s, struct pbuf *p, int lwip_err, u32 bytes);
/* The interface that a packet to this address leaves through, and the source address that it has
 * then. NULL: there is no route. */
struct netif *datagram_route(const struct socket *s, u32 destination, u32 *source);

/* fragment.c: a datagram that is longer than a packet. A list of packets, linked by `next`, each
 * with room for its IP header at the start; `header` bytes of the first are left to the protocol.
 */
struct pbuf *fragments_gather(const struct message *m, u32 header, u32 mtu); /* or err_ptr */
u32 fragments_sum(const struct pbuf *list, u32 sum); /* inet_sum over all, without IP headers */
struct ip_addresses {
    u32 source, dest;
};
/* Sends them; takes the list. The bytes that were the program's, or an errno. */
ssize_t fragments_send(struct socket *s, struct pbuf *list, struct netif *netif,
                       const struct ip_addresses *a, u8 protocol, u32 header);
/* True when a datagram with so many bytes behind its IP header has to be cut, and may be;
 * -EMSGSIZE when it may not. */
int datagram_must_cut(const struct socket *s, u32 dest, struct netif *netif, u32 len);
/* A copy of a received packet, for a socket of its own. NULL without memory. */
struct pbuf *datagram_copy(struct socket *s, const struct pbuf *p);

#endif
