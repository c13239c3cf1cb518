/* The screen: what programs for TERM=linux send, and what is then to be seen. */
// units: drivers/screen.c drivers/escape.c drivers/look.c drivers/glyph.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#define ssize_t kernel_ssize_t /* the host's is another */
#include "drivers/screen.h"

enum { ROWS = 5, COLUMNS = 10 };
static u16 cells[ROWS * COLUMNS + 2]; /* and one on each side, to be left alone */
static struct screen s;

static int blank(void **state)
{
    cells[0] = cells[ROWS * COLUMNS + 1] = 0xBEEF;
    screen_init(&s, cells + 1, ROWS, COLUMNS);
    return 0;
}

static int untouched(void **state)
{
    return cells[0] == 0xBEEF && cells[ROWS * COLUMNS + 1] == 0xBEEF ? 0 : -1;
}

static void write_text(const char *text)
{
    screen_write(&s, text, strlen(text));
}

/* The rows as text, each with its trailing blanks cut, joined by '|'. */
static const char *shown(void)
{
    static char text[ROWS * (COLUMNS + 1) + 1];
    char *p = text;
    for (u32 row = 0; row < ROWS; row++) {
        char *end = p;
        for (u32 column = 0; column < COLUMNS; column++) {
            *p++ = (char)s.cells[row * COLUMNS + column];
            if (p[-1] != ' ')
                end = p;
        }
        p = end;
        *p++ = '|';
    }
    p[-1] = 0;
    return text;
}

static void expect(const char *typed, const char *screen, u32 row, u32 column)
{
    write_text(typed);
    assert_string_equal(shown(), screen);
    assert_int_equal(s.now.row, row);
    assert_int_equal(s.now.column, column);
}

static u8 attribute(u32 row, u32 column)
{
    return s.cells[row * COLUMNS + column] >> 8;
}

static void text_goes_on_in_the_next_line(void **state)
{
    expect("0123456789", "0123456789||||", 0, 9);
    expect("a", "0123456789|a|||", 1, 1);
    expect("\r\n\n\nlast\r\nmore", "a|||last|more", 4, 4);
}

static void a_full_line_waits_for_the_next_character(void **state)
{
    expect("0123456789\r\nx", "0123456789|x|||", 1, 1);
    blank(NULL);
    expect("\033[?7l0123456789ab", "012345678b||||", 0, 9);
}

static void control_characters(void **state)
{
    expect("ab\bc", "ac||||", 0, 2);
    expect("\r\b\bx", "xc||||", 0, 1);
    expect("\ty", "xc      y||||", 0, 9);
    expect("\t\t", "xc      y||||", 0, 9);
    expect("\a\177", "xc      y||||", 0, 9);
}

static void the_cursor_moves_and_stays_on_the_screen(void **state)
{
    expect("\033[3;4Hx", "||   x||", 2, 4);
    expect("\033[Ay\033[2Bz", "|    y|   x|     z|", 3, 6);
    expect("\033[99A\033[99D", "|    y|   x|     z|", 0, 0);
    expect("\033[99B\033[99C", "|    y|   x|     z|", 4, 9);
    expect("\033[2G\033[2d", "|    y|   x|     z|", 1, 1);
    expect("\033[E", "|    y|   x|     z|", 2, 0);
    expect("\033[Ca\033[F", "|    y| a x|     z|", 1, 0);
    expect("\033[H\033[99;99H", "|    y| a x|     z|", 4, 9);
}

static void erasing(void **state)
{
    const char *full = "\033[H0123456789abcdefghijABCDEFGHIJ";
    write_text(full);
    expect("\033[2;4H\033[K", "0123456789|abc|ABCDEFGHIJ||", 1, 3);
    expect("\033[3;4H\033[1K", "0123456789|abc|    EFGHIJ||", 2, 3);
    expect("\033[2K", "0123456789|abc|||", 2, 3);
    write_text(full);
    expect("\033[2;4H\033[J", "0123456789|abc|||", 1, 3);
    write_text(full);
    expect("\033[2;4H\033[1J", "|    efghij|ABCDEFGHIJ||", 1, 3);
    expect("\033[3;2H\033[3X", "|    efghij|A   EFGHIJ||", 2, 1);
    expect("\033[2J", "||||", 2, 1);
}

static void inserting_and_deleting(void **state)
{
    write_text("0123456789\r\nabc\r\ndef\r\nghi\r\njkl");
    expect("\033[1;3H\033[2@", "01  234567|abc|def|ghi|jkl", 0, 2);
    expect("\033[3P", "0134567|abc|def|ghi|jkl", 0, 2);
    expect("\033[4hxy\033[4l", "01xy34567|abc|def|ghi|jkl", 0, 4);
    expect("\033[2;2H\033[L", "01xy34567||abc|def|ghi", 1, 1);
    expect("\033[2M", "01xy34567|def|ghi||", 1, 1);
    expect("\033[99M", "01xy34567||||", 1, 1);
}

static void a_region_scrolls_and_the_rest_stays(void **state)
{
    write_text("a\r\nb\r\nc\r\nd\r\ne\033[2;4r");
    expect("\033[4;1H\n", "a|c|d||e", 3, 0);
    expect("\033[2;1H\033M", "a||c|d|e", 1, 0);
    expect("\033[S", "a|c|d||e", 1, 0);
    expect("\033[T", "a||c|d|e", 1, 0);
    expect("\033[5;1H\n", "a||c|d|e", 4, 0);
    expect("\033[?6h\033[2;2Hx", "a||cx|d|e", 2, 2);
    expect("\033[9B", "a||cx|d|e", 3, 2);
}

static void looks(void **state)
{
    write_text("a\033[31mb\033[1mc\033[0;44md\033[7me\033[0;4mf\033[22;24;92mg\033[mh");
    static const u8 expected[] = {0x07, 0x04, 0x0C, 0x17, 0x71, 0x03, 0x0A, 0x07};
    for (u32 i = 0; i < sizeof(expected); i++)
        assert_int_equal(attribute(0, i), expected[i]);
    write_text("\033[2;1H\033[38;5;9mi\033[38;2;0;0;255mj\033[39;48;5;2mk\033[49ml");
    static const u8 more[] = {0x0C, 0x09, 0x27, 0x07};
    for (u32 i = 0; i < sizeof(more); i++)
        assert_int_equal(attribute(1, i), more[i]);
    write_text("\033[0;1;31;42m\033[K");
    assert_int_equal(attribute(1, 9), 0x24); /* erased: the colours, but not bold */
}

static void saved_and_brought_back(void **state)
{
    write_text("\033[2;3H\033[31m\0337\033[m\033[5;5H\0338x");
    assert_string_equal(shown(), "|  x|||");
    assert_int_equal(attribute(1, 2), 0x04);
    expect("\033[s\033[H\033[u", "|  x|||", 1, 3);
}

static void it_answers(void **state)
{
    write_text("\033[3;4H\033[6n");
    assert_int_equal(s.reply_len, 6);
    assert_memory_equal(s.reply, "\033[3;4R", 6);
    s.reply_len = 0;
    write_text("\033[5n\033[c");
    assert_int_equal(s.reply_len, 9);
    assert_memory_equal(s.reply, "\033[0n\033[?6c", 9);
    for (int i = 0; i < 100; i++) /* nobody fetches them: they do not run over */
        write_text("\033[6n");
    assert_in_range(s.reply_len, 9, sizeof(s.reply));
}

static void letters_of_the_world(void **state)
{
    expect("\303\244\342\224\200\342\202\254x", "\204\304?x||||", 0, 4);
    expect("\r\303x\377", "?x?x||||", 0, 3);
    expect("\r\033(0qx\033(Bq", "\304\263qx||||", 0, 3);
    expect("\r\016\033)0l\017l", "\332lqx||||", 0, 2);
}

static void what_is_not_known_is_not_shown(void **state)
{
    expect("\033[?1049ha\033[>c\033[=3hb\033]0;a title\ac\033]2;t\033\\d\033P1$x\033\\e\033[[Af",
           "abcdef||||", 0, 6);
    expect("\033[1;2;3;4;5;6;7;8;9;10;11;12;13;14;15;16;17;18mg", "abcdefg||||", 0, 7);
    expect("\033[12\030h", "abcdefgh||||", 0, 8);
    expect("\r\033[2\nCx", "abcdefgh|  x|||", 1, 3); /* a newline amidst acts at once */
}

static void modes(void **state)
{
    write_text("\033[?25l\033[?1h");
    assert_true(s.hidden && s.application_keys);
    write_text("\033[?25;1l\033[?25h");
    assert_false(s.hidden || s.application_keys);
    expect("abc\033[3b", "abcccc||||", 0, 6);
    expect("\033[31m\033cx", "x||||", 0, 1);
    assert_int_equal(attribute(0, 0), 0x07);
}

static void what_changed_is_said(void **state)
{
    s.dirty_from = s.dirty_to = 0;
    write_text("\033[3;1H");
    assert_int_equal(s.dirty_from, s.dirty_to);
    write_text("x\ny");
    assert_int_equal(s.dirty_from, 2);
    assert_int_equal(s.dirty_to, 4);
}

/* Whatever comes: nothing outside of the screen is written (the sanitizers look on, too). */
static void noise_does_no_harm(void **state)
{
    static const char pieces[] =
        "\033\033\033[[[;;;?0123456789ABCDEFGHJKLMPSTXZ@abcdefghlmnrsu()#%]\n\r\b\t"
        "\016\017\303\244xyz\377\233\030\a78";
    u32 seed = 1;
    for (int i = 0; i < 300000; i++) {
        seed = seed * 1103515245 + 12345;
        screen_write(&s, &pieces[(seed >> 8) % (sizeof(pieces) - 1)], 1);
        assert_true(s.now.row < ROWS && s.now.column < COLUMNS && s.top < s.bottom &&
                    s.bottom <= ROWS && s.dirty_to <= ROWS);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, blank, untouched)
    const struct CMUnitTest tests[] = {
        TEST(text_goes_on_in_the_next_line),
        TEST(a_full_line_waits_for_the_next_character),
        TEST(control_characters),
        TEST(the_cursor_moves_and_stays_on_the_screen),
        TEST(erasing),
        TEST(inserting_and_deleting),
        TEST(a_region_scrolls_and_the_rest_stays),
        TEST(looks),
        TEST(saved_and_brought_back),
        TEST(it_answers),
        TEST(letters_of_the_world),
        TEST(what_is_not_known_is_not_shown),
        TEST(modes),
        TEST(what_changed_is_said),
        TEST(noise_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
