/*
 * Between pages and disk requests, both ways: pieces are gathered into requests, and when a request
 * has ended, its bytes are entered in the ledger and each piece's page is told.
 *
 * This is the one place that knows what a byte from the disk is: payload when it lies inside a
 * file, padding when it lies behind the file's end, metadata when no file is behind it. Who
 * carried it (DMA or the CPU) is the driver's word.
 */
#include "drivers/block.h"
#include "kernel/cache/cache.h"
#include "kernel/cache/writeback.h"
#include "kernel/cpu/cpu.h"

static void request_done(struct block_request *r, int error);

/* The disk has refused the request: each page of it by itself, so that one bad sector costs only
 * the page that it is in. (A reader comes back by himself.) */
static void write_one_by_one(struct block_request *r)
{
    u64 lba = r->lba;
    for (u32 i = 0; i < r->nr_frags; i++) {
        struct frag f = r->frags[i];
        struct block_request *piece = request_new(r->device, 1);
        if (piece) {
            piece->lba = lba;
            piece->done = request_done;
            piece->write = true;
            piece->account = account_get(r->account);
            request_add(piece, f);
            block_submit(piece);
        } else {
            cache_page_written(f.page, -EIO);
        }
        lba += f.len / SECTOR_SIZE;
    }
    request_free(r);
}

/* Completion, interrupt context. */
static void request_done(struct block_request *r, int error)
{
    if (error == -EIO && r->write && r->nr_frags > 1 && r->account) {
        write_one_by_one(r);
        return;
    }
    u32 payload = 0, padding = 0, metadata = 0, swap = 0, buffer = 0;
    for (u32 i = 0; i < r->nr_frags; i++) {
        const struct frag *f = &r->frags[i];
        const struct mapping *m = f->page->mapping;
        u64 pos = ((u64)f->page->index << PAGE_SHIFT) + f->offset;
        if (m->is_swap) {
            swap += f->len;
        } else if (m->is_buffer) {
            buffer += f->len;
        } else if (m->is_metadata) {
            metadata += f->len;
        } else {
            u32 inside = pos < m->size ? (u32)MIN((u64)f->len, m->size - pos) : 0;
            payload += inside;
            padding += f->len - inside;
        }
    }
    if (!error) { /* what a failed request may have moved reached nobody */
        if (payload)
            ledger_add(r->account, r->write ? EDGE_CACHE_DISK : EDGE_DISK_CACHE, r->mover, payload);
        if (buffer) /* whole blocks: which of their bytes are a file's, only files know */
            ledger_add(r->account, r->write ? EDGE_BUFFER_DISK : EDGE_DISK_BUFFER, r->mover,
                       buffer);
        if (padding)
            ledger_add_apart(r->account, APART_PADDING, padding);
        if (swap)
            ledger_add_apart(r->account, APART_SWAP, swap);
        if (metadata)
            ledger_add_apart(r->account, APART_METADATA, metadata);
    }
    for (u32 i = 0; i < r->nr_frags; i++) {
        if (r->write)
            cache_page_written(r->frags[i].page, error);
        else
            cache_page_done(r->frags[i].page, error);
    }
    request_free(r);
}

/* Appends a piece to the request; where it is not merged with the page's last one, the page has
 * one party more to wait for. */
static bool append(struct block_request *r, struct page *page, u32 offset, u32 len)
{
    u32 nr_frags = r->nr_frags;
    if (!request_add(r, (struct frag){page, offset, len}))
        return false;
    if (r->nr_frags != nr_frags) {
        u32 flags = irq_save(); /* an earlier request for the page may be ending */
        page->io_pending++;
        irq_restore(flags);
    }
    return true;
}

int cache_gather(struct cache_gather *g, u64 lba, struct page *page, u32 offset, u32 len)
{
    struct block_request *r = g->request;
    if (r && r->lba + r->nr_sectors == lba && append(r, page, offset, len))
        return 0;
    cache_gather_end(g);
    r = request_new(g->device, MIN(g->max_frags, REQUEST_MAX_FRAGS));
    if (!r) /* a small one will do, too: memory comes back when pages have been written */
        r = request_new(g->device, 1);
    if (!r)
        return -ENOMEM;
    r->lba = lba;
    r->done = request_done;
    r->write = g->write;
    append(r, page, offset, len);
    g->request = r;
    return 0;
}

void cache_gather_end(struct cache_gather *g)
{
    if (g->request)
        block_submit(g->request);
    g->request = NULL;
}
