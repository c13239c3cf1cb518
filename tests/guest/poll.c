/*
 * poll.c - poll(2), ppoll(2), select(2), pselect(2): what they say of pipes, sockets and files,
 * whom they wake, and how long they wait.
 */
#define _GNU_SOURCE
#include "check.h"
#include "user/lib/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ALL (POLLIN | POLLPRI | POLLOUT | POLLRDHUP)

static void *volatile nowhere = (void *)8;
static char buffer[1 << 20];

static long ms_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The bits that hold, at once or within so many ms. */
static int bits(int fd, int events, int ms)
{
    struct pollfd one = {.fd = fd, .events = events, .revents = 0x7777};
    int n = poll(&one, 1, ms);

    return n < 0 ? -1 : n != (one.revents != 0) ? -2 : one.revents;
}

/* In a child, after a moment. */
static pid_t later(void (*what)(int), int fd)
{
    pid_t child = fork();

    if (child == 0) {
        sleep_ms(30);
        what(fd);
        _exit(0);
    }
    return child;
}

static void write_byte(int fd)
{
    write(fd, "x", 1);
}

static void read_much(int fd)
{
    read(fd, buffer, sizeof(buffer));
}

static void hold_and_close(int fd)
{
    sleep_ms(30);
    close(fd);
}

static void shut_write(int fd)
{
    shutdown(fd, SHUT_WR);
}

static void test_arguments(void)
{
    struct pollfd one = {.fd = 0, .events = POLLIN}, three[3] = {{-1, POLLIN, 1}, {200, 0, 1}};
    struct rlimit limit;
    int p[2];

    pipe(p);
    check_equal(poll(NULL, 0, 0), 0, "poll of nothing says 0");
    check_errno(poll(nowhere, 1, 0), EFAULT, "poll of a list that is not there: EFAULT");
    getrlimit(RLIMIT_NOFILE, &limit);
    check_errno(syscall(SYS_poll, &one, limit.rlim_cur + 1, 0), EINVAL,
                "more entries than files may be open: EINVAL");
    check_errno(syscall(SYS_poll, &one, -1, 0), EINVAL, "a count of -1: EINVAL");
    three[2] = (struct pollfd){p[1], POLLOUT, 1};
    check_equal(poll(three, 3, -1), 2, "poll counts the entries that have something to say");
    check_equal(three[0].revents, 0, "a negative descriptor says nothing");
    check_equal(three[1].revents, POLLNVAL, "a closed one POLLNVAL, asked or not");
    check_equal(three[2].revents, POLLOUT, "and the rest what holds");
    three[2].fd = p[0];
    three[1].fd = -5;
    check_equal(poll(three, 3, 0), 0, "nothing holds: 0");
    check_equal(three[2].revents, 0, "and revents is emptied");
    check_equal(bits(p[1], 0, 0), 0, "bits that are not asked for are not told");
    write(p[1], "x", 1);
    check_equal(bits(p[0], POLLIN | POLLRDNORM, 0), POLLIN | POLLRDNORM,
                "POLLRDNORM goes with POLLIN");
    check_equal(bits(p[1], POLLOUT | POLLWRNORM, 0), POLLOUT | POLLWRNORM,
                "POLLWRNORM with POLLOUT");
    check_equal(bits(p[0], POLLOUT, 0), 0, "a reading end is never POLLOUT");
    close(p[0]);
    close(p[1]);
    check_errno(syscall(SYS_ppoll, &one, 1, nowhere, NULL, 0), EFAULT,
                "ppoll with a time that is not there: EFAULT");
    check_errno(ppoll(&one, 1, &(struct timespec){0, 1000000000}, NULL), EINVAL,
                "a second of nanoseconds: EINVAL");
    check_errno(ppoll(&one, 1, &(struct timespec){-1, 0}, NULL), EINVAL, "a negative time: EINVAL");
    check_errno(syscall(SYS_ppoll, &one, 0, NULL, &one, 4), EINVAL,
                "a signal mask of another size: EINVAL");
    check_errno(syscall(SYS_ppoll, &one, 0, NULL, nowhere, 8), EFAULT,
                "a signal mask that is not there: EFAULT");
}

static void test_files(const char *self)
{
    int file = open(self, O_RDONLY), dir = open("/", O_RDONLY);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDWR);

    check_equal(bits(file, ALL, -1), POLLIN | POLLOUT, "a regular file is always ready");
    check_equal(bits(dir, ALL, -1), POLLIN | POLLOUT, "a directory, too");
    check_equal(bits(null, ALL, -1), POLLIN | POLLOUT, "and /dev/null");
    check_equal(bits(zero, ALL, -1), POLLIN | POLLOUT, "and /dev/zero");
    close(file);
    close(dir);
    close(null);
    close(zero);
}

static void test_waking(void)
{
    int p[2];
    long start;

    pipe(p);
    later(write_byte, p[1]);
    check_equal(bits(p[0], POLLIN, -1), POLLIN, "poll is woken by a write to a pipe");
    read(p[0], buffer, 10);
    wait(NULL);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    write(p[1], buffer, sizeof(buffer));
    check_equal(bits(p[1], POLLOUT, 0), 0, "a full pipe is not POLLOUT");
    later(read_much, p[0]);
    check_equal(bits(p[1], POLLOUT, -1), POLLOUT, "poll is woken by a read from a full pipe");
    wait(NULL);
    later(hold_and_close, p[1]);
    close(p[1]);
    check_equal(bits(p[0], POLLIN, -1), POLLHUP, "poll is woken when the last writer goes");
    wait(NULL);
    close(p[0]);
    pipe(p);
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    write(p[1], buffer, sizeof(buffer));
    later(hold_and_close, p[0]);
    close(p[0]);
    check_equal(bits(p[1], 0, -1), POLLERR, "and when the last reader goes");
    wait(NULL);
    close(p[1]);

    pipe(p);
    start = ms_now();
    check_equal(bits(p[0], POLLIN, 50), 0, "after the time there is nothing");
    check(ms_now() - start >= 50, "and not before");
    start = ms_now();
    later(write_byte, p[1]);
    check_equal(bits(p[0], POLLIN, 60000), POLLIN, "a byte comes before the time is over");
    check(ms_now() - start < 30000, "and is told at once");
    wait(NULL);
    close(p[0]);
    close(p[1]);
}

/* Many pipes, and a byte in one of them. */
static void test_many(void)
{
    enum { PIPES = 100 };
    int p[PIPES][2], good = 1;
    struct pollfd list[2 * PIPES + 1];

    for (int i = 0; i < PIPES; i++) {
        if (pipe(p[i]) < 0) {
            check(false, "100 pipes can be made");
            return;
        }
        list[2 * i] = (struct pollfd){p[i][0], POLLIN, 0};
        list[2 * i + 1] = (struct pollfd){p[i][0], POLLIN, 0};
    }
    list[2 * PIPES] = list[0]; /* nothing forbids to ask twice */
    check_equal(poll(list, 2 * PIPES + 1, 0), 0, "poll of 201 entries with nothing to say");
    for (int i = 0; i < PIPES; i += 33) {
        later(write_byte, p[i][1]);
        good &= poll(list, 2 * PIPES + 1, -1) == (i ? 2 : 3) && list[2 * i].revents == POLLIN &&
                list[2 * i + 1].revents == POLLIN;
        read(p[i][0], buffer, 1);
        wait(NULL);
    }
    check(good, "is woken by any of them, and says by which");
    for (int i = 0; i < PIPES; i++) {
        close(p[i][0]);
        close(p[i][1]);
    }
}

/* --- Sockets ------------------------------------------------------------------------------- */

static void connect_to(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = port};
    int s = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(s, (struct sockaddr *)&to, sizeof(to));
}

static void test_tcp(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    socklen_t len = sizeof(to);
    int ends[2], s = socket(AF_INET, SOCK_STREAM, 0), error = -1;

    check_equal(bits(s, ALL, 0), POLLOUT | POLLHUP, "a fresh TCP socket: POLLOUT and POLLHUP");
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(s, (struct sockaddr *)&to, sizeof(to));
    listen(s, 5);
    getsockname(s, (struct sockaddr *)&to, &len);
    check_equal(bits(s, ALL, 0), 0, "a listening one has nothing to say");
    later(connect_to, to.sin_port);
    check_equal(bits(s, ALL, -1), POLLIN, "until somebody connects");
    close(accept(s, NULL, NULL));
    check_equal(bits(s, ALL, 0), 0, "accepted: nothing again");
    wait(NULL);
    close(s);

    s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(s, (struct sockaddr *)&to, sizeof(to));
    check_equal(bits(s, POLLOUT, 5000) & (POLLERR | POLLHUP), POLLERR | POLLHUP,
                "a connection refused: POLLERR and POLLHUP");
    len = sizeof(error);
    getsockopt(s, SOL_SOCKET, SO_ERROR, &error, &len);
    check_equal(error, ECONNREFUSED, "SO_ERROR says why");
    close(s);

    tcp_pair(ends);
    check_equal(bits(ends[0], ALL, 0), POLLOUT, "a connected socket: POLLOUT");
    later(write_byte, ends[1]);
    check_equal(bits(ends[0], POLLIN, -1), POLLIN, "poll is woken by what arrives");
    read(ends[0], buffer, 10);
    wait(NULL);
    check_equal(bits(ends[0], POLLIN, 0), 0, "read: nothing again");
    fcntl(ends[1], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 20 || bits(ends[1], POLLOUT, 50) == POLLOUT; i++) {
        while (write(ends[1], buffer, sizeof(buffer)) > 0) {
        }
    }
    check_equal(bits(ends[1], ALL, 0), 0, "a full socket is not POLLOUT");
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(30);
        while (read(ends[0], buffer, sizeof(buffer)) > 0) {
        }
        _exit(0);
    }
    check_equal(bits(ends[1], POLLOUT, 5000), POLLOUT, "poll is woken when there is room again");
    shutdown(ends[1], SHUT_WR);
    waitpid(child, NULL, 0);
    close(ends[0]);
    close(ends[1]);

    tcp_pair(ends);
    later(shut_write, ends[1]);
    check_equal(bits(ends[0], POLLIN | POLLRDHUP, -1), POLLIN | POLLRDHUP,
                "the peer's end of file: POLLIN and POLLRDHUP");
    wait(NULL);
    check_equal(bits(ends[0], ALL, 0), POLLIN | POLLRDHUP | POLLOUT, "and still POLLOUT");
    check_equal(bits(ends[1], ALL, 0), POLLOUT, "the peer may still read");
    shutdown(ends[0], SHUT_WR);
    check_equal(bits(ends[1], ALL, 1000) & (POLLIN | POLLRDHUP), POLLIN | POLLRDHUP,
                "until it has the end, too");
    check_equal(bits(ends[1], ALL, 0) & POLLHUP, POLLHUP, "both directions shut: POLLHUP");
    close(ends[0]);
    close(ends[1]);
}

static void test_udp(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    socklen_t len = sizeof(to);
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    bind(a, (struct sockaddr *)&to, sizeof(to));
    getsockname(a, (struct sockaddr *)&to, &len);
    connect(b, (struct sockaddr *)&to, sizeof(to));
    check_equal(bits(a, ALL, 0), POLLOUT, "a UDP socket: POLLOUT");
    later(write_byte, b);
    check_equal(bits(a, POLLIN, -1), POLLIN, "poll is woken by a datagram");
    read(a, buffer, 10);
    wait(NULL);
    check_equal(bits(a, ALL, 0), POLLOUT, "read: nothing again");
    close(a);
    close(b);
}

/* --- select -------------------------------------------------------------------------------- */

static int select_one(int fd, int write, int ms)
{
    struct timeval t = {ms / 1000, ms % 1000 * 1000};
    fd_set set;

    FD_ZERO(&set);
    FD_SET(fd, &set);
    int n = select(fd + 1, write ? NULL : &set, write ? &set : NULL, NULL, ms < 0 ? NULL : &t);
    return n < 0 ? -1 : n != !!FD_ISSET(fd, &set) ? -2 : n;
}

static void test_select(void)
{
    struct timeval t = {0, 0};
    struct timespec ts;
    fd_set in, out, ex;
    long start;
    int p[2];

    pipe(p);
    check_equal(select_one(p[0], 0, 0), 0, "select: an empty pipe is not readable");
    check_equal(select_one(p[1], 1, -1), 1, "but writable");
    later(write_byte, p[1]);
    check_equal(select_one(p[0], 0, -1), 1, "select is woken by a write");
    wait(NULL);
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&ex);
    for (int i = 0; i < 2; i++) {
        FD_SET(p[i], &in);
        FD_SET(p[i], &out);
        FD_SET(p[i], &ex);
    }
    check_equal(select(p[1] + 1, &in, &out, &ex, NULL), 2, "each bit in each set counts");
    check(FD_ISSET(p[0], &in) && FD_ISSET(p[1], &out), "those that hold are there");
    check(!FD_ISSET(p[1], &in) && !FD_ISSET(p[0], &out) && !FD_ISSET(p[0], &ex) &&
              !FD_ISSET(p[1], &ex),
          "the others are not");
    read(p[0], buffer, 10);
    check_equal(select(0, NULL, NULL, NULL, &t), 0, "select of nothing says 0");
    check_errno(select(-1, NULL, NULL, NULL, &t), EINVAL, "a negative count: EINVAL");
    FD_ZERO(&in);
    FD_SET(60, &in);
    check_errno(select(61, &in, NULL, NULL, &t), EBADF, "a closed descriptor: EBADF");
    check_equal(select(60, &in, NULL, NULL, &t), 0, "but not one behind the count");
    check_errno(select(1, nowhere, NULL, NULL, &t), EFAULT, "a set that is not there: EFAULT");
    check_errno(syscall(SYS__newselect, 0, NULL, NULL, NULL, nowhere), EFAULT,
                "a time that is not there: EFAULT");
    t = (struct timeval){0, -1};
    check_errno(syscall(SYS__newselect, 0, NULL, NULL, NULL, (long[]){0, -1}), EINVAL,
                "a negative time: EINVAL");
    check_errno(syscall(SYS__newselect, 0, NULL, NULL, NULL, (long[]){-1, 0}), EINVAL,
                "negative seconds: EINVAL");
    check_equal(syscall(SYS__newselect, 0, NULL, NULL, NULL, (long[]){0, 1000001 - 1000000}), 0,
                "a microsecond is a time");
    start = ms_now();
    check_equal(syscall(SYS__newselect, 0, NULL, NULL, NULL, (long[]){0, 1050000}), 0,
                "more than a second of microseconds is taken");
    check(ms_now() - start >= 1050, "as the time it is");

    long rest[2] = {60, 0};
    FD_ZERO(&in);
    FD_SET(p[0], &in);
    later(write_byte, p[1]);
    check_equal(syscall(SYS__newselect, p[0] + 1, &in, NULL, NULL, rest), 1,
                "select with a minute to wait");
    check_range(rest[0], 30, 59, "says how much is left");
    wait(NULL);
    rest[0] = 60;
    rest[1] = 0;
    struct pollfd one = {.fd = p[0], .events = POLLIN};
    check_equal(syscall(SYS_ppoll, &one, 1, rest, NULL, 8), 1, "ppoll with a minute to wait");
    check_range(rest[0], 30, 60, "says so, too");
    long old[5] = {0, 0, 0, 0, (long)(long[]){0, 1}};
    check_equal(syscall(SYS_select, old), 0, "the old select takes its arguments from memory");
    check_errno(syscall(SYS_select, nowhere), EFAULT, "which have to be there: EFAULT");
    close(p[1]);
    read(p[0], buffer, 10);
    check_equal(select_one(p[0], 0, -1), 1, "a pipe without writers is readable");
    close(p[0]);
    pipe(p);
    close(p[0]);
    check_equal(select_one(p[1], 1, -1), 1, "one without readers is writable");
    close(p[1]);

    ts = (struct timespec){0, 10000000};
    start = ms_now();
    check_equal(pselect(0, NULL, NULL, NULL, &ts, NULL), 0, "pselect waits");
    check(ms_now() - start >= 10, "as long as it should");
    check_errno(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, (long[]){(long)&ts, 4}), EINVAL,
                "a signal mask of another size: EINVAL");
    check_errno(syscall(SYS_pselect6, 0, NULL, NULL, NULL, NULL, nowhere), EFAULT,
                "a mask that is not there: EFAULT");
}

/* --- Signals ------------------------------------------------------------------------------- */

static volatile int handled;

static void handler(int sig)
{
    handled++;
}

static void kill_parent(int sig)
{
    kill(getppid(), sig);
}

static void stop_parent(int unused)
{
    kill(getppid(), SIGSTOP);
    sleep_ms(50);
    kill(getppid(), SIGCONT);
}

/* Is it blocked now? */
static bool is_blocked(int sig)
{
    sigset_t now;

    sigprocmask(SIG_BLOCK, NULL, &now);
    return sigismember(&now, sig);
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigset_t one, none, all;
    fd_set in;
    long start;
    int p[2], status;

    pipe(p);
    struct pollfd pollfd = {p[0], POLLIN, 0};
    sigaction(SIGUSR1, &action, NULL);
    later(kill_parent, SIGUSR1);
    check_errno(poll(&pollfd, 1, -1), EINTR,
                "a handled signal ends poll, SA_RESTART or not: EINTR");
    wait(NULL);
    FD_ZERO(&in);
    FD_SET(p[0], &in);
    later(kill_parent, SIGUSR1);
    check_errno(select(p[0] + 1, &in, NULL, NULL, NULL), EINTR, "and select: EINTR");
    wait(NULL);
    check(FD_ISSET(p[0], &in), "which leaves its sets as they were");
    check_equal(handled, 2, "the handlers have run");

    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &one, NULL);
    raise(SIGUSR1);
    check_equal(poll(&pollfd, 1, 10), 0, "a blocked signal does not end poll");
    check_errno(ppoll(&pollfd, 1, NULL, &none), EINTR, "but ppoll, whose mask lets it in: EINTR");
    check_equal(handled, 3, "once");
    check(is_blocked(SIGUSR1), "after ppoll the mask is as it was");
    raise(SIGUSR1);
    FD_ZERO(&in);
    check_errno(pselect(0, &in, NULL, NULL, NULL, &none), EINTR, "pselect, too: EINTR");
    check_equal(handled, 4, "once");
    raise(SIGUSR1);
    write(p[1], "x", 1);
    check_equal(ppoll(&pollfd, 1, NULL, &none), 1, "what is found goes before a signal");
    check_equal(handled, 4, "which stays blocked");
    check_errno(ppoll(&pollfd, 0, NULL, &none), EINTR, "until the next ppoll: EINTR");
    check_equal(handled, 5, "once");
    sigprocmask(SIG_SETMASK, &none, NULL);
    later(kill_parent, SIGUSR1);
    check_equal(ppoll(&pollfd, 0, &(struct timespec){0, 100000000}, &all), 0,
                "ppoll with everything blocked waits its time");
    wait(NULL);
    check_equal(handled, 6, "and the handler runs after it");

    read(p[0], buffer, 10);
    start = ms_now();
    later(stop_parent, 0);
    check_equal(poll(&pollfd, 1, 200), 0, "stopped and continued, poll goes on");
    check_range(ms_now() - start, 200, 5000, "to the end that was set at first");
    wait(&status);
    close(p[0]);
    close(p[1]);
}

int main(int argc, char **argv)
{
    test_arguments();
    test_files(argv[0]);
    test_waking();
    test_many();
    test_tcp();
    test_udp();
    test_select();
    test_signals();
    return check_done();
}
