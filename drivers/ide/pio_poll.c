/*
 * Transfer mode: programmed I/O by polling. The CPU writes a command, asks the drive again and
 * again whether a block is ready, and carries every byte itself. Until the last one is through, no
 * other task runs: this is what the other modes are measured against. Other devices' interrupts are
 * served meanwhile.
 *
 * So that a drive that has died holds nobody up for long, a command has HOLD_MS, once: its retries,
 * and a FLUSH CACHE, which may take half a minute, go by interrupt (channel.c).
 */
#include "drivers/ide/pio.h"

#define HOLD_MS 1000 /* for the whole command */
#define LOOK_US 1000 /* between two looks at the clock */

/* Waits for the drive to be ready for the next block, or to have ended the command. The last look
 * comes after the time has passed: it may have been the machine that stood still. */
static bool wait_not_busy(struct ide_channel *c, u64 until_ms)
{
    for (;;) {
        bool late = timer_ms() >= until_ms;
        if (ide_poll(c, STATUS_BSY, 0, LOOK_US))
            return true;
        if (late)
            return false;
    }
}

static enum ide_progress transfer(struct ide_channel *c)
{
    u64 until_ms = timer_ms() + HOLD_MS;
    if (!ide_issue(c, pio_opcodes(c->drive)))
        return IDE_SILENT;
    ide_read(c, c->control); /* 400 ns until the status is the command's (ATA-6, 9.5) */
    while (!pio_all_moved(c)) {
        if (!wait_not_busy(c, until_ms))
            return IDE_SILENT;
        if (!pio_block_ready(ide_read(c, c->base + IDE_STATUS)))
            return IDE_FAILED;
        pio_move_block(c);
        ide_read(c, c->control); /* the status needs a moment again (ATA-6, 9.5) */
    }
    if (!wait_not_busy(c, until_ms)) /* a write is done when the drive says so */
        return IDE_SILENT;
    u8 status = ide_read(c, c->base + IDE_STATUS);
    return status & (STATUS_DF | STATUS_DRQ | STATUS_ERR) ? IDE_FAILED : IDE_DONE;
}

static enum ide_progress poll_start(struct ide_channel *c)
{
    pio_rewind(c);
    ide_write(c, c->control, CONTROL_NIEN); /* this drive does not interrupt, others may */
    irq_enable();
    enum ide_progress p = transfer(c);
    irq_disable();
    ide_write(c, c->control, 0);
    return p;
}

const struct ide_transfer ide_pio_poll = {
    .name = "pio-polled",
    .mover = MOVER_CPU,
    .start = poll_start,
};
