/*
 * Building a PRD table from ranges of memory.
 *
 * Pages that happen to lie behind each other in memory share a descriptor, up to the next 64 KiB
 * boundary: the bus master increments only the low 16 bits of its address. QEMU would not mind
 * a region that crosses; a PIIX wraps around and overwrites what lies 64 KiB below.
 */
#include "drivers/ide/prd.h"

static u32 prd_len(const struct prd *p)
{
    return p->count ? p->count : PRD_REGION;
}

/* The new bytes lie right behind this descriptor's, in the same 64 KiB. */
static bool continues(const struct prd *p, u32 phys)
{
    return p->base / PRD_REGION == phys / PRD_REGION && p->base + prd_len(p) == phys;
}

bool prd_add(struct prd_table *t, u32 phys, u32 len_bytes)
{
    u32 old_nr = t->nr;
    struct prd old_last = old_nr ? t->entry[old_nr - 1] : (struct prd){0, 0, 0};

    if (phys % 2 || len_bytes % 2 || len_bytes == 0)
        return false;
    while (len_bytes) {
        u32 piece = MIN(len_bytes, PRD_REGION - phys % PRD_REGION);
        struct prd *last = t->nr ? &t->entry[t->nr - 1] : NULL;
        if (last && continues(last, phys)) {
            last->count = (u16)(prd_len(last) + piece); /* 64 KiB becomes 0, as it should */
        } else if (t->nr < t->max) {
            t->entry[t->nr++] = (struct prd){phys, (u16)piece, 0};
        } else {
            t->nr = old_nr;
            if (old_nr)
                t->entry[old_nr - 1] = old_last;
            return false;
        }
        phys += piece;
        len_bytes -= piece;
    }
    return true;
}

void prd_end(struct prd_table *t)
{
    t->entry[t->nr - 1].flags = PRD_END_OF_TABLE;
}
