/*
 * events.c - epoll(7), eventfd(2), timerfd_create(2) and signalfd(2): what is told, when, and to
 * whom.
 */
#define _GNU_SOURCE
#include "check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void *volatile nowhere = (void *)8;
static char buffer[1 << 20];

static int control(int ep, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u64 = 0x1122334400000000ull + fd};

    return epoll_ctl(ep, operation, fd, &event);
}

/* The bits of the one event that is told within so many ms; 0: none, -1: an error, -2: more. */
static long told(int ep, int ms)
{
    struct epoll_event events[4];
    int n = epoll_wait(ep, events, 4, ms);

    return n == 1 ? (long)events[0].events : n > 1 ? -2 : n;
}

static void drain(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (read(fd, buffer, sizeof(buffer)) > 0) {
    }
    fcntl(fd, F_SETFL, flags);
}

static void test_epoll_arguments(void)
{
    struct epoll_event event;
    int p[2], ep, file, null = open("/", O_RDONLY);

    pipe(p);
    check_errno(syscall(SYS_epoll_create, 0), EINVAL, "epoll_create of nothing: EINVAL");
    check_errno(epoll_create1(1), EINVAL, "epoll_create1 with flags it does not know: EINVAL");
    ep = epoll_create1(EPOLL_CLOEXEC);
    check_works(ep, "epoll_create1 makes a set");
    check_equal(fcntl(ep, F_GETFD), FD_CLOEXEC, "that closes on exec");
    check_errno(read(ep, buffer, 1), EINVAL, "nobody reads it: EINVAL");
    check_errno(control(999, EPOLL_CTL_ADD, p[0], EPOLLIN), EBADF, "epoll_ctl of no set: EBADF");
    check_errno(control(p[0], EPOLL_CTL_ADD, p[1], EPOLLIN), EINVAL, "of what is no set: EINVAL");
    check_errno(control(ep, EPOLL_CTL_ADD, 999, EPOLLIN), EBADF, "of a closed file: EBADF");
    check_errno(control(ep, EPOLL_CTL_ADD, ep, EPOLLIN), EINVAL, "of itself: EINVAL");
    check_errno(control(ep, EPOLL_CTL_ADD, null, EPOLLIN), EPERM, "of a directory: EPERM");
    file = open("/dev/null", O_RDONLY);
    check_errno(control(ep, EPOLL_CTL_ADD, file, EPOLLIN), EPERM, "of /dev/null: EPERM");
    close(file);
    check_errno(control(ep, 77, p[0], EPOLLIN), EINVAL, "an unknown operation: EINVAL");
    check_errno(syscall(SYS_epoll_ctl, ep, EPOLL_CTL_ADD, p[0], nowhere), EFAULT,
                "an event that is not there: EFAULT");
    check_errno(control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN), ENOENT, "what is not in: ENOENT");
    check_errno(control(ep, EPOLL_CTL_DEL, p[0], EPOLLIN), ENOENT, "nor can it go: ENOENT");
    check_equal(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN), 0, "a file is added");
    check_errno(control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN), EEXIST, "once: EEXIST");
    int again = dup(p[0]);
    check_equal(control(ep, EPOLL_CTL_ADD, again, EPOLLIN), 0, "but by a second descriptor, too");
    check_equal(epoll_ctl(ep, EPOLL_CTL_DEL, again, NULL), 0, "and taken out without an event");
    check_errno(epoll_wait(ep, &event, 0, 0), EINVAL, "epoll_wait for no event: EINVAL");
    check_errno(epoll_wait(ep, &event, -1, 0), EINVAL, "for less than none: EINVAL");
    check_errno(epoll_wait(p[0], &event, 1, 0), EINVAL, "on what is no set: EINVAL");
    check_errno(epoll_wait(999, &event, 1, 0), EBADF, "on nothing: EBADF");
    check_errno(syscall(SYS_epoll_pwait, ep, &event, 1, 0, &event, 4), EINVAL,
                "a signal mask of another size: EINVAL");
    write(p[1], "x", 1);
    check_errno(epoll_wait(ep, nowhere, 1, 0), EFAULT, "events to nowhere: EFAULT");
    memset(&event, 0, sizeof(event));
    check_equal(epoll_wait(ep, &event, 1, 0), 1, "and they are not lost");
    check(event.events == EPOLLIN && event.data.u64 == 0x1122334400000000ull + p[0],
          "an event brings what it was added with");
    close(again);
    close(p[0]);
    close(p[1]);
    close(ep);
    close(null);
}

static void test_levels_and_edges(void)
{
    int p[2], ep = epoll_create1(0);

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
    check_equal(told(ep, 0), 0, "nothing is told of an empty pipe");
    write(p[1], "x", 1);
    check_equal(told(ep, 0), EPOLLIN, "a byte is told");
    check_equal(told(ep, 0), EPOLLIN, "again, as long as it is there");
    drain(p[0]);
    check_equal(told(ep, 0), 0, "and no more when it was read");

    control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET);
    write(p[1], "x", 1);
    check_equal(told(ep, 0), EPOLLIN, "edge-triggered: a byte is told");
    check_equal(told(ep, 0), 0, "once");
    write(p[1], "x", 1);
    check_equal(told(ep, 0), EPOLLIN, "the next byte is another event");
    check_equal(told(ep, 0), 0, "told once");
    control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLET);
    check_equal(told(ep, 0), EPOLLIN, "EPOLL_CTL_MOD looks again");
    drain(p[0]);

    control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT);
    write(p[1], "x", 1);
    check_equal(told(ep, 0), EPOLLIN, "one shot: a byte is told");
    write(p[1], "x", 1);
    check_equal(told(ep, 0), 0, "and nothing after it");
    control(ep, EPOLL_CTL_MOD, p[0], EPOLLIN | EPOLLONESHOT);
    check_equal(told(ep, 0), EPOLLIN, "until it is armed again");
    drain(p[0]);

    control(ep, EPOLL_CTL_MOD, p[0], 0);
    close(p[1]);
    check_equal(told(ep, 0), EPOLLHUP, "EPOLLHUP is told even if it was not asked for");
    close(p[0]);
    check_equal(told(ep, 0), 0, "a closed file is in no set");
    close(ep);

    ep = epoll_create1(0);
    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[1], EPOLLOUT);
    check_equal(told(ep, 0), EPOLLOUT, "room in a pipe is told");
    fcntl(p[1], F_SETFL, O_NONBLOCK);
    write(p[1], buffer, sizeof(buffer));
    check_equal(told(ep, 0), 0, "no room is not");
    read(p[0], buffer, 4096);
    check_equal(told(ep, 0), EPOLLOUT, "until somebody reads");
    control(ep, EPOLL_CTL_MOD, p[1], EPOLLOUT | EPOLLET);
    check_equal(told(ep, 0), EPOLLOUT, "edge-triggered: room is told");
    read(p[0], buffer, 4096);
    check_equal(told(ep, 0), 0, "more room is no news");
    write(p[1], buffer, sizeof(buffer));
    read(p[0], buffer, 4096);
    check_equal(told(ep, 0), EPOLLOUT, "room after none is");
    close(p[0]);
    check_equal(told(ep, 0), EPOLLOUT | EPOLLERR, "EPOLLERR when the reader has gone");
    close(p[1]);
    close(ep);
}

static void test_descriptors(void)
{
    int p[2], ep = epoll_create1(0);

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
    int again = dup(p[0]);
    write(p[1], "x", 1);
    close(p[0]);
    check_equal(told(ep, 0), EPOLLIN, "an item lives while any descriptor of its file does");
    close(again);
    check_equal(told(ep, 0), 0, "and goes with the last");
    close(p[1]);

    pipe(p);
    control(ep, EPOLL_CTL_ADD, p[0], EPOLLIN);
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(30);
        write(p[1], "x", 1);
        _exit(0);
    }
    check_equal(told(ep, -1), EPOLLIN, "epoll_wait is woken");
    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0) {
        _exit(told(ep, 0) == EPOLLIN ? 7 : 8);
    }
    int status;
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 7, "a child uses the same set");
    close(ep);
    close(p[0]);
    close(p[1]);
}

static void test_many(void)
{
    enum { PIPES = 90 };
    int p[PIPES][2], ep = epoll_create1(0), good = 1, seen[PIPES] = {0};
    struct epoll_event events[PIPES];

    for (int i = 0; i < PIPES; i++) {
        good &= pipe(p[i]) == 0;
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};
        good &= epoll_ctl(ep, EPOLL_CTL_ADD, p[i][0], &event) == 0;
    }
    check(good, "90 pipes are watched");
    for (int i = 0; i < PIPES; i += 3) {
        write(p[i][1], "x", 1);
    }
    check_equal(epoll_wait(ep, events, PIPES, 0), PIPES / 3, "30 of them have something to say");
    for (int i = 0; i < PIPES / 3; i++) {
        good &= events[i].data.u32 % 3 == 0;
    }
    check(good, "those into which somebody wrote");
    for (int i = 0; i < PIPES / 3; i += 7) {
        int n = epoll_wait(ep, events, 7, 0);
        for (int k = 0; k < n; k++) {
            seen[events[k].data.u32]++;
        }
    }
    for (int i = 0; i < PIPES; i += 3) {
        good &= seen[i] >= 1;
    }
    check(good, "seven at a time, each has its turn");
    for (int i = 0; i < PIPES; i++) {
        close(p[i][0]);
        close(p[i][1]);
    }
    check_equal(epoll_wait(ep, events, PIPES, 0), 0, "closed: none");
    close(ep);
}

static void test_nesting(void)
{
    int p[2], set[8], n;
    struct pollfd one;

    pipe(p);
    for (int i = 0; i < 8; i++) {
        set[i] = epoll_create1(0);
    }
    control(set[0], EPOLL_CTL_ADD, p[0], EPOLLIN);
    check_equal(control(set[1], EPOLL_CTL_ADD, set[0], EPOLLIN), 0, "a set may be in a set");
    check_errno(control(set[0], EPOLL_CTL_ADD, set[1], EPOLLIN), ELOOP,
                "but not in a circle: ELOOP");
    one = (struct pollfd){set[1], POLLIN, 0};
    check_equal(poll(&one, 1, 0), 0, "poll of a set with nothing to say");
    write(p[1], "x", 1);
    check_equal(poll(&one, 1, 0), 1, "poll of a set that has");
    check_equal(told(set[1], 0), EPOLLIN, "the outer set tells of the inner");
    check_equal(told(set[0], 0), EPOLLIN, "the inner of the pipe");
    drain(p[0]);
    check_equal(told(set[1], 0), 0, "and both fall silent");
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(30);
        write(p[1], "x", 1);
        _exit(0);
    }
    check_equal(told(set[1], -1), EPOLLIN, "who waits for the outer set is woken by the pipe");
    waitpid(child, NULL, 0);
    for (n = 2; n < 8 && control(set[n], EPOLL_CTL_ADD, set[n - 1], EPOLLIN) == 0; n++) {
    }
    check(n == 5 && errno == ELOOP, "five sets lie in each other, not six: ELOOP");
    for (int i = 0; i < 8; i++) {
        close(set[i]);
    }
    close(p[0]);
    close(p[1]);
}

static volatile int handled;

static void handler(int sig)
{
    handled++;
}

static void test_mask(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct epoll_event event;
    sigset_t one, none;
    int ep = epoll_create1(0);

    sigemptyset(&none);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR1);
    sigaction(SIGUSR1, &action, NULL);
    sigprocmask(SIG_BLOCK, &one, NULL);
    raise(SIGUSR1);
    check_equal(epoll_wait(ep, &event, 1, 10), 0, "a blocked signal does not end epoll_wait");
    check_errno(epoll_pwait(ep, &event, 1, -1, &none), EINTR, "but epoll_pwait: EINTR");
    check_equal(handled, 1, "once");
    sigprocmask(SIG_BLOCK, NULL, &none);
    check(sigismember(&none, SIGUSR1), "after which the mask is as it was");
    sigprocmask(SIG_UNBLOCK, &one, NULL);
    close(ep);
}

/* --- eventfd ------------------------------------------------------------------------------- */

static int bits(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLIN | POLLOUT};

    return poll(&one, 1, 0) < 0 ? -1 : one.revents;
}

static void test_eventfd(void)
{
    uint64_t value = 0;
    int fd = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC);

    check_works(fd, "eventfd makes a counter");
    check_equal(fcntl(fd, F_GETFD), FD_CLOEXEC, "EFD_CLOEXEC");
    check_equal(bits(fd), POLLIN | POLLOUT, "a count is POLLIN");
    check_errno(read(fd, &value, 4), EINVAL, "a read of less than 8 bytes: EINVAL");
    check_equal(read(fd, &value, sizeof(value)), 8, "a read of 8");
    check_equal(value, 5, "takes the count");
    check_equal(bits(fd), POLLOUT, "nothing: no POLLIN");
    check_errno(read(fd, &value, 8), EAGAIN, "nothing to read: EAGAIN");
    check_errno(write(fd, &value, 7), EINVAL, "a write of less than 8 bytes: EINVAL");
    check_errno(write(fd, nowhere, 8), EFAULT, "a write from nowhere: EFAULT");
    value = 3;
    write(fd, &value, 8);
    write(fd, &value, 8);
    read(fd, &value, 8);
    check_equal(value, 6, "writes add up");
    value = ~0ull;
    check_errno(write(fd, &value, 8), EINVAL, "the largest number: EINVAL");
    value = ~0ull - 1;
    check_equal(write(fd, &value, 8), 8, "the second largest fits");
    check_equal(bits(fd), POLLIN, "a full counter is not POLLOUT");
    value = 1;
    check_errno(write(fd, &value, 8), EAGAIN, "and takes no more: EAGAIN");
    value = 0;
    check_equal(write(fd, &value, 8), 8, "but nothing");
    close(fd);

    fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);
    read(fd, &value, 8);
    check_equal(value, 1, "a semaphore gives one at a time");
    check_equal(read(fd, &value, 8), 8, "two times");
    check_errno(read(fd, &value, 8), EAGAIN, "then none: EAGAIN");
    close(fd);
    check_errno(eventfd(0, 0x10), EINVAL, "flags that it does not know: EINVAL");

    int ep = epoll_create1(0), status;
    fd = eventfd(0, 0);
    control(ep, EPOLL_CTL_ADD, fd, EPOLLIN | EPOLLET);
    pid_t child = fork();
    if (child == 0) {
        _exit(read(fd, &value, 8) == 8 && value == 9 ? 7 : 8);
    }
    sleep_ms(20);
    value = 9;
    write(fd, &value, 8);
    check_equal(told(ep, 1000) & ~EPOLLIN, 0, "a reader and a set wait for the same counter");
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 7, "the reader has got it");
    close(fd);
    close(ep);
}

/* --- timerfd ------------------------------------------------------------------------------- */

static struct itimerspec every(long ms, long interval_ms)
{
    return (struct itimerspec){{interval_ms / 1000, interval_ms % 1000 * 1000000},
                               {ms / 1000, ms % 1000 * 1000000}};
}

static void test_timerfd(void)
{
    struct itimerspec set, got, bad = every(0, 0);
    struct timespec now, later;
    uint64_t times = 0;
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC), ep = epoll_create1(0);

    check_works(fd, "timerfd_create makes a timer");
    check_errno(timerfd_create(77, 0), EINVAL, "of a clock that there is: EINVAL");
    check_errno(timerfd_create(CLOCK_MONOTONIC, 1), EINVAL, "with flags it knows: EINVAL");
    check_equal(timerfd_gettime(fd, &got), 0, "timerfd_gettime");
    check(got.it_value.tv_sec == 0 && got.it_value.tv_nsec == 0, "says that it is not armed");
    check_errno(read(fd, &times, 8), EAGAIN, "and has not expired: EAGAIN");
    check_errno(read(fd, &times, 7), EINVAL, "a read of less than 8 bytes: EINVAL");
    check_errno(write(fd, &times, 8), EINVAL, "nobody writes it: EINVAL");
    bad.it_value.tv_nsec = 1000000000;
    check_errno(timerfd_settime(fd, 0, &bad, NULL), EINVAL, "a second of nanoseconds: EINVAL");
    bad = every(0, 0);
    bad.it_interval.tv_sec = -1;
    check_errno(timerfd_settime(fd, 0, &bad, NULL), EINVAL, "a negative interval: EINVAL");
    set = every(20, 0);
    check_errno(timerfd_settime(fd, 0x10, &set, NULL), EINVAL, "flags it does not know: EINVAL");
    check_errno(timerfd_settime(ep, 0, &set, NULL), EINVAL, "a file that is no timer: EINVAL");
    check_errno(timerfd_settime(999, 0, &set, NULL), EBADF, "no file: EBADF");
    check_errno(syscall(SYS_timerfd_settime32, fd, 0, nowhere, NULL), EFAULT,
                "a time that is not there: EFAULT");

    control(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
    timerfd_settime(fd, 0, &set, NULL);
    check_equal(told(ep, 0), 0, "a timer that runs has nothing to say");
    check_equal(told(ep, 10000), EPOLLIN, "until it expires");
    check_equal(read(fd, &times, 8), 8, "a read");
    check_equal(times, 1, "says how often");
    check_equal(told(ep, 0), 0, "once");
    timerfd_gettime(fd, &got);
    check(got.it_value.tv_sec == 0 && got.it_value.tv_nsec == 0, "then it is no longer armed");

    set = every(5, 5);
    timerfd_settime(fd, 0, &set, NULL);
    sleep_ms(100);
    read(fd, &times, 8);
    check_range(times, 15, 1000, "a timer with an interval expires again and again");
    timerfd_gettime(fd, &got);
    check(got.it_interval.tv_nsec == 5000000, "timerfd_gettime tells its interval");
    check_range(got.it_value.tv_nsec, 1, 5000000, "and how much is left of it");
    set = every(60000, 0);
    check_equal(timerfd_settime(fd, 0, &set, &got), 0, "a timer can be set anew");
    check_equal(got.it_interval.tv_nsec, 5000000, "which tells what it was");
    check_errno(read(fd, &times, 8), EAGAIN, "and forgets that it has expired: EAGAIN");
    timerfd_gettime(fd, &got);
    check_range(got.it_value.tv_sec, 50, 60, "a minute is a minute");
    set = every(0, 0);
    timerfd_settime(fd, 0, &set, NULL);
    timerfd_gettime(fd, &got);
    check(got.it_value.tv_sec == 0 && got.it_value.tv_nsec == 0, "a time of 0 disarms it");

    clock_gettime(CLOCK_MONOTONIC, &now);
    set = every(0, 0);
    set.it_value = now;
    set.it_value.tv_sec += now.tv_nsec >= 900000000;
    set.it_value.tv_nsec = (now.tv_nsec + 100000000) % 1000000000;
    fcntl(fd, F_SETFL, 0);
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL);
    check_equal(read(fd, &times, 8), 8, "a read waits for a moment that is given");
    clock_gettime(CLOCK_MONOTONIC, &later);
    check(later.tv_sec > set.it_value.tv_sec ||
              (later.tv_sec == set.it_value.tv_sec && later.tv_nsec >= set.it_value.tv_nsec),
          "and does not come back before it");
    set.it_value = (struct timespec){0, 1};
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL);
    check_equal(read(fd, &times, 8), 8, "a moment that has passed is there at once");
    close(fd);
    fd = timerfd_create(CLOCK_REALTIME, 0);
    clock_gettime(CLOCK_REALTIME, &set.it_value);
    timerfd_settime(fd, TFD_TIMER_ABSTIME, &set, NULL);
    check_equal(read(fd, &times, 8), 8, "by the time of day, too");
    close(fd);
    close(ep);
}

/* --- signalfd ------------------------------------------------------------------------------ */

static void test_signalfd(void)
{
    struct signalfd_siginfo info[3];
    sigset_t set, chld;
    int fd, ep = epoll_create1(0);

    signal(SIGUSR1, SIG_DFL);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    check_errno(signalfd(-1, &set, 0x40), EINVAL, "signalfd with flags it does not know: EINVAL");
    check_errno(syscall(SYS_signalfd4, -1, &set, 4, 0), EINVAL, "a set of another size: EINVAL");
    check_errno(syscall(SYS_signalfd4, -1, nowhere, 8, 0), EFAULT, "that is not there: EFAULT");
    check_errno(signalfd(999, &set, 0), EBADF, "for a closed file: EBADF");
    check_errno(signalfd(ep, &set, 0), EINVAL, "for one that is none: EINVAL");
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    check_works(fd, "signalfd makes a file of a set of signals");
    check_errno(read(fd, info, sizeof(info)), EAGAIN, "no signal: EAGAIN");
    check_errno(read(fd, info, 100), EINVAL, "too little room: EINVAL");
    check_equal(bits(fd), 0, "and nothing to poll");
    raise(SIGUSR1);
    kill(getpid(), SIGUSR2);
    check_equal(bits(fd), POLLIN, "a signal is POLLIN");
    check_equal(read(fd, info, sizeof(info)), 2 * sizeof(info[0]), "two are two records");
    check_equal(info[0].ssi_signo, SIGUSR1, "with the number of the first");
    check_equal(info[1].ssi_signo, SIGUSR2, "and of the second");
    check_equal(info[1].ssi_pid, getpid(), "and who sent it");
    check_equal(bits(fd), 0, "read: nothing again");
    sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 4711});
    read(fd, info, sizeof(info));
    check_equal(info[0].ssi_int, 4711, "a value that was sent along arrives");

    control(ep, EPOLL_CTL_ADD, fd, EPOLLIN);
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    check_equal(signalfd(fd, &chld, 0), fd, "the set can be changed");
    pid_t child = fork();
    if (child == 0) {
        sleep_ms(30);
        _exit(5);
    }
    check_equal(told(ep, 10000), EPOLLIN, "epoll_wait is woken by SIGCHLD");
    read(fd, info, sizeof(info));
    check(info[0].ssi_signo == SIGCHLD && info[0].ssi_pid == (unsigned)child &&
              info[0].ssi_status == 5,
          "which says which child ended, and how");
    waitpid(child, NULL, 0);

    /* A file belongs to nobody: who reads it, reads his own signals. */
    signalfd(fd, &set, 0);
    raise(SIGUSR1);
    child = fork();
    if (child == 0) {
        _exit(read(fd, info, sizeof(info)) == -1 && errno == EAGAIN ? 7 : 8);
    }
    int status;
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 7, "a child does not read its parent's signals");
    check_equal(read(fd, info, sizeof(info)), sizeof(info[0]), "which are still there");
    sigaddset(&set, SIGCHLD);
    fcntl(fd, F_SETFL, 0);
    child = fork();
    if (child == 0) {
        sleep_ms(30);
        kill(getppid(), SIGUSR2);
        _exit(0);
    }
    check_equal(read(fd, info, sizeof(info)), sizeof(info[0]), "a read waits for a signal");
    check_equal(info[0].ssi_signo, SIGUSR2, "and gets it");
    waitpid(child, NULL, 0);
    close(fd);
    fd = signalfd(-1, &set, SFD_NONBLOCK);
    read(fd, info, sizeof(info));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    close(fd);
    close(ep);
}

int main(void)
{
    test_epoll_arguments();
    test_levels_and_edges();
    test_descriptors();
    test_many();
    test_nesting();
    test_mask();
    test_eventfd();
    test_timerfd();
    test_signalfd();
    return check_done();
}
