/*
 * What the files of kernel/net share: the cards, the batch in which received frames, timers and
 * sends are worked off, and the way of a packet to the card.
 *
 * Everything here runs in process context and does not sleep. lwIP is not re-entrant: net_poll
 * is never called from one of its callbacks; a callback notes the connection (connection.h) and
 * the batch serves it when lwIP has returned.
 */
#ifndef KERNEL_NET_STACK_H
#define KERNEL_NET_STACK_H

#include "drivers/netdev.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/types.h"
#include "kernel/mm/page.h"

struct netif;
struct pbuf;

/* net.c */
#define MAX_NETDEVS 4
extern struct netdev *netdevs[MAX_NETDEVS];
extern u32 nr_netdevs;
struct netdev *netdev_find(const char *name); /* NULL when unknown */
void net_poll(void);  /* works off what the cards have, serves connections, rings doorbells */
void net_rest(void);  /* before a task sleeps until the network brings something */
void net_flush(void); /* rings doorbells; wakes netd for packets to ourselves */

enum { MTU_MIN = 68, MTU_MAX = 1500, LOOPBACK_MTU = 65536 }; /* bytes; as on Linux */

/* interface.c: a card, or the loopback, as lwIP's netif. */
void interfaces_init(void); /* adds them all, gives them addresses; may sleep (DHCP) */
void interface_link(struct netdev *d, bool up);
struct netif *interface_find(const char *name);    /* "eth0", "lo" */
struct netif *interface_next(struct netif *after); /* NULL: the first */
const char *interface_name(struct netif *netif);
/* The card behind a netif; NULL for the loopback. */
struct netdev *interface_card(struct netif *netif);
bool interface_is_ours(u32 ip); /* an address of this machine, network byte order */
/* As ifconfig does it. */
void interface_set_up(struct netif *netif, bool up);
void interface_set_address(struct netif *netif, u32 ip, u32 mask);
/* Switches a feature of a card: 0, or -EOPNOTSUPP when the card does not have it. */
int interface_set_features(struct netdev *d, u32 feature, bool on);

/* route.c */
struct netif *route_find(u32 destination); /* NULL: no route in the table */

/* name_server.c: what /proc/net/pnp tells. Network byte order. */
void name_server_add(u32 ip);
void name_server_assume(void); /* QEMU's, when none is known */

/* output.c: packets to the card, and their bytes into the ledger. */
void output_init(void);
u32 output_records_used(void);
struct output_stats {
    u32 slots, bounced, no_record, ring_full, stale;
};
extern struct output_stats output_stats;
/* Who pays for the datagram that is being sent at this moment, and how much of it is the program's;
 * NULL: none is. */
struct output_datagram {
    struct account *payer;
    u32 bytes;
};
extern struct output_datagram output_datagram;

/* input.c: received frames into the stack, and the pool of their buffers. */
void input_init(void);
void input_flush(void);   /* end of a batch: delivers the ACK that was held back */
void input_relieve(void); /* when buffers are short: drops what was received out of order */
struct input_stats {
    u32 buffers, outstanding, limit, pages, dropped, refused, acks_merged;
};
extern struct input_stats input_stats;

/* port.c */
struct heap_use {
    u32 used, max; /* objects */
};
extern struct heap_use heap_use;

/* proof.c: which pages of the cache were put into descriptors. */
extern bool proof_enabled;
void proof_record(struct page *page, phys_t phys, u32 len);

#endif
