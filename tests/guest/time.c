/*
 * time - clocks that never go back, and sleeps that are never too short.
 *
 * How long something takes is only bounded from below, or very generously from above: a verdict
 * must not depend on how fast the host is.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/time.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MS 1000000LL /* nanoseconds */

static long long clock_ns(clockid_t clock)
{
    struct timespec now = {0};

    return clock_gettime(clock, &now) < 0 ? -1 : now.tv_sec * 1000 * MS + now.tv_nsec;
}

static long long sleep_ns(long long ns)
{
    struct timespec wait = {.tv_sec = ns / (1000 * MS), .tv_nsec = ns % (1000 * MS)};
    long long before = clock_ns(CLOCK_MONOTONIC);

    return nanosleep(&wait, NULL) < 0 ? -1 : clock_ns(CLOCK_MONOTONIC) - before;
}

static void test_clocks(void)
{
    struct timespec now;
    struct timeval day;
    long long last = clock_ns(CLOCK_MONOTONIC), realtime, moved = 0;
    int backwards = 0;

    check(last >= 0, "there is a monotonic clock");
    for (int i = 0; i < 20000; i++) {
        long long next = clock_ns(CLOCK_MONOTONIC);

        backwards += next < last;
        moved += next > last;
        last = next;
    }
    check_equal(backwards, 0, "20000 times read, it never goes back");
    check(moved > 0, "and moves while a program only computes");
    clock_gettime(CLOCK_REALTIME, &now);
    check_range(now.tv_nsec, 0, 999999999, "nanoseconds are less than a second");

    realtime = clock_ns(CLOCK_REALTIME);
    check_range(realtime / (1000 * MS), 1600000000, 4100000000, "the date is after 2020");
    gettimeofday(&day, NULL);
    check_range(day.tv_sec * 1000LL + day.tv_usec / 1000 - realtime / MS, 0, 2000,
                "gettimeofday says the same time");
    check_range(time(NULL) - realtime / (1000 * MS), 0, 2, "and so does time");
    check_errno(clock_gettime(12345, &now), EINVAL, "a clock that is none: EINVAL");
}

static void test_sleep(void)
{
    struct timespec wrong = {.tv_sec = 0, .tv_nsec = 1000000000}, negative = {.tv_sec = -1};
    long long before = clock_ns(CLOCK_REALTIME);

    check_range(sleep_ns(50 * MS), 50 * MS, 5000 * MS, "to sleep 50 ms takes that long");
    check_range(clock_ns(CLOCK_REALTIME) - before, 45 * MS, 5000 * MS, "by the other clock too");
    check_range(sleep_ns(1), 1, 1000 * MS, "to sleep a nanosecond takes at least one");
    check_range(sleep_ns(0), 0, 1000 * MS, "to sleep for no time is allowed");
    check_range(sleep_ns(1100 * MS), 1100 * MS, 8000 * MS, "to sleep 1.1 s takes that long");
    check_errno(nanosleep(&wrong, NULL), EINVAL, "a thousand million nanoseconds: EINVAL");
    check_errno(nanosleep(&negative, NULL), EINVAL, "a negative time: EINVAL");

    /* Started in one order, they have to end in the other. */
    volatile int *order = shared_memory(4096);

    for (int i = 3; i >= 1; i--) {
        if (fork() == 0) {
            sleep_ms(i * 200);
            order[i] = ++order[0];
            _exit(0);
        }
    }
    while (wait(NULL) > 0) {
        continue;
    }
    check(order[1] == 1 && order[2] == 2 && order[3] == 3, "who sleeps less wakes up first");
}

static void test_times(void)
{
    struct tms start, end;
    clock_t before = times(&start), after;
    volatile unsigned turns = 0;
    long long until = clock_ns(CLOCK_MONOTONIC) + 300 * MS;

    check(before != (clock_t)-1, "times works");
    while (clock_ns(CLOCK_MONOTONIC) < until) {
        turns++;
    }
    after = times(&end);
    check_range(after - before, 20, 1000, "300 ms are 20 ticks or more of times");
    check(end.tms_utime + end.tms_stime > start.tms_utime + start.tms_stime,
          "a process that computes uses CPU time");
}

int main(void)
{
    test_clocks();
    test_sleep();
    test_times();
    return check_done();
}
