/*
 * pressure - more memory than the machine may have: patterns in anonymous memory, shared over fork
 * and changed on both sides, and in a mapped file at the same time.
 *
 *     pressure [MiB of memory, 4 [file, of so many MiB]]
 *
 * The file's page n holds the pattern FILE_SEED + n when it ends well: whoever called looks.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE      4096u
#define WORDS     (PAGE / sizeof(uint32_t))
#define FILE_SEED 0x40000000u

static size_t nr_pages = 4 << 8;
static uint32_t *memory;

static uint32_t word(uint32_t seed, uint32_t i)
{
    return (seed * 2654435761u) ^ (i * 40503u);
}

static void fill(uint32_t *base, size_t page, uint32_t seed)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        base[page * WORDS + i] = word(seed, i);
    }
}

static bool is_filled(const uint32_t *base, size_t page, uint32_t seed)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        if (base[page * WORDS + i] != word(seed, i)) {
            return false;
        }
    }
    return true;
}

/* Page n holds the pattern seed + n, but every `step`th one (0: none) that of other + n. The number
 * of pages that do not. */
static size_t count_bad(uint32_t seed, size_t step, uint32_t other)
{
    size_t bad = 0;
    for (size_t n = 0; n < nr_pages; n++) {
        uint32_t expected = step && n % step == 0 ? other : seed;
        bad += !is_filled(memory, n, expected + (uint32_t)n);
    }
    return bad;
}

static void change(size_t step, uint32_t seed)
{
    for (size_t n = 0; n < nr_pages; n += step) {
        fill(memory, n, seed + (uint32_t)n);
    }
}

/* The child's half of it: 0 when all is right. */
static int child(int from_parent)
{
    char byte;
    if (count_bad(1, 0, 0)) {
        return 1;
    }
    change(3, 0x10000000);
    if (read(from_parent, &byte, 1) != 1) { /* the parent has changed its own */
        return 2;
    }
    return count_bad(1, 3, 0x10000000) ? 3 : 0;
}

static void shared_over_fork(void)
{
    int pipe_fds[2], status = -1;
    check_works(pipe(pipe_fds), "a pipe");
    pid_t pid = fork();
    if (pid == 0) {
        _exit(child(pipe_fds[0]));
    }
    check_works(pid, "fork with all that memory");
    change(5, 0x20000000);
    check_works(write(pipe_fds[1], "", 1), "the child is told");
    check_equal(count_bad(1, 5, 0x20000000), 0, "the parent's pages are its own after fork");
    waitpid(pid, &status, 0);
    check_equal(status, 0, "the child's pages are its own after fork");
    check_equal(count_bad(1, 5, 0x20000000), 0, "the parent's pages outlive the child");
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void file_beside(const char *path, size_t pages)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    check_works(fd, "a file");
    check_works(ftruncate(fd, (off_t)(pages * PAGE)), "which becomes as long as asked for");
    uint32_t *map = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check(map != MAP_FAILED, "and is mapped");
    if (map == MAP_FAILED) {
        return;
    }
    size_t bad = 0;
    for (size_t n = 0; n < pages; n++) {
        fill(map, n, FILE_SEED + (uint32_t)n);
        bad += !is_filled(memory, n % nr_pages, 1 + (uint32_t)(n % nr_pages));
    }
    check_equal(bad, 0, "memory is right while a mapped file becomes dirty");
    for (size_t n = 0; n < pages; n++) {
        bad += !is_filled(map, n, FILE_SEED + (uint32_t)n);
    }
    check_equal(bad, 0, "the mapped file holds what was written");
    munmap(map, pages * PAGE);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        nr_pages = strtoul(argv[1], NULL, 10) << 8;
    }
    memory =
        mmap(NULL, nr_pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(memory != MAP_FAILED, "the memory is promised");
    if (memory == MAP_FAILED) {
        return check_done();
    }
    change(1, 1);
    check_equal(count_bad(1, 0, 0), 0, "every page holds what was written");
    if (argc > 3) {
        file_beside(argv[2], strtoul(argv[3], NULL, 10) << 8);
    }
    shared_over_fork();
    return check_done();
}
