/*
 * The master boot record: four partitions in the first sector of a disk.
 *
 * Offset 446: four entries of 16 bytes; offset 510: the signature 55h AAh. The same signature ends
 * the boot sector of a FAT or NTFS volume, whose code then stands where the entries would be; so a
 * table is believed only when every entry makes sense.
 */
#include "drivers/mbr.h"

enum { TABLE = 446, ENTRY_SIZE = 16, SIGNATURE = 510 };
enum { ENTRY_STATUS = 0, ENTRY_TYPE = 4, ENTRY_FIRST = 8, ENTRY_COUNT = 12 };
enum { STATUS_ACTIVE = 0x80 };
enum { TYPE_EMPTY = 0x00, TYPE_EXTENDED = 0x05, TYPE_EXTENDED_LBA = 0x0F, TYPE_GPT = 0xEE };

static u32 read_le32(const u8 *p)
{
    return p[0] | (u32)p[1] << 8 | (u32)p[2] << 16 | (u32)p[3] << 24;
}

static bool overlap(const struct mbr_partition *a, const struct mbr_partition *b)
{
    return a->nr_sectors && b->nr_sectors &&
           (u64)a->first_lba < (u64)b->first_lba + b->nr_sectors &&
           (u64)b->first_lba < (u64)a->first_lba + a->nr_sectors;
}

u32 mbr_parse(const u8 sector[512], u64 disk_sectors, struct mbr_partition part[MBR_PARTITIONS])
{
    u32 usable = 0;
    for (u32 i = 0; i < MBR_PARTITIONS; i++)
        part[i] = (struct mbr_partition){0, 0};
    if (sector[SIGNATURE] != 0x55 || sector[SIGNATURE + 1] != 0xAA)
        return 0;
    for (u32 i = 0; i < MBR_PARTITIONS; i++) {
        u8 status = sector[TABLE + i * ENTRY_SIZE + ENTRY_STATUS];
        if (status != 0 && status != STATUS_ACTIVE)
            return 0;
    }
    for (u32 i = 0; i < MBR_PARTITIONS; i++) {
        const u8 *entry = sector + TABLE + i * ENTRY_SIZE;
        struct mbr_partition p = {read_le32(entry + ENTRY_FIRST), read_le32(entry + ENTRY_COUNT)};
        switch (entry[ENTRY_TYPE]) {
        case TYPE_EMPTY:
        case TYPE_EXTENDED:     /* logical partitions are not read */
        case TYPE_EXTENDED_LBA: /* the same */
        case TYPE_GPT:          /* stands for the whole disk of a GPT: no partition */
            continue;
        }
        if (p.first_lba == 0 || p.nr_sectors == 0 || (u64)p.first_lba + p.nr_sectors > disk_sectors)
            continue;
        bool clash = false;
        for (u32 j = 0; j < i; j++)
            clash = clash || overlap(&p, &part[j]);
        if (clash)
            continue;
        part[i] = p;
        usable++;
    }
    return usable;
}
