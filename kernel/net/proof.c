/*
 * The same-page proof: which pages of the page cache were put into transmit descriptors, and
 * what the page cache says of the same pages. /proc/ferry/proof prints
 *
 *     tx <inode> <index> <phys> <len>    a range given to the card
 *     page <inode> <index> <phys>        where the cache has that page now
 *
 * A program adds a third witness, the entry in its own page table (/proc/self/pagemap).
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/text.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"

#define MAX_RECORDS 4096
#define MAX_INODES  16

bool proof_enabled;

static struct record {
    u32 index;
    phys_t phys;
    u16 len;
    u16 inode; /* place in the table below */
} records[MAX_RECORDS];
static u32 nr_records;

static struct inode *inodes[MAX_INODES]; /* held, so that their cache can be asked */
static u32 nr_inodes;

static int inode_place(struct inode *inode)
{
    for (u32 i = 0; i < nr_inodes; i++)
        if (inodes[i] == inode)
            return i;
    if (nr_inodes == MAX_INODES)
        return -1;
    inodes[nr_inodes] = inode_hold(inode);
    return nr_inodes++;
}

void proof_record(struct page *page, phys_t phys, u32 len)
{
    struct mapping *m = page->mapping;
    if (nr_records == MAX_RECORDS || !m || m->is_metadata)
        return;
    int place = inode_place(m->host);
    if (place >= 0)
        records[nr_records++] = (struct record){page->index, phys, len, place};
}

void net_proof_enable(bool on)
{
    if (on) { /* starts anew; the records stay to be read after it is switched off */
        nr_records = 0;
        while (nr_inodes)
            inode_put(inodes[--nr_inodes]);
    }
    proof_enabled = on;
}

static void print_page(const struct record *r, struct text *t)
{
    struct inode *inode = inodes[r->inode];
    struct page *page = cache_peek(&inode->mapping, r->index);
    if (!page)
        return;
    text_printf(t, "page %u %u %08x\n", inode->ino, r->index, page_phys(page));
}

void net_proof_format(struct text *t)
{
    for (u32 i = 0; i < nr_records; i++) {
        const struct record *r = &records[i];
        text_printf(t, "tx %u %u %08x %u\n", inodes[r->inode]->ino, r->index, r->phys, r->len);
        /* A page's ranges follow one another: ask the cache once for all of them. */
        bool last = i + 1 == nr_records || records[i + 1].index != r->index ||
                    records[i + 1].inode != r->inode;
        if (last)
            print_page(r, t);
    }
}
