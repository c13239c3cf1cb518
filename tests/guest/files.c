/*
 * files - open, read, seek, directories, links, descriptors, and the errors that they give.
 *
 *     files [DATA]        a folder made by tools/mkdata; /data if there is none
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#ifndef STATX_TYPE /* newer C libraries bring it themselves */
#include <linux/stat.h>
#endif

#define MIB         (1 << 20)
#define SPARSE_SIZE (68 * MIB + 123)

static char *whole; /* the contents of "1m" */

static void test_read_and_seek(void)
{
    char buffer[8192];
    int fd = open("1m", O_RDONLY);
    size_t at = 0;
    ssize_t got;
    loff_t place = -1;

    if (!check_works(fd, "a file can be opened")) {
        return;
    }
    whole = malloc(MIB);
    check_equal(read(fd, whole, MIB), MIB, "one read brings a whole MiB");
    check_equal(read(fd, buffer, 1), 0, "behind the end there is nothing to read");
    check_equal(lseek(fd, 0, SEEK_CUR), MIB, "the offset is at the end then");
    check_equal(lseek(fd, 0, SEEK_SET), 0, "seeking to the start");
    while ((got = read(fd, buffer, 1009)) > 0 && memcmp(buffer, whole + at, got) == 0) {
        at += got;
    }
    check_equal(at, MIB, "reads of 1009 bytes bring the same");
    check_equal(lseek(fd, -10, SEEK_END), MIB - 10, "seeking from the end");
    check_equal(read(fd, buffer, 100), 10, "a read at the end is short");
    check_bytes(buffer, whole + MIB - 10, 10, "and brings the last bytes");
    check_equal(lseek(fd, 5 * MIB, SEEK_SET), 5 * MIB, "seeking beyond the end is allowed");
    check_equal(read(fd, buffer, 100), 0, "but there is nothing");
    check_errno(lseek(fd, -1, SEEK_SET), EINVAL, "seeking before the start: EINVAL");
    check_errno(lseek(fd, 0, 99), EINVAL, "seeking from nowhere: EINVAL");
    check_equal(lseek(fd, 0, SEEK_CUR), 5 * MIB, "failed seeks leave the offset alone");
    check_equal(syscall(SYS__llseek, fd, 1, 2, &place, SEEK_SET), 0, "_llseek works");
    check_equal(place, 0x100000002, "with offsets over 4 GiB");
    check_equal(pread(fd, buffer, 100, 0x100000000), 0, "where pread finds nothing");

    lseek(fd, 7, SEEK_SET);
    check_equal(pread(fd, buffer, 5000, 4090), 5000, "pread reads at the place that it is told");
    check_bytes(buffer, whole + 4090, 5000, "and what is there");
    check_equal(lseek(fd, 0, SEEK_CUR), 7, "it does not move the offset");
    check_errno(pread(fd, buffer, 1, -1), EINVAL, "pread before the start: EINVAL");
    check_equal(read(fd, buffer, 0), 0, "to read nothing is no error");

    struct iovec parts[3] = {{buffer, 5}, {buffer + 100, 0}, {buffer + 50, 4000}};

    check_equal(readv(fd, parts, 3), 4005, "readv fills several buffers");
    check(memcmp(buffer, whole + 7, 5) == 0 && memcmp(buffer + 50, whole + 12, 4000) == 0,
          "one after the other");
    check_equal(preadv(fd, parts, 3, 100), 4005, "so does preadv");
    check_errno(write(fd, "x", 1), EBADF, "to write to a file open for reading: EBADF");
    check_errno(readv(fd, parts, -1), EINVAL, "readv with fewer than no buffers: EINVAL");
    check_errno(ioctl(fd, 0x5401, buffer), ENOTTY, "a file is no terminal: ENOTTY");
    close(fd);
}

static void test_sizes(void)
{
    static const struct {
        const char *name;
        int size;
    } files[] = {{"zero", 0},    {"one", 1},     {"4095", 4095},
                 {"4096", 4096}, {"4097", 4097}, {"1m", MIB}};
    static char buffer[8192];

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        struct stat st;
        char sentence[80];
        int fd = open(files[i].name, O_RDONLY);
        int expected = files[i].size < 8192 ? files[i].size : 8192;

        snprintf(sentence, sizeof(sentence), "fstat gives the size of %s", files[i].name);
        check_equal(fstat(fd, &st) == 0 ? st.st_size : -1, files[i].size, sentence);
        snprintf(sentence, sizeof(sentence), "read gives all of %s", files[i].name);
        check_equal(read(fd, buffer, sizeof(buffer)), expected, sentence);
        close(fd);
    }
}

static void test_sparse(void)
{
    static char buffer[65536], zeroes[65536];
    int fd = open("sparse", O_RDONLY);
    struct stat st;

    check_equal(fstat(fd, &st) == 0 ? st.st_size : -1, SPARSE_SIZE, "a file may be over 64 MiB");
    check(st.st_blocks * 512LL < MIB, "and take less than a MiB on the disk");
    check_equal(pread(fd, buffer, 65536, 2 * MIB), 65536, "its holes can be read");
    check_bytes(buffer, zeroes, 65536, "they are zero");
    pread(fd, buffer, 10000, 0);
    check(memcmp(buffer, zeroes, 5000) != 0, "there is data before the first hole");
    check_bytes(buffer + 5000, zeroes, 5000, "which begins inside a block");
    check_equal(pread(fd, buffer, 100, SPARSE_SIZE - 20), 20, "the last bytes can be read");
    check(memcmp(buffer, zeroes, 10) == 0 && memcmp(buffer + 10, zeroes, 10) != 0,
          "a hole, and then data");
    check_equal(pread(fd, buffer, 10000, 66 * MIB + 512), 10000, "data lies behind 66 MiB");
    check(memcmp(buffer, zeroes, 100) != 0 && memcmp(buffer + 9900, zeroes, 100) != 0,
          "which is there");
    close(fd);
}

static void test_stat(void)
{
    struct stat st, link, data;
    struct statx stx;

    check_works(stat("1m", &st), "stat works");
    check(S_ISREG(st.st_mode), "a file is a regular file");
    check_equal(st.st_nlink, 1, "with one name");
    check(st.st_ino != 0 && st.st_blksize >= 512, "an inode number and a block size");
    check_range(st.st_blocks, 2048, 2100, "and 2048 blocks of 512 bytes, or a few more");
    check_equal(st.st_mtime > 1000000000, true, "its time is after the year 2001");
    stat(".", &data);
    check(S_ISDIR(data.st_mode) && data.st_nlink >= 3, "a folder is a folder, with several names");
    check(lstat("fast", &link) == 0 && S_ISLNK(link.st_mode), "lstat shows the link");
    check_equal(link.st_size, 4, "as long as its text");
    check(stat("fast", &link) == 0 && S_ISREG(link.st_mode) && link.st_size == 4096,
          "stat shows what it leads to");
    check_errno(stat("none", &st), ENOENT, "stat of nothing: ENOENT");
    check_errno(fstat(-1, &st), EBADF, "fstat of no descriptor: EBADF");
    check_works(fstatat(AT_FDCWD, "one", &st, 0), "fstatat works");

    int result = syscall(SYS_statx, AT_FDCWD, "1m", 0, STATX_BASIC_STATS, &stx);

    /* Programs fall back to stat64 where there is no statx; wrong answers would be worse. */
    check(result == 0 ? stx.stx_size == MIB && (stx.stx_mode & S_IFMT) == S_IFREG : errno == ENOSYS,
          "statx says the same, or ENOSYS");
}

static void test_names(void)
{
    static char long_name[300], long_path[5000];
    char text[256];

    memset(long_name, 'n', sizeof(long_name) - 1);
    for (int i = 0; i < 4998; i += 2) {
        memcpy(long_path + i, "./", 2);
    }
    check_errno(open("none", O_RDONLY), ENOENT, "open of nothing: ENOENT");
    check_errno(open("none/one", O_RDONLY), ENOENT, "open below nothing: ENOENT");
    check_errno(open("", O_RDONLY), ENOENT, "open of an empty name: ENOENT");
    check_errno(open("one/two", O_RDONLY), ENOTDIR, "open below a file: ENOTDIR");
    check_errno(open("one/", O_RDONLY), ENOTDIR, "a slash behind a file: ENOTDIR");
    check_errno(open("one", O_RDONLY | O_DIRECTORY), ENOTDIR, "O_DIRECTORY of a file: ENOTDIR");
    check_errno(open(".", O_WRONLY), EISDIR, "to write to a folder: EISDIR");
    check_errno(open(long_name, O_RDONLY), ENAMETOOLONG, "a name of 299 bytes: ENAMETOOLONG");
    check_errno(open(long_path, O_RDONLY), ENAMETOOLONG, "a path of 4998 bytes: ENAMETOOLONG");
    check_errno(open("fast", O_RDONLY | O_NOFOLLOW), ELOOP, "O_NOFOLLOW of a link: ELOOP");
    check_errno(open("one", O_RDONLY | O_CREAT | O_EXCL, 0600), EEXIST, "O_EXCL of a file: EEXIST");
    check_works(close(open("many/../././/one", O_RDONLY)), "dots and slashes in a path work");
    check_works(close(open("fast", O_RDONLY)), "a short link is followed");
    check_works(close(open("slow", O_RDONLY)), "a long link is followed");

    check_equal(readlink("fast", text, sizeof(text)), 4, "readlink gives the length");
    check_bytes(text, "4096", 4, "and the text of a link");
    check_equal(readlink("slow", text, sizeof(text)), 84, "a long link is 84 bytes");
    check_bytes(text + 78, "./4096", 6, "that end as they should");
    check_equal(readlink("slow", text, 10), 10, "readlink cuts what does not fit");
    check_errno(readlink("one", text, sizeof(text)), EINVAL, "readlink of a file: EINVAL");
    check_errno(readlink("none", text, sizeof(text)), ENOENT, "readlink of nothing: ENOENT");

    check_equal(access("one", F_OK | R_OK), 0, "access: a file is there and readable");
    check_errno(access("one", X_OK), EACCES, "access: it is no program");
    check_errno(access("none", F_OK), ENOENT, "access: nothing is not there");
    check_errno(access("one", 0777), EINVAL, "access with a mode that is none: EINVAL");
}

static void test_current_folder(const char *data)
{
    char before[PATH_MAX], now[PATH_MAX], expected[PATH_MAX + 8];

    check_works((long)getcwd(before, sizeof(before)) == 0 ? -1 : 0, "getcwd works");
    check_text(before, data, "it says where chdir went");
    check_works(chdir("many"), "chdir goes into a folder");
    snprintf(expected, sizeof(expected), "%s/many", before);
    check_text(getcwd(now, sizeof(now)) ? now : "", expected, "getcwd follows");
    check_works(close(open("../one", O_RDONLY)), "names are relative to it");
    check_errno(chdir("../one"), ENOTDIR, "chdir to a file: ENOTDIR");
    check_errno(chdir("none"), ENOENT, "chdir to nothing: ENOENT");
    check_errno(getcwd(now, 3) ? 0 : -1, ERANGE, "getcwd without room: ERANGE");

    int fd = open("..", O_RDONLY | O_DIRECTORY), one = openat(fd, "one", O_RDONLY);

    check_works(one, "openat starts from an open folder");
    check_errno(openat(one, "x", O_RDONLY), ENOTDIR, "openat from a file: ENOTDIR");
    check_errno(openat(999, "x", O_RDONLY), EBADF, "openat from no descriptor: EBADF");
    check_works(fchdir(fd), "fchdir goes to an open folder");
    check_text(getcwd(now, sizeof(now)) ? now : "", before, "and getcwd follows");
    check_errno(fchdir(one), ENOTDIR, "fchdir to a file: ENOTDIR");
    close(one);
    close(fd);
}

static void test_directories(void)
{
    DIR *many = opendir("many");
    struct dirent *entry;
    static char seen[3000];
    int nr = 0, dots = 0, distinct = 0, wrong = 0;
    long middle = 0;
    char name_there[256] = "", buffer[64];

    if (!many) {
        check(false, "a folder can be read");
        return;
    }
    while ((entry = readdir(many)) != NULL) {
        int number;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            dots++;
            wrong += entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN;
        } else if (sscanf(entry->d_name, "entry-%4d", &number) == 1 && number < 3000 &&
                   strlen(entry->d_name) == 10 + (size_t)number % 20 && entry->d_ino != 0) {
            distinct += !seen[number];
            seen[number] = 1;
            wrong += entry->d_type != DT_REG && entry->d_type != DT_UNKNOWN;
        } else {
            wrong++;
        }
        if (++nr == 1000) {
            middle = telldir(many);
        } else if (nr == 1001) {
            strcpy(name_there, entry->d_name);
        }
    }
    check_equal(nr, 3002, "a folder of 3000 files has 3002 entries");
    check_equal(dots, 2, "of which two are . and ..");
    check_equal(distinct, 3000, "each file appears");
    check_equal(wrong, 0, "with its right name, type and inode");
    seekdir(many, middle);
    entry = readdir(many);
    check_text(entry ? entry->d_name : "", name_there, "seekdir goes back to a place");
    rewinddir(many);
    for (nr = 0; readdir(many); nr++) {
        continue;
    }
    check_equal(nr, 3002, "rewinddir starts again");

    check_errno(read(dirfd(many), buffer, 10), EISDIR, "to read a folder as a file: EISDIR");
    rewinddir(many);
    check_errno(syscall(SYS_getdents64, dirfd(many), buffer, 10), EINVAL,
                "getdents64 without room for an entry: EINVAL");
    closedir(many);

    int file = open("one", O_RDONLY);

    check_errno(syscall(SYS_getdents64, file, buffer, sizeof(buffer)), ENOTDIR,
                "getdents64 of a file: ENOTDIR");
    close(file);
}

static int read_ten(void *fd)
{
    char buffer[10];

    return (int)read((int)(intptr_t)fd, buffer, 10);
}

static void test_descriptors(void)
{
    char text[64];
    int fd = open("1m", O_RDONLY), copy = dup(fd), third;
    struct iovec parts[2] = {{"# wri", 5}, {"tev wrote this line\n", 20}};

    check(copy >= 0 && copy != fd, "dup gives another descriptor");
    read(fd, text, 10);
    check_equal(lseek(copy, 0, SEEK_CUR), 10, "which shares the offset");
    check_exit(read_ten, (void *)(intptr_t)fd, 10, "a child reads from its parent's descriptor");
    check_equal(lseek(fd, 0, SEEK_CUR), 20, "and they share the offset");
    check_equal(dup2(fd, 33), 33, "dup2 gives the number that was asked for");
    check_equal(dup2(fd, fd), fd, "dup2 onto itself does nothing");
    check_errno(dup3(fd, fd, 0), EINVAL, "dup3 onto itself: EINVAL");
    check_errno(dup2(fd, 100000000), EBADF, "dup2 to a number too large: EBADF");
    check_errno(dup2(999, 5), EBADF, "dup2 of no descriptor: EBADF");
    check_equal(fcntl(fd, F_DUPFD, 40), 40, "F_DUPFD gives the first number from 40 on");
    check_equal(fcntl(fd, F_DUPFD, 40), 41, "and then the next");
    check_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "F_GETFL says how it was opened");
    check_equal(fcntl(fd, F_GETFD), 0, "a descriptor stays open over execve");
    check_equal(fcntl(fd, F_SETFD, FD_CLOEXEC), 0, "F_SETFD changes that");
    check_equal(fcntl(fd, F_GETFD), FD_CLOEXEC, "F_GETFD sees it");
    check_equal(fcntl(copy, F_GETFD), 0, "the copy has a flag of its own");
    third = open("one", O_RDONLY | O_CLOEXEC);
    check_equal(fcntl(third, F_GETFD), FD_CLOEXEC, "O_CLOEXEC sets it at once");
    close(third);
    check_equal(close(copy), 0, "close works");
    check_equal(open("one", O_RDONLY), copy, "open gives the lowest free number");
    check_equal(close(copy), 0, "close works again");
    check_errno(close(copy), EBADF, "but not twice: EBADF");
    check_equal(lseek(fd, 0, SEEK_CUR), 20, "closing a copy leaves the others open");
    check_equal(writev(STDOUT_FILENO, parts, 2), 25, "writev writes several buffers");
    close(33), close(40), close(41), close(fd);

    int opened[3000], nr = 0;

    while (nr < 3000 && (opened[nr] = open("one", O_RDONLY)) >= 0) {
        nr++;
    }
    check(nr == 3000 || (errno == EMFILE && nr >= 16), "too many open files: EMFILE");
    while (nr > 0) {
        close(opened[--nr]);
    }
    check_works(close(open("one", O_RDONLY)), "and after closing them all is well");
}

static void test_devices(void)
{
    static char buffer[10000], zeroes[10000];
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);

    check_equal(read(null, buffer, 100), 0, "/dev/null has nothing to read");
    check_equal(write(null, buffer, 5000), 5000, "/dev/null takes everything");
    memset(buffer, 1, sizeof(buffer));
    check_equal(read(zero, buffer, sizeof(buffer)), sizeof(buffer), "/dev/zero always has more");
    check_bytes(buffer, zeroes, sizeof(buffer), "and it is zero");
    close(null);
    close(zero);
}

/* The root file system may be read-only; then it says so, and nothing else. */
static void test_writing(void)
{
    struct stat st;
    int fd = open("files.new", O_WRONLY | O_CREAT | O_EXCL, 0644);

    check(fd >= 0 || errno == EROFS, "a file can be created, or EROFS");
    if (fd >= 0) {
        check_equal(write(fd, "12345", 5), 5, "and written");
        check(stat("files.new", &st) == 0 && st.st_size == 5, "and is as long as what was written");
        check_equal(unlink("files.new"), 0, "and removed");
        check_errno(stat("files.new", &st), ENOENT, "and is gone");
        close(fd);
    } else {
        check_errno(unlink("one"), EROFS, "nothing can be removed: EROFS");
        check_errno(mkdir("new", 0755), EROFS, "no folder can be made: EROFS");
        check_errno(open("one", O_RDWR), EROFS, "no file can be opened for writing: EROFS");
    }
}

int main(int argc, char **argv)
{
    const char *data = argc > 1 ? argv[1] : "/data";

    if (!check_works(chdir(data), "chdir to the data")) {
        return check_done();
    }
    test_read_and_seek();
    test_sizes();
    test_sparse();
    test_stat();
    test_names();
    test_current_folder(data);
    test_directories();
    test_descriptors();
    test_devices();
    test_writing();
    return check_done();
}
