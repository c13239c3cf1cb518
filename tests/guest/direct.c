/*
 * direct - O_DIRECT: past the cache, coherent with it, for those who keep to whole sectors.
 *
 * Made in a directory on a disk: /root on Ferry, the current one on Linux.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE   4096
#define SECTOR 512
#define LARGE  (300 * 1024) /* more than two transfers */

static unsigned char *buffer, *expected; /* LARGE bytes each, at a page's start */
static char name[64];
static volatile int stop; /* a thread's word to another */

static void fill(unsigned char *at, size_t len, unsigned seed)
{
    for (size_t i = 0; i < len; i++)
        at[i] = pattern(i + seed * 1000ull);
}

/* A new file with the pattern in it, opened for O_DIRECT. On the disk unless `dirty`. */
static int made(size_t len, unsigned seed, bool dirty)
{
    unlink(name);
    int fd = open(name, O_RDWR | O_CREAT | O_EXCL, 0644);

    fill(expected, len, seed);
    if (write(fd, expected, len) != (ssize_t)len || (!dirty && fsync(fd) < 0))
        note("the file could not be made");
    close(fd);
    return open(name, O_RDWR | O_DIRECT);
}

/* What the cache says. */
static void check_file(size_t len, const char *sentence)
{
    int fd = open(name, O_RDONLY);
    unsigned char *got = malloc(len + 1);

    memset(got, 0xEE, len);
    if (read(fd, got, len + 1) != (ssize_t)len)
        note("the file has another length");
    check_bytes(got, expected, len, sentence);
    free(got);
    close(fd);
}

static void test_reading(void)
{
    int fd = made(LARGE, 1, false);

    check(fcntl(fd, F_GETFL) & O_DIRECT, "F_GETFL shows O_DIRECT");
    check_equal(read(fd, buffer, LARGE), LARGE, "a read of many pages gives them all");
    check_bytes(buffer, expected, LARGE, "byte for byte");
    check_equal(read(fd, buffer, PAGE), 0, "then comes the end");
    check_equal(pread(fd, buffer, SECTOR, 7 * SECTOR), SECTOR,
                "one sector in the middle of a page");
    check_bytes(buffer, expected + 7 * SECTOR, SECTOR, "is that sector");
    memset(buffer, 0xEE, 4 * PAGE);
    check_equal(pread(fd, buffer + SECTOR, 3 * PAGE, SECTOR), 3 * PAGE,
                "a buffer that begins inside of a page");
    check_bytes(buffer + SECTOR, expected + SECTOR, 3 * PAGE, "gets its bytes");
    check(buffer[SECTOR - 1] == 0xEE && buffer[SECTOR + 3 * PAGE] == 0xEE, "and no byte beside it");
    check_equal(pread(fd, buffer, 2 * PAGE, LARGE - PAGE), PAGE, "a read over the end is cut");

    struct iovec iov[2] = {{buffer + PAGE, PAGE}, {buffer, SECTOR}};

    check_equal(preadv(fd, iov, 2, 0), PAGE + SECTOR, "preadv fills several buffers");
    check(!memcmp(buffer + PAGE, expected, PAGE) && !memcmp(buffer, expected + PAGE, SECTOR),
          "each with its part");
    buffer[0] = 0xEE;
    iov[0] = (struct iovec){buffer, PAGE};
    iov[1] = (struct iovec){buffer + PAGE + 1, PAGE};
    check_errno(preadv(fd, iov, 2, 0), EINVAL, "when the second is not aligned: EINVAL");
    iov[1] = (struct iovec){buffer + PAGE, 100};
    check_errno(preadv(fd, iov, 2, 0), EINVAL, "or not whole sectors long");
    check_equal(buffer[0], 0xEE, "the first is not filled either");
    iov[1].iov_base = NULL;
    iov[1].iov_len = 0;
    check_equal(preadv(fd, iov, 2, 0), PAGE, "one of no length may lie anywhere");
    iov[1] = (struct iovec){buffer + PAGE + 1, PAGE};
    check_equal(preadv(fd, iov, 2, LARGE), 0, "at the end nothing is asked of them");
    check_errno(pwritev(fd, iov, 2, 0), EINVAL, "pwritev is as strict: EINVAL");
    check_errno(pwritev(fd, iov, 2, LARGE), EINVAL, "at the end, too");
    check_file(LARGE, "and has written nothing");
    close(fd);
}

static void test_alignment(void)
{
    int fd = made(2 * PAGE, 2, false);

    check_errno(pread(fd, buffer, PAGE - 1, 0), EINVAL,
                "a length that is not whole sectors: EINVAL");
    check_errno(pread(fd, buffer, PAGE, 100), EINVAL, "an offset inside of a sector: EINVAL");
    check_errno(pread(fd, buffer + 1, PAGE, 0), EINVAL, "an odd address: EINVAL");
    check_errno(pwrite(fd, buffer, 100, 0), EINVAL, "a write of a part of a sector: EINVAL");
    check_errno(pwrite(fd, buffer, SECTOR, 10), EINVAL, "a write to the middle of one: EINVAL");
    check_errno(pwrite(fd, buffer + 1, PAGE, 0), EINVAL, "from an odd address: EINVAL");
    check_equal(pread(fd, buffer, 0, 0), 0, "nothing can be read from anywhere");
    check_equal(pwrite(fd, buffer, 0, 0), 0, "and written");
    check_errno(pread(fd, (void *)PAGE, PAGE, 0), EFAULT, "into memory that is none: EFAULT");
    check_errno(pwrite(fd, (void *)PAGE, PAGE, 0), EFAULT, "from memory that is none: EFAULT");

    void *rom = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check_errno(pread(fd, rom, PAGE, 0), EFAULT, "into memory that is read-only: EFAULT");
    munmap(rom, PAGE);
    check_file(2 * PAGE, "none of this has changed the file");
    close(fd);
}

static void test_end(void)
{
    int fd = made(5000, 3, false);

    check_equal(pread(fd, buffer, 2 * PAGE, 0), 5000,
                "the file ends where it ends, not at a sector");
    check_bytes(buffer, expected, 5000, "its bytes are all there");
    check_equal(pread(fd, buffer, PAGE, PAGE), 5000 - PAGE, "its last part alone");
    check_equal(pread(fd, buffer, PAGE, 2 * PAGE), 0, "behind the end there is nothing");
    close(fd);
    fd = made(0, 3, false);
    check_equal(pread(fd, buffer, PAGE, 0), 0, "an empty file has nothing to read");
    close(fd);
}

static void test_holes(void)
{
    int fd = made(PAGE, 4, false);

    check_works(ftruncate(fd, 8 * PAGE), "a file with a hole at its end");
    memset(expected + PAGE, 0, 7 * PAGE);
    memset(buffer, 0xEE, 8 * PAGE);
    check_equal(pread(fd, buffer, 8 * PAGE, 0), 8 * PAGE, "is read as one");
    check_bytes(buffer, expected, 8 * PAGE, "zeroes where nothing was written");
    fill(buffer, PAGE, 5);
    memcpy(expected + 4 * PAGE, buffer, PAGE);
    check_equal(pwrite(fd, buffer, PAGE, 4 * PAGE), PAGE, "a write into the hole");
    check_file(8 * PAGE, "fills that part of it");
    fill(buffer, SECTOR, 6);
    memcpy(expected + 6 * PAGE + SECTOR, buffer, SECTOR);
    check_equal(pwrite(fd, buffer, SECTOR, 6 * PAGE + SECTOR), SECTOR, "one sector into the hole");
    check_file(8 * PAGE, "and zeroes around it");
    memset(buffer, 0xEE, 8 * PAGE);
    pread(fd, buffer, 8 * PAGE, 0);
    check_bytes(buffer, expected, 8 * PAGE, "on the disk, too");
    fill(buffer, PAGE, 7);
    check_equal(pwrite(fd, buffer, PAGE, 20 * PAGE), PAGE, "a write far behind the end");
    memset(expected + 8 * PAGE, 0, 12 * PAGE);
    memcpy(expected + 20 * PAGE, buffer, PAGE);
    check_file(21 * PAGE, "leaves a hole before it");
    close(fd);
}

static void test_writing(void)
{
    struct stat st;
    int fd = made(0, 8, false);

    fill(expected, LARGE, 8);
    memcpy(buffer, expected, LARGE);
    check_equal(write(fd, buffer, LARGE), LARGE, "a new file of many pages is written");
    check(fstat(fd, &st) == 0 && st.st_size == LARGE, "and is as long as that");
    check(st.st_blocks * 512 >= LARGE, "with its blocks on the disk");
    check_equal(lseek(fd, 0, SEEK_CUR), LARGE, "the position is behind what was written");
    check_file(LARGE, "byte for byte");
    fill(buffer, 3 * SECTOR, 9);
    memcpy(expected + PAGE - SECTOR, buffer, 3 * SECTOR);
    check_equal(pwrite(fd, buffer, 3 * SECTOR, PAGE - SECTOR), 3 * SECTOR,
                "three sectors over a page's border");
    check_file(LARGE, "change these and no others");
    close(fd);

    fd = open(name, O_WRONLY | O_DIRECT | O_APPEND);
    fill(buffer, SECTOR, 10);
    memcpy(expected + LARGE, buffer, SECTOR);
    check_equal(pwrite(fd, buffer, SECTOR, 0), SECTOR,
                "O_APPEND goes to the end, whatever the offset");
    check_file(LARGE + SECTOR, "as it does with the cache");
    close(fd);

    fd = made(100, 11, true);
    fill(buffer, SECTOR, 12);
    memset(expected + 100, 0, PAGE);
    memcpy(expected + SECTOR, buffer, SECTOR);
    check_equal(pwrite(fd, buffer, SECTOR, SECTOR), SECTOR,
                "behind a short file that is still dirty");
    check_file(2 * SECTOR, "zeroes lie between");
    close(fd);

    fd = made(0, 1, false);
    fill(expected, 9 * SECTOR, 13);
    memcpy(buffer, expected, 9 * SECTOR);
    bool all = true;
    for (int i = 0; i < 9; i++)
        all = all && write(fd, buffer + i * SECTOR, SECTOR) == SECTOR;
    check(all, "a file grows sector by sector");
    check_file(9 * SECTOR, "and is whole");
    check_works(ftruncate(fd, 2 * PAGE), "made longer");
    memset(expected + 9 * SECTOR, 0, 2 * PAGE - 9 * SECTOR);
    check_file(2 * PAGE, "it has zeroes behind what was written");
    close(fd);
}

static void test_coherence(void)
{
    int fd = made(4 * PAGE, 14, true);

    memset(buffer, 0xEE, 4 * PAGE);
    check_equal(pread(fd, buffer, 4 * PAGE, 0), 4 * PAGE, "what is only in the cache yet");
    check_bytes(buffer, expected, 4 * PAGE, "is what a direct read gives");

    int cached = open(name, O_RDWR);
    unsigned char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, cached, 0);
    unsigned char *private = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, cached, 0);
    unsigned sum = 0;

    for (int i = 0; i < 4; i++)
        sum += map[i * PAGE] + private[i * PAGE];
    check(sum, "the file is mapped, and its pages are present");
    private[2 * PAGE] = 'p';
    fill(buffer, 2 * PAGE, 15);
    check_equal(pwrite(fd, buffer, 2 * PAGE, PAGE), 2 * PAGE, "a direct write below a mapping");
    memcpy(expected + PAGE, buffer, 2 * PAGE);
    check_bytes(map, expected, 4 * PAGE, "is seen through a shared mapping");
    check_bytes(private + PAGE, expected + PAGE, PAGE, "through a private one");
    check_equal(private[2 * PAGE], 'p', "but not where that has a copy of its own");
    check_file(4 * PAGE, "and by read");

    memset(map + 3 * PAGE, 'm', PAGE);
    memset(expected + 3 * PAGE, 'm', PAGE);
    check_equal(pread(fd, buffer, PAGE, 3 * PAGE), PAGE, "what a mapping has written");
    check_bytes(buffer, expected + 3 * PAGE, PAGE, "a direct read sees");
    memset(map + 3 * PAGE + SECTOR, 'n', SECTOR);
    memset(expected + 3 * PAGE + SECTOR, 'n', SECTOR);
    fill(buffer, SECTOR, 16);
    memcpy(expected + 3 * PAGE, buffer, SECTOR);
    check_equal(pwrite(fd, buffer, SECTOR, 3 * PAGE), SECTOR,
                "a direct write beside a dirty sector");
    check_bytes(map + 3 * PAGE, expected + 3 * PAGE, PAGE, "leaves both");
    check_equal(pwrite(cached, "cached", 6, 0), 6, "a write into the cache");
    memcpy(expected, "cached", 6);
    check_equal(pread(fd, buffer, PAGE, 0), PAGE, "and a direct read of it");
    check_bytes(buffer, expected, PAGE, "agree");
    munmap(private, 4 * PAGE);
    munmap(map, 4 * PAGE);
    close(cached);
    close(fd);
}

static void test_buffers(void)
{
    int fd = made(4 * PAGE, 17, false);
    unsigned char *fresh =
        mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    check_equal(pread(fd, fresh, 4 * PAGE, 0), 4 * PAGE, "into memory that was never touched");
    check_bytes(fresh, expected, 4 * PAGE, "the bytes come");
    memset(fresh, 'o', 4 * PAGE);
    pid_t child = fork(); /* all pages are shared now, until somebody writes */
    if (child == 0) {
        ssize_t n = pread(fd, fresh, 2 * PAGE, 0);
        _exit(n == 2 * PAGE && !memcmp(fresh, expected, 2 * PAGE) && fresh[2 * PAGE] == 'o' ? 0
                                                                                            : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    check_equal(status, 0, "a child reads into its copy of a page");
    check(fresh[0] == 'o' && fresh[2 * PAGE - 1] == 'o', "and its parent's is as it was");

    unsigned char *shared =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    child = fork();
    if (child == 0)
        _exit(pread(fd, shared, PAGE, PAGE) == PAGE ? 0 : 1);
    waitpid(child, &status, 0);
    check_equal(status, 0, "a child reads into shared memory");
    check_bytes(shared, expected + PAGE, PAGE, "and its parent sees it");

    char other[80];

    snprintf(other, sizeof(other), "%s.other", name);
    int to = open(other, O_RDWR | O_CREAT | O_TRUNC, 0644);
    check_works(ftruncate(to, 2 * PAGE), "another file");
    unsigned char *map = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, to, 0);
    check_equal(pread(fd, map, 2 * PAGE, 2 * PAGE), 2 * PAGE, "a read into a mapping of it");
    check_equal(pread(to, buffer, 2 * PAGE, 0), 2 * PAGE, "is a write to that file");
    check_bytes(buffer, expected + 2 * PAGE, 2 * PAGE, "as read sees");
    check_equal(pwrite(fd, map, PAGE, 0), PAGE, "a write from a mapping");
    memcpy(expected, map, PAGE);
    check_file(4 * PAGE, "is a copy from file to file");
    munmap(map, 2 * PAGE);
    unlink(other);
    close(to);

    munmap(fresh + 2 * PAGE, 2 * PAGE);
    ssize_t n = pread(fd, fresh, 4 * PAGE, 0);
    check(n == 2 * PAGE || (n == -1 && errno == EFAULT), "a buffer that ends too early is noticed");
    munmap(fresh, 2 * PAGE);
    munmap(shared, PAGE);
    close(fd);
}

/* A disk as a file: Ferry's; Linux has another, or none that we may read. */
static void test_device(void)
{
    struct iovec iov[2] = {{buffer, SECTOR}, {buffer + PAGE, SECTOR}};
    int fd = open("/dev/hda", O_RDONLY | O_DIRECT);
    bool ferry = access("/proc/ferry", F_OK) == 0;

    check(!ferry || preadv(fd, iov, 2, 2 * SECTOR) == 2 * SECTOR, "a disk is read past the cache");
    iov[1].iov_base = buffer + PAGE + 1;
    check(!ferry || (preadv(fd, iov, 2, 0) < 0 && errno == EINVAL), "in whole sectors alone");
    check(!ferry || pread(fd, buffer, SECTOR, lseek(fd, 0, SEEK_END)) == 0, "to its end");
    close(fd);
}

/* The buffer is the file itself: to be written, its page needs the lock that a read holds. */
static void test_same_file(void)
{
    int fd = made(16 * PAGE, 21, false);
    unsigned char *map = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    check_equal(pread(fd, map + 8 * PAGE, 4 * PAGE, 0), 4 * PAGE, "a read into the file's mapping");
    memcpy(expected + 8 * PAGE, expected, 4 * PAGE);
    check_file(16 * PAGE, "copies a part of it to another");
    check_equal(pread(fd, map, 4 * PAGE, 0), 4 * PAGE, "the same part onto itself");
    check_equal(pwrite(fd, map, 4 * PAGE, 0), 4 * PAGE, "by a write as well");
    check_file(16 * PAGE, "changes nothing");
    map[5 * PAGE] = 'd';
    check_equal(pwrite(fd, map + 5 * PAGE, PAGE, 12 * PAGE), PAGE, "a write from a dirty page");
    expected[5 * PAGE] = 'd';
    memcpy(expected + 12 * PAGE, expected + 5 * PAGE, PAGE);
    check_file(16 * PAGE, "takes the newest bytes");
    check_equal(pwrite(fd, map, 2 * PAGE, 16 * PAGE), 2 * PAGE, "one over the end");
    memcpy(expected + 16 * PAGE, expected, 2 * PAGE);
    check_file(18 * PAGE, "makes it longer");
    munmap(map, 16 * PAGE);
    close(fd);
}

/* Two threads, each reads one file into a mapping of the other. */
static int crossed[2];
static unsigned char *crossed_map[2];

static void *cross(void *number)
{
    int i = number != NULL;
    long wrong = 0;

    for (int n = 0; n < 40; n++)
        wrong += pread(crossed[i], crossed_map[!i], 8 * PAGE, 8 * PAGE) != 8 * PAGE;
    return (void *)wrong;
}

static void test_crossed(void)
{
    pthread_t threads[2];
    long wrong[2];
    bool same = true;

    for (int i = 0; i < 2; i++) {
        crossed[i] = made(16 * PAGE, 22 + i, false);
        crossed_map[i] = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, crossed[i], 0);
    }
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, cross, i ? buffer : NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], (void **)&wrong[i]);
    check_equal(wrong[0] + wrong[1], 0, "two files are read into each other's mapping");
    for (int i = 0; i < 2; i++) {
        check_equal(pread(crossed[!i], buffer, 8 * PAGE, 8 * PAGE), 8 * PAGE, "what one had");
        same = same && !memcmp(crossed_map[i], buffer, 8 * PAGE);
        munmap(crossed_map[i], 8 * PAGE);
    }
    check(same, "the other has");
    close(crossed[0]);
    close(crossed[1]);
}

/* A file that is cut and grows again while it is read: any length, but never others' bytes. */
static void *cutter(void *unused)
{
    int fd = open(name, O_RDWR);

    for (int i = 0; i < 30; i++) {
        if (ftruncate(fd, i % 2 ? 64 * PAGE : 3 * PAGE + 100) < 0)
            break;
        usleep(500);
    }
    stop = 1;
    close(fd);
    return unused;
}

static void test_cut(void)
{
    int fd = made(64 * PAGE, 24, false), wrong = 0;
    pthread_t thread;

    memset(expected + 3 * PAGE + 100, 0, 61 * PAGE - 100);
    stop = 0;
    pthread_create(&thread, NULL, cutter, NULL);
    while (!stop) {
        memset(buffer, 0, 64 * PAGE);
        ssize_t n = pread(fd, buffer, 64 * PAGE, 0);
        size_t sure = 3 * PAGE + 100; /* behind it: what was there, or zeroes */

        wrong += n < (ssize_t)sure || n > 64 * PAGE || memcmp(buffer, expected, sure) != 0;
        for (size_t i = sure; n > 0 && i < (size_t)n; i++)
            wrong += buffer[i] && buffer[i] != pattern(i + 24000ull);
    }
    pthread_join(thread, NULL);
    check_equal(wrong, 0, "a file may be cut while it is read");
    close(fd);
}

/* One thread reads and writes past the cache; another forks, unmaps and writes beside it. */
static unsigned char *race;

static void *disturb(void *unused)
{
    for (unsigned i = 0; !stop; i++) {
        void *p = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        race[8 * PAGE]++;
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        race[9 * PAGE]++;
        waitpid(child, NULL, 0);
        munmap(p, 8 * PAGE);
    }
    return unused;
}

static void test_threads(void)
{
    int fd = made(8 * PAGE, 18, false);
    pthread_t thread;
    int wrong = 0;

    stop = 0;
    race = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_create(&thread, NULL, disturb, NULL);
    for (int i = 0; i < 60; i++) {
        memset(race, i, 8 * PAGE);
        wrong += pread(fd, race, 8 * PAGE, 0) != 8 * PAGE || memcmp(race, expected, 8 * PAGE) != 0;
    }
    stop = 1;
    pthread_join(thread, NULL);
    check_equal(wrong, 0, "forks of another thread never cost a reader its bytes");
    munmap(race, 10 * PAGE);
    close(fd);
}

static void *unmapper(void *at)
{
    munmap(at, 32 * PAGE);
    return NULL;
}

static void test_unmapped_in_flight(void)
{
    int fd = made(32 * PAGE, 19, false), wrong = 0;

    for (int i = 0; i < 10; i++) {
        void *at =
            mmap(NULL, 32 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_t thread;

        pthread_create(&thread, NULL, unmapper, at);
        ssize_t n = pread(fd, at, 32 * PAGE, 0);
        wrong += !(n == 32 * PAGE || n >= 0 || errno == EFAULT);
        pthread_join(thread, NULL);
    }
    check_equal(wrong, 0, "memory may be unmapped while the disk works on it");
    close(fd);
}

static void test_switch(void)
{
    int fd = made(PAGE, 20, true);
    int flags = fcntl(fd, F_GETFL);

    check_errno(pread(fd, buffer, 10, 0), EINVAL, "ten bytes are too few");
    check_works(fcntl(fd, F_SETFL, flags & ~O_DIRECT), "F_SETFL takes O_DIRECT away");
    check_equal(pread(fd, buffer, 10, 0), 10, "and ten bytes will do");
    check_works(fcntl(fd, F_SETFL, flags | O_DIRECT), "F_SETFL sets it again");
    check_errno(pread(fd, buffer, 10, 0), EINVAL, "and they are too few");
    close(fd);

    int ends[2];

    check_errno(open("/proc/self/maps", O_RDONLY | O_DIRECT), EINVAL, "/proc has no disk: EINVAL");
    check_errno(open("/dev/null", O_RDONLY | O_DIRECT), EINVAL, "neither has /dev/null");
    check_errno(open("/", O_RDONLY | O_DIRECT), EINVAL, "a directory is not read like that");
    check_works(pipe(ends), "a pipe");
    check_works(fcntl(ends[1], F_SETFL, O_DIRECT), "takes O_DIRECT: packets");
    close(ends[0]);
    close(ends[1]);
    fd = open("/proc/self/maps", O_RDONLY);
    check_errno(fcntl(fd, F_SETFL, O_DIRECT), EINVAL, "F_SETFL refuses where open does");
    close(fd);
}

int main(void)
{
    bool ferry = access("/proc/ferry", F_OK) == 0;

    snprintf(name, sizeof(name), "%s/direct.%d", ferry ? "/root" : ".", (int)getpid());
    buffer = mmap(NULL, LARGE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    expected = malloc(LARGE + PAGE);
    test_reading();
    test_alignment();
    test_end();
    test_holes();
    test_writing();
    test_coherence();
    test_buffers();
    test_device();
    test_same_file();
    test_crossed();
    test_cut();
    test_threads();
    test_unmapped_in_flight();
    test_switch();
    unlink(name);
    return check_done();
}
