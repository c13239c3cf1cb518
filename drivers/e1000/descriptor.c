/*
 * Building transmit descriptors: from a packet to the words that the card reads.
 *
 * Nothing here touches hardware or memory other than the descriptor. 8254x manual, 3.3.5 ff.
 */
#include "drivers/e1000/e1000.h"

/* Where the headers are: Ethernet, IPv4 without options, TCP. A checksum's end of 0 means the end
 * of the packet. */
enum {
    IPCSS = 14, /* the IP header starts, */
    IPCSO = 24, /* has its checksum here, */
    IPCSE = 33, /* and ends (last byte) */
    TUCSS = 34, /* the same of TCP */
    TUCSO = 50,
    TUCSE = 0,
};

bool e1000_context_of(const struct netdev_packet *p, struct e1000_context *context)
{
    if (!p->csum_tcp && !p->csum_ip && !p->mss)
        return false;
    *context = (struct e1000_context){.valid = true};
    if (p->mss) { /* plain checksums do not depend on lengths: one context fits them all */
        for (u32 i = 0; i < p->nr_ranges; i++)
            context->payload_len += p->ranges[i].len;
        context->payload_len -= p->header_len;
        context->header_len = p->header_len;
        context->mss = p->mss;
    }
    return true;
}

bool e1000_context_same(const struct e1000_context *a, const struct e1000_context *b)
{
    return a->valid && b->valid && a->mss == b->mss && a->header_len == b->header_len &&
           a->payload_len == b->payload_len;
}

void e1000_build_context(struct e1000_tx_desc *d, const struct e1000_context *context)
{
    d->word[0] = IPCSS | IPCSO << 8 | IPCSE << 16;
    d->word[1] = TUCSS | TUCSO << 8 | TUCSE << 16;
    d->word[2] = TXD_DEXT | TXD_DTYP_CONTEXT | TUCMD_TCP | TUCMD_IP;
    d->word[3] = 0;
    if (context->mss) {
        d->word[2] |= TUCMD_TSE | context->payload_len;
        d->word[3] = (u32)context->header_len << 8 | (u32)context->mss << 16;
    }
}

void e1000_build_data(struct e1000_tx_desc *d, const struct netdev_packet *p, u32 i)
{
    bool last = i == p->nr_ranges - 1;
    d->word[0] = p->ranges[i].phys;
    d->word[1] = 0;
    d->word[2] = TXD_DEXT | TXD_DTYP_DATA | DCMD_IFCS | p->ranges[i].len;
    if (p->mss)
        d->word[2] |= DCMD_TSE;
    if (last)
        d->word[2] |= DCMD_EOP | DCMD_RS;
    /* The options count from the first descriptor alone; the others may as well be equal. */
    d->word[3] = (p->csum_ip ? POPTS_IXSM : 0) | (p->csum_tcp ? POPTS_TXSM : 0);
}
