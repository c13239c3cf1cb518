/*
 * measure.h - one path, run once, and what the kernel's ledger says about it.
 */
#ifndef FERRY_USER_MEASURE_H
#define FERRY_USER_MEASURE_H

#include "ledger.h"
#include "paths.h"

#include <stdbool.h>
#include <stdint.h>

/* What is sent, to whom, and through which card. */
struct crossing {
    const char *file, *host, *iface;
    int port;
    uint64_t len;
    size_t chunk;
    bool whole;    /* len is the file's length: nothing may be read from the disk beyond it */
    bool disk_pio; /* the CPU fetches from the disk */
    bool nic_pio;  /* the CPU feeds the card */
};

/*
 * What the CPU said to the disk controller and the card, how often it told the card to send, and
 * how often they interrupted, whichever task was running then.
 */
struct device_work {
    uint64_t reg_reads, reg_writes, doorbells, irqs;
};

struct measure {
    const struct path *path;
    bool cold;
    bool known;  /* false where the kernel keeps no ledger: everything below is 0 */
    bool icount; /* a tick is an instruction */
    uint64_t len, chunks;
    uint64_t calls; /* system calls that sent the file, those of the measuring taken off */
    uint64_t ticks; /* in which the CPU was not idle, from the first call to the last ACK */
    struct device_work devices; /* over the same time */
    struct ledger sent;         /* what happened until the last call returned: entries, switches */
    struct ledger moved; /* what happened until the peer had acknowledged everything: bytes */
};

/* Fills in what the system itself knows of the file and the devices. 0, or -1 with errno. */
int crossing_prepare(struct crossing *crossing);

/* Runs the path over a connection of its own. 0, or -1 with errno and the failed step in *step. */
int measure_run(struct measure *m, const struct crossing *crossing, const struct path *path,
                bool cold, const char **step);

/* Bytes that the design wants to see on this edge, by this mover. */
uint64_t measure_expected(const struct measure *m, const struct crossing *crossing, enum node from,
                          enum node to, enum mover mover);

/* The number of figures that differ from the design; each gets a line, if there is an out. */
int measure_judge(const struct measure *m, const struct crossing *crossing, FILE *out);

#endif
