/* See pio.h. */
#include "drivers/ide/pio.h"
#include "kernel/ledger/copy.h"

const struct ide_opcodes *pio_opcodes(const struct ide_drive *d)
{
    static const struct ide_opcodes sectors = {
        .read = COMMAND_READ_SECTORS,
        .write = COMMAND_WRITE_SECTORS,
        .read_ext = COMMAND_READ_SECTORS_EXT,
        .write_ext = COMMAND_WRITE_SECTORS_EXT,
    };
    static const struct ide_opcodes multiple = {
        .read = COMMAND_READ_MULTIPLE,
        .write = COMMAND_WRITE_MULTIPLE,
        .read_ext = COMMAND_READ_MULTIPLE_EXT,
        .write_ext = COMMAND_WRITE_MULTIPLE_EXT,
    };
    return d->multiple ? &multiple : &sectors;
}

void pio_rewind(struct ide_channel *c)
{
    c->pio = (struct ide_pio){.sectors_left = c->request->nr_sectors};
}

bool pio_block_ready(u8 status)
{
    return (status & STATUS_DRQ) && !(status & (STATUS_ERR | STATUS_DF));
}

/* A block may end inside a fragment, and a fragment inside a block. */
void pio_move_block(struct ide_channel *c)
{
    const struct block_request *r = c->request;
    u32 sectors = MIN(MAX(c->drive->multiple, 1u), c->pio.sectors_left);
    c->pio.sectors_left -= sectors;
    c->drive->stats.pio_blocks++;
    for (u32 left = sectors * SECTOR_SIZE; left;) {
        struct frag f = r->frags[c->pio.frag];
        u32 n = MIN(left, f.len - c->pio.offset);
        struct frag piece = {f.page, f.offset + c->pio.offset, n};
        if (r->write)
            copy_page_to_port(c->base + IDE_DATA, piece);
        else
            copy_port_to_page(piece, c->base + IDE_DATA);
        left -= n;
        c->pio.offset += n;
        if (c->pio.offset == f.len) {
            c->pio.frag++;
            c->pio.offset = 0;
        }
    }
}
