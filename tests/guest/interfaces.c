/*
 * interfaces - the ioctls of netdevice(7), about the one interface that is the same on each
 * machine: the loopback.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <net/route.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int ask(int fd, unsigned request, const char *name, struct ifreq *r)
{
    memset(r, 0, sizeof(*r));
    strncpy(r->ifr_name, name, IFNAMSIZ - 1);
    return ioctl(fd, request, r);
}

static unsigned address(const struct ifreq *r)
{
    return ntohl(((const struct sockaddr_in *)&r->ifr_addr)->sin_addr.s_addr);
}

static void test_loopback(int fd)
{
    struct ifreq r;
    int index;

    check(ask(fd, SIOCGIFADDR, "lo", &r) == 0 && address(&r) == INADDR_LOOPBACK &&
              r.ifr_addr.sa_family == AF_INET,
          "lo has the address 127.0.0.1");
    check(ask(fd, SIOCGIFNETMASK, "lo", &r) == 0 && address(&r) == 0xFF000000,
          "and the mask 255.0.0.0");
    check(ask(fd, SIOCGIFFLAGS, "lo", &r) == 0 &&
              (r.ifr_flags & (IFF_UP | IFF_LOOPBACK | IFF_RUNNING | IFF_BROADCAST)) ==
                  (IFF_UP | IFF_LOOPBACK | IFF_RUNNING),
          "it is up, running, the loopback, and does not broadcast");
    check(ask(fd, SIOCGIFMTU, "lo", &r) == 0 && r.ifr_mtu == 65536, "its MTU is 65536");
    check(ask(fd, SIOCGIFHWADDR, "lo", &r) == 0 && r.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK,
          "its hardware address is of the loopback's kind");
    check(ask(fd, SIOCGIFMETRIC, "lo", &r) == 0 && r.ifr_metric == 0, "its metric is 0");
    check(ask(fd, SIOCGIFTXQLEN, "lo", &r) == 0 && r.ifr_qlen == 1000, "its queue 1000 packets");
    check(ask(fd, SIOCGIFINDEX, "lo", &r) == 0 && r.ifr_ifindex > 0, "it has a number");
    index = r.ifr_ifindex;
    memset(&r, 0, sizeof(r));
    r.ifr_ifindex = index;
    check(ioctl(fd, SIOCGIFNAME, &r) == 0 && strcmp(r.ifr_name, "lo") == 0,
          "and that number has its name");
}

static void test_list(int fd)
{
    struct ifreq list[16];
    struct ifconf conf = {.ifc_len = sizeof(list), .ifc_req = list};
    bool found = false;

    check_equal(ioctl(fd, SIOCGIFCONF, &conf), 0, "SIOCGIFCONF lists those with an address");
    for (int i = 0; i < conf.ifc_len / (int)sizeof(list[0]); i++) {
        found =
            found || (strcmp(list[i].ifr_name, "lo") == 0 && address(&list[i]) == INADDR_LOOPBACK);
    }
    check(found, "the loopback is among them");

    int all = conf.ifc_len;

    conf = (struct ifconf){.ifc_len = 0, .ifc_req = NULL};
    check(ioctl(fd, SIOCGIFCONF, &conf) == 0 && conf.ifc_len == all,
          "without room it tells how much it needs");
    conf = (struct ifconf){.ifc_len = sizeof(list[0]) - 1, .ifc_req = list};
    check(ioctl(fd, SIOCGIFCONF, &conf) == 0 && conf.ifc_len == 0, "half an entry is not told");
    check_errno(ioctl(fd, SIOCGIFCONF, (void *)8), EFAULT, "to nowhere: EFAULT");
}

static void test_errors(int fd)
{
    struct ifreq r;
    struct rtentry route;
    struct arpreq arp;
    int on = 1;

    check_errno(ask(fd, SIOCGIFADDR, "nosuch0", &r), ENODEV, "a name that is none's: ENODEV");
    check_errno(ask(fd, SIOCGIFFLAGS, "", &r), ENODEV, "nor is the empty one's");
    check_errno(ask(fd, SIOCSIFFLAGS, "nosuch0", &r), ENODEV, "setting: ENODEV, too");
    memset(&r, 0, sizeof(r));
    r.ifr_ifindex = 9999;
    check_errno(ioctl(fd, SIOCGIFNAME, &r), ENODEV, "a number that is none's: ENODEV");
    check_errno(ioctl(fd, SIOCGIFADDR, (void *)8), EFAULT, "from nowhere: EFAULT");
    check_errno(ioctl(fd, 0x1234, &r), ENOTTY, "a request that does not exist: ENOTTY");
    check_errno(ioctl(0x7FFF, SIOCGIFADDR, &r), EBADF, "no descriptor: EBADF");
    check_equal(ioctl(fd, FIONBIO, &on), 0, "FIONBIO");

    char byte;

    check_errno(recv(fd, &byte, 1, 0), EAGAIN, "then nobody waits: EAGAIN");
    memset(&route, 0, sizeof(route));
    check(ioctl(fd, SIOCDELRT, &route) == -1 && (errno == EAFNOSUPPORT || errno == EPERM),
          "a route of no family: EAFNOSUPPORT (or EPERM)");
    ((struct sockaddr_in *)&route.rt_dst)->sin_family = AF_INET;
    ((struct sockaddr_in *)&route.rt_dst)->sin_addr.s_addr = htonl(0xC0000200); /* 192.0.2.0 */
    ((struct sockaddr_in *)&route.rt_genmask)->sin_family = AF_INET;
    ((struct sockaddr_in *)&route.rt_genmask)->sin_addr.s_addr = htonl(0xFFFFFF00);
    ((struct sockaddr_in *)&route.rt_genmask)->sin_addr.s_addr = htonl(0xFF00FF00);
    check(ioctl(fd, SIOCADDRT, &route) == -1 && (errno == EINVAL || errno == EPERM),
          "a mask with holes: EINVAL (or EPERM)");
    memset(&arp, 0, sizeof(arp));
    ((struct sockaddr_in *)&arp.arp_pa)->sin_family = AF_INET;
    ((struct sockaddr_in *)&arp.arp_pa)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    strcpy(arp.arp_dev, "lo");
    check_errno(ioctl(fd, SIOCGARP, &arp), ENXIO, "the loopback has no neighbours: ENXIO");
    strcpy(arp.arp_dev, "nosuch0");
    check_errno(ioctl(fd, SIOCGARP, &arp), ENODEV, "nor has what does not exist: ENODEV");
}

static bool has(const char *file, const char *start)
{
    char line[512];
    bool found = false;
    FILE *f = fopen(file, "r");

    while (f && fgets(line, sizeof(line), f)) {
        found = found || strncmp(line + strspn(line, " "), start, strlen(start)) == 0;
    }
    if (f) {
        fclose(f);
    }
    return found;
}

static void test_files(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM, 0), udp = socket(AF_INET, SOCK_DGRAM, 0);
    char text[64], word[64];
    bool found = false;
    FILE *f;

    check(has("/proc/net/dev", "lo:"), "/proc/net/dev has a line for lo");
    check(has("/proc/net/route", "Iface\tDestination\tGateway"), "/proc/net/route has its head");
    check(has("/proc/net/arp", "IP address       HW type"), "/proc/net/arp, too");
    check(has("/proc/net/snmp", "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn"), "and /proc/net/snmp");
    check(has("/proc/net/sockstat", "sockets: used "), "and /proc/net/sockstat");
    bind(fd, (struct sockaddr *)&a, sizeof(a));
    listen(fd, 5);
    getsockname(fd, (struct sockaddr *)&a, &len);
    snprintf(text, sizeof(text), "0100007F:%04X 00000000:0000 0A", ntohs(a.sin_port));
    f = fopen("/proc/net/tcp", "r");
    for (char line[256]; f && fgets(line, sizeof(line), f);) {
        found = found || strstr(line, text);
    }
    fclose(f);
    check(found, "/proc/net/tcp has a line for a listener");
    a.sin_port = 0;
    bind(udp, (struct sockaddr *)&a, sizeof(a));
    getsockname(udp, (struct sockaddr *)&a, &len);
    snprintf(word, sizeof(word), "0100007F:%04X 00000000:0000 07", ntohs(a.sin_port));
    found = false;
    f = fopen("/proc/net/udp", "r");
    for (char line[256]; f && fgets(line, sizeof(line), f);) {
        found = found || strstr(line, word);
    }
    fclose(f);
    check(found, "/proc/net/udp for a UDP socket");
    close(fd);
    close(udp);
}

int main(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    test_loopback(fd);
    test_list(fd);
    test_errors(fd);
    test_files();
    close(fd);
    return check_done();
}
