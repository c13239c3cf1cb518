/* permissions - what a program that is not root may do with files, and what not. */
#define _GNU_SOURCE
#include "lib/check.h"
#include "lib/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

static int make(const char *name, int mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, mode);

    return fd < 0 ? -1 : close(fd);
}

static void test_files(void)
{
    struct stat st;

    check_works(make("mine", 0600), "a file can be made");
    check(stat("mine", &st) == 0 && st.st_uid == geteuid() && st.st_gid == getegid(),
          "it belongs to who made it");
    chmod("mine", 0);
    check_errno(open("mine", O_RDONLY), EACCES, "without the right to read: EACCES");
    check_errno(open("mine", O_WRONLY), EACCES, "without the right to write: EACCES");
    check_errno(open("mine", O_RDONLY | O_TRUNC), EACCES, "nor to cut it: EACCES");
    check_errno(truncate("mine", 0), EACCES, "by name neither: EACCES");
    check_errno(access("mine", R_OK), EACCES, "access says so");
    check_works(access("mine", F_OK), "and that it is there");
    chmod("mine", 0400);
    check_works(close(open("mine", O_RDONLY)), "its owner's rights are the first three");
    chmod("mine", 0044);
    check_errno(open("mine", O_RDONLY), EACCES, "and not those of the others: EACCES");
    chmod("mine", 0600);
    check_errno(access("mine", X_OK), EACCES, "what is no program is not executed: EACCES");
    check_works(unlink("mine"), "to remove a file needs no right to it");
}

static void test_directories(void)
{
    mkdir("dir", 0755);
    make("dir/file", 0644);
    chmod("dir", 0555);
    check_errno(make("dir/new", 0644), EACCES, "a directory that is not writable: EACCES");
    check_errno(unlink("dir/file"), EACCES, "takes no name away: EACCES");
    check_errno(rename("dir/file", "file"), EACCES, "nor lets one go: EACCES");
    check_errno(mkdir("dir/sub", 0755), EACCES, "nor makes a directory: EACCES");
    check_works(close(open("dir/file", O_WRONLY)), "but a file in it can be written");
    chmod("dir", 0666);
    check_errno(open("dir/file", O_RDONLY), EACCES, "one that is not searchable: EACCES");
    check_errno(chdir("dir"), EACCES, "nor entered: EACCES");
    check_works(close(open("dir", O_RDONLY | O_DIRECTORY)), "it can be listed");
    chmod("dir", 0333);
    check_errno(open("dir", O_RDONLY | O_DIRECTORY), EACCES, "one that is not readable: EACCES");
    check_works(close(open("dir/file", O_RDONLY)), "its files are found by name");
    chmod("dir", 0755);
    unlink("dir/file");
    rmdir("dir");
}

/* To move a directory is to write its "..". */
static void test_moving(void)
{
    mkdir("from", 0755);
    mkdir("to", 0755);
    mkdir("from/dir", 0555);
    check_works(rename("from/dir", "from/other"), "a directory gets another name");
    check_errno(rename("from/other", "to/other"), EACCES,
                "but goes nowhere without the right to write to it: EACCES");
    chmod("from/other", 0755);
    check_works(rename("from/other", "to/other"), "with it, it does");
    rmdir("to/other");
    rmdir("to");
    rmdir("from");
}

static int mode_of(const char *name)
{
    struct stat st;

    return stat(name, &st) == 0 ? (int)(st.st_mode & 07777) : -1;
}

/* What others may run with their owner's rights is not theirs to write. */
static void test_set_ids(void)
{
    int fd = open("program", O_RDWR | O_CREAT, 0755);

    fchmod(fd, 06755);
    check_equal(mode_of("program"), 06755, "a program runs with its owner's rights");
    write(fd, "x", 1);
    check_equal(mode_of("program"), 0755, "until it is written");
    fchmod(fd, 06755);
    ftruncate(fd, 0);
    check_equal(mode_of("program"), 0755, "or cut");
    fchmod(fd, 04644);
    pwrite(fd, "x", 1, 5);
    check_equal(mode_of("program"), 0644, "or written at a place");
    close(fd);
    unlink("program");
    mkdir("dir", 02755);
    chmod("dir", 02755);
    make("dir/file", 0644);
    check_equal(mode_of("dir"), 02755, "a directory keeps its bit");
    unlink("dir/file");
    rmdir("dir");
}

static void test_owners(void)
{
    struct timespec past[2] = {{1000000000, 0}, {1000000000, 0}};

    check_errno(chmod("/dev/null", 0666), EPERM, "somebody else's file keeps its mode: EPERM");
    check_errno(chown("/dev/null", geteuid(), -1), EPERM, "and its owner: EPERM");
    check_errno(utimensat(AT_FDCWD, "/dev/null", past, 0), EPERM, "and its times: EPERM");
    check_works(utimensat(AT_FDCWD, "/dev/null", NULL, 0),
                "that may be set to now by who may write");
    make("file", 0644);
    check_errno(chown("file", 0, -1), EPERM, "a file is not given away: EPERM");
    check_works(chown("file", geteuid(), getegid()), "but to oneself");
    unlink("file");
    check_errno(mknod("device", S_IFCHR | 0600, 0x103), EPERM, "a device is not made: EPERM");
    check_errno(chroot("."), EPERM, "nor is the root changed: EPERM");
    check_errno(mount("none", ".", "tmpfs", 0, ""), EPERM, "nor anything mounted: EPERM");
    check_errno(umount("/proc"), EPERM, "or unmounted: EPERM");
}

int main(void)
{
    scratch_enter();
    if (geteuid() == 0) { /* the rest is the same for everybody else */
        char here[256];

        if (chown(getcwd(here, sizeof(here)), NOBODY, NOBODY) < 0 || setegid(NOBODY) < 0 ||
            setresuid(NOBODY, NOBODY, 0) < 0) {
            check_works(-1, "root can become somebody else");
        }
    }
    test_files();
    test_directories();
    test_moving();
    test_set_ids();
    test_owners();
    seteuid(0); /* who was root removes what is left; for others this fails, and does no harm */
    scratch_leave();
    return check_done();
}
