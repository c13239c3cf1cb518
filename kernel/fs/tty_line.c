/*
 * The line discipline: from keys to what read(2) returns.
 *
 * In canonical mode a line is edited here and given to readers when it is whole; in raw mode
 * every character is, as VMIN and VTIME ask. Characters that mean something (^C, ^S, ^D ...) are
 * caught on the way in. Where termios(3) and POSIX 11.1 leave a choice, it is Linux's (n_tty.c):
 * programs and people know that one.
 */
#include <asm/signal.h>
#include <linux/fcntl.h>
#include "kernel/fs/tty_line.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal.h"

#define SLOT(at)  ((at) % TTY_INPUT)
#define TICKS(ds) ((u64)(ds) * (TIMER_HZ / 10)) /* of VTIME, tenths of a second */

static bool is_continuation(const struct tty *tty, u8 c)
{
    return I_FLAG(tty, IUTF8) && (c & 0xC0) == 0x80;
}

static bool is_control(u8 c)
{
    return c < ' ' || c == 0x7F;
}

/* Part of a word, for VWERASE; from 0xC0 on the letters of Latin 1, or UTF-8's first bytes. */
static bool is_word(u8 c)
{
    return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || c == '_' ||
           (c >= 0xC0 && c != 0xD7 && c != 0xF7);
}

/* Is it this special character? NUL is none: it stands for "disabled". */
static bool is_key(const struct tty *tty, u8 c, u32 which)
{
    return c && tty->termios.c_cc[which] == c;
}

static bool is_canonical(const struct tty *tty)
{
    return L_FLAG(tty, ICANON);
}

static bool is_marked(const struct tty_line *line, u32 at)
{
    return line->marks[SLOT(at) / 8] >> SLOT(at) % 8 & 1;
}

static void set_mark(struct tty_line *line, u32 at, bool mark)
{
    u8 bit = 1u << SLOT(at) % 8, *byte = &line->marks[SLOT(at) / 8];
    *byte = mark ? *byte | bit : *byte & ~bit;
}

static u8 char_at(const struct tty_line *line, u32 at)
{
    return line->ring[SLOT(at)];
}

/* ---- in ---- */

/* One slot stays free for the end of a line; a line that is longer than the ring has its last
 * character replaced, again and again. */
static void put(struct tty *tty, u8 c)
{
    struct tty_line *line = &tty->line;
    if (line->head - line->tail >= TTY_INPUT) {
        if (!is_canonical(tty) || line->canon != line->tail)
            return;
        line->head--;
    }
    line->ring[SLOT(line->head)] = c;
    set_mark(line, line->head, false);
    line->head++;
}

static void end_line(struct tty *tty, u8 c)
{
    struct tty_line *line = &tty->line;
    put(tty, c);
    set_mark(line, line->head - 1, true);
    line->canon = line->head;
    wake_all(&tty->readers);
}

static void finish_erasing(struct tty *tty)
{
    if (tty->line.erasing)
        echo_raw(tty, '/');
    tty->line.erasing = false;
}

/* An ordinary character. */
static void take(struct tty *tty, u8 c)
{
    struct tty_line *line = &tty->line;
    if (L_FLAG(tty, ECHO)) {
        finish_erasing(tty);
        if (c == '\n') {
            echo_raw(tty, c);
        } else {
            if (line->canon == line->head)
                line->canon_column = line->column;
            echo_char(tty, c);
        }
    }
    if (c == 0xFF && I_FLAG(tty, PARMRK))
        put(tty, c);
    put(tty, c);
    if (!is_canonical(tty))
        wake_all(&tty->readers);
}

/* ---- erasing ---- */

/* How many columns lie between the start of the line, or the tab before `at`, and `at`. */
static u32 columns_before(struct tty *tty, u32 at, bool *after_tab)
{
    struct tty_line *line = &tty->line;
    u32 columns = 0;
    *after_tab = false;
    while (at != line->canon) {
        u8 c = char_at(line, --at);
        if (c == '\t') {
            *after_tab = true;
            break;
        }
        if (is_control(c))
            columns += L_FLAG(tty, ECHOCTL) ? 2 : 0;
        else
            columns += !is_continuation(tty, c);
    }
    return columns;
}

static void rub_out(struct tty *tty)
{
    echo_raw(tty, '\b');
    echo_raw(tty, ' ');
    echo_raw(tty, '\b');
}

/* Shows that the character c, `len` bytes long, which stood at the line's end, is gone. */
static void echo_erased(struct tty *tty, u8 c, u32 len, bool one)
{
    struct tty_line *line = &tty->line;
    if (L_FLAG(tty, ECHOPRT)) { /* for paper: between \ and / */
        if (!line->erasing)
            echo_raw(tty, '\\');
        line->erasing = true;
        echo_char(tty, c);
        for (u32 i = 1; i < len; i++)
            echo_raw(tty, char_at(line, line->head + i));
    } else if (one && !L_FLAG(tty, ECHOE)) {
        echo_char(tty, tty->termios.c_cc[VERASE]);
    } else if (c == '\t') {
        bool after_tab;
        u32 columns = columns_before(tty, line->head, &after_tab);
        echo_erase_tab(tty, columns, after_tab);
    } else {
        if (is_control(c) && L_FLAG(tty, ECHOCTL))
            rub_out(tty);
        if (!is_control(c) || L_FLAG(tty, ECHOCTL))
            rub_out(tty);
    }
}

/* VERASE a character, VWERASE a word, VKILL the line. */
static void erase(struct tty *tty, u32 which)
{
    struct tty_line *line = &tty->line;
    if (line->head == line->canon)
        return;
    if (which == VKILL && !L_FLAG(tty, ECHO)) {
        line->head = line->canon;
        return;
    }
    if (which == VKILL && !(L_FLAG(tty, ECHOK) && L_FLAG(tty, ECHOKE) && L_FLAG(tty, ECHOE))) {
        line->head = line->canon;
        finish_erasing(tty);
        echo_char(tty, tty->termios.c_cc[VKILL]);
        if (L_FLAG(tty, ECHOK)) /* without ECHOKE */
            echo_raw(tty, '\n');
        return;
    }
    bool in_word = false;
    while (line->head != line->canon) {
        u32 at = line->head;
        u8 c;
        do {
            c = char_at(line, --at);
        } while (is_continuation(tty, c) && at != line->canon);
        if (is_continuation(tty, c))
            break; /* half a character is left alone */
        if (which == VWERASE && !is_word(c) && in_word)
            break;
        in_word |= is_word(c);
        u32 len = line->head - at;
        line->head = at;
        if (L_FLAG(tty, ECHO))
            echo_erased(tty, c, len, which == VERASE);
        if (which == VERASE)
            break;
    }
    if (line->head == line->canon && L_FLAG(tty, ECHO))
        finish_erasing(tty);
}

/* VREPRINT: the line once more. */
static void reprint(struct tty *tty, u8 c)
{
    struct tty_line *line = &tty->line;
    finish_erasing(tty);
    echo_char(tty, c);
    echo_raw(tty, '\n');
    for (u32 at = line->canon; at != line->head; at++)
        echo_char(tty, char_at(line, at));
}

/* ---- characters that mean something ---- */

static bool signal_key(struct tty *tty, u8 c)
{
    int sig = is_key(tty, c, VINTR)   ? SIGINT
              : is_key(tty, c, VQUIT) ? SIGQUIT
              : is_key(tty, c, VSUSP) ? SIGTSTP
                                      : 0;
    if (!sig || !L_FLAG(tty, ISIG))
        return false;
    if (tty->foreground)
        signal_group(tty->foreground, sig);
    if (!L_FLAG(tty, NOFLSH)) {
        tty->line.echo_tail = tty->line.echo_head;
        line_flush(tty);
        output_discard(tty);
    }
    if (I_FLAG(tty, IXON))
        output_start(tty);
    if (L_FLAG(tty, ECHO))
        echo_char(tty, c);
    return true;
}

static bool flow_key(struct tty *tty, u8 c)
{
    if (!I_FLAG(tty, IXON))
        return false;
    if (is_key(tty, c, VSTART)) {
        if (!tty->stopped_by_call)
            output_start(tty);
        return true;
    }
    if (is_key(tty, c, VSTOP)) {
        output_stop(tty);
        return true;
    }
    return false;
}

/* Keys of canonical mode. */
static bool editing_key(struct tty *tty, u8 c)
{
    struct tty_line *line = &tty->line;
    bool extended = L_FLAG(tty, IEXTEN);
    if (is_key(tty, c, VERASE)) {
        erase(tty, VERASE);
    } else if (is_key(tty, c, VKILL)) {
        erase(tty, VKILL);
    } else if (is_key(tty, c, VWERASE) && extended) {
        erase(tty, VWERASE);
    } else if (is_key(tty, c, VLNEXT) && extended) {
        line->literal = true;
        if (L_FLAG(tty, ECHO)) {
            finish_erasing(tty);
            if (L_FLAG(tty, ECHOCTL)) {
                echo_raw(tty, '^');
                echo_raw(tty, '\b');
            }
        }
    } else if (is_key(tty, c, VREPRINT) && extended && L_FLAG(tty, ECHO)) {
        reprint(tty, c);
    } else if (c == '\n') {
        if (L_FLAG(tty, ECHO | ECHONL))
            echo_raw(tty, '\n');
        end_line(tty, c);
    } else if (is_key(tty, c, VEOF)) {
        end_line(tty, 0);
    } else if (is_key(tty, c, VEOL) || (is_key(tty, c, VEOL2) && extended)) {
        if (L_FLAG(tty, ECHO)) {
            if (line->canon == line->head)
                line->canon_column = line->column;
            echo_char(tty, c);
        }
        end_line(tty, c);
    } else {
        return false;
    }
    return true;
}

static void input(struct tty *tty, u8 c)
{
    if (I_FLAG(tty, ISTRIP))
        c &= 0x7F;
    if (tty->line.literal) {
        tty->line.literal = false;
        take(tty, c);
        return;
    }
    if (I_FLAG(tty, IUCLC) && L_FLAG(tty, IEXTEN) && c >= 'A' && c <= 'Z')
        c += 'a' - 'A';
    if (flow_key(tty, c) || signal_key(tty, c))
        return;
    if (tty->stopped && !tty->stopped_by_call && I_FLAG(tty, IXON) && I_FLAG(tty, IXANY))
        output_start(tty);
    if (c == '\r') {
        if (I_FLAG(tty, IGNCR))
            return;
        if (I_FLAG(tty, ICRNL))
            c = '\n';
    } else if (c == '\n' && I_FLAG(tty, INLCR)) {
        c = '\r';
    }
    if (!is_canonical(tty) || !editing_key(tty, c))
        take(tty, c);
}

void line_input(struct tty *tty, u8 c)
{
    input(tty, c);
    echo_flush(tty);
}

/* ---- out to readers ---- */

static u32 readable(const struct tty *tty)
{
    const struct tty_line *line = &tty->line;
    return (is_canonical(tty) ? line->canon : line->head) - line->tail;
}

bool line_ready(const struct tty *tty, u32 at_least)
{
    return readable(tty) >= (is_canonical(tty) ? 1 : at_least);
}

/* Marks of end of file are no characters. */
u32 line_waiting(const struct tty *tty)
{
    const struct tty_line *line = &tty->line;
    u32 n = readable(tty);
    if (is_canonical(tty))
        for (u32 at = line->tail; at != line->canon; at++)
            n -= is_marked(line, at) && !char_at(line, at);
    return n;
}

void line_flush(struct tty *tty)
{
    struct tty_line *line = &tty->line;
    line->tail = line->canon = line->head = 0;
    line->literal = line->erasing = false;
    memset(line->marks, 0, sizeof(line->marks));
    if (tty->ops->flushed)
        tty->ops->flushed(tty);
    if (line->full && tty->ops->input_room) {
        line->full = false;
        tty->ops->input_room(tty);
    }
}

void line_settings(struct tty *tty, const struct termios2 *old)
{
    struct tty_line *line = &tty->line;
    if ((old->c_lflag ^ tty->termios.c_lflag) & ICANON) {
        memset(line->marks, 0, sizeof(line->marks));
        line->canon = line->tail;
        if (is_canonical(tty) && line->head != line->tail) { /* what was typed counts as a line */
            set_mark(line, line->head - 1, true);
            line->canon = line->head;
        }
        line->literal = line->erasing = false;
    }
    if ((old->c_iflag & IXON) && !I_FLAG(tty, IXON) && !tty->stopped_by_call)
        output_start(tty); /* no key could start it any more */
    wake_all(&tty->readers);
    wake_all(&tty->writers);
}

/* Takes up to `len` characters; in canonical mode not beyond the end of a line, and *whole says
 * that it was reached. An end of file that follows at once goes with it. */
static u32 line_take(struct tty *tty, char *to, u32 len, bool *whole)
{
    struct tty_line *line = &tty->line;
    u32 n = 0;
    *whole = false;
    for (; readable(tty) && !*whole; line->tail++) {
        u8 c = char_at(line, line->tail);
        *whole = is_canonical(tty) && is_marked(line, line->tail);
        bool end_of_file = *whole && !c;
        if (n == len && !end_of_file) {
            *whole = false;
            break;
        }
        if (!end_of_file)
            to[n++] = c;
        if (*whole)
            set_mark(line, line->tail, false);
    }
    if (line->full && tty_input_room(tty) && tty->ops->input_room) {
        line->full = false;
        tty->ops->input_room(tty);
    }
    return n;
}

/* VMIN and VTIME: termios(3), "Canonical and noncanonical mode". */
struct patience {
    u32 at_least; /* characters */
    u64 ticks;    /* how long to wait for the next one; 0: for ever */
    bool hurry;   /* VMIN and VTIME are both 0: what is there */
};

static struct patience patience_of(const struct tty *tty, bool first)
{
    const u8 *cc = tty->termios.c_cc;
    if (is_canonical(tty))
        return (struct patience){.at_least = 1};
    if (cc[VMIN]) /* the time runs between characters */
        return (struct patience){.at_least = cc[VMIN], .ticks = first ? 0 : TICKS(cc[VTIME])};
    return (struct patience){.at_least = 1, .ticks = TICKS(cc[VTIME]), .hurry = !cc[VTIME]};
}

/* Waits for something to read: 1, or what read(2) shall answer when nothing was read so far. */
static int wait_for_input(struct tty *tty, struct file *file, const struct patience *p)
{
    struct tty_open *open = tty_open_of(file);
    if (line_ready(tty, 1))
        return 1;
    if (tty->line_dropped)
        return -EIO;
    if (open->hung_up || p->hurry)
        return 0;
    if (file->flags & O_NONBLOCK)
        return -EAGAIN;
    u64 deadline = p->ticks ? timer_ticks() + p->ticks + 1 : 0;
    int err = wait_event_signal(&tty->readers, line_ready(tty, 1) || tty_is_gone(open), deadline);
    if (err == -ETIMEDOUT)
        return 0;
    return err ? err : line_ready(tty, 1) ? 1 : tty->line_dropped ? -EIO : 0;
}

ssize_t line_read(struct tty *tty, struct file *file, void __user *buf, size_t len)
{
    size_t done = 0;
    struct patience p = patience_of(tty, true);
    while (done < len) {
        int ready = wait_for_input(tty, file, &p);
        if (ready <= 0)
            return done ? (ssize_t)done : ready;
        char piece[256];
        bool whole, more;
        do {
            u32 flags = irq_save();
            u32 n = line_take(tty, piece, MIN(len - done, sizeof(piece)), &whole);
            more = !whole && done + n < len && readable(tty);
            irq_restore(flags);
            if (copyout((char __user *)buf + done, piece, n) < 0)
                return done ? (ssize_t)done : -EFAULT;
            done += n;
        } while (more);
        if (is_canonical(tty) || done >= p.at_least)
            break;
        p.ticks = patience_of(tty, false).ticks;
    }
    return done;
}
