/* pty.c - a pseudo-terminal for tests of terminals. See pty.h. */
#define _GNU_SOURCE
#include "pty.h"
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct pty pty_open(void)
{
    struct pty p = {.master = posix_openpt(O_RDWR | O_NOCTTY), .slave = -1};

    if (p.master >= 0 && grantpt(p.master) == 0 && unlockpt(p.master) == 0 &&
        ptsname_r(p.master, p.name, sizeof(p.name)) == 0) {
        p.slave = open(p.name, O_RDWR | O_NOCTTY);
    }
    if (p.slave < 0) {
        check(false, "a pseudo-terminal can be opened");
        exit(check_done());
    }
    return p;
}

void pty_close(struct pty *p)
{
    close(p->slave);
    close(p->master);
}

void pty_change(const struct pty *p, const struct change *c)
{
    struct termios t;

    if (tcgetattr(p->slave, &t) == 0) {
        t.c_iflag = (t.c_iflag | c->iflag) & ~c->no_iflag;
        t.c_oflag = (t.c_oflag | c->oflag) & ~c->no_oflag;
        t.c_lflag = (t.c_lflag | c->lflag) & ~c->no_lflag;
        if (tcsetattr(p->slave, TCSANOW, &t) == 0) {
            return;
        }
    }
    check(false, "the settings can be changed");
}

void pty_raw(const struct pty *p, int min, int time)
{
    struct termios t;

    tcgetattr(p->slave, &t);
    cfmakeraw(&t);
    t.c_cc[VMIN] = min;
    t.c_cc[VTIME] = time;
    tcsetattr(p->slave, TCSANOW, &t);
}

void pty_type(const struct pty *p, const char *text)
{
    if (write(p->master, text, strlen(text)) != (ssize_t)strlen(text)) {
        check(false, "the master can be written to");
    }
}

/* A read that waits for a second at most, so that a test that fails does not hang. */
static ssize_t read_soon(int fd, char *text, size_t len)
{
    int flags = fcntl(fd, F_GETFL);
    ssize_t n = -1;

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    for (int waited = 0; waited < 1000; waited += 2) {
        n = read(fd, text, len);
        if (n >= 0 || errno != EAGAIN) {
            break;
        }
        usleep(2000);
    }
    fcntl(fd, F_SETFL, flags);
    return n;
}

const char *pty_seen(int fd, const char *expected)
{
    static char text[8192];
    size_t len = 0, wanted = strlen(expected);

    while (len < wanted) {
        ssize_t n = read_soon(fd, text + len, sizeof(text) - 1 - len);

        if (n <= 0) {
            break;
        }
        len += n;
    }
    text[len] = '\0';
    return text;
}

/* With control characters in a form that can be printed. */
static const char *visible(char *to, size_t size, const char *text)
{
    size_t at = 0;

    for (; *text && at + 5 < size; text++) {
        at += snprintf(to + at, size - at, *text >= ' ' && *text < 127 ? "%c" : "\\%03o",
                       (unsigned char)*text);
    }
    to[at] = '\0';
    return to;
}

static void check_visible(const char *got, const char *expected, const char *sentence)
{
    char text[2][1024];

    check_text(visible(text[0], sizeof(text[0]), got), visible(text[1], sizeof(text[1]), expected),
               sentence);
}

void check_echo(const struct pty *p, const char *typed, const char *shown, const char *sentence)
{
    pty_type(p, typed);
    check_visible(pty_seen(p->master, shown), shown, sentence);
}

void check_read(const struct pty *p, size_t len, const char *expected, const char *sentence)
{
    char text[8192];
    ssize_t n = read_soon(p->slave, text, len);
    int error = errno;

    text[n < 0 ? 0 : n] = '\0';
    check_visible(n < 0 ? strerror(error) : text, expected, sentence);
}

void check_silent(int fd, const char *sentence)
{
    char text[64];
    int flags = fcntl(fd, F_GETFL);

    settle();
    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    ssize_t n = read(fd, text, sizeof(text));
    int error = errno;
    fcntl(fd, F_SETFL, flags);
    errno = error;
    check_errno(n, EAGAIN, sentence);
}

void settle(void)
{
    usleep(30000);
}
