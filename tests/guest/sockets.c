/*
 * sockets - TCP over 127.0.0.1: connections, their ends, their errors, and a lot of bytes.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"
#include "user/lib/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT     17321
#define TRANSFER (4 << 20)

static const char *self;

static struct sockaddr_in loopback(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static int tcp(void)
{
    return socket(AF_INET, SOCK_STREAM, 0);
}

/* Reads until there are so many bytes, or no more. How many there were. */
static size_t read_all(int fd, void *data, size_t len)
{
    size_t done = 0;
    ssize_t got;

    while (done < len && (got = read(fd, (char *)data + done, len - done)) > 0) {
        done += got;
    }
    return done;
}

static void test_connection(void)
{
    struct sockaddr_in address = loopback(PORT), peer;
    socklen_t len = sizeof(peer);
    int on = 1, listener = tcp(), ends[2], status;
    char text[16];

    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    check_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0, "bind to a port");
    check_equal(listen(listener, 5), 0, "listen");
    check_equal(getsockname(listener, (struct sockaddr *)&peer, &len), 0, "getsockname works");
    check(peer.sin_port == htons(PORT) && peer.sin_addr.s_addr == address.sin_addr.s_addr &&
              peer.sin_family == AF_INET && len == sizeof(peer),
          "and says the address");

    pid_t child = fork();

    if (child == 0) {
        ends[1] = tcp();
        close(listener);
        if (connect(ends[1], (struct sockaddr *)&address, sizeof(address)) < 0 ||
            write(ends[1], "hello", 5) != 5 || read_all(ends[1], text, 5) != 5 ||
            memcmp(text, "world", 5) != 0) {
            _exit(1);
        }
        _exit(0);
    }
    ends[0] = accept(listener, (struct sockaddr *)&peer, &len);
    check_works(ends[0], "accept gives the child's connection");
    check(peer.sin_family == AF_INET && peer.sin_addr.s_addr == htonl(INADDR_LOOPBACK) &&
              peer.sin_port != 0 && peer.sin_port != htons(PORT),
          "accept tells the peer's address");

    struct sockaddr_in again, own;

    len = sizeof(again);
    check(getpeername(ends[0], (struct sockaddr *)&again, &len) == 0 &&
              memcmp(&again, &peer, 8) == 0,
          "getpeername tells the same");
    len = sizeof(own);
    check(getsockname(ends[0], (struct sockaddr *)&own, &len) == 0 && own.sin_port == htons(PORT),
          "the accepted end has the port that was listened on");
    check_equal(read_all(ends[0], text, 5), 5, "what the child writes arrives");
    check_bytes(text, "hello", 5, "as it was written");
    check_equal(write(ends[0], "world", 5), 5, "an answer can be written");
    check(wait(&status) == child && status == 0, "and arrives at the child");
    check_equal(read(ends[0], text, 5), 0, "when the child has gone, the connection ends");
    close(ends[0]);
    close(listener);

    listener = tcp_listen(PORT, 5);
    check_works(listener, "with SO_REUSEADDR the port can be used again at once");
    check_errno(tcp_listen(PORT, 5), EADDRINUSE, "but not by two: EADDRINUSE");
    close(listener);
}

static void test_half_close(void)
{
    int ends[2], left = -1;
    char text[16];

    if (!check_works(tcp_pair(ends), "a connection within one process")) {
        return;
    }
    check_equal(write(ends[0], "abc", 3), 3, "one end writes");
    check_equal(shutdown(ends[0], SHUT_WR), 0, "and closes its direction");
    check_equal(read_all(ends[1], text, sizeof(text)), 3, "the other reads all of it, and the end");
    check_equal(write(ends[1], "defg", 4), 4, "and can still write");
    check_equal(read_all(ends[0], text, 4), 4, "which arrives");
    check_errno(write(ends[0], "x", 1), EPIPE, "the closed direction takes nothing: EPIPE");
    check_errno(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE, "nor by send: EPIPE");
    check(tcp_drain(ends[1]) == 0 && ioctl(ends[1], SIOCOUTQ, &left) == 0 && left == 0,
          "SIOCOUTQ says 0 when everything was acknowledged");
    close(ends[0]);
    close(ends[1]);
}

static void test_peek_and_parts(void)
{
    int ends[2], waiting = 0;
    char text[32] = "";
    struct iovec parts[2] = {{"one ", 4}, {"two", 3}}, into[2] = {{text, 2}, {text + 10, 20}};

    if (tcp_pair(ends) < 0) {
        return;
    }
    check_equal(writev(ends[0], parts, 2), 7, "writev sends several pieces");
    tcp_drain(ends[0]);
    check_equal(recv(ends[1], text, 3, MSG_PEEK), 3, "MSG_PEEK looks at what is there");
    check_equal(ioctl(ends[1], FIONREAD, &waiting) == 0 ? waiting : -1, 7, "FIONREAD counts it");
    check_equal(readv(ends[1], into, 2), 7, "readv takes it");
    check(memcmp(text, "on", 2) == 0 && memcmp(text + 10, "e two", 5) == 0, "in the right pieces");
    check_errno(recv(ends[1], text, 5, MSG_DONTWAIT), EAGAIN, "MSG_DONTWAIT of nothing: EAGAIN");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    check_errno(read(ends[1], text, 5), EAGAIN, "O_NONBLOCK and nothing there: EAGAIN");
    close(ends[0]);
    close(ends[1]);
}

static void test_errors(void)
{
    struct sockaddr_in nobody = loopback(PORT + 1);
    int sock = tcp(), error = -1, type = 0, on = 1;
    socklen_t len = sizeof(error);
    char text[4];

    check_errno(connect(sock, (struct sockaddr *)&nobody, sizeof(nobody)), ECONNREFUSED,
                "connect where nobody listens: ECONNREFUSED");
    close(sock);
    sock = tcp();
    check_errno(read(sock, text, 1), ENOTCONN, "read without connection: ENOTCONN");
    check_errno(write(sock, text, 1), EPIPE, "write without connection: EPIPE");
    check_errno(shutdown(sock, SHUT_WR), ENOTCONN, "shutdown without connection: ENOTCONN");
    check_errno(getpeername(sock, (struct sockaddr *)&nobody, &len), ENOTCONN,
                "getpeername without connection: ENOTCONN");
    len = sizeof(error);
    check_errno(accept(sock, NULL, NULL), EINVAL, "accept without listen: EINVAL");
    check_equal(getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &len), 0, "SO_ERROR can be read");
    check_equal(error, 0, "and says 0 where nothing went wrong");
    check(getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM,
          "SO_TYPE says what kind of socket it is");
    check_equal(setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0,
                "TCP_NODELAY works");
    check_errno(lseek(sock, 0, SEEK_SET), ESPIPE, "a socket has no offset: ESPIPE");
    check_errno(bind(sock, (struct sockaddr *)&nobody, 3), EINVAL, "bind to too little: EINVAL");
    nobody.sin_addr.s_addr = htonl(0x0a636363);
    check_errno(bind(sock, (struct sockaddr *)&nobody, sizeof(nobody)), EADDRNOTAVAIL,
                "bind to an address of another machine: EADDRNOTAVAIL");
    close(sock);

    int file = open(self, O_RDONLY);

    check_errno(listen(file, 1), ENOTSOCK, "listen on a file: ENOTSOCK");
    check_errno(accept(file, NULL, NULL), ENOTSOCK, "accept on a file: ENOTSOCK");
    check_errno(send(file, "x", 1, 0), ENOTSOCK, "send to a file: ENOTSOCK");
    check_errno(socket(12345, SOCK_STREAM, 0), EAFNOSUPPORT, "an unknown family: EAFNOSUPPORT");
    close(file);
}

static void test_dead_peer(void)
{
    static char data[65536];
    int ends[2], written = 0, gone = 0;
    struct linger reset = {1, 0};

    tcp_pair(ends);
    close(ends[1]);
    /* The first write may succeed: that nobody reads is learnt from the answer to it. */
    for (int i = 0; i < 100 && !gone; i++) {
        ssize_t done = write(ends[0], data, sizeof(data));

        written += done > 0;
        gone = done < 0 ? errno : 0;
        sleep_ms(5);
    }
    check(gone == EPIPE || gone == ECONNRESET, "write to a peer that is gone: EPIPE or ECONNRESET");
    check_errno(write(ends[0], data, 1), EPIPE, "and from then on EPIPE");
    close(ends[0]);

    tcp_pair(ends);
    check_equal(setsockopt(ends[1], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)), 0,
                "SO_LINGER of no time can be set");
    close(ends[1]);
    check_errno(read(ends[0], data, 1), ECONNRESET, "then close resets the peer: ECONNRESET");
    check_equal(read(ends[0], data, 1), 0, "which it is told once");
    close(ends[0]);
}

/* Writes the pattern in pieces of odd sizes. 0 if all went. */
static int send_pattern(int fd, size_t len)
{
    static char data[30011];
    size_t done = 0;

    while (done < len) {
        size_t part = done % sizeof(data) + 1;

        part = part < len - done ? part : len - done;
        for (size_t i = 0; i < part; i++) {
            data[i] = pattern(done + i);
        }
        if (write_all(fd, data, part) < 0) {
            return -1;
        }
        done += part;
    }
    return 0;
}

/* The number of bytes that arrived and are right. */
static size_t receive_pattern(int fd, size_t len)
{
    static unsigned char data[16384];
    size_t done = 0;
    ssize_t got;

    while (done < len && (got = read(fd, data, sizeof(data))) > 0) {
        for (ssize_t i = 0; i < got; i++, done++) {
            if (data[i] != pattern(done)) {
                return done;
            }
        }
    }
    return done;
}

/* Both ends send at once: four processes, so that no direction waits for the other. */
static void test_transfer(void)
{
    int ends[2], good = 0, status;

    tcp_pair(ends);
    for (int i = 0; i < 4; i++) {
        if (fork() == 0) {
            int end = ends[i & 1];

            _exit(i < 2 ? send_pattern(end, TRANSFER) != 0
                        : receive_pattern(end, TRANSFER) != TRANSFER);
        }
    }
    for (int i = 0; i < 4; i++) {
        good += wait(&status) > 0 && status == 0;
    }
    check_equal(good, 4, "4 MiB go both ways at once and arrive as they were");
    close(ends[0]);
    close(ends[1]);
}

static void test_many_connections(void)
{
    enum { NR = 24 };
    int listener = tcp_listen(PORT, NR), good = 0, echoed = 0, status;

    for (int i = 0; i < NR; i++) {
        if (fork() == 0) {
            int sock = tcp_connect("127.0.0.1", PORT);
            char mine[100], back[100];

            memset(mine, 'a' + i, sizeof(mine));
            write_all(sock, mine, sizeof(mine));
            _exit(read_all(sock, back, sizeof(back)) == 100 && memcmp(mine, back, 100) == 0 ? 0
                                                                                            : 1);
        }
    }

    int sock[NR];

    for (int i = 0; i < NR; i++) {
        sock[i] = accept(listener, NULL, NULL);
    }
    for (int i = 0; i < NR; i++) {
        char text[100];

        echoed += read_all(sock[i], text, 100) == 100 && write_all(sock[i], text, 100) == 0;
        close(sock[i]);
    }
    for (int i = 0; i < NR; i++) {
        good += wait(&status) > 0 && status == 0;
    }
    check_equal(echoed, NR, "24 connections are open at once");
    check_equal(good, NR, "and each gets its own bytes back");
    close(listener);
}

static void test_sendfile(void)
{
    struct stat st;
    int ends[2], file = open(self, O_RDONLY);
    off_t offset = 100;

    fstat(file, &st);

    size_t size = st.st_size;
    char *copy = malloc(size), *got = malloc(size);

    pread(file, copy, size, 0);
    tcp_pair(ends);
    check_equal(sendfile(ends[0], file, &offset, 5000), 5000, "sendfile from an offset");
    check_equal(offset, 5100, "moves that offset");
    check_equal(lseek(file, 0, SEEK_CUR), 0, "and not the file's");
    check_equal(read_all(ends[1], got, 5000), 5000, "the bytes arrive");
    check_bytes(got, copy + 100, 5000, "and are the file's");
    lseek(file, 4095, SEEK_SET);
    check_equal(sendfile(ends[0], file, NULL, 8193), 8193, "sendfile without an offset");
    check_equal(lseek(file, 0, SEEK_CUR), 4095 + 8193, "moves the file's");
    check_equal(read_all(ends[1], got, 8193), 8193, "the bytes arrive");
    check_bytes(got, copy + 4095, 8193, "and are the file's, over the borders of pages");
    offset = size - 10;
    check_equal(sendfile(ends[0], file, &offset, 100), 10, "at the file's end sendfile is short");
    check_equal(sendfile(ends[0], file, &offset, 100), 0, "and behind it there is nothing");
    read_all(ends[1], got, 10);
    check_bytes(got, copy + size - 10, 10, "the last bytes arrive");

    pid_t child = fork();

    if (child == 0) {
        _exit(read_all(ends[1], got, size) == size && memcmp(got, copy, size) == 0 ? 0 : 1);
    }

    size_t sent = 0;
    ssize_t part;
    int status = -1;

    for (offset = 0; (part = sendfile(ends[0], file, &offset, 3000)) > 0;) {
        sent += part;
    }
    check_equal(sent, size, "a whole file goes in pieces of 3000 bytes");
    check(wait(&status) == child && status == 0, "and arrives as it is");

    offset = -1;
    check_errno(sendfile(ends[0], file, &offset, 1), EINVAL, "an offset before the start: EINVAL");
    check_errno(sendfile(-1, file, NULL, 1), EBADF, "sendfile to no descriptor: EBADF");
    check_errno(sendfile(ends[0], -1, NULL, 1), EBADF, "sendfile from no descriptor: EBADF");
    check_errno(sendfile(file, file, NULL, 1), EBADF, "to a file open for reading: EBADF");
    check_errno(sendfile(ends[0], ends[1], &offset, 1), ESPIPE,
                "from a socket with an offset: ESPIPE");
    shutdown(ends[0], SHUT_WR);
    offset = 0;
    check_errno(sendfile(ends[0], file, &offset, 1), EPIPE, "into a closed direction: EPIPE");
    close(ends[0]);
    close(ends[1]);
    close(file);
    free(copy);
    free(got);
}

int main(int argc, char **argv)
{
    self = argv[0];
    signal(SIGPIPE, SIG_IGN);
    test_connection();
    test_half_close();
    test_peek_and_parts();
    test_errors();
    test_dead_peer();
    test_transfer();
    test_many_connections();
    test_sendfile();
    return check_done();
}
