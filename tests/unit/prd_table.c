/* PRD tables: few descriptors, none across 64 KiB, exactly the bytes that were asked for. */
// units: drivers/ide/prd.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include "drivers/ide/prd.h"

#define TABLE_SIZE 8
static struct prd entries[TABLE_SIZE];

static struct prd_table empty_table(void)
{
    return (struct prd_table){.entry = entries, .nr = 0, .max = TABLE_SIZE};
}

static void assert_entry(const struct prd_table *t, u32 i, u32 base, u16 count)
{
    assert_true(i < t->nr);
    assert_int_equal(t->entry[i].base, base);
    assert_int_equal(t->entry[i].count, count);
}

static void an_entry_is_eight_bytes(void **state)
{
    assert_int_equal(sizeof(struct prd), 8);
    assert_int_equal(PRD_PER_PAGE, 512);
}

static void neighbours_share_a_descriptor(void **state)
{
    struct prd_table t = empty_table();
    assert_true(prd_add(&t, 0x10000, 4096));
    assert_true(prd_add(&t, 0x11000, 4096));
    assert_true(prd_add(&t, 0x13000, 512));
    assert_int_equal(t.nr, 2);
    assert_entry(&t, 0, 0x10000, 8192);
    assert_entry(&t, 1, 0x13000, 512);
}

static void a_full_region_is_written_as_zero(void **state)
{
    struct prd_table t = empty_table();
    for (u32 i = 0; i < 16; i++)
        assert_true(prd_add(&t, 0x20000 + i * 4096, 4096));
    assert_int_equal(t.nr, 1);
    assert_entry(&t, 0, 0x20000, 0);
    /* And what follows is not taken for the 0 bytes behind it. */
    assert_true(prd_add(&t, 0x30000, 4096));
    assert_int_equal(t.nr, 2);
    assert_entry(&t, 1, 0x30000, 4096);
}

static void no_descriptor_crosses_64_kib(void **state)
{
    struct prd_table t = empty_table();
    assert_true(prd_add(&t, 0x1F000, 4096));
    assert_true(prd_add(&t, 0x20000, 4096)); /* touches, but across the boundary */
    assert_int_equal(t.nr, 2);

    t = empty_table();
    assert_true(prd_add(&t, 0x1FE00, 1024)); /* one range that crosses */
    assert_int_equal(t.nr, 2);
    assert_entry(&t, 0, 0x1FE00, 512);
    assert_entry(&t, 1, 0x20000, 512);
}

static void a_table_that_is_full_stays_as_it_was(void **state)
{
    struct prd_table t = empty_table();
    for (u32 i = 0; i < TABLE_SIZE; i++)
        assert_true(prd_add(&t, 0x100000 + i * 8192, 4096));
    assert_false(prd_add(&t, 0x500000, 512));
    assert_int_equal(t.nr, TABLE_SIZE);
    /* The last one could grow up to the boundary, but the rest would have no room. */
    t.nr = TABLE_SIZE - 1;
    assert_true(prd_add(&t, 0x60F000, 512));
    assert_false(prd_add(&t, 0x60F200, 4096));
    assert_int_equal(t.nr, TABLE_SIZE);
    assert_entry(&t, TABLE_SIZE - 1, 0x60F000, 512);
}

static void odd_and_empty_ranges_are_refused(void **state)
{
    struct prd_table t = empty_table();
    assert_false(prd_add(&t, 0x1001, 512));
    assert_false(prd_add(&t, 0x1000, 511));
    assert_false(prd_add(&t, 0x1000, 0));
    assert_int_equal(t.nr, 0);
}

static void only_the_last_is_marked(void **state)
{
    struct prd_table t = empty_table();
    prd_add(&t, 0x1000, 512);
    prd_add(&t, 0x3000, 512);
    prd_end(&t);
    assert_int_equal(t.entry[0].flags, 0);
    assert_int_equal(t.entry[1].flags, PRD_END_OF_TABLE);
}

/* Any mix of ranges: the bytes described are those given, in order, and the rules hold. */
static void random_ranges_are_described_exactly(void **state)
{
    u32 seed = 1;
    for (int round = 0; round < 2000; round++) {
        static struct prd big[PRD_PER_PAGE];
        struct prd_table t = {.entry = big, .max = PRD_PER_PAGE};
        static u32 given[256][2];
        u32 n = 0, phys = 0;
        for (; n < 256; n++) {
            seed = seed * 1664525 + 1013904223;
            if (n == 0 || seed >> 30 == 0)
                phys = (seed >> 3 & 0xFFFF) << 9;
            u32 len = ((seed >> 20 & 7) + 1) * 512;
            given[n][0] = phys;
            given[n][1] = len;
            assert_true(prd_add(&t, phys, len));
            phys += len;
        }
        prd_end(&t);
        u32 i = 0, used = 0;
        for (u32 e = 0; e < t.nr; e++) {
            u32 base = t.entry[e].base, len = t.entry[e].count ? t.entry[e].count : PRD_REGION;
            assert_int_equal(base / PRD_REGION, (base + len - 1) / PRD_REGION);
            while (len) {
                assert_true(i < n);
                assert_int_equal(base, given[i][0] + used);
                u32 piece = len < given[i][1] - used ? len : given[i][1] - used;
                base += piece;
                len -= piece;
                used += piece;
                if (used == given[i][1]) {
                    i++;
                    used = 0;
                }
            }
        }
        assert_int_equal(i, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_is_eight_bytes),
        cmocka_unit_test(neighbours_share_a_descriptor),
        cmocka_unit_test(a_full_region_is_written_as_zero),
        cmocka_unit_test(no_descriptor_crosses_64_kib),
        cmocka_unit_test(a_table_that_is_full_stays_as_it_was),
        cmocka_unit_test(odd_and_empty_ranges_are_refused),
        cmocka_unit_test(only_the_last_is_marked),
        cmocka_unit_test(random_ranges_are_described_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
