/*
 * ledger.c - reads the kernel's account of payload. See ledger.h for the format.
 */
#define _GNU_SOURCE
#include "ledger.h"
#include "file.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

const char *const node_name[NR_NODES] = {
    [DISK] = "disk", [CACHE] = "cache",   [USER] = "user",
    [PIPE] = "pipe", [SOCK] = "sock",     [NIC] = "nic",
    [ZERO] = "zero", [BUFFER] = "buffer", [OTHER_NODE] = "other",
};

const char *const mover_name[NR_MOVERS] = {
    [CPU] = "cpu",
    [DMA] = "dma",
    [TOUCH] = "touch",
    [OTHER_MOVER] = "other",
};

static const char *const cause_name[NR_CAUSES] = {
    [SYSCALL] = "syscall",
    [MINOR_FAULT] = "minor_fault",
    [MAJOR_FAULT] = "major_fault",
    [EXCEPTION] = "exception",
    [IRQ] = "irq",
    [OTHER_CAUSE] = "other",
};

static const char *const leave_name[NR_LEAVES] = {
    [VOLUNTARY] = "voluntary",
    [INVOLUNTARY] = "involuntary",
    [OTHER_LEAVE] = "other",
};

/* The index of a name; the last name of every list stands for those that are not in it. */
static int index_of(const char *const *names, int nr, const char *name)
{
    int i = 0;

    while (i < nr - 1 && strcmp(names[i], name) != 0) {
        i++;
    }
    return i;
}

static void tally_add(struct tally *tally, uint64_t ops, uint64_t bytes)
{
    tally->ops += ops;
    tally->bytes += bytes;
}

static struct tally *apart_find(struct ledger *ledger, const char *what)
{
    for (int i = 0; i < ledger->nr_apart; i++) {
        if (strcmp(ledger->apart[i].what, what) == 0) {
            return &ledger->apart[i].tally;
        }
    }
    if (ledger->nr_apart == NR_APART) {
        return &ledger->apart[NR_APART - 1].tally;
    }

    struct apart *apart = &ledger->apart[ledger->nr_apart++];

    snprintf(apart->what, sizeof(apart->what), "%s", what);
    return &apart->tally;
}

static void parse_line(struct ledger *ledger, const char *line)
{
    char a[24], b[24], c[24];
    uint64_t ops, bytes;

    if (sscanf(line, "edge %23s %23s %23s %" SCNu64 " %" SCNu64, a, b, c, &ops, &bytes) == 5) {
        int from = index_of(node_name, NR_NODES, a);
        int to = index_of(node_name, NR_NODES, b);

        tally_add(&ledger->edge[from][to][index_of(mover_name, NR_MOVERS, c)], ops, bytes);
    } else if (sscanf(line, "apart %23s %" SCNu64 " %" SCNu64, a, &ops, &bytes) == 3) {
        tally_add(apart_find(ledger, a), ops, bytes);
    } else if (sscanf(line, "entry %23s %" SCNu64, a, &ops) == 2) {
        ledger->entry[index_of(cause_name, NR_CAUSES, a)] += ops;
    } else if (sscanf(line, "switch %23s %" SCNu64, a, &ops) == 2) {
        ledger->switches[index_of(leave_name, NR_LEAVES, a)] += ops;
    }
}

int ledger_read(const char *file, struct ledger *ledger)
{
    static char text[8192];
    char *rest = text, *line;

    memset(ledger, 0, sizeof(*ledger));
    if (file_read(file, text, sizeof(text)) < 0) {
        return -1;
    }
    while ((line = strsep(&rest, "\n")) != NULL) {
        parse_line(ledger, line);
    }
    return 0;
}

struct ledger ledger_between(const struct ledger *before, const struct ledger *after)
{
    struct ledger change = *after;

    for (int from = 0; from < NR_NODES; from++) {
        for (int to = 0; to < NR_NODES; to++) {
            for (int mover = 0; mover < NR_MOVERS; mover++) {
                change.edge[from][to][mover].ops -= before->edge[from][to][mover].ops;
                change.edge[from][to][mover].bytes -= before->edge[from][to][mover].bytes;
            }
        }
    }
    for (int i = 0; i < before->nr_apart; i++) {
        struct tally *tally = apart_find(&change, before->apart[i].what);

        tally->ops -= before->apart[i].tally.ops;
        tally->bytes -= before->apart[i].tally.bytes;
    }
    for (int cause = 0; cause < NR_CAUSES; cause++) {
        change.entry[cause] -= before->entry[cause];
    }
    for (int leave = 0; leave < NR_LEAVES; leave++) {
        change.switches[leave] -= before->switches[leave];
    }
    return change;
}

uint64_t ledger_bytes(const struct ledger *ledger, enum node from, enum node to, enum mover mover)
{
    return ledger->edge[from][to][mover].bytes;
}

uint64_t ledger_moved(const struct ledger *ledger, enum node from, enum node to)
{
    return ledger->edge[from][to][CPU].bytes + ledger->edge[from][to][DMA].bytes;
}

uint64_t ledger_by(const struct ledger *ledger, enum mover mover)
{
    uint64_t bytes = 0;

    for (int from = 0; from < NR_NODES; from++) {
        for (int to = 0; to < NR_NODES && from != ZERO; to++) {
            bytes += ledger->edge[from][to][mover].bytes;
        }
    }
    return bytes;
}

uint64_t ledger_apart(const struct ledger *ledger, const char *what)
{
    for (int i = 0; i < ledger->nr_apart; i++) {
        if (strcmp(ledger->apart[i].what, what) == 0) {
            return ledger->apart[i].tally.bytes;
        }
    }
    return 0;
}

void ledger_print(FILE *out, const struct ledger *ledger)
{
    for (int from = 0; from < NR_NODES; from++) {
        for (int to = 0; to < NR_NODES; to++) {
            for (int mover = 0; mover < NR_MOVERS; mover++) {
                const struct tally *tally = &ledger->edge[from][to][mover];

                if (tally->ops || tally->bytes) {
                    fprintf(out, "edge %s %s %s %" PRIu64 " %" PRIu64 "\n", node_name[from],
                            node_name[to], mover_name[mover], tally->ops, tally->bytes);
                }
            }
        }
    }
    for (int i = 0; i < ledger->nr_apart; i++) {
        const struct apart *apart = &ledger->apart[i];

        if (apart->tally.ops || apart->tally.bytes) {
            fprintf(out, "apart %s %" PRIu64 " %" PRIu64 "\n", apart->what, apart->tally.ops,
                    apart->tally.bytes);
        }
    }
    for (int cause = 0; cause < NR_CAUSES; cause++) {
        if (ledger->entry[cause]) {
            fprintf(out, "entry %s %" PRIu64 "\n", cause_name[cause], ledger->entry[cause]);
        }
    }
    for (int leave = 0; leave < NR_LEAVES; leave++) {
        if (ledger->switches[leave]) {
            fprintf(out, "switch %s %" PRIu64 "\n", leave_name[leave], ledger->switches[leave]);
        }
    }
}

bool on_ferry(void)
{
    return access(LEDGER_SYSTEM, F_OK) == 0;
}
