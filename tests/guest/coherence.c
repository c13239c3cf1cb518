/*
 * coherence - processes at one file at the same time: some write it, some store to it through
 * mappings, one goes past the cache, one cuts it and makes it longer, one brings it to the disk all
 * the while. What each has written is what it reads, by every way, then and at the end.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "lib/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE    4096
#define SLOT    512 /* bytes: each has one writer */
#define SHARED  48  /* pages in which writers have slots side by side */
#define DIRECT  16  /* pages behind them, of the one who uses O_DIRECT */
#define FIXED   ((SHARED + DIRECT) * PAGE)
#define SLOTS   (FIXED / SLOT)
#define WRITERS 3
#define ROUNDS  600

static unsigned char *model; /* shared by all: what each slot is filled with */
static volatile int *working;
static int failed_at; /* a line of this file: the exit status says that something was wrong */

#define expect(good)                     \
    do {                                 \
        if (!(good) && !failed_at) {     \
            failed_at = __LINE__;        \
            perror("coherence: " #good); \
        }                                \
    } while (0)

static unsigned rnd(unsigned *seed, unsigned below)
{
    *seed = *seed * 1664525 + 1013904223;
    return (unsigned)((uint64_t)(*seed ^ *seed >> 13) * below >> 32);
}

static bool is_all(const unsigned char *at, unsigned char value, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (at[i] != value)
            return false;
    return true;
}

static unsigned char *map_file(int fd, size_t from, size_t len)
{
    unsigned char *map = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, (off_t)from);

    expect(map != MAP_FAILED);
    return map;
}

/* Slots `me`, `me` + WRITERS ... of the shared pages, by write or by store, and read by the other
 * way or the same. */
static void writer(unsigned me)
{
    unsigned seed = me + 1;
    int fd = open("shared", O_RDWR);
    unsigned char *map = map_file(fd, 0, SHARED * PAGE), bytes[SLOT];

    for (int i = 0; i < ROUNDS && !failed_at; i++) {
        unsigned slot = rnd(&seed, SHARED * PAGE / SLOT / WRITERS) * WRITERS + me;
        off_t at = (off_t)slot * SLOT;

        if (rnd(&seed, 2)) {
            model[slot] = (unsigned char)rnd(&seed, 256);
            memset(bytes, model[slot], SLOT);
            if (rnd(&seed, 2))
                expect(pwrite(fd, bytes, SLOT, at) == SLOT);
            else
                memcpy(map + at, bytes, SLOT);
        }
        expect(is_all(map + at, model[slot], SLOT));
        expect(pread(fd, bytes, SLOT, at) == SLOT && is_all(bytes, model[slot], SLOT));
    }
}

/* Its own pages, past the cache and through it in turns. Where there is no O_DIRECT, as a writer.
 */
static void direct_writer(unsigned unused)
{
    unsigned seed = 77;
    int cached = open("shared", O_RDWR), direct = open("shared", O_RDWR | O_DIRECT);
    unsigned char *buffer =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (direct < 0)
        direct = cached;
    for (int i = 0; i < ROUNDS && !failed_at; i++) {
        unsigned slot = SHARED * PAGE / SLOT + rnd(&seed, DIRECT * PAGE / SLOT);
        off_t at = (off_t)slot * SLOT;
        int to = rnd(&seed, 2) ? cached : direct, from = rnd(&seed, 2) ? cached : direct;

        model[slot] = (unsigned char)rnd(&seed, 256);
        memset(buffer, model[slot], SLOT);
        expect(pwrite(to, buffer, SLOT, at) == SLOT);
        memset(buffer, 0x55, SLOT);
        expect(pread(from, buffer, SLOT, at) == SLOT && is_all(buffer, model[slot], SLOT));
    }
}

/* The only one who changes the size, which is never less than FIXED. What lies between an old end
 * and a new one is zero, whatever was stored behind the end through the mapping. */
static void cutter(unsigned unused)
{
    static unsigned char bytes[8 * PAGE];
    unsigned seed = 99;
    int fd = open("shared", O_RDWR);
    unsigned char *map = map_file(fd, FIXED, sizeof(bytes));
    size_t size = 0;

    for (int i = 0; i < ROUNDS / 2 && !failed_at; i++) {
        size_t next = rnd(&seed, sizeof(bytes)), low = next < size ? next : size;

        if (size % PAGE) /* behind the end, in its page */
            memset(map + size, 0xEE, PAGE - size % PAGE);
        if (rnd(&seed, 3) == 0)
            expect(fdatasync(fd) == 0);
        expect(ftruncate(fd, FIXED + (off_t)next) == 0);
        expect(pread(fd, bytes, sizeof(bytes), FIXED) == (ssize_t)next);
        expect(is_all(bytes, 'd', low < next ? low : next) && is_all(bytes + low, 0, next - low));
        memset(bytes, 'd', next);
        if (rnd(&seed, 2))
            expect(pwrite(fd, bytes, next, FIXED) == (ssize_t)next);
        else
            memcpy(map, bytes, next);
        size = next;
    }
}

/* Files that lose their last name dirty, open, and mapped. */
static void remover(unsigned unused)
{
    unsigned seed = 5;
    static unsigned char bytes[3 * PAGE];

    for (int i = 0; i < ROUNDS / 4 && !failed_at; i++) {
        int fd = open("removed", O_RDWR | O_CREAT | O_TRUNC, 0600);
        unsigned char value = (unsigned char)(i | 1);

        memset(bytes, value, sizeof(bytes));
        expect(write(fd, bytes, sizeof(bytes)) == sizeof(bytes));
        if (rnd(&seed, 3) == 0)
            expect(fsync(fd) == 0);
        unsigned char *map = map_file(fd, 0, sizeof(bytes));

        map[PAGE] = 'm';
        expect(unlink("removed") == 0);
        map[2 * PAGE] = 'n';
        close(fd);
        expect(map[0] == value && map[PAGE] == 'm' && map[2 * PAGE] == 'n');
        munmap(map, sizeof(bytes));
    }
}

static void syncer(unsigned unused)
{
    unsigned seed = 3;
    int fd = open("shared", O_RDWR);
    unsigned char *map = map_file(fd, 0, FIXED);

    while (*working && !failed_at) {
        off_t at = (off_t)rnd(&seed, FIXED / PAGE) * PAGE;

        switch (rnd(&seed, 5)) {
        case 0:
            expect(fsync(fd) == 0);
            break;
        case 1:
            expect(fdatasync(fd) == 0);
            break;
        case 2:
            expect(sync_file_range(fd, at, 8 * PAGE,
                                   SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE) == 0);
            break;
        case 3:
            expect(msync(map + at, PAGE, MS_SYNC) == 0);
            break;
        default:
            expect(posix_fadvise(fd, at, 16 * PAGE, POSIX_FADV_DONTNEED) == 0);
        }
    }
}

static pid_t start(void (*work)(unsigned), unsigned argument)
{
    pid_t child = fork();

    if (child == 0) {
        work(argument);
        _exit(failed_at ? 1 : 0);
    }
    return child;
}

static bool ended_well(pid_t child)
{
    int status;

    return waitpid(child, &status, 0) == child && status == 0;
}

static void test_one_file(void)
{
    pid_t writers[WRITERS], other[3], sync;
    bool good = true;
    int fd = open("shared", O_RDWR | O_CREAT, 0600);

    ftruncate(fd, FIXED);
    *working = 1;
    for (unsigned i = 0; i < WRITERS; i++)
        writers[i] = start(writer, i);
    other[0] = start(direct_writer, 0);
    other[1] = start(cutter, 0);
    other[2] = start(remover, 0);
    sync = start(syncer, 0);
    for (unsigned i = 0; i < WRITERS; i++)
        good = ended_well(writers[i]) && good;
    check(good, "writers by write and by store see what they wrote");
    check(ended_well(other[0]), "so does who goes past the cache in turns with it");
    check(ended_well(other[1]), "who cuts a file and makes it longer finds zeroes there");
    check(ended_well(other[2]), "a file that lost its name is its mappings' still");
    *working = 0;
    check(ended_well(sync), "meanwhile all of it can be brought to the disk");
    close(fd);
}

/* Twice: what is in the cache; and what is on the disk. */
static void test_what_is_left(void)
{
    static unsigned char bytes[FIXED];
    int fd = open("shared", O_RDONLY);

    for (int round = 0; round < 2; round++) {
        int wrong = 0;

        check_equal(pread(fd, bytes, FIXED, 0), FIXED, "all is still there");
        for (int i = 0; i < SLOTS; i++)
            wrong += !is_all(bytes + (size_t)i * SLOT, model[i], SLOT);
        check_equal(wrong, 0, round ? "and the disk has the same" : "each slot has its last bytes");
        fsync(fd);
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    }
    close(fd);
}

int main(void)
{
    model = shared_memory(SLOTS);
    working = shared_memory(sizeof(*working));
    scratch_enter();
    test_one_file();
    test_what_is_left();
    unlink("shared");
    scratch_leave();
    return check_done();
}
