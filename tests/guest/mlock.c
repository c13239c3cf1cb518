/*
 * mlock - memory that stays: what is locked, what may be, and what the kernel says of it.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096ul

#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif
#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif

/* VmLck of this program, in pages; -1: the line is missing. Asks for no memory itself. */
static long locked_pages(void)
{
    static char text[4096];
    int fd = open("/proc/self/status", O_RDONLY);
    long n = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    const char *line = strstr(text, "VmLck:");
    return line ? atol(line + 6) / 4 : -1;
}

static char *map(size_t pages, int flags)
{
    return mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1,
                0);
}

static int present(const char *at, size_t pages)
{
    unsigned char vec[64];
    int n = 0;
    if (mincore((void *)at, pages * PAGE, vec) != 0) {
        return -1;
    }
    for (size_t i = 0; i < pages; i++) {
        n += vec[i] & 1;
    }
    return n;
}

static void ranges(void)
{
    char *m = map(8, 0);
    check_equal(locked_pages(), 0, "nothing is locked at the start");
    check_equal(mlock(m + PAGE, 2 * PAGE), 0, "mlock");
    check_equal(locked_pages(), 2, "VmLck counts the pages");
    check_equal(present(m, 8), 2, "what is locked is present, untouched");
    check_equal(mlock(m, 8 * PAGE), 0, "mlock over what is locked in part");
    check_equal(locked_pages(), 8, "counts each page once");
    check_equal(munlock(m + 3 * PAGE, PAGE), 0, "munlock inside");
    check_equal(locked_pages(), 7, "leaves the rest locked");
    check_equal(munlock(m + 3 * PAGE, PAGE), 0, "munlock of what is not locked is no error");
    check_equal(mlock(m + 10, 1), 0, "mlock of one byte");
    check_equal(munlock(m + 8 * PAGE - 1, 1), 0, "munlock of the last byte");
    check_equal(locked_pages(), 6, "takes its whole page");
    check_equal(mlock(m, 0), 0, "mlock of nothing");
    check_equal(munmap(m, 2 * PAGE), 0, "munmap of what is locked");
    check_equal(locked_pages(), 4, "is no longer counted");
    check_errno(mlock(m, 8 * PAGE), ENOMEM, "mlock over a hole: ENOMEM");
    check_errno(munlock(m, 8 * PAGE), ENOMEM, "munlock over a hole: ENOMEM");
    check_equal(mprotect(m + 4 * PAGE, PAGE, PROT_READ), 0, "mprotect inside of what is locked");
    check_equal(munlock(m + 2 * PAGE, 6 * PAGE), 0, "munlock of all that is left");
    check_equal(locked_pages(), 0, "leaves nothing");
    munmap(m, 8 * PAGE);
}

static void on_fault(void)
{
    char *m = map(4, 0);
    long ret = syscall(SYS_mlock2, m, 4 * PAGE, MLOCK_ONFAULT);
    check_equal(ret, 0, "mlock2 on fault");
    check_equal(locked_pages(), 4, "counts at once");
    check_equal(present(m, 4), 0, "and brings nothing in");
    m[PAGE] = 1;
    check_equal(present(m, 4), 1, "but what is touched");
    check_errno(syscall(SYS_mlock2, m, PAGE, 2), EINVAL, "mlock2 with another flag: EINVAL");
    munmap(m, 4 * PAGE);
    m = map(4, MAP_LOCKED);
    check_equal(present(m, 4), 4, "MAP_LOCKED brings everything in");
    check_equal(locked_pages(), 4, "and locks it");
    check_errno(madvise(m, PAGE, MADV_DONTNEED), EINVAL, "MADV_DONTNEED of what is locked: EINVAL");
    munmap(m, 4 * PAGE);
}

static int child_has_none(void *unused)
{
    return locked_pages() == 0 ? 0 : 1;
}

static long minor_faults(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_minflt;
}

/* A private page of a file is a program's own before it is written. */
static void copies_at_once(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    char *m = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    check_equal(mlock(m, 4 * PAGE), 0, "mlock of a private mapping of a file");
    minor_faults();
    long before = minor_faults();
    for (size_t i = 0; i < 4; i++) {
        m[i * PAGE] = 1;
    }
    check_equal(minor_faults() - before, 0, "leaves no fault for a write to come");
    munmap(m, 4 * PAGE);
    close(fd);
}

static void inheritance(void)
{
    char *m = map(4, 0);
    mlock(m, 4 * PAGE);
    check_exit(child_has_none, NULL, 0, "a child inherits no locks");
    m = mremap(m, 4 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    check(m != MAP_FAILED, "mremap of what is locked");
    check_equal(locked_pages(), 8, "locks what it has grown by");
    check_equal(present(m, 8), 8, "and brings it in");
    munmap(m, 8 * PAGE);
    check_equal(locked_pages(), 0, "munmap of it all");
}

static int all_of_it(void *unused)
{
    if (mlockall(MCL_FUTURE) != 0 || locked_pages() != 0) {
        return 1;
    }
    char *m = map(4, 0);
    if (present(m, 4) != 4 || locked_pages() != 4) {
        return 2;
    }
    if (mlockall(MCL_FUTURE | MCL_ONFAULT) != 0) {
        return 3;
    }
    m = map(4, 0);
    if (present(m, 4) != 0 || locked_pages() != 8) {
        return 4;
    }
    if (mlockall(MCL_CURRENT) != 0 || present(m, 4) != 4 || locked_pages() < 16) {
        return 5;
    }
    long before = locked_pages();
    map(4, 0);
    if (locked_pages() != before) { /* MCL_CURRENT alone ends MCL_FUTURE */
        return 6;
    }
    return munlockall() == 0 && locked_pages() == 0 ? 0 : 7;
}

/* Of a program that is not root. */
static int limited(void *unused)
{
    struct rlimit four = {4 * PAGE, 4 * PAGE}, none = {0, 0};
    setrlimit(RLIMIT_MEMLOCK, &four);
    if (setresuid(1000, 1000, 1000) != 0) {
        return 1;
    }
    char *m = map(8, 0);
    if (mlock(m, 4 * PAGE) != 0) {
        return 2;
    }
    if (mlock(m, 4 * PAGE) != 0) { /* they count already */
        return 3;
    }
    if (mlock(m, 5 * PAGE) == 0 || errno != ENOMEM) {
        return 4;
    }
    if (map(1, MAP_LOCKED) != MAP_FAILED || errno != EAGAIN) {
        return 5;
    }
    if (mlockall(MCL_CURRENT) == 0 || errno != ENOMEM) {
        return 6;
    }
    munlock(m, 8 * PAGE);
    if (mlock(m + 4 * PAGE, 4 * PAGE) != 0) {
        return 7;
    }
    munlock(m, 8 * PAGE);
    setrlimit(RLIMIT_MEMLOCK, &none);
    if (mlock(m, PAGE) == 0 || errno != EPERM) {
        return 8;
    }
    long ret =
        syscall(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
    if (ret != -1 || errno != EPERM) { /* musl's mmap says ENOMEM */
        return 9;
    }
    if (mlockall(MCL_FUTURE) == 0 || errno != EPERM) {
        return 10;
    }
    return munlock(m, PAGE) == 0 ? 0 : 11;
}

int main(void)
{
    ranges();
    on_fault();
    copies_at_once();
    inheritance();
    check_errno(mlockall(0), EINVAL, "mlockall of nothing: EINVAL");
    check_errno(mlockall(MCL_ONFAULT), EINVAL, "mlockall on fault alone: EINVAL");
    check_errno(mlockall(64), EINVAL, "mlockall of something unknown: EINVAL");
    check_exit(all_of_it, NULL, 0, "mlockall: what is to come, what there is, and an end");
    check_exit(limited, NULL, 0, "RLIMIT_MEMLOCK binds who is not root");
    return check_done();
}
