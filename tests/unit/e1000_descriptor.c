/* Transmit descriptors: the words that the 8254x manual (3.3.5 ff.) wants. */
// units: drivers/e1000/descriptor.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "drivers/e1000/e1000.h"

static struct netdev_packet packet(u32 nr, u32 len)
{
    struct netdev_packet p;
    memset(&p, 0, sizeof(p));
    p.nr_ranges = nr;
    p.ranges[0] = (struct netdev_range){0x00100000, 54};
    for (u32 i = 1; i < nr; i++)
        p.ranges[i] = (struct netdev_range){0x00200000 + i * 0x1000, len};
    return p;
}

static void descriptors_are_sixteen_bytes(void **state)
{
    assert_int_equal(sizeof(struct e1000_tx_desc), 16);
    assert_int_equal(sizeof(struct e1000_rx_desc), 16);
}

static void a_plain_packet_needs_no_context(void **state)
{
    struct netdev_packet p = packet(1, 0);
    struct e1000_context c;
    struct e1000_tx_desc d;
    assert_false(e1000_context_of(&p, &c));
    e1000_build_data(&d, &p, 0);
    assert_int_equal(d.word[0], 0x00100000);
    assert_int_equal(d.word[1], 0);
    assert_int_equal(d.word[2], 0x2B100000 | 54); /* DEXT RS IFCS EOP, data, length */
    assert_int_equal(d.word[3], 0);
}

static void only_the_last_range_ends_the_packet(void **state)
{
    struct netdev_packet p = packet(3, 4096);
    struct e1000_tx_desc d;
    for (u32 i = 0; i < 3; i++) {
        e1000_build_data(&d, &p, i);
        assert_int_equal(!!(d.word[2] & DCMD_EOP), i == 2);
        assert_int_equal(!!(d.word[2] & DCMD_RS), i == 2);
        assert_int_equal(d.word[2] & 0xFFFFF, i ? 4096 : 54);
        assert_int_equal(d.word[3] & TXD_STA_DD, 0);
    }
}

static void a_checksum_context_says_where_the_headers_are(void **state)
{
    struct netdev_packet p = packet(2, 1460);
    struct e1000_context c;
    struct e1000_tx_desc d;
    p.csum_ip = p.csum_tcp = true;
    p.header_len = 54;
    assert_true(e1000_context_of(&p, &c));
    e1000_build_context(&d, &c);
    assert_int_equal(d.word[0], 14 | 24 << 8 | 33 << 16);
    assert_int_equal(d.word[1], 34 | 50 << 8 | 0 << 16);
    assert_int_equal(d.word[2], 0x23000000); /* DEXT, TUCMD: IP and TCP */
    assert_int_equal(d.word[3], 0);
    e1000_build_data(&d, &p, 0);
    assert_int_equal(d.word[3], 0x300); /* POPTS: IXSM and TXSM */
}

static void a_tso_context_says_how_to_cut(void **state)
{
    struct netdev_packet p = packet(9, 4015);
    struct e1000_context c;
    struct e1000_tx_desc d;
    p.csum_ip = p.csum_tcp = true;
    p.header_len = 54;
    p.mss = 1460;
    assert_true(e1000_context_of(&p, &c));
    e1000_build_context(&d, &c);
    assert_int_equal(d.word[2], 0x27000000 | 8 * 4015); /* TSE, and PAYLEN without headers */
    assert_int_equal(d.word[3], 54 << 8 | 1460u << 16);
    e1000_build_data(&d, &p, 4);
    assert_true(d.word[2] & DCMD_TSE);
}

static void a_context_is_written_again_only_when_it_says_something_else(void **state)
{
    struct netdev_packet a = packet(2, 1460), b = packet(2, 100), t = packet(9, 4000);
    struct e1000_context none = {.valid = false}, ca, cb, ct;
    a.csum_ip = a.csum_tcp = b.csum_ip = b.csum_tcp = t.csum_ip = t.csum_tcp = true;
    a.header_len = b.header_len = t.header_len = 54;
    assert_true(e1000_context_of(&a, &ca) && e1000_context_of(&b, &cb));
    assert_false(e1000_context_same(&ca, &none));
    assert_true(e1000_context_same(&ca, &cb)); /* lengths do not matter for checksums, */
    t.mss = 1460;
    assert_true(e1000_context_of(&t, &ct));
    assert_false(e1000_context_same(&ca, &ct));
    t.ranges[8].len--;
    assert_true(e1000_context_of(&t, &cb));
    assert_false(e1000_context_same(&cb, &ct)); /* but for TSO they do */
}

static void one_slot_of_the_ring_stays_free(void **state)
{
    assert_int_equal(e1000_ring_free(0, 0, 256), 255);
    assert_int_equal(e1000_ring_free(255, 0, 256), 0);
    assert_int_equal(e1000_ring_free(10, 11, 256), 0);
    assert_int_equal(e1000_ring_free(250, 5, 256), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_sixteen_bytes),
        cmocka_unit_test(a_plain_packet_needs_no_context),
        cmocka_unit_test(only_the_last_range_ends_the_packet),
        cmocka_unit_test(a_checksum_context_says_where_the_headers_are),
        cmocka_unit_test(a_tso_context_says_how_to_cut),
        cmocka_unit_test(a_context_is_written_again_only_when_it_says_something_else),
        cmocka_unit_test(one_slot_of_the_ring_stays_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
