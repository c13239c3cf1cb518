/*
 * check.h - what a guest test says, and how.
 *
 * A guest test is an ordinary static program that must pass on Linux as well as on Ferry. It prints
 * a line for each thing that it checks, a sentence about behaviour:
 *
 *     ok - a child's exit status arrives at its parent
 *     not ok - a child's exit status arrives at its parent: expected 42, got 0
 *
 * and ends with "N passed, N failed". Its exit status is 0 only if nothing failed.
 */
#ifndef FERRY_TESTS_CHECK_H
#define FERRY_TESTS_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* ok if it is true. */
void check(bool good, const char *sentence);

/* ok if both are equal. */
void check_equal(long long got, long long expected, const char *sentence);

/* ok if low <= got <= high. */
void check_range(long long got, long long low, long long high, const char *sentence);

/* ok if both texts are equal. */
void check_text(const char *got, const char *expected, const char *sentence);

/* ok if both pieces of memory are equal; says where they first differ. */
void check_bytes(const void *got, const void *expected, size_t len, const char *sentence);

/* ok if the call, whose result this is, failed with that errno. To be used at once after it. */
void check_errno(long result, int expected, const char *sentence);

/* ok if the call did not fail: anything but -1. Returns whether that is so. */
bool check_works(long result, const char *sentence);

/* A line that is no verdict. */
void note(const char *text);

/* The last line, and what main returns. */
int check_done(void);

/*
 * Runs the function in a child. The wait status of the child, which exits with what the function
 * returns; -1 if there could be none. What the child checks does not count: let it return a number.
 */
int run_child(int (*function)(void *), void *argument);

/* ok if such a child ends with that exit status, or is killed by that signal. */
void check_exit(int (*function)(void *), void *argument, int expected, const char *sentence);
void check_killed(int (*function)(void *), void *argument, int signal, const char *sentence);

/* Zeroed memory that this process and its later children share. Ends the test if there is none. */
void *shared_memory(size_t size);

/* Waits until the value is no longer what it was, at most so long. Whether it changed. */
bool wait_change(const volatile int *value, int from, unsigned ms);

/* Two ends of a TCP connection over 127.0.0.1. 0, or -1 with errno. */
int tcp_pair(int ends[2]);

/* The byte at this place of the test pattern, which repeats in no power of two. */
static inline unsigned char pattern(unsigned long long at)
{
    return (unsigned char)(at * 7 + at / 251 + at / 65521);
}

#endif
