/*
 * pagemap - /proc/<pid>/pagemap and smaps, /proc/kpagecount and kpageflags say of a page what
 * Linux's say, so that its tools work here.
 *
 * Frame numbers are for root alone; on Linux without root that part is left out.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kernel-page-flags.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

#define PRESENT   (UINT64_C(1) << 63)
#define SWAPPED   (UINT64_C(1) << 62)
#define OF_FILE   (UINT64_C(1) << 61)
#define EXCLUSIVE (UINT64_C(1) << 56)
#define FRAME(e)  ((e) & ((UINT64_C(1) << 55) - 1))

static bool root;

/* Record n of a file of 8 bytes each; all ones: there is none. */
static uint64_t record(const char *name, uint64_t n)
{
    uint64_t value = 0;
    int fd = open(name, O_RDONLY);
    ssize_t got = pread(fd, &value, sizeof(value), (off_t)(n * sizeof(value)));

    close(fd);
    return got == sizeof(value) ? value : ~UINT64_C(0);
}

static uint64_t entry_of(const volatile void *at)
{
    return record("/proc/self/pagemap", (uintptr_t)at / PAGE);
}

static volatile char *map(int prot, int flags, int fd)
{
    return mmap(NULL, PAGE, prot, flags, fd, 0);
}

static void test_anonymous(void)
{
    volatile char *at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    check_equal(entry_of(at), 0, "of a page that was never touched nothing is said");
    *at = 1;
    check_equal(entry_of(at) & ~FRAME(~0ull) & ~(UINT64_C(1) << 55), PRESENT | EXCLUSIVE,
                "a page that was written is present, and the program's alone");
    check(!root || FRAME(entry_of(at)), "in a frame with a number");
    check(!root || record("/proc/kpagecount", FRAME(entry_of(at))) == 1, "that one entry names");
    mprotect((void *)at, PAGE, PROT_NONE);
    check(entry_of(at) & PRESENT, "not to be touched, it is still there");
    munmap((void *)at, PAGE);
    check_equal(entry_of(at), 0, "after munmap it is not");
}

/* It has what its parent has, and touches nothing of it. */
static pid_t child_that_waits(int ends[2])
{
    char end;
    if (pipe(ends) < 0)
        note("no pipe");
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        _exit((int)read(ends[0], &end, 1));
    }
    return child;
}

static void let_go(pid_t child, const int ends[2])
{
    close(ends[1]);
    waitpid(child, NULL, 0);
    close(ends[0]);
}

static void test_fork(void)
{
    volatile char *at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int ends[2];

    *at = 1;
    uint64_t before = entry_of(at);
    pid_t child = child_that_waits(ends);
    check_equal(FRAME(entry_of(at)), FRAME(before), "fork leaves a page in its frame");
    check(!(entry_of(at) & EXCLUSIVE), "which is no longer the program's alone");
    check(!root || record("/proc/kpagecount", FRAME(before)) == 2, "two entries name it");
    *at = 2;
    check(entry_of(at) & EXCLUSIVE, "after a write it is alone again");
    check(!root || FRAME(entry_of(at)) != FRAME(before), "in another frame");
    check(!root || record("/proc/kpagecount", FRAME(before)) == 1, "the first is the child's");
    let_go(child, ends);
}

static void test_file(void)
{
    static const char bytes[PAGE] = "page";
    bool ferry = access("/proc/ferry", F_OK) == 0;
    char name[64];

    snprintf(name, sizeof(name), "%s/pagemap.%d", ferry ? "/root" : ".", (int)getpid());
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);

    check_equal(write(fd, bytes, PAGE), PAGE, "a file");
    fsync(fd);
    volatile char *shared = map(PROT_READ, MAP_SHARED, fd);
    volatile char *private = map(PROT_READ | PROT_WRITE, MAP_PRIVATE, fd);
    char sum = (char)(*shared + *private);

    check(sum, "is mapped twice");
    check(entry_of(shared) & OF_FILE, "its page is said to be a file's");
    check_equal(FRAME(entry_of(shared)), FRAME(entry_of(private)), "one frame in both places");
    check(!root || record("/proc/kpagecount", FRAME(entry_of(shared))) == 2, "two entries");
    uint64_t flags = root ? record("/proc/kpageflags", FRAME(entry_of(shared))) : 0;
    check(!root || (flags >> KPF_UPTODATE & 1 && flags >> KPF_LRU & 1 && !(flags >> KPF_ANON & 1)),
          "its flags are a file's");
    *private = 'P';
    check((entry_of(private) & (PRESENT | OF_FILE)) == PRESENT, "the copy is no file's");
    check(!root || FRAME(entry_of(private)) != FRAME(entry_of(shared)), "but another frame");
    check(!root || record("/proc/kpageflags", FRAME(entry_of(private))) >> KPF_ANON & 1,
          "an anonymous one");
    close(fd);
    unlink(name);
    volatile char *memory = map(PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1);
    *memory = 1;
    check(entry_of(memory) & OF_FILE, "shared memory counts as a file's");
}

/* What smaps says of the region at an address, in KiB; -1: there is no such line. */
static long smaps_of(const volatile void *at, const char *key)
{
    FILE *smaps = fopen("/proc/self/smaps", "r");
    char line[4200];
    unsigned long start, end;
    bool inside = false;
    long value = -1;

    while (smaps && fgets(line, sizeof(line), smaps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
            inside = (uintptr_t)at >= start && (uintptr_t)at < end;
        else if (inside && strncmp(line, key, strlen(key)) == 0 && line[strlen(key)] == ':')
            value = strtol(line + strlen(key) + 1, NULL, 10);
    }
    if (smaps)
        fclose(smaps);
    return value;
}

static void test_smaps(void)
{
    /* Between two pages that are no part of it, so that it stays a region of its own. */
    char *around = mmap(NULL, 6 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile char *at = around + PAGE;
    int ends[2];

    mprotect(around + PAGE, 4 * PAGE, PROT_READ | PROT_WRITE);
    at[0] = at[PAGE] = at[3 * PAGE] = 1;
    check_equal(smaps_of(at, "Size"), 16, "a region of four pages");
    check_equal(smaps_of(at, "Rss"), 12, "of which three are there");
    check_equal(smaps_of(at, "Pss"), 12, "for this program alone");
    check_equal(smaps_of(at, "Private_Dirty"), 12, "written");
    check_equal(smaps_of(at, "Anonymous"), 12, "and no file's");
    check_equal(smaps_of(at, "Swap"), 0, "none in swap");
    pid_t child = child_that_waits(ends);
    check_equal(smaps_of(at, "Shared_Dirty"), 12, "with a child all are shared");
    check_equal(smaps_of(at, "Pss"), 6, "and half of each is its");
    at[0] = 2;
    check_equal(smaps_of(at, "Private_Dirty"), 4, "but for the one that was written");
    check_equal(smaps_of(at, "Pss"), 8, "which counts in full");
    let_go(child, ends);
    munmap(around, 6 * PAGE);
}

static void test_who_may(void)
{
    volatile char *at = map(PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int status;

    *at = 1;
    pid_t child = fork();
    if (child == 0) {
        if (root && setuid(1000) < 0)
            _exit(1);
        prctl(PR_SET_DUMPABLE, 1); /* or Linux gives its own /proc files to root */
        if (!(entry_of(at) & PRESENT) || FRAME(entry_of(at)))
            _exit(2);
        _exit(open("/proc/1/pagemap", O_RDONLY) < 0 && open("/proc/kpagecount", O_RDONLY) < 0 ? 0
                                                                                              : 3);
    }
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 0, "who is not root learns no frame's number");
}

static void test_errors(void)
{
    uint64_t two[2];
    int fd = open("/proc/self/pagemap", O_RDONLY);

    check_errno(pread(fd, two, 8, 4), EINVAL, "within a record: EINVAL");
    check_errno(pread(fd, two, 12, 0), EINVAL, "one and a half of them: EINVAL");
    check_equal(pread(fd, two, 16, 0), 16, "two");
    check_equal(pread(fd, two, 8, (off_t)1 << 40), 0, "behind the last one: the end");
    close(fd);
    fd = open("/proc/kpagecount", O_RDONLY);
    check(!root || (pread(fd, two, 8, 4) < 0 && errno == EINVAL), "so it is with frames: EINVAL");
    check(!root || pread(fd, two, 8, (off_t)1 << 40) == 0, "and the end");
    close(fd);
}

int main(void)
{
    root = geteuid() == 0;
    test_anonymous();
    test_fork();
    test_file();
    test_smaps();
    test_who_may();
    test_errors();
    return check_done();
}
