/* writing - what is written to a file is there: by every call, past the end, through mappings. */
#define _GNU_SOURCE
#include "lib/check.h"
#include "lib/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

static char buffer[5 * PAGE], zeroes[5 * PAGE], letters[5 * PAGE];

static int fresh(const char *name)
{
    unlink(name);
    return open(name, O_RDWR | O_CREAT | O_EXCL, 0644);
}

static long long size_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? st.st_size : -1;
}

static void test_write_and_read(void)
{
    int fd = fresh("file");

    check_equal(write(fd, letters, 10000), 10000, "write takes all it is given");
    check_equal(size_of(fd), 10000, "and the file is as long as that");
    check_equal(pread(fd, buffer, sizeof(buffer), 0), 10000, "it is read back");
    check_bytes(buffer, letters, 10000, "byte for byte");
    check_equal(pwrite(fd, "middle", 6, 4093), 6, "pwrite over the border of two pages");
    check_equal(lseek(fd, 0, SEEK_CUR), 10000, "does not move the position");
    pread(fd, buffer, 10000, 0);
    check(memcmp(buffer + 4093, "middle", 6) == 0 && memcmp(buffer, letters, 4093) == 0 &&
              memcmp(buffer + 4099, letters + 4099, 5901) == 0,
          "and changes nothing else");
    check_equal(write(fd, "", 0), 0, "to write nothing is no error");
    check_errno(pwrite(fd, "x", 1, -1), EINVAL, "pwrite before the start: EINVAL");
    check_errno(write(fd, (void *)16, 10), EFAULT, "from memory that is none: EFAULT");
    check_equal(size_of(fd), 10000, "which adds nothing");

    char *edge = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    munmap(edge + PAGE, PAGE);
    memset(edge, 'e', PAGE);
    long n = pwrite(fd, edge, 2 * PAGE, 12288);

    check(n > 0 && n <= PAGE, "memory that ends on the way: as much as there is");
    check_equal(size_of(fd), 12288 + n, "is written");

    struct iovec parts[3] = {{"one", 3}, {"", 0}, {"three", 5}};

    check_equal(pwritev(fd, parts, 3, 100), 8, "pwritev writes several buffers");
    pread(fd, buffer, 8, 100);
    check_bytes(buffer, "onethree", 8, "one after the other");
    close(fd);
    fd = open("file", O_RDONLY);
    check_errno(write(fd, "x", 1), EBADF, "open for reading: EBADF");
    check_errno(ftruncate(fd, 0), EINVAL, "nor can it be cut: EINVAL");
    close(fd);
    fd = open("file", O_WRONLY);
    check_errno(read(fd, buffer, 1), EBADF, "open for writing alone cannot be read: EBADF");
    close(fd);
    fd = open("file", O_PATH);
    check_errno(write(fd, "x", 1), EBADF, "O_PATH is no way to write: EBADF");
    check_errno(read(fd, buffer, 1), EBADF, "or to read: EBADF");
    check_equal(size_of(fd) > 0, true, "but to ask what it is");
    close(fd);
}

static void test_append_and_truncate(void)
{
    int fd = fresh("log"), other;

    write(fd, "first ", 6);
    other = open("log", O_WRONLY | O_APPEND);
    lseek(other, 0, SEEK_SET);
    check_equal(write(other, "second ", 7), 7, "O_APPEND writes at the end");
    check_equal(lseek(other, 0, SEEK_CUR), 13, "and is there then");
    write(fd, "1234567", 7);
    check_equal(write(other, "third", 5), 5, "wherever that has moved");
    pread(fd, buffer, 18, 0);
    check_bytes(buffer, "first 1234567third", 18, "all is in its place");
    check_equal(fcntl(other, F_SETFL, 0), 0, "O_APPEND can be taken away");
    lseek(other, 0, SEEK_SET);
    write(other, "FIRST", 5);
    pread(fd, buffer, 5, 0);
    check_bytes(buffer, "FIRST", 5, "then it writes where it is");
    close(other);
    other = open("log", O_WRONLY | O_TRUNC);
    check_equal(size_of(fd), 0, "O_TRUNC empties the file");
    check_equal(pread(fd, buffer, 10, 0), 0, "for who has it open, too");
    close(other);

    pwrite(fd, letters, 3000, 0);
    lseek(fd, 2000, SEEK_SET);
    check_works(ftruncate(fd, 1000), "a file gets shorter");
    check_equal(lseek(fd, 0, SEEK_CUR), 2000, "ftruncate does not move the position");
    check_works(ftruncate(fd, 9000), "and longer");
    check_equal(pread(fd, buffer, 10000, 0), 9000, "it has the new length");
    check_bytes(buffer, letters, 1000, "with what was left");
    check_bytes(buffer + 1000, zeroes, 8000, "and zeroes behind, not what was there before");
    check_works(truncate("log", 5), "truncate by name works");
    check_equal(size_of(fd), 5, "as well");
    check_errno(truncate("none", 5), ENOENT, "truncate of nothing: ENOENT");
    check_errno(truncate(".", 5), EISDIR, "of a directory: EISDIR");
    check_errno(ftruncate(fd, -1), EINVAL, "to less than nothing: EINVAL");
    check_errno(ftruncate(-1, 0), EBADF, "of no descriptor: EBADF");
    close(fd);
}

static void test_holes(void)
{
    int fd = fresh("holes");
    struct stat st;

    check_equal(pwrite(fd, "end", 3, 10 * 1048576), 3, "a write far behind the end");
    check_equal(size_of(fd), 10 * 1048576 + 3, "makes the file long");
    fstat(fd, &st);
    check(st.st_blocks * 512LL < 1048576, "but not large");
    check_equal(pread(fd, buffer, 8192, 5 * 1048576), 8192, "the hole can be read");
    check_bytes(buffer, zeroes, 8192, "as zeroes");
    check_equal(pread(fd, buffer, 100, 10 * 1048576 - 10), 13, "up to the data behind it");
    check(memcmp(buffer, zeroes, 10) == 0 && memcmp(buffer + 10, "end", 3) == 0, "which is there");
    check_equal(lseek(fd, 0, SEEK_DATA), 10 * 1048576, "SEEK_DATA finds it");
    check_equal(lseek(fd, 100, SEEK_HOLE), 100, "SEEK_HOLE finds the hole");
    check_equal(lseek(fd, 10 * 1048576, SEEK_HOLE), 10 * 1048576 + 3, "and the one at the end");
    check_errno(lseek(fd, 20 * 1048576, SEEK_DATA), ENXIO,
                "behind the end there is no data: ENXIO");
    check_errno(lseek(fd, 20 * 1048576, SEEK_HOLE), ENXIO, "and no hole: ENXIO");
    pwrite(fd, "x", 1, 4 * 1048576 + 100);
    check_equal(lseek(fd, 0, SEEK_DATA), 4 * 1048576, "data begins with its block");
    check_equal(lseek(fd, 4 * 1048576, SEEK_HOLE), 4 * 1048576 + PAGE, "and ends with it");
    ftruncate(fd, 100);
    ftruncate(fd, 200);
    check_equal(pwrite(fd, letters, 50, 0) + pread(fd, buffer, 200, 0), 250, "writing into a hole");
    check(memcmp(buffer, letters, 50) == 0 && memcmp(buffer + 50, zeroes, 150) == 0,
          "leaves zeroes around");
    check_works(fallocate(fd, 0, 0, 3 * PAGE), "fallocate works");
    check_equal(size_of(fd), 3 * PAGE, "and makes the file longer");
    pwrite(fd, letters, 3 * PAGE, 0);
    check_works(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 100, 2 * PAGE),
                "a hole can be punched");
    pread(fd, buffer, 3 * PAGE, 0);
    check(memcmp(buffer, letters, 100) == 0 && memcmp(buffer + 100, zeroes, 2 * PAGE) == 0 &&
              memcmp(buffer + 100 + 2 * PAGE, letters + 100 + 2 * PAGE, PAGE - 100) == 0,
          "exactly there");
    check_errno(fallocate(fd, 0, 0, 0), EINVAL, "fallocate of nothing: EINVAL");
    check_errno(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE), EOPNOTSUPP,
                "a hole that might change the length: EOPNOTSUPP");
    close(fd);
}

static int touch(void *at)
{
    return *(volatile char *)at;
}

static void test_mappings(void)
{
    int fd = fresh("mapped");

    write(fd, letters, 2 * PAGE);
    char *shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *second = mmap(NULL, 2 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

    if (!check_works(shared == MAP_FAILED || private == MAP_FAILED ? -1 : 0, "a file is mapped")) {
        return;
    }
    check_bytes(shared, letters, 2 * PAGE, "and has the file's bytes");
    memcpy(shared + 10, "mapping", 7);
    pread(fd, buffer, 20, 0);
    check_bytes(buffer + 10, "mapping", 7, "what is stored there is read from the file");
    check_bytes(second + 10, "mapping", 7, "and seen in another mapping");
    pwrite(fd, "written", 7, PAGE + 5);
    check_bytes(shared + PAGE + 5, "written", 7, "what is written is seen in the mapping");
    private[0] = 'P';
    check(shared[0] == letters[0], "a private mapping is its owner's alone");
    pwrite(fd, "Q", 1, 0);
    check(private[0] == 'P' && shared[0] == 'Q', "and stays so");
    check_works(msync(shared, 2 * PAGE, MS_SYNC), "msync works");
    int hole = fresh("hole");

    ftruncate(hole, PAGE);
    char *empty = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, hole, 0);

    check_equal(empty[77], 0, "a hole is mapped as zeroes");
    empty[77] = 'h';
    check_equal(pread(hole, buffer, 1, 77), 1, "and stored into");
    check_equal(buffer[0], 'h', "that is in the file");
    struct stat st;

    fstat(hole, &st);
    check(st.st_blocks > 0, "which now takes a block");
    munmap(empty, PAGE);
    close(hole);

    ftruncate(fd, 100);
    check_killed(touch, shared + PAGE, SIGBUS, "a page that is cut off: SIGBUS");
    check_equal(touch(shared + 99), letters[99], "what is left of the file is still mapped");
    check_equal(touch(shared + 100), 0, "behind its end there is zero");
    ftruncate(fd, 2 * PAGE);
    check_equal(touch(shared + PAGE + 5), 0, "longer again, it is zero");
    check_equal(second[10], 'm', "and the rest as before");
    munmap(shared, 2 * PAGE);
    munmap(second, 2 * PAGE);
    munmap(private, 2 * PAGE);
    close(fd);
    fd = open("mapped", O_RDONLY);
    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    check_errno(shared == MAP_FAILED ? -1 : 0, EACCES,
                "a file open for reading is not mapped for writing: EACCES");
    close(fd);
}

static void test_unlinked(void)
{
    int fd = fresh("gone");
    struct stat st;

    write(fd, "still here", 10);
    unlink("gone");
    check_equal(pread(fd, buffer, 20, 0), 10, "an unlinked file can be read as long as it is open");
    check(fstat(fd, &st) == 0 && st.st_nlink == 0, "it has no link");
    check_equal(pwrite(fd, "more", 4, 10), 4, "and can be written");
    check(open("gone", O_RDONLY) < 0, "but not found");
    close(fd);
}

static void test_copying(void)
{
    int from = fresh("from"), to = fresh("to");
    off_t place = 5;

    write(from, letters, 10000);
    check_equal(sendfile(to, from, &place, 20000), 9995, "sendfile copies from file to file");
    check_equal(place, 10000, "and says how far it came");
    pread(to, buffer, 10000, 0);
    check_bytes(buffer, letters + 5, 9995, "byte for byte");
    check_equal(lseek(to, 0, SEEK_CUR), 9995, "the other file's position moves");
    ftruncate(to, 0);

    loff_t in = 100, out = 50;

    check_equal(syscall(SYS_copy_file_range, from, &in, to, &out, 6000, 0), 6000,
                "copy_file_range copies");
    check(in == 6100 && out == 6050, "both places move");
    check_equal(pread(to, buffer, 7000, 0), 6050, "the file has what it got");
    check(memcmp(buffer, zeroes, 50) == 0 && memcmp(buffer + 50, letters + 100, 6000) == 0,
          "where it was put");
    check_errno(syscall(SYS_copy_file_range, from, NULL, to, NULL, 10, 1), EINVAL,
                "with a flag: EINVAL");
    in = 0, out = 10;
    check_errno(syscall(SYS_copy_file_range, from, &in, from, &out, 100, 0), EINVAL,
                "onto itself: EINVAL");
    check_errno(syscall(SYS_copy_file_range, from, NULL, -1, NULL, 10, 0), EBADF,
                "to no descriptor: EBADF");
    close(from);
    close(to);
}

static int write_too_much(void *fd)
{
    struct rlimit limit = {5000, 5000};

    setrlimit(RLIMIT_FSIZE, &limit);
    if (pwrite((int)(intptr_t)fd, letters, 6000, 0) != 5000) {
        return 1;
    }
    pwrite((int)(intptr_t)fd, letters, 1, 5000);
    return 2;
}

static int write_too_much_and_ignore(void *fd)
{
    struct rlimit limit = {5000, 5000};

    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    return pwrite((int)(intptr_t)fd, letters, 1, 5000) < 0 && errno == EFBIG &&
                   ftruncate((int)(intptr_t)fd, 5001) < 0 && errno == EFBIG
               ? 7
               : 1;
}

static void test_limits(void)
{
    int fd = fresh("limited");

    check_killed(write_too_much, (void *)(intptr_t)fd, SIGXFSZ,
                 "a file over RLIMIT_FSIZE: cut, then SIGXFSZ");
    check_exit(write_too_much_and_ignore, (void *)(intptr_t)fd, 7, "if that is ignored: EFBIG");
    close(fd);
}

static void test_times(void)
{
    struct timespec old[2] = {{1000000000, 0}, {1000000000, 0}};
    struct stat st;
    int fd = fresh("times");

    futimens(fd, old);
    write(fd, "x", 1);
    fstat(fd, &st);
    check(st.st_mtime > 1000000000 && st.st_ctime > 1000000000, "a write sets mtime and ctime");
    check_equal(st.st_atime, 1000000000, "and not atime");
    pread(fd, buffer, 1, 0);
    fstat(fd, &st);
    check(st.st_atime > 1000000000, "a read after it sets atime");
    futimens(fd, old);
    write(fd, "", 0);
    fstat(fd, &st);
    check_equal(st.st_mtime, 1000000000, "a write of nothing sets no time");
    ftruncate(fd, 1);
    fstat(fd, &st);
    check(st.st_mtime > 1000000000, "ftruncate to the same length does");
    close(fd);
    mkdir("dir", 0755);
    utimensat(AT_FDCWD, "dir", old, 0);
    close(open("dir/x", O_CREAT | O_RDWR, 0600));
    check(stat("dir", &st) == 0 && st.st_mtime > 1000000000,
          "a new name sets its directory's mtime");
    utimensat(AT_FDCWD, "dir", old, 0);
    unlink("dir/x");
    check(stat("dir", &st) == 0 && st.st_mtime > 1000000000, "and one that goes, too");
}

static int run_prog(void *unused)
{
    (void)unused;
    execl("./prog", "prog", "started", NULL);
    return errno;
}

/* A copy of this program waits, until it is killed. */
static pid_t start_prog(int *ready)
{
    int ends[2];
    char number[16], byte;

    if (pipe(ends) < 0) {
        return -1;
    }
    pid_t child = fork();

    if (child == 0) {
        snprintf(number, sizeof(number), "%d", ends[1]);
        execl("./prog", "prog", "wait", number, NULL);
        _exit(1);
    }
    close(ends[1]);
    *ready = read(ends[0], &byte, 1) == 1;
    close(ends[0]);
    return child;
}

static void test_programs(void)
{
    int in = open("/proc/self/exe", O_RDONLY), out = open("prog", O_RDWR | O_CREAT, 0755),
        ready = 0;

    while (sendfile(out, in, NULL, 1 << 20) > 0) {
        continue;
    }
    close(in);
    check_exit(run_prog, NULL, ETXTBSY, "a file open for writing is not executed: ETXTBSY");
    close(out);
    check_exit(run_prog, NULL, 3, "a program that was written runs");
    pid_t child = start_prog(&ready);

    check(ready, "and goes on");
    check_errno(open("prog", O_WRONLY), ETXTBSY, "a program that runs is not written: ETXTBSY");
    check_errno(truncate("prog", 0), ETXTBSY, "nor cut: ETXTBSY");
    check_works(unlink("prog"), "but it can be removed");
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

int main(int argc, char **argv)
{
    if (argc == 2) { /* this is the copy */
        return 3;
    }
    if (argc == 3) {
        write(atoi(argv[2]), "x", 1);
        for (;;) {
            pause();
        }
    }
    for (size_t i = 0; i < sizeof(letters); i++) {
        letters[i] = (char)('a' + i * 7 % 26);
    }
    scratch_enter();
    test_write_and_read();
    test_append_and_truncate();
    test_holes();
    test_mappings();
    test_unlinked();
    test_copying();
    test_limits();
    test_times();
    test_programs();
    scratch_leave();
    return check_done();
}
