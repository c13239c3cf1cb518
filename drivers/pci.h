/*
 * PCI by configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2), and the table by which
 * drivers attach.
 */
#ifndef DRIVERS_PCI_H
#define DRIVERS_PCI_H

#include "kernel/lib/types.h"

enum pci_register {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_PROG_IF = 0x09,
    PCI_SUBCLASS = 0x0A,
    PCI_CLASS = 0x0B,
    PCI_HEADER_TYPE = 0x0E,
    PCI_BAR0 = 0x10,
    PCI_IRQ_LINE = 0x3C,
};
enum pci_command {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_INTX_OFF = 1 << 10,
};

struct pci_device {
    u8 bus, slot, function;
    u16 vendor, device;
    u8 class, subclass, prog_if, irq;
    /* Base addresses as the firmware set them, flag bits taken off; 0 when unused. */
    u32 bar[6], bar_size[6];
    bool bar_is_io[6];
};

struct pci_id {
    u16 vendor, device; /* 0: any */
    u8 class, subclass; /* compared when vendor is 0 */
};

struct pci_driver {
    const char *name;
    const struct pci_id *ids;                 /* ends with an all-zero entry */
    int (*probe)(const struct pci_device *d); /* 0, or negative errno: the next driver is tried */
};

void pci_init(void); /* scans every bus and calls the drivers of drivers/table.c */
u8 pci_read8(const struct pci_device *d, u8 reg);
u16 pci_read16(const struct pci_device *d, u8 reg);
u32 pci_read32(const struct pci_device *d, u8 reg);
void pci_write16(const struct pci_device *d, u8 reg, u16 value);
void pci_write32(const struct pci_device *d, u8 reg, u32 value);
/* Sets bits of the command register (memory or I/O decoding, bus mastering). */
void pci_enable(const struct pci_device *d, u16 command_bits);

/* Maps device registers (uncached) and returns their kernel address; NULL without room.
 * kernel/mm/paging.c */
void *mmio_map(phys_t phys, u32 size);

extern const struct pci_driver *const pci_drivers[]; /* drivers/table.c, ends with NULL */

#endif
