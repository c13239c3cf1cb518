/*
 * init - the first process: runs what the machine was booted for, keeps shells on the terminals,
 * and collects the dead.
 *
 * The kernel's command line says what that is:
 *     ferry.run=/PATH,ARG,ARG   runs this program, prints "exit status N", powers off
 *     ferry.once                runs copypath and powers off; QEMU's exit status tells if it failed
 *     (neither)                 runs copypath, starts the web server, and a shell on every terminal
 *     ferry.port=N              the port of the host that leads to the web server, for the greeting
 *     ferry.window=ROWSxCOLUMNS the size of the terminal at the serial line
 *     TERM=NAME                 and its type
 *
 * As of other inits, a signal asks for the end: SIGUSR1 halts, SIGUSR2 powers off, SIGTERM and
 * SIGINT restart the machine. halt(8), poweroff(8) and reboot(8) of BusyBox send them.
 */
#define _GNU_SOURCE
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS   32
#define TOO_SHORT_S 2  /* a service that ends sooner than that */
#define TOO_OFTEN   5  /* so many times in a row is not started again */
#define LAST_WORDS  20 /* tenths of a second that programs have to end before they are killed */

/* Of every program that init starts. */
static char *environment[8] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/root", "USER=root",
                               "LOGNAME=root", "SHELL=/bin/sh"};
#define ENVIRONMENT_TERM 5 /* TERM=, and behind it NO_COLOR= */

/* What is kept running. With a terminal it leads a session of its own there. */
static struct service {
    char *words[4];
    const char *terminal;
    const char *term; /* TERM= there */
    pid_t pid;        /* 0: does not run */
    time_t started;
    int short_lives; /* in a row */
} services[] = {
    {.words = {"/bin/serve"}},
    {.words = {"/bin/sh", "-l"}, .terminal = "/dev/ttyS0", .term = "vt102"},
    {.words = {"/bin/sh", "-l"}, .terminal = "/dev/tty1", .term = "linux"},
};
#define NR_SERVICES (sizeof(services) / sizeof(services[0]))

/* The value of "key=value" on the kernel's command line, "" for "key" alone, NULL if not there. */
static const char *boot_option(const char *key)
{
    static char text[2048], copy[2048];
    size_t len = strlen(key);

    if (text[0] == '\0' && file_read("/proc/cmdline", text, sizeof(text)) <= 0) {
        return NULL;
    }
    strcpy(copy, text);
    for (char *word = strtok(copy, " \n"); word; word = strtok(NULL, " \n")) {
        if (strncmp(word, key, len) == 0 && (word[len] == '=' || word[len] == '\0')) {
            return word[len] == '=' ? word + len + 1 : "";
        }
    }
    return NULL;
}

/* Cuts a text into words at these characters; the list ends with NULL. */
static int split(char *text, const char *at, char *words[MAX_WORDS])
{
    int nr = 0;

    for (char *word = strtok(text, at); word && nr < MAX_WORDS - 1; word = strtok(NULL, at)) {
        words[nr++] = word;
    }
    words[nr] = NULL;
    return nr;
}

/* --- The end ---------------------------------------------------------------------------------- */

/* Every program may end by itself, then it must. What is cached goes to the disk, and the power
 * off. */
static void end(int how)
{
    signal(SIGCHLD, SIG_DFL);
    kill(-1, SIGHUP); /* what an interactive shell ends by */
    kill(-1, SIGTERM);
    kill(-1, SIGCONT); /* a stopped program cannot end by itself */
    for (int i = 0; i < LAST_WORDS; i++) {
        pid_t dead;

        while ((dead = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (dead < 0) {
            break;
        }
        sleep_ms(100);
    }
    kill(-1, SIGKILL);
    sync();
    reboot(how);
    perror("init: the end");
    for (;;) {
        pause();
    }
}

static void power_off(void)
{
    fflush(NULL);
    sync();
    reboot(RB_POWER_OFF);
    perror("init: power off");
    for (;;) {
        pause();
    }
}

/* Ends QEMU with a failing status, for whoever started it. Without that device: powers off. */
static void power_off_failing(void)
{
    fflush(NULL);
    sync();
    file_write("/proc/ferry/exit", "1\n");
    power_off();
}

static void asked_to_end(int signal)
{
    end(signal == SIGUSR1 ? RB_HALT_SYSTEM : signal == SIGUSR2 ? RB_POWER_OFF : RB_AUTOBOOT);
}

/* --- Starting programs -------------------------------------------------------------------------
 */

static void set_term(const char *name)
{
    static char text[64];

    snprintf(text, sizeof(text), "TERM=%s", name);
    environment[ENVIRONMENT_TERM] = text;
}

/* Nobody looks on: what programs print goes to a file or a test, so no colours (no-color.org). */
static void no_colours(void)
{
    environment[ENVIRONMENT_TERM + 1] = "NO_COLOR=1";
}

/* In the child: leads a session on the terminal, in the foreground, with the three standard files.
 */
static bool take_terminal(const char *name)
{
    int fd;

    setsid();
    fd = open(name, O_RDWR);
    if (fd < 0) {
        return false;
    }
    ioctl(fd, TIOCSCTTY, 0);
    for (int to = 0; to <= 2; to++) {
        dup2(fd, to);
    }
    if (fd > 2) {
        close(fd);
    }
    tcsetpgrp(0, getpid());
    return true;
}

/* The program's pid, or -1. `terminal` NULL: on our own standard files, in our session. */
static pid_t spawn(char *const *words, const char *terminal)
{
    char path[256];
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        if (terminal && !take_terminal(terminal)) {
            _exit(errno == ENOENT || errno == ENXIO ? 0 : 126);
        }
        snprintf(path, sizeof(path), "%s%s", strchr(words[0], '/') ? "" : "/bin/", words[0]);
        execve(path, words, environment);
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    return child;
}

/* Runs a program to its end, collecting orphans on the way. Its exit status, or 128 + its signal.
 */
static int run(char *const *words)
{
    pid_t child = spawn(words, "/dev/console"), dead;
    int status;

    if (child < 0) {
        return 126;
    }
    do {
        dead = wait(&status);
    } while (dead != child && (dead > 0 || errno == EINTR));
    if (dead != child) {
        return 126;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Standard input, output and error are the console, whatever the kernel gave us. */
static void open_console(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            int console = open("/dev/console", O_RDWR | O_NOCTTY);

            if (console >= 0 && console != fd) {
                dup2(console, fd);
                close(console);
            }
        }
    }
}

/* --- What is kept running ----------------------------------------------------------------------
 */

static void service_start(struct service *s)
{
    if (s->terminal && access(s->terminal, R_OK | W_OK) < 0) {
        return; /* the machine has no such terminal */
    }
    if (s->term) {
        set_term(s->term);
    }
    s->started = time(NULL);
    s->pid = spawn(s->words, s->terminal);
}

/* It has ended, and is started again, unless it cannot stay up. */
static void service_ended(struct service *s)
{
    s->pid = 0;
    s->short_lives = time(NULL) - s->started < TOO_SHORT_S ? s->short_lives + 1 : 0;
    if (s->short_lives >= TOO_OFTEN) {
        printf("init: %s does not stay up; it is left alone\n", s->words[0]);
        return;
    }
    if (!s->terminal) {
        printf("init: %s has ended; it is started again\n", s->words[0]);
    }
    service_start(s);
}

/* Keeps the services running, and collects every process whose parent is gone. */
static void watch(void)
{
    for (unsigned i = 0; i < NR_SERVICES; i++) {
        service_start(&services[i]);
    }
    for (;;) {
        pid_t dead = wait(NULL);

        if (dead < 0 && errno == ECHILD) {
            pause(); /* nothing runs: a signal may still ask for the end */
        }
        for (unsigned i = 0; i < NR_SERVICES && dead > 0; i++) {
            if (services[i].pid == dead) {
                service_ended(&services[i]);
            }
        }
    }
}

/* --- What the host's terminal is like, as tools/run says ----------------------------------------
 */

static void serial_terminal(void)
{
    static char type[32];
    const char *option = boot_option("TERM");
    struct winsize size = {0};
    int fd;

    if (option && *option) {
        snprintf(type, sizeof(type), "%s", option);
        services[1].term = type;
    }
    option = boot_option("ferry.window");
    if (option && sscanf(option, "%hux%hu", &size.ws_row, &size.ws_col) == 2) {
        fd = open("/dev/ttyS0", O_RDWR | O_NOCTTY | O_NONBLOCK);
        if (fd >= 0) {
            ioctl(fd, TIOCSWINSZ, &size);
            close(fd);
        }
    }
}

static void greet(void)
{
    const char *port = boot_option("ferry.port");

    printf(
        "\nThe files of /data are at http://localhost:%s/ along each path. This is a BusyBox "
        "shell:\n"
        "copypath, ledger, ethtool -K eth0 sg off, hdparm -d /dev/hda, ps, top, vi ... To leave:\n"
        "poweroff (or Ctrl-A X, which ends QEMU).\n\n",
        port ? port : "8080");
}

int main(void)
{
    static char *copypath[] = {"/bin/copypath", NULL};
    char *words[MAX_WORDS], command[512];
    const char *program;
    int status;

    if (getpid() != 1) {
        fprintf(stderr, "init: only the kernel starts it, as process 1\n");
        return 2;
    }
    open_console();
    set_term("linux");

    program = boot_option("ferry.run");
    if (program) {
        snprintf(command, sizeof(command), "%s", program);
        status = split(command, ",", words) > 0 ? run(words) : 127;
        printf("exit status %d\n", status);
        power_off();
    }

    if (boot_option("ferry.once")) {
        no_colours();
    }
    status = run(copypath);
    if (boot_option("ferry.once")) {
        if (status != 0) {
            printf("init: copypath failed with status %d\n", status);
            power_off_failing();
        }
        power_off();
    }

    signal(SIGUSR1, asked_to_end);
    signal(SIGUSR2, asked_to_end);
    signal(SIGTERM, asked_to_end);
    signal(SIGINT, asked_to_end);
    serial_terminal();
    greet();
    fflush(NULL);
    watch();
}
