/*
 * swapping - pages of programs that are sent to swap one by one (MADV_PAGEOUT), and come back.
 *
 *     swapping [AREA]     AREA is what mkswap(8) has prepared; without it, and without swap, the
 *                         pages stay where they are, and everything else is the same
 *     swapping -p N AREA  swapon -p N AREA, for a swapon(8) that has no -p
 *     swapping share N    N pages of shared memory, written and read on both sides of fork
 *     swapping hold N     sends N pages out, says who and where it is, and looks at them again at
 *                         SIGUSR1
 *     swapping lost N     says then which of them end a program that touches them
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096ul
#define PAGES 64ul
#define WORDS (PAGE / sizeof(uint32_t))

#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

static const char *area; /* NULL: there is no swap */

static void fill(uint32_t *at, size_t pages, uint32_t seed)
{
    for (size_t i = 0; i < pages * WORDS; i++) {
        at[i] = (uint32_t)i * 2654435761u ^ seed;
    }
}

static size_t bad_pages(const uint32_t *at, size_t pages, uint32_t seed)
{
    size_t bad = 0;
    for (size_t n = 0; n < pages; n++) {
        for (size_t i = n * WORDS; i < (n + 1) * WORDS; i++) {
            if (at[i] != ((uint32_t)i * 2654435761u ^ seed)) {
                bad++;
                break;
            }
        }
    }
    return bad;
}

/* Pages of all areas that are in use. */
static long used(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return (long)((info.totalswap - info.freeswap) * info.mem_unit / PAGE);
}

/* Sends pages out, which have a slot each from then on. */
static void send_out(void *at, size_t pages)
{
    long before = used();
    check_equal(madvise(at, pages * PAGE, MADV_PAGEOUT), 0, "MADV_PAGEOUT");
    check_equal(area ? used() - before : (long)pages, (long)pages, "each page has got a slot");
}

/* Slots come back at once, but for those of pages that were on their way just then: these keep them
 * until they are dropped as any clean page. */
static void expect_used(long expected, const char *sentence)
{
    for (int tries = 0; area && used() > expected && tries < 100; tries++) {
        int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
        if (write(fd, "1", 1) != 1) {
            break;
        }
        close(fd);
        usleep(10000);
    }
    check_equal(area ? used() : expected, expected, sentence);
}

static uint32_t *fresh(size_t pages, uint32_t seed)
{
    uint32_t *at =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) {
        check(false, "memory");
        exit(check_done());
    }
    fill(at, pages, seed);
    return at;
}

static void there_and_back(void)
{
    uint32_t *m = fresh(PAGES, 1);
    send_out(m, PAGES);
    check_equal(bad_pages(m, PAGES, 1), 0, "what was sent out comes back as it was");
    fill(m, PAGES / 2, 2);
    check_equal(bad_pages(m, PAGES / 2, 2), 0, "and can be changed");
    send_out(m, PAGES / 2);
    check_equal(bad_pages(m, PAGES / 2, 2), 0, "and sent out again");
    munmap(m, PAGES * PAGE);
}

static int child_changes(void *memory)
{
    uint32_t *m = memory;
    if (bad_pages(m, PAGES, 3)) {
        return 1;
    }
    fill(m, PAGES, 4);
    return bad_pages(m, PAGES, 4) ? 2 : 0;
}

static void shared_over_fork(void)
{
    uint32_t *m = fresh(PAGES, 3);
    send_out(m, PAGES);
    check_exit(child_changes, m, 0,
               "a child finds what its parent has in swap, and changes its own");
    check_equal(bad_pages(m, PAGES, 3), 0, "the parent's is unchanged");
    m[0] ^= 1;
    check_equal(m[0], (3 ^ 1), "and its own to write");
    munmap(m, PAGES * PAGE);
}

static int touch(void *at)
{
    return *(volatile char *)at;
}

static void without_rights(void)
{
    uint32_t *m = fresh(PAGES, 5);
    mprotect(m, PAGES * PAGE, PROT_NONE);
    send_out(m, PAGES);
    if (area) {
        check_equal(swapoff(area), 0, "swapoff brings back what may not be touched");
    }
    check_killed(touch, m, SIGSEGV, "it still may not");
    if (area) {
        check_equal(swapon(area, 0), 0, "swapon");
    }
    mprotect(m, PAGES * PAGE, PROT_READ);
    check_equal(bad_pages(m, PAGES, 5), 0, "until it may, and is as it was");
    munmap(m, PAGES * PAGE);
}

static void moved_and_dropped(void)
{
    uint32_t *m = fresh(PAGES, 6);
    send_out(m, PAGES);
    m = mremap(m, PAGES * PAGE, 2 * PAGES * PAGE, MREMAP_MAYMOVE);
    check(m != MAP_FAILED, "mremap of what is in swap");
    check_equal(bad_pages(m, PAGES, 6), 0, "moves it");
    check_equal(m[PAGES * WORDS], 0, "and adds zeroes");
    fill(m, PAGES, 7);
    send_out(m, PAGES);
    check_equal(madvise(m, PAGES * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED of what is in swap");
    expect_used(0, "gives the slots back");
    check_equal(m[5], 0, "and leaves zeroes");
    munmap(m, 2 * PAGES * PAGE);
}

static void by_system_calls(void)
{
    int fds[2];
    uint32_t *m = fresh(2, 7), *other = fresh(2, 0);
    send_out(m, 2);
    send_out(other, 2);
    check_equal(pipe(fds), 0, "a pipe");
    check_equal(write(fds[1], m, 2 * PAGE), (long)(2 * PAGE), "write(2) of what is in swap");
    check_equal(read(fds[0], other, 2 * PAGE), (long)(2 * PAGE), "read(2) to what is in swap");
    check_equal(bad_pages(other, 2, 7), 0, "moves the right bytes");
    close(fds[0]);
    close(fds[1]);
    munmap(m, 2 * PAGE);
    munmap(other, 2 * PAGE);
}

static int present(void *at, size_t pages)
{
    unsigned char vec[PAGES];
    int n = 0;
    if (mincore(at, pages * PAGE, vec) != 0) {
        return -1;
    }
    for (size_t i = 0; i < pages; i++) {
        n += vec[i] & 1;
    }
    return n;
}

static void locked(void)
{
    uint32_t *m = fresh(8, 8);
    send_out(m, 8);
    check_equal(mlock(m, 8 * PAGE), 0, "mlock of what is in swap");
    check_equal(present(m, 8), 8, "brings it in");
    check_errno(madvise(m, 8 * PAGE, MADV_PAGEOUT), EINVAL, "and it cannot be sent out: EINVAL");
    check_equal(bad_pages(m, 8, 8), 0, "it is as it was");
    munmap(m, 8 * PAGE);
}

static int child_adds(void *memory)
{
    uint32_t *m = memory;
    if (bad_pages(m, PAGES, 12)) {
        return 1;
    }
    fill(m, PAGES, 13);
    return 0;
}

/* Memory of several programs, which is a file in RAM. */
static void shared(void)
{
    uint32_t *m =
        mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    fill(m, PAGES, 12);
    send_out(m, PAGES);
    check_exit(child_adds, m, 0, "a child finds shared memory that is in swap, and changes it");
    check_equal((long)bad_pages(m, PAGES, 13), 0, "its parent sees that");
    send_out(m, PAGES);
    check_equal((long)bad_pages(m, PAGES, 13), 0, "also when it has been in swap once more");
    send_out(m, PAGES);
    munmap(m, PAGES * PAGE);
    expect_used(0, "shared memory that ends gives its slots back");
}

static void segment(void)
{
    int id = shmget(IPC_PRIVATE, PAGES * PAGE, IPC_CREAT | 0600);
    uint32_t *m = shmat(id, NULL, 0);
    check(m != (void *)-1, "a segment");
    fill(m, PAGES, 14);
    send_out(m, PAGES);
    shmdt(m);
    m = shmat(id, NULL, 0);
    check_equal((long)bad_pages(m, PAGES, 14), 0, "a segment is kept in swap while nobody has it");
    check_equal(shmctl(id, SHM_LOCK, NULL), 0, "SHM_LOCK");
    long before = used();
    madvise(m, PAGES * PAGE, MADV_PAGEOUT);
    check_equal(area ? used() : before, before, "and what is locked gets no slot");
    shmctl(id, SHM_UNLOCK, NULL);
    send_out(m, PAGES);
    shmctl(id, IPC_RMID, NULL);
    shmdt(m);
    expect_used(0, "a removed segment gives its slots back");
}

/* /tmp is a file system in RAM on Ferry. */
static void file_in_ram(void)
{
    char name[] = "/tmp/swapping-XXXXXX";
    static uint32_t page[WORDS];
    struct stat before, after;
    int fd = mkstemp(name);
    check_works(fd, "a file");
    check_equal(ftruncate(fd, PAGES * PAGE), 0, "of some pages");
    uint32_t *m = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    fill(m, PAGES, 15);
    fsync(fd);
    fstat(fd, &before);
    send_out(m, PAGES);
    fstat(fd, &after);
    check_equal(after.st_blocks, before.st_blocks, "a file has its blocks in swap, too");
    check_equal(lseek(fd, 0, SEEK_DATA), 0, "and is data there");
    check_equal(pread(fd, page, PAGE, 0), PAGE, "read(2)");
    check_equal((long)bad_pages(page, 1, 15), 0, "brings a page in");
    memset(page, 'x', PAGE);
    check_equal(pwrite(fd, page, PAGE, PAGE), PAGE, "write(2) over a page that is in swap");
    check_equal(pwrite(fd, page, 10, 2 * PAGE), 10, "and over a part of one");
    check(memcmp(m + WORDS, page, PAGE) == 0, "is seen in the mapping");
    fill(page, 1, 15);
    check(m[2 * WORDS] == 0x78787878 &&
              m[2 * WORDS + 3] == ((2 * (uint32_t)WORDS + 3) * 2654435761u ^ 15),
          "with what was beside it");
    check_equal((long)bad_pages(m, 1, 15), 0, "and what was before it");
    munmap(m, PAGES * PAGE);
    if (area) {
        check_equal(swapoff(area), 0, "swapoff brings back a file");
        check_equal(swapon(area, 0), 0, "swapon");
    }
    m = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check_equal((long)bad_pages(m, PAGES, 15), 2, "all but two pages are as they were");
    m[WORDS / 2] = 1;
    send_out(m, PAGES);
    check_equal(ftruncate(fd, 10), 0, "a file that is in swap is cut");
    check_equal(ftruncate(fd, PAGES * PAGE), 0, "and grows again");
    expect_used(0, "what was cut off gives its slots back");
    check_equal(m[0] | m[1], (0 ^ 15) | (2654435761u ^ 15), "its first bytes are left");
    check_equal(m[3] | m[WORDS / 2] | m[5 * WORDS], 0, "and the rest is zeroes");
    send_out(m, 1);
    munmap(m, PAGES * PAGE);
    close(fd);
    unlink(name);
    expect_used(0, "a removed file gives its slots back");
}

static int ends(void *unused)
{
    uint32_t *m = fresh(PAGES, 9);
    return madvise(m, PAGES * PAGE, MADV_PAGEOUT) == 0 ? 0 : 1;
}

/* Sends pages out, and waits until it is to look at them. */
static uint32_t *away(size_t pages)
{
    sigset_t set;
    int signal;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    uint32_t *m = fresh(pages, 0);
    for (size_t n = 0; n < pages; n++) {
        fill(m + n * WORDS, 1, 10 + (uint32_t)n);
    }
    check_equal(madvise(m, pages * PAGE, MADV_PAGEOUT), 0, "MADV_PAGEOUT");
    printf("held by %d at %#lx\n", (int)getpid(), (unsigned long)m);
    fflush(stdout);
    sigwait(&set, &signal);
    return m;
}

static int hold(size_t pages)
{
    uint32_t *m = away(pages);
    size_t bad = 0;
    for (size_t n = 0; n < pages; n++) {
        bad += bad_pages(m + n * WORDS, 1, 10 + (uint32_t)n);
    }
    check_equal((long)bad, 0, "what was sent out comes back as it was");
    return check_done();
}

static size_t shared_pages;

static int child_checks(void *memory)
{
    uint32_t *m = memory;
    for (size_t n = 0; n < shared_pages; n++) {
        if (bad_pages(m + n * WORDS, 1, 20 + (uint32_t)n)) {
            return 1;
        }
        if (n % 3 == 0) {
            fill(m + n * WORDS, 1, 7 + (uint32_t)n);
        }
    }
    return 0;
}

static int share(size_t pages)
{
    size_t bad = 0;
    uint32_t *m =
        mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (size_t n = 0; n < pages; n++) {
        fill(m + n * WORDS, 1, 20 + (uint32_t)n);
    }
    shared_pages = pages;
    check_exit(child_checks, m, 0, "a child finds all of its parent's shared memory");
    for (size_t n = 0; n < pages; n++) {
        bad += bad_pages(m + n * WORDS, 1, (n % 3 ? 20 : 7) + (uint32_t)n);
    }
    check_equal((long)bad, 0, "and its parent what it has changed there");
    return check_done();
}

static uint32_t *first;

static int look(void *at)
{
    uint32_t n = (uint32_t)(((uint32_t *)at - first) / WORDS);
    return bad_pages(at, 1, 10 + n) ? 1 : 0;
}

/* A child for each page: who cannot have it ends alone. */
static int lost(size_t pages)
{
    first = away(pages);
    for (size_t n = 0; n < pages; n++) {
        int status = run_child(look, first + n * WORDS);
        if (WIFSIGNALED(status)) {
            printf("lost: page %zu, signal %d\n", n, WTERMSIG(status));
        } else {
            check_equal(WEXITSTATUS(status), 0, "this page is as it was");
        }
    }
    return check_done();
}

/* What is written to such a mapping would come to the disk in place of somebody's memory. */
static int mapped(const char *path)
{
    int fd = open(path, O_RDWR);
    void *m = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    check(m != MAP_FAILED, "a file mapped for writing");
    check_errno(swapon(path, 0), ETXTBSY, "is no swap: ETXTBSY");
    munmap(m, PAGE);
    check_equal(swapon(path, 0), 0, "until it is mapped no longer");
    check_equal(swapoff(path), 0, "swapoff");
    return check_done();
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "mapped") == 0) {
        return mapped(argv[2]);
    }
    if (argc > 3) {
        check_equal(swapon(argv[3], SWAP_FLAG_PREFER | atoi(argv[2])), 0, "swapon");
        return check_done();
    }
    if (argc > 2) {
        size_t pages = strtoul(argv[2], NULL, 10);
        return strcmp(argv[1], "share") == 0  ? share(pages)
               : strcmp(argv[1], "hold") == 0 ? hold(pages)
                                              : lost(pages);
    }
    if (argc > 1) {
        area = argv[1];
        check_equal(swapon(area, 0), 0, "swapon");
    }
    there_and_back();
    shared_over_fork();
    without_rights();
    moved_and_dropped();
    by_system_calls();
    locked();
    shared();
    segment();
    file_in_ram();
    check_exit(ends, NULL, 0, "a program ends with pages in swap");
    expect_used(0, "no slot is in use any longer");
    if (area) {
        check_equal(swapoff(area), 0, "swapoff");
    }
    return check_done();
}
