/*
 * The way out of a terminal: what OPOST makes of a character, and echo.
 *
 * What a program writes goes to the driver as far as that has room; the program waits with the
 * rest. Echo has nobody to wait: it lies in a small ring, and leaves before anything else does.
 * The column is kept, since tabs, and erasing them, depend on it.
 */
#include "kernel/fs/tty_line.h"
#include "kernel/lib/lib.h"

#define RENDERED_MAX 8 /* one character becomes at most a tab's blanks */

static bool is_control(u8 c)
{
    return c < ' ' || c == 0x7F;
}

static bool is_continuation(const struct tty *tty, u8 c)
{
    return I_FLAG(tty, IUTF8) && (c & 0xC0) == 0x80;
}

/* What a character becomes on its way out: its length. Moves the column. */
static u32 render(struct tty *tty, u8 c, char to[RENDERED_MAX])
{
    struct tty_line *line = &tty->line;
    if (!O_FLAG(tty, OPOST)) {
        to[0] = c;
        return 1;
    }
    switch (c) {
    case '\n':
        if (O_FLAG(tty, ONLRET))
            line->column = 0;
        if (O_FLAG(tty, ONLCR)) {
            line->column = line->canon_column = 0;
            memcpy(to, "\r\n", 2);
            return 2;
        }
        line->canon_column = line->column;
        break;
    case '\r':
        if (O_FLAG(tty, ONOCR) && !line->column)
            return 0;
        if (O_FLAG(tty, OCRNL)) {
            c = '\n';
            if (!O_FLAG(tty, ONLRET))
                break;
        }
        line->column = line->canon_column = 0;
        break;
    case '\t': {
        u32 blanks = 8 - (line->column & 7);
        line->column += blanks;
        if (O_FLAG(tty, TABDLY) == XTABS) {
            memset(to, ' ', blanks);
            return blanks;
        }
        break;
    }
    case '\b':
        line->column -= line->column > 0;
        break;
    default:
        if (is_control(c))
            break;
        if (O_FLAG(tty, OLCUC) && c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        line->column += !is_continuation(tty, c);
    }
    to[0] = c;
    return 1;
}

u32 output_room(struct tty *tty)
{
    return tty->stopped ? 0 : tty->ops->room(tty);
}

u32 output_text(struct tty *tty, const char *text, u32 len)
{
    echo_flush(tty);
    u32 room = output_room(tty), taken = 0;
    while (taken < len && room) {
        char piece[128];
        u32 n = 0;
        while (taken < len && n + RENDERED_MAX <= sizeof(piece) && n < room) {
            u32 column = tty->line.column, canon_column = tty->line.canon_column;
            u32 width = render(tty, text[taken], piece + n);
            if (n + width > room) { /* later, whole */
                tty->line.column = column;
                tty->line.canon_column = canon_column;
                room = n;
                break;
            }
            n += width;
            taken++;
        }
        tty->ops->write(tty, piece, n);
        room -= n;
    }
    return taken;
}

static void set_stopped(struct tty *tty, bool stopped)
{
    bool changed = tty->stopped != stopped;
    tty->stopped = stopped;
    if (changed && tty->ops->flow)
        tty->ops->flow(tty);
}

void output_stop(struct tty *tty)
{
    set_stopped(tty, true);
}

void output_start(struct tty *tty)
{
    set_stopped(tty, false);
    tty_output_room(tty);
}

u32 output_pending(struct tty *tty)
{
    return tty->ops->pending ? tty->ops->pending(tty) : 0;
}

void output_discard(struct tty *tty)
{
    if (tty->ops->discard)
        tty->ops->discard(tty);
    wake_all(&tty->writers);
}

/* ---- echo ---- */

static void echo_put(struct tty *tty, const char *text, u32 len)
{
    struct tty_line *line = &tty->line;
    if (len > TTY_ECHO - (line->echo_head - line->echo_tail))
        echo_flush(tty);
    if (len > TTY_ECHO - (line->echo_head - line->echo_tail))
        return; /* the line is stopped, or its other end asleep */
    while (len--)
        line->echo[line->echo_head++ % TTY_ECHO] = *text++;
}

void echo_raw(struct tty *tty, u8 c)
{
    char text[RENDERED_MAX];
    echo_put(tty, text, render(tty, c, text));
}

void echo_char(struct tty *tty, u8 c)
{
    if (!L_FLAG(tty, ECHOCTL) || !is_control(c) || c == '\t') {
        echo_raw(tty, c);
        return;
    }
    char text[] = {'^', c ^ 0100};
    tty->line.column += sizeof(text);
    echo_put(tty, text, sizeof(text));
}

/* Back over a tab that started `columns` behind the start of the line, or behind another tab. */
void echo_erase_tab(struct tty *tty, u32 columns, bool after_tab)
{
    if (!after_tab)
        columns += tty->line.canon_column;
    for (u32 n = 8 - (columns & 7); n; n--) {
        tty->line.column -= tty->line.column > 0;
        echo_put(tty, "\b", 1);
    }
}

void echo_flush(struct tty *tty)
{
    struct tty_line *line = &tty->line;
    u32 room;
    while (line->echo_tail != line->echo_head && (room = output_room(tty)) != 0) {
        u32 at = line->echo_tail % TTY_ECHO;
        u32 n = MIN(MIN(line->echo_head - line->echo_tail, TTY_ECHO - at), room);
        line->echo_tail += n; /* first: a terminal may answer, and we be here again */
        tty->ops->write(tty, line->echo + at, n);
    }
}
