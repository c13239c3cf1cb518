/* The send queue: what goes in comes out in order, once, and every reference is given back. */
// units: kernel/net/sendq.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#define ssize_t kernel_ssize_t /* the host's is another */
#include "kernel/mm/heap.h"
#include "kernel/net/sendq.h"

/* The kernel around the queue: pages and accounts that only count. */
#define NR_PAGES 64
static struct page frame[NR_PAGES];
static struct account alice, bob;
struct page *pages = frame;

void *kmalloc(size_t size)
{
    return malloc(size);
}
void kfree(void *p)
{
    free(p);
}
void page_put(struct page *page, enum holder holder)
{
    assert_int_equal(holder, HOLD_SOCK);
    assert_true(page->refs > 0);
    page->refs--;
}
struct account *account_get(struct account *a)
{
    a->refs++;
    return a;
}
void account_put(struct account *a)
{
    assert_true(a->refs > 0);
    a->refs--;
}

static struct sendq q;

static int fresh(void **state)
{
    memset(frame, 0, sizeof(frame));
    alice.refs = bob.refs = 0;
    sendq_init(&q, 0xFFFFFF00u, 256 << 10); /* the sequence numbers soon pass 2^32 */
    assert_int_equal(sendq_prepare(&q), 0);
    return 0;
}

static int nothing_left(void **state)
{
    sendq_free(&q);
    for (int i = 0; i < NR_PAGES; i++)
        assert_int_equal(frame[i].refs, 0);
    assert_int_equal(alice.refs, 0);
    assert_int_equal(bob.refs, 0);
    return 0;
}

static struct frag piece(int page, u32 offset, u32 len)
{
    return (struct frag){&frame[page], offset, len};
}

static void push(int page, u32 offset, u32 len, struct account *who)
{
    frame[page].refs++;
    sendq_push(&q, piece(page, offset, len), who);
}

static void expect_run(u32 max, int page, u32 offset, u32 len)
{
    struct frag run;
    assert_int_equal(sendq_run(&q, max, &run), len);
    assert_ptr_equal(run.page, &frame[page]);
    assert_int_equal(run.offset, offset);
}

static void sequence_numbers_count_the_bytes(void **state)
{
    push(0, 0, 4096, &alice);
    push(5, 100, 200, &alice);
    assert_int_equal(q.end, 0xFFFFFF00u + 4296);
    assert_int_equal(sendq_bytes(&q), 4296);
    assert_int_equal(sendq_space(&q), (256 << 10) - 4296);
    assert_int_equal(sendq_unwritten(&q), 4296);
}

static void neighbouring_pages_are_one_run(void **state)
{
    push(3, 1000, 3096, &alice);
    push(4, 0, 4096, &alice);
    push(5, 0, 10, &alice);
    push(7, 0, 10, &alice); /* page 6 is missing */
    expect_run(1 << 20, 3, 1000, 3096 + 4096 + 10);
    expect_run(5000, 3, 1000, 5000);
    sendq_wrote(&q, 5000);
    expect_run(1 << 20, 4, 5000 - 3096, 4096 + 10 - (5000 - 3096));
    sendq_wrote(&q, 4096 + 10 - (5000 - 3096));
    expect_run(1 << 20, 7, 0, 10);
    sendq_wrote(&q, 10);
    struct frag run;
    assert_int_equal(sendq_run(&q, 1 << 20, &run), 0);
    assert_int_equal(q.written, q.end);
}

static void pages_that_only_look_adjacent_are_not_merged(void **state)
{
    push(3, 0, 4000, &alice); /* does not reach its page's end */
    push(4, 0, 4096, &alice);
    expect_run(1 << 20, 3, 0, 4000);
}

static void a_page_stays_until_its_last_byte_is_acknowledged(void **state)
{
    push(0, 0, 4096, &alice);
    push(1, 0, 4096, &alice);
    sendq_wrote(&q, 8192);
    sendq_release(&q, q.una + 4095);
    assert_int_equal(frame[0].refs, 1);
    sendq_release(&q, q.una + 4096); /* passes 2^32 */
    assert_int_equal(frame[0].refs, 0);
    assert_int_equal(frame[1].refs, 1);
    assert_int_equal(sendq_bytes(&q), 4096);
    sendq_release(&q, q.end + 1); /* the FIN counts one */
    assert_true(sendq_empty(&q));
}

static void what_the_stack_does_not_have_is_never_released(void **state)
{
    push(0, 0, 100, &alice);
    sendq_wrote(&q, 99);
    sendq_release(&q, q.end);
    assert_int_equal(frame[0].refs, 1);
}

static void bytes_behind_the_last_fragment_extend_it(void **state)
{
    push(0, 0, 100, &alice);
    assert_true(sendq_extend(&q, piece(0, 100, 50), &alice));
    assert_false(sendq_extend(&q, piece(0, 151, 50), &alice)); /* a hole */
    assert_false(sendq_extend(&q, piece(1, 150, 50), &alice)); /* another page */
    assert_false(sendq_extend(&q, piece(0, 150, 50), &bob));   /* another payer */
    expect_run(1000, 0, 0, 150);
    sendq_wrote(&q, 150);
    assert_false(sendq_extend(&q, piece(0, 150, 50), &alice)); /* it is gone */
}

static void the_ring_has_an_end(void **state)
{
    for (u32 i = 0; i < SENDQ_FRAGS; i++) {
        assert_true(sendq_space(&q) > 0);
        push(i % NR_PAGES, i, 1, &alice);
    }
    assert_int_equal(sendq_space(&q), 0);
    sendq_wrote(&q, SENDQ_FRAGS);
    sendq_release(&q, q.una + 10);
    assert_int_equal(sendq_space(&q), (256 << 10) - (SENDQ_FRAGS - 10));
    push(0, 0, 1, &alice);
}

static void the_limit_is_kept(void **state)
{
    q.limit = 5000;
    push(0, 0, 4096, &alice);
    assert_int_equal(sendq_space(&q), 904);
    push(1, 0, 904, &alice);
    assert_int_equal(sendq_space(&q), 0);
    q.limit = 100; /* made smaller while more is queued */
    assert_int_equal(sendq_space(&q), 0);
}

static void copies_fill_a_page_to_its_end(void **state)
{
    struct frag room;
    bool share;
    assert_false(sendq_room(&q, 0, &room, &share));
    frame[0].kind = PAGE_SOCK;
    frame[0].index = SENDQ_FILLED;
    push(0, 0, 1000, &alice);
    assert_true(sendq_room(&q, 0, &room, &share));
    assert_false(share);
    assert_int_equal(room.offset, 1000);
    assert_int_equal(room.len, 3096);
    assert_false(sendq_room(&q, 1460, &room, &share)); /* the layout has changed */
    push(1, 0, 10, &alice);                            /* a page of the cache lies behind it */
    assert_false(sendq_room(&q, 0, &room, &share));
}

static void slots_hold_one_segment_each_behind_their_headroom(void **state)
{
    struct frag room;
    bool share;
    frame[0].kind = PAGE_SOCK;
    frame[0].index = SENDQ_SLOTS;
    push(0, SLOT_HEADROOM, 1000, &alice);
    assert_true(sendq_room(&q, 1460, &room, &share)); /* the first slot is filled up */
    assert_false(share);
    assert_int_equal(room.offset, SLOT_HEADROOM + 1000);
    assert_int_equal(room.len, 460);
    room.len = 460;
    assert_true(sendq_extend(&q, room, &alice));
    assert_true(sendq_room(&q, 1460, &room, &share)); /* then comes the page's second */
    assert_true(share);
    assert_int_equal(room.offset, SLOT_SIZE + SLOT_HEADROOM);
    assert_int_equal(room.len, 1460);
    push(0, SLOT_SIZE + SLOT_HEADROOM, 1460, &alice);
    assert_false(sendq_room(&q, 1460, &room, &share));
    expect_run(1 << 20, 0, SLOT_HEADROOM, 1460); /* runs end with their slots */
}

static void a_slot_of_which_a_part_was_sent_is_not_filled_further(void **state)
{
    struct frag room;
    bool share;
    frame[0].kind = PAGE_SOCK;
    frame[0].index = SENDQ_SLOTS;
    push(0, SLOT_HEADROOM, 1000, &alice);
    sendq_wrote(&q, 1);
    assert_true(sendq_room(&q, 1460, &room, &share));
    assert_true(share);
    assert_int_equal(room.offset, SLOT_SIZE + SLOT_HEADROOM);
}

static void a_fragment_that_is_being_filled_waits(void **state)
{
    push(0, 0, 100, &alice);
    push(1, 0, 50, &alice);
    q.filling = true;
    assert_int_equal(sendq_unwritten(&q), 100);
    sendq_wrote(&q, 100);
    assert_int_equal(sendq_unwritten(&q), 0);
    q.filling = false;
    assert_int_equal(sendq_unwritten(&q), 50);
}

static void a_byte_is_sent_for_the_first_time_once(void **state)
{
    u32 start = q.end;
    push(0, 0, 4096, &alice);
    assert_int_equal(sendq_first_sent(&q, start, 1460), 1460);
    sendq_mark_sent(&q, start + 1460);
    assert_int_equal(sendq_first_sent(&q, start, 1460), 0);
    assert_int_equal(sendq_first_sent(&q, start, 2000), 540); /* a longer segment than before */
    assert_int_equal(sendq_first_sent(&q, start + 1460, 100), 100);
    sendq_mark_sent(&q, start + 100); /* a retransmission does not lower the mark */
    assert_int_equal(sendq_first_sent(&q, start, 1460), 0);
}

static void only_bytes_that_are_kept_may_be_sent(void **state)
{
    u32 start = q.end;
    push(0, 0, 1000, &alice);
    push(1, 0, 1000, &alice);
    assert_false(sendq_has(&q, start, 1)); /* the stack does not have it */
    sendq_wrote(&q, 2000);
    assert_true(sendq_has(&q, start, 2000));
    assert_false(sendq_has(&q, start, 2001));
    sendq_release(&q, start + 1000);
    assert_false(sendq_has(&q, start + 999, 1)); /* its page may hold something else by now */
    assert_true(sendq_has(&q, start + 1000, 1000));
}

static void each_writer_pays_for_its_bytes(void **state)
{
    u32 start = q.end, len;
    push(0, 0, 100, &alice);
    push(0, 100, 200, &bob);
    push(0, 300, 50, &alice);
    assert_ptr_equal(sendq_payer(&q, start, &len), &alice);
    assert_int_equal(len, 100);
    assert_ptr_equal(sendq_payer(&q, start + 150, &len), &bob);
    assert_int_equal(len, 150);
    assert_ptr_equal(sendq_payer(&q, start + 300, &len), &alice);
    assert_int_equal(len, 50);
    assert_null(sendq_payer(&q, start + 350, &len));
}

static void random_traffic_loses_nothing(void **state)
{
    /* The bytes of the stream are numbered; each page remembers nothing, so check by arithmetic:
     * what runs out has the length and order of what went in. */
    u32 in = 0, out = 0, una = q.una;
    srand(1);
    for (int step = 0; step < 100000; step++) {
        u32 len = rand() % 4096 + 1;
        if (len <= sendq_space(&q)) {
            int page = rand() % NR_PAGES;
            struct frag f = piece(page, rand() % (4096 - len + 1), len);
            if (!sendq_extend(&q, f, &alice)) {
                frame[page].refs++;
                sendq_push(&q, f, rand() % 2 ? &alice : &bob);
            }
            in += len;
        }
        struct frag run;
        u32 n = sendq_run(&q, rand() % 70000 + 1, &run);
        assert_true(n <= sendq_unwritten(&q));
        n = n ? rand() % n + 1 : 0;
        sendq_wrote(&q, n);
        out += n;
        assert_int_equal(in - out, sendq_unwritten(&q));
        assert_int_equal(q.written, 0xFFFFFF00u + out);
        if (seq_diff(q.written, una) > 0)
            una += rand() % (q.written - una) + 1;
        sendq_release(&q, una);
        assert_true(seq_diff(q.una, una) <= 0);
    }
    assert_in_range(in, 8 << 20, 1 << 30); /* there was traffic */
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, fresh, nothing_left)
    const struct CMUnitTest tests[] = {
        T(sequence_numbers_count_the_bytes),
        T(neighbouring_pages_are_one_run),
        T(pages_that_only_look_adjacent_are_not_merged),
        T(a_page_stays_until_its_last_byte_is_acknowledged),
        T(what_the_stack_does_not_have_is_never_released),
        T(bytes_behind_the_last_fragment_extend_it),
        T(the_ring_has_an_end),
        T(the_limit_is_kept),
        T(copies_fill_a_page_to_its_end),
        T(slots_hold_one_segment_each_behind_their_headroom),
        T(a_slot_of_which_a_part_was_sent_is_not_filled_further),
        T(a_fragment_that_is_being_filled_waits),
        T(a_byte_is_sent_for_the_first_time_once),
        T(only_bytes_that_are_kept_may_be_sent),
        T(each_writer_pays_for_its_bytes),
        T(random_traffic_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
