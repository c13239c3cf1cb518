/*
 * directories - reading them: getdents64 in pieces, its errors, and going back to a place.
 *
 *     directories [FOLDER]     lists the folder instead; fails if it cannot be read to its end
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct entry { /* of getdents64(2) */
    uint64_t ino;
    int64_t off;
    unsigned short len;
    unsigned char type;
    char name[];
};

static char room[65536];

static int list(const char *folder)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;

    if (!directory) {
        perror(folder);
        return 1;
    }
    errno = 0;
    while ((entry = readdir(directory)) != NULL) {
        puts(entry->d_name);
    }
    if (errno) {
        perror(folder);
        return 1;
    }
    return 0;
}

/* Reads all of it through a buffer of that size; how many entries there are, and "." and "..". */
static int count(int fd, int size, int *dots)
{
    int nr = 0;
    long got;

    *dots = 0;
    lseek(fd, 0, SEEK_SET);
    while ((got = syscall(SYS_getdents64, fd, room, size)) > 0) {
        for (long at = 0; at < got; nr++) {
            struct entry *e = (struct entry *)(room + at);

            *dots += strcmp(e->name, ".") == 0 || strcmp(e->name, "..") == 0;
            at += e->len;
        }
    }
    return got < 0 ? -1 : nr;
}

static void test_pieces(int fd)
{
    int dots, whole = count(fd, sizeof(room), &dots);

    check(whole > 2, "a directory has entries");
    check_equal(dots, 2, "two of them are . and ..");
    check_equal(count(fd, 300, &dots), whole, "in pieces there are as many");
    check_equal(syscall(SYS_getdents64, fd, room, sizeof(room)), 0, "at the end there is nothing");
}

static void test_places(int fd)
{
    lseek(fd, 0, SEEK_SET);

    long got = syscall(SYS_getdents64, fd, room, sizeof(room));
    struct entry *first = (struct entry *)room;
    struct entry *second = (struct entry *)(room + first->len);
    char name[256];

    check(got > first->len, "one call gives several entries");
    snprintf(name, sizeof(name), "%s", second->name);
    check_works(lseek(fd, first->off, SEEK_SET), "one can go back to a place");
    syscall(SYS_getdents64, fd, room, sizeof(room));
    check_text(first->name, name, "which is where the next entry is");
}

static void test_errors(const char *self, int fd)
{
    int file = open(self, O_RDONLY);

    lseek(fd, 0, SEEK_SET);
    check_errno(syscall(SYS_getdents64, -1, room, sizeof(room)), EBADF,
                "of a descriptor that is none: EBADF");
    check_errno(syscall(SYS_getdents64, file, room, sizeof(room)), ENOTDIR,
                "of a file that is no directory: ENOTDIR");
    check_errno(syscall(SYS_getdents64, fd, room, 1), EINVAL, "into too little room: EINVAL");
    check_errno(syscall(SYS_getdents64, fd, (void *)16, sizeof(room)), EFAULT,
                "into memory that is not there: EFAULT");
    check_errno(read(fd, room, sizeof(room)), EISDIR, "a directory is not read as a file: EISDIR");
    check_errno(open(".", O_WRONLY), EISDIR, "nor opened for writing: EISDIR");
    close(file);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        return list(argv[1]);
    }

    char folder[256];
    char *slash = strrchr(argv[0], '/');

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - argv[0]) : 1,
             slash ? argv[0] : ".");

    int fd = open(folder, O_RDONLY | O_DIRECTORY);

    check_works(fd, "a directory can be opened");
    test_pieces(fd);
    test_places(fd);
    test_errors(argv[0], fd);
    return check_done();
}
