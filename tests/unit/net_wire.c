/* Frames as bytes: which ACK may be dropped, what is a header, page borders, checksums. */
// units: kernel/net/wire.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#define ssize_t kernel_ssize_t /* the host's is another */
#include "kernel/net/wire.h"

/* A bare ACK from 10.0.2.2:80 to 10.0.2.15:4660, padded to Ethernet's shortest frame. */
static void build_ack(u8 frame[60], u32 ack)
{
    static const u8 headers[] = {
        0x52, 0x54, 0,    0x12, 0x34, 0x56, 0x52, 0x55, 10, 0, 2, 2, 0x08, 0x00, /* Ethernet */
        0x45, 0,    0,    40,   0,    1,    0,    0,    64, 6, 0, 0, 10,   0,
        2,    2,    10,   0,    2,    15, /* IPv4 */
        0,    80,   0x12, 0x34, 0,    0,    0,    1,    0,  0, 0, 0, 0x50, 0x10,
        0x20, 0,    0,    0,    0,    0,
    };
    memset(frame, 0, 60);
    memcpy(frame, headers, sizeof(headers));
    put_be16(frame + 42, ack >> 16);
    put_be16(frame + 44, ack);
}

static bool superseded(u8 *older, u8 *newer)
{
    struct bare_ack a, b;
    assert_true(bare_ack_parse(older, 60, &a));
    assert_true(bare_ack_parse(newer, 60, &b));
    return bare_ack_supersedes(&b, &a);
}

static void a_bare_ack_is_recognized(void **state)
{
    u8 f[60];
    struct bare_ack a;
    build_ack(f, 0x12345678);
    assert_true(bare_ack_parse(f, 60, &a));
    assert_int_equal(a.ack, 0x12345678);
    assert_int_equal(a.header_len, 20);
    assert_true(bare_ack_parse(f, 54, &a)); /* without padding */
}

static void anything_else_is_not(void **state)
{
    static const struct {
        int offset;
        u8 value;
        const char *what;
    } change[] = {
        {12, 0x86, "another EtherType"},
        {14, 0x46, "IP options"},
        {14, 0x65, "IPv6"},
        {17, 41, "a byte of payload"},
        {16, 5, "a long packet"},
        {20, 0x20, "more fragments"},
        {21, 1, "a later fragment"},
        {23, 17, "UDP"},
        {46, 0x40, "a short header"},
        {46, 0x60, "a longer header"},
        {47, 0x18, "PSH"},
        {47, 0x11, "FIN"},
        {47, 0x12, "SYN"},
        {47, 0x14, "RST"},
        {47, 0x00, "no ACK"},
        {47, 0x30, "URG"},
        {47, 0x50, "ECN-Echo"},
    };
    u8 f[60];
    struct bare_ack a;
    for (size_t i = 0; i < sizeof(change) / sizeof(change[0]); i++) {
        build_ack(f, 1);
        f[change[i].offset] = change[i].value;
        if (bare_ack_parse(f, 60, &a))
            fail_msg("%s was taken for a bare ACK", change[i].what);
    }
    build_ack(f, 1);
    for (u32 len = 0; len < 54; len++)
        assert_false(bare_ack_parse(f, len, &a));
}

static void a_later_ack_supersedes_an_earlier_one(void **state)
{
    u8 a[60], b[60];
    build_ack(a, 1000);
    build_ack(b, 1001);
    assert_true(superseded(a, b));
    assert_false(superseded(b, a)); /* the order counts */
    build_ack(a, 0xFFFFFFF0);
    build_ack(b, 0x10);
    assert_true(superseded(a, b)); /* across 2^32 */
}

static void a_duplicate_is_never_superseded(void **state)
{
    u8 a[60], b[60];
    build_ack(a, 1000);
    build_ack(b, 1000);
    assert_false(superseded(a, b));
    b[49] = 1; /* not even with another window */
    assert_false(superseded(a, b));
}

static void other_connections_do_not_matter(void **state)
{
    static const int offsets[] = {26, 29, 30, 33, 34, 35, 36, 37, 41};
    u8 a[60], b[60];
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        build_ack(a, 1000);
        build_ack(b, 2000);
        b[offsets[i]] ^= 1;
        assert_false(superseded(a, b));
    }
}

static void headers_are_counted_apart(void **state)
{
    u8 f[1600] = {0};
    build_ack(f, 1);
    assert_int_equal(frame_header_bytes(f, 60), 60); /* all of it, padding too */
    put_be16(f + 16, 40 + 1000);
    assert_int_equal(frame_header_bytes(f, 14 + 1040), 54);
    f[46] = 0x80; /* with 12 bytes of options */
    assert_int_equal(frame_header_bytes(f, 14 + 1040), 66);
    f[23] = 17; /* UDP */
    assert_int_equal(frame_header_bytes(f, 14 + 1040), 42);
    f[23] = 1; /* ICMP: no payload of ours */
    assert_int_equal(frame_header_bytes(f, 14 + 1040), 14 + 1040);
}

static void nonsense_has_no_payload(void **state)
{
    u8 f[1600];
    srand(3);
    for (int i = 0; i < 1000000; i++) {
        u32 len = rand() % 200;
        for (u32 j = 0; j < len; j++)
            f[j] = rand();
        if (i % 2 && len > 24) {
            f[12] = 8;
            f[13] = 0;
            f[14] = 0x40 | (rand() & 15);
            f[16] = 0;
            f[23] = i % 4 == 1 ? 6 : 17;
        }
        /* Exactly so many bytes: the sanitizer sees a read behind them. */
        u8 *copy = malloc(len ? len : 1);
        memcpy(copy, f, len);
        struct bare_ack a;
        bare_ack_parse(copy, len, &a);
        assert_true(frame_header_bytes(copy, len) <= len);
        free(copy);
    }
}

static void a_run_is_cut_at_page_boundaries(void **state)
{
    struct netdev_packet p = {.nr_ranges = 0};
    assert_true(packet_add_run(&p, 0x1000F00, 54));
    assert_true(packet_add_run(&p, 0x2000F00, 0x100 + 0x1000 + 5));
    assert_int_equal(p.nr_ranges, 4);
    static const struct netdev_range expected[] = {
        {0x1000F00, 54}, {0x2000F00, 0x100}, {0x2001000, 0x1000}, {0x2002000, 5}};
    for (u32 i = 0; i < 4; i++) {
        assert_int_equal(p.ranges[i].phys, expected[i].phys);
        assert_int_equal(p.ranges[i].len, expected[i].len);
    }
}

static void a_packet_takes_no_more_ranges_than_it_has_room_for(void **state)
{
    struct netdev_packet p = {.nr_ranges = 0};
    for (u32 i = 0; i < NETDEV_MAX_RANGES; i++)
        assert_true(packet_add_run(&p, 0x1000 * (2 * i), 0x1000));
    assert_false(packet_add_run(&p, 0x5000, 1));
    p.nr_ranges = NETDEV_MAX_RANGES - 1;
    assert_false(packet_add_run(&p, 0x5FFF, 2));
}

/* RFC 1071, 1: sixteen bits at a time, carries added at the end. */
static u16 plain_sum(const u8 *data, u32 len)
{
    u32 sum = 0;
    for (u32 i = 0; i < len; i += 2)
        sum += data[i] | (i + 1 < len ? data[i + 1] << 8 : 0);
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return sum;
}

static void checksums_are_those_of_rfc_1071(void **state)
{
    static const u8 example[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    u16 sum = inet_fold(inet_sum(0, example, 8));
    assert_int_equal((u16)(sum << 8 | sum >> 8), 0xddf2);
    u8 data[2000];
    srand(4);
    for (int i = 0; i < 20000; i++) {
        u32 at = rand() % 4, len = rand() % 1900, cut = len / 2 & ~1u;
        for (u32 j = 0; j < len; j++)
            data[at + j] = rand() % 3 ? rand() : 0xFF;
        assert_int_equal(inet_fold(inet_sum(0, data + at, len)), plain_sum(data + at, len));
        u32 parts = inet_sum(inet_sum(0, data + at, cut), data + at + cut, len - cut);
        assert_int_equal(inet_fold(parts), plain_sum(data + at, len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bare_ack_is_recognized),
        cmocka_unit_test(anything_else_is_not),
        cmocka_unit_test(a_later_ack_supersedes_an_earlier_one),
        cmocka_unit_test(a_duplicate_is_never_superseded),
        cmocka_unit_test(other_connections_do_not_matter),
        cmocka_unit_test(headers_are_counted_apart),
        cmocka_unit_test(nonsense_has_no_payload),
        cmocka_unit_test(a_run_is_cut_at_page_boundaries),
        cmocka_unit_test(a_packet_takes_no_more_ranges_than_it_has_room_for),
        cmocka_unit_test(checksums_are_those_of_rfc_1071),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
