/* Cells, the cursor, scrolling and text: see screen.h. */
#include "drivers/screen.h"
#include "kernel/lib/lib.h"

#define COLOUR_TEXT 7 /* light grey on black */

static void touch(struct screen *s, u32 from, u32 to)
{
    if (s->dirty_from == s->dirty_to) {
        s->dirty_from = from;
        s->dirty_to = to;
    }
    s->dirty_from = MIN(s->dirty_from, from);
    s->dirty_to = MAX(s->dirty_to, to);
}

/* As Linux does on a VGA text screen: what the hardware cannot show is shown by a colour. */
u8 screen_attribute(const struct screen *s, const struct screen_look *look)
{
    enum { GREEN = 2, CYAN = 3, DARK_GREY = 8 };
    u8 a = look->colour;
    if (look->italic)
        a = (a & 0xF0) | GREEN;
    else if (look->underline)
        a = (a & 0xF0) | CYAN;
    else if (look->dim)
        a = (a & 0xF0) | DARK_GREY;
    if (look->reverse != s->reverse_video)
        a = (a & 0x88) | (((a >> 4) | (a << 4)) & 0x77);
    if (look->blink)
        a ^= 0x80;
    if (look->bold)
        a ^= 0x08;
    return a;
}

/* An erased cell keeps the background alone. */
static u16 blank(const struct screen *s)
{
    struct screen_look look = {
        .colour = s->now.look.colour, .blink = s->now.look.blink, .reverse = s->now.look.reverse};
    return screen_attribute(s, &look) << 8 | ' ';
}

static void fill(u16 *cells, u32 n, u16 with)
{
    while (n--)
        *cells++ = with;
}

void screen_erase(struct screen *s, u32 from, u32 to)
{
    to = MIN(to, s->rows * s->columns);
    if (from >= to)
        return;
    fill(s->cells + from, to - from, blank(s));
    touch(s, from / s->columns, DIV_ROUND_UP(to, s->columns));
    s->wrap_next = false;
}

void screen_scroll(struct screen *s, u32 top, u32 bottom, s32 up)
{
    u32 n = up < 0 ? -(u32)up : (u32)up, height = bottom - top;
    if (top >= bottom || !n)
        return;
    n = MIN(n, height);
    u16 *first = s->cells + top * s->columns;
    u32 kept = (height - n) * s->columns, gone = n * s->columns;
    if (up > 0) {
        memmove(first, first + gone, kept * sizeof(u16));
        fill(first + kept, gone, blank(s));
    } else {
        memmove(first + gone, first, kept * sizeof(u16));
        fill(first, gone, blank(s));
    }
    touch(s, top, bottom);
}

void screen_insert_cells(struct screen *s, u32 n)
{
    u16 *at = s->cells + s->now.row * s->columns + s->now.column;
    u32 rest = s->columns - s->now.column;
    n = MIN(n, rest);
    memmove(at + n, at, (rest - n) * sizeof(u16));
    fill(at, n, blank(s));
    touch(s, s->now.row, s->now.row + 1);
    s->wrap_next = false;
}

void screen_delete_cells(struct screen *s, u32 n)
{
    u16 *at = s->cells + s->now.row * s->columns + s->now.column;
    u32 rest = s->columns - s->now.column;
    n = MIN(n, rest);
    memmove(at, at + n, (rest - n) * sizeof(u16));
    fill(at + rest - n, n, blank(s));
    touch(s, s->now.row, s->now.row + 1);
    s->wrap_next = false;
}

void screen_goto(struct screen *s, s32 row, s32 column)
{
    s32 first = s->origin ? s->top : 0, last = (s->origin ? s->bottom : s->rows) - 1;
    s->now.row = MIN(MAX(row, first), last);
    s->now.column = MIN(MAX(column, 0), (s32)s->columns - 1);
    s->wrap_next = false;
}

void screen_line_feed(struct screen *s)
{
    if (s->now.row + 1 == s->bottom)
        screen_scroll(s, s->top, s->bottom, 1);
    else if (s->now.row + 1 < s->rows)
        s->now.row++;
    s->wrap_next = false;
}

void screen_reverse_feed(struct screen *s)
{
    if (s->now.row == s->top)
        screen_scroll(s, s->top, s->bottom, -1);
    else if (s->now.row > 0)
        s->now.row--;
    s->wrap_next = false;
}

void screen_put(struct screen *s, u32 code)
{
    bool graphics = s->now.graphics[s->now.charset];
    u8 glyph = graphics && code < 0x80 ? glyph_of_graphics(code) : glyph_of(code);
    if (s->wrap_next) {
        s->now.column = 0;
        screen_line_feed(s);
    }
    if (s->insert)
        screen_insert_cells(s, 1);
    s->cells[s->now.row * s->columns + s->now.column] =
        screen_attribute(s, &s->now.look) << 8 | glyph;
    touch(s, s->now.row, s->now.row + 1);
    s->last = code;
    if (s->now.column + 1 < s->columns)
        s->now.column++;
    else
        s->wrap_next = !s->no_wrap;
}

void screen_reset(struct screen *s)
{
    u16 *cells = s->cells;
    u32 rows = s->rows, columns = s->columns;
    char reply[sizeof(s->reply)];
    u32 reply_len = s->reply_len;
    memcpy(reply, s->reply, sizeof(reply));
    memset(s, 0, sizeof(*s));
    s->cells = cells;
    s->rows = s->bottom = rows;
    s->columns = columns;
    s->now.look.colour = COLOUR_TEXT;
    s->saved = s->now;
    memcpy(s->reply, reply, sizeof(reply));
    s->reply_len = reply_len;
    for (u32 i = 8; i < columns; i += 8)
        s->tabs[i / 8] = 1;
    screen_erase(s, 0, rows * columns);
}

void screen_init(struct screen *s, u16 *cells, u32 rows, u32 columns)
{
    *s = (struct screen){.cells = cells, .rows = rows, .columns = MIN(columns, SCREEN_COLUMNS_MAX)};
    screen_reset(s);
}

/* UTF-8 (RFC 3629): takes a byte; true when *code is a whole character. What is not well formed
 * becomes U+FFFD. */
static bool decode(struct screen *s, u8 byte, u32 *code)
{
    if (s->utf8_left) {
        if ((byte & 0xC0) == 0x80) {
            s->utf8_code = s->utf8_code << 6 | (byte & 0x3F);
            *code = s->utf8_code;
            return --s->utf8_left == 0;
        }
        s->utf8_left = 0; /* cut short: show that, and take the byte for itself */
        screen_take(s, 0xFFFD);
    }
    u32 left = byte >= 0xF0 && byte < 0xF8 ? 3 : byte >= 0xE0 ? 2 : 1;
    if (byte < 0x80 || byte < 0xC2 || byte >= 0xF8) {
        *code = byte < 0x80 ? byte : 0xFFFD;
        return true;
    }
    s->utf8_left = left;
    s->utf8_code = byte & (0x3F >> left);
    return false;
}

void screen_write(struct screen *s, const char *text, size_t len)
{
    for (; len; len--, text++) {
        u32 code = (u8)*text;
        if (s->no_utf8 || decode(s, *text, &code))
            screen_take(s, code);
    }
}
