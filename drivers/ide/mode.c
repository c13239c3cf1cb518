/*
 * Which way a drive's bytes take: switched between two requests, on a disk in use.
 *
 * hdparm -d chooses between DMA and programmed I/O, for each drive; disk_polling says of all drives
 * whether programmed I/O polls or waits for interrupts. So polling changes nothing for a drive in
 * DMA mode until it is told -d0. Drives that share a channel may be in different modes: the channel
 * gives each request to its own drive's.
 */
#include "drivers/ide/ide.h"
#include "kernel/lib/lib.h"

static const struct ide_transfer *const modes[] = {&ide_dma, &ide_pio_irq, &ide_pio_poll};
bool ide_polling;

/* The channel is the caller's. A drive that refuses a count may have given up what was agreed on
 * before (ATA-6, SET MULTIPLE MODE); one block a sector (0) is ours to choose, whatever it says. */
static int agree(struct ide_channel *c, struct ide_drive *d, u32 multiple)
{
    if (multiple == d->multiple)
        return 0;
    if (ide_set_multiple(c, d, multiple) || !multiple) {
        d->multiple = multiple;
        return 0;
    }
    if (d->multiple && !ide_set_multiple(c, d, d->multiple))
        d->multiple = 0;
    return -EIO;
}

int ide_set_mode(struct ide_drive *d, const struct ide_transfer *mode, u32 multiple)
{
    struct ide_channel *c = d->channel;
    if (multiple > d->max_multiple)
        return -EINVAL;
    if (mode->mover == MOVER_DMA && !d->can_dma)
        return -EPERM;
    u32 flags = ide_pause(c);
    int error = d->failed ? -EIO : agree(c, d, multiple);
    if (!error)
        d->transfer = mode;
    ide_resume(c, flags);
    return error;
}

static const struct ide_transfer *programmed(void)
{
    return ide_polling ? &ide_pio_poll : &ide_pio_irq;
}

int ide_set_dma(struct ide_drive *d, bool on)
{
    return ide_set_mode(d, on ? &ide_dma : programmed(), d->multiple);
}

int ide_set_polling(bool on)
{
    int error = 0;
    ide_polling = on;
    for (u32 i = 0; i < IDE_MAX_DRIVES; i++) {
        struct ide_drive *d = ide_drive_number(i);
        if (!d || d->transfer->mover == MOVER_DMA)
            continue;
        int err = ide_set_mode(d, programmed(), d->multiple);
        error = error ? error : err;
    }
    return error;
}

void ide_mode_of_cmdline(struct ide_drive *d)
{
    char name[16];
    if (!cmdline_get("ferry.disk", name, sizeof(name)))
        return;
    for (u32 i = 0; i < ARRAY_LEN(modes); i++) {
        if (strcmp(modes[i]->name, name) != 0 || ide_set_mode(d, modes[i], 0) != 0)
            continue;
        ide_polling = ide_polling || modes[i] == &ide_pio_poll;
        return;
    }
    kprintf("%s: no mode %s, left in %s\n", d->block.name, name, d->transfer->name);
}
