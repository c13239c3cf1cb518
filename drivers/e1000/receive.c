/*
 * Receiving: the card fills buffers of the stack's pool; a filled one is replaced in the ring and
 * goes up. Without a replacement the frame is dropped and its buffer used again, so the ring is
 * always full.
 */
#include "drivers/e1000/e1000.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/page.h"

/* The tail is written once for so many buffers: three quarters of the ring are there meanwhile. */
#define RX_RETURN_BATCH (E1000_RX_RING / 4)

int e1000_rx_init(struct e1000 *e)
{
    struct page *page = page_alloc_zeroed(PAGE_KERNEL, HOLD_KERNEL);
    if (!page)
        return -ENOMEM;
    e->rx_ring = page_virt(page);
    for (u32 i = 0; i < E1000_RX_RING; i++) {
        e->rx_buffers[i] = rx_buffer_get();
        if (!e->rx_buffers[i]) {
            while (i-- > 0)
                rx_buffer_put(e->rx_buffers[i]);
            page_put(page, HOLD_KERNEL);
            return -ENOMEM;
        }
        e->rx_ring[i].address = rx_buffer_phys(e->rx_buffers[i]);
    }
    for (u32 i = 0; i < 128; i++)
        e1000_write(e, MTA + 4 * i, 0);
    e1000_write(e, RDBAL, page_phys(page));
    e1000_write(e, RDBAH, 0);
    e1000_write(e, RDLEN, E1000_RX_RING * sizeof(struct e1000_rx_desc));
    e1000_write(e, RDTR, 0);
    e1000_write(e, RDH, 0);
    e1000_write(e, RDT, E1000_RX_RING - 1); /* head == tail would mean: no buffers (3.2.6) */
    return 0;
}

/* The only write of RCTL: QEMU receives nothing for a second of virtual time after each. Not
 * sooner than the network starts: a timer that is pending while the disk works would spoil what
 * ferry.icount does (timer_freeze). */
void e1000_rx_open(struct netdev *dev)
{
    e1000_write(dev->priv, RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
}

bool e1000_rx_pending(struct netdev *dev)
{
    struct e1000 *e = dev->priv;
    return e->rx_ring[e->rx_next].status & RXD_STA_DD || e->link_check;
}

u32 e1000_rx_poll(struct netdev *dev, u32 budget)
{
    struct e1000 *e = dev->priv;
    u32 done = 0;
    if (unlikely(e->link_check)) {
        e->link_check = false;
        netdev_link(dev, e1000_read(e, STATUS) & STATUS_LU);
    }
    while (done < budget) {
        u32 i = e->rx_next;
        volatile struct e1000_rx_desc *d = &e->rx_ring[i];
        u32 status = d->status, len = d->length;
        if (!(status & RXD_STA_DD))
            break;
        done++;
        e->rx_next = (i + 1) % E1000_RX_RING;
        if (unlikely(!(status & RXD_STA_EOP) || d->errors || len > RX_BUFFER_SIZE)) {
            dev->stats.rx_errors++;
        } else if (unlikely(netdev_drop_due(dev, &dev->rx_drop_count))) {
            dev->stats.rx_dropped_fault++;
        } else {
            struct rx_buffer *filled = e->rx_buffers[i], *empty = rx_buffer_get();
            if (unlikely(!empty)) {
                dev->stats.rx_missed++;
            } else {
                e->rx_buffers[i] = empty;
                d->address = rx_buffer_phys(empty);
                dev->stats.rx_packets++;
                dev->stats.rx_bytes += len;
                netdev_rx(dev, filled, len);
            }
        }
        d->status = 0;
        if (++e->rx_returned == RX_RETURN_BATCH) {
            e->rx_returned = 0;
            compiler_barrier();
            e1000_write(e, RDT, i);
        }
    }
    return done;
}
