/* The entries: each in the task's account and in the machine's. See ledger.h. */
#include "kernel/ledger/ledger.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/task.h"

struct account ledger_machine = {.refs = 1};

static const struct {
    const char *from, *to;
} edge_names[NR_EDGES] = {
#define X(name, from, to) {from, to},
    LEDGER_EDGES(X)
#undef X
};
static const char *const mover_names[NR_MOVERS] = {
#define X(name, text) text,
    LEDGER_MOVERS(X)
#undef X
};
static const char *const apart_names[NR_APART] = {
#define X(name, text) text,
    LEDGER_APART(X)
#undef X
};
static const char *const entry_names[NR_ENTRIES] = {
#define X(name, text) text,
    LEDGER_ENTRIES(X)
#undef X
};
static const char *const switch_names[NR_SWITCHES] = {
#define X(name, text) text,
    LEDGER_SWITCHES(X)
#undef X
};

struct account *account_current(void)
{
    return current && current->account ? current->account : &ledger_machine;
}

struct account *account_new(void)
{
    struct account *a = kzalloc(sizeof(*a));
    if (a)
        a->refs = 1;
    return a;
}

struct account *account_get(struct account *a)
{
    u32 flags = irq_save();
    a->refs++;
    irq_restore(flags);
    return a;
}

void account_put(struct account *a)
{
    if (!a)
        return;
    u32 flags = irq_save();
    u32 left = --a->refs;
    irq_restore(flags);
    if (!left)
        kfree(a);
}

static void cell_add(struct ledger_cell *cell, u32 bytes)
{
    cell->bytes += bytes;
    cell->ops++;
}

void ledger_add(struct account *a, enum ledger_edge edge, enum ledger_mover mover, u32 bytes)
{
    if (!bytes)
        return;
    u32 flags = irq_save();
    cell_add(&ledger_machine.edges[edge][mover], bytes);
    if (a && a != &ledger_machine)
        cell_add(&a->edges[edge][mover], bytes);
    irq_restore(flags);
}

void ledger_add_apart(struct account *a, enum ledger_apart what, u32 bytes)
{
    if (!bytes)
        return;
    u32 flags = irq_save();
    cell_add(&ledger_machine.apart[what], bytes);
    if (a && a != &ledger_machine)
        cell_add(&a->apart[what], bytes);
    irq_restore(flags);
}

/* The two below are single increments of a word: an interrupt in between does no harm. */
void ledger_entry(struct account *a, enum ledger_entry cause)
{
    ledger_machine.entries[cause]++;
    if (a && a != &ledger_machine)
        a->entries[cause]++;
}

void ledger_switch(struct account *a, enum ledger_switch kind)
{
    ledger_machine.switches[kind]++;
    if (a && a != &ledger_machine)
        a->switches[kind]++;
}

void ledger_format(const struct account *a, struct text *t)
{
    for (int e = 0; e < NR_EDGES; e++) {
        for (int m = 0; m < NR_MOVERS; m++) {
            const struct ledger_cell *c = &a->edges[e][m];
            if (c->ops)
                text_printf(t, "edge %s %s %s %u %llu\n", edge_names[e].from, edge_names[e].to,
                            mover_names[m], c->ops, c->bytes);
        }
    }
    for (int i = 0; i < NR_APART; i++)
        if (a->apart[i].ops)
            text_printf(t, "apart %s %u %llu\n", apart_names[i], a->apart[i].ops,
                        a->apart[i].bytes);
    for (int i = 0; i < NR_ENTRIES; i++)
        text_printf(t, "entry %s %u\n", entry_names[i], a->entries[i]);
    for (int i = 0; i < NR_SWITCHES; i++)
        text_printf(t, "switch %s %u\n", switch_names[i], a->switches[i]);
}
