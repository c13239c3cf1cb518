/*
 * fsfill - fills a disk as somebody: fsfill UID GID FILE
 *
 * Says how many bytes went into FILE, with what errno that ended, and how many blocks are then free
 * and available (statfs).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/vfs.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char block[4096];
    struct statfs fs;
    long long done = 0;
    ssize_t n;
    if (argc != 4 || setgroups(0, NULL) < 0 || setgid(atoi(argv[2])) < 0 ||
        setuid(atoi(argv[1])) < 0)
        return 2;
    int fd = open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0644);
    if (fd < 0)
        return 1;
    while ((n = write(fd, block, sizeof(block))) > 0)
        done += n;
    int error = n < 0 ? errno : 0;
    if (fstatfs(fd, &fs) < 0 || fsync(fd) < 0)
        return 1;
    printf("bytes %lld errno %d free %lld available %lld\n", done, error, (long long)fs.f_bfree,
           (long long)fs.f_bavail);
    return 0;
}
