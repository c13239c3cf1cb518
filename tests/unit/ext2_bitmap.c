/* Bitmaps: every function against a plain array of booleans, at every place and length. */
// units: kernel/fs/ext2/bitmap.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "kernel/fs/ext2/layout.h"
#include "kernel/lib/lib.h"

#define BITS 256u

static _Alignas(4) u8 map[BITS / 8];
static bool model[BITS];

static void fill(unsigned seed, unsigned density)
{
    memset(map, 0, sizeof(map));
    for (u32 n = 0; n < BITS; n++) {
        seed = seed * 1664525 + 1013904223;
        model[n] = (seed >> 16) % 100 < density;
        if (model[n])
            map[n / 8] |= (u8)(1u << n % 8);
    }
}

static u32 model_run(u32 first, u32 max, bool value)
{
    u32 n = 0;
    while (n < max && model[first + n] == value)
        n++;
    return n;
}

static void bits_are_found_where_they_are(void **state)
{
    static const unsigned densities[] = {0, 3, 50, 97, 100};
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        fill(i + 1, densities[i]);
        for (u32 from = 0; from <= BITS; from++) {
            for (u32 end = from; end <= BITS; end++) {
                u32 free_at = from + model_run(from, end - from, true);
                assert_int_equal(ext2_bits_find_clear(map, from, end), free_at);
                assert_int_equal(ext2_bits_clear_run(map, from, end - from),
                                 model_run(from, end - from, false));
                assert_int_equal(ext2_bits_set_run(map, from, end - from),
                                 model_run(from, end - from, true));
            }
        }
    }
}

static void only_the_bits_asked_for_change(void **state)
{
    (void)state;
    for (u32 first = 0; first < BITS; first += 3) {
        for (u32 count = 0; count <= BITS - first; count += 5) {
            bool value = (first + count) % 2;
            fill(first * 257 + count, 50);
            ext2_bits_set(map, first, count, value);
            for (u32 n = 0; n < BITS; n++)
                assert_int_equal(ext2_bit(map, n), n - first < count ? value : model[n]);
        }
    }
}

static void nothing_behind_the_end_is_read(void **state)
{
    (void)state;
    u32 exact[2] = {~0u, ~0u}; /* the sanitizer watches its end */
    for (u32 from = 0; from <= 64; from++)
        assert_int_equal(ext2_bits_find_clear(exact, from, 64), 64);
    assert_int_equal(ext2_bits_set_run(exact, 1, 63), 63);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_are_found_where_they_are),
        cmocka_unit_test(only_the_bits_asked_for_change),
        cmocka_unit_test(nothing_behind_the_end_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
