/*
 * icmp - echo requests to ourselves, by a raw socket and by one for echo requests alone.
 *
 * Not everybody may have such sockets. Who may not must be told so, and the checks that need one
 * say "ok" without it: the lines are the same on each machine.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOL_RAW     255
#define ICMP_FILTER 1

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* RFC 1071. */
static uint16_t checksum(const void *data, size_t len)
{
    const uint8_t *p = data;
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < len; i += 2) {
        sum += p[i] << 8 | p[i + 1];
    }
    if (len % 2) {
        sum += p[len - 1] << 8;
    }
    sum = (sum >> 16) + (sum & 0xFFFF);
    return htons(~(sum + (sum >> 16)));
}

struct echo {
    struct icmphdr header;
    char data[24];
};

static struct echo request(int id, int sequence)
{
    struct echo e = {.header = {.type = ICMP_ECHO}, .data = "as it was sent"};

    e.header.un.echo.id = htons(id);
    e.header.un.echo.sequence = htons(sequence);
    e.header.checksum = checksum(&e, sizeof(e));
    return e;
}

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) == 1 && p.revents & POLLIN;
}

/* The next packet of that ICMP type; where it begins in the IP packet, or -1. */
static int next_of(int fd, int type, char *packet, size_t size, struct sockaddr_in *from)
{
    socklen_t len = sizeof(*from);

    while (readable(fd, 1000)) {
        ssize_t n = recvfrom(fd, packet, size, 0, (struct sockaddr *)from, &len);
        int header = (packet[0] & 15) * 4;

        if (n < header + (int)sizeof(struct icmphdr)) {
            return -1;
        }
        if (packet[header] == type) {
            return header;
        }
    }
    return -1;
}

static void test_raw(void)
{
    struct sockaddr_in to = loopback(0), from;
    struct echo e = request(0x1234, 7);
    char packet[256];
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP), at, value = 0;
    bool may = fd >= 0;
    socklen_t len = sizeof(value);

    check(may || errno == EPERM, "a raw socket for ICMP: there is one, or EPERM");
    check(!may || (getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len) == 0 && value == SOCK_RAW),
          "its type is SOCK_RAW");
    check(!may ||
              (getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len) == 0 && value == IPPROTO_ICMP),
          "its protocol is ICMP");
    check(!may || sendto(fd, &e, sizeof(e), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(e),
          "it sends an echo request");
    at = may ? next_of(fd, ICMP_ECHOREPLY, packet, sizeof(packet), &from) : 0;
    check(at >= 0, "the reply comes");
    check(!may || at == 20, "behind an IP header");
    check(!may || ((struct iphdr *)packet)->protocol == IPPROTO_ICMP, "of ICMP");
    check(!may || ((struct iphdr *)packet)->ttl == 64, "whose TTL is 64");
    check(!may || memcmp(packet + at + 4, (char *)&e + 4, sizeof(e) - 4) == 0,
          "with what the request had in it");
    check(!may || checksum(packet + at, sizeof(e)) == 0, "and a checksum that is right");
    check(!may || (from.sin_addr.s_addr == to.sin_addr.s_addr && from.sin_port == 0),
          "from 127.0.0.1");

    uint32_t filter = 1u << ICMP_ECHOREPLY;

    check(!may || setsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, sizeof(filter)) == 0,
          "ICMP_FILTER can be set");
    len = sizeof(filter);
    filter = 0;
    check(!may || (getsockopt(fd, SOL_RAW, ICMP_FILTER, &filter, &len) == 0 && filter == 1),
          "and read back");
    while (may && readable(fd, 0)) {
        recv(fd, packet, sizeof(packet), 0);
    }
    if (may) {
        sendto(fd, &e, sizeof(e), 0, (struct sockaddr *)&to, sizeof(to));
    }
    at = may ? next_of(fd, ICMP_ECHO, packet, sizeof(packet), &from) : 0;
    check(!may || at == 20, "on the loopback the request itself is seen as well");
    check(!may || !readable(fd, 100), "but not the reply that the filter keeps out");
    check(!may || (listen(fd, 1) == -1 && errno == EOPNOTSUPP), "it does not listen");
    check(!may || (send(fd, &e, sizeof(e), 0) == -1 && errno == EDESTADDRREQ),
          "send without a peer: EDESTADDRREQ");
    check(!may || connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0, "it connects");
    check(!may || send(fd, &e, sizeof(e), 0) == sizeof(e), "then send works");
    close(fd);

    fd = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);
    may = fd >= 0;
    value = 0;
    len = sizeof(value);
    check(!may || (getsockopt(fd, IPPROTO_IP, IP_HDRINCL, &value, &len) == 0 && value == 1),
          "a raw socket of no protocol writes its own header: IP_HDRINCL");

    int other = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    struct {
        struct iphdr ip;
        struct echo echo;
    } own = {.ip = {.version = 4, .ihl = 5, .ttl = 9, .protocol = IPPROTO_ICMP},
             .echo = request(0x4321, 1)};

    own.ip.daddr = to.sin_addr.s_addr;
    check(!may ||
              sendto(fd, &own, sizeof(own), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(own),
          "it is sent");
    at = may ? next_of(other, ICMP_ECHO, packet, sizeof(packet), &from) : 0;
    check(!may || (at == 20 && ((struct iphdr *)packet)->ttl == 9),
          "with the TTL from that header");
    check(!may || (((struct iphdr *)packet)->saddr == to.sin_addr.s_addr &&
                   ntohs(((struct iphdr *)packet)->tot_len) == sizeof(own) &&
                   checksum(packet, 20) == 0),
          "the source, the length and the checksum are filled in");
    close(other);
    close(fd);
}

static void test_ping(void)
{
    struct sockaddr_in to = loopback(0), from, own;
    struct echo e = request(0x5555, 3), got;
    int fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP), value;
    bool may = fd >= 0;
    socklen_t len = sizeof(from);

    check(may || errno == EACCES, "a socket for echo requests: there is one, or EACCES");
    check(!may || sendto(fd, &e, sizeof(e), 0, (struct sockaddr *)&to, sizeof(to)) == sizeof(e),
          "it sends one");
    check(!may || readable(fd, 1000), "the reply comes");
    check(!may || (ioctl(fd, FIONREAD, &value) == 0 && value == sizeof(e)),
          "FIONREAD says how long it is");
    check(!may || recvfrom(fd, &got, sizeof(got), 0, (struct sockaddr *)&from, &len) == sizeof(e),
          "without an IP header");
    check(!may || (got.header.type == ICMP_ECHOREPLY && got.header.un.echo.sequence == htons(3) &&
                   strcmp(got.data, e.data) == 0),
          "with what the request had in it");
    len = sizeof(own);
    check(!may || (getsockname(fd, (struct sockaddr *)&own, &len) == 0 && own.sin_port != 0 &&
                   got.header.un.echo.id == own.sin_port),
          "its identifier is the socket's port");
    check(!may || from.sin_addr.s_addr == to.sin_addr.s_addr, "from 127.0.0.1");
    e.header.type = ICMP_ECHOREPLY;
    check(!may || (sendto(fd, &e, sizeof(e), 0, (struct sockaddr *)&to, sizeof(to)) == -1 &&
                   errno == EINVAL),
          "it sends nothing but requests: EINVAL");
    check(!may ||
              (sendto(fd, &e, 4, 0, (struct sockaddr *)&to, sizeof(to)) == -1 && errno == EINVAL),
          "and no parts of them: EINVAL");
    close(fd);
}

int main(void)
{
    test_raw();
    test_ping();
    return check_done();
}
