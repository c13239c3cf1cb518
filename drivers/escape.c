/* Control characters and escape sequences: see screen.h, console_codes(4), ECMA-48. */
#include "drivers/screen.h"
#include "kernel/lib/lib.h"

enum { BACKSPACE = 8, TAB, NEWLINE, VERTICAL_TAB, FORM_FEED, RETURN, SHIFT_OUT, SHIFT_IN };
enum { BELL = 7, CANCEL = 0x18, SUBSTITUTE = 0x1A, ESCAPE = 0x1B, RUBOUT = 0x7F, CSI = 0x9B };

/* The n-th parameter; `otherwise` if it is absent or 0. */
static u32 parameter(const struct screen *s, u32 n, u32 otherwise)
{
    return n < s->nr_parameters && s->parameters[n] ? MIN(s->parameters[n], 9999u) : otherwise;
}

static void reply(struct screen *s, const char *text)
{
    size_t len = strlen(text);
    if (len > sizeof(s->reply) - s->reply_len)
        return;
    memcpy(s->reply + s->reply_len, text, len);
    s->reply_len += len;
}

static void move(struct screen *s, s32 down, s32 right)
{
    /* In the scrolling region the cursor does not leave it. */
    s32 row = s->now.row, low = 0, high = s->rows - 1;
    if (row >= (s32)s->top && row < (s32)s->bottom) {
        low = s->top;
        high = s->bottom - 1;
    }
    bool origin = s->origin;
    s->origin = false;
    screen_goto(s, MIN(MAX(row + down, low), high), (s32)s->now.column + right);
    s->origin = origin;
}

static bool is_tab(const struct screen *s, u32 column)
{
    return s->tabs[column / 8] >> column % 8 & 1;
}

static void set_tab(struct screen *s, bool set)
{
    u8 *byte = &s->tabs[s->now.column / 8], bit = 1u << s->now.column % 8;
    *byte = set ? *byte | bit : *byte & ~bit;
}

/* ---- ESC [ ---- */

static void erase_display(struct screen *s)
{
    u32 at = s->now.row * s->columns + s->now.column, all = s->rows * s->columns;
    switch (parameter(s, 0, 0)) {
    case 0:
        screen_erase(s, at, all);
        break;
    case 1:
        screen_erase(s, 0, at + 1);
        break;
    case 2:
    case 3:
        screen_erase(s, 0, all);
        break;
    }
}

static void erase_line(struct screen *s)
{
    u32 start = s->now.row * s->columns, at = start + s->now.column;
    switch (parameter(s, 0, 0)) {
    case 0:
        screen_erase(s, at, start + s->columns);
        break;
    case 1:
        screen_erase(s, start, at + 1);
        break;
    case 2:
        screen_erase(s, start, start + s->columns);
        break;
    }
}

/* IL and DL act from the cursor to the end of the scrolling region, if it is in it. */
static void move_lines(struct screen *s, s32 up)
{
    if (s->now.row < s->top || s->now.row >= s->bottom)
        return;
    screen_scroll(s, s->now.row, s->bottom, up);
    s->wrap_next = false;
}

static void set_mode(struct screen *s, u32 mode, bool on)
{
    if (s->prefix == '?') {
        switch (mode) {
        case 1:
            s->application_keys = on;
            break;
        case 5:
            if (s->reverse_video != on)
                for (u32 i = 0; i < s->rows * s->columns; i++) {
                    u8 a = s->cells[i] >> 8;
                    a = (a & 0x88) | (((a >> 4) | (a << 4)) & 0x77);
                    s->cells[i] = a << 8 | (s->cells[i] & 0xFF);
                }
            s->reverse_video = on;
            s->dirty_from = 0;
            s->dirty_to = s->rows;
            break;
        case 6:
            s->origin = on;
            screen_goto(s, s->origin ? s->top : 0, 0);
            break;
        case 7:
            s->no_wrap = !on;
            break;
        case 25:
            s->hidden = !on;
            break;
        }
    } else if (mode == 4) {
        s->insert = on;
    }
}

static void report(struct screen *s)
{
    char text[24];
    switch (parameter(s, 0, 0)) {
    case 5:
        reply(s, "\033[0n");
        break;
    case 6:
        snprintf(text, sizeof(text), "\033[%u;%uR", s->now.row - (s->origin ? s->top : 0) + 1,
                 s->now.column + 1);
        reply(s, text);
        break;
    }
}

static void set_region(struct screen *s)
{
    u32 top = parameter(s, 0, 1), bottom = parameter(s, 1, s->rows);
    if (top >= bottom || bottom > s->rows)
        return;
    s->top = top - 1;
    s->bottom = bottom;
    screen_goto(s, s->origin ? s->top : 0, 0);
}

static void restore(struct screen *s)
{
    s->now = s->saved;
    s->wrap_next = false;
}

static void control_sequence(struct screen *s, u32 last)
{
    u32 n = parameter(s, 0, 1);
    s32 origin = s->origin ? s->top : 0;
    if (s->prefix && last != 'h' && last != 'l')
        return; /* what others have invented: of no meaning here */
    switch (last) {
    case '@':
        screen_insert_cells(s, n);
        break;
    case 'A':
        move(s, -(s32)n, 0);
        break;
    case 'B':
    case 'e':
        move(s, n, 0);
        break;
    case 'C':
    case 'a':
        move(s, 0, n);
        break;
    case 'D':
        move(s, 0, -(s32)n);
        break;
    case 'E':
        move(s, n, -(s32)s->columns);
        break;
    case 'F':
        move(s, -(s32)n, -(s32)s->columns);
        break;
    case 'G':
    case '`':
        move(s, 0, (s32)n - 1 - (s32)s->now.column);
        break;
    case 'd':
        screen_goto(s, origin + n - 1, s->now.column);
        break;
    case 'H':
    case 'f':
        screen_goto(s, origin + n - 1, parameter(s, 1, 1) - 1);
        break;
    case 'J':
        erase_display(s);
        break;
    case 'K':
        erase_line(s);
        break;
    case 'L':
        move_lines(s, -(s32)n);
        break;
    case 'M':
        move_lines(s, n);
        break;
    case 'P':
        screen_delete_cells(s, n);
        break;
    case 'S':
        screen_scroll(s, s->top, s->bottom, n);
        break;
    case 'T':
        screen_scroll(s, s->top, s->bottom, -(s32)n);
        break;
    case 'X': {
        u32 at = s->now.row * s->columns + s->now.column;
        screen_erase(s, at, at + MIN(n, s->columns - s->now.column));
        break;
    }
    case 'b':
        for (n = MIN(n, s->rows * s->columns); n && s->last; n--)
            screen_put(s, s->last);
        break;
    case 'c':
        if (!parameter(s, 0, 0))
            reply(s, "\033[?6c"); /* I am a VT102 */
        break;
    case 'g':
        if (!parameter(s, 0, 0))
            set_tab(s, false);
        else if (n == 3)
            memset(s->tabs, 0, sizeof(s->tabs));
        break;
    case 'h':
    case 'l':
        for (u32 i = 0; i < s->nr_parameters; i++)
            set_mode(s, s->parameters[i], last == 'h');
        break;
    case 'm':
        screen_select_look(s);
        break;
    case 'n':
        report(s);
        break;
    case 'r':
        set_region(s);
        break;
    case 's':
        s->saved = s->now;
        break;
    case 'u':
        restore(s);
        break;
    }
}

/* A character of ESC [ parameters last. */
static void take_csi(struct screen *s, u32 c)
{
    if (c >= '0' && c <= '9') {
        if (!s->nr_parameters)
            s->nr_parameters = 1;
        u32 *p = &s->parameters[s->nr_parameters - 1];
        *p = MIN(*p * 10 + c - '0', 99999u);
    } else if (c == ';' || c == ':') {
        if (!s->nr_parameters)
            s->nr_parameters = 1;
        if (s->nr_parameters < SCREEN_PARAMETERS)
            s->parameters[s->nr_parameters++] = 0;
        else
            s->state = STATE_CSI_IGNORE;
    } else if (c >= '<' && c <= '?' && !s->prefix && !s->nr_parameters) {
        s->prefix = c;
    } else if (c == '[' && !s->prefix && !s->nr_parameters) {
        s->state = STATE_LINUX_KEY;
    } else if (c >= '@' && c <= '~') {
        s->state = STATE_TEXT;
        control_sequence(s, c);
    } else {
        s->state = STATE_CSI_IGNORE;
    }
}

/* ---- ESC ---- */

static void start_csi(struct screen *s)
{
    s->state = STATE_CSI;
    s->prefix = 0;
    s->nr_parameters = 0;
    memset(s->parameters, 0, sizeof(s->parameters));
}

static void take_escape(struct screen *s, u32 c)
{
    s->state = STATE_TEXT;
    switch (c) {
    case '[':
        start_csi(s);
        break;
    case ']':
    case 'P':
    case 'X':
    case '^':
    case '_':
        s->state = STATE_STRING;
        break;
    case '(':
        s->state = STATE_CHARSET_0;
        break;
    case ')':
        s->state = STATE_CHARSET_1;
        break;
    case '#':
        s->state = STATE_HASH;
        break;
    case '%':
        s->state = STATE_PERCENT;
        break;
    case 'D':
        screen_line_feed(s);
        break;
    case 'E':
        s->now.column = 0;
        screen_line_feed(s);
        break;
    case 'M':
        screen_reverse_feed(s);
        break;
    case 'H':
        set_tab(s, true);
        break;
    case 'Z':
        reply(s, "\033[?6c");
        break;
    case '7':
        s->saved = s->now;
        break;
    case '8':
        restore(s);
        break;
    case 'c':
        screen_reset(s);
        break;
    }
}

/* The one character behind ESC ( ) # %. */
static void take_selection(struct screen *s, u32 c)
{
    if (s->state == STATE_CHARSET_0 || s->state == STATE_CHARSET_1)
        s->now.graphics[s->state == STATE_CHARSET_1] = c == '0';
    else if (s->state == STATE_PERCENT && (c == '@' || c == 'G' || c == '8'))
        s->no_utf8 = c == '@';
    else if (s->state == STATE_HASH && c == '8') /* DECALN: a screen full of E */
        for (u32 i = 0; i < s->rows * s->columns; i++) {
            s->cells[i] = screen_attribute(s, &s->now.look) << 8 | 'E';
            s->dirty_from = 0;
            s->dirty_to = s->rows;
        }
    s->state = STATE_TEXT;
}

/* ---- control characters, which also act inside of sequences ---- */

static bool take_control(struct screen *s, u32 c)
{
    switch (c) {
    case BACKSPACE:
        if (s->now.column)
            s->now.column--;
        s->wrap_next = false;
        break;
    case TAB:
        do {
            if (s->now.column + 1 >= s->columns)
                break;
            s->now.column++;
        } while (!is_tab(s, s->now.column));
        break;
    case NEWLINE:
    case VERTICAL_TAB:
    case FORM_FEED:
        screen_line_feed(s);
        break;
    case RETURN:
        s->now.column = 0;
        s->wrap_next = false;
        break;
    case SHIFT_OUT:
    case SHIFT_IN:
        s->now.charset = c == SHIFT_OUT;
        break;
    case CANCEL:
    case SUBSTITUTE:
        s->state = STATE_TEXT;
        break;
    case ESCAPE:
        s->state = STATE_ESCAPE;
        break;
    case CSI:
        start_csi(s);
        break;
    default:
        return c < ' ' || c == RUBOUT;
    }
    return true;
}

void screen_take(struct screen *s, u32 code)
{
    if (s->state == STATE_STRING) { /* ends with BEL or ESC \ (whose \ is then an empty ESC \) */
        if (code == BELL || code == CANCEL || code == SUBSTITUTE)
            s->state = STATE_TEXT;
        else if (code == ESCAPE)
            s->state = STATE_ESCAPE;
        return;
    }
    if (take_control(s, code))
        return;
    switch (s->state) {
    case STATE_TEXT:
        screen_put(s, code);
        break;
    case STATE_ESCAPE:
        take_escape(s, code);
        break;
    case STATE_CSI:
        take_csi(s, code);
        break;
    case STATE_CSI_IGNORE:
        if (code >= '@' && code <= '~')
            s->state = STATE_TEXT;
        break;
    case STATE_LINUX_KEY:
        s->state = STATE_TEXT;
        break;
    default:
        take_selection(s, code);
    }
}
