/*
 * fifos.c - fifo(7): pipes with a name. Who waits for whom, and what is left when all have gone.
 */
#define _GNU_SOURCE
#include "check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char name[64];
static char buffer[1 << 17];

static int bits(int fd, int ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    return poll(&one, 1, ms) < 0 ? -1 : one.revents;
}

/* A child that opens the FIFO after a moment, keeps it open for another, and ends. */
static pid_t opener(int flags, const char *text)
{
    pid_t child = fork();

    if (child == 0) {
        sleep_ms(40);
        int fd = open(name, flags);
        if (fd < 0 || (text && write(fd, text, strlen(text)) < 0)) {
            _exit(1);
        }
        sleep_ms(40);
        _exit(0);
    }
    return child;
}

static void handler(int sig) {}

static void test_without_waiting(void)
{
    struct stat st;
    int r, w, rw;

    check_equal(stat(name, &st), 0, "a FIFO has a name");
    check(S_ISFIFO(st.st_mode), "and a type");
    check_errno(mkfifo(name, 0600), EEXIST, "which is taken: EEXIST");
    check_errno(open(name, O_WRONLY | O_NONBLOCK), ENXIO, "no reader, no waiting: ENXIO");
    r = open(name, O_RDONLY | O_NONBLOCK);
    check_works(r, "a reader need not wait");
    check_equal(bits(r, 0), 0, "no writer yet: no POLLHUP");
    check_equal(read(r, buffer, 10), 0, "and the end of file");
    w = open(name, O_WRONLY | O_NONBLOCK);
    check_works(w, "then a writer need not, either");
    check_errno(read(r, buffer, 10), EAGAIN, "nothing in it: EAGAIN");
    check_equal(write(w, "hello", 5), 5, "it is a pipe");
    check_equal(bits(r, 0), POLLIN, "with POLLIN");
    close(w);
    check_equal(bits(r, 0), POLLIN | POLLHUP, "and POLLHUP when the writer has gone");
    w = open(name, O_WRONLY);
    check_equal(bits(r, 0), POLLIN, "another writer takes POLLHUP away");
    close(w);
    check_equal(read(r, buffer, 10), 5, "what was written is still there");
    w = open(name, O_WRONLY);
    write(w, "lost", 4);
    close(r);
    check_equal(bits(w, 0), POLLOUT | POLLERR, "no reader: POLLERR");
    signal(SIGPIPE, SIG_IGN);
    check_errno(write(w, "x", 1), EPIPE, "and EPIPE");
    close(w);
    r = open(name, O_RDONLY | O_NONBLOCK);
    check_equal(read(r, buffer, 10), 0, "what nobody read goes with the last who had it open");
    close(r);

    rw = open(name, O_RDWR);
    check_works(rw, "O_RDWR waits for nobody");
    check_equal(write(rw, "me", 2), 2, "it writes");
    check_equal(read(rw, buffer, 10), 2, "and reads");
    check_equal(bits(rw, 0), POLLOUT, "alone");
    check_errno(lseek(rw, 0, SEEK_SET), ESPIPE, "lseek: ESPIPE");
    check_equal(fcntl(rw, F_GETPIPE_SZ), 65536, "F_GETPIPE_SZ knows it");
    int again = open(name, O_WRONLY | O_NONBLOCK);
    check_works(again, "and it counts as a reader");
    close(again);
    close(rw);
}

static void test_waiting(void)
{
    int fd, status;

    opener(O_WRONLY, "text");
    fd = open(name, O_RDONLY);
    check_works(fd, "a reader waits for a writer");
    check_equal(read(fd, buffer, 10), 4, "and reads what it writes");
    check_equal(read(fd, buffer, 10), 0, "to the end");
    wait(&status);
    check_equal(status, 0, "the writer saw no error");
    close(fd);
    opener(O_RDONLY, NULL);
    fd = open(name, O_WRONLY);
    check_works(fd, "a writer waits for a reader");
    wait(&status);
    close(fd);
    opener(O_RDWR, NULL);
    fd = open(name, O_RDONLY);
    check_works(fd, "who opens for both ends the waiting, too");
    close(fd);
    wait(&status);

    fd = open(name, O_RDONLY | O_NONBLOCK);
    opener(O_WRONLY, "x");
    check_equal(bits(fd, 5000), POLLIN, "poll is woken by a writer that comes later");
    wait(&status);
    read(fd, buffer, 10);
    check_equal(bits(fd, 5000), POLLHUP, "and goes");
    close(fd);

    struct sigaction action = {.sa_handler = handler};
    sigaction(SIGALRM, &action, NULL);
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        sleep_ms(40);
        kill(parent, SIGALRM);
        _exit(0);
    }
    check_errno(open(name, O_RDONLY), EINTR, "a signal ends the waiting: EINTR");
    waitpid(child, NULL, 0);
    check_errno(open(name, O_WRONLY | O_NONBLOCK), ENXIO, "and who gave up is no reader: ENXIO");
}

static void test_removed(void)
{
    int fd = open(name, O_RDWR);

    write(fd, "still", 5);
    check_equal(unlink(name), 0, "an open FIFO can be removed");
    check_equal(read(fd, buffer, 10), 5, "and works on");
    check_errno(open(name, O_RDONLY | O_NONBLOCK), ENOENT, "though it has no name: ENOENT");
    close(fd);
}

int main(void)
{
    snprintf(name, sizeof(name), "/tmp/fifos-%d", getpid());
    if (!check_works(mkfifo(name, 0600), "mkfifo makes a FIFO")) {
        return check_done();
    }
    test_without_waiting();
    test_waiting();
    test_removed();
    return check_done();
}
