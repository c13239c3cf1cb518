/*
 * net.c - TCP sockets and the offloads of a network card.
 */
#define _GNU_SOURCE
#include "net.h"
#include "file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int address_parse(const char *host, int port, struct sockaddr_in *address)
{
    memset(address, 0, sizeof(*address));
    address->sin_family = AF_INET;
    address->sin_port = htons(port);
    if (strcmp(host, "localhost") == 0) {
        host = "127.0.0.1";
    }
    if (port < 1 || port > 65535 || inet_aton(host, &address->sin_addr) == 0) {
        errno = EINVAL;
        return -1;
    }
    return 0;
}

static int close_keeping_errno(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
    return -1;
}

int tcp_connect(const char *host, int port)
{
    struct sockaddr_in address;

    if (address_parse(host, port, &address) < 0) {
        return -1;
    }

    int sock = socket(AF_INET, SOCK_STREAM, 0);

    if (sock < 0) {
        return -1;
    }
    if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
        return close_keeping_errno(sock);
    }
    return sock;
}

int tcp_listen(int port, int backlog)
{
    struct sockaddr_in address;
    int on = 1;

    if (address_parse("0.0.0.0", port, &address) < 0) {
        return -1;
    }

    int sock = socket(AF_INET, SOCK_STREAM, 0);

    if (sock < 0) {
        return -1;
    }
    setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(sock, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(sock, backlog) < 0) {
        return close_keeping_errno(sock);
    }
    return sock;
}

int tcp_drain(int sock)
{
    const unsigned patience_ms = 20000;
    int before = -1, left;

    for (unsigned waited_ms = 0; waited_ms < patience_ms; waited_ms++) {
        if (ioctl(sock, SIOCOUTQ, &left) < 0) {
            return -1;
        }
        if (left == 0) {
            return 0;
        }
        if (left != before) {
            waited_ms = 0;
        }
        before = left;
        sleep_ms(1);
    }
    errno = ETIMEDOUT;
    return -1;
}

const struct offload offloads[NR_OFFLOADS] = {
    {"tx", "tx-checksumming", ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM},
    {"sg", "scatter-gather", ETHTOOL_GSG, ETHTOOL_SSG},
    {"tso", "tcp-segmentation-offload", ETHTOOL_GTSO, ETHTOOL_STSO},
};

const struct offload *offload_find(const char *name)
{
    for (int i = 0; i < NR_OFFLOADS; i++) {
        if (strcmp(name, offloads[i].name) == 0 || strcmp(name, offloads[i].long_name) == 0) {
            return &offloads[i];
        }
    }
    return NULL;
}

/* Hands a request to the driver of that interface; the answer is written over it. */
static int ethtool(const char *iface, void *request)
{
    struct ifreq ifr = {.ifr_data = request};
    int sock = socket(AF_INET, SOCK_DGRAM, 0);

    if (sock < 0) {
        sock = socket(AF_INET, SOCK_STREAM, 0);
    }
    if (sock < 0) {
        return -1;
    }
    snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", iface);
    if (ioctl(sock, SIOCETHTOOL, &ifr) < 0) {
        return close_keeping_errno(sock);
    }
    close(sock);
    return 0;
}

int offload_get(const char *iface, const struct offload *offload)
{
    struct ethtool_value value = {.cmd = offload->get};

    return ethtool(iface, &value) < 0 ? -1 : value.data != 0;
}

int offload_set(const char *iface, const struct offload *offload, bool on)
{
    struct ethtool_value value = {.cmd = offload->set, .data = on};

    return ethtool(iface, &value);
}

int nic_driver(const char *iface, char *name, size_t size)
{
    struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};

    if (ethtool(iface, &info) < 0) {
        return -1;
    }
    snprintf(name, size, "%.*s", (int)sizeof(info.driver), info.driver);
    return 0;
}

int nic_link(const char *iface)
{
    struct ethtool_value value = {.cmd = ETHTOOL_GLINK};

    return ethtool(iface, &value) < 0 ? -1 : value.data != 0;
}
