/*
 * PCI: finds the devices and offers each to the drivers of drivers/table.c.
 *
 * Configuration space is reached by mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2): the address of a
 * register goes to port CF8h, its value is read or written at port CFCh. Buses are found by
 * walking through the bridges, so that a machine with one bus costs 32 probes and not 8192.
 * Resources stay where the firmware put them.
 */
#include "drivers/pci.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"

enum { CONFIG_ADDRESS = 0xCF8, CONFIG_DATA = 0xCFC };
#define CONFIG_ENABLE (1u << 31)

#define HEADER_TYPE_MASK     0x7F
#define HEADER_MULTIFUNCTION 0x80
enum header_type { HEADER_DEVICE = 0, HEADER_BRIDGE = 1 };
#define PCI_SECONDARY_BUS 0x19 /* of a bridge (PCI-to-PCI Bridge 1.2, 3.2.5.4) */

/* Base address registers (PCI 3.0, 6.2.5.1). */
#define BAR_IO          (1u << 0)
#define BAR_IO_MASK     0xFFFFFFFCu
#define BAR_TYPE_MASK   (3u << 1)
#define BAR_TYPE_64     (2u << 1)
#define BAR_MEMORY_MASK 0xFFFFFFF0u

/* A device is kept for good once a driver has taken it: drivers hold pointers to it. */
#define MAX_DEVICES 32
static struct pci_device devices[MAX_DEVICES];
static u32 nr_devices;

static void config_select(const struct pci_device *d, u8 reg)
{
    outl(CONFIG_ADDRESS, CONFIG_ENABLE | (u32)d->bus << 16 | (u32)d->slot << 11 |
                             (u32)d->function << 8 | (reg & 0xFC));
}

/* The address register is shared by all: select and access must not be interrupted. */
u32 pci_read32(const struct pci_device *d, u8 reg)
{
    u32 flags = irq_save();
    config_select(d, reg);
    u32 value = inl(CONFIG_DATA);
    irq_restore(flags);
    return value;
}

u16 pci_read16(const struct pci_device *d, u8 reg)
{
    return (u16)(pci_read32(d, reg) >> (reg & 2) * 8);
}

u8 pci_read8(const struct pci_device *d, u8 reg)
{
    return (u8)(pci_read32(d, reg) >> (reg & 3) * 8);
}

void pci_write32(const struct pci_device *d, u8 reg, u32 value)
{
    u32 flags = irq_save();
    config_select(d, reg);
    outl(CONFIG_DATA, value);
    irq_restore(flags);
}

/* Writes two bytes and no more: the status register, beside the command register, has bits that
 * writing a one clears. */
void pci_write16(const struct pci_device *d, u8 reg, u16 value)
{
    u32 flags = irq_save();
    config_select(d, reg);
    outw(CONFIG_DATA + (reg & 2), value);
    irq_restore(flags);
}

void pci_enable(const struct pci_device *d, u16 command_bits)
{
    u16 command = pci_read16(d, PCI_COMMAND) | command_bits;
    if (command_bits & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY))
        command &= ~PCI_COMMAND_INTX_OFF;
    pci_write16(d, PCI_COMMAND, command);
}

/*
 * Reads the base addresses and their sizes. The size shows in the bits that stay zero when ones
 * are written; meanwhile the device must not answer at the address this makes, so decoding is off.
 */
static void read_bars(struct pci_device *d, u32 nr_bars)
{
    u16 command = pci_read16(d, PCI_COMMAND);
    pci_write16(d, PCI_COMMAND, command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
    for (u32 i = 0; i < nr_bars; i++) {
        u8 reg = (u8)(PCI_BAR0 + 4 * i);
        u32 value = pci_read32(d, reg);
        pci_write32(d, reg, ~0u);
        u32 probed = pci_read32(d, reg);
        pci_write32(d, reg, value);

        bool io = value & BAR_IO;
        u32 mask = io ? BAR_IO_MASK : BAR_MEMORY_MASK;
        u32 size = ~(probed & mask) + 1;
        if (io) /* a device may leave the upper half of an I/O address unwired */
            size &= 0xFFFF;
        if ((probed & mask) == 0)
            continue;
        d->bar_is_io[i] = io;
        d->bar[i] = value & mask;
        d->bar_size[i] = size;
        if (!io && (value & BAR_TYPE_MASK) == BAR_TYPE_64) {
            i++; /* the upper half: usable only when the firmware stayed below 4 GiB */
            if (i < nr_bars && pci_read32(d, (u8)(PCI_BAR0 + 4 * i)) != 0)
                d->bar[i - 1] = 0;
        }
    }
    pci_write16(d, PCI_COMMAND, command);
}

static bool id_matches(const struct pci_id *id, const struct pci_device *d)
{
    if (id->vendor)
        return id->vendor == d->vendor && (!id->device || id->device == d->device);
    return id->class == d->class && id->subclass == d->subclass;
}

static bool id_is_last(const struct pci_id *id)
{
    return !id->vendor && !id->device && !id->class && !id->subclass;
}

/* Offers the device to each driver that names it, until one takes it. */
static void attach(const struct pci_device *d)
{
    for (const struct pci_driver *const *driver = pci_drivers; *driver; driver++) {
        for (const struct pci_id *id = (*driver)->ids; !id_is_last(id); id++) {
            if (!id_matches(id, d))
                continue;
            int error = (*driver)->probe(d);
            if (!error)
                return;
            kprintf("pci %02x:%02x.%x: %s refuses the device (error %d)\n", d->bus, d->slot,
                    d->function, (*driver)->name, -error);
            break;
        }
    }
}

static void scan_bus(u8 bus);

/* Returns whether there is such a function. */
static bool scan_function(u8 bus, u8 slot, u8 function)
{
    struct pci_device probe = {.bus = bus, .slot = slot, .function = function};
    u32 id = pci_read32(&probe, PCI_VENDOR);
    if ((u16)id == 0xFFFF)
        return false;
    if (nr_devices == MAX_DEVICES) {
        kprintf("pci: more than %d devices, the others are left alone\n", MAX_DEVICES);
        return true;
    }
    struct pci_device *d = &devices[nr_devices++];
    *d = probe;
    d->vendor = (u16)id;
    d->device = (u16)(id >> 16);
    d->class = pci_read8(d, PCI_CLASS);
    d->subclass = pci_read8(d, PCI_SUBCLASS);
    d->prog_if = pci_read8(d, PCI_PROG_IF);
    d->irq = pci_read8(d, PCI_IRQ_LINE);
    u8 type = pci_read8(d, PCI_HEADER_TYPE) & HEADER_TYPE_MASK;
    if (type == HEADER_DEVICE) {
        read_bars(d, 6);
    } else if (type == HEADER_BRIDGE) {
        read_bars(d, 2);
        u8 behind = pci_read8(d, PCI_SECONDARY_BUS);
        if (behind > bus) /* buses are numbered downwards: whatever else it says is no loop */
            scan_bus(behind);
    }
    return true;
}

static void scan_bus(u8 bus)
{
    for (u8 slot = 0; slot < 32; slot++) {
        struct pci_device first = {.bus = bus, .slot = slot};
        if (!scan_function(bus, slot, 0))
            continue;
        if (!(pci_read8(&first, PCI_HEADER_TYPE) & HEADER_MULTIFUNCTION))
            continue;
        for (u8 function = 1; function < 8; function++)
            scan_function(bus, slot, function);
    }
}

void pci_init(void)
{
    scan_bus(0);
    for (u32 i = 0; i < nr_devices; i++)
        attach(&devices[i]);
}
