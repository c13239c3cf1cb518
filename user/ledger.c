/*
 * ledger - shows the ledger of the machine, or of one process, as a table.
 *
 *     ledger [PID]
 */
#include "lib/ledger.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    static const char *const causes[NR_CAUSES] = {"system calls",      "minor page faults",
                                                  "major page faults", "other exceptions",
                                                  "interrupts",        "other"};
    struct ledger ledger;
    char file[64] = LEDGER_SYSTEM;

    if (argc > 2) {
        fprintf(stderr, "usage: ledger [PID]\n");
        return 2;
    }
    if (argc == 2) {
        snprintf(file, sizeof(file), "/proc/%.20s/ledger", argv[1]);
    }
    if (ledger_read(file, &ledger) < 0) {
        fprintf(stderr, "ledger: %s: %s%s\n", file, strerror(errno),
                on_ferry() ? "" : " (only Ferry keeps one)");
        return 1;
    }

    printf("%-18s %-6s %10s %14s\n", "payload", "by", "moves", "bytes");
    for (int from = 0; from < NR_NODES; from++) {
        for (int to = 0; to < NR_NODES; to++) {
            for (int mover = 0; mover < NR_MOVERS; mover++) {
                const struct tally *t = &ledger.edge[from][to][mover];
                char edge[32];

                if (t->ops || t->bytes) {
                    snprintf(edge, sizeof(edge), "%s -> %s", node_name[from], node_name[to]);
                    printf("%-18s %-6s %10" PRIu64 " %14" PRIu64 "\n", edge, mover_name[mover],
                           t->ops, t->bytes);
                }
            }
        }
    }
    printf("\nkept apart\n");
    for (int i = 0; i < ledger.nr_apart; i++) {
        printf("%-25s %10" PRIu64 " %14" PRIu64 "\n", ledger.apart[i].what,
               ledger.apart[i].tally.ops, ledger.apart[i].tally.bytes);
    }
    printf("\nentries into the kernel\n");
    for (int i = 0; i < NR_CAUSES; i++) {
        printf("%-25s %10" PRIu64 "\n", causes[i], ledger.entry[i]);
    }
    printf("\nswitches to another task\n%-25s %10" PRIu64 "\n%-25s %10" PRIu64 "\n",
           "voluntary (it slept)", ledger.switches[VOLUNTARY], "involuntary (time was up)",
           ledger.switches[INVOLUNTARY]);
    return 0;
}
