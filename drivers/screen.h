/*
 * A character screen that understands what programs send to TERM=linux: ECMA-48 and what the
 * VT102 and Linux's console add (console_codes(4)).
 *
 *     screen.c   cells, the cursor, scrolling; text
 *     escape.c   control characters and escape sequences
 *     look.c     colours and the like
 *     glyph.c    from Unicode to the characters of a PC's screen (code page 437)
 *
 * It knows no device and nothing of the kernel: a cell is what the VGA text screen keeps, the
 * character in the low byte, its attribute in the high one; which rows have changed is in `dirty`.
 * What the screen answers (ESC [6n) is left in `reply` for whoever called screen_write.
 */
#ifndef DRIVERS_SCREEN_H
#define DRIVERS_SCREEN_H

#include "kernel/lib/types.h"

#define SCREEN_PARAMETERS  16
#define SCREEN_COLUMNS_MAX 160

/* How text looks: SGR. */
struct screen_look {
    u8 colour; /* foreground in bits 0-2, background in 4-6; bit 3 and 7 make them bright */
    bool bold, dim, italic, underline, blink, reverse;
};

/* What ESC 7 saves and ESC 8 brings back. */
struct screen_cursor {
    u32 row, column; /* from 0 */
    struct screen_look look;
    bool graphics[2]; /* G0, G1: line drawing characters instead of ASCII */
    u32 charset;      /* which of them is used */
};

struct screen {
    u16 *cells;
    u32 rows, columns;
    struct screen_cursor now, saved;
    bool wrap_next;  /* the last column is filled: the next character starts a new line */
    u32 top, bottom; /* the rows that scroll: [top, bottom) */
    bool no_wrap, insert, origin, hidden, application_keys, reverse_video, no_utf8;
    u8 tabs[SCREEN_COLUMNS_MAX / 8];
    u32 last; /* the character for ESC [b */

    enum {
        STATE_TEXT,
        STATE_ESCAPE,
        STATE_CSI,
        STATE_CSI_IGNORE, /* one that we do not know: up to its last character */
        STATE_CHARSET_0,  /* ESC ( and its like: one more character */
        STATE_CHARSET_1,
        STATE_HASH,
        STATE_PERCENT,
        STATE_STRING,   /* OSC and its like: text for others, up to BEL or ESC \ */
        STATE_LINUX_KEY /* ESC [[ and one character: a function key that was echoed */
    } state;
    char prefix; /* '?' behind ESC [ */
    u32 parameters[SCREEN_PARAMETERS], nr_parameters;
    u32 utf8_code, utf8_left; /* a character that has not come whole */

    u32 dirty_from, dirty_to; /* rows that changed: [from, to); empty when equal */
    char reply[32];
    u32 reply_len;
};

/* cells: rows x columns of them. */
void screen_init(struct screen *s, u16 *cells, u32 rows, u32 columns);
void screen_reset(struct screen *s); /* ESC c */
void screen_write(struct screen *s, const char *text, size_t len);

/* screen.c, for escape.c. All keep the cursor on the screen. */
void screen_put(struct screen *s, u32 code); /* one character at the cursor */
void screen_goto(struct screen *s, s32 row, s32 column);
void screen_line_feed(struct screen *s);
void screen_reverse_feed(struct screen *s);
void screen_scroll(struct screen *s, u32 top, u32 bottom, s32 up); /* up < 0: down */
/* Blanks [from, to), counted in cells. */
void screen_erase(struct screen *s, u32 from, u32 to);
void screen_insert_cells(struct screen *s, u32 n);
void screen_delete_cells(struct screen *s, u32 n);
u8 screen_attribute(const struct screen *s, const struct screen_look *look);

/* escape.c: the next character of the stream. */
void screen_take(struct screen *s, u32 code);

/* look.c: by the parameters of ESC [ m. */
void screen_select_look(struct screen *s);

/* glyph.c: the place of a Unicode character in code page 437, '?' if it has none. */
u8 glyph_of(u32 code);
/* What a character of the VT100's line drawing set looks like, in code page 437. */
u8 glyph_of_graphics(u8 c);

#endif
