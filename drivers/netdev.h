/*
 * Network cards: the small table of operations a card's driver offers.
 *
 * A packet to send is a list of physical ranges (header pieces first, then payload pieces) with
 * what the card shall do to it. The driver maps ranges to descriptors; it never looks at the
 * contents (but for the fault option drop_nth) and never copies. Everything here runs in process
 * context with one exception: the interrupt handler, which only masks its card and calls
 * netdev_schedule. Nothing sleeps.
 */
#ifndef DRIVERS_NETDEV_H
#define DRIVERS_NETDEV_H

#include "kernel/lib/types.h"

/* Features, switched by ethtool: csum needs nothing, sg needs csum, tso needs both (as on Linux,
 * where a card that gathers but cannot checksum would make the CPU read the payload anyway). */
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

/* Counters; ethtool -S and /proc/ferry/net show them by these names. */
#define NETDEV_STATS(X)                                                        \
    X(tx_packets) /* handed to the card; with TSO one packet is many frames */ \
    X(tx_bytes)                                                                \
    X(tx_descriptors)                                                          \
    X(doorbells)        /* writes of the ring's tail */                        \
    X(tx_tso)           /* packets that the card cut */                        \
    X(tx_busy)          /* found no room in the ring */                        \
    X(tx_dropped_fault) /* by drop_nth */                                      \
    X(rx_packets)                                                              \
    X(rx_bytes)                                                                \
    X(rx_missed) /* no buffer to replace the filled one */                     \
    X(rx_errors)                                                               \
    X(rx_dropped_fault) /* by drop_nth */                                      \
    X(irqs)                                                                    \
    X(reg_reads)                                                               \
    X(reg_writes)

struct netdev_stats {
#define X(name) u64 name;
    NETDEV_STATS(X)
#undef X
};

struct netdev;
struct netdev_ops {
    void (*open)(struct netdev *d); /* starts receiving */
    /* Puts the packet into the ring; -ENOBUFS when it does not fit now. The card may not start
     * before tx_kick: one doorbell a batch. */
    int (*tx)(struct netdev *d, const struct netdev_packet *p);
    void (*tx_kick)(struct netdev *d);
    /* Hands back the cookies of packets that the card has fetched (netdev_tx_done). */
    void (*tx_reap)(struct netdev *d);
    /* Delivers at most `budget` received frames by netdev_rx; returns how many. */
    u32 (*rx_poll)(struct netdev *d, u32 budget);
    bool (*rx_pending)(struct netdev *d); /* memory only, no register */
    /* Allows interrupts again after netdev_schedule. What came in before raises none: the caller
     * looks at rx_pending afterwards. */
    void (*irq_unmask)(struct netdev *d);
};

struct netdev {
    char name[8]; /* "eth0", given by netdev_register */
    const char *driver;
    const char *bus_info;
    u8 mac[6];
    u16 mtu;
    u32 features;           /* switched on now */
    u32 features_available; /* what the card can do */
    u32 features_wanted;    /* as switched; features is what of it can stand */
    bool link_up;
    u16 speed; /* Mbit/s */
    bool full_duplex;
    u16 tx_ring, rx_ring; /* descriptors */
    /* Fault option: every n-th frame of each direction is lost on the wire; 0: none. A frame lost
     * on its way out was truly fetched by the card, so the ledger's figures stay what they are. */
    u32 drop_nth;
    u32 tx_drop_count, rx_drop_count;
    u32 tx_inflight; /* packets whose cookie the card still has */
    const struct netdev_ops *ops;
    struct netdev_stats stats;
    void *priv;  /* the driver's own */
    void *stack; /* the stack's own: the interface of kernel/net/interface.c */
};

/* True when the frame that comes now is the n-th; `count` is one of the two counters above. */
static inline bool netdev_drop_due(const struct netdev *d, u32 *count)
{
    if (likely(!d->drop_nth) || ++*count < d->drop_nth)
        return false;
    *count = 0;
    return true;
}

/*
 * Receive buffers: halves of PAGE_RX pages. A driver fills its ring with them and replaces each
 * that it delivers; the stack hands its own back when the data was read. The pool grows to a
 * limit and shrinks again.
 */
#define RX_BUFFER_SIZE 2048u
struct rx_buffer;
struct rx_buffer *rx_buffer_get(void); /* NULL: the limit, or no memory */
void rx_buffer_put(struct rx_buffer *buffer);
phys_t rx_buffer_phys(const struct rx_buffer *buffer);

/* Called by drivers. */
void netdev_register(struct netdev *d);
void netdev_schedule(struct netdev *d); /* interrupt context: there is work, wake netd */
void netdev_tx_done(struct netdev *d, void *cookie);
/* A received frame of len bytes in a buffer whose ownership passes to the stack, which gives it
 * back with rx_buffer_put. */
void netdev_rx(struct netdev *d, struct rx_buffer *buffer, u32 len);
void netdev_link(struct netdev *d, bool up);

#endif
