/* pty.h - a pseudo-terminal for tests of terminals: the master types and looks, the slave is it. */
#ifndef FERRY_TESTS_PTY_H
#define FERRY_TESTS_PTY_H

#include <stddef.h>
#include <sys/types.h>
#include <termios.h>

struct pty {
    int master, slave;
    char name[32]; /* of the slave */
};

/* A new pseudo-terminal; nobody's controlling terminal. Ends the test if there is none. */
struct pty pty_open(void);
void pty_close(struct pty *p);

/* What the slave's settings are changed by: bits to set and to clear in each word. */
struct change {
    tcflag_t iflag, no_iflag, oflag, no_oflag, lflag, no_lflag;
};
void pty_change(const struct pty *p, const struct change *change);
#define pty_set(p, ...) pty_change((p), &(struct change){__VA_ARGS__})
/* Raw mode, with VMIN and VTIME. */
void pty_raw(const struct pty *p, int min, int time);

void pty_type(const struct pty *p, const char *text);
/* What the master (or another descriptor) gives: waits until it is as long as expected, or a second
 * has passed. In a static buffer. */
const char *pty_seen(int fd, const char *expected);
/* Types, and checks what the screen then shows. */
void check_echo(const struct pty *p, const char *typed, const char *shown, const char *sentence);
/* Checks what the next read of the slave gives, -1 and errno included in no case. */
void check_read(const struct pty *p, size_t len, const char *expected, const char *sentence);
/* Checks that there is nothing to read from the descriptor: EAGAIN. */
void check_silent(int fd, const char *sentence);

/* Linux hands on what is typed in its own time. */
void settle(void);

#endif
