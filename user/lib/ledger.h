/*
 * ledger.h - the kernel's account of payload, as programs read it.
 *
 * /proc/ferry/ledger is the account of the whole machine, /proc/self/ledger that of one task.
 * Both are text, one line a figure, and a figure that is zero has no line:
 *
 *     edge <from> <to> <mover> <ops> <bytes>    payload that crossed from one place to another
 *     apart <what> <ops> <bytes>                no payload: tx_headers, retransmit ...
 *     entry <cause> <count>                     how often the kernel was entered, and why
 *     switch voluntary <count>                  how often the task gave up the CPU,
 *     switch involuntary <count>                or lost it
 *
 * On Linux there is no such file: ledger_read fails with ENOENT, and a program shows "n/a".
 */
#ifndef FERRY_USER_LEDGER_H
#define FERRY_USER_LEDGER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define LEDGER_SYSTEM "/proc/ferry/ledger"
#define LEDGER_SELF   "/proc/self/ledger"

/* A name the kernel knows and this file does not is entered as OTHER, so that it is not lost. */
enum node { DISK, CACHE, USER, PIPE, SOCK, NIC, ZERO, BUFFER, OTHER_NODE, NR_NODES };
enum mover { CPU, DMA, TOUCH, OTHER_MOVER, NR_MOVERS };
enum cause { SYSCALL, MINOR_FAULT, MAJOR_FAULT, EXCEPTION, IRQ, OTHER_CAUSE, NR_CAUSES };
enum leave { VOLUNTARY, INVOLUNTARY, OTHER_LEAVE, NR_LEAVES };

#define NR_APART 24

struct tally {
    uint64_t ops, bytes;
};

struct apart {
    char what[24];
    struct tally tally;
};

struct ledger {
    struct tally edge[NR_NODES][NR_NODES][NR_MOVERS];
    struct apart apart[NR_APART];
    int nr_apart;
    uint64_t entry[NR_CAUSES];
    uint64_t switches[NR_LEAVES];
};

extern const char *const node_name[NR_NODES];
extern const char *const mover_name[NR_MOVERS];

/* Reads and parses the file. 0, or -1 with errno. Always the same number of system calls. */
int ledger_read(const char *file, struct ledger *ledger);

/* What happened between two readings of the same file. */
struct ledger ledger_between(const struct ledger *before, const struct ledger *after);

/* Bytes of one edge, by one mover or by those that really move: the CPU and DMA. */
uint64_t ledger_bytes(const struct ledger *ledger, enum node from, enum node to, enum mover mover);
uint64_t ledger_moved(const struct ledger *ledger, enum node from, enum node to);

/* Bytes that one mover moved, over all edges but those out of ZERO, which carry no payload. */
uint64_t ledger_by(const struct ledger *ledger, enum mover mover);

/* Bytes kept apart under this name; 0 if there is no such line. */
uint64_t ledger_apart(const struct ledger *ledger, const char *what);

/* Writes the ledger in the kernel's own format. */
void ledger_print(FILE *out, const struct ledger *ledger);

/* Whether this is Ferry, and not some other kernel that runs the same programs. */
bool on_ferry(void);

#endif
