/*
 * paths.h - the ways in which a program can send a file to a socket, as a table.
 *
 * A path is a row: a function that uses nothing but ordinary system calls, what it needs of the
 * network card, and what a textbook says that it costs. copypath measures every row; serve offers
 * them as URLs. A new path is a new row and a new function.
 */
#ifndef FERRY_USER_PATHS_H
#define FERRY_USER_PATHS_H

#include "ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PATH_CHUNK (64 * 1024)

/* The edges that payload crosses between a disk and a network card, and who moves it there. */
enum column { DISK_CACHE, CACHE_USER, USER_SOCK, CACHE_SOCK, SOCK_NIC, CACHE_NIC, NR_COLUMNS };

struct edge {
    enum node from, to;
    enum mover mover;
};

extern const struct edge path_edge[NR_COLUMNS];

struct path {
    const char *name;     /* in options, URLs and for tests */
    const char *title;    /* for people */
    const char *sentence; /* what happens to the bytes */

    /*
     * Sends len bytes of the file, from offset, in calls of at most chunk bytes. 0, or -1 with
     * errno: ENODATA when the file ends early. Sleeps while the socket is full.
     */
    int (*send)(int sock, int file, off_t offset, off_t len, size_t chunk);

    bool buffered; /* it needs path_prepare first */
    bool sg;       /* whether the card gathers a packet from where its pieces lie */

    /* The textbook: crossings of every payload byte from a cold cache, and system calls. */
    unsigned crossings[NR_COLUMNS];
    unsigned calls_per_chunk, calls_once;
};

extern const struct path paths[];
extern const int nr_paths;

const struct path *path_find(const char *name);

/* Makes a buffer for chunks of that size ready, so that no page of it faults later. 0 or -1. */
int path_prepare(size_t chunk);

#endif
