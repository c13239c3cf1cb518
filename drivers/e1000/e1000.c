/*
 * The Intel 82540EM gigabit Ethernet controller, as QEMU emulates it.
 *
 * Rings of 256 descriptors each way. The interrupt handler reads the cause, forbids further
 * interrupts and wakes netd, which polls the rings until they are empty and then allows them
 * again; a task that waits for its own packets polls in the same way. Transmit completion raises
 * no interrupt: finished descriptors are collected when something else happens.
 */
#include "drivers/e1000/e1000.h"
#include "drivers/pci.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"

#define MAX_CARDS 4
static struct e1000 cards[MAX_CARDS];
static char bus_infos[MAX_CARDS][16];
static u32 nr_cards;

static bool e1000_irq(void *device)
{
    struct e1000 *e = device;
    if (e->masked) /* not ours: another device on the line */
        return false;
    u32 cause = e1000_read(e, ICR);
    if (!(cause & INT_WANTED))
        return false;
    e->dev.stats.irqs++;
    e->masked = true;
    e1000_write(e, IMC, ~0u);
    if (cause & INT_LSC)
        e->link_check = true;
    netdev_schedule(&e->dev);
    return true;
}

static void e1000_irq_unmask(struct netdev *dev)
{
    struct e1000 *e = dev->priv;
    if (!e->masked)
        return;
    /* Causes of what was polled in the meantime would interrupt at once: clear them. A frame
     * that comes after this read is a new cause; one that came before it, the caller sees. */
    if (e1000_read(e, ICR) & INT_LSC)
        e->link_check = true;
    e->masked = false;
    e1000_write(e, IMS, INT_WANTED);
}

static const struct netdev_ops e1000_ops = {
    .open = e1000_rx_open,
    .tx = e1000_tx,
    .tx_kick = e1000_tx_kick,
    .tx_reap = e1000_tx_reap,
    .rx_poll = e1000_rx_poll,
    .rx_pending = e1000_rx_pending,
    .irq_unmask = e1000_irq_unmask,
};

static void read_mac(struct e1000 *e)
{
    u32 low = e1000_read(e, RAL0), high = e1000_read(e, RAH0); /* loaded from the EEPROM (5.6) */
    for (u32 i = 0; i < 6; i++)
        e->dev.mac[i] = i < 4 ? low >> (8 * i) : high >> (8 * (i - 4));
}

static int e1000_probe(const struct pci_device *pci)
{
    if (nr_cards == MAX_CARDS)
        return -ENOMEM;
    struct e1000 *e = &cards[nr_cards];
    char *bus_info = bus_infos[nr_cards];
    snprintf(bus_info, sizeof(bus_infos[0]), "0000:%02x:%02x.%u", pci->bus, pci->slot,
             pci->function);

    pci_enable(pci, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    u16 command = pci_read16(pci, PCI_COMMAND);
    if (command & PCI_COMMAND_INTX_OFF)
        pci_write16(pci, PCI_COMMAND, command & ~PCI_COMMAND_INTX_OFF);
    e->regs = pci->bar[0] && !pci->bar_is_io[0] ? mmio_map(pci->bar[0], pci->bar_size[0]) : NULL;
    if (!e->regs) {
        kprintf("e1000 at %s: no registers\n", bus_info);
        return -EIO;
    }

    /* Reset (14.3). The emulated card ignores it: heads and tails are set by us in any case. */
    e1000_write(e, IMC, ~0u);
    e1000_write(e, CTRL, e1000_read(e, CTRL) | CTRL_RST);
    delay_us(20);
    e1000_write(e, IMC, ~0u);
    e1000_read(e, ICR);
    e1000_write(e, CTRL, e1000_read(e, CTRL) | CTRL_SLU | CTRL_ASDE);
    e->masked = true;

    e->dev.priv = e;
    e->dev.driver = "e1000";
    e->dev.bus_info = bus_info;
    e->dev.mtu = 1500;
    e->dev.features_available = NETDEV_SG | NETDEV_CSUM | NETDEV_TSO;
    e->dev.features = e->dev.features_available;
    e->dev.ops = &e1000_ops;
    read_mac(e);
    if (e1000_rx_init(e) < 0 || e1000_tx_init(e) < 0) {
        kprintf("e1000 at %s: no memory for the rings\n", bus_info);
        return -ENOMEM;
    }
    static const u16 speeds[] = {10, 100, 1000, 1000};
    u32 status = e1000_read(e, STATUS);
    e->dev.link_up = status & STATUS_LU;
    e->dev.full_duplex = status & STATUS_FD;
    e->dev.speed = speeds[status >> STATUS_SPEED_SHIFT & 3];
    e->dev.tx_ring = E1000_TX_RING;
    e->dev.rx_ring = E1000_RX_RING;
    int err = irq_register(pci->irq, "e1000", e1000_irq, e);
    if (err < 0) {
        kprintf("e1000 at %s: no interrupt line\n", bus_info);
        return err;
    }
    nr_cards++;
    netdev_register(&e->dev);
    const u8 *mac = e->dev.mac;
    kprintf("%s: e1000 at %s, irq %u, %02x:%02x:%02x:%02x:%02x:%02x, link %s\n", e->dev.name,
            bus_info, pci->irq, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5],
            e->dev.link_up ? "up" : "down");
    return 0;
}

static const struct pci_id e1000_ids[] = {
    {.vendor = 0x8086, .device = 0x100E}, /* 82540EM: QEMU's e1000 */
    {.vendor = 0x8086, .device = 0x100F}, /* 82545EM */
    {0},
};

const struct pci_driver e1000_driver = {
    .name = "e1000",
    .ids = e1000_ids,
    .probe = e1000_probe,
};
