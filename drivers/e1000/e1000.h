/*
 * Intel 82540EM ("e1000"): registers, descriptors and the driver's state.
 *
 * Names and section numbers are those of the "PCI/PCI-X Family of Gigabit Ethernet Controllers
 * Software Developer's Manual" (8254x manual).
 */
#ifndef DRIVERS_E1000_H
#define DRIVERS_E1000_H

#include "drivers/netdev.h"
#include "kernel/lib/types.h"

/* Section 13.4; byte offsets from BAR 0. */
enum e1000_register {
    CTRL = 0x0000,   /* 13.4.1 device control */
    STATUS = 0x0008, /* 13.4.2 */
    ICR = 0x00C0,    /* 13.4.17 interrupt cause; reading clears it */
    ITR = 0x00C4,    /* 13.4.18 interrupt throttling */
    IMS = 0x00D0,    /* 13.4.20 mask set: writing 1 allows a cause */
    IMC = 0x00D8,    /* 13.4.21 mask clear: writing 1 forbids it */
    RCTL = 0x0100,   /* 13.4.22 receive control */
    TCTL = 0x0400,   /* 13.4.33 transmit control */
    TIPG = 0x0410,   /* 13.4.34 gap between packets */
    RDBAL = 0x2800,  /* 13.4.25 receive ring: address, */
    RDBAH = 0x2804,
    RDLEN = 0x2808, /* length in bytes, */
    RDH = 0x2810,   /* head (the card's) */
    RDT = 0x2818,   /* and tail (ours) */
    RDTR = 0x2820,  /* 13.4.30 receive delay timer */
    TDBAL = 0x3800, /* 13.4.35 transmit ring */
    TDBAH = 0x3804,
    TDLEN = 0x3808,
    TDH = 0x3810,
    TDT = 0x3818,
    MTA = 0x5200,  /* 13.5.1 multicast table, 128 words */
    RAL0 = 0x5400, /* 13.5.2 receive address */
    RAH0 = 0x5404,
};

enum {
    CTRL_ASDE = 1 << 5, /* speed detected by itself */
    CTRL_SLU = 1 << 6,  /* set link up */
    CTRL_RST = 1 << 26,
    STATUS_FD = 1 << 0,     /* full duplex */
    STATUS_LU = 1 << 1,     /* link is up */
    STATUS_SPEED_SHIFT = 6, /* two bits: 10, 100, 1000, 1000 Mbit/s */

    /* Interrupt causes, 13.4.17 */
    INT_LSC = 1 << 2,  /* link changed */
    INT_RXO = 1 << 6,  /* receiver overrun */
    INT_RXT0 = 1 << 7, /* frames received */
    INT_WANTED = INT_LSC | INT_RXO | INT_RXT0,

    RCTL_EN = 1 << 1,
    RCTL_BAM = 1 << 15,   /* take broadcasts */
    RCTL_SECRC = 1 << 26, /* strip the frame check sequence */
    /* BSIZE 00: buffers of 2048 bytes */

    TCTL_EN = 1 << 1,
    TCTL_PSP = 1 << 3,         /* pad short packets */
    TCTL_CT = 0x0F << 4,       /* collision threshold */
    TCTL_COLD_FD = 0x40 << 12, /* collision distance, full duplex */
};

/* 13.4.34, IEEE 802.3 values: IPGT 10, IPGR1 4, IPGR2 6 */
#define TIPG_COPPER (10 | 4 << 10 | 6 << 20)

/*
 * A transmit descriptor: four little-endian words. Two formats are used, both of 3.3.5:
 *
 *             word 0                 word 1                   word 2               word 3
 * context     IPCSS IPCSO IPCSE      TUCSS TUCSO TUCSE        PAYLEN DTYP TUCMD    STA HDRLEN MSS
 * data        address, low half      address, high half       DTALEN DTYP DCMD     STA POPTS
 *
 * A context says where the checksums are and how to cut; the data descriptors behind it refer to
 * the last context.
 */
struct e1000_tx_desc {
    u32 word[4];
};

/* Word 2: DTYP, and TUCMD (3.3.6) or DCMD (3.3.7.1). */
enum {
    TXD_DTYP_CONTEXT = 0 << 20,
    TXD_DTYP_DATA = 1 << 20,
    TXD_DEXT = 1 << 29,
    TUCMD_TCP = 1 << 24,
    TUCMD_IP = 1 << 25,
    TUCMD_TSE = 1 << 26,
    DCMD_EOP = 1 << 24,
    DCMD_IFCS = 1 << 25,
    DCMD_TSE = 1 << 26,
    DCMD_RS = 1 << 27,
};
/* Word 3. */
enum {
    TXD_STA_DD = 1 << 0,
    POPTS_IXSM = 1 << 8, /* insert the IP checksum */
    POPTS_TXSM = 1 << 9, /* insert the TCP checksum */
};

struct e1000_rx_desc { /* 3.2.3 */
    u64 address;
    u16 length;
    u16 checksum;
    u8 status, errors;
    u16 special;
};
enum { RXD_STA_DD = 1 << 0, RXD_STA_EOP = 1 << 1 };

#define E1000_TX_RING 256u /* descriptors of 16 bytes: one page */
#define E1000_RX_RING 256u

/* descriptor.c: pure, so that it can be tested on the host. */
struct e1000_context { /* what a context descriptor says; equal ones need not be written twice */
    u32 payload_len;
    u16 mss;
    u8 header_len;
    bool valid;
};
/* Whether the packet needs a context, and which. */
bool e1000_context_of(const struct netdev_packet *p, struct e1000_context *context);
bool e1000_context_same(const struct e1000_context *a, const struct e1000_context *b);
void e1000_build_context(struct e1000_tx_desc *d, const struct e1000_context *context);
/* Range i of the packet; EOP and RS only on the last. */
void e1000_build_data(struct e1000_tx_desc *d, const struct netdev_packet *p, u32 i);
/* Free slots, one of which always stays free: a ring with tail == head is empty (3.4). */
static inline u32 e1000_ring_free(u32 next, u32 clean, u32 size)
{
    return (clean + size - next - 1) % size;
}

struct e1000_tx_slot { /* filled in for the first descriptor of a packet */
    void *cookie;
    u8 *ethertype; /* changed by the fault option; NULL: untouched */
    u8 was[2];     /* what it was */
    u16 last;      /* the descriptor whose DD tells that the packet was fetched */
};

struct e1000 {
    struct netdev dev; /* first */
    volatile u8 *regs;
    bool masked;     /* the card may not interrupt: netd is at work */
    bool link_check; /* the link has changed */

    volatile struct e1000_tx_desc *tx_ring;
    u32 tx_next;  /* first free descriptor */
    u32 tx_clean; /* first descriptor not yet handed back */
    u32 tx_tail;  /* what TDT was last set to */
    struct e1000_context tx_context;
    struct e1000_tx_slot tx_slots[E1000_TX_RING];

    volatile struct e1000_rx_desc *rx_ring;
    u32 rx_next;     /* next descriptor that the card fills */
    u32 rx_returned; /* descriptors handled since RDT was written */
    struct rx_buffer *rx_buffers[E1000_RX_RING];
};

static inline u32 e1000_read(struct e1000 *e, enum e1000_register reg)
{
    e->dev.stats.reg_reads++;
    return *(volatile u32 *)(e->regs + reg);
}

static inline void e1000_write(struct e1000 *e, enum e1000_register reg, u32 value)
{
    e->dev.stats.reg_writes++;
    *(volatile u32 *)(e->regs + reg) = value;
}

/* transmit.c */
int e1000_tx_init(struct e1000 *e); /* 0 or -ENOMEM */
int e1000_tx(struct netdev *d, const struct netdev_packet *p);
void e1000_tx_kick(struct netdev *d);
void e1000_tx_reap(struct netdev *d);

/* receive.c */
int e1000_rx_init(struct e1000 *e); /* 0 or -ENOMEM */
u32 e1000_rx_poll(struct netdev *d, u32 budget);
void e1000_rx_open(struct netdev *dev);
bool e1000_rx_pending(struct netdev *d);

#endif
