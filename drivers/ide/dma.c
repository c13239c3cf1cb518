/*
 * Transfer mode: bus-master DMA. The CPU writes a table of where the bytes lie (prd.c) and two
 * commands; the controller carries every byte; one interrupt ends the request.
 */
#include "drivers/ide/ide.h"

static const struct ide_opcodes dma_opcodes = {
    .read = COMMAND_READ_DMA,
    .write = COMMAND_WRITE_DMA,
    .read_ext = COMMAND_READ_DMA_EXT,
    .write_ext = COMMAND_WRITE_DMA_EXT,
};

/* Fills the channel's PRD page. The table is exactly as long as the request: a longer one would
 * leave the bus master waiting, a shorter one ends in no interrupt and no data. */
static bool build_table(struct ide_channel *c)
{
    struct prd_table t = {.entry = page_virt(c->prd_page), .max = PRD_PER_PAGE};
    const struct block_request *r = c->request;
    for (u32 i = 0; i < r->nr_frags; i++) {
        if (!prd_add(&t, frag_phys(r->frags[i]), r->frags[i].len))
            return false;
    }
    prd_end(&t);
    compiler_barrier(); /* the table is in memory before the controller hears of it */
    return true;
}

/* The order is that of Intel 1994, 3.1: table, direction, drive's command, start. The status bits
 * were cleared when the last request ended. */
static enum ide_progress dma_start(struct ide_channel *c)
{
    u8 direction = c->request->write ? 0 : BM_TO_MEMORY;
    if (!build_table(c))
        return IDE_FAILED;
    c->drive->stats.reg_writes++;
    outl(c->bus_master + BM_PRD_TABLE, page_phys(c->prd_page));
    ide_write(c, c->bus_master + BM_COMMAND, direction);
    if (!ide_issue(c, &dma_opcodes))
        return IDE_SILENT;
    ide_write(c, c->bus_master + BM_COMMAND, direction | BM_START);
    return IDE_BUSY;
}

/* Again an order that matters: look at the bus master, stop it, read the drive's status (which
 * takes its interrupt away), and only then clear the bus master's own note of the interrupt. */
static enum ide_progress dma_interrupt(struct ide_channel *c)
{
    u8 bm = ide_read(c, c->bus_master + BM_STATUS);
    if (!(bm & BM_INTERRUPT))
        return IDE_NOT_OURS;
    ide_write(c, c->bus_master + BM_COMMAND, 0);
    u8 status = ide_read(c, c->base + IDE_STATUS);
    ide_write(c, c->bus_master + BM_STATUS, c->bm_capable | BM_INTERRUPT | BM_ERROR);

    c->last_status = status;
    /* Still active: the drive ended before the table did, so bytes are missing. */
    if (bm & (BM_ERROR | BM_ACTIVE))
        return IDE_FAILED;
    if (status & (STATUS_BSY | STATUS_DF | STATUS_DRQ | STATUS_ERR))
        return IDE_FAILED;
    return IDE_DONE;
}

const struct ide_transfer ide_dma = {
    .name = "dma",
    .mover = MOVER_DMA,
    .start = dma_start,
    .interrupt = dma_interrupt,
};
