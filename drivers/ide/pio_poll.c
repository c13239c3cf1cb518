/*
 * Transfer mode: programmed I/O by polling. The CPU writes a command, asks the drive again and
 * again whether a block is ready, and carries every byte itself. Until the last one is through,
 * nothing else runs: this is what the other modes are measured against.
 */
#include "drivers/ide/pio.h"

#define ANSWER_US 5000000 /* what the queue allows a request in the other modes */

/* Waits for the drive to be ready for the next block, or to have ended the command. */
static bool wait_not_busy(struct ide_channel *c)
{
    return ide_poll(c, STATUS_BSY, 0, ANSWER_US);
}

static enum ide_progress transfer(struct ide_channel *c)
{
    if (!ide_issue(c, pio_opcodes(c->drive)))
        return IDE_FAILED;
    ide_read(c, c->control); /* 400 ns until the status is the command's (ATA-6, 9.5) */
    while (!pio_all_moved(c)) {
        if (!wait_not_busy(c) || !pio_block_ready(ide_read(c, c->base + IDE_STATUS)))
            return IDE_FAILED;
        pio_move_block(c);
    }
    if (!wait_not_busy(c)) /* a write is done when the drive says so */
        return IDE_FAILED;
    u8 status = ide_read(c, c->base + IDE_STATUS);
    return status & (STATUS_DF | STATUS_DRQ | STATUS_ERR) ? IDE_FAILED : IDE_DONE;
}

static enum ide_progress poll_start(struct ide_channel *c)
{
    pio_rewind(c);
    ide_write(c, c->control, CONTROL_NIEN);
    enum ide_progress p = transfer(c);
    ide_write(c, c->control, 0);
    return p;
}

/* No command of ours leaves a request waiting for one. */
static enum ide_progress poll_interrupt(struct ide_channel *c)
{
    return IDE_NOT_OURS;
}

static void poll_stop(struct ide_channel *c) {}

const struct ide_transfer ide_pio_poll = {
    .name = "pio-polled",
    .mover = MOVER_CPU,
    .start = poll_start,
    .interrupt = poll_interrupt,
    .stop = poll_stop,
};
