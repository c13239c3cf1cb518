/* The functions that lwIP calls from the middle of its own work; lwipopts.h says where. */
#ifndef KERNEL_NET_LWIP_HOOKS_H
#define KERNEL_NET_LWIP_HOOKS_H

struct tcp_pcb;
struct netif;
struct ip4_addr;

/* LWIP_HOOK_TCP_INPACKET_PCB: a segment has come for a connection, and lwIP is about to work on
 * it. The connection is noted for service after the batch: an ACK that only opens the window
 * calls back nowhere else. kernel/net/connection.c */
void connection_note_segment(struct tcp_pcb *pcb);

/* LWIP_HOOK_IP4_ROUTE_SRC: packets to ourselves take the loopback. NULL: route as usual.
 * kernel/net/interface.c */
struct netif *interface_route_hook(const struct ip4_addr *dest);

/* LWIP_HOOK_ETHARP_GET_GW: whom to hand a packet to whose destination is not in the interface's
 * own network. kernel/net/route.c */
const struct ip4_addr *route_gateway_hook(struct netif *netif, const struct ip4_addr *dest);

/* LWIP_HOOK_DHCP_PARSE_OPTION: an option of a DHCP message. kernel/net/name_server.c */
struct pbuf;
void dhcp_option_hook(unsigned char option, unsigned char len, const struct pbuf *p,
                      unsigned short offset);

/* LWIP_HOOK_TCP_ISN is net_random: a peer must not be able to guess the first sequence number
 * (RFC 6528). */

#endif
