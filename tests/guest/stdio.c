/*
 * stdio - what programs take from their C library: streams, numbers, sorting, malloc; and floating
 * point, which each process has for itself.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *self;

static void test_numbers(void)
{
    char text[128];
    double value = 0;
    volatile double two = 2, third = 1.0 / 3;

    snprintf(text, sizeof(text), "%f %.3f %e %g", third, -two / 3, third * 1e-10, 1e100);
    check_text(text, "0.333333 -0.667 3.333333e-11 1e+100", "printf prints floating point");
    snprintf(text, sizeof(text), "%.15f", sqrt(two));
    check_text(text, "1.414213562373095", "to 15 digits");
    snprintf(text, sizeof(text), "%lld %llu %x %o %5d|%-5d|%05d %s %c %p", INT64_MIN, UINT64_MAX,
             0xbeefu, 8u, 42, 42, 42, "text", 'c', (void *)0x1234);
    check_text(text,
               "-9223372036854775808 18446744073709551615 beef 10    42|42   |00042 text c 0x1234",
               "printf prints everything else");
    check(sscanf("12 -7 0x1f 2.5e3 word", "%*d %*d %*i %lf %s", &value, text) == 2 &&
              value == 2500.0 && strcmp(text, "word") == 0,
          "sscanf reads it again");
    check(strtod("0.1", NULL) == 0.1 && strtoull("18446744073709551615", NULL, 10) == UINT64_MAX,
          "strtod and strtoull are exact");
    check_equal((long long)(two * 1e15) / 7 % 1000003, 2000000000000000LL / 7 % 1000003,
                "64-bit division works");
}

static void test_streams(void)
{
    struct stat st;
    FILE *file = fopen(self, "rb");
    char head[4];
    long count = 0;

    if (!check_works(file ? 0 : -1, "fopen opens a file") || stat(self, &st) != 0) {
        return;
    }
    check(fread(head, 1, 4, file) == 4 && memcmp(head, "\177ELF", 4) == 0, "fread reads it");
    rewind(file);
    while (getc(file) != EOF) {
        count++;
    }
    check_equal(count, st.st_size, "getc reads byte for byte to the end");
    check(feof(file) && !ferror(file), "which is an end and no error");
    check(fseek(file, -1, SEEK_END) == 0 && getc(file) != EOF && getc(file) == EOF,
          "fseek goes to the last byte");
    check_equal(ftell(file), st.st_size, "ftell knows where");
    fclose(file);
    check(fopen("/no/such/file", "r") == NULL && errno == ENOENT, "fopen of nothing: ENOENT");
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

static unsigned next_random(unsigned *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void test_sort(void)
{
    enum { NR = 50000 };
    int *numbers = malloc(NR * sizeof(int)), sorted = 1;
    long long before = 0, after = 0;
    unsigned seed = 1;

    for (int i = 0; i < NR; i++) {
        numbers[i] = (int)next_random(&seed);
        before += numbers[i];
    }
    qsort(numbers, NR, sizeof(int), compare);
    for (int i = 0; i < NR; i++) {
        after += numbers[i];
        sorted &= i == 0 || numbers[i - 1] <= numbers[i];
    }
    check(sorted && before == after, "qsort sorts 50000 numbers");
    free(numbers);
}

/* Blocks come and go in a random order; each is full of a byte of its own, which must last. */
static void test_malloc(void)
{
    enum { NR = 500, ROUNDS = 20000 };
    static unsigned char *block[NR];
    static size_t size[NR];
    unsigned seed = 7;
    int damaged = 0, refused = 0;

    for (int i = 0; i < ROUNDS; i++) {
        int at = next_random(&seed) % NR;

        for (size_t j = 0; block[at] && j < size[at]; j += 61) {
            damaged += block[at][j] != (unsigned char)at;
        }
        if (block[at] && i % 3 == 0) {
            size_t larger = next_random(&seed) % 60000 + 1;
            unsigned char *moved = realloc(block[at], larger);

            for (size_t j = 0; moved && j < size[at] && j < larger; j += 61) {
                damaged += moved[j] != (unsigned char)at;
            }
            refused += !moved;
            block[at] = moved;
            size[at] = larger;
        } else {
            free(block[at]);
            size[at] = next_random(&seed) % (i % 100 == 0 ? 1000000 : 5000) + 1;
            block[at] = malloc(size[at]);
            refused += !block[at];
        }
        if (block[at]) {
            memset(block[at], at, size[at]);
        }
    }
    check_equal(refused, 0, "20000 times malloc, realloc and free are never refused");
    check_equal(damaged, 0, "and no block loses what is in it");
    for (int i = 0; i < NR; i++) {
        free(block[i]);
    }

    char *large = malloc(32 << 20);

    check(large != NULL, "malloc gives 32 MiB");
    for (size_t at = 0; large && at < 32 << 20; at += 4096) {
        large[at] = (char)(at >> 12);
    }
    large = realloc(large, 40 << 20);
    check(large && large[4096 * 5] == 5 && large[(32 << 20) - 4096] == (char)8191,
          "realloc makes that 40 MiB and keeps it");
    free(large);
}

/*
 * A number that depends on every step, and on every bit of the precision. It is to be stored before
 * it is compared: the x87 has more bits than a double.
 */
static double __attribute__((noinline)) chaos(double x, int steps)
{
    long double sum = 0;

    for (int i = 0; i < steps; i++) {
        x = 3.9 * x * (1 - x);
        sum += (long double)x / (i + 1);
    }
    return (double)(sum * 1e6) + x;
}

static int xmm_works(void)
{
    unsigned eax = 1, ebx, ecx = 0, edx;

    __asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
    return edx >> 26 & 1;
}

/* Holds a pattern in xmm0 and xmm7, and one in the control word, over many turns of a loop. */
static int xmm_keeps(uint32_t number, int turns)
{
    uint32_t in[4] = {number, number * 3, number * 5, ~number}, low[4], high[4];
    uint16_t control = number & 1 ? 0x0f7f : 0x037f, after; /* rounding: toward zero, nearest */

    __asm__ volatile("fldcw %5\n"
                     "movdqu %4, %%xmm0\n movdqu %4, %%xmm7\n"
                     "1: dec %3\n jnz 1b\n"
                     "movdqu %%xmm0, %0\n movdqu %%xmm7, %1\n"
                     "fnstcw %2\n fninit\n"
                     : "=m"(low), "=m"(high), "=m"(after), "+r"(turns)
                     : "m"(in), "m"(control)
                     : "memory", "cc");
    return memcmp(in, low, sizeof(in)) == 0 && memcmp(in, high, sizeof(in)) == 0 &&
           after == control;
}

static void test_floating_point_is_private(void)
{
    enum { CHILDREN = 3, STEPS = 1000000, TURNS = 100000000 };
    volatile double expected[CHILDREN];
    int good = 0, good_xmm = 0, status;

    for (int i = 0; i < CHILDREN; i++) {
        expected[i] = chaos(0.1 + i * 0.07, STEPS);
    }
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            volatile double got = chaos(0.1 + i * 0.07, STEPS);

            _exit(got == expected[i] ? 0 : 1);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        good += wait(&status) > 0 && status == 0;
    }
    check_equal(good, CHILDREN, "three processes compute with the x87 at once, and all are right");

    if (!xmm_works()) {
        note("this CPU has no SSE2: xmm registers are not tested");
        return;
    }
    for (int i = 0; i < CHILDREN; i++) {
        if (fork() == 0) {
            _exit(xmm_keeps(0x01234567 * (i + 1), TURNS) ? 0 : 1);
        }
    }
    for (int i = 0; i < CHILDREN; i++) {
        good_xmm += wait(&status) > 0 && status == 0;
    }
    check_equal(good_xmm, CHILDREN, "each process keeps its xmm registers and its rounding mode");
}

int main(int argc, char **argv)
{
    self = argv[0];
    test_numbers();
    test_streams();
    test_sort();
    test_malloc();
    test_floating_point_is_private();
    return check_done();
}
