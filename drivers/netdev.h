/*
 * Network cards: the small table of operations a card's driver offers.
 *
 * A packet to send is a list of physical ranges (header pieces first, then payload pieces) with
 * what the card shall do to it. The driver maps ranges to descriptors; it never looks at the
 * contents and never copies. Everything here runs in process context with one exception: the
 * interrupt handler, which only masks its card and calls netdev_schedule. Nothing sleeps.
 */
#ifndef DRIVERS_NETDEV_H
#define DRIVERS_NETDEV_H

#include "kernel/lib/types.h"

/* Features, switched by ethtool: sg needs nothing, csum needs nothing, tso needs both. */
enum netdev_feature {
    NETDEV_SG = 1 << 0,   /* more than one range a packet */
    NETDEV_CSUM = 1 << 1, /* the card computes the IPv4 and TCP checksums */
    NETDEV_TSO = 1 << 2,  /* the card cuts a large TCP segment into frames */
};

struct netdev_range {
    phys_t phys;
    u32 len; /* bytes */
};

#define NETDEV_MAX_RANGES 24 /* header pieces + payload pieces of one packet */

struct netdev_packet {
    u32 nr_ranges;
    struct netdev_range ranges[NETDEV_MAX_RANGES];
    bool csum_tcp, csum_ip; /* the TCP field holds the pseudo-header sum, see the driver */
    u16 mss;                /* not 0: TSO, payload bytes a frame */
    u8 header_len;          /* Ethernet + IPv4 + TCP headers, when csum or mss is set */
    void *cookie;           /* given back by netdev_tx_done */
};

struct netdev_stats {
    u64 tx_packets, tx_bytes, tx_descriptors, tx_doorbells, tx_tso, tx_dropped_fault;
    u64 rx_packets, rx_bytes, rx_missed, rx_errors, rx_dropped_fault;
    u64 irqs, reg_reads, reg_writes;
};

struct netdev;
struct netdev_ops {
    /* Puts the packet into the ring; -ENOBUFS when it does not fit now. The card may not start
     * before tx_kick: one doorbell a batch. */
    int (*tx)(struct netdev *d, const struct netdev_packet *p);
    void (*tx_kick)(struct netdev *d);
    /* Hands back the cookies of packets that the card has fetched (netdev_tx_done). */
    void (*tx_reap)(struct netdev *d);
    /* Delivers at most `budget` received frames by netdev_rx; returns how many. */
    u32 (*rx_poll)(struct netdev *d, u32 budget);
    bool (*rx_pending)(struct netdev *d); /* memory only, no register */
    /* Allows interrupts again after netdev_schedule. */
    void (*irq_unmask)(struct netdev *d);
};

struct netdev {
    char name[8]; /* "eth0" */
    const char *driver;
    const char *bus_info;
    u8 mac[6];
    u16 mtu;
    u32 features;           /* switched on now */
    u32 features_available; /* what the card can do */
    bool link_up;
    u32 drop_nth;    /* fault option: every n-th frame, both ways, is lost on the wire; 0: none */
    u32 drop_count;
    u32 tx_inflight; /* packets whose cookie the card still has */
    const struct netdev_ops *ops;
    struct netdev_stats stats;
    void *priv;
};

/* Called by drivers. */
void netdev_register(struct netdev *d);
void netdev_schedule(struct netdev *d); /* interrupt context: there is work, wake netd */
void netdev_tx_done(struct netdev *d, void *cookie);
/* A received frame of len bytes in a buffer whose ownership passes to the stack, which gives it
 * back with rx_buffer_put. */
struct rx_buffer;
void netdev_rx(struct netdev *d, struct rx_buffer *buffer, u32 len);
void netdev_link(struct netdev *d, bool up);

#endif
