/* A text under way: what fits is there, what does not is cut, and nothing is ever overrun. */
// units: kernel/lib/text.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/text.h"

static void what_fits_is_there(void **state)
{
    char room[16];
    struct text t = TEXT_IN(room);
    text_printf(&t, "%u and ", 7u);
    text_string(&t, "eight");
    assert_int_equal(t.len, 11);
    assert_memory_equal(room, "7 and eight", 11);
    assert_false(t.cut);
}

static void what_does_not_fit_is_cut(void **state)
{
    char room[9] = "........X";
    struct text t = {.at = room, .room = 8};
    text_printf(&t, "%s", "0123456789");
    text_string(&t, "more");
    assert_memory_equal(room, "01234567X", 9);
    assert_int_equal(t.len, 8);
    assert_true(t.cut);
}

static void exactly_full_is_not_cut(void **state)
{
    char room[4];
    struct text t = TEXT_IN(room);
    text_bytes(&t, "abcd", 4);
    assert_false(t.cut);
    text_bytes(&t, "", 0);
    assert_false(t.cut);
    text_bytes(&t, "e", 1);
    assert_true(t.cut);
}

static char pieces[3][5];
static unsigned given;

static bool another(struct text *t)
{
    if (given == 3)
        return false;
    t->at = pieces[given++];
    t->room = 5;
    return true;
}

static void it_goes_on_in_the_next_piece_until_there_is_none(void **state)
{
    struct text t = {.more = another};
    text_string(&t, "0123456789abcdefgh");
    assert_memory_equal(pieces, "0123456789abcde", 15);
    assert_int_equal(t.len, 15);
    assert_true(t.cut);
    text_string(&t, "after that nothing is asked for");
    assert_int_equal(given, 3);
}

static void one_printf_has_a_limit(void **state)
{
    char room[2 * TEXT_PRINTF_MAX];
    struct text t = TEXT_IN(room);
    text_printf(&t, "%*d", 2 * TEXT_PRINTF_MAX, 1);
    assert_int_equal(t.len, TEXT_PRINTF_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_there),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(exactly_full_is_not_cut),
        cmocka_unit_test(it_goes_on_in_the_next_piece_until_there_is_none),
        cmocka_unit_test(one_printf_has_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
