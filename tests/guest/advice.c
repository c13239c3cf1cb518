/*
 * advice - what a program says about its use of files is acted upon: posix_fadvise, readahead,
 * madvise; and mincore tells what is in the page cache.
 *
 * The file lies on a disk: in /root on Ferry, in the current directory on Linux.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096
#define PAGES 256

static char name[64];
static unsigned char *map; /* never touched where the test does not say so */
static unsigned char present[PAGES];

/* How many pages of the file are in the cache; `present` says which. */
static int cached(void)
{
    int n = 0;

    if (mincore(map, PAGES * PAGE, present) < 0)
        return -1;
    for (int i = 0; i < PAGES; i++)
        n += present[i] & 1;
    return n;
}

/* Reads arrive in their time. */
static int cached_at_last(int expected)
{
    for (int i = 0; i < 300 && cached() != expected; i++)
        usleep(1000);
    return cached();
}

/* What is being read ahead has come: before that it cannot be dropped, neither here nor on Linux.
 */
static void settle(void)
{
    int before;

    do {
        before = cached();
        usleep(50000);
    } while (cached() != before);
}

static int reopened(int fd)
{
    settle();
    close(fd);
    fd = open(name, O_RDWR);
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return fd;
}

static int read_page(int fd, int index)
{
    static char buffer[PAGE];

    return pread(fd, buffer, PAGE, (off_t)index * PAGE) == PAGE && buffer[0] == (char)index;
}

static void test_errors(int fd)
{
    int ends[2];

    check_equal(posix_fadvise(-1, 0, 0, POSIX_FADV_NORMAL), EBADF, "advice about no file: EBADF");
    check_equal(posix_fadvise(fd, 0, -1, POSIX_FADV_NORMAL), EINVAL, "a length below 0: EINVAL");
    check_equal(posix_fadvise(fd, 0, 0, 99), EINVAL, "advice that nobody knows: EINVAL");
    if (pipe(ends) == 0) {
        check_equal(posix_fadvise(ends[0], 0, 0, POSIX_FADV_NORMAL), ESPIPE,
                    "about a pipe: ESPIPE");
        check_errno(readahead(ends[0], 0, 10), EINVAL, "readahead of a pipe: EINVAL");
        close(ends[0]);
        close(ends[1]);
    }
    check_errno(readahead(-1, 0, 10), EBADF, "readahead of nothing: EBADF");

    int to = open(name, O_WRONLY);

    check_errno(readahead(to, 0, 10), EBADF, "of a file that is only written: EBADF");
    close(to);
    check_errno(madvise(map, PAGE, 12345), EINVAL, "madvise that nobody knows: EINVAL");
    check_errno(madvise(map + 1, PAGE, MADV_RANDOM), EINVAL, "within a page: EINVAL");
    check_errno(mincore(map + 1, PAGE, present), EINVAL, "mincore within a page: EINVAL");
    check_errno(mincore(map, PAGE, (void *)16), EFAULT, "an answer that goes nowhere: EFAULT");
    check_errno(mincore((void *)(0x10000), PAGE, present), ENOMEM, "of what is not mapped: ENOMEM");
}

static int test_dont_need(int fd)
{
    fsync(fd);
    check_equal(cached(), PAGES, "a file that was just written is in the cache");
    check_equal(posix_fadvise(fd, 0, 8 * PAGE, POSIX_FADV_DONTNEED), 0,
                "eight pages are not needed");
    check_equal(cached(), PAGES - 8, "and go");
    check(!present[0] && !present[7] && present[8], "they and no others");
    posix_fadvise(fd, 16 * PAGE + 1, 2 * PAGE, POSIX_FADV_DONTNEED);
    check(present[16] && cached() == PAGES - 9 && !present[17],
          "of pages named in part nothing goes");
    check_equal(pwrite(fd, "d", 1, 100 * PAGE), 1, "a page that is dirty");
    fsync(fd);
    check_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED), 0, "length 0 is the whole file");
    check_equal(cached(), 0, "and it is gone from the cache");
    check(pread(fd, present, 1, 100 * PAGE) == 1 && present[0] == 'd', "not from the disk");
    check_equal(pwrite(fd, "\144", 1, 100 * PAGE), 1, "as it was");
    fsync(fd);

    volatile unsigned char *touched = map + 50 * PAGE;

    (void)*touched;
    settle();
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    cached();
    check(present[50] & 1, "a page that is mapped stays");
    check_works(madvise(map, PAGES * PAGE, MADV_DONTNEED), "MADV_DONTNEED takes the mapping away");
    cached();
    check(present[50] & 1, "but not the page out of the cache");
    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    check_equal(cached(), 0, "which then can go");
    return fd;
}

static int test_will_need(int fd)
{
    fd = reopened(fd);
    check_equal(posix_fadvise(fd, 10 * PAGE, 20 * PAGE, POSIX_FADV_WILLNEED), 0,
                "pages are announced");
    check_equal(cached_at_last(20), 20, "and come, without anybody reading");
    check(!present[9] && present[10] && present[29] && !present[30], "these and no others");
    check_works(readahead(fd, 200 * PAGE, 100 * PAGE), "readahead over the end of the file");
    check_equal(cached_at_last(20 + 56), 76, "brings what there is");
    check_works(madvise(map + 100 * PAGE, 5 * PAGE, MADV_WILLNEED), "MADV_WILLNEED");
    check_equal(cached_at_last(81), 81, "brings what the mapping shows");
    check(present[100] && present[104] && !present[105], "and no more");
    return fd;
}

static int test_random(int fd)
{
    fd = reopened(fd);
    check_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM), 0, "a reader that jumps");
    check(read_page(fd, 0) && read_page(fd, 77) && read_page(fd, 78), "reads three pages");
    check_equal(cached_at_last(3), 3, "and gets three");
    fd = reopened(fd);
    check(read_page(fd, 200) && read_page(fd, 120) && read_page(fd, 40),
          "who jumps and did not say so");
    check_equal(cached_at_last(3), 3, "is found out");

    fd = reopened(fd);
    check_works(madvise(map, PAGES * PAGE, MADV_RANDOM), "a mapping at random");
    check(map[60 * PAGE] == 60 && map[160 * PAGE] == 160, "two pages are touched");
    check_equal(cached_at_last(2), 2, "and two come");
    madvise(map, PAGES * PAGE, MADV_DONTNEED);
    check_works(madvise(map, PAGES * PAGE, MADV_NORMAL), "and as usual");
    fd = reopened(fd);
    check(map[100 * PAGE] == 100, "one page is touched");
    usleep(20000);
    check_range(cached(), 2, PAGES, "and its neighbours come along");
    madvise(map, PAGES * PAGE, MADV_DONTNEED);
    return fd;
}

/* Against the grain: nothing comes along. */
static int test_backward(int fd)
{
    bool right = true;

    fd = reopened(fd);
    for (int i = 120; i > 100; i--)
        right = right && read_page(fd, i);
    check(right, "a file is read from its end to its beginning");
    settle();
    check_equal(cached(), 20, "and nothing is read in vain");
    return fd;
}

/* Each open file is a reader of its own, whoever reads in between. */
static int test_two_readers(int fd)
{
    int other;
    bool right = true;

    fd = reopened(fd);
    other = open(name, O_RDONLY);
    for (int i = 0; i < 32; i++)
        right = right && read_page(fd, i) && read_page(other, 128 + i);
    settle();
    cached();
    check(right, "two read the same file in turns, each in order");
    check((present[32] & present[40] & 1) != 0, "it is read ahead for one");
    check((present[160] & present[168] & 1) != 0, "and for the other");
    close(other);
    return fd;
}

static long faults(bool major)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return major ? use.ru_majflt : use.ru_minflt;
}

/* Faults in order read ahead as read does, and one of them maps what is there around it. */
static int test_faults(int fd)
{
    unsigned sum = 0;

    madvise(map, PAGES * PAGE, MADV_NORMAL);
    madvise(map, PAGES * PAGE, MADV_DONTNEED);
    fd = reopened(fd);
    long before = faults(true);
    for (int i = 0; i < 128; i++)
        sum += *(volatile unsigned char *)(map + i * PAGE);
    check_equal(sum, 127 * 64, "a mapping is touched from its beginning on");
    check_range(faults(true) - before, 1, 20, "few of the faults wait for the disk");
    for (int i = 128; i < PAGES; i++)
        read_page(fd, i);
    madvise(map, PAGES * PAGE, MADV_DONTNEED);
    before = faults(false) + faults(true);
    for (int i = 0; i < PAGES; i++)
        sum += *(volatile unsigned char *)(map + i * PAGE);
    check_range(faults(false) + faults(true) - before, 1, PAGES / 16 + 2,
                "and a fault on a page that is there maps sixteen");
    madvise(map, PAGES * PAGE, MADV_DONTNEED);
    return fd;
}

/* What mincore says of memory that is no file's, or no longer. */
static void test_mincore(void)
{
    unsigned char is[4];
    volatile unsigned char *m =
        mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check_equal(mincore((void *)m, 4 * PAGE, is), 0, "fresh memory");
    check(!(is[0] | is[1] | is[2] | is[3]), "is not there");
    m[PAGE] = m[3 * PAGE] = 1;
    mprotect((void *)(m + 3 * PAGE), PAGE, PROT_NONE);
    check_equal(mincore((void *)m, 4 * PAGE - 100, is), 0, "two pages are written, one hidden");
    check(!is[0] && (is[1] & 1) && !is[2] && (is[3] & 1), "and these two are there");
    check_works(madvise((void *)(m + PAGE), PAGE, MADV_DONTNEED), "one is given up");
    check(mincore((void *)(m + PAGE), PAGE, is) == 0 && !is[0], "and is not");
    munmap((void *)(m + 2 * PAGE), PAGE);
    check_errno(mincore((void *)m, 4 * PAGE, is), ENOMEM, "a hole in the range: ENOMEM");
    munmap((void *)m, 4 * PAGE);
}

/* Who neither owns a file nor may write it is not told what others read: all of it is there. */
static int test_who_may_ask(int fd)
{
    int status = 0;

    fd = reopened(fd);
    fchmod(fd, 0644);
    pid_t child = geteuid() == 0 ? fork() : -1; /* only root can become a stranger */
    if (child == 0)
        _exit(setuid(1000) < 0 ? 1 : cached() != PAGES);
    if (child > 0)
        waitpid(child, &status, 0);
    check_equal(status, 0, "a stranger is told that all is there");
    check_equal(cached(), 0, "which is not so");
    return fd;
}

static int test_sequential(int fd)
{
    fd = reopened(fd);
    check(read_page(fd, 0), "the first page of a file");
    usleep(20000);
    int first = cached();
    check_range(first, 2, 8, "brings a few more");
    for (int i = 1; i < 64; i++)
        read_page(fd, i);
    usleep(20000);
    check_range(cached(), 64 + 8, PAGES, "a reader in order gets more and more ahead");
    fd = reopened(fd);
    check_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL), 0, "one that has said so");
    bool right = true;
    for (int i = 0; i < PAGES; i++)
        right = right && read_page(fd, i);
    check(right, "reads the same bytes");
    fd = reopened(fd);
    check_equal(posix_fadvise(fd, 0, 0, POSIX_FADV_NOREUSE), 0, "who reads only once");
    for (int i = 0; i < PAGES; i++)
        right = right && read_page(fd, i);
    check(right, "reads the same bytes, too");
    check_works(madvise(map, PAGES * PAGE, MADV_SEQUENTIAL), "a mapping in order");
    for (int i = 0; i < PAGES; i++)
        right = right && map[i * PAGE] == (unsigned char)i;
    check(right, "shows the same");
    return fd;
}

int main(void)
{
    static unsigned char page[PAGE];
    bool ferry = access("/proc/ferry", F_OK) == 0;

    snprintf(name, sizeof(name), "%s/advice.%d", ferry ? "/root" : ".", (int)getpid());
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
    for (int i = 0; i < PAGES; i++) {
        memset(page, i, PAGE);
        if (write(fd, page, PAGE) != PAGE)
            note("the file could not be made");
    }
    map = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    test_errors(fd);
    fd = test_dont_need(fd);
    fd = test_will_need(fd);
    fd = test_random(fd);
    fd = test_backward(fd);
    fd = test_two_readers(fd);
    fd = test_faults(fd);
    fd = test_who_may_ask(fd);
    test_mincore();
    fd = test_sequential(fd);
    unlink(name);
    close(fd);
    return check_done();
}
