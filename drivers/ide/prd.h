/*
 * Physical region descriptors: how a bus master learns where in memory a request's bytes lie
 * (Programming Interface for Bus Master IDE Controller, Intel 1994, section 1.2; 82371SB 2.7).
 * Plain arithmetic on a table in memory: no device, so that it is tested alone.
 */
#ifndef DRIVERS_IDE_PRD_H
#define DRIVERS_IDE_PRD_H

#include "kernel/lib/types.h"

struct prd {
    u32 base;  /* physical, even */
    u16 count; /* bytes, even; 0 means 64 KiB */
    u16 flags;
} __packed;

#define PRD_END_OF_TABLE 0x8000
#define PRD_REGION       0x10000u /* a region must not cross such a boundary */
#define PRD_PER_PAGE     (PAGE_SIZE / sizeof(struct prd))

struct prd_table {
    struct prd *entry;
    u32 nr, max;
};

/* Appends bytes, in as few descriptors as the rules allow. False when the table is full or the
 * range is odd or empty: then the table is as it was. */
bool prd_add(struct prd_table *t, u32 phys, u32 len_bytes);
/* Marks the last descriptor. The table must not be empty. */
void prd_end(struct prd_table *t);

#endif
