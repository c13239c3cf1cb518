/* The drivers of PCI devices: to add one, name it here. The first that takes a device has it. */
#include "drivers/pci.h"

extern const struct pci_driver ide_driver;   /* drivers/ide/ide.c */
extern const struct pci_driver e1000_driver; /* drivers/e1000/ */

const struct pci_driver *const pci_drivers[] = {
    &ide_driver,
    &e1000_driver,
    NULL,
};
