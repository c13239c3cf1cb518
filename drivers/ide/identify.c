/*
 * Finding out what is on a channel: IDENTIFY DEVICE, by polling, before interrupts are wanted.
 *
 * The common cases must be quick: an empty channel or place is recognised by what its registers
 * read (nothing drives the bus, so they float), without waiting for anything. A disk answers
 * within microseconds of being ready.
 */
#include "drivers/ide/ide.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

#define IDENTIFY_US 5000000 /* a disk that is still spinning up is busy for seconds */

/* IDENTIFY DEVICE data, by word (ATA-6, clause 8, IDENTIFY DEVICE). */
enum identify_word {
    ID_MODEL = 27,    /* to 46: two characters a word, the first in the high byte */
    ID_MULTIPLE = 47, /* low byte: the most sectors of a block */
    ID_CAPABILITIES = 49,
    ID_LBA28_SECTORS = 60, /* two words */
    ID_FEATURES2 = 83,
    ID_LBA48_SECTORS = 100, /* four words */
    ID_SECTOR_LOGICAL = 106,
    ID_SECTOR_WORDS = 117, /* two words */
};
enum { CAPABILITY_DMA = 1 << 8, CAPABILITY_LBA = 1 << 9 };
enum {
    FEATURES2_VALID_MASK = 3 << 14,
    FEATURES2_VALID = 1 << 14,
    FEATURES2_LBA48 = 1 << 10,
    FEATURES2_FLUSH = 1 << 12,
    FEATURES2_FLUSH_EXT = 1 << 13
};
enum { SECTOR_VALID_MASK = 3 << 14, SECTOR_VALID = 1 << 14, SECTOR_LONG = 1 << 12 };

/* What a packet device leaves in LBA mid and high when it refuses the command (ATA-6, 9.12). */
enum { ATAPI_LBA_MID = 0x14, ATAPI_LBA_HIGH = 0xEB };

static u64 sectors_of(const u16 *id)
{
    u64 sectors = id[ID_LBA28_SECTORS] | (u64)id[ID_LBA28_SECTORS + 1] << 16;
    if ((id[ID_FEATURES2] & (FEATURES2_VALID_MASK | FEATURES2_LBA48)) ==
        (FEATURES2_VALID | FEATURES2_LBA48)) {
        u64 lba48 = 0;
        for (int i = 3; i >= 0; i--)
            lba48 = lba48 << 16 | id[ID_LBA48_SECTORS + i];
        if (lba48 > sectors && lba48 < 1ull << 48)
            return lba48;
    }
    return MIN(sectors, (u64)IDE_LBA28_SECTORS);
}

static u8 flush_opcode_of(u16 features2)
{
    if ((features2 & FEATURES2_VALID_MASK) != FEATURES2_VALID)
        return 0;
    return features2 & FEATURES2_FLUSH_EXT ? COMMAND_FLUSH_CACHE_EXT
           : features2 & FEATURES2_FLUSH   ? COMMAND_FLUSH_CACHE
                                           : 0;
}

static u32 sector_bytes_of(const u16 *id)
{
    u16 w = id[ID_SECTOR_LOGICAL];
    if ((w & SECTOR_VALID_MASK) != SECTOR_VALID || !(w & SECTOR_LONG))
        return SECTOR_SIZE;
    return (id[ID_SECTOR_WORDS] | (u32)id[ID_SECTOR_WORDS + 1] << 16) * 2;
}

/* 40 characters padded with blanks; whatever is not printable becomes a dot. */
static void model_of(const u16 *id, char model[41])
{
    u32 len = 40;
    for (u32 i = 0; i < len; i++) {
        char ch = (char)(id[ID_MODEL + i / 2] >> (i % 2 ? 0 : 8));
        model[i] = ch >= ' ' && ch <= '~' ? ch : '.';
    }
    while (len && model[len - 1] == ' ')
        len--;
    model[len] = 0;
}

/* Something latches what is written to it: a drive is there (or its neighbour answers for it). */
static bool registers_answer(struct ide_channel *c)
{
    ide_write(c, c->base + IDE_SECTOR_COUNT, 0x55);
    ide_write(c, c->base + IDE_LBA_LOW, 0xAA);
    return ide_read(c, c->base + IDE_SECTOR_COUNT) == 0x55 &&
           ide_read(c, c->base + IDE_LBA_LOW) == 0xAA;
}

static bool identify(struct ide_channel *c, struct ide_drive *d, u16 *id)
{
    ide_select(c, d, DEVICE_LBA);
    u8 status = ide_read(c, c->control);
    if (status == 0xFF || status == 0x7F) /* floats, with and without a pull-down on D7 */
        return false;
    if ((status & STATUS_BSY) && !ide_poll(c, STATUS_BSY, 0, IDENTIFY_US)) {
        kprintf("%s: unit %u is busy for ever, left alone\n", c->name, d->unit);
        return false;
    }
    if (!registers_answer(c))
        return false;

    ide_write(c, c->base + IDE_COMMAND, COMMAND_IDENTIFY_DEVICE);
    for (int i = 0; i < 4; i++) /* 400 ns until the status is the command's */
        ide_read(c, c->control);
    if (ide_read(c, c->control) == 0) /* a master answering for a slave that is not there */
        return false;
    if (!ide_poll(c, STATUS_BSY, 0, IDENTIFY_US)) {
        kprintf("%s: unit %u does not answer IDENTIFY\n", c->name, d->unit);
        return false;
    }
    status = ide_read(c, c->base + IDE_STATUS);
    if (!(status & STATUS_DRQ) || (status & STATUS_ERR)) {
        if (ide_read(c, c->base + IDE_LBA_MID) == ATAPI_LBA_MID &&
            ide_read(c, c->base + IDE_LBA_HIGH) == ATAPI_LBA_HIGH)
            kprintf("%s: unit %u is a packet device (ATAPI), left alone\n", c->name, d->unit);
        return false;
    }
    for (u32 i = 0; i < IDE_ID_WORDS; i++)
        id[i] = inw(c->base + IDE_DATA);
    d->stats.reg_reads += IDE_ID_WORDS;
    ide_read(c, c->base + IDE_STATUS);
    return true;
}

/* Says why a disk cannot be used; NULL when it can. */
static const char *refusal(const u16 *id)
{
    if (!(id[ID_CAPABILITIES] & CAPABILITY_LBA))
        return "knows no LBA";
    if (sector_bytes_of(id) != SECTOR_SIZE)
        return "has sectors of another size than 512 bytes";
    if (sectors_of(id) == 0)
        return "has no sectors";
    return NULL;
}

void ide_identify(struct ide_channel *c)
{
    static u16 id[IDE_ID_WORDS];
    ide_write(c, c->control, CONTROL_NIEN);
    for (int i = 0; i < 2; i++) {
        struct ide_drive *d = &c->drives[i];
        if (!identify(c, d, id))
            continue;
        model_of(id, d->block.model);
        const char *why_not = refusal(id);
        if (why_not) {
            kprintf("%s: unit %u (%s) %s, left alone\n", c->name, d->unit, d->block.model, why_not);
            continue;
        }
        d->block.nr_sectors = sectors_of(id);
        d->max_multiple = id[ID_MULTIPLE] & 0xFF;
        d->flush_opcode = flush_opcode_of(id[ID_FEATURES2]);
        d->can_dma = id[ID_CAPABILITIES] & CAPABILITY_DMA;
        d->transfer = d->can_dma ? &ide_dma : ide_programmed();
        d->identity = kmalloc(sizeof(id));
        if (!d->identity) {
            kprintf("%s: no memory for unit %u, left alone\n", c->name, d->unit);
            continue;
        }
        memcpy(d->identity, id, sizeof(id));
        d->present = true;
    }
    c->selected = NULL;
    ide_write(c, c->control, 0);
}
