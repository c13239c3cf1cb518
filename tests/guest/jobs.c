/*
 * jobs - wait4 and waitid with all their answers, stopping and continuing, process groups and
 * sessions.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t chld_count, chld_code, chld_status;

static void note_chld(int sig, siginfo_t *si, void *context)
{
    chld_count++;
    chld_code = si->si_code;
    chld_status = si->si_status;
}

static void watch_children(int flags)
{
    struct sigaction action = {.sa_sigaction = note_chld, .sa_flags = SA_SIGINFO | SA_RESTART};

    action.sa_flags |= flags;
    sigaction(SIGCHLD, &action, NULL);
    chld_count = 0;
}

static pid_t sleeper(void)
{
    pid_t child = fork();

    if (child == 0) {
        for (;;) {
            pause();
        }
    }
    return child;
}

static void finish(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static int wait_status(pid_t child, int options)
{
    int status = -1;

    return waitpid(child, &status, options) == child ? status : -1;
}

static void test_stops(void)
{
    pid_t child = sleeper();

    watch_children(0);
    kill(child, SIGSTOP);
    int status = wait_status(child, WUNTRACED);

    check(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP, "WUNTRACED: a stopped child, and why");
    check(chld_count >= 1 && chld_code == CLD_STOPPED && chld_status == SIGSTOP,
          "SIGCHLD says so: CLD_STOPPED");
    check_equal(waitpid(child, &status, WUNTRACED | WNOHANG), 0, "it is told once");
    kill(child, SIGCONT);
    check_equal(wait_status(child, WCONTINUED), 0xFFFF, "WCONTINUED: it goes on");
    for (int i = 0; i < 200 && chld_code != CLD_CONTINUED; i++) {
        sleep_ms(5); /* the child itself says so, when it runs */
    }
    check_equal(chld_code, CLD_CONTINUED, "SIGCHLD says so: CLD_CONTINUED");
    kill(child, SIGTSTP);
    check_equal(wait_status(child, WUNTRACED), SIGTSTP << 8 | 0x7F, "SIGTSTP stops as well");
    kill(child, SIGTERM);
    sleep_ms(30);
    check_equal(waitpid(child, &status, WNOHANG), 0, "what is stopped does not take SIGTERM");
    kill(child, SIGCONT);
    check_equal(wait_status(child, 0), SIGTERM, "until it is continued");
    child = sleeper();
    kill(child, SIGTERM);
    wait_status(child, 0);
    check(chld_code == CLD_KILLED && chld_status == SIGTERM, "CLD_KILLED, and by what");

    child = sleeper();
    watch_children(SA_NOCLDSTOP);
    kill(child, SIGSTOP);
    wait_status(child, WUNTRACED);
    check_equal(chld_count, 0, "SA_NOCLDSTOP: no SIGCHLD for stops");
    finish(child);
    check_equal(chld_count, 1, "but for the end");
    signal(SIGCHLD, SIG_DFL);

    child = fork();
    if (child == 0) {
        signal(SIGTSTP, SIG_IGN);
        kill(getpid(), SIGTSTP);
        _exit(3);
    }
    check_equal(wait_status(child, WUNTRACED), 3 << 8, "an ignored SIGTSTP stops nobody");
}

static void test_waitid(void)
{
    siginfo_t si;
    pid_t child = fork();

    if (child == 0) {
        _exit(42);
    }
    memset(&si, 0x55, sizeof(si));
    check_equal(waitid(P_PID, child, &si, WEXITED | WNOWAIT), 0, "waitid waits");
    check(si.si_signo == SIGCHLD && si.si_pid == child && si.si_code == CLD_EXITED &&
              si.si_status == 42,
          "and says all in siginfo");
    check_equal(waitid(P_PID, child, &si, WEXITED), 0, "WNOWAIT leaves the child to be waited for");
    check_errno(waitid(P_PID, child, &si, WEXITED), ECHILD, "after that there is none: ECHILD");
    check_errno(waitid(P_ALL, 0, &si, WNOHANG), EINVAL, "waitid for nothing: EINVAL");
    check_errno(waitid(99, 0, &si, WEXITED), EINVAL, "for nobody known: EINVAL");
    check_errno(waitid(P_PID, 0, &si, WEXITED), EINVAL, "for process 0: EINVAL");

    child = sleeper();
    si.si_pid = 77;
    check(waitid(P_ALL, 0, &si, WEXITED | WNOHANG) == 0 && si.si_pid == 0,
          "WNOHANG without news: si_pid is 0");
    kill(child, SIGSTOP);
    waitid(P_PID, child, &si, WSTOPPED);
    check(si.si_code == CLD_STOPPED && si.si_status == SIGSTOP, "WSTOPPED");
    kill(child, SIGCONT);
    waitid(P_PID, child, &si, WCONTINUED);
    check(si.si_code == CLD_CONTINUED && si.si_status == SIGCONT, "WCONTINUED");
    kill(child, SIGKILL);
    waitid(P_PGID, getpgrp(), &si, WEXITED);
    check(si.si_code == CLD_KILLED && si.si_status == SIGKILL && si.si_pid == child,
          "P_PGID: a child of a process group");
}

static int nobody_waits(void *how)
{
    struct sigaction action = {.sa_handler = how ? SIG_IGN : SIG_DFL,
                               .sa_flags = how ? 0 : SA_NOCLDWAIT};
    pid_t child;

    sigaction(SIGCHLD, &action, NULL);
    child = fork();
    if (child == 0) {
        _exit(5);
    }
    /* wait comes back when there is no child any more. */
    return waitpid(child, NULL, 0) == -1 && errno == ECHILD ? 0 : 1;
}

static void test_wait(void)
{
    struct rusage usage;
    int status;
    pid_t first = fork();

    if (first == 0) {
        volatile char *memory = malloc(1 << 20);

        for (int i = 0; i < 1 << 20; i += 4096) {
            memory[i] = 1;
        }
        _exit(0);
    }
    check_equal(wait4(first, &status, 0, &usage), first, "wait4 with resource usage");
    check(usage.ru_minflt >= 256, "which counts page faults");
    check_errno(waitpid(-1, &status, 0), ECHILD, "no child is left: ECHILD");
    first = sleeper();
    check_errno(waitpid(-(first + 1), &status, 0), ECHILD, "none in such a group: ECHILD");
    check_errno(waitpid(INT32_MIN, &status, 0), ESRCH, "the group of the least number: ESRCH");
    finish(first);
    check_exit(nobody_waits, (void *)1, 0, "SIGCHLD ignored: children leave no zombie");
    check_exit(nobody_waits, NULL, 0, "SA_NOCLDWAIT: neither");
    first = fork();
    if (first == 0) {
        _exit(0);
    }
    check_errno(wait4(first, (int *)8, 0, NULL), EFAULT, "a status that cannot be stored: EFAULT");
}

static int new_group(void *unused)
{
    return setpgid(0, 0) == 0 && getpgrp() == getpid() && getpgid(0) == getpid() ? 0 : 1;
}

static int new_session(void *unused)
{
    pid_t sid = setsid();

    if (sid != getpid() || getsid(0) != sid || getpgrp() != sid) {
        return 1;
    }
    if (setsid() != -1 || errno != EPERM) {
        return 2; /* who leads a group cannot */
    }
    return setpgid(0, 0) == -1 && errno == EPERM ? 0 : 3; /* nor may a session leader move */
}

static void test_groups(char *self)
{
    check_exit(new_group, NULL, 0, "setpgid: a group of one's own");
    check_exit(new_session, NULL, 0, "setsid: a session of one's own, once");
    check_errno(setpgid(0, -1), EINVAL, "a negative group: EINVAL");
    check_errno(setpgid(getppid(), 0), ESRCH, "the parent's group is not ours to set: ESRCH");
    check_errno(getpgid(30000), ESRCH, "getpgid of nobody: ESRCH");
    check_errno(getsid(30000), ESRCH, "getsid of nobody: ESRCH");

    pid_t one = sleeper(), two = sleeper();

    check_equal(setpgid(one, one), 0, "a child can be given a group");
    check_equal(setpgid(two, one), 0, "and another one join it");
    check_equal(getpgid(two), one, "it is there");
    check_errno(setpgid(two, 30000), EPERM, "a group that does not exist: EPERM");
    check_equal(kill(-one, SIGSTOP), 0, "kill reaches the whole group");
    int stopped = 0;

    for (int i = 0, status; i < 2; i++) {
        stopped += waitpid(-one, &status, WUNTRACED) > 0 && WIFSTOPPED(status);
    }
    check_equal(stopped, 2, "and waitpid any of it");
    kill(-one, SIGKILL);
    finish(one);
    finish(two);
    check_errno(kill(-one, 0), ESRCH, "then there is no such group: ESRCH");

    char *argv[] = {self, "--pause", NULL};

    one = vfork();
    if (one == 0) {
        execv(self, argv);
        _exit(1);
    }
    check_errno(setpgid(one, one), EACCES,
                "a child that has called execve keeps its group: EACCES");
    finish(one);

    one = fork();
    if (one == 0) {
        setsid();
        for (;;) {
            pause();
        }
    }
    while (getsid(one) != one) {
        sleep_ms(1);
    }
    check_errno(setpgid(one, getpgrp()), EPERM, "a child in another session: EPERM");
    finish(one);
}

static volatile int *state;

static void note_hup(int sig)
{
    state[1] = sig;
}

/* A job stops, then its parent, the only one that could continue it, ends. */
static int orphan_group(void *unused)
{
    pid_t job;

    setsid();
    job = fork();
    if (job == 0) {
        setpgid(0, 0);
        signal(SIGHUP, note_hup);
        state[2] = getpid();
        raise(SIGSTOP);
        state[0] = 1; /* continued */
        _exit(0);
    }
    waitpid(job, NULL, WUNTRACED);
    return 0;
}

/* In an orphaned group nobody could continue it: SIGTSTP does nothing there. */
static int stop_orphan(void *unused)
{
    setsid();
    raise(SIGTSTP);
    return 6;
}

static void test_orphans(void)
{
    state = shared_memory(4096);
    check_exit(orphan_group, NULL, 0, "a parent ends while its job is stopped");
    check(wait_change(&state[0], 0, 3000), "SIGCONT for the orphaned group");
    check_equal(state[1], SIGHUP, "and SIGHUP before");
    check_exit(stop_orphan, NULL, 6, "SIGTSTP does not stop an orphaned process group");
}

static int burn(void *unused)
{
    struct tms start, now;

    times(&start);
    do {
        for (volatile int i = 0; i < 100000; i++) {
        }
        times(&now);
    } while (now.tms_utime + now.tms_stime < start.tms_utime + start.tms_stime + 5);
    return 0;
}

static void test_usage(void)
{
    struct rusage before, after;
    struct tms start, end;

    getrusage(RUSAGE_CHILDREN, &before);
    times(&start);
    check_exit(burn, NULL, 0, "times counts processor time");
    getrusage(RUSAGE_CHILDREN, &after);
    times(&end);
    check(end.tms_cutime + end.tms_cstime >= start.tms_cutime + start.tms_cstime + 4,
          "times has that of the children");
    long us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
              before.ru_utime.tv_usec + (after.ru_stime.tv_sec - before.ru_stime.tv_sec) * 1000000 +
              after.ru_stime.tv_usec - before.ru_stime.tv_usec;

    check(us >= 40000, "getrusage, too");
    getrusage(RUSAGE_SELF, &after);
    check(after.ru_minflt > 0, "page faults of our own");
    check_errno(getrusage(77, &after), EINVAL, "usage of nobody known: EINVAL");
    check_errno(syscall(SYS_getrusage, RUSAGE_SELF, 8), EFAULT, "to nowhere: EFAULT");
    errno = 0;
    int at_first = getpriority(PRIO_PROCESS, 0); /* 0, unless the tests run at another */
    check_range(at_first, 0, 10, "the nice value is that of whoever started us");
    check_equal(setpriority(PRIO_PROCESS, 0, at_first + 5), 0, "setpriority");
    check_equal(getpriority(PRIO_PROCESS, 0), at_first + 5, "getpriority");
    errno = 0;
    check_equal(nice(3), at_first + 8, "nice adds");
    check_equal(nice(100), 19, "up to 19");
    check_errno(getpriority(9, 0), EINVAL, "of no kind: EINVAL");
    check_errno(getpriority(PRIO_PROCESS, 30000), ESRCH, "of nobody: ESRCH");
}

/* Whoever starts this program: we run in a process group whose parent is in the same session, as a
 * shell's job does, so that stops by SIGTSTP are possible. */
static void enter_job(void)
{
    for (int i = 0; i < 2; i++) {
        int status = -1;
        pid_t child = fork();

        if (child != 0) {
            waitpid(child, &status, 0);
            exit(status == 0 ? 0 : 1);
        }
        if (i == 0) {
            setsid();
        }
    }
    setpgid(0, 0);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--pause") == 0) {
        for (;;) {
            pause();
        }
    }
    enter_job();
    test_stops();
    test_waitid();
    test_wait();
    test_groups(argv[0]);
    test_orphans();
    test_usage();
    return check_done();
}
