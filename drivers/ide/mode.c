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

bool ide_polling;

const struct ide_transfer *ide_programmed(void)
{
    return ide_polling ? &ide_pio_poll : &ide_pio_irq;
}

static const struct ide_transfer *mode_named(const char *name)
{
    static const struct ide_transfer *const modes[] = {&ide_dma, &ide_pio_irq, &ide_pio_poll};
    for (u32 i = 0; i < ARRAY_LEN(modes); i++)
        if (!strcmp(modes[i]->name, name))
            return modes[i];
    return NULL;
}

/* The channel is the caller's. A drive that refuses a count may have given up what was agreed on
 * before (ATA-6, SET MULTIPLE MODE); a sector a block (0) is ours to choose, whatever it says. */
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

int ide_set_multcount(struct ide_drive *d, u32 multiple)
{
    struct ide_channel *c = d->channel;
    if (multiple > d->max_multiple)
        return -EINVAL;
    ide_pause(c);
    int error = d->failed ? -EIO : agree(c, d, multiple);
    ide_resume(c);
    return error;
}

/* What has been chosen may have changed while the request under way ended: so it is asked then. */
int ide_set_dma(struct ide_drive *d, bool on)
{
    if (on && !d->can_dma)
        return -EPERM;
    ide_pause(d->channel);
    d->transfer = on ? &ide_dma : ide_programmed();
    ide_resume(d->channel);
    return 0;
}

void ide_set_polling(bool on)
{
    ide_polling = on;
    for (u32 i = 0; i < IDE_MAX_DRIVES; i++) {
        struct ide_drive *d = ide_drive_number(i);
        if (!d)
            continue;
        ide_pause(d->channel);
        if (d->transfer->mover == MOVER_CPU)
            d->transfer = ide_programmed();
        ide_resume(d->channel);
    }
}

void ide_mode_of_cmdline(struct ide_drive *d)
{
    char name[16];
    if (!cmdline_get("ferry.disk", name, sizeof(name)))
        return;
    const struct ide_transfer *mode = mode_named(name);
    if (mode)
        ide_polling = mode == &ide_pio_poll;
    if (!mode || ide_set_dma(d, mode == &ide_dma) < 0)
        kprintf("%s: no mode %s, left in %s\n", d->block.name, name, d->transfer->name);
}
