/*
 * udp - datagrams over 127.0.0.1: borders, addresses, errors, what comes beside them, options.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A UDP socket bound to a port of the system's choice; that is put into *address. */
static int bound(struct sockaddr_in *address)
{
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);

    *address = loopback(0);
    if (bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) < 0) {
        return -1;
    }
    return fd;
}

static ssize_t to(int fd, const void *data, size_t len, const struct sockaddr_in *address)
{
    return sendto(fd, data, len, 0, (const struct sockaddr *)address, sizeof(*address));
}

static bool readable(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, ms) == 1 && p.revents & POLLIN;
}

static void test_kinds(void)
{
    int value = 0, fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_UDP);
    socklen_t len = sizeof(value);

    check_works(fd, "a UDP socket");
    check(getsockopt(fd, SOL_SOCKET, SO_TYPE, &value, &len) == 0 && value == SOCK_DGRAM,
          "its SO_TYPE is SOCK_DGRAM");
    check(getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &value, &len) == 0 && value == IPPROTO_UDP,
          "its SO_PROTOCOL is UDP");
    check(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &value, &len) == 0 && value == AF_INET,
          "its SO_DOMAIN is AF_INET");
    check_errno(listen(fd, 1), EOPNOTSUPP, "UDP does not listen: EOPNOTSUPP");
    check_errno(accept(fd, NULL, NULL), EOPNOTSUPP, "nor accept");
    close(fd);
    check_errno(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP), EPROTONOSUPPORT,
                "datagrams over TCP: EPROTONOSUPPORT");
    check_errno(socket(AF_INET, SOCK_SEQPACKET, 0), ESOCKTNOSUPPORT,
                "SOCK_SEQPACKET over IPv4: ESOCKTNOSUPPORT");
    check_errno(socket(AF_INET, 77, 0), EINVAL, "a type that does not exist: EINVAL");
    check_errno(socket(9999, SOCK_DGRAM, 0), EAFNOSUPPORT, "nor that family: EAFNOSUPPORT");
    check_errno(socket(AF_INET, SOCK_RAW, 0), EPROTONOSUPPORT,
                "a raw socket of no protocol: EPROTONOSUPPORT");
}

static void test_borders(void)
{
    struct sockaddr_in a, b, from;
    int one = bound(&a), two = bound(&b), waiting = -1;
    socklen_t len = sizeof(from);
    char data[64] = "";

    check_equal(to(one, "first", 5, &b), 5, "sendto sends a datagram");
    check_equal(to(one, "", 0, &b), 0, "also an empty one");
    check_equal(to(one, "a longer one", 12, &b), 12, "and another");
    check(readable(two, 1000), "poll says that something has come");
    check(ioctl(two, FIONREAD, &waiting) == 0 && waiting == 5, "FIONREAD: the first one's length");
    check_equal(recvfrom(two, data, sizeof(data), 0, (struct sockaddr *)&from, &len), 5,
                "recvfrom gives one at a time");
    check_bytes(data, "first", 5, "the bytes are right");
    check(from.sin_port == a.sin_port && from.sin_addr.s_addr == a.sin_addr.s_addr &&
              len == sizeof(from),
          "and the sender's address");
    check_equal(recv(two, data, sizeof(data), 0), 0, "an empty datagram is received as 0 bytes");
    check_equal(recv(two, data, 3, MSG_PEEK), 3, "MSG_PEEK leaves it there");
    check_equal(recv(two, data, 3, MSG_PEEK | MSG_TRUNC), 12, "MSG_TRUNC tells its whole length");

    struct iovec range = {data, 4};
    struct msghdr m = {.msg_iov = &range, .msg_iovlen = 1};

    check(recvmsg(two, &m, 0) == 4 && m.msg_flags & MSG_TRUNC,
          "recvmsg says that it was cut: MSG_TRUNC");
    check_errno(recv(two, data, sizeof(data), MSG_DONTWAIT), EAGAIN,
                "and the rest of it is gone: EAGAIN");
    check(ioctl(two, FIONREAD, &waiting) == 0 && waiting == 0, "FIONREAD: nothing waits");
    check(!readable(two, 0), "poll says the same");
    close(one);
    close(two);
}

static void test_vectors(void)
{
    struct sockaddr_in a, b;
    int one = bound(&a), two = bound(&b);
    char x[3], y[10];
    struct iovec out[3] = {{"ab", 2}, {"", 0}, {"cdefg", 5}}, in[2] = {{x, 3}, {y, 10}};
    struct msghdr m = {.msg_name = &b, .msg_namelen = sizeof(b), .msg_iov = out, .msg_iovlen = 3};
    struct sockaddr_in from;
    struct msghdr r = {
        .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = in, .msg_iovlen = 2};

    check_equal(sendmsg(one, &m, 0), 7, "sendmsg gathers a datagram");
    check_equal(recvmsg(two, &r, 0), 7, "recvmsg scatters it");
    check(memcmp(x, "abc", 3) == 0 && memcmp(y, "defg", 4) == 0, "into the ranges in turn");
    check(r.msg_namelen == sizeof(from) && from.sin_port == a.sin_port, "and tells the sender");
    check_equal(r.msg_controllen, 0, "without control data there is none");
    m.msg_iovlen = 1025;
    check_errno(sendmsg(one, &m, 0), EMSGSIZE, "more than 1024 ranges: EMSGSIZE");
    check_errno(sendmsg(one, (void *)8, 0), EFAULT, "a bad header: EFAULT");

    struct mmsghdr many[3];
    char got[3][8];
    struct iovec ranges[3];

    memset(many, 0, sizeof(many));
    for (int i = 0; i < 3; i++) {
        ranges[i] = (struct iovec){"xyz", i + 1};
        many[i].msg_hdr = (struct msghdr){
            .msg_name = &b, .msg_namelen = sizeof(b), .msg_iov = &ranges[i], .msg_iovlen = 1};
    }
    check_equal(sendmmsg(one, many, 3, 0), 3, "sendmmsg sends three");
    check(many[0].msg_len == 1 && many[2].msg_len == 3, "and says how long each was");
    memset(many, 0, sizeof(many));
    for (int i = 0; i < 3; i++) {
        ranges[i] = (struct iovec){got[i], 8};
        many[i].msg_hdr = (struct msghdr){.msg_iov = &ranges[i], .msg_iovlen = 1};
    }
    check_equal(recvmmsg(two, many, 2, 0, NULL), 2, "recvmmsg receives as many as asked for");
    check(many[0].msg_len == 1 && many[1].msg_len == 2, "each with its length");
    check_equal(recvmmsg(two, many, 3, MSG_WAITFORONE, NULL), 1,
                "with MSG_WAITFORONE those that are there");
    check_errno(recvmmsg(two, many, 3, MSG_DONTWAIT, NULL), EAGAIN, "and then EAGAIN");
    close(one);
    close(two);
}

static void test_connected(void)
{
    struct sockaddr_in a, b, c, name;
    int one = bound(&a), two = bound(&b), three = bound(&c);
    socklen_t len = sizeof(name);
    char data[16];

    check_errno(send(one, "x", 1, 0), EDESTADDRREQ, "send without a peer: EDESTADDRREQ");
    check_errno(getpeername(one, (struct sockaddr *)&name, &len), ENOTCONN,
                "no peer has a name: ENOTCONN");
    check_equal(connect(one, (struct sockaddr *)&b, sizeof(b)), 0, "UDP connects at once");
    check(getpeername(one, (struct sockaddr *)&name, &len) == 0 && name.sin_port == b.sin_port,
          "then getpeername tells the peer");
    check_equal(send(one, "abc", 3, 0), 3, "and send works");
    check_equal(write(one, "de", 2), 2, "and write");
    check(recv(two, data, 16, 0) == 3 && recv(two, data, 16, 0) == 2, "both arrive");
    to(three, "stranger", 8, &a);
    to(two, "peer", 4, &a);
    check_equal(recv(one, data, sizeof(data), 0), 4, "only the peer's datagrams are received");
    check_equal(to(one, "over", 4, &c), 4, "sendto may still name another");
    check_equal(recv(three, data, sizeof(data), 0), 4, "who receives it");
    name.sin_family = AF_UNSPEC;
    check_equal(connect(one, (struct sockaddr *)&name, sizeof(name)), 0, "AF_UNSPEC disconnects");
    check_errno(send(one, "x", 1, 0), EDESTADDRREQ, "then there is no peer any more");
    check_equal(connect(one, (struct sockaddr *)&c, sizeof(c)), 0, "it may have another one");
    check_errno(connect(one, (struct sockaddr *)&c, 1), EINVAL, "connect: too short: EINVAL");
    check_errno(connect(one, (struct sockaddr *)&c, 8), EINVAL, "half an address: EINVAL");
    close(one);
    close(two);
    close(three);
}

static void test_refused(void)
{
    struct sockaddr_in a, b;
    int one = bound(&a), two = bound(&b), value = -1;
    struct pollfd p = {.fd = one, .events = POLLIN};
    socklen_t len = sizeof(value);
    char data[4];

    close(two); /* now nobody is there */
    connect(one, (struct sockaddr *)&b, sizeof(b));
    check_equal(send(one, "x", 1, 0), 1, "a datagram to a port without a socket is sent");
    check(poll(&p, 1, 1000) == 1 && p.revents & POLLERR, "the answer is an error: POLLERR");
    check_errno(recv(one, data, 4, 0), ECONNREFUSED, "recv tells it: ECONNREFUSED");
    check_errno(recv(one, data, 4, MSG_DONTWAIT), EAGAIN, "once");
    send(one, "x", 1, 0);
    poll(&p, 1, 1000);
    check(getsockopt(one, SOL_SOCKET, SO_ERROR, &value, &len) == 0 && value == ECONNREFUSED,
          "SO_ERROR tells it, too");
    check(getsockopt(one, SOL_SOCKET, SO_ERROR, &value, &len) == 0 && value == 0, "once");
    send(one, "x", 1, 0);
    poll(&p, 1, 1000);
    check_errno(send(one, "x", 1, 0), ECONNREFUSED, "the next send tells it as well");
    close(one);

    one = bound(&a);
    to(one, "x", 1, &b);
    check_errno(recv(one, data, 4, MSG_DONTWAIT), EAGAIN,
                "without a peer nothing is told (but for IP_RECVERR)");
    close(one);
}

static void test_names(void)
{
    struct sockaddr_in a, b, name;
    int one = bound(&a), on = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof(name);

    check(a.sin_port != 0, "bind to port 0 chooses one");
    check_errno(bind(one, (struct sockaddr *)&a, sizeof(a)), EINVAL, "bind twice: EINVAL");
    check_errno(bind(fd, (struct sockaddr *)&a, sizeof(a)), EADDRINUSE,
                "bind to a port in use: EADDRINUSE");
    b = a;
    b.sin_addr.s_addr = htonl(INADDR_ANY);
    check_errno(bind(fd, (struct sockaddr *)&b, sizeof(b)), EADDRINUSE,
                "so it is for all addresses");
    b = loopback(0);
    b.sin_addr.s_addr = htonl(0xC0000201); /* 192.0.2.1: RFC 5737 */
    check_errno(bind(fd, (struct sockaddr *)&b, sizeof(b)), EADDRNOTAVAIL,
                "bind to another machine's address: EADDRNOTAVAIL");
    b.sin_family = AF_UNIX;
    check_errno(bind(fd, (struct sockaddr *)&b, sizeof(b)), EAFNOSUPPORT,
                "bind to another family's: EAFNOSUPPORT");
    check_errno(bind(fd, (struct sockaddr *)&b, 3), EINVAL, "bind to a part of one: EINVAL");
    check_errno(bind(fd, (struct sockaddr *)8, sizeof(b)), EFAULT, "bind to nowhere: EFAULT");
    check(getsockname(fd, (struct sockaddr *)&name, &len) == 0 && name.sin_port == 0 &&
              name.sin_family == AF_INET,
          "an unbound socket's port is 0");
    to(fd, "x", 1, &a);
    len = sizeof(name);
    check(getsockname(fd, (struct sockaddr *)&name, &len) == 0 && name.sin_port != 0,
          "the first sendto gives it one");
    len = 4;
    memset(&name, 0xFF, sizeof(name));
    check(getsockname(fd, (struct sockaddr *)&name, &len) == 0 && len == sizeof(name) &&
              name.sin_addr.s_addr == 0xFFFFFFFF,
          "getsockname cuts to the room and tells the whole length");
    close(fd);
    close(one);

    one = socket(AF_INET, SOCK_DGRAM, 0);
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(one, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    check(bind(one, (struct sockaddr *)&a, sizeof(a)) == 0 &&
              bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0,
          "with SO_REUSEADDR two UDP sockets may share a port");
    close(fd);
    close(one);
}

static void test_limits(void)
{
    static char big[70000];
    struct sockaddr_in a, b, all = {.sin_family = AF_INET, .sin_port = htons(9)};
    int one = bound(&a), two = bound(&b), on = 1;
    ssize_t got;

    check_errno(to(one, big, 65508, &b), EMSGSIZE, "a datagram of more than 65507: EMSGSIZE");
    for (size_t i = 0; i < 1472; i++) {
        big[i] = pattern(i);
    }
    check_equal(to(one, big, 1472, &b), 1472, "one that fills an Ethernet frame");
    memset(big, 0, 1472);
    got = recv(two, big, sizeof(big), 0);
    for (ssize_t i = 0; i < got; i++) {
        if (big[i] != (char)pattern(i)) {
            got = -i;
        }
    }
    check_equal(got, 1472, "arrives as it was");
    for (size_t i = 0; i < sizeof(big); i++) {
        big[i] = pattern(i);
    }
    check_equal(to(one, big, 65507, &b), 65507, "the longest that there is");
    memset(big, 0, sizeof(big));
    got = recv(two, big, sizeof(big), 0);
    for (ssize_t i = 0; i < got; i++) {
        if (big[i] != (char)pattern(i)) {
            got = -i;
        }
    }
    check_equal(got, 65507, "arrives as it was, too");
    b.sin_port = 0;
    check_errno(to(one, "x", 1, &b), EINVAL, "to port 0: EINVAL");
    all.sin_addr.s_addr = htonl(INADDR_BROADCAST);
    check_errno(to(one, "x", 1, &all), EACCES, "a broadcast without SO_BROADCAST: EACCES");
    check(setsockopt(one, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0, "SO_BROADCAST");
    b.sin_family = AF_UNIX;
    check_errno(to(one, "x", 1, &b), EAFNOSUPPORT, "to another family: EAFNOSUPPORT");
    check_errno(sendto(one, "x", 1, 0, (struct sockaddr *)&b, 5), EINVAL,
                "to a part of an address: EINVAL");
    check_errno(sendto(one, "x", 1, 0, (struct sockaddr *)&b, 129), EINVAL,
                "to one that is too long: EINVAL");
    check_errno(sendto(one, (void *)8, 1, 0, (struct sockaddr *)&a, sizeof(a)), EFAULT,
                "from nowhere: EFAULT");
    check_errno(send(one, "x", 1, MSG_OOB), EOPNOTSUPP, "no datagram is urgent: EOPNOTSUPP");

    struct timeval short_time = {0, 50000};

    setsockopt(two, SOL_SOCKET, SO_RCVTIMEO, &short_time, sizeof(short_time));
    check_errno(recv(two, big, 1, 0), EAGAIN, "SO_RCVTIMEO ends the wait: EAGAIN");
    close(one);
    close(two);
}

static void test_shutdown(void)
{
    struct sockaddr_in a, b;
    int one = bound(&a), two = bound(&b);
    struct pollfd p = {.fd = one, .events = POLLIN | POLLOUT | POLLRDHUP};
    char data[4];

    check_errno(shutdown(one, 7), EINVAL, "shutdown of what does not exist: EINVAL");
    check_errno(shutdown(two, SHUT_RD), ENOTCONN, "shutdown without a peer: ENOTCONN");
    check_equal(recv(two, data, 4, 0), 0, "and yet nothing is received any more");
    connect(one, (struct sockaddr *)&b, sizeof(b));
    check_equal(shutdown(one, SHUT_RD), 0, "shutdown(SHUT_RD)");
    check_equal(recv(one, data, 4, 0), 0, "recv gives 0");
    check(poll(&p, 1, 0) == 1 && p.revents == (POLLIN | POLLOUT | POLLRDHUP),
          "poll: POLLIN, POLLRDHUP");
    check_equal(shutdown(one, SHUT_WR), 0, "shutdown(SHUT_WR)");
    check_errno(send(one, "x", 1, MSG_NOSIGNAL), EPIPE, "send: EPIPE");
    check(poll(&p, 1, 0) == 1 && p.revents & POLLHUP, "poll: POLLHUP");
    close(one);
    close(two);
}

/* The control data of the one message that comes; its length, -1 without any of that type. */
static int control_of(int fd, int type, void *value, size_t size)
{
    char data[16], control[128];
    struct iovec range = {data, sizeof(data)};
    struct msghdr m = {.msg_iov = &range,
                       .msg_iovlen = 1,
                       .msg_control = control,
                       .msg_controllen = sizeof(control)};

    if (recvmsg(fd, &m, 0) < 0) {
        return -1;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == type) {
            size_t len = c->cmsg_len - CMSG_LEN(0);

            memcpy(value, CMSG_DATA(c), len < size ? len : size);
            return len;
        }
    }
    return -1;
}

static void test_options(void)
{
    struct sockaddr_in a, b;
    int one = bound(&a), two = bound(&b), value, on = 1;
    socklen_t len = sizeof(value);
    struct in_pktinfo info;
    unsigned char tos = 0;

    check(getsockopt(one, IPPROTO_IP, IP_TTL, &value, &len) == 0 && value == 64, "IP_TTL is 64");
    value = 7;
    check_equal(setsockopt(one, IPPROTO_IP, IP_TTL, &value, sizeof(value)), 0, "and can be set");
    value = 256;
    check_errno(setsockopt(one, IPPROTO_IP, IP_TTL, &value, sizeof(value)), EINVAL,
                "not to 256: EINVAL");
    setsockopt(two, IPPROTO_IP, IP_RECVTTL, &on, sizeof(on));
    to(one, "x", 1, &b);
    value = 0;
    check(control_of(two, IP_TTL, &value, sizeof(value)) == sizeof(int) && value == 7,
          "IP_RECVTTL tells the TTL that a datagram came with");
    value = 0x10;
    setsockopt(one, IPPROTO_IP, IP_TOS, &value, sizeof(value));
    setsockopt(two, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
    to(one, "x", 1, &b);
    check(control_of(two, IP_TOS, &tos, 1) == 1 && tos == 0x10, "IP_RECVTOS the type of service");
    setsockopt(two, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
    to(one, "x", 1, &b);
    check(control_of(two, IP_PKTINFO, &info, sizeof(info)) == sizeof(info) &&
              info.ipi_addr.s_addr == htonl(INADDR_LOOPBACK) &&
              info.ipi_ifindex == (int)if_nametoindex("lo"),
          "IP_PKTINFO the address and the interface");
    check_errno(setsockopt(one, IPPROTO_IP, 9999, &on, sizeof(on)), ENOPROTOOPT,
                "an option that does not exist: ENOPROTOOPT");
    check_errno(setsockopt(one, 9999, 1, &on, sizeof(on)), ENOPROTOOPT,
                "a level that does not exist: ENOPROTOOPT");
    check_errno(setsockopt(one, SOL_SOCKET, SO_TYPE, &on, sizeof(on)), ENOPROTOOPT,
                "SO_TYPE cannot be set: ENOPROTOOPT");
    check_errno(setsockopt(one, SOL_SOCKET, SO_BROADCAST, &on, 1), EINVAL,
                "an option that is too short: EINVAL");
    check_errno(setsockopt(one, SOL_SOCKET, SO_BROADCAST, (void *)8, 4), EFAULT,
                "an option from nowhere: EFAULT");
    len = 2;
    check(getsockopt(one, SOL_SOCKET, SO_TYPE, &value, &len) == 0 && len == 2,
          "getsockopt cuts to the room there is");
    len = -1;
    check_errno(getsockopt(one, SOL_SOCKET, SO_TYPE, &value, &len), EINVAL,
                "room of less than nothing: EINVAL");
    close(one);
    close(two);
}

int main(void)
{
    test_kinds();
    test_borders();
    test_vectors();
    test_connected();
    test_refused();
    test_names();
    test_limits();
    test_shutdown();
    test_options();
    return check_done();
}
