/*
 * Terminals.
 *
 *     a program             read, write, poll (tty.c), ioctl (tty_ioctl.c)
 *        |
 *     the line discipline   editing and ^C (tty_line.c), echo and \n to \r\n (tty_output.c),
 *        |                  who may read, who is told of a hang-up (tty_job.c)
 *     the driver's tty_ops  serial line, screen and keyboard, pseudo-terminal
 *
 * A driver hands in each character with tty_input, also from an interrupt handler; what comes
 * back as echo goes out by its write at once. So all state that both sides touch is changed with
 * interrupts off. termios(3), tty_ioctl(4), credentials(7).
 */
#ifndef KERNEL_FS_TTY_H
#define KERNEL_FS_TTY_H

#include <asm/termios.h>
#include "kernel/fs/vfs.h"
#include "kernel/proc/wait.h"

struct tty;
struct process;

#define TTY_INPUT 4096u /* characters typed ahead; a power of two */
#define TTY_ECHO  256u  /* characters of echo that wait for the driver */

/* What a driver does. None of these sleeps; all are called with interrupts off. */
struct tty_ops {
    /* Takes as many characters as it has room for, and says how many. */
    u32 (*write)(struct tty *tty, const char *text, u32 len);
    u32 (*room)(struct tty *tty);
    u32 (*pending)(struct tty *tty);  /* taken, but not yet out; NULL: 0 */
    void (*discard)(struct tty *tty); /* forgets what is pending; may be NULL */
    void (*flow)(struct tty *tty);    /* `stopped` has changed; may be NULL */
    /* The input was flushed (TIOCPKT_FLUSHREAD); may be NULL. */
    void (*flushed)(struct tty *tty);
    void (*input_room)(struct tty *tty); /* tty_input_room was 0, and no longer is; may be NULL */
    void (*set_termios)(struct tty *tty, const struct termios2 *old); /* may be NULL */
    int (*open)(struct tty *tty);    /* may it be opened? 0 or a negative errno; may be NULL */
    void (*closed)(struct tty *tty); /* nobody has it open any more; may free it; may be NULL */
    /* What other ioctls there are; -ENOTTY when it is none of them. May sleep. May be NULL. */
    int (*ioctl)(struct tty *tty, u32 request, u32 argument);
};

/* The input, a ring: [tail, canon) are whole lines, [canon, head) is the line being edited. In
 * raw mode there are no lines, and all of [tail, head) may be read. Indices run freely. */
struct tty_line {
    char *ring; /* TTY_INPUT characters */
    u32 tail, canon, head;
    u8 marks[TTY_INPUT / 8]; /* 1: a line ends here; a marked NUL is an end of file */
    bool literal;            /* VLNEXT: the next character is an ordinary one */
    bool erasing;            /* ECHOPRT: inside \.../ */
    bool full;               /* the driver found no room and waits for input_room */
    u32 column;              /* of the cursor, as far as the output tells */
    u32 canon_column;        /* where the line being edited starts */
    char echo[TTY_ECHO];     /* a ring of what still has to go out */
    u32 echo_tail, echo_head;
};

struct tty {
    char name[8]; /* below /dev */
    u32 rdev;
    const struct tty_ops *ops;
    void *device; /* the driver's own */
    struct termios2 termios;
    struct winsize window;
    struct tty_line line;
    bool stopped;         /* ^S or TCOOFF: nothing goes out */
    bool stopped_by_call; /* TCOOFF: no key starts it again */
    bool exclusive;       /* TIOCEXCL: only root may open it once more */
    bool is_pty;          /* the end of its session does not hang it up */
    bool line_dropped;    /* the other side is gone (a pseudo-terminal's master) */
    u32 session;          /* whose controlling terminal it is; 0: nobody's */
    u32 foreground;       /* the process group that may read; 0: none */
    u32 opens;
    LIST_HEAD(, tty_open)
    files;
    struct wait_queue readers, writers;
    LIST_ENTRY(tty) all;
};

/* An open file on a terminal: file->private. */
struct tty_open {
    struct tty *tty;
    bool hung_up;    /* reads give end of file, all else EIO */
    bool is_console; /* through /dev/console: no job control, and a hang-up leaves it */
    LIST_ENTRY(tty_open) link;
};

/* ---- for drivers ---- */

/* A terminal in its initial settings, found from now on under its number. NULL without memory. */
struct tty *tty_new(const char *name, u32 rdev, const struct tty_ops *ops, void *device);
void tty_free(struct tty *tty); /* nobody has it open */
struct tty *tty_find(u32 rdev);

/* Any context. tty_input takes one character; it is lost when tty_input_room is 0. A driver that
 * can hold its sender back stops there, and goes on at its input_room. */
void tty_input(struct tty *tty, char c);
u32 tty_input_room(struct tty *tty);
void tty_output_room(struct tty *tty); /* the driver has room again: who waits for it goes on */
void tty_hangup(struct tty *tty);      /* the line is gone, and all who have it open */
void tty_resize(struct tty *tty, const struct winsize *window); /* SIGWINCH if it is a change */

extern const struct file_ops tty_ops;

extern struct tty *tty_console; /* what /dev/console is; NULL: no terminal at all */

/* ---- for processes ---- */

/* The last thread of a process has ended. If it led a session, its terminal is free again, and
 * the foreground group gets SIGHUP. */
void tty_session_ended(struct process *p);

#endif
