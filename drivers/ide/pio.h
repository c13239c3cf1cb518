/*
 * Programmed I/O: what the two modes in which the CPU carries every byte have in common.
 *
 * A command's data come in blocks: one sector each, or as many as SET MULTIPLE MODE has agreed on
 * with the drive. Before each block the drive raises DRQ; then the block goes through the data
 * port in one string instruction for each fragment. ATA-6, 9.5 (PIO data-in) and 9.6 (data-out).
 */
#ifndef DRIVERS_IDE_PIO_H
#define DRIVERS_IDE_PIO_H

#include "drivers/ide/ide.h"

/* READ and WRITE SECTOR(S), or MULTIPLE where the drive has agreed to it. */
const struct ide_opcodes *pio_opcodes(const struct ide_drive *d);
void pio_rewind(struct ide_channel *c); /* to the request's first byte */
/* The drive's answer to "is there a block to move?", from a status without BSY: true, or the
 * drive reports an error. */
bool pio_block_ready(u8 status);
void pio_move_block(struct ide_channel *c); /* the next one, in the request's direction */
static inline bool pio_all_moved(const struct ide_channel *c)
{
    return c->pio.sectors_left == 0;
}

#endif
