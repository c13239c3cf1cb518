/*
 * Sending: packets become descriptors, the tail tells the card, DD tells us.
 *
 * The order of each packet: count what it needs and refuse early when it does not fit; the
 * context if the last one says something else; one data descriptor a range, the last with EOP
 * and RS. Its first slot remembers which descriptor will be written back (3.3.3.2), so reaping
 * looks at one word a packet.
 */
#include "drivers/e1000/e1000.h"
#include "kernel/cpu/cpu.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/page.h"

#define LOST_ETHERTYPE 0x88B5 /* IEEE 802 local experimental 1: nobody listens to it */

int e1000_tx_init(struct e1000 *e)
{
    struct page *page = page_alloc_zeroed(PAGE_KERNEL, HOLD_KERNEL);
    if (!page)
        return -ENOMEM;
    e->tx_ring = page_virt(page);
    e1000_write(e, TDBAL, page_phys(page));
    e1000_write(e, TDBAH, 0);
    e1000_write(e, TDLEN, E1000_TX_RING * sizeof(struct e1000_tx_desc));
    e1000_write(e, TDH, 0);
    e1000_write(e, TDT, 0);
    e1000_write(e, TIPG, TIPG_COPPER);
    e1000_write(e, TCTL, TCTL_EN | TCTL_PSP | TCTL_CT | TCTL_COLD_FD);
    return 0;
}

/* The fault option: the frame goes out under a type that no peer takes, so it is lost although
 * the card has fetched every byte of it. */
static void lose(struct e1000 *e, struct e1000_tx_slot *slot, const struct netdev_packet *p)
{
    e->dev.stats.tx_dropped_fault++;
    slot->ethertype = (u8 *)phys_to_virt(p->ranges[0].phys) + 12;
    slot->was[0] = slot->ethertype[0];
    slot->was[1] = slot->ethertype[1];
    slot->ethertype[0] = LOST_ETHERTYPE >> 8;
    slot->ethertype[1] = LOST_ETHERTYPE & 0xFF;
}

static inline void put(volatile struct e1000_tx_desc *to, const struct e1000_tx_desc *d)
{
    to->word[0] = d->word[0];
    to->word[1] = d->word[1];
    to->word[2] = d->word[2];
    to->word[3] = d->word[3]; /* clears DD */
}

int e1000_tx(struct netdev *dev, const struct netdev_packet *p)
{
    struct e1000 *e = dev->priv;
    struct e1000_context context;
    bool new_context =
        e1000_context_of(p, &context) && !e1000_context_same(&context, &e->tx_context);
    u32 slots = p->nr_ranges + new_context;
    if (unlikely(slots > e1000_ring_free(e->tx_next, e->tx_clean, E1000_TX_RING))) {
        dev->stats.tx_busy++;
        return -ENOBUFS;
    }

    struct e1000_tx_slot *slot = &e->tx_slots[e->tx_next];
    struct e1000_tx_desc d;
    u32 bytes = 0;
    slot->cookie = p->cookie;
    slot->ethertype = NULL;
    if (new_context) {
        e1000_build_context(&d, &context);
        put(&e->tx_ring[e->tx_next], &d);
        e->tx_next = (e->tx_next + 1) % E1000_TX_RING;
        e->tx_context = context;
    }
    for (u32 i = 0; i < p->nr_ranges; i++) {
        e1000_build_data(&d, p, i);
        put(&e->tx_ring[e->tx_next], &d);
        slot->last = e->tx_next;
        e->tx_next = (e->tx_next + 1) % E1000_TX_RING;
        bytes += p->ranges[i].len;
    }
    if (unlikely(netdev_drop_due(dev, &dev->tx_drop_count)))
        lose(e, slot, p);
    dev->tx_inflight++;
    dev->stats.tx_packets++;
    dev->stats.tx_bytes += bytes;
    dev->stats.tx_descriptors += slots;
    dev->stats.tx_tso += p->mss != 0;
    trace(TRACE_TX, bytes, slots);
    return 0;
}

void e1000_tx_kick(struct netdev *dev)
{
    struct e1000 *e = dev->priv;
    if (e->tx_tail == e->tx_next)
        return;
    compiler_barrier(); /* the descriptors are written before the card is told of them */
    e->tx_tail = e->tx_next;
    dev->stats.doorbells++;
    e1000_write(e, TDT, e->tx_tail);
}

void e1000_tx_reap(struct netdev *dev)
{
    struct e1000 *e = dev->priv;
    while (e->tx_clean != e->tx_next) {
        struct e1000_tx_slot *slot = &e->tx_slots[e->tx_clean];
        if (!(e->tx_ring[slot->last].word[3] & TXD_STA_DD))
            return;
        if (unlikely(slot->ethertype != NULL)) {
            slot->ethertype[0] = slot->was[0];
            slot->ethertype[1] = slot->was[1];
        }
        e->tx_clean = (slot->last + 1) % E1000_TX_RING;
        dev->tx_inflight--;
        netdev_tx_done(dev, slot->cookie);
    }
}
