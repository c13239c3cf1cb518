/* The partition table of a PC's disk, as bytes: no disk, no memory, so that it is tested alone. */
#ifndef DRIVERS_MBR_H
#define DRIVERS_MBR_H

#include "kernel/lib/types.h"

#define MBR_PARTITIONS 4

struct mbr_partition {
    u32 first_lba, nr_sectors; /* nr_sectors 0: not there */
};

/* Reads the four primary partitions out of a disk's first sector. Returns how many are usable;
 * part[i] is hda<i+1>. A sector that is no partition table has none. */
u32 mbr_parse(const u8 sector[512], u64 disk_sectors, struct mbr_partition part[MBR_PARTITIONS]);

#endif
