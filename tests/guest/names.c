/* names - making, linking, renaming and removing files, and what is said of mistakes. */
#define _GNU_SOURCE
#include "lib/check.h"
#include "lib/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOREPLACE 1
#define EXCHANGE  2

static int make(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);

    return fd < 0 ? -1 : close(fd);
}

static bool there(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0;
}

static int links(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0 ? (int)st.st_nlink : -1;
}

static unsigned long inode(const char *name)
{
    struct stat st;

    return lstat(name, &st) == 0 ? st.st_ino : 0;
}

static void test_making(void)
{
    struct stat st;
    int fd;

    check_works(make("file"), "a file can be made");
    check_errno(make("file"), EEXIST, "but not twice with O_EXCL: EEXIST");
    check_works(fd = open("file", O_RDWR | O_CREAT, 0), "without O_EXCL it is opened");
    close(fd);
    check_errno(open("none/file", O_CREAT | O_RDWR, 0600), ENOENT, "below nothing: ENOENT");
    check_errno(open("file/x", O_CREAT | O_RDWR, 0600), ENOTDIR, "below a file: ENOTDIR");
    check_errno(open("new/", O_CREAT | O_RDWR, 0600), EISDIR, "with a slash behind: EISDIR");
    check_errno(open(".", O_CREAT | O_RDWR, 0600), EISDIR, "of a directory: EISDIR");
    umask(027);
    close(open("masked", O_CREAT | O_RDWR, 0666));
    umask(022);
    check(stat("masked", &st) == 0 && (st.st_mode & 07777) == 0640, "the umask takes rights away");
    check_works(fd = open("readonly", O_CREAT | O_RDWR, 0400),
                "a file made without the right to write");
    check_equal(write(fd, "x", 1), 1, "is written by who made it");
    close(fd);
    symlink("behind", "dangling");
    check_works(close(open("dangling", O_CREAT | O_WRONLY, 0600)), "O_CREAT goes through a link");
    check(there("behind"), "and makes what it names");
    unlink("behind");
    check_errno(open("dangling", O_CREAT | O_EXCL | O_WRONLY, 0600), EEXIST,
                "O_EXCL does not follow it: EEXIST");
    check_errno(open("dangling", O_CREAT | O_NOFOLLOW | O_WRONLY, 0600), ELOOP,
                "O_NOFOLLOW does not either: ELOOP");
    symlink("loop", "loop");
    check_errno(open("loop", O_RDONLY), ELOOP, "a link to itself: ELOOP");
    check_errno(open("loop", O_CREAT | O_RDWR, 0600), ELOOP,
                "nor is a file made through it: ELOOP");
    unlink("file"), unlink("masked"), unlink("readonly"), unlink("dangling"), unlink("loop");
}

static void test_directories(void)
{
    struct stat st;

    check_works(mkdir("dir", 0755), "mkdir works");
    check(stat("dir", &st) == 0 && S_ISDIR(st.st_mode), "and makes a directory");
    check_equal(links("dir"), 2, "with two links");
    check_works(mkdir("dir/sub/", 0700), "a slash behind the name is right");
    check_equal(links("dir"), 3, "a directory in it is one more");
    check_errno(mkdir("dir", 0755), EEXIST, "mkdir twice: EEXIST");
    check_errno(mkdir("none/dir", 0755), ENOENT, "mkdir below nothing: ENOENT");
    check_errno(mkdir("", 0755), ENOENT, "mkdir without a name: ENOENT");
    check_errno(mkdir("/", 0755), EEXIST, "mkdir of the root: EEXIST");
    check_errno(mkdir("dir/..", 0755), EEXIST, "mkdir of ..: EEXIST");
    check_errno(rmdir("dir"), ENOTEMPTY, "rmdir of what is not empty: ENOTEMPTY");
    check_errno(rmdir("dir/sub/."), EINVAL, "rmdir of .: EINVAL");
    check_errno(rmdir("dir/sub/.."), ENOTEMPTY, "rmdir of ..: ENOTEMPTY");
    check_errno(rmdir("/"), EBUSY, "rmdir of the root: EBUSY");
    check_errno(unlink("dir/sub"), EISDIR, "unlink of a directory: EISDIR");
    make("dir/file");
    check_errno(rmdir("dir/file"), ENOTDIR, "rmdir of a file: ENOTDIR");
    check_errno(unlink("dir/file/"), ENOTDIR, "unlink of a file with a slash: ENOTDIR");
    check_errno(unlink("dir/none"), ENOENT, "unlink of nothing: ENOENT");
    check_errno(unlinkat(AT_FDCWD, "dir/file", 0x1000), EINVAL,
                "unlinkat with a wrong flag: EINVAL");
    check_works(unlink("dir/file"), "unlink works");
    check_works(unlinkat(AT_FDCWD, "dir/sub", AT_REMOVEDIR), "unlinkat removes a directory");
    check_equal(links("dir"), 2, "and its parent has a link less");

    char here[PATH_MAX], name[PATH_MAX];

    getcwd(here, sizeof(here));
    chdir("dir");
    check_works(rmdir("../dir"), "a directory in use can be removed");
    check_errno(getcwd(name, sizeof(name)) ? 0 : -1, ENOENT, "then it has no path: ENOENT");
    check_errno(make("x"), ENOENT, "and takes no new names: ENOENT");
    check_works(chdir(here), "but can be left");
}

static void test_links(void)
{
    char text[32];
    struct stat st;

    make("one");
    check_works(link("one", "two"), "link works");
    check_equal(links("one"), 2, "a file with two names has two links");
    check_equal(inode("one"), inode("two"), "and one inode");
    check_errno(link("one", "two"), EEXIST, "link to a name that is there: EEXIST");
    check_errno(link("none", "three"), ENOENT, "link of nothing: ENOENT");
    mkdir("dir", 0755);
    check_errno(link("dir", "three"), EPERM, "link of a directory: EPERM");
    check_errno(link("one", "/dev/three"), EXDEV, "link to another file system: EXDEV");
    unlink("one");
    check(there("two") && links("two") == 1, "one name less, and the file is still there");
    check_works(symlink("two", "soft"), "symlink works");
    check(lstat("soft", &st) == 0 && st.st_size == 3, "it is as long as its text");
    check_equal(readlink("soft", text, sizeof(text)), 3, "readlink gives the length");
    check_bytes(text, "two", 3, "and the text");
    check_errno(symlink("", "soft2"), ENOENT, "a link to nothing: ENOENT");
    check_errno(symlink("x", "soft"), EEXIST, "a link where something is: EEXIST");
    check_works(link("soft", "soft2"), "link does not follow a link");
    check_equal(links("soft"), 2, "it gives it another name");
    check_works(linkat(AT_FDCWD, "soft", AT_FDCWD, "three", AT_SYMLINK_FOLLOW),
                "linkat follows it when asked to");
    check_equal(inode("three"), inode("two"), "and links what it leads to");
    check_errno(linkat(AT_FDCWD, "two", AT_FDCWD, "x", 0x4000), EINVAL,
                "linkat with a wrong flag: EINVAL");
    unlink("two"), unlink("three"), unlink("soft"), unlink("soft2"), rmdir("dir");
}

static int rename2(const char *from, const char *to, unsigned flags)
{
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

static void test_rename(void)
{
    make("a");
    make("b");
    mkdir("dir", 0755);
    mkdir("dir/sub", 0755);
    mkdir("empty", 0755);

    unsigned long a = inode("a"), b = inode("b");

    check_works(rename("a", "b"), "rename replaces a file");
    check(!there("a") && inode("b") == a, "which then is the other one");
    check_errno(rename("a", "c"), ENOENT, "rename of nothing: ENOENT");
    check_errno(rename("b", "none/c"), ENOENT, "rename to below nothing: ENOENT");
    check_errno(rename("b", "dir"), EISDIR, "a file over a directory: EISDIR");
    check_errno(rename("dir", "b"), ENOTDIR, "a directory over a file: ENOTDIR");
    check_errno(rename("dir", "dir/sub/x"), EINVAL, "a directory into itself: EINVAL");
    check_errno(rename("empty", "dir"), ENOTEMPTY, "over a directory that is not empty: ENOTEMPTY");
    check_errno(rename("b", "c/"), ENOTDIR, "a file to a name with a slash: ENOTDIR");
    check_errno(rename("dir/.", "c"), EBUSY, "rename of .: EBUSY");
    check_errno(rename("b", "/dev/b"), EXDEV, "rename to another file system: EXDEV");
    check_works(rename("dir/sub", "empty"), "a directory replaces an empty one");
    check_equal(links("dir"), 2, "the one it left has a link less");
    check_works(rename("dir", "empty/dir"), "a directory moves");
    check_equal(links("empty"), 3, "and the one it came to has a link more");
    check_equal(inode("empty/dir/.."), inode("empty"), "its .. is where it is now");
    link("b", "same");
    check_works(rename("b", "same"), "rename of one name of a file to another");
    check(there("b") && there("same"), "does nothing");
    unlink("same");
    make("x");
    b = inode("x");
    check_errno(rename2("b", "x", NOREPLACE), EEXIST, "RENAME_NOREPLACE does not replace: EEXIST");
    check_works(rename2("b", "y", NOREPLACE), "it renames to a free name");
    check_works(rename2("x", "y", EXCHANGE), "RENAME_EXCHANGE works");
    check(inode("y") == b && inode("x") == a, "both names have changed their files");
    check_errno(rename2("x", "none", EXCHANGE), ENOENT, "it needs both: ENOENT");
    check_errno(rename2("x", "y", NOREPLACE | EXCHANGE), EINVAL, "the two flags together: EINVAL");
    check_works(rename2("x", "empty/dir", EXCHANGE), "a file and a directory change places");
    check_equal(links("empty"), 2, "and the links are counted right");
    check_works(rmdir("x"), "the directory is the file's name now");
    unlink("y"), unlink("empty/dir"), rmdir("empty");
}

static void test_special(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "socket"};
    struct stat st;

    check_works(mkfifo("fifo", 0600), "mkfifo works");
    check(lstat("fifo", &st) == 0 && S_ISFIFO(st.st_mode), "and makes a FIFO");
    check_works(mknod("plain", 0644, 0), "mknod without a type works");
    check(lstat("plain", &st) == 0 && S_ISREG(st.st_mode), "and makes a file");
    check_errno(mknod("plain", S_IFIFO | 0600, 0), EEXIST, "mknod of what is there: EEXIST");
    check_errno(mknod("dir", S_IFDIR | 0755, 0), EPERM, "mknod of a directory: EPERM");
    check_errno(mknod("what", 0130000, 0), EINVAL, "mknod of no type: EINVAL");
    check_works(mknod("socket", S_IFSOCK | 0600, 0), "mknod of a socket's name works");
    check_errno(open("socket", O_RDWR), ENXIO, "which cannot be opened: ENXIO");

    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    check_errno(bind(fd, (struct sockaddr *)&address, sizeof(address)), EADDRINUSE,
                "nor bound again: EADDRINUSE");
    check_errno(connect(fd, (struct sockaddr *)&address, sizeof(address)), ECONNREFUSED,
                "nobody listens there: ECONNREFUSED");
    close(fd);
    unlink("fifo"), unlink("plain"), unlink("socket");
}

static void test_attributes(void)
{
    struct timespec times[2] = {{1000000000, 123456789}, {1100000000, 987654321}};
    struct stat st, before;

    make("file");
    check_works(chmod("file", 04751), "chmod works");
    check(stat("file", &st) == 0 && (st.st_mode & 07777) == 04751, "and is seen");
    check_errno(chmod("none", 0644), ENOENT, "chmod of nothing: ENOENT");
    check_errno(fchmod(-1, 0644), EBADF, "fchmod of no descriptor: EBADF");
    check_works(chown("file", -1, -1), "chown that leaves all as it is");
    check(stat("file", &st) == 0 && (st.st_mode & 07777) == 0751, "takes the set-user-ID bit away");
    check_works(utimensat(AT_FDCWD, "file", times, 0), "utimensat works");
    stat("file", &st);
    check_equal(st.st_atime, 1000000000, "access time");
    check_equal(st.st_mtim.tv_nsec, 987654321, "and modification time to the nanosecond");
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_nsec = UTIME_NOW;
    check_works(utimensat(AT_FDCWD, "file", times, 0), "UTIME_OMIT and UTIME_NOW work");
    stat("file", &before);
    check(before.st_atime == 1000000000 && before.st_mtime > 1200000000, "each on its time");
    times[1].tv_nsec = 1000000000;
    check_errno(utimensat(AT_FDCWD, "file", times, 0), EINVAL, "too many nanoseconds: EINVAL");
    symlink("file", "soft");
    times[0].tv_nsec = times[1].tv_nsec = 0;
    check_works(utimensat(AT_FDCWD, "soft", times, AT_SYMLINK_NOFOLLOW),
                "a link has times of its own");
    check(lstat("soft", &st) == 0 && st.st_mtime == 1100000000, "which are set");
    check(stat("file", &st) == 0 && st.st_mtime == before.st_mtime, "and not its file's");
    check(getxattr("file", "user.none", NULL, 0) < 0 && (errno == ENODATA || errno == EOPNOTSUPP),
          "an extended attribute that is not there: ENODATA, or EOPNOTSUPP");
    check_errno(getxattr("none", "user.none", NULL, 0), ENOENT, "of nothing: ENOENT");
    check(listxattr("file", NULL, 0) >= 0, "the list of them can be asked for");

    struct statfs fs;

    check_works(statfs("file", &fs), "statfs works");
    check(fs.f_namelen == 255 && fs.f_bsize >= 512 && fs.f_bfree <= fs.f_blocks,
          "its figures agree");
    check_errno(statfs("none", &fs), ENOENT, "statfs of nothing: ENOENT");
    check_errno(fstatfs(-1, &fs), EBADF, "fstatfs of no descriptor: EBADF");
    unlink("file"), unlink("soft");
}

static void test_long_names(void)
{
    static char name[300];
    struct stat st;

    memset(name, 'n', 255);
    check_works(make(name), "a name may have 255 bytes");
    check(stat(name, &st) == 0, "and is found");
    unlink(name);
    name[255] = 'n';
    check_errno(mkdir(name, 0755), ENAMETOOLONG, "256 are too many: ENAMETOOLONG");
    check_errno(rename(name, "x"), ENAMETOOLONG, "for rename, too");
    check_errno(symlink("x", name), ENAMETOOLONG, "and for symlink");
    check_errno(open(name, O_CREAT | O_RDWR, 0600), ENAMETOOLONG, "and for open");
}

/* Names that are there all the time are listed once, whatever happens to the others meanwhile. */
static void test_listing(void)
{
    char name[32];
    static char seen[200];
    int twice = 0, missing = 0;

    mkdir("many", 0755);
    for (int i = 0; i < 200; i++) {
        snprintf(name, sizeof(name), "many/%d", i);
        make(name);
    }
    DIR *dir = opendir("many");
    struct dirent *entry;

    for (int nr = 0; (entry = readdir(dir)) != NULL && nr < 1000; nr++) {
        int i = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || i >= 200) {
            continue;
        }
        twice += seen[i]++;
        snprintf(name, sizeof(name), "many/%d", i | 1); /* the odd ones go */
        unlink(name);
        snprintf(name, sizeof(name), "many/%d", 1000 + nr);
        make(name);
        unlink(name);
    }
    for (int i = 0; i < 200; i += 2) {
        missing += !seen[i];
    }
    check_equal(twice, 0, "no name is listed twice while others come and go");
    check_equal(missing, 0, "and none is left out");
    rewinddir(dir);
    while ((entry = readdir(dir)) != NULL) {
        snprintf(name, sizeof(name), "many/%.20s", entry->d_name);
        unlink(name);
    }
    closedir(dir);
    check_works(rmdir("many"), "what is listed can be removed on the way");
}

int main(void)
{
    scratch_enter();
    test_making();
    test_directories();
    test_links();
    test_rename();
    test_special();
    test_attributes();
    test_long_names();
    test_listing();
    scratch_leave();
    return check_done();
}
