/* When the stack is fed: whole frames, in batches, and never so that everything waits for ever. */
// units: kernel/net/sendq.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#define ssize_t kernel_ssize_t /* the host's is another */
#include "kernel/mm/heap.h"
#include "kernel/net/sendq.h"

struct page *pages;
void *kmalloc(size_t size)
{
    return malloc(size);
}
void kfree(void *p)
{
    free(p);
}
void page_put(struct page *page, enum holder holder) {}
struct account *account_get(struct account *a)
{
    return a;
}
void account_put(struct account *a) {}

#define MSS   1460u
#define BATCH (FEED_BATCH / MSS * MSS)

static struct feed_state usual(u32 unwritten, u32 room, u32 in_flight)
{
    return (struct feed_state){
        .unwritten = unwritten, .room = room, .in_flight = in_flight, .mss = MSS, .window = 65535};
}

static void what_is_there_goes_at_once_when_nothing_is_in_flight(void **state)
{
    struct feed_state f = usual(1, 65535, 0);
    assert_int_equal(feed_amount(&f), 1);
    f = usual(5000, 65535, 0);
    assert_int_equal(feed_amount(&f), 5000);
}

static void little_waits_for_the_acknowledgement(void **state)
{
    struct feed_state f = usual(1, 65535 - 1460, 1460);
    assert_int_equal(feed_amount(&f), 0);
    f = usual(20000, 65535 - 1460, 1460);
    assert_int_equal(feed_amount(&f), 0);
}

static void a_batch_does_not_wait(void **state)
{
    struct feed_state f = usual(BATCH, 65535 - 1460, 1460);
    assert_int_equal(feed_amount(&f), BATCH);
}

static void no_delay_does_not_wait_either(void **state)
{
    struct feed_state f = usual(1, 65535 - 1460, 1460);
    f.now = true;
    assert_int_equal(feed_amount(&f), 1);
}

static void announced_bytes_are_waited_for(void **state)
{
    struct feed_state f = usual(1000, 65535, 0);
    f.more = true;
    assert_int_equal(feed_amount(&f), 0);
    f = usual(BATCH + 1000, 65535, 0); /* but a batch goes, in whole frames */
    f.more = true;
    assert_int_equal(feed_amount(&f), BATCH);
}

static void no_short_frame_while_more_is_there(void **state)
{
    struct feed_state f = usual(100000, 40000, 20000);
    assert_int_equal(feed_amount(&f), 40000 / MSS * MSS);
}

static void a_closed_window_gets_nothing(void **state)
{
    struct feed_state f = usual(100000, 0, 0);
    assert_int_equal(feed_amount(&f), 0);
}

static void a_tiny_window_is_used_only_when_it_stays_tiny(void **state)
{
    struct feed_state f = usual(100000, 500, 0);
    assert_int_equal(feed_amount(&f), 0);
    f.override = true;
    assert_int_equal(feed_amount(&f), 500);
    f.more = true;
    assert_int_equal(feed_amount(&f), 500);
    f = usual(100000, MSS, 0); /* a whole frame does not wait */
    assert_int_equal(feed_amount(&f), MSS);
    f = usual(500, 500, 0); /* nor all that there is */
    assert_int_equal(feed_amount(&f), 500);
    f = usual(100000, 500, 1000); /* else it may open further */
    assert_int_equal(feed_amount(&f), 0);
}

static void half_of_a_small_window_is_enough(void **state)
{
    struct feed_state f = usual(100000, 4096, 4096);
    f.window = 8192;
    assert_int_equal(feed_amount(&f), 0); /* two whole frames, 2920, are less than half */
    f.room = 4380;
    assert_int_equal(feed_amount(&f), 4380);
}

static void it_never_waits_for_ever(void **state)
{
    /* With nothing in flight and nothing announced only the clock is left to wait for: when it
     * says so, something must go, whatever the window. */
    srand(2);
    for (int i = 0; i < 1000000; i++) {
        struct feed_state f = usual(rand() % 300000 + 1, rand() % 70000 + 1, 0);
        f.mss = rand() % 1460 + 1;
        f.window = rand() % 70000;
        f.now = rand() % 2;
        f.override = true;
        u32 n = feed_amount(&f);
        assert_true(n > 0);
        assert_true(n <= f.room && n <= f.unwritten);
        f.in_flight = rand() % 70000;
        f.more = rand() % 2;
        n = feed_amount(&f);
        assert_true(n <= f.room && n <= f.unwritten);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there_goes_at_once_when_nothing_is_in_flight),
        cmocka_unit_test(little_waits_for_the_acknowledgement),
        cmocka_unit_test(a_batch_does_not_wait),
        cmocka_unit_test(no_delay_does_not_wait_either),
        cmocka_unit_test(announced_bytes_are_waited_for),
        cmocka_unit_test(no_short_frame_while_more_is_there),
        cmocka_unit_test(a_closed_window_gets_nothing),
        cmocka_unit_test(a_tiny_window_is_used_only_when_it_stays_tiny),
        cmocka_unit_test(half_of_a_small_window_is_enough),
        cmocka_unit_test(it_never_waits_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
