/*
 * unixsockets - AF_UNIX: pairs, names, connections, datagrams, what they carry beside bytes, and
 * their errors.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRANSFER (2 << 20)

static char big[256 << 10];
static void *volatile nowhere = (void *)8;

/* An abstract address of this process alone, so that two may run at once. */
static socklen_t abstract(struct sockaddr_un *a, const char *name)
{
    memset(a, 0, sizeof(*a));
    a->sun_family = AF_UNIX;
    snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "ferry-%d-%s", getpid(), name);
    return offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->sun_path + 1);
}

static int bound(int type, const char *name)
{
    struct sockaddr_un a;
    socklen_t len = abstract(&a, name);
    int fd = socket(AF_UNIX, type, 0);

    return fd >= 0 && bind(fd, (struct sockaddr *)&a, len) == 0 ? fd : -1;
}

static int connect_to(int fd, const char *name)
{
    struct sockaddr_un a;
    socklen_t len = abstract(&a, name);

    return connect(fd, (struct sockaddr *)&a, len);
}

static int revents(int fd, int events)
{
    struct pollfd p = {fd, events, 0};

    return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* Sends some bytes with one open file beside them; fd -1: without. */
static ssize_t send_fd(int to, const void *data, size_t len, int fd)
{
    struct iovec v = {(void *)data, len};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

    if (fd >= 0) {
        m.msg_control = &control;
        m.msg_controllen = sizeof(control);
        *CMSG_FIRSTHDR(&m) = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
    }
    return sendmsg(to, &m, MSG_NOSIGNAL);
}

/* And takes them: the file, or -1; -2 when there was no room for it. */
static int receive_fd(int from, void *data, size_t size, int flags, ssize_t *len)
{
    struct iovec v = {data, size};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    int fd = -1;

    *len = recvmsg(from, &m, flags);
    if (*len < 0) {
        return -1;
    }
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
            memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        }
    }
    if (!(m.msg_flags & MSG_CTRUNC)) {
        return fd;
    }
    close(fd);
    return -2;
}

static void test_pair(void)
{
    int ends[2], n = -1, type = 0;
    socklen_t len = sizeof(type);
    char text[32] = "";
    struct sockaddr_un a;

    check_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0, "a pair of sockets");
    check_equal(fcntl(ends[1], F_GETFD), FD_CLOEXEC, "SOCK_CLOEXEC holds for both");
    check(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM,
          "SO_TYPE says what they are");
    check(getsockopt(ends[0], SOL_SOCKET, SO_DOMAIN, &type, &len) == 0 && type == AF_UNIX,
          "SO_DOMAIN says AF_UNIX");
    len = sizeof(a);
    check(getsockname(ends[0], (struct sockaddr *)&a, &len) == 0 && len == sizeof(sa_family_t) &&
              a.sun_family == AF_UNIX,
          "they have no name");
    len = sizeof(a);
    check(getpeername(ends[0], (struct sockaddr *)&a, &len) == 0 && len == sizeof(sa_family_t),
          "but a peer, which has none either");
    check_equal(write(ends[0], "hello ", 6) + write(ends[0], "world", 5), 11, "one end writes");
    check_equal(ioctl(ends[1], FIONREAD, &n) == 0 ? n : -1, 11, "FIONREAD counts all of it");
    check_equal(recv(ends[1], text, 8, MSG_PEEK), 8, "MSG_PEEK looks over the border of writes");
    check_bytes(text, "hello wo", 8, "and sees the bytes");
    check_equal(read(ends[1], text, 3), 3, "a part is read");
    check_equal(read(ends[1], text + 3, 20), 8, "and the rest, which two writes brought");
    check_bytes(text, "hello world", 11, "as it was written");
    check_errno(recv(ends[1], text, 1, MSG_DONTWAIT), EAGAIN, "then there is nothing: EAGAIN");
    check_equal(send(ends[1], "x", 1, 0), 1, "the other end sends, too");
    check_equal(read(ends[0], text, 20), 1, "and is read");
    check_errno(connect_to(ends[0], "nobody"), ECONNREFUSED,
                "connecting to an address of nobody: ECONNREFUSED");
    check_errno(sendto(ends[0], "x", 1, 0, (struct sockaddr *)&a, 8), EISCONN,
                "an address beside the bytes of a connection: EISCONN");
    check_errno(listen(ends[0], 1), EINVAL, "listening on one: EINVAL");
    check_errno(lseek(ends[0], 0, SEEK_CUR), ESPIPE, "there is no position: ESPIPE");
    close(ends[0]);
    check_equal(read(ends[1], text, 1), 0, "when one end is closed, the other reads the end");
    check_errno(send(ends[1], "x", 1, MSG_NOSIGNAL), EPIPE, "and can write no more: EPIPE");
    close(ends[1]);
    check_errno(socketpair(AF_UNIX, SOCK_STREAM, 77, ends), EPROTONOSUPPORT,
                "a protocol that is none: EPROTONOSUPPORT");
    check_errno(socketpair(AF_UNIX, SOCK_RDM, 0, ends), ESOCKTNOSUPPORT,
                "a type that is none: ESOCKTNOSUPPORT");
    check_errno(socketpair(AF_UNIX, SOCK_STREAM, 0, nowhere), EFAULT,
                "nowhere to tell the descriptors: EFAULT");
}

static int write_to_nobody(void *argument)
{
    int ends[2];

    signal(SIGPIPE, SIG_DFL);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    close(ends[1]);
    write(ends[0], "x", 1);
    return 0;
}

static void test_ends(void)
{
    int ends[2];
    char text[8];

    check_killed(write_to_nobody, NULL, SIGPIPE, "writing to nobody kills with SIGPIPE");

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    write(ends[0], "abc", 3);
    close(ends[1]);
    check_errno(read(ends[0], text, 1), ECONNRESET, "the peer left unread bytes: ECONNRESET");
    check_equal(read(ends[0], text, 1), 0, "which is told once");
    close(ends[0]);

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    write(ends[0], "abc", 3);
    check_equal(shutdown(ends[0], SHUT_WR), 0, "shutdown of one direction");
    check_errno(send(ends[0], "x", 1, MSG_NOSIGNAL), EPIPE, "it takes nothing more: EPIPE");
    check_equal(read(ends[1], text, 8), 3, "what was written arrives");
    check_equal(read(ends[1], text, 8), 0, "and then the end");
    check_equal(write(ends[1], "de", 2), 2, "the other direction is open");
    check_equal(read(ends[0], text, 8), 2, "and works");
    check_equal(shutdown(ends[0], SHUT_RD), 0, "until that is shut down as well");
    check_errno(send(ends[1], "x", 1, MSG_NOSIGNAL), EPIPE, "then the peer cannot write: EPIPE");
    check_errno(shutdown(ends[0], 3), EINVAL, "shutdown of something else: EINVAL");
    close(ends[0]);
    close(ends[1]);
}

static void test_poll(void)
{
    int ends[2], listener = bound(SOCK_STREAM, "poll"), lone = socket(AF_UNIX, SOCK_STREAM, 0);

    check_equal(revents(lone, POLLIN | POLLOUT), POLLOUT | POLLHUP,
                "poll: a stream without a connection hangs");
    listen(listener, 5);
    check_equal(revents(listener, POLLIN | POLLOUT), 0, "poll: nobody has called");
    connect_to(lone, "poll");
    check_equal(revents(listener, POLLIN | POLLOUT), POLLIN, "poll: somebody has");
    close(lone);
    close(listener);

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    check_equal(revents(ends[0], POLLIN | POLLOUT), POLLOUT,
                "poll: room to write, nothing to read");
    write(ends[1], "x", 1);
    check_equal(revents(ends[0], POLLIN | POLLOUT), POLLIN | POLLOUT, "poll: something to read");
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    while (write(ends[0], big, 4096) > 0) {
    }
    check_equal(errno, EAGAIN, "a full send buffer without waiting: EAGAIN");
    check_equal(revents(ends[0], POLLIN | POLLOUT), POLLIN, "poll: no room to write");
    while (recv(ends[1], big, sizeof(big), MSG_DONTWAIT) > 0) {
    }
    check_equal(revents(ends[0], POLLIN | POLLOUT), POLLIN | POLLOUT, "poll: room again");
    shutdown(ends[1], SHUT_WR);
    check_equal(revents(ends[0], POLLIN | POLLRDHUP), POLLIN | POLLRDHUP,
                "poll: POLLRDHUP when the peer writes no more");
    close(ends[1]);
    check_equal(revents(ends[0], POLLIN | POLLOUT | POLLRDHUP) & ~POLLERR,
                POLLIN | POLLOUT | POLLHUP | POLLRDHUP, "poll: POLLHUP when it has gone");
    close(ends[0]);

    /* Somebody who waits is woken. */
    struct pollfd p = {0, POLLIN, 0};

    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    if (fork() == 0) {
        sleep_ms(50);
        _exit(send(ends[1], "wake", 4, 0) != 4);
    }
    p.fd = ends[0];
    check_equal(poll(&p, 1, 10000), 1, "poll waits until something comes");
    check_equal(p.revents, POLLIN, "and says what");
    wait(NULL);
    close(ends[0]);
    close(ends[1]);
}

static void test_connections(void)
{
    int listener = bound(SOCK_STREAM, "listener"), one, two, three, status;
    struct sockaddr_un a, b;
    socklen_t len = abstract(&a, "listener"), got = sizeof(b);
    struct ucred who = {0, 0, 0};
    char text[8];

    check(getsockname(listener, (struct sockaddr *)&b, &got) == 0 && got == len &&
              memcmp(&a, &b, len) == 0,
          "getsockname tells an abstract name");
    one = socket(AF_UNIX, SOCK_STREAM, 0);
    check_errno(connect(one, (struct sockaddr *)&a, len), ECONNREFUSED,
                "connecting where nobody listens: ECONNREFUSED");
    check_errno(accept(listener, NULL, NULL), EINVAL, "accept before listen: EINVAL");
    check_equal(listen(listener, 1), 0, "listen");
    check_errno(bind(one, (struct sockaddr *)&a, len), EADDRINUSE, "the name is taken: EADDRINUSE");
    check_errno(bind(listener, (struct sockaddr *)&a, len), EINVAL, "a second name: EINVAL");
    check_equal(connect(one, (struct sockaddr *)&a, len), 0, "connect does not wait for accept");
    check_equal(write(one, "early", 5), 5, "nor does the first write");
    check_errno(connect(one, (struct sockaddr *)&a, len), EISCONN, "a second connect: EISCONN");
    two = socket(AF_UNIX, SOCK_STREAM, 0);
    check_equal(connect(two, (struct sockaddr *)&a, len), 0, "the backlog takes one more");
    three = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    check_errno(connect(three, (struct sockaddr *)&a, len), EAGAIN, "but not two: EAGAIN");

    got = sizeof(b);

    int first = accept4(listener, (struct sockaddr *)&b, &got, SOCK_CLOEXEC);

    check_works(first, "accept gives the first");
    check_equal(got, sizeof(sa_family_t), "whose peer has no name");
    check_equal(fcntl(first, F_GETFD), FD_CLOEXEC, "SOCK_CLOEXEC of accept4");
    check_equal(read(first, text, 8), 5, "what was written before is there");
    got = sizeof(b);
    check(getpeername(one, (struct sockaddr *)&b, &got) == 0 && got == len &&
              memcmp(&a, &b, len) == 0,
          "the other end's peer has the listener's name");
    got = sizeof(b);
    check(getsockname(first, (struct sockaddr *)&b, &got) == 0 && got == len,
          "and so has the accepted end");
    got = sizeof(who);
    check(getsockopt(first, SOL_SOCKET, SO_PEERCRED, &who, &got) == 0 && who.pid == getpid(),
          "SO_PEERCRED says who connected");
    got = sizeof(who);
    check(getsockopt(three, SOL_SOCKET, SO_PEERCRED, &who, &got) == 0 && who.pid == 0 &&
              who.uid == (uid_t)-1,
          "and nobody where there is no peer");
    check_equal(connect(three, (struct sockaddr *)&a, len), 0, "now there is room for the third");
    close(first);

    /* A task that waits for room, and is let in. */
    pid_t child = fork();

    if (child == 0) {
        int four = socket(AF_UNIX, SOCK_STREAM, 0);

        _exit(connect(four, (struct sockaddr *)&a, len) != 0);
    }
    sleep_ms(50);
    close(accept(listener, NULL, NULL));
    check(waitpid(child, &status, 0) == child && status == 0, "connect waits for room");
    close(two);
    close(accept(listener, NULL, NULL));
    fcntl(listener, F_SETFL, O_NONBLOCK);
    close(accept(listener, NULL, NULL));
    check_errno(accept(listener, NULL, NULL), EAGAIN, "nobody is left to be accepted: EAGAIN");

    int late = socket(AF_UNIX, SOCK_STREAM, 0), kept = socket(AF_UNIX, SOCK_STREAM, 0);

    connect(kept, (struct sockaddr *)&a, len);
    connect(late, (struct sockaddr *)&a, len);
    first = accept(listener, NULL, NULL);
    close(listener);
    listener = bound(SOCK_STREAM, "listener");
    check_works(listener, "a listener's name is free again, whoever has been accepted");
    close(listener);
    close(first);
    close(kept);
    check_errno(read(late, text, 1), ECONNRESET, "the listener goes before accept: ECONNRESET");
    close(one);
    one = socket(AF_UNIX, SOCK_STREAM, 0);
    check_errno(connect(one, (struct sockaddr *)&a, len), ECONNREFUSED,
                "with it went its name: ECONNREFUSED");
    check_errno(write(one, "x", 1), ENOTCONN, "write without a connection: ENOTCONN");
    check_errno(read(one, text, 1), EINVAL, "read without one: EINVAL");
    got = sizeof(b);
    check_errno(getpeername(one, (struct sockaddr *)&b, &got), ENOTCONN,
                "getpeername without one: ENOTCONN");
    check_errno(listen(one, 1), EINVAL, "listen without a name: EINVAL");
    check_errno(bind(one, (struct sockaddr *)&a, 200), EINVAL,
                "an address that is too long: EINVAL");
    a.sun_family = AF_INET;
    check_errno(bind(one, (struct sockaddr *)&a, len), EINVAL, "one of another family: EINVAL");
    a.sun_family = AF_UNIX;
    check_equal(bind(one, (struct sockaddr *)&a, sizeof(sa_family_t)), 0, "autobind");
    got = sizeof(b);
    check(getsockname(one, (struct sockaddr *)&b, &got) == 0 && got == sizeof(sa_family_t) + 6 &&
              b.sun_path[0] == 0,
          "makes an abstract name of five digits");
    close(late);
    close(one);
    close(three);
}

static void test_datagrams(void)
{
    int a = bound(SOCK_DGRAM, "a"), b = bound(SOCK_DGRAM, "b"), c = socket(AF_UNIX, SOCK_DGRAM, 0);
    int n = -1, sent = 0, small = 4608;
    struct sockaddr_un to, from;
    socklen_t len = abstract(&to, "b"), got = sizeof(from);
    char text[16] = "";
    struct iovec v = {text, 3};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

    check_equal(sendto(a, "first", 5, 0, (struct sockaddr *)&to, len), 5, "a datagram");
    check_equal(sendto(c, "", 0, 0, (struct sockaddr *)&to, len), 0, "one without a byte");
    check_equal(sendto(a, "third", 5, 0, (struct sockaddr *)&to, len), 5, "and one more");
    check_equal(ioctl(b, FIONREAD, &n) == 0 ? n : -1, 5, "FIONREAD counts the first alone");
    check_equal(recvmsg(b, &m, MSG_PEEK), 3, "a buffer that is too short gets a part");
    check_equal(m.msg_flags & MSG_TRUNC, MSG_TRUNC, "and MSG_TRUNC");
    check_equal(recvfrom(b, text, 2, MSG_TRUNC, (struct sockaddr *)&from, &got), 5,
                "MSG_TRUNC asks for the length");
    len = abstract(&to, "a");
    check(got == len && memcmp(&from, &to, len) == 0, "recvfrom says who sent");
    got = sizeof(from);
    check_equal(recvfrom(b, text, 16, 0, (struct sockaddr *)&from, &got), 0,
                "an empty datagram arrives");
    check_equal(got, 0, "from one without a name");
    check_equal(recv(b, text, 16, 0), 5, "and they keep their order and borders");
    check_bytes(text, "third", 5, "and their bytes");
    check_errno(send(a, "x", 1, 0), ENOTCONN, "send to nobody: ENOTCONN");
    check_errno(connect_to(a, "nobody"), ECONNREFUSED, "no such address: ECONNREFUSED");
    check_equal(connect_to(b, "a"), 0, "connect makes a peer");
    check_equal(send(b, "to a", 4, 0), 4, "to which send sends");
    len = abstract(&to, "b");
    check_errno(sendto(c, "x", 1, 0, (struct sockaddr *)&to, len), EPERM,
                "which takes from no other: EPERM");
    check_errno(listen(a, 1), EOPNOTSUPP, "datagrams know no listen: EOPNOTSUPP");
    check_errno(accept(a, NULL, NULL), EOPNOTSUPP, "nor accept: EOPNOTSUPP");
    setsockopt(b, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    check_errno(send(b, big, 60000, 0), EMSGSIZE, "more than the send buffer: EMSGSIZE");
    close(a);
    check_errno(send(b, "x", 1, 0), ECONNREFUSED, "the peer is closed: ECONNREFUSED");
    check_errno(send(b, "x", 1, 0), ENOTCONN, "and no peer any more: ENOTCONN");
    a = bound(SOCK_DGRAM, "a");
    fcntl(c, F_SETFL, O_NONBLOCK);
    connect_to(c, "a");
    while (sent < 10000 && send(c, "x", 1, 0) == 1) {
        sent++;
    }
    check(sent > 5 && sent < 10000 && errno == EAGAIN, "a full queue takes no more: EAGAIN");
    check_equal(revents(c, POLLOUT), 0, "poll: no room there");
    check_equal(recv(a, text, 16, 0), 1, "one is taken");
    check_equal(revents(c, POLLOUT), POLLOUT, "poll: now there is");
    shutdown(a, SHUT_RD);
    check_errno(send(c, "x", 1, 0), EPIPE, "the receiver reads no more: EPIPE");
    close(a);
    close(b);
    close(c);

    int ends[2];

    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends);
    write(ends[0], "abc", 3);
    write(ends[0], "de", 2);
    check_equal(read(ends[1], text, 16), 3, "SOCK_SEQPACKET keeps borders");
    check_equal(read(ends[1], text, 1), 1, "what does not fit of a packet");
    check_errno(recv(ends[1], text, 16, MSG_DONTWAIT), EAGAIN, "is lost");

    struct iovec parts[2] = {{"ab", 2}, {"cde", 3}}, into[2] = {{text, 1}, {text + 1, 15}};

    check_equal(writev(ends[0], parts, 2), 5, "the pieces of writev");
    check_equal(readv(ends[1], into, 2), 5, "are one packet");
    check_bytes(text, "abcde", 5, "and so are those of readv");
    close(ends[0]);
    check_equal(read(ends[1], text, 16), 0, "it has an end as streams have");
    check_errno(send(ends[1], "x", 1, MSG_NOSIGNAL), EPIPE, "and EPIPE");
    close(ends[1]);
    a = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    check_errno(read(a, text, 16), ENOTCONN, "without a connection: ENOTCONN");
    close(a);
}

static void test_rights(const char *self)
{
    int ends[2], more[2], file = open(self, O_RDONLY), fds[300];
    char text[16], direct[16];
    ssize_t len;
    struct iovec v = {"x", 1};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(fds))];
    } control;
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control};

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    pread(file, direct, 16, 0);
    check_equal(send_fd(ends[0], "file", 4, file), 4, "an open file is sent");
    check_equal(write(ends[0], "after", 5), 5, "and bytes behind it");
    lseek(file, 4, SEEK_SET);
    close(file);

    int got = receive_fd(ends[1], text, 16, MSG_CMSG_CLOEXEC, &len);

    check(got >= 0 && len == 4, "it arrives with its bytes, and reading ends there");
    check_equal(fcntl(got, F_GETFD), FD_CLOEXEC, "MSG_CMSG_CLOEXEC holds for it");
    check(read(got, text, 12) == 12 && memcmp(text, direct + 4, 12) == 0,
          "it is the same open file, with its position");
    check_equal(read(ends[1], text, 16), 5, "then the rest");
    send_fd(ends[0], "y", 1, got);
    check_equal(read(ends[1], text, 16), 1, "read takes the bytes, and the file is closed");
    send_fd(ends[0], "z", 1, got);

    int looked = receive_fd(ends[1], text, 16, MSG_PEEK, &len);

    check_works(looked, "MSG_PEEK gets the file, too");
    close(looked);
    looked = receive_fd(ends[1], text, 16, 0, &len);
    check_works(looked, "and who receives gets it again");
    close(looked);
    check_errno(send_fd(ends[0], "x", 1, 999), EBADF, "a descriptor that is none: EBADF");

    /* Two of them where there is room for one. */
    m.msg_controllen = CMSG_SPACE(2 * sizeof(int));
    control.align = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(2 * sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    fds[0] = fds[1] = got;
    memcpy(CMSG_DATA(&control.align), fds, 2 * sizeof(int));
    check_equal(sendmsg(ends[0], &m, 0), 1, "two files at once");
    check_equal(receive_fd(ends[1], text, 16, 0, &len), -2, "room for one: MSG_CTRUNC");
    m.msg_controllen = sizeof(control);
    control.align.cmsg_len = CMSG_LEN(254 * sizeof(int));
    check_errno(sendmsg(ends[0], &m, 0), EINVAL, "more than 253 files: EINVAL");
    control.align.cmsg_len = 4;
    check_errno(sendmsg(ends[0], &m, 0), EINVAL, "control data that is no such thing: EINVAL");
    close(got);

    /* A socket goes through a socket. */
    socketpair(AF_UNIX, SOCK_STREAM, 0, more);
    send_fd(ends[0], "s", 1, more[0]);
    close(more[0]);
    write(more[1], "through", 7);
    got = receive_fd(ends[1], text, 16, 0, &len);
    check_equal(read(got, text, 16), 7, "a socket that was sent still works");
    close(got);
    check_equal(read(more[1], text, 16), 0, "closing it is seen at its peer");
    close(more[1]);
    close(ends[0]);
    close(ends[1]);
}

/* Sockets that hold one another and that nobody can reach: were they kept, the descriptors of this
 * or the memory of the machine would be used up. */
static void test_cycles(void)
{
    int ends[2], rounds = 0, peer[2];

    for (; rounds < 3000; rounds++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ||
            send_fd(ends[0], "a", 1, ends[1]) < 0 || send_fd(ends[1], "b", 1, ends[0]) < 0) {
            break;
        }
        close(ends[0]);
        close(ends[1]);
    }
    check_equal(rounds, 3000, "3000 pairs that are in their own queues are collected");

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, peer);
    send_fd(ends[0], "p", 1, peer[0]);
    send_fd(peer[1], "q", 1,
            ends[1]); /* lies in the queue of peer[0], which lies in that of ends[1] */
    close(peer[0]);
    close(ends[1]);
    close(socket(AF_UNIX, SOCK_STREAM, 0)); /* when one is closed, the lost ones are looked for */

    struct pollfd p[2] = {{ends[0], 0, 0}, {peer[1], 0, 0}};

    /* Linux collects a moment later. */
    check(poll(p, 1, 5000) == 1 && poll(p + 1, 1, 5000) == 1 && p[0].revents & POLLHUP &&
              p[1].revents & POLLHUP,
          "lost sockets are closed, and their peers see that");
    close(ends[0]);
    close(peer[1]);
}

static void test_credentials(void)
{
    int ends[2], on = 1;
    char text[4];
    struct iovec v = {text, 4};
    union {
        struct cmsghdr align;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    struct ucred who = {0, 0, 0};

    socketpair(AF_UNIX, SOCK_DGRAM, 0, ends);
    check_equal(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0, "SO_PASSCRED");

    pid_t child = fork();

    if (child == 0) {
        _exit(send(ends[0], "who", 3, 0) != 3);
    }
    check_equal(recvmsg(ends[1], &m, 0), 3, "a message of a child");
    check(m.msg_controllen == CMSG_SPACE(sizeof(who)) &&
              control.align.cmsg_type == SCM_CREDENTIALS &&
              control.align.cmsg_len == CMSG_LEN(sizeof(who)),
          "comes with its credentials");
    memcpy(&who, CMSG_DATA(&control.align), sizeof(who));
    check(who.pid == child && who.uid == getuid() && who.gid == getgid(), "which are right");
    wait(NULL);
    close(ends[0]);
    close(ends[1]);
}

static void test_paths(void)
{
    char name[64];
    struct sockaddr_un a = {.sun_family = AF_UNIX}, b;
    struct stat st;
    socklen_t len;
    char text[8];

    snprintf(name, sizeof(name), "/tmp/ferry-unix-%d", getpid());
    strcpy(a.sun_path, name);
    len = offsetof(struct sockaddr_un, sun_path) + strlen(name); /* without its NUL */

    int listener = socket(AF_UNIX, SOCK_STREAM, 0), caller = socket(AF_UNIX, SOCK_STREAM, 0);

    umask(022);
    check_errno(connect(caller, (struct sockaddr *)&a, len), ENOENT, "no such file: ENOENT");
    check_equal(bind(listener, (struct sockaddr *)&a, len), 0, "bind to a path");
    check(stat(name, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0755,
          "makes a file of type socket");
    len = sizeof(b);
    check(getsockname(listener, (struct sockaddr *)&b, &len) == 0 &&
              len == offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1 &&
              strcmp(b.sun_path, name) == 0,
          "getsockname tells the path");
    check_errno(open(name, O_RDWR), ENXIO, "it cannot be opened: ENXIO");
    check_errno(bind(caller, (struct sockaddr *)&a, sizeof(a)), EADDRINUSE,
                "the path is taken: EADDRINUSE");
    check_errno(connect(caller, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED,
                "nobody listens there: ECONNREFUSED");
    listen(listener, 3);
    check_equal(connect(caller, (struct sockaddr *)&a, sizeof(a)), 0, "connect to a path");

    int other = socket(AF_UNIX, SOCK_DGRAM, 0), end = accept(listener, NULL, NULL);

    check_errno(connect(other, (struct sockaddr *)&a, sizeof(a)), EPROTOTYPE,
                "with another type: EPROTOTYPE");
    check_equal(write(caller, "path", 4), 4, "one end writes");
    check_equal(read(end, text, 8), 4, "the other reads");
    close(listener);
    check_equal(stat(name, &st), 0, "the file stays when the socket is closed");
    check_errno(connect(other, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED,
                "but leads nowhere: ECONNREFUSED");
    check_equal(unlink(name), 0, "it can be removed");
    close(caller);
    close(end);
    strcpy(a.sun_path, "/nowhere/at/all");
    check_errno(bind(other, (struct sockaddr *)&a, sizeof(a)), ENOENT, "no such directory: ENOENT");
    strcpy(a.sun_path, "/proc/self/maps");
    check_errno(connect(other, (struct sockaddr *)&a, sizeof(a)), ECONNREFUSED,
                "a file that is no socket: ECONNREFUSED");
    close(other);
}

/* One process writes in odd pieces, one reads in others. */
static void test_transfer(void)
{
    int ends[2], status;
    size_t done = 0;
    ssize_t n;
    bool right = true;

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);

    pid_t child = fork();

    if (child == 0) {
        for (size_t part = 1; done < TRANSFER; done += part) {
            part = (done * 31 + 17) % 70001 + 1;
            part = part < TRANSFER - done ? part : TRANSFER - done;
            for (size_t i = 0; i < part; i++) {
                big[i] = pattern(done + i);
            }
            if (write(ends[0], big, part) != (ssize_t)part) {
                _exit(1);
            }
        }
        _exit(0);
    }
    close(ends[0]);
    while ((n = read(ends[1], big, done % 50021 + 1)) > 0) {
        for (ssize_t i = 0; i < n; i++) {
            right = right && (unsigned char)big[i] == pattern(done + i);
        }
        done += n;
    }
    check_equal(done, TRANSFER, "2 MiB go through a stream");
    check(right, "and are as they were");
    check(waitpid(child, &status, 0) == child && status == 0, "its writer waited for the reader");
    close(ends[1]);

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    if (fork() == 0) {
        write(ends[0], "in ", 3);
        sleep_ms(20);
        write(ends[0], "pieces", 6);
        _exit(0);
    }
    check_equal(recv(ends[1], big, 9, MSG_WAITALL), 9, "MSG_WAITALL waits for all of it");
    check_bytes(big, "in pieces", 9, "and gets it");
    wait(NULL);

    struct timeval little = {0, 30000};

    setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &little, sizeof(little));
    check_errno(read(ends[1], big, 1), EAGAIN, "SO_RCVTIMEO limits the wait: EAGAIN");
    check_errno(recv(ends[1], big, 1, MSG_OOB), EINVAL, "there is no urgent byte: EINVAL");
    write(ends[0], "kept", 4);
    check_errno(read(ends[1], nowhere, 4), EFAULT, "no memory to read to: EFAULT");
    check_equal(read(ends[1], big, 9), 4, "and a stream's bytes are still there");
    check_errno(write(ends[0], nowhere, 4), EFAULT, "none to write from: EFAULT");
    close(ends[0]);
    close(ends[1]);
}

static void test_sendfile(const char *self)
{
    int ends[2], file = open(self, O_RDONLY);
    off_t offset = 4000;
    static char direct[10000], got[10000];

    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    pread(file, direct, sizeof(direct), 4000);
    check_equal(sendfile(ends[0], file, &offset, sizeof(direct)), sizeof(direct),
                "sendfile to a stream");
    check_equal(recv(ends[1], got, sizeof(got), MSG_WAITALL), sizeof(got), "all of it arrives");
    check_bytes(got, direct, sizeof(got), "and is the file's");
    shutdown(ends[1], SHUT_RD);
    signal(SIGPIPE, SIG_IGN);
    check_errno(sendfile(ends[0], file, &offset, 1), EPIPE, "to nobody: EPIPE");
    signal(SIGPIPE, SIG_DFL);
    close(ends[0]);
    close(ends[1]);
    close(file);
}

int main(int argc, char **argv)
{
    test_pair();
    test_ends();
    test_poll();
    test_connections();
    test_datagrams();
    test_rights(argv[0]);
    test_cycles();
    test_credentials();
    test_paths();
    test_transfer();
    test_sendfile(argv[0]);
    return check_done();
}
