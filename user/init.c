/*
 * init - the first process: runs what the machine was booted for, and collects the dead.
 *
 * The kernel's command line says what that is:
 *     ferry.run=/PATH,ARG,ARG   runs this program, prints "exit status N", powers off
 *     ferry.once                runs copypath and powers off; QEMU's exit status tells if it failed
 *     (neither)                 runs copypath, starts the web server, and asks for commands
 *     ferry.port=N              the port of the host that leads to the web server, for the greeting
 */
#define _GNU_SOURCE
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORDS 32

static char *environment[] = {"PATH=/bin:/sbin", "HOME=/", "TERM=linux", NULL, NULL};

/* Nobody looks on: what programs print goes to a file or a test, so no colours (no-color.org). */
static void no_colours(void)
{
    environment[3] = "NO_COLOR=1";
}

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

static void power_off(void)
{
    fflush(NULL);
    sync();
    reboot(RB_POWER_OFF);
    perror("init: power off");
    for (;;) {
        sleep_ms(1000 * 1000);
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

static pid_t spawn(char *const *words)
{
    char path[256];
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        snprintf(path, sizeof(path), "%s%s", strchr(words[0], '/') ? "" : "/bin/", words[0]);
        execve(path, words, environment);
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        _exit(errno == ENOENT ? 127 : 126);
    }
    return child;
}

/* Waits for this child, and for orphans on the way. Its exit status, or 128 + its signal. */
static int wait_for(pid_t child)
{
    int status;
    pid_t dead;

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

static int run(char *const *words)
{
    return wait_for(spawn(words));
}

/* Standard input, output and error are the console, whatever the kernel gave us. */
static void open_console(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) < 0) {
            int console = open("/dev/console", O_RDWR);

            if (console >= 0 && console != fd) {
                dup2(console, fd);
                close(console);
            }
        }
    }
}

static void greet(void)
{
    const char *port = boot_option("ferry.port");

    printf(
        "\nThe web server runs: http://localhost:%s/ - each file, along each path.\n"
        "Commands of /bin can be run here: copypath, offload eth0 sg off, ledger, pages, sh ...\n"
        "To leave: q and Enter, or Ctrl-A X (which ends QEMU).\n",
        port ? port : "8080");
}

/* Reads commands, one a line, until the console ends. Runs as a process of its own. */
static void ask_for_commands(void)
{
    char line[512], *words[MAX_WORDS];

    for (;;) {
        printf("ferry> ");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin)) {
            _exit(0);
        }
        if (split(line, " \t\r\n", words) == 0) {
            continue;
        }
        if (strcmp(words[0], "q") == 0 || strcmp(words[0], "quit") == 0) {
            power_off();
        } else if (strcmp(words[0], "help") == 0 || strcmp(words[0], "?") == 0) {
            greet();
        } else {
            int status = run(words);

            if (status != 0) {
                printf("exit status %d\n", status);
            }
        }
    }
}

/* Keeps the web server running, and collects every process whose parent is gone. Never returns. */
static void watch(char *const *server, pid_t pid)
{
    time_t started = time(NULL);

    for (;;) {
        pid_t dead = wait(NULL);

        if (dead < 0 && errno != EINTR) {
            sleep_ms(1000);
        }
        if (dead == pid && dead > 0) {
            if (time(NULL) - started < 2) {
                printf("init: %s does not stay up; it is left alone\n", server[0]);
                pid = -1;
                continue;
            }
            printf("init: %s ended; it is started again\n", server[0]);
            started = time(NULL);
            pid = spawn(server);
        }
    }
}

int main(void)
{
    static char *copypath[] = {"/bin/copypath", NULL};
    static char *server[] = {"/bin/serve", NULL};
    char *words[MAX_WORDS], command[512];
    const char *program;
    int status;

    if (getpid() != 1) {
        fprintf(stderr, "init: only the kernel starts it, as process 1\n");
        return 2;
    }
    open_console();

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

    pid_t pid = spawn(server);

    greet();
    if (fork() == 0) {
        ask_for_commands();
    }
    watch(server, pid);
}
