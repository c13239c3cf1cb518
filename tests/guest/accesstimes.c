/* accesstimes - what counts as reading a file, and when that changes its atime (relatime). */
#define _GNU_SOURCE
#include "lib/check.h"
#include "lib/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define OLD 1000000000

static const struct timespec old_times[2] = {{OLD, 0}, {OLD, 0}};

static time_t atime_of(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0 ? st.st_atime : -1;
}

/* From now on the next read is one that counts: ctime is later than atime. */
static void make_old(const char *name)
{
    utimensat(AT_FDCWD, name, old_times, AT_SYMLINK_NOFOLLOW);
}

static void make_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    write(fd, "ten bytes.", 10);
    close(fd);
}

/* --- What is a read --------------------------------------------------------------------------- */

static int file; /* open for reading */

static void by_read(void)
{
    char byte;

    read(file, &byte, 1);
}

static void by_pread_at_the_end(void)
{
    char byte;

    pread(file, &byte, 1, 1000);
}

static void by_readv(void)
{
    char bytes[2];
    struct iovec iov[2] = {{&bytes[0], 1}, {&bytes[1], 1}};

    readv(file, iov, 2);
}

static void by_mmap(void)
{
    munmap(mmap(NULL, 10, PROT_READ, MAP_PRIVATE, file, 0), 10);
}

static void by_sendfile(void)
{
    off_t at = 0;
    int out = open("copy", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    sendfile(out, file, &at, 10);
    close(out);
}

static void by_copy_file_range(void)
{
    off_t at = 0;
    int out = open("copy", O_WRONLY | O_CREAT | O_TRUNC, 0644);

    copy_file_range(file, &at, out, NULL, 10, 0);
    close(out);
}

static void by_open_and_stat(void)
{
    struct stat st;
    int fd = open("file", O_RDONLY);

    fstat(fd, &st);
    lseek(fd, 5, SEEK_SET);
    close(fd);
}

static void by_writing(void)
{
    int fd = open("file", O_WRONLY);

    write(fd, "TEN", 3);
    close(fd);
}

static void by_noatime(void)
{
    char byte;
    int fd = open("file", O_RDONLY | O_NOATIME);

    read(fd, &byte, 1);
    close(fd);
}

static void test_reads(void)
{
    static const struct {
        void (*read_it)(void);
        bool counts;
        const char *sentence;
    } ways[] = {
        {by_read, true, "read sets atime"},
        {by_pread_at_the_end, true, "pread at the end, of nothing, sets it"},
        {by_readv, true, "readv sets it"},
        {by_mmap, true, "mmap sets it"},
        {by_sendfile, true, "sendfile sets that of the file it reads"},
        {by_copy_file_range, true, "and so does copy_file_range"},
        {by_open_and_stat, false, "open, stat and seek do not"},
        {by_writing, false, "nor does a write"},
        {by_noatime, false, "nor a read by O_NOATIME"},
    };

    make_file("file");
    file = open("file", O_RDONLY);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        make_old("file");
        ways[i].read_it();
        check((atime_of("file") > OLD) == ways[i].counts, ways[i].sentence);
    }
    close(file);
}

static int open_noatime(void *unused)
{
    (void)unused;
    if (setgid(1000) < 0 || setuid(1000) < 0) {
        return 0;
    }
    return open("file", O_RDONLY | O_NOATIME) < 0 ? errno : 0;
}

static int run_prog(void *unused)
{
    (void)unused;
    execl("./prog", "prog", "started", NULL);
    return errno;
}

static void test_other_files(void)
{
    char target[16];

    mkdir("dir", 0755);
    make_file("dir/a");
    make_old("dir");
    DIR *dir = opendir("dir");

    check_equal(atime_of("dir"), OLD, "opening a directory does not set its atime");
    readdir(dir);
    closedir(dir);
    check(atime_of("dir") > OLD, "reading it does");
    make_old("dir");
    close(open("dir/a", O_RDONLY));
    check_equal(atime_of("dir"), OLD, "looking for one name in it does not");

    symlink("file", "link");
    make_old("link");
    readlink("link", target, sizeof(target));
    check(atime_of("link") > OLD, "readlink sets a link's atime");
    make_old("link");
    make_old("file");
    close(open("link", O_RDONLY));
    check(atime_of("link") > OLD, "and so does following it");
    check_equal(atime_of("file"), OLD, "which is no read of the file");

    int in = open("/proc/self/exe", O_RDONLY), out = open("prog", O_RDWR | O_CREAT, 0755);

    while (sendfile(out, in, NULL, 1 << 20) > 0) {
        continue;
    }
    close(in);
    close(out);
    make_old("prog");
    check_exit(run_prog, NULL, 3, "a program");
    check(atime_of("prog") > OLD, "that is executed has been read");
    chmod(".", 0755);
    check_exit(open_noatime, NULL, geteuid() == 0 ? EPERM : 0, "O_NOATIME is for the owner: EPERM");
}

/* --- relatime --------------------------------------------------------------------------------- */

static void next_second(void)
{
    struct timespec t = {1, 100000000};

    nanosleep(&t, NULL);
}

static void test_relatime(void)
{
    char byte;
    struct stat st;
    int fd = open("relatime", O_RDWR | O_CREAT | O_TRUNC, 0644);

    write(fd, "x", 1);
    next_second();
    pread(fd, &byte, 1, 0);
    fstat(fd, &st);
    time_t first = st.st_atime;

    check(first > st.st_mtime, "the first read after a write counts");
    next_second();
    pread(fd, &byte, 1, 0);
    fstat(fd, &st);
    check_equal(st.st_atime, first, "those that follow change nothing");
    pwrite(fd, "y", 1, 0);
    fstat(fd, &st);
    check(st.st_atime == first && st.st_mtime > first, "until it is written");
    pread(fd, &byte, 1, 0);
    fstat(fd, &st);
    check(st.st_atime > first, "then the next read, by the same open file, counts");
    close(fd);

    struct timespec later[2] = {{time(NULL) + 1000, 0}, {OLD, 0}};

    fd = open("relatime", O_RDWR);
    futimens(fd, later);
    pread(fd, &byte, 1, 0);
    fstat(fd, &st);
    check_equal(st.st_atime, later[0].tv_sec, "an atime later than the others stays");
    fchmod(fd, 0600);
    pwrite(fd, "z", 1, 0);
    pread(fd, &byte, 1, 0);
    fstat(fd, &st);
    check_equal(st.st_atime, later[0].tv_sec, "as long as they are earlier");
    close(fd);
}

int main(int argc, char **argv)
{
    (void)argv;
    if (argc == 2) { /* this is the copy */
        return 3;
    }
    scratch_enter();
    test_reads();
    test_other_files();
    test_relatime();
    scratch_leave();
    return check_done();
}
