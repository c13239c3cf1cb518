/*
 * pagecost - how many instructions the machine executes for 4 KiB of a file or of memory, on each
 * of the ways by which a program comes to them.
 *
 *     pagecost [-q|--machine] [DIRECTORY]
 *
 * It makes a file of 4 MiB (and one to swap to) in the directory, /root by default, and reads it,
 * writes it, maps it; then it has its own memory swapped out, and touches it again. What is counted
 * is the time-stamp counter less the time the CPU was idle (/proc/ferry/clock): instructions,
 * where QEMU counts these (-icount, `make bench`). Whoever measures, disturbs: the cost of a
 * reading of the clock is measured as well, and taken off.
 */
#define _GNU_SOURCE
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4096
#define PAGES  1024
#define SIZE   (PAGES * PAGE)
#define AROUND 16 /* pages that one fault on a cached file maps */
#define SYNCS  64

static const char *directory = "/root";
static char name[128], swap_name[128];
static bool machine;
static unsigned char *buffer; /* 64 KiB */

static int failed(const char *what)
{
    fprintf(stderr, "pagecost: %s: %s\n", what, strerror(errno));
    return -1;
}

static uint64_t clock_busy(void)
{
    static char text[256];

    if (file_read("/proc/ferry/clock", text, sizeof(text)) < 0)
        return 0;
    return text_value(text, "tsc") - text_value(text, "idle");
}

/* ---- the ways; each moves, or touches, `units` times what it is about ---- */

static int file;
static unsigned char *memory;

static int read_all(size_t chunk)
{
    for (off_t at = 0; at < SIZE; at += (off_t)chunk)
        if (pread(file, buffer, chunk, at) != (ssize_t)chunk)
            return failed(name);
    return 0;
}

static int write_all_of_it(size_t chunk)
{
    for (off_t at = 0; at < SIZE; at += (off_t)chunk)
        if (pwrite(file, buffer, chunk, at) != (ssize_t)chunk)
            return failed(name);
    return 0;
}

/* Pages far from one another, each brought to the disk before the next. */
static int write_and_sync(size_t units)
{
    for (size_t i = 0; i < units; i++)
        if (pwrite(file, buffer, PAGE, (off_t)(i * (SIZE / units))) != PAGE || fsync(file) < 0)
            return failed(name);
    return 0;
}

static int sync_it(size_t unused)
{
    (void)unused;
    return fsync(file) < 0 ? failed(name) : 0;
}

static int touch(size_t step)
{
    unsigned sum = 0;

    for (size_t at = 0; at < SIZE; at += step)
        sum += *(volatile unsigned char *)(memory + at);
    return sum == 0xFFFFFFFFu; /* never */
}

static int touch_for_writing(size_t step)
{
    for (size_t at = 0; at < SIZE; at += step)
        *(volatile unsigned char *)(memory + at) = 1;
    return 0;
}

/* ---- what has to be so before ---- */

static int reopen(size_t unused)
{
    (void)unused;
    if (file > 0)
        close(file);
    file = open(name, O_RDWR);
    return file < 0 ? failed(name) : 0;
}

static int drop(size_t unused)
{
    (void)unused;
    sync();
    if (file_write("/proc/sys/vm/drop_caches", "1\n") < 0)
        return failed("/proc/sys/vm/drop_caches");
    return reopen(0);
}

static int dirty_all(size_t unused)
{
    (void)unused;
    sync();
    return write_all_of_it(16 * PAGE);
}

/* Much is in the cache that is not dirty: another file. */
static int fill_cache(size_t unused)
{
    int other = open("/data/16m", O_RDONLY);
    ssize_t n = 1;

    (void)unused;
    while (other >= 0 && n > 0)
        n = read(other, buffer, 16 * PAGE);
    if (other < 0 || n < 0)
        return failed("/data/16m");
    close(other);
    return 0;
}

static int map(int flags, int fd)
{
    if (memory)
        munmap(memory, SIZE);
    memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (memory == MAP_FAILED) {
        memory = NULL;
        return failed("mmap");
    }
    return 0;
}

static int map_file(size_t unused)
{
    (void)unused;
    return map(MAP_SHARED, file);
}

static int map_nothing(size_t unused)
{
    (void)unused;
    return map(MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* Memory with contents, all of it in swap and nowhere else. */
static int swap_out(size_t unused)
{
    static char text[8192];

    (void)unused;
    for (size_t at = 0; at < SIZE; at += PAGE)
        *(uint32_t *)(void *)(memory + at) = (uint32_t)at + 1;
    if (madvise(memory, SIZE, MADV_PAGEOUT) < 0)
        return failed("MADV_PAGEOUT");
    do /* until it is written */
        if (file_read("/proc/vmstat", text, sizeof(text)) < 0)
            return failed("/proc/vmstat");
    while (text_value(text, "nr_writeback"));
    return drop(0);
}

static const struct way {
    const char *name, *title;
    int (*prepare)(size_t);
    int (*run)(size_t);
    size_t argument;
    unsigned units; /* what the figure is for: this many of them are run */
} ways[] = {
    {"read-4k", "cached read, 4 KiB a call", reopen, read_all, PAGE, PAGES},
    {"read-64k", "cached read, 64 KiB a call", reopen, read_all, 16 * PAGE, PAGES},
    {"cold-4k", "cold sequential read, 4 KiB a call", drop, read_all, PAGE, PAGES},
    {"cold-64k", "cold sequential read, 64 KiB a call", drop, read_all, 16 * PAGE, PAGES},
    {"write-4k", "write into the cache, 4 KiB a call", reopen, write_all_of_it, PAGE, PAGES},
    {"write-64k", "write into the cache, 64 KiB a call", reopen, write_all_of_it, 16 * PAGE, PAGES},
    {"fault-cached", "page fault on a cached page (maps 16)", map_file, touch, (size_t)AROUND *PAGE,
     PAGES / AROUND},
    {"fault-zero", "page fault on fresh memory", map_nothing, touch_for_writing, PAGE, PAGES},
    {"writeback", "write-back of many pages", dirty_all, sync_it, 0, PAGES},
    {"fsync", "write and fsync, one page", drop, write_and_sync, SYNCS, SYNCS},
    {"fsync-full", "the same, 16 MiB being cached", fill_cache, write_and_sync, SYNCS, SYNCS},
    {"fault-swap", "page fault from swap", swap_out, touch, PAGE, PAGES},
};

#define NR_WAYS (int)(sizeof(ways) / sizeof(ways[0]))

/* ---- */

static int make_files(void)
{
    static char command[300];

    snprintf(name, sizeof(name), "%.100s/pagecost", directory);
    snprintf(swap_name, sizeof(swap_name), "%.100s/pagecost.swap", directory);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int area = open(swap_name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || area < 0)
        return failed(directory);
    for (int i = 0; i < 2 * PAGES / 16 + 1; i++)
        if (write_all(area, buffer, 16 * PAGE) < 0 ||
            (i < PAGES / 16 && write_all(fd, buffer, 16 * PAGE) < 0))
            return failed(directory);
    fsync(area);
    close(area);
    close(fd);
    snprintf(command, sizeof(command), "mkswap %s >/dev/null", swap_name);
    if (system(command) != 0 || swapon(swap_name, 0) < 0)
        return failed(swap_name);
    return 0;
}

static void remove_files(void)
{
    if (swapoff(swap_name) < 0)
        failed(swap_name);
    unlink(swap_name);
    unlink(name);
}

static int measure(const struct way *way, uint64_t *ticks)
{
    if (way->prepare(0) < 0)
        return -1;
    clock_busy();
    uint64_t first = clock_busy(), second = clock_busy();

    if (way->run(way->argument) < 0)
        return -1;
    uint64_t last = clock_busy();

    *ticks = last - second - (second - first);
    return 0;
}

int main(int argc, char **argv)
{
    int status = 1, at = 1;

    machine = argc > 1 && (strcmp(argv[1], "-q") == 0 || strcmp(argv[1], "--machine") == 0);
    at += machine;
    if (argc > at + 1 || (argc > at && argv[at][0] == '-')) {
        fprintf(stderr, "usage: pagecost [-q|--machine] [DIRECTORY]\n");
        return 2;
    }
    if (argc > at)
        directory = argv[at];
    if (!clock_busy()) {
        fprintf(stderr, "pagecost: /proc/ferry/clock: %s (only Ferry has it)\n", strerror(errno));
        return 2;
    }
    buffer = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(buffer, 7, 16 * PAGE);
    if (make_files() < 0)
        return 1;
    sleep(
        2); /* a file's time of reading is set by each read in the second in which it was written */
    if (reopen(0) < 0 || read_all(PAGE) < 0)
        return 1;
    for (int i = 0; i < NR_WAYS; i++) {
        const struct way *way = &ways[i];
        uint64_t ticks;

        if (measure(way, &ticks) < 0)
            goto end;
        if (machine)
            printf("cost=%s units=%u ticks=%" PRIu64 "\n", way->name, way->units, ticks);
        else
            printf("%-40s %8" PRIu64 "\n", way->title, ticks / way->units);
    }
    status = 0;
end:
    if (memory)
        munmap(memory, SIZE);
    remove_files();
    return status;
}
