/*
 * sessions - terminals and the processes behind them: the controlling terminal, ^C and its like,
 * job control, hang-up. credentials(7), tcsetpgrp(3), POSIX 11.1. Editing is in terminals.c.
 */
#define _GNU_SOURCE
#include "check.h"
#include "pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* What children tell the test. */
static volatile struct {
    int step;
    int result[8];
    int error[8];
    int signals[65]; /* how many of each came */
} * shared;

static void on_signal(int sig)
{
    shared->signals[sig]++;
}

static void handle(int sig, int flags)
{
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = flags};

    sigaction(sig, &a, NULL);
}

static void tell(int n, int result)
{
    shared->error[n] = result < 0 ? errno : 0;
    shared->result[n] = result;
}

/* Waits until the others have come so far. */
static void await(int step)
{
    for (int waited = 0; shared->step < step && waited < 3000; waited += 2) {
        usleep(2000);
    }
}

static void reach(int step)
{
    shared->step = step;
}

static void await_signal(int sig)
{
    for (int waited = 0; !shared->signals[sig] && waited < 3000; waited += 2) {
        usleep(2000);
    }
}

static void sleep_until_killed(void)
{
    alarm(10); /* should the test be gone */
    for (;;) {
        pause();
    }
}

/* A child that leads a session on the slave (and, with a group, is in the foreground); the parent
 * goes on when it has. */
static pid_t session(struct pty *p, void (*body)(struct pty *p))
{
    memset((void *)shared, 0, sizeof(*shared));
    pid_t pid = fork();

    if (pid == 0) {
        alarm(10);
        setsid();
        close(p->slave);
        p->slave = open(p->name, O_RDWR);
        body(p);
        _exit(0);
    }
    return pid;
}

static int ended(pid_t pid)
{
    int status = -1;

    waitpid(pid, &status, 0);
    return status;
}

static int child_status(pid_t pid, int options)
{
    int status = -1;
    pid_t got = 0;

    for (int waited = 0; waited < 3000 && got == 0; waited += 2) {
        got = waitpid(pid, &status, options | WNOHANG);
        if (got == 0) {
            usleep(2000);
        }
    }
    return got == pid ? status : -1;
}

/* ---- who has which terminal ---- */

static void body_controlling(struct pty *p)
{
    int fd;

    tell(0, fd = open("/dev/tty", O_RDWR));
    tell(1, tcgetpgrp(p->slave) == getpid() ? 0 : -1);
    tell(2, tcgetsid(p->slave) == getpid() ? 0 : -1);
    close(fd);
    pid_t child = fork();
    if (child == 0) {
        tell(3, open("/dev/tty", O_RDWR) >= 0 ? 0 : -1);
        tell(4, ioctl(p->slave, TIOCSCTTY, 0)); /* no session leader */
        setsid();
        tell(5, open("/dev/tty", O_RDWR));
        tell(6, ioctl(p->slave, TIOCSCTTY, 0)); /* another's */
        tell(7, tcgetpgrp(p->slave));
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static void body_no_controlling(struct pty *p)
{
    /* The open in session() has made it ours: give it up. */
    handle(SIGHUP, 0);
    tell(0, ioctl(p->slave, TIOCNOTTY, 0));
    tell(1, open("/dev/tty", O_RDWR));
    tell(2, ioctl(p->slave, TIOCNOTTY, 0));
    close(p->slave);
    p->slave = open(p->name, O_RDWR | O_NOCTTY);
    tell(3, open("/dev/tty", O_RDWR));
    tell(4, ioctl(p->slave, TIOCSCTTY, 0));
    tell(5, open("/dev/tty", O_RDWR));
    tell(6, ioctl(p->slave, TIOCSCTTY, 0));
}

static void test_controlling(void)
{
    struct pty p = pty_open();

    check_errno(tcgetpgrp(p.slave), ENOTTY, "who has another terminal asks in vain: ENOTTY");
    ended(session(&p, body_controlling));
    check(shared->result[0] >= 0, "a session leader's first terminal is /dev/tty");
    check_equal(shared->result[1], 0, "its group is in the foreground");
    check_equal(shared->result[2], 0, "its session is the terminal's");
    check_equal(shared->result[3], 0, "a child has the terminal, too");
    check_equal(shared->error[4], EPERM, "but cannot choose one: EPERM");
    check_equal(shared->error[5], ENXIO, "in a session of its own it has none: ENXIO");
    check_equal(shared->error[6], EPERM, "nor can it take that of another session: EPERM");
    check_equal(shared->error[7], ENOTTY, "or ask who is in the foreground there: ENOTTY");
    pty_close(&p);

    p = pty_open();
    ended(session(&p, body_no_controlling));
    check_equal(shared->result[0], 0, "a session leader can give its terminal up");
    check_equal(shared->signals[SIGHUP], 1, "then the foreground gets SIGHUP");
    check_equal(shared->error[1], ENXIO, "and there is no /dev/tty: ENXIO");
    check_equal(shared->error[2], ENOTTY, "nothing more to give up: ENOTTY");
    check_equal(shared->error[3], ENXIO, "O_NOCTTY opens a terminal as any file");
    check_equal(shared->result[4], 0, "TIOCSCTTY makes it the controlling one");
    check(shared->result[5] >= 0, "so /dev/tty is there again");
    check_equal(shared->result[6], 0, "and to ask again does no harm");
    pty_close(&p);
}

/* ---- keys that are signals ---- */

static void body_keys(struct pty *p)
{
    handle(SIGINT, SA_RESTART);
    handle(SIGQUIT, SA_RESTART);
    handle(SIGTSTP, SA_RESTART);
    handle(SIGWINCH, SA_RESTART);
    reach(1);
    sleep_until_killed();
}

static void test_keys(void)
{
    struct pty p = pty_open();
    pid_t pid = session(&p, body_keys);
    struct winsize w = {10, 20, 0, 0};
    int waiting;

    await(1);
    check_echo(&p, "ab", "ab", "a line is begun");
    check_echo(&p, "\003", "^C", "^C is shown");
    await_signal(SIGINT);
    check_equal(shared->signals[SIGINT], 1, "and sends SIGINT to the foreground");
    check_echo(&p, "cd\n", "cd\r\n", "what was typed before it is forgotten");
    check_read(&p, 100, "cd\n", "so only the rest is read");
    check_echo(&p, "\034", "^\\", "^\\ is shown");
    await_signal(SIGQUIT);
    check_equal(shared->signals[SIGQUIT], 1, "and sends SIGQUIT");
    check_echo(&p, "\032", "^Z", "^Z is shown");
    await_signal(SIGTSTP);
    check_equal(shared->signals[SIGTSTP], 1, "and sends SIGTSTP");
    pty_set(&p, .lflag = NOFLSH);
    check_echo(&p, "ab\003cd\n", "ab^Ccd\r\n", "with NOFLSH");
    check_read(&p, 100, "abcd\n", "^C forgets nothing");
    pty_set(&p, .no_lflag = NOFLSH | ISIG);
    shared->signals[SIGINT] = 0;
    check_echo(&p, "a\003\n", "a^C\r\n", "without ISIG");
    check_read(&p, 100, "a\003\n", "^C is a character");
    check_equal(shared->signals[SIGINT], 0, "and no signal");

    ioctl(p.master, TIOCSWINSZ, &w);
    await_signal(SIGWINCH);
    check_equal(shared->signals[SIGWINCH], 1, "a new size sends SIGWINCH to the foreground");
    ioctl(p.master, TIOCSWINSZ, &w);
    settle();
    check_equal(shared->signals[SIGWINCH], 1, "the same size does not");
    check(ioctl(p.master, TIOCGPGRP, &waiting) == 0 && waiting == pid,
          "the master may ask who is in the foreground");
    kill(pid, SIGKILL);
    ended(pid);
    pty_close(&p);
}

static void body_reads(struct pty *p)
{
    char text[10];

    if (shared->step < 1) {
        reach(1);
    }
    while (read(p->slave, text, sizeof(text)) >= 0) {
    }
    _exit(1);
}

static void test_default_actions(void)
{
    struct pty p = pty_open();
    pid_t pid = session(&p, body_reads);

    await(1);
    pty_type(&p, "\003");
    int status = child_status(pid, 0);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT, "^C ends a program that reads");
    pty_close(&p);

    p = pty_open();
    memset((void *)shared, 0, sizeof(*shared));
    pid_t leader = session(&p, body_keys);
    await(1);
    kill(leader, SIGKILL);
    ended(leader);
    pty_close(&p);
}

static void body_interrupted(struct pty *p)
{
    char text[10];

    handle(SIGINT, 0);
    reach(1);
    tell(0, read(p->slave, text, sizeof(text)));
    handle(SIGINT, SA_RESTART);
    reach(2);
    tell(1, read(p->slave, text, sizeof(text)));
    /* Stopped output: the write waits, and a signal ends the wait. */
    handle(SIGUSR1, 0);
    tcflow(p->slave, TCOOFF);
    reach(3);
    tell(2, write(p->slave, "x", 1));
}

static void test_interrupted(void)
{
    struct pty p = pty_open();
    pid_t pid = session(&p, body_interrupted);

    await(1);
    settle();
    pty_type(&p, "\003");
    await(2);
    check_equal(shared->error[0], EINTR, "a signal ends a read that waits: EINTR");
    shared->signals[SIGINT] = 0;
    settle();
    pty_type(&p, "\003");
    await_signal(SIGINT);
    pty_type(&p, "abc\n");
    await(3);
    check_equal(shared->result[1], 4, "with SA_RESTART it goes on");
    settle();
    kill(pid, SIGUSR1);
    ended(pid);
    check_equal(shared->error[2], EINTR, "a signal ends a write that waits: EINTR");
    pty_close(&p);
}

/* ---- the background ---- */

static pid_t background(struct pty *p, void (*body)(struct pty *p))
{
    pid_t pid = fork();

    if (pid == 0) {
        alarm(10);
        setpgid(0, 0);
        signal(SIGTTOU, SIG_DFL);
        body(p);
        _exit(0);
    }
    setpgid(pid, pid);
    return pid;
}

static void job_read(struct pty *p)
{
    char text[10];

    tell(0, read(p->slave, text, sizeof(text)));
}

static void job_read_ignoring(struct pty *p)
{
    char text[10];

    signal(SIGTTIN, SIG_IGN);
    tell(1, read(p->slave, text, sizeof(text)));
}

static void job_write(struct pty *p)
{
    tell(2, write(p->slave, "x", 1));
}

static void job_settings(struct pty *p)
{
    struct termios t;

    tell(3, tcgetattr(p->slave, &t));
    tell(4, tcsetattr(p->slave, TCSANOW, &t));
}

static void job_settings_ignoring(struct pty *p)
{
    struct termios t;

    signal(SIGTTOU, SIG_IGN);
    tcgetattr(p->slave, &t);
    tell(5, tcsetattr(p->slave, TCSANOW, &t));
}

static int stopped_by(int status)
{
    return status != -1 && WIFSTOPPED(status) ? WSTOPSIG(status) : -1;
}

static volatile int *verdicts;

static void body_background(struct pty *p)
{
    pid_t job;

    signal(SIGTTOU, SIG_IGN); /* as a shell does */
    job = background(p, job_read);
    verdicts[0] = stopped_by(child_status(job, WUNTRACED));
    verdicts[1] = tcsetpgrp(p->slave, job);
    verdicts[2] = tcgetpgrp(p->slave) == job;
    kill(-job, SIGCONT);
    reach(1); /* the parent types */
    verdicts[3] = child_status(job, 0);
    verdicts[4] = shared->result[0];
    tcsetpgrp(p->slave, getpgrp());

    child_status(background(p, job_read_ignoring), 0);
    verdicts[5] = shared->error[1];
    child_status(background(p, job_write), 0);
    verdicts[6] = shared->result[2];
    pty_set(p, .lflag = TOSTOP);
    shared->result[2] = 0;
    job = background(p, job_write);
    verdicts[7] = stopped_by(child_status(job, WUNTRACED));
    kill(-job, SIGKILL);
    child_status(job, 0);
    pty_set(p, .no_lflag = TOSTOP);
    job = background(p, job_settings);
    verdicts[8] = stopped_by(child_status(job, WUNTRACED));
    verdicts[9] = shared->result[3];
    kill(-job, SIGKILL);
    child_status(job, 0);
    shared->result[5] = -2;
    child_status(background(p, job_settings_ignoring), 0);
    verdicts[10] = shared->result[5];

    errno = 0;
    verdicts[11] = tcsetpgrp(p->slave, getpgid(getppid())) == -1 ? errno : 0;
    errno = 0;
    verdicts[12] = tcsetpgrp(p->slave, 32000) == -1 ? errno : 0;
    errno = 0;
    verdicts[13] = tcsetpgrp(p->slave, -5) == -1 ? errno : 0;
    reach(2);
}

static void test_background(void)
{
    struct pty p = pty_open();
    pid_t pid = session(&p, body_background);

    await(1);
    pty_type(&p, "abc\n");
    await(2);
    ended(pid);
    check_equal(verdicts[0], SIGTTIN, "a read in the background stops its group: SIGTTIN");
    check_equal(verdicts[1], 0, "the shell brings it to the foreground");
    check_equal(verdicts[2], 1, "where it then is");
    check_equal(verdicts[3], 0, "continued, it goes on");
    check_equal(verdicts[4], 4, "and reads");
    check_equal(verdicts[5], EIO, "with SIGTTIN ignored the read fails: EIO");
    check_equal(verdicts[6], 1, "a write in the background is nothing special");
    check_equal(verdicts[7], SIGTTOU, "but with TOSTOP: SIGTTOU");
    check_equal(verdicts[8], SIGTTOU, "settings are not for the background: SIGTTOU");
    check_equal(verdicts[9], 0, "though it may look at them");
    check_equal(verdicts[10], 0, "with SIGTTOU ignored it can change them");
    check_equal(verdicts[11], EPERM,
                "a group of another session cannot be in the foreground: EPERM");
    check_equal(verdicts[12], ESRCH, "nor one that does not exist: ESRCH");
    check_equal(verdicts[13], EINVAL, "nor a negative one: EINVAL");
    pty_close(&p);
}

static void job_in_front(struct pty *p)
{
    await(1);
    reach(2);
    body_reads(p);
}

static void body_stopped_job(struct pty *p)
{
    int status;
    pid_t job = background(p, job_in_front);

    tcsetpgrp(p->slave, job);
    reach(1);
    waitpid(job, &status, WUNTRACED);
    verdicts[0] = stopped_by(status);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(p->slave, getpgrp());
    kill(-job, SIGCONT);
    verdicts[1] = stopped_by(child_status(job, WUNTRACED));
    kill(job, SIGKILL);
    child_status(job, 0);
}

static void test_stopped_job(void)
{
    struct pty p = pty_open();
    pid_t pid = session(&p, body_stopped_job);

    await(2);
    settle();
    pty_type(&p, "\032");
    ended(pid);
    check_equal(verdicts[0], SIGTSTP, "^Z stops the job in the foreground");
    check_equal(verdicts[1], SIGTTIN, "continued in the background it wants to read, and stops");
    pty_close(&p);
}

static void orphan_read(struct pty *p)
{
    char text[10];

    await(1); /* who could continue this group is gone */
    tell(0, read(p->slave, text, sizeof(text)));
    reach(2);
}

/* A job whose parent has ended: its group has nobody left in this session. */
static void body_orphan(struct pty *p)
{
    pid_t parent = fork();

    if (parent == 0) {
        background(p, orphan_read);
        _exit(0);
    }
    waitpid(parent, NULL, 0);
    reach(1);
    await(2);
}

static void test_orphan(void)
{
    struct pty p = pty_open();

    ended(session(&p, body_orphan));
    check_equal(shared->error[0], EIO, "a group that nobody could continue does not stop: EIO");
    pty_close(&p);
}

/* ---- hang-up ---- */

static void job_in_foreground(struct pty *p)
{
    handle(SIGHUP, 0);
    handle(SIGCONT, 0);
    await(1);
    reach(2);
    sleep_until_killed();
}

static void body_leaves(struct pty *p)
{
    signal(SIGTTOU, SIG_IGN);
    pid_t job = background(p, job_in_foreground);

    tcsetpgrp(p->slave, job);
    verdicts[0] = job;
    reach(1);
    await(2);
}

static void body_hung_up(struct pty *p)
{
    char text[10];
    struct termios t;

    handle(SIGHUP, 0);
    handle(SIGCONT, 0);
    fcntl(p->slave, F_SETFL, O_RDWR);
    close(p->master);
    reach(1);
    await_signal(SIGCONT);
    await(2);
    tell(0, read(p->slave, text, sizeof(text)));
    tell(1, write(p->slave, "x", 1));
    tell(2, tcgetattr(p->slave, &t));
    tell(3, open("/dev/tty", O_RDWR));
    struct pollfd one = {.fd = p->slave, .events = POLLIN};
    tell(4, poll(&one, 1, 0) == 1 ? one.revents : -1);
}

static void body_waits(struct pty *p)
{
    char text[10];

    signal(SIGHUP, SIG_IGN);
    close(p->master);
    shared->result[0] = -2;
    reach(1);
    tell(0, read(p->slave, text, sizeof(text)));
}

static void test_hang_up(void)
{
    struct pty p = pty_open();
    pid_t pid = session(&p, body_leaves);

    ended(pid);
    await_signal(SIGHUP);
    check_equal(shared->signals[SIGHUP], 1, "when the leader ends, the foreground gets SIGHUP");
    kill(verdicts[0], SIGKILL);
    int group = -1;
    check(ioctl(p.master, TIOCGPGRP, &group) == 0 && group == 0, "and nobody is there any more");
    pty_close(&p);

    p = pty_open();
    pid = session(&p, body_hung_up);
    await(1);
    close(p.slave);
    close(p.master);
    reach(2);
    ended(pid);
    check_equal(shared->signals[SIGHUP], 1, "when the master closes, the leader gets SIGHUP");
    check_equal(shared->signals[SIGCONT], 1, "and SIGCONT");
    check_equal(shared->result[0], 0, "then a read gives end of file");
    check_equal(shared->error[1], EIO, "a write EIO");
    check_equal(shared->error[2], EIO, "as do the settings");
    check_equal(shared->error[3], ENXIO, "and the session has no terminal: ENXIO");
    check_equal(shared->result[4] & (POLLIN | POLLHUP), POLLIN | POLLHUP, "poll says so, too");

    p = pty_open();
    pid = session(&p, body_waits);
    await(1);
    settle();
    close(p.slave);
    close(p.master);
    ended(pid);
    check_equal(shared->error[0], EIO, "a read that waits ends with EIO");
}

int main(void)
{
    shared = shared_memory(sizeof(*shared));
    verdicts = shared_memory(4096);
    test_controlling();
    test_keys();
    test_default_actions();
    test_interrupted();
    test_background();
    test_stopped_job();
    test_orphan();
    test_hang_up();
    return check_done();
}
