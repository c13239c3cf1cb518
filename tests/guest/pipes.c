/*
 * pipes.c - pipe(2), pipe2(2) and what pipe(7) promises: sizes, atomic writes, ends that are
 * closed.
 */
#define _GNU_SOURCE
#include "check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIB 1024

static unsigned char buffer[1 << 20], other[1 << 20];

static void *volatile nowhere = (void *)8;

static void close_both(const int p[2])
{
    close(p[0]);
    close(p[1]);
}

/* The bits that poll gives at once. */
static int bits(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static int inside(int fd)
{
    int bytes = -1;

    return ioctl(fd, FIONREAD, &bytes) < 0 ? -1 : bytes;
}

/* Writes pieces of this size until the pipe takes no more: how many it took. */
static int fill(int fd, size_t size)
{
    int pieces = 0;

    while (write(fd, buffer, size) == (ssize_t)size) {
        pieces++;
    }
    return pieces;
}

static void test_basics(void)
{
    int p[2], flags;
    struct stat st;
    char text[16] = "";

    check_equal(pipe(p), 0, "pipe makes a pipe");
    check(p[0] >= 0 && p[1] == p[0] + 1, "of the two lowest descriptors");
    check_equal(fstat(p[0], &st), 0, "fstat knows it");
    check(S_ISFIFO(st.st_mode), "as a FIFO");
    check_equal(st.st_size, 0, "of size 0");
    check_equal(st.st_mode & 0777, 0600, "mode 0600");
    check_equal(write(p[1], "hello", 5), 5, "what is written at one end");
    check_equal(read(p[0], text, sizeof(text)), 5, "is read at the other, as much as there is");
    check_text(text, "hello", "the same bytes");
    check_errno(write(p[0], "x", 1), EBADF, "the reading end is not for writing: EBADF");
    check_errno(read(p[1], text, 1), EBADF, "the writing end not for reading: EBADF");
    check_errno(lseek(p[0], 0, SEEK_SET), ESPIPE, "lseek: ESPIPE");
    check_errno(pread(p[0], text, 1, 0), ESPIPE, "pread: ESPIPE");
    check_errno(pwrite(p[1], text, 1, 0), ESPIPE, "pwrite: ESPIPE");
    check_errno(ftruncate(p[1], 0), EINVAL, "ftruncate: EINVAL");
    check_equal(fcntl(p[0], F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL of the reading end");
    check_equal(fcntl(p[1], F_GETFL) & O_ACCMODE, O_WRONLY, "F_GETFL of the writing end");
    check_equal(write(p[1], "x", 0), 0, "nothing can be written");
    check_equal(read(p[0], text, 0), 0, "nothing can be read");
    check_errno(write(p[1], nowhere, 5), EFAULT, "a write from nowhere: EFAULT");
    check_equal(inside(p[0]), 0, "puts nothing in");
    write(p[1], "abc", 3);
    check_errno(read(p[0], nowhere, 3), EFAULT, "a read to nowhere: EFAULT");
    check_equal(inside(p[0]), 3, "loses nothing");
    check_equal(inside(p[1]), 3, "FIONREAD asks either end");
    close_both(p);

    check_errno(pipe(nowhere), EFAULT, "pipe to nowhere: EFAULT");
    flags = dup(0);
    close(flags);
    check_equal(flags, p[0], "and leaves no descriptor behind");
    check_errno(pipe2(p, 0x40), EINVAL, "pipe2 with flags it does not know: EINVAL");
    check_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0, "pipe2 with O_CLOEXEC and O_NONBLOCK");
    check(fcntl(p[0], F_GETFD) == FD_CLOEXEC && fcntl(p[1], F_GETFD) == FD_CLOEXEC,
          "both ends close on exec");
    check(fcntl(p[0], F_GETFL) & fcntl(p[1], F_GETFL) & O_NONBLOCK, "and do not block");
    check_errno(read(p[0], text, 1), EAGAIN, "an empty pipe: EAGAIN");
    flags = 0;
    check_equal(ioctl(p[0], FIONBIO, &flags), 0, "FIONBIO");
    check_equal(fcntl(p[0], F_GETFL) & O_NONBLOCK, 0, "takes O_NONBLOCK away");
    flags = 1;
    ioctl(p[0], FIONBIO, &flags);
    check_equal(fcntl(p[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK, "or sets it");
    check_errno(ioctl(p[0], FIONBIO, nowhere), EFAULT, "if it can be told: EFAULT");
    ioctl(p[0], FIONCLEX);
    check_equal(fcntl(p[0], F_GETFD), 0, "FIONCLEX takes close-on-exec away");
    ioctl(p[0], FIOCLEX);
    check_equal(fcntl(p[0], F_GETFD), FD_CLOEXEC, "FIOCLEX sets it");
    check_errno(ioctl(p[0], TCGETS, text), ENOTTY, "a pipe is no terminal: ENOTTY");
    close_both(p);
}

static void test_sizes(void)
{
    int p[2];

    pipe2(p, O_NONBLOCK);
    check_equal(fcntl(p[0], F_GETPIPE_SZ), 64 * KIB, "a pipe holds 64 KiB");
    check_equal(write(p[1], buffer, 100 * KIB), 64 * KIB, "and takes no more of a longer write");
    check_errno(write(p[1], buffer, 1), EAGAIN, "a full pipe: EAGAIN");
    check_equal(bits(p[1]), 0, "and nothing to poll");
    check_equal(inside(p[0]), 64 * KIB, "FIONREAD says 64 KiB");
    check_equal(read(p[0], buffer, 100), 100, "some bytes are read");
    check_errno(write(p[1], buffer, 1), EAGAIN, "but a page begun is not free");
    check_equal(read(p[0], buffer, 4096 - 100), 4096 - 100, "the rest of the page is read");
    check_equal(bits(p[1]), POLLOUT, "then there is room");
    check_equal(write(p[1], buffer, 5000), 4096, "for a page");
    check_equal(read(p[0], other, sizeof(other)), 64 * KIB, "a read takes all there is");
    check_equal(fill(p[1], 1), 64 * KIB, "65536 single bytes fit, too: they share pages");
    read(p[0], other, sizeof(other));
    check_equal(fill(p[1], 4095), 16, "of 4095 bytes 16 pieces fit: none is torn over two pages");
    check_equal(inside(p[0]), 16 * 4095, "and no byte more");
    read(p[0], other, sizeof(other));
    check_equal(fill(p[1], 3000), 16, "of 3000 bytes 16");
    read(p[0], other, sizeof(other));
    check_equal(fill(p[1], 2048), 32, "of 2048 bytes 32");
    read(p[0], other, sizeof(other));

    check_equal(fcntl(p[1], F_SETPIPE_SZ, 5000), 8192, "F_SETPIPE_SZ rounds up");
    check_equal(fcntl(p[0], F_GETPIPE_SZ), 8192, "F_GETPIPE_SZ tells at the other end");
    check_equal(write(p[1], buffer, 20000), 8192, "which is what it takes then");
    check_errno(fcntl(p[1], F_SETPIPE_SZ, 4096), EBUSY, "F_SETPIPE_SZ below what is in: EBUSY");
    for (int i = 0; i < 8192; i++) {
        buffer[i] = pattern(i);
    }
    read(p[0], other, 8192);
    write(p[1], buffer, 8192);
    check_equal(fcntl(p[1], F_SETPIPE_SZ, 1 << 20), 1 << 20, "a pipe may be 1 MiB");
    check_equal(read(p[0], other, sizeof(other)), 8192, "and keeps what is in");
    check_bytes(other, buffer, 8192, "byte by byte");
    check_equal(write(p[1], buffer, 1 << 20), 1 << 20, "1 MiB fits");
    read(p[0], other, 1 << 20);
    check_equal(fcntl(p[1], F_SETPIPE_SZ, 0), 4096, "F_SETPIPE_SZ of nothing is a page");
    close_both(p);
    check_errno(fcntl(0, F_GETPIPE_SZ), EBADF, "F_GETPIPE_SZ of what is no pipe: EBADF");
}

static void test_hang_up(void)
{
    int p[2], again;

    signal(SIGPIPE, SIG_IGN);
    pipe(p);
    check_equal(bits(p[0]), 0, "an empty pipe has nothing to poll");
    check_equal(bits(p[1]), POLLOUT, "but room");
    write(p[1], "abc", 3);
    check_equal(bits(p[0]), POLLIN, "bytes are POLLIN");
    again = dup(p[1]);
    close(p[1]);
    check_equal(bits(p[0]), POLLIN, "a second descriptor keeps the writing end open");
    close(again);
    check_equal(bits(p[0]), POLLIN | POLLHUP, "the last one closed: POLLIN and POLLHUP");
    check_equal(read(p[0], buffer, 10), 3, "what is left is read");
    check_equal(bits(p[0]), POLLHUP, "then POLLHUP alone");
    check_equal(read(p[0], buffer, 10), 0, "and the end of file");
    check_equal(read(p[0], buffer, 10), 0, "again and again");
    close(p[0]);

    pipe(p);
    write(p[1], "abc", 3);
    close(p[0]);
    check_equal(bits(p[1]), POLLOUT | POLLERR, "no reader: POLLERR");
    check_errno(write(p[1], "x", 1), EPIPE, "a write without a reader: EPIPE");
    check_equal(write(p[1], "x", 0), 0, "but not if it writes nothing");
    close(p[1]);
    signal(SIGPIPE, SIG_DFL);
}

static int write_to_nobody(void *unused)
{
    int p[2];

    pipe(p);
    close(p[0]);
    write(p[1], "x", 1);
    return 1;
}

static int writev_to_nobody(void *unused)
{
    struct iovec v = {buffer, 10};
    int p[2];

    pipe(p);
    close(p[0]);
    writev(p[1], &v, 1);
    return 1;
}

/* Blocks in a write; the reader takes some and goes. */
static int blocked_writer(void *unused)
{
    int p[2];

    pipe(p);
    if (fork() == 0) {
        close(p[1]);
        read(p[0], buffer, 4096);
        _exit(0);
    }
    close(p[0]);
    write(p[1], buffer, 1 << 20);
    return 1;
}

static void test_sigpipe(void)
{
    check_killed(write_to_nobody, NULL, SIGPIPE, "a write to nobody kills with SIGPIPE");
    check_killed(writev_to_nobody, NULL, SIGPIPE, "a writev, too");
    check_killed(blocked_writer, NULL, SIGPIPE, "and a write that waits when the reader goes");
}

static void test_vectors(void)
{
    int p[2];
    struct iovec v[4] = {{buffer, 3}, {buffer + 3, 0}, {buffer + 3, 4000}, {buffer + 4003, 93}};
    struct iovec w[3] = {{other, 10}, {other + 10, 4000}, {other + 4010, 4000}};

    pipe2(p, O_NONBLOCK);
    for (int i = 0; i < 8192; i++) {
        buffer[i] = pattern(i);
    }
    check_equal(writev(p[1], v, 4), 4096, "writev writes its pieces as one");
    memset(other, 0, sizeof(other));
    check_equal(readv(p[0], w, 3), 4096, "readv fills its pieces with what is there");
    check_bytes(other, buffer, 4096, "the same bytes");
    check_equal(fill(p[1], 4096), 16, "the pipe is filled");
    read(p[0], other, 4096);
    write(p[1], buffer, 96);
    check_errno(writev(p[1], v + 2, 2), EAGAIN, "a vector of 4093 bytes does not fit in 4000");
    check_equal(inside(p[0]), 15 * 4096 + 96, "and no piece of it goes in");
    read(p[0], other, sizeof(other));
    write(p[1], buffer, 10);
    fcntl(p[0], F_SETFL, 0);
    check_equal(readv(p[0], w, 3), 10, "a readv that has got something does not wait for more");
    v[2].iov_base = nowhere;
    check_errno(writev(p[1], v, 4), EFAULT, "a bad piece spoils a short vector: EFAULT");
    check_equal(inside(p[0]), 0, "and nothing of it is in");
    v[1].iov_len = (size_t)-1;
    check_errno(writev(p[1], v, 4), EINVAL, "a negative length: EINVAL");
    close_both(p);
}

static void test_packets(void)
{
    int p[2];

    check_equal(pipe2(p, O_DIRECT | O_NONBLOCK), 0, "pipe2 with O_DIRECT: packets");
    write(p[1], "one", 3);
    write(p[1], "second", 6);
    check_equal(read(p[0], buffer, 100), 3, "each write is read apart");
    check_equal(read(p[0], buffer, 2), 2, "a short read takes the beginning");
    check_errno(read(p[0], buffer, 100), EAGAIN, "and the rest of the packet is lost");
    close_both(p);
}

/* --- Between processes --------------------------------------------------------------------- */

#define TRANSFER (1u << 20)

/* Writes the pattern in pieces of odd sizes. */
static int write_pattern(int fd)
{
    size_t size = 1;

    for (size_t at = 0; at < TRANSFER;) {
        size_t len = size < TRANSFER - at ? size : TRANSFER - at;
        ssize_t n = write(fd, buffer + at, len);

        if (n <= 0) {
            return 1;
        }
        at += n;
        size = (size * 7 + 13) % 70001 + 1;
    }
    return 0;
}

static void test_transfer(void)
{
    size_t size = 5, at = 0;
    ssize_t n;
    pid_t child;
    int p[2], status;

    for (size_t i = 0; i < TRANSFER; i++) {
        buffer[i] = pattern(i);
    }
    memset(other, 0, TRANSFER);
    pipe(p);
    child = fork();
    if (child == 0) {
        close(p[0]);
        _exit(write_pattern(p[1]));
    }
    close(p[1]);
    while ((n = read(p[0], other + at, size < TRANSFER - at ? size : TRANSFER - at)) > 0) {
        at += n;
        size = (size * 5 + 11) % 50021 + 1;
    }
    check_equal(at, TRANSFER, "1 MiB goes through a pipe between processes");
    check_bytes(other, buffer, TRANSFER, "and arrives as it was sent");
    check_equal(read(p[0], other, 1), 0, "then comes the end of file");
    waitpid(child, &status, 0);
    check_equal(status, 0, "the writer saw no error");
    close(p[0]);
}

#define WRITERS 4
#define PIECES  100

/* Each piece is of one letter, PIPE_BUF times. */
static void test_atomicity(void)
{
    int p[2], torn = 0, seen[WRITERS] = {0}, all = 1;

    pipe(p);
    for (int w = 0; w < WRITERS; w++) {
        if (fork() == 0) {
            memset(buffer, 'a' + w, PIPE_BUF);
            for (int i = 0; i < PIECES; i++) {
                if (write(p[1], buffer, PIPE_BUF) != PIPE_BUF) {
                    _exit(1);
                }
            }
            _exit(0);
        }
    }
    close(p[1]);
    for (int i = 0; i < WRITERS * PIECES; i++) {
        for (size_t at = 0; at < PIPE_BUF;) { /* at most some odd number of bytes at once */
            ssize_t n = read(p[0], other + at, PIPE_BUF - at < 1237 ? PIPE_BUF - at : 1237);

            if (n <= 0) {
                break;
            }
            at += n;
        }
        for (size_t k = 1; k < PIPE_BUF; k++) {
            torn |= other[k] != other[0];
        }
        if (other[0] >= 'a' && other[0] < 'a' + WRITERS) {
            seen[other[0] - 'a']++;
        }
    }
    for (int w = 0; w < WRITERS; w++) {
        all &= seen[w] == PIECES;
        wait(NULL);
    }
    check_equal(torn, 0, "writes of PIPE_BUF bytes by four processes are not torn");
    check(all, "and all arrive");
    close(p[0]);
}

/* A reader that waits gets what comes; one that waits is woken by the end, too. */
static void test_waiting(void)
{
    int p[2], status;
    pid_t child;

    pipe(p);
    child = fork();
    if (child == 0) {
        close(p[1]);
        _exit(read(p[0], buffer, 100) == 2 && read(p[0], buffer, 100) == 0 ? 7 : 8);
    }
    sleep_ms(30);
    write(p[1], "go", 2);
    sleep_ms(30);
    close_both(p);
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 7, "a reader waits for bytes, and for the end");

    pipe(p);
    child = fork();
    if (child == 0) {
        close(p[0]);
        _exit(write(p[1], buffer, 200 * KIB) == 200 * KIB ? 7 : 8);
    }
    close(p[1]);
    for (int i = 0; i < 500 && inside(p[0]) < 64 * KIB; i++) {
        sleep_ms(10);
    }
    check_equal(inside(p[0]), 64 * KIB, "a writer fills the pipe and waits");
    size_t all = 0;
    for (ssize_t n; (n = read(p[0], other, 30000)) > 0;) {
        all += n;
    }
    check_equal(all, 200 * KIB, "until everything was read");
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 7, "a write that waits is written whole");
    close(p[0]);
}

static volatile int handled;

static void handler(int sig)
{
    handled++;
}

static void handle(int sig, int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigaction(sig, &action, NULL);
    handled = 0;
}

/* A child that signals us after a moment, and then perhaps writes or reads. */
static pid_t disturber(int fd, bool writes, size_t len)
{
    pid_t parent = getpid(), child = fork();

    if (child == 0) {
        sleep_ms(40);
        kill(parent, SIGUSR1);
        sleep_ms(40);
        if (writes) {
            write(fd, "x", 1);
        }
        for (size_t n; !writes && len; len -= n) {
            n = read(fd, other, len);
        }
        _exit(0);
    }
    return child;
}

static void test_signals(void)
{
    int p[2];

    pipe(p);
    handle(SIGUSR1, 0);
    disturber(p[1], true, 0);
    check_errno(read(p[0], buffer, 1), EINTR, "a handled signal ends a read that waits: EINTR");
    check_equal(handled, 1, "after its handler has run");
    wait(NULL);
    check_equal(read(p[0], buffer, 10), 1, "the next read is as ever");
    handle(SIGUSR1, SA_RESTART);
    disturber(p[1], true, 0);
    check_equal(read(p[0], buffer, 10), 1, "with SA_RESTART the read goes on");
    check_equal(handled, 1, "after the handler");
    wait(NULL);
    disturber(p[0], false, 0);
    check_equal(write(p[1], buffer, 100 * KIB), 64 * KIB,
                "a write that has written something says how much");
    wait(NULL);
    disturber(p[0], false, 64 * KIB + 1);
    check_equal(write(p[1], buffer, 1), 1, "one that has not goes on");
    wait(NULL);
    signal(SIGUSR1, SIG_IGN);
    disturber(p[1], true, 0);
    check_equal(read(p[0], buffer, 10), 1, "a signal that is ignored disturbs nobody");
    wait(NULL);
    handle(SIGPIPE, 0);
    close(p[0]);
    check_errno(write(p[1], "x", 1), EPIPE, "a write without a reader: EPIPE");
    check_equal(handled, 1, "and SIGPIPE");
    signal(SIGPIPE, SIG_DFL);
    close(p[1]);
}

static void test_many(void)
{
    int p[100][2], good = 1, made = 0;

    while (made < 100 && pipe(p[made]) == 0) {
        made++;
    }
    check_equal(made, 100, "a process may have 100 pipes");
    for (int i = 0; i < made; i++) {
        write(p[i][1], &i, sizeof(i));
    }
    for (int i = made - 1; i >= 0; i--) {
        int n = -1;

        good &= read(p[i][0], &n, sizeof(n)) == sizeof(n) && n == i;
        close_both(p[i]);
    }
    check(good, "which do not get mixed up");
}

static int write_much(void *end)
{
    return write(*(int *)end, buffer, sizeof(buffer)) == sizeof(buffer) ? 0 : 1;
}

/* The reader is there first, and takes all that the pipe holds when the writer has filled it. */
static void test_reader_first(void)
{
    int p[2], got = 0, n, status;

    pipe(p);

    pid_t child = fork();

    if (child == 0) {
        sleep_ms(20);
        _exit(write_much(&p[1]));
    }
    close(p[1]);
    while ((n = read(p[0], other, sizeof(other))) > 0) {
        got += n;
    }
    close(p[0]);
    waitpid(child, &status, 0);
    check(status == 0 && got == sizeof(buffer), "a reader that waited wakes a writer that waits");
}

int main(void)
{
    test_basics();
    test_sizes();
    test_hang_up();
    test_sigpipe();
    test_vectors();
    test_packets();
    test_transfer();
    test_atomicity();
    test_waiting();
    test_reader_first();
    test_signals();
    test_many();
    return check_done();
}
