/*
 * squeeze - several programs that want more memory than there is, each in its own way, at once: two
 * write files, two write to mapped files, two fill memory of their own, one shares memory with a
 * child, one makes and removes many small files. Each looks at all that it wrote.
 *
 *     squeeze [rounds [seed [KiB of each, 256]]]
 *
 * Files are made in the current directory, or in /tmp where that cannot be written.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096u
#define WORDS (PAGE / sizeof(uint32_t))

static uint32_t rounds = 1, seed = 1, pages = 64;
static char folder[64];

static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static void fill(uint32_t *page, uint32_t key)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        page[i] = key * 2654435761u ^ i * 40503u;
    }
}

static int is_filled(const uint32_t *page, uint32_t key)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        if (page[i] != (key * 2654435761u ^ i * 40503u)) {
            return 0;
        }
    }
    return 1;
}

/* Writes pages at random places of memory, which may be a file, and looks at them all. */
static int work_on(uint32_t *memory, uint32_t *keys, uint32_t *random, int fd)
{
    for (uint32_t n = 0; n < pages; n++) {
        uint32_t at = next(random) % pages;
        keys[at] = next(random);
        fill(memory + at * WORDS, keys[at]);
        if (fd >= 0 && n % 100 == 99 && fsync(fd) != 0) {
            return 3;
        }
    }
    for (uint32_t n = 0; n < pages; n++) {
        if (keys[n] && !is_filled(memory + n * WORDS, keys[n])) {
            return 4;
        }
    }
    return 0;
}

static int map_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    return fd >= 0 && ftruncate(fd, (off_t)(pages * PAGE)) == 0 ? fd : -1;
}

static int writer(const char *name, uint32_t *keys, uint32_t *random)
{
    static uint32_t page[WORDS];
    int fd = map_file(name), bad = 0;
    for (uint32_t n = 0; n < pages; n++) {
        uint32_t at = next(random) % pages;
        keys[at] = next(random);
        fill(page, keys[at]);
        if (pwrite(fd, page, PAGE, (off_t)(at * PAGE)) != PAGE) {
            return 2;
        }
    }
    for (uint32_t n = 0; n < pages && !bad; n++) {
        bad = pread(fd, page, PAGE, (off_t)(n * PAGE)) != PAGE ||
              (keys[n] && !is_filled(page, keys[n]));
    }
    close(fd);
    return bad ? 4 : 0;
}

static int mapper(const char *name, uint32_t *keys, uint32_t *random)
{
    int fd = map_file(name);
    uint32_t *map = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    int ret = map == MAP_FAILED ? 2 : work_on(map, keys, random, fd);
    munmap(map, pages * PAGE);
    close(fd);
    return ret;
}

static int eater(const char *name, uint32_t *keys, uint32_t *random)
{
    uint32_t *memory =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ret = memory == MAP_FAILED ? 2 : work_on(memory, keys, random, -1);
    munmap(memory, pages * PAGE);
    return ret;
}

static int sharer(const char *name, uint32_t *keys, uint32_t *random)
{
    uint32_t *memory =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int status, ret = memory == MAP_FAILED ? 2 : work_on(memory, keys, random, -1);
    if (ret) {
        return ret;
    }
    pid_t pid = fork();
    if (pid == 0) {
        _exit(work_on(memory, keys, random, -1));
    }
    if (waitpid(pid, &status, 0) != pid || status) {
        return 5;
    }
    ret = 0;
    for (uint32_t n = 0, mine = *random; n < pages; n++) { /* as the child has done */
        uint32_t at = next(&mine) % pages;
        keys[at] = next(&mine);
    }
    for (uint32_t n = 0; n < pages; n++) {
        ret = keys[n] && !is_filled(memory + n * WORDS, keys[n]) ? 6 : ret;
    }
    munmap(memory, pages * PAGE);
    return ret;
}

static int maker(const char *name, uint32_t *keys, uint32_t *random)
{
    char path[128];
    uint32_t files = pages < 500 ? pages : 500;
    for (uint32_t n = 0; n < files; n++) {
        snprintf(path, sizeof(path), "%s-%u", name, n);
        int fd = open(path, O_RDWR | O_CREAT, 0600);
        if (fd < 0 || write(fd, path, strlen(path)) < 0) {
            return 2;
        }
        close(fd);
    }
    for (uint32_t n = 0; n < files; n++) {
        struct stat st;
        snprintf(path, sizeof(path), "%s-%u", name, n);
        if (stat(path, &st) != 0 || st.st_size != (off_t)strlen(path) || unlink(path) != 0) {
            return 4;
        }
    }
    return 0;
}

static int (*const kinds[])(const char *name, uint32_t *keys, uint32_t *random) = {
    writer, mapper, eater, sharer, maker, writer, mapper, eater};
#define WORKERS (sizeof(kinds) / sizeof(kinds[0]))

static int worker(unsigned number)
{
    char name[96];
    uint32_t random = seed * 7919 + number * 104729 + 1;
    uint32_t *keys = malloc(pages * sizeof(*keys));
    int ret = keys ? 0 : 1;
    snprintf(name, sizeof(name), "%s/worker-%u", folder, number);
    for (uint32_t i = 0; i < rounds && !ret; i++) {
        memset(keys, 0, pages * sizeof(*keys));
        ret = kinds[number](name, keys, &random);
        unlink(name);
    }
    return ret;
}

int main(int argc, char **argv)
{
    rounds = argc > 1 ? (uint32_t)atoi(argv[1]) : rounds;
    seed = argc > 2 ? (uint32_t)atoi(argv[2]) : seed;
    pages = argc > 3 ? (uint32_t)atoi(argv[3]) / 4 : pages;
    snprintf(folder, sizeof(folder), "squeeze-%d", (int)getpid());
    if (mkdir(folder, 0700) != 0) {
        snprintf(folder, sizeof(folder), "/tmp/squeeze-%d", (int)getpid());
        check_works(mkdir(folder, 0700), "a folder");
    }
    pid_t pids[WORKERS];
    for (unsigned i = 0; i < WORKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            _exit(worker(i));
        }
    }
    for (unsigned i = 0; i < WORKERS; i++) {
        int status = -1;
        waitpid(pids[i], &status, 0);
        check_equal(status, 0, "a worker finds all that it wrote");
    }
    check_equal(rmdir(folder), 0, "and leaves nothing behind");
    return check_done();
}
