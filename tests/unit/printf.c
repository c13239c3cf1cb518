/*
 * Formatted print: for everything that the kernel's own can do, it says what the C library says.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <limits.h>
#include <string.h>
#include <cmocka.h>

#pragma GCC diagnostic ignored "-Wformat" /* words of 32 bits here, of 64 there */
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#pragma GCC diagnostic ignored "-Wpointer-to-int-cast"

/* The kernel's names are the C library's: here they get names of their own. */
#define vsnprintf kernel_vsnprintf
#define snprintf  kernel_snprintf
#include "kernel/lib/printf.c"
#undef vsnprintf
#undef snprintf

int snprintf(char *buf, size_t size, const char *fmt, ...); /* the C library's */
void *malloc(size_t size);
void free(void *p);

#define ROOM 512
static char got[ROOM], expected[ROOM];

static u32 seed = 1;
static u32 chance(u32 below)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % below;
}

/* Numbers that matter more often than chance would have it: around zero and the powers of two. */
static u64 number(void)
{
    u64 n = (u64)1 << chance(64);
    switch (chance(5)) {
    case 0:
        return n - 1;
    case 1:
        return 0 - n;
    case 2:
        return chance(3);
    case 3:
        return (u64)chance(1u << 24) << 40 ^ (u64)chance(1u << 24) << 20 ^ chance(1u << 24);
    default:
        return n;
    }
}

static void compare(const char *format, int got_len, int expected_len)
{
    if (got_len != expected_len || memcmp(got, expected, ROOM)) {
        fail_msg("\"%s\": expected %d \"%s\", got %d \"%s\"", format, expected_len, expected,
                 got_len, got);
    }
}

/* Both print the same; what is behind the end of the text stays as it was. */
#define SAME(size, ...)                                           \
    do {                                                          \
        memset(got, '~', ROOM);                                   \
        memset(expected, '~', ROOM);                              \
        int got_len = kernel_snprintf(got, size, __VA_ARGS__);    \
        int expected_len = snprintf(expected, size, __VA_ARGS__); \
        compare(FIRST(__VA_ARGS__, 0), got_len, expected_len);    \
    } while (0)
#define FIRST(a, ...) a

/* A random directive: flags, width, precision, given in the format or by arguments. */
struct directive {
    char format[64];
    int stars, star[2];
};

static struct directive directive(const char *length, char conversion, const char *flags)
{
    struct directive d = {.stars = 0};
    char *to = d.format;
    to += snprintf(to, 8, "<%%");
    for (const char *flag = flags; *flag; flag++)
        if (chance(3) == 0)
            *to++ = *flag;
    if (chance(3) == 0) {
        d.star[d.stars++] = (int)chance(41) - (strchr(flags, '-') ? 20 : 0);
        *to++ = '*';
    } else if (chance(2)) {
        to += snprintf(to, 8, "%u", 1 + chance(40));
    }
    if (conversion != 'c' && chance(3) == 0) {
        if (chance(2)) {
            d.star[d.stars++] = (int)chance(30) - 5;
            to += snprintf(to, 8, ".*");
        } else {
            to += snprintf(to, 8, ".%u", chance(25));
        }
    }
    snprintf(to, 16, "%s%c>", length, conversion);
    return d;
}

#define SAME_DIRECTIVE(d, size, value)                               \
    do {                                                             \
        if ((d).stars == 0)                                          \
            SAME(size, (d).format, value);                           \
        else if ((d).stars == 1)                                     \
            SAME(size, (d).format, (d).star[0], value);              \
        else                                                         \
            SAME(size, (d).format, (d).star[0], (d).star[1], value); \
    } while (0)

static size_t random_size(void)
{
    return chance(4) ? ROOM : chance(60);
}

static void random_numbers_print_as_in_the_c_library(void **state)
{
    for (int i = 0; i < 300000; i++) {
        char conversion = "diuxXo"[chance(6)];
        const char *flags = strchr("di", conversion) ? "0-+" : "0-";
        struct directive d =
            directive(i % 2 ? (const char *[]){"", "h", "hh"}[chance(3)] : "ll", conversion, flags);
        size_t size = random_size();
        u64 value = number();
        if (i % 2)
            SAME_DIRECTIVE(d, size, (u32)value);
        else
            SAME_DIRECTIVE(d, size, value);
    }
}

static void random_texts_print_as_in_the_c_library(void **state)
{
    for (int i = 0; i < 100000; i++) {
        char text[40];
        u32 len = chance(sizeof(text));
        for (u32 n = 0; n < len; n++)
            text[n] = (char)(1 + chance(255));
        text[len] = 0;
        struct directive d = directive("", 's', "-");
        size_t size = random_size();
        SAME_DIRECTIVE(d, size, text);
    }
}

static void random_characters_print_as_in_the_c_library(void **state)
{
    for (int i = 0; i < 20000; i++) {
        struct directive d = directive("", 'c', "-");
        int value = (int)chance(256);
        size_t size = random_size();
        SAME_DIRECTIVE(d, size, value);
    }
}

static void several_directives_take_their_arguments_in_turn(void **state)
{
    SAME(ROOM, "%s=%d, %llu%% of 0x%08x; %c%c%-5s|%5s|", "n", -7, 1ull << 40, 0xBEEF, 'a', 'b',
         "xy", "z");
    SAME(ROOM, "%hhd %hd %hhu %hu %hx", 300, 70000, 300, 70000, 70000);
    SAME(ROOM, "no directive at all");
    SAME(ROOM, "");
    SAME(ROOM, "%%");
    SAME(ROOM, "100%% of %d%%", 5);
}

static void the_largest_and_smallest_numbers_are_right(void **state)
{
    SAME(ROOM, "%d %d %d", INT_MIN, INT_MAX, 0);
    SAME(ROOM, "%u %x %X %o", UINT_MAX, UINT_MAX, UINT_MAX, UINT_MAX);
    SAME(ROOM, "%lld %lld %lld", LLONG_MIN, LLONG_MAX, 0ll);
    SAME(ROOM, "%llu %llx %llX %llo", ULLONG_MAX, ULLONG_MAX, ULLONG_MAX, ULLONG_MAX);
    SAME(ROOM, "%llu %llu %llu", 4294967295ull, 4294967296ull, 4294967297ull);
}

static void zero_with_no_digits_prints_none(void **state)
{
    SAME(ROOM, "<%.0d> <%.d> <%5.0u> <%.0x> <%+.0d>", 0, 0, 0, 0, 0);
}

/* ISO C 7.21.6.1: a negative width is a flag "-" and a width; a negative precision is none. */
static void a_negative_width_is_left_aligned(void **state)
{
    SAME(ROOM, "<%*d> <%*s>", -8, 42, -8, "text");
    SAME(ROOM, "<%.*d> <%.*s>", -3, 42, -3, "text");
}

static void long_and_size_are_words_of_32_bits(void **state)
{
    kernel_snprintf(got, ROOM, "%ld %lu %lx %zu %zx", (long)-5, 5ul, 0xABCul, (size_t)77,
                    (size_t)0xF00);
    assert_string_equal(got, "-5 5 abc 77 f00");
}

static void a_pointer_has_eight_digits(void **state)
{
    kernel_snprintf(got, ROOM, "%p %p", (void *)0xC0101234ul, NULL);
    assert_string_equal(got, "c0101234 00000000");
}

static void every_size_cuts_the_text_and_ends_it(void **state)
{
    for (size_t size = 0; size < 40; size++)
        SAME(size, "%d and %s and %08x", -12345, "some text", 0xABCDEF);
}

static void a_text_is_read_no_further_than_its_precision(void **state)
{
    char *unterminated = malloc(4); /* the sanitizer watches its end */
    memcpy(unterminated, "abcd", 4);
    kernel_snprintf(got, ROOM, "%.4s|%.2s|%.0s|%.*s", unterminated, unterminated, unterminated, 3,
                    unterminated);
    assert_string_equal(got, "abcd|ab||abc");
    free(unterminated);
}

static void no_text_is_said(void **state)
{
    const char *volatile nothing = NULL; /* the compiler would see it and warn */

    kernel_snprintf(got, ROOM, "%s", nothing);
    assert_string_equal(got, "(null)");
}

static void an_unknown_conversion_shows_itself(void **state)
{
    assert_int_equal(kernel_snprintf(got, ROOM, "a %q b"), 6);
    assert_string_equal(got, "a %q b");
    kernel_snprintf(got, ROOM, "at the end %");
    assert_string_equal(got, "at the end %");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_numbers_print_as_in_the_c_library),
        cmocka_unit_test(random_texts_print_as_in_the_c_library),
        cmocka_unit_test(random_characters_print_as_in_the_c_library),
        cmocka_unit_test(several_directives_take_their_arguments_in_turn),
        cmocka_unit_test(the_largest_and_smallest_numbers_are_right),
        cmocka_unit_test(zero_with_no_digits_prints_none),
        cmocka_unit_test(a_negative_width_is_left_aligned),
        cmocka_unit_test(long_and_size_are_words_of_32_bits),
        cmocka_unit_test(a_pointer_has_eight_digits),
        cmocka_unit_test(every_size_cuts_the_text_and_ends_it),
        cmocka_unit_test(a_text_is_read_no_further_than_its_precision),
        cmocka_unit_test(no_text_is_said),
        cmocka_unit_test(an_unknown_conversion_shows_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
