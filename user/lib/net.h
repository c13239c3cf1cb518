/*
 * net.h - TCP sockets and the offloads of a network card, as far as these programs need them.
 */
#ifndef FERRY_USER_NET_H
#define FERRY_USER_NET_H

#include <stdbool.h>
#include <stddef.h>

/* The peer that throws everything away; QEMU itself plays it (see tools/run). */
#define DISCARD_HOST "10.0.2.100"
#define DISCARD_PORT 9

/* A connection to a dotted address ("localhost" is understood too). Descriptor, or -1 with errno.
 */
int tcp_connect(const char *host, int port);

/* A listening socket on every address. Descriptor, or -1 with errno. */
int tcp_listen(int port, int backlog);

/*
 * Sleeps until the peer has acknowledged every byte that was written (SIOCOUTQ of tcp(7)).
 * 0, or -1 with errno: ETIMEDOUT after 20 seconds in which nothing was acknowledged.
 */
int tcp_drain(int sock);

/*
 * The switches of `ethtool -k` and `-K`, by their short Linux names: "tx" (checksums), "sg"
 * (scatter-gather) and "tso" (segmentation). As on Linux, sg needs tx and tso needs sg: a switch
 * that is turned off takes those that need it along.
 */
struct offload {
    const char *name, *long_name;
    unsigned get, set; /* ETHTOOL_G..., ETHTOOL_S... */
};

#define NR_OFFLOADS 3

extern const struct offload offloads[NR_OFFLOADS];

const struct offload *offload_find(const char *name);

/* 1 on, 0 off, -1 with errno. */
int offload_get(const char *iface, const struct offload *offload);

/* 0, or -1 with errno. */
int offload_set(const char *iface, const struct offload *offload, bool on);

/* The driver's name (ETHTOOL_GDRVINFO), and whether the cable is in (ETHTOOL_GLINK): as above. */
int nic_driver(const char *iface, char *name, size_t size);
int nic_link(const char *iface);

#endif
