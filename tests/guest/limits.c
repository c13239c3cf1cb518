/*
 * limits - resource limits, and the timers that send signals.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t count;
static volatile siginfo_t info;

static void note_signal(int sig)
{
    count++;
}

static void note_info(int sig, siginfo_t *si, void *context)
{
    count++;
    *(siginfo_t *)&info = *si;
}

static void wait_count(int wanted)
{
    for (int i = 0; i < 400 && count < wanted; i++) {
        sleep_ms(5);
    }
}

static void test_calls(void)
{
    struct rlimit limit, other;

    check_equal(getrlimit(RLIMIT_STACK, &limit), 0, "getrlimit");
    check_equal(limit.rlim_cur, 8 << 20, "a stack may have 8 MiB");
    check_errno(getrlimit(77, &limit), EINVAL, "an unknown limit: EINVAL");
    getrlimit(RLIMIT_NOFILE, &limit);
    other = limit;
    other.rlim_cur = 50;
    check_equal(setrlimit(RLIMIT_NOFILE, &other), 0, "setrlimit");
    getrlimit(RLIMIT_NOFILE, &other);
    check(other.rlim_cur == 50 && other.rlim_max == limit.rlim_max, "it is as set");
    check_errno(fcntl(1, F_DUPFD, 50), EINVAL, "RLIMIT_NOFILE: no descriptor 50: EINVAL");
    check_errno(dup2(1, 50), EBADF, "dup2 says EBADF");
    int last = fcntl(1, F_DUPFD, 49);

    check_equal(last, 49, "descriptor 49 is the last");
    check_errno(fcntl(1, F_DUPFD, 49), EMFILE, "when it is taken: EMFILE");
    close(last);
    setrlimit(RLIMIT_NOFILE, &limit);
    other.rlim_cur = 60;
    other.rlim_max = 50;
    check_errno(setrlimit(RLIMIT_NOFILE, &other), EINVAL, "soft above hard: EINVAL");
    check_errno(prlimit(30000, RLIMIT_CPU, NULL, &other), ESRCH, "prlimit of nobody: ESRCH");
    pid_t child = fork();

    if (child == 0) {
        pause();
    }
    other.rlim_cur = 11;
    other.rlim_max = 12;
    check_equal(prlimit(child, RLIMIT_CORE, &other, &limit), 0, "prlimit of a child");
    prlimit(child, RLIMIT_CORE, NULL, &limit);
    check(limit.rlim_cur == 11 && limit.rlim_max == 12, "sets its limit");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static int drop_root(void)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setgid(65534) == 0 && setuid(65534) == 0)
               ? 0
               : -1;
}

static int fork_beyond(void *unused)
{
    struct rlimit one = {1, 1};

    if (drop_root() < 0 || setrlimit(RLIMIT_NPROC, &one) < 0) {
        return 1;
    }
    return fork() == -1 && errno == EAGAIN ? 0 : 2;
}

static int raise_hard(void *unused)
{
    struct rlimit limit = {1000, 2000};

    if (drop_root() < 0 || setrlimit(RLIMIT_CPU, &limit) < 0) {
        return 1;
    }
    limit.rlim_max = 3000;
    return setrlimit(RLIMIT_CPU, &limit) == -1 && errno == EPERM ? 0 : 2;
}

static int kill_root(void *unused)
{
    if (drop_root() < 0) {
        return 1;
    }
    return kill(1, SIGTERM) == -1 && errno == EPERM && kill(getpid(), 0) == 0 ? 0 : 2;
}

static int map_beyond(void *unused)
{
    struct rlimit limit = {64 << 20, 64 << 20};

    setrlimit(RLIMIT_AS, &limit);
    return mmap(NULL, 128 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
                   errno == ENOMEM
               ? 0
               : 1;
}

static int queue_beyond(void *unused)
{
    struct rlimit two = {2, 2};
    sigset_t set;
    int sent = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    setrlimit(RLIMIT_SIGPENDING, &two);
    while (sent < 10 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0) {
        sent++;
    }
    return sent <= 2 && errno == EAGAIN ? 0 : 1;
}

static int burn(void *unused)
{
    struct rlimit limit = {1, 2};

    setrlimit(RLIMIT_CPU, &limit);
    signal(SIGXCPU, note_signal);
    for (volatile unsigned i = 0; !count; i++) {
    }
    return 3;
}

static void test_force(void)
{
    check_exit(fork_beyond, NULL, 0, "RLIMIT_NPROC: fork says EAGAIN to others than root");
    check_exit(raise_hard, NULL, 0, "who is not root cannot raise a hard limit: EPERM");
    check_exit(kill_root, NULL, 0, "nor kill root's processes: EPERM");
    check_exit(map_beyond, NULL, 0, "RLIMIT_AS: mmap says ENOMEM");
    check_exit(queue_beyond, NULL, 0, "RLIMIT_SIGPENDING: sigqueue says EAGAIN");
    check_exit(burn, NULL, 3, "RLIMIT_CPU: SIGXCPU after a second of work");
}

static int die_of_alarm(void *unused)
{
    struct itimerval soon = {{0, 0}, {0, 20000}};

    signal(SIGALRM, SIG_DFL);
    setitimer(ITIMER_REAL, &soon, NULL);
    return pause();
}

static void test_itimers(void)
{
    struct itimerval value = {{0, 0}, {100, 0}}, old;

    signal(SIGALRM, note_signal);
    check_equal(alarm(100), 0, "alarm: none was set");
    check_range(alarm(50), 99, 100, "alarm tells what was left");
    getitimer(ITIMER_REAL, &old);
    check_range(old.it_value.tv_sec, 49, 50, "it is the real-time interval timer");
    alarm(0);
    getitimer(ITIMER_REAL, &old);
    check(old.it_value.tv_sec == 0 && old.it_value.tv_usec == 0, "alarm(0) takes it back");

    value = (struct itimerval){{0, 20000}, {0, 20000}};
    check_equal(setitimer(ITIMER_REAL, &value, NULL), 0, "setitimer");
    wait_count(3);
    check(count >= 3, "an interval timer comes again and again");
    value = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &value, &old);
    check_equal(old.it_interval.tv_usec, 20000, "the old value tells the interval");
    check_killed(die_of_alarm, NULL, SIGALRM, "SIGALRM kills by default");
    value.it_value.tv_usec = 1000000;
    check_errno(setitimer(ITIMER_REAL, &value, NULL), EINVAL, "a million microseconds: EINVAL");
    check_errno(setitimer(3, &old, NULL), EINVAL, "there are three timers: EINVAL");
    check_errno(syscall(SYS_setitimer, ITIMER_REAL, (void *)8, NULL), EFAULT,
                "no value to read: EFAULT");

    count = 0;
    signal(SIGVTALRM, note_signal);
    signal(SIGPROF, note_signal);
    value = (struct itimerval){{0, 0}, {0, 30000}};
    setitimer(ITIMER_VIRTUAL, &value, NULL);
    sleep_ms(60);
    check_equal(count, 0, "ITIMER_VIRTUAL does not run while we sleep");
    while (!count) {
    }
    check_equal(count, 1, "but while we work");
    setitimer(ITIMER_PROF, &value, NULL);
    while (count < 2) {
        getppid();
    }
    check_equal(count, 2, "ITIMER_PROF runs in system calls, too");
}

static int timers_left(void *unused)
{
    struct itimerval value = {{0, 0}, {100, 0}};
    int status;
    pid_t child;

    setitimer(ITIMER_REAL, &value, NULL);
    child = fork();
    if (child == 0) {
        getitimer(ITIMER_REAL, &value);
        _exit(value.it_value.tv_sec == 0 ? 0 : 1);
    }
    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void test_posix_timers(void)
{
    struct sigaction action = {.sa_sigaction = note_info, .sa_flags = SA_SIGINFO};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec value = {{0, 0}, {0, 20000000}}, old;
    timer_t timer;
    sigset_t set;

    sigaction(SIGUSR1, &action, NULL);
    event.sigev_value.sival_int = 4712;
    check_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0, "timer_create");
    count = 0;
    check_equal(timer_settime(timer, 0, &value, NULL), 0, "timer_settime");
    wait_count(1);
    check(count == 1 && info.si_code == SI_TIMER && info.si_value.sival_int == 4712,
          "its signal: SI_TIMER, and the value");
    timer_gettime(timer, &old);
    check(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0, "then it is not set any more");

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    value.it_interval.tv_nsec = 20000000;
    timer_settime(timer, 0, &value, NULL);
    sleep_ms(150);
    value = (struct itimerspec){{0, 0}, {0, 0}};
    timer_settime(timer, 0, &value, &old);
    check_equal(old.it_interval.tv_nsec, 20000000, "timer_settime tells what was set");
    count = 0;
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    check(count <= 1, "what expires while its signal is blocked comes as one");
    value.it_value.tv_nsec = 1000000000;
    check_errno(timer_settime(timer, 0, &value, NULL), EINVAL, "too many nanoseconds: EINVAL");
    check_equal(timer_delete(timer), 0, "timer_delete");
    check_errno(syscall(SYS_timer_delete, timer), EINVAL, "once: EINVAL");
    check_errno(syscall(SYS_timer_getoverrun, 777), EINVAL, "a timer that is none: EINVAL");
    check_errno(timer_create(12345, &event, &timer), EINVAL, "a clock that is none: EINVAL");
    event.sigev_signo = 99;
    check_errno(timer_create(CLOCK_MONOTONIC, &event, &timer), EINVAL, "a signal that is none");
    check_exit(timers_left, NULL, 0, "fork: the child has no timers");
}

int main(void)
{
    test_calls();
    test_force();
    test_itimers();
    test_posix_timers();
    return check_done();
}
