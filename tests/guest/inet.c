/*
 * inet - TCP sockets beyond a plain exchange: without waiting, shut down in every way, options,
 * peeking, signals, and errors.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

/* A listener on a port of the system's choice. */
static int listener(struct sockaddr_in *address, int backlog)
{
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address = loopback(0);
    if (bind(fd, (struct sockaddr *)address, sizeof(*address)) < 0 || listen(fd, backlog) < 0 ||
        getsockname(fd, (struct sockaddr *)address, &len) < 0) {
        return -1;
    }
    return fd;
}

static int reach(int fd, const struct sockaddr_in *address)
{
    return connect(fd, (const struct sockaddr *)address, sizeof(*address));
}

/* The events of poll, with POLLIN, POLLOUT and POLLRDHUP asked for; 0 after so many ms. */
static int events(int fd, int ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDHUP};

    return poll(&p, 1, ms) == 1 ? p.revents : 0;
}

static int wait_for(int fd, short wanted)
{
    struct pollfd p = {.fd = fd, .events = wanted};

    return poll(&p, 1, 2000) == 1 ? p.revents : 0;
}

static int number(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    return getsockopt(fd, level, name, &value, &len) == 0 ? value : -errno;
}

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value));
}

static void test_without_waiting(void)
{
    struct sockaddr_in address, nobody;
    int l = listener(&address, 5), none = listener(&nobody, 1);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), peer, at;
    char data[8];

    close(none);
    check(fcntl(fd, F_GETFL) & O_NONBLOCK, "SOCK_NONBLOCK makes a socket that does not wait");
    check_equal(fcntl(fd, F_GETFD), FD_CLOEXEC, "SOCK_CLOEXEC one that exec closes");
    check_equal(events(fd, 0), POLLOUT | POLLHUP, "poll of a new socket: POLLOUT, POLLHUP");
    check_errno(reach(fd, &address), EINPROGRESS, "connect does not wait: EINPROGRESS");
    check_equal(wait_for(fd, POLLOUT), POLLOUT, "poll says when it is connected");
    check_equal(number(fd, SOL_SOCKET, SO_ERROR), 0, "SO_ERROR says how it went");
    check_equal(reach(fd, &address), 0, "the next connect says so, too");
    check_errno(reach(fd, &address), EISCONN, "a further one: EISCONN");
    check_equal(wait_for(l, POLLIN), POLLIN, "the listener has somebody waiting: POLLIN");
    fcntl(l, F_SETFL, O_NONBLOCK);
    peer = accept4(l, NULL, NULL, SOCK_NONBLOCK);
    check_works(peer, "accept4 takes the connection");
    check(fcntl(peer, F_GETFL) & O_NONBLOCK, "with SOCK_NONBLOCK");
    check_errno(accept4(l, NULL, NULL, 0), EAGAIN, "there is no other: EAGAIN");
    check_errno(syscall(SYS_accept4, l, NULL, NULL, 1), EINVAL,
                "a flag that does not exist: EINVAL");
    check_errno(recv(peer, data, 8, 0), EAGAIN, "recv has nothing: EAGAIN");
    check_errno(send(peer, (void *)8, 8, 0), EFAULT, "send from nowhere: EFAULT");

    static char block[65536];
    long long sent = 0, got = 0;
    ssize_t n;

    while ((n = send(peer, block, sizeof(block), 0)) > 0) {
        sent += n;
    }
    check(n == -1 && errno == EAGAIN && sent > 0, "send fills the buffers, then: EAGAIN");
    check_equal(events(peer, 0) & POLLOUT, 0, "and poll says that there is no room");
    while (got < sent && wait_for(fd, POLLIN) && (n = recv(fd, block, sizeof(block), 0)) > 0) {
        got += n;
    }
    check_equal(got, sent, "all that was accepted arrives");
    check_equal(wait_for(peer, POLLOUT), POLLOUT, "then there is room again");
    close(peer);
    close(fd);

    fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check_errno(reach(fd, &nobody), EINPROGRESS, "connect to nobody does not wait either");
    at = wait_for(fd, POLLOUT);
    check(at & POLLERR && at & POLLHUP, "poll: POLLERR, POLLHUP");
    check_equal(number(fd, SOL_SOCKET, SO_ERROR), ECONNREFUSED, "SO_ERROR: ECONNREFUSED");
    check_equal(number(fd, SOL_SOCKET, SO_ERROR), 0, "once");
    close(fd);
    close(l);
}

static void test_shutdown(void)
{
    struct sockaddr_in address;
    int ends[2], l;
    char data[8];

    check_equal(tcp_pair(ends), 0, "a pair of connected sockets");
    check_equal(events(ends[0], 0), POLLOUT, "poll: POLLOUT");
    send(ends[0], "last", 4, 0);
    check_equal(shutdown(ends[0], SHUT_WR), 0, "shutdown(SHUT_WR)");
    check_errno(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE, "then send fails: EPIPE");
    check_equal(recv(ends[1], data, 8, MSG_WAITALL), 4, "the peer gets what was sent before");
    check_equal(recv(ends[1], data, 8, 0), 0, "and then the end");
    check_equal(events(ends[1], 0), POLLIN | POLLOUT | POLLRDHUP, "poll: POLLIN, POLLRDHUP");
    check_equal(send(ends[1], "back", 4, 0), 4, "the other way is still open");
    check_equal(recv(ends[0], data, 8, 0), 4, "in that direction bytes arrive");
    check_equal(shutdown(ends[1], SHUT_WR), 0, "when the peer does the same");
    check(wait_for(ends[0], POLLIN) & POLLHUP, "poll: POLLHUP");
    close(ends[0]);
    close(ends[1]);

    tcp_pair(ends);
    check_equal(shutdown(ends[0], SHUT_RD), 0, "shutdown(SHUT_RD)");
    check_equal(recv(ends[0], data, 8, 0), 0, "recv gives the end");
    check_equal(events(ends[0], 0), POLLIN | POLLOUT | POLLRDHUP, "poll: POLLIN, POLLRDHUP");
    check_equal(send(ends[0], "x", 1, 0), 1, "sending goes on");
    check_errno(shutdown(ends[0], 3), EINVAL, "a way that does not exist: EINVAL");
    close(ends[0]);
    close(ends[1]);

    l = socket(AF_INET, SOCK_STREAM, 0);
    check_errno(shutdown(l, SHUT_RDWR), ENOTCONN, "shutdown without a connection: ENOTCONN");
    check_errno(shutdown(0x7FFF, SHUT_RDWR), EBADF, "without a descriptor: EBADF");
    close(l);

    l = listener(&address, 5);
    pid_t child = fork();

    if (child == 0) {
        usleep(50000);
        shutdown(l, SHUT_RD);
        _exit(0);
    }
    check_errno(accept(l, NULL, NULL), EINVAL, "shutdown of a listener wakes accept: EINVAL");
    waitpid(child, NULL, 0);
    check_equal(number(l, SOL_SOCKET, SO_ACCEPTCONN), 0, "it does not listen any more");
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    check_errno(reach(ends[0], &address), ECONNREFUSED, "so a connect is refused");
    check_equal(listen(l, 5), 0, "it may listen again");
    close(ends[0]);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    getsockname(l, (struct sockaddr *)&address, &(socklen_t){sizeof(address)});
    check_equal(reach(ends[0], &address), 0, "and be reached");
    close(ends[0]);
    close(l);
}

static void test_receiving(void)
{
    int ends[2], waiting = -1;
    char x[4], y[8];
    struct iovec in[2] = {{x, 4}, {y, 8}};
    struct msghdr m = {.msg_iov = in, .msg_iovlen = 2};
    struct sockaddr_in from;
    socklen_t len = sizeof(from);

    tcp_pair(ends);
    send(ends[0], "0123", 4, MSG_MORE);
    send(ends[0], "456789", 6, 0);
    check_equal(recv(ends[1], y, 8, MSG_PEEK), 8, "MSG_PEEK shows what waits");
    check_equal(recvmsg(ends[1], &m, MSG_PEEK), 10, "over several ranges, too");
    check(memcmp(x, "0123", 4) == 0 && memcmp(y, "456789", 6) == 0, "in order");
    check(ioctl(ends[1], FIONREAD, &waiting) == 0 && waiting == 10, "FIONREAD counts the bytes");
    check_equal(recv(ends[1], NULL, 3, MSG_TRUNC), 3, "MSG_TRUNC throws bytes away");
    check_equal(recvfrom(ends[1], x, 4, 0, (struct sockaddr *)&from, &len), 4, "recvfrom");
    check(memcmp(x, "3456", 4) == 0 && len == 0, "goes on behind them; a stream names nobody");
    check_errno(recv(ends[1], x, 1, MSG_OOB), EINVAL, "there is no urgent byte: EINVAL");
    check_errno(recv(ends[1], x, 1, MSG_ERRQUEUE), EAGAIN, "nor a queued error: EAGAIN");
    check_errno(recv(ends[1], (void *)8, 1, 0), EFAULT, "to nowhere: EFAULT");
    check_equal(recv(ends[1], y, 8, 0), 3, "after which the rest is still there");

    pid_t child = fork();

    if (child == 0) {
        for (int i = 0; i < 4; i++) {
            send(ends[0], "ab", 2, 0);
            usleep(20000);
        }
        _exit(0);
    }
    check_equal(recv(ends[1], y, 8, MSG_WAITALL), 8, "MSG_WAITALL waits for all of it");
    waitpid(child, NULL, 0);

    struct timeval soon = {0, 500000};

    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    send(ends[0], "z", 1, 0);
    check_equal(recv(ends[1], y, 8, MSG_WAITALL), 1, "SO_RCVTIMEO ends that, with what is there");
    check_errno(recv(ends[1], y, 8, 0), EAGAIN, "or EAGAIN");
    check_equal(set(ends[1], SOL_SOCKET, SO_RCVLOWAT, 4), 0, "SO_RCVLOWAT");
    send(ends[0], "abc", 3, 0);
    check_equal(events(ends[1], 50), POLLOUT, "three bytes are not enough for poll");
    send(ends[0], "d", 1, 0);
    check(wait_for(ends[1], POLLIN) & POLLIN, "four are");
    close(ends[0]);
    close(ends[1]);
}

static void test_reset(void)
{
    struct linger hard = {1, 0};
    int ends[2];
    char data[4];

    tcp_pair(ends);
    setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    close(ends[0]);
    check(wait_for(ends[1], POLLIN) & POLLERR, "SO_LINGER 0: close resets, poll says POLLERR");
    check_errno(recv(ends[1], data, 4, 0), ECONNRESET, "recv: ECONNRESET");
    check_equal(recv(ends[1], data, 4, 0), 0, "then the end");
    check_errno(send(ends[1], "x", 1, MSG_NOSIGNAL), EPIPE, "send: EPIPE");
    close(ends[1]);

    tcp_pair(ends);
    send(ends[1], "unread", 6, 0);
    wait_for(ends[0], POLLIN);
    close(ends[0]);
    check(wait_for(ends[1], POLLIN) & POLLERR, "close with unread bytes resets, too");
    check_equal(number(ends[1], SOL_SOCKET, SO_ERROR), ECONNRESET, "SO_ERROR: ECONNRESET");
    close(ends[1]);
}

static int write_to_nobody(void *unused)
{
    int ends[2];

    tcp_pair(ends);
    shutdown(ends[0], SHUT_WR);
    return write(ends[0], "x", 1);
}

static volatile sig_atomic_t caught;

static void on_alarm(int signal)
{
    caught++;
}

/* A child that sends us SIGALRM after so many ms. */
static pid_t alarm_in(int ms, int flags)
{
    struct sigaction action = {.sa_handler = on_alarm, .sa_flags = flags};

    sigaction(SIGALRM, &action, NULL);
    caught = 0;

    pid_t child = fork();

    if (child == 0) {
        usleep(ms * 1000);
        kill(getppid(), SIGALRM);
        _exit(0);
    }
    return child;
}

static void test_signals(void)
{
    struct timeval late = {5, 0};
    struct sockaddr_in address;
    int ends[2], l = listener(&address, 1);
    char data[4];
    pid_t waiter;

    check_killed(write_to_nobody, NULL, SIGPIPE, "a write to a closed way kills with SIGPIPE");
    tcp_pair(ends);
    waiter = alarm_in(50, 0);
    check_errno(recv(ends[0], data, 4, 0), EINTR, "a signal ends recv: EINTR");
    check_equal(caught, 1, "its handler ran");
    waitpid(waiter, NULL, 0);
    waiter = alarm_in(50, 0);
    check_errno(accept(l, NULL, NULL), EINTR, "a signal ends accept: EINTR");
    waitpid(waiter, NULL, 0);

    pid_t child = fork();

    if (child == 0) {
        usleep(200000);
        send(ends[1], "ok", 2, 0);
        _exit(0);
    }
    waiter = alarm_in(50, SA_RESTART);
    check_equal(recv(ends[0], data, 4, 0), 2, "with SA_RESTART recv goes on");
    check_equal(caught, 1, "after the handler");
    waitpid(child, NULL, 0);
    waitpid(waiter, NULL, 0);
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &late, sizeof(late));
    waiter = alarm_in(50, SA_RESTART);
    check_errno(recv(ends[0], data, 4, 0), EINTR, "but not with SO_RCVTIMEO: EINTR");
    waitpid(waiter, NULL, 0);
    close(ends[0]);
    close(ends[1]);
    close(l);
}

static void test_options(void)
{
    struct sockaddr_in address;
    struct tcp_info info;
    char name[16] = "";
    int l = listener(&address, 5), ends[2];
    socklen_t len = sizeof(name);

    check_equal(number(l, SOL_SOCKET, SO_ACCEPTCONN), 1, "SO_ACCEPTCONN of a listener is 1");
    check_equal(number(l, SOL_SOCKET, SO_TYPE), SOCK_STREAM, "SO_TYPE: SOCK_STREAM");
    check_equal(number(l, SOL_SOCKET, SO_DOMAIN), AF_INET, "SO_DOMAIN: AF_INET");
    check_equal(number(l, SOL_SOCKET, SO_PROTOCOL), IPPROTO_TCP, "SO_PROTOCOL: TCP");
    check_equal(events(l, 0), 0, "poll of a listener that nobody calls: nothing");
    check_errno(recv(l, name, 1, 0), ENOTCONN, "recv of it: ENOTCONN");
    check_errno(reach(l, &address), EISCONN, "connect: EISCONN");
    close(l);
    tcp_pair(ends);
    check_equal(number(ends[0], IPPROTO_TCP, TCP_NODELAY), 0, "TCP_NODELAY is off");
    check(set(ends[0], IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
              number(ends[0], IPPROTO_TCP, TCP_NODELAY) == 1,
          "and can be switched on");
    check_equal(number(ends[0], IPPROTO_TCP, TCP_KEEPIDLE), 7200, "TCP_KEEPIDLE is two hours");
    check(set(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, 60) == 0 &&
              number(ends[0], IPPROTO_TCP, TCP_KEEPIDLE) == 60,
          "or what it was set to");
    check_errno(set(ends[0], IPPROTO_TCP, TCP_KEEPIDLE, 0), EINVAL, "not 0: EINVAL");
    check_equal(number(ends[0], IPPROTO_TCP, TCP_KEEPCNT), 9, "TCP_KEEPCNT is 9");
    check_equal(number(ends[0], IPPROTO_TCP, TCP_KEEPINTVL), 75, "TCP_KEEPINTVL 75 s");
    check_errno(set(ends[0], IPPROTO_TCP, TCP_KEEPCNT, 128), EINVAL, "128 probes: EINVAL");
    check(set(ends[0], IPPROTO_TCP, TCP_USER_TIMEOUT, 1234) == 0 &&
              number(ends[0], IPPROTO_TCP, TCP_USER_TIMEOUT) == 1234,
          "TCP_USER_TIMEOUT");
    check_errno(set(ends[0], IPPROTO_TCP, TCP_MAXSEG, 20), EINVAL, "TCP_MAXSEG 20: EINVAL");
    check(setsockopt(ends[0], IPPROTO_TCP, TCP_CONGESTION, "reno", 4) == 0 &&
              getsockopt(ends[0], IPPROTO_TCP, TCP_CONGESTION, name, &len) == 0 &&
              strcmp(name, "reno") == 0,
          "TCP_CONGESTION: reno");
    check_errno(setsockopt(ends[0], IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6), ENOENT,
                "another that does not exist: ENOENT");
    len = sizeof(info);
    check(getsockopt(ends[0], IPPROTO_TCP, TCP_INFO, &info, &len) == 0 &&
              info.tcpi_state == TCP_ESTABLISHED,
          "TCP_INFO: established");
    check_errno(number(ends[0], IPPROTO_TCP, 9999) + 1 ? -1 : 0, ENOPROTOOPT,
                "one that does not exist: ENOPROTOOPT");
    check_equal(number(ends[0], IPPROTO_IP, IP_TTL), 64, "IP_TTL is 64");
    check(set(ends[0], SOL_SOCKET, SO_SNDBUF, 10000) == 0 &&
              number(ends[0], SOL_SOCKET, SO_SNDBUF) == 20000,
          "SO_SNDBUF is doubled");
    len = 8;

    struct linger l2 = {0, 0}, l3 = {1, 3};

    check(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &l3, sizeof(l3)) == 0 &&
              getsockopt(ends[0], SOL_SOCKET, SO_LINGER, &l2, &len) == 0 && l2.l_onoff == 1 &&
              l2.l_linger == 3,
          "SO_LINGER");
    setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &(struct linger){0, 0}, sizeof(l3));
    check_errno(setsockopt(0x7FFF, SOL_SOCKET, SO_LINGER, &l3, sizeof(l3)), EBADF,
                "without a descriptor: EBADF");

    int file = dup(1), pipes[2];

    if (pipe(pipes) == 0) {
        check_errno(set(pipes[0], SOL_SOCKET, SO_KEEPALIVE, 1), ENOTSOCK, "a pipe: ENOTSOCK");
        close(pipes[0]);
        close(pipes[1]);
    }
    close(file);
    close(ends[0]);
    close(ends[1]);
}

/* As static glibc makes all of these calls. */
static long socketcall(int call, long a, long b, long c, long d, long e, long f)
{
    long arguments[6] = {a, b, c, d, e, f};

    return syscall(SYS_socketcall, call, arguments);
}

static void test_socketcall(void)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    char data[4];
    long l = socketcall(1, AF_INET, SOCK_STREAM, 0, 0, 0, 0), fd, peer;

    check_works(l, "socketcall(SYS_SOCKET)");
    check(socketcall(2, l, (long)&address, len, 0, 0, 0) == 0 &&
              socketcall(4, l, 5, 0, 0, 0, 0) == 0 &&
              socketcall(6, l, (long)&address, (long)&len, 0, 0, 0) == 0,
          "SYS_BIND, SYS_LISTEN, SYS_GETSOCKNAME");
    fd = socketcall(1, AF_INET, SOCK_STREAM, 0, 0, 0, 0);
    check_equal(socketcall(3, fd, (long)&address, len, 0, 0, 0), 0, "SYS_CONNECT");
    peer = socketcall(5, l, 0, 0, 0, 0, 0);
    check_works(peer, "SYS_ACCEPT");
    check_equal(socketcall(9, fd, (long)"abc", 3, 0, 0, 0), 3, "SYS_SEND");
    check_equal(socketcall(10, peer, (long)data, 4, 0, 0, 0), 3, "SYS_RECV");
    check_equal(socketcall(13, fd, SHUT_WR, 0, 0, 0, 0), 0, "SYS_SHUTDOWN");
    check_equal(socketcall(12, peer, (long)data, 4, 0, 0, 0), 0, "SYS_RECVFROM: the end");
    check_errno(socketcall(21, 0, 0, 0, 0, 0, 0), EINVAL, "a call that does not exist: EINVAL");
    check_errno(syscall(SYS_socketcall, 1, 8), EFAULT, "bad arguments: EFAULT");
    close(fd);
    close(peer);
    close(l);
}

static void test_descriptors(void)
{
    struct sockaddr_in address;
    struct rlimit limit, low;
    int l = listener(&address, 5), fd = socket(AF_INET, SOCK_STREAM, 0), peer;

    reach(fd, &address);
    getrlimit(RLIMIT_NOFILE, &limit);
    low = limit;
    low.rlim_cur = fd + 1;
    setrlimit(RLIMIT_NOFILE, &low);
    check_errno(accept(l, NULL, NULL), EMFILE, "accept without a free descriptor: EMFILE");
    check_errno(socket(AF_INET, SOCK_STREAM, 0), EMFILE, "socket, too");
    setrlimit(RLIMIT_NOFILE, &limit);
    peer = accept(l, NULL, NULL);
    check_works(peer, "the connection is still there when there is one again");
    close(peer);
    close(fd);
    close(l);
}

#define MANY 200

/* Takes so many connections, and only then a byte from each. How many there were. */
static int take_many(int l)
{
    static int peers[MANY];
    int right = 0;
    char got;

    for (int i = 0; i < MANY; i++) {
        peers[i] = accept(l, NULL, NULL);
    }
    for (int i = 0; i < MANY; i++) {
        right += recv(peers[i], &got, 1, 0) == 1 && got >= '0' && got <= '9';
        close(peers[i]);
    }
    return right;
}

static void test_many(void)
{
    static int clients[MANY];
    struct sockaddr_in address;
    int l = listener(&address, 128), made = 0, right = 0, status;
    char got;
    pid_t child = fork();

    if (child == 0) {
        _exit(take_many(l));
    }
    close(l);
    for (int i = 0; i < MANY; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        made += clients[i] >= 0 && (reach(clients[i], &address) == 0 || errno == EINPROGRESS);
        right += wait_for(clients[i], POLLOUT) == POLLOUT;
    }
    check_equal(made, MANY, "200 connections are begun without waiting");
    check_equal(right, MANY, "and stand at once");
    right = 0;
    for (int i = 0; i < MANY; i++) {
        right += send(clients[i], &"0123456789"[i % 10], 1, 0) == 1;
    }
    check_equal(right, MANY, "each sends a byte");
    right = 0;
    for (int i = 0; i < MANY; i++) {
        right += wait_for(clients[i], POLLIN) & POLLIN && recv(clients[i], &got, 1, 0) == 0;
        close(clients[i]);
    }
    check_equal(right, MANY, "each is closed by the peer");
    check(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == MANY,
          "who has got a byte from each");
}

int main(void)
{
    test_without_waiting();
    test_shutdown();
    test_receiving();
    test_reset();
    test_signals();
    test_options();
    test_socketcall();
    test_descriptors();
    test_many();
    return check_done();
}
