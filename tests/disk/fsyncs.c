/*
 * fsyncs - writes a page of a file and waits for the disk, and says what each call gave.
 *
 *     fsyncs FILE PAGE [letters]
 *
 * For each letter: w writes the page, f calls fsync, d fdatasync, r sync_file_range, y syncfs, g
 * fsync of a second descriptor, which was opened at the start, m writes it through a mapping, s
 * calls msync, o opens it with O_SYNC and writes, v writes with RWF_DSYNC, c closes and opens the
 * file again, S sync. One line: letter, then 0 or the errno.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char page[4096];
    if (argc < 3)
        return 2;
    int fd = open(argv[1], O_RDWR), second = open(argv[1], O_RDONLY);
    off_t at = strtol(argv[2], NULL, 10) * (off_t)sizeof(page);
    char *map = mmap(NULL, sizeof(page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
    if (fd < 0 || map == MAP_FAILED) {
        perror(argv[1]);
        return 2;
    }
    for (const char *c = argc > 3 ? argv[3] : "wff"; *c; c++) {
        long result = 0;
        memset(page, *c, sizeof(page));
        switch (*c) {
        case 'w':
            result = pwrite(fd, page, sizeof(page), at);
            break;
        case 'f':
            result = fsync(fd);
            break;
        case 'd':
            result = fdatasync(fd);
            break;
        case 'r':
            result = sync_file_range(fd, at, sizeof(page),
                                     SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
            break;
        case 'y':
            result = syncfs(fd);
            break;
        case 'g':
            result = fsync(second);
            break;
        case 'm':
            memset(map, 'm', sizeof(page));
            break;
        case 's':
            result = msync(map, sizeof(page), MS_SYNC);
            break;
        case 'o':
            close(fd);
            fd = open(argv[1], O_RDWR | O_SYNC);
            result = pwrite(fd, page, sizeof(page), at);
            break;
        case 'v':
            result = syscall(SYS_pwritev2, fd, &(struct iovec){page, sizeof(page)}, 1, (long)at, 0L,
                             RWF_DSYNC);
            break;
        case 'S':
            sync();
            break;
        case 'c':
            close(fd);
            fd = open(argv[1], O_RDWR);
            result = fd;
        }
        printf("%c %d\n", *c, result < 0 ? errno : 0);
    }
    return 0;
}
