/*
 * Transfer mode: programmed I/O by interrupt. The drive interrupts whenever it is ready for a
 * block, and the handler carries the block through the data port; between two interrupts the CPU
 * is free for others.
 */
#include "drivers/ide/pio.h"

/* DRQ for the first block of a write comes without an interrupt: there is nothing to wait for but
 * the drive's own buffer. */
#define FIRST_BLOCK_US 20000

static enum ide_progress irq_start(struct ide_channel *c)
{
    pio_rewind(c);
    if (!ide_issue(c, pio_opcodes(c->drive)))
        return IDE_SILENT;
    if (!c->request->write)
        return IDE_BUSY;
    ide_read(c, c->control); /* 400 ns until the status is the command's */
    if (!ide_poll(c, STATUS_BSY, 0, FIRST_BLOCK_US))
        return IDE_SILENT;
    if (!pio_block_ready(ide_read(c, c->control)))
        return IDE_FAILED;
    pio_move_block(c);
    return IDE_BUSY;
}

/* A read ends with its last block; a write with one more interrupt, when the drive has it all. */
static enum ide_progress irq_interrupt(struct ide_channel *c)
{
    if (!ide_asked(c))
        return IDE_NOT_OURS;
    u8 status = c->last_status;
    if (status & (STATUS_BSY | STATUS_ERR | STATUS_DF))
        return IDE_FAILED;
    if (c->request->write && pio_all_moved(c))
        return status & STATUS_DRQ ? IDE_FAILED : IDE_DONE;
    if (!pio_block_ready(status))
        return IDE_FAILED;
    pio_move_block(c);
    return !c->request->write && pio_all_moved(c) ? IDE_DONE : IDE_BUSY;
}

const struct ide_transfer ide_pio_irq = {
    .name = "pio-irq",
    .mover = MOVER_CPU,
    .start = irq_start,
    .interrupt = irq_interrupt,
};
