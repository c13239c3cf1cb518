/*
 * cat - copies files, or its input, to its output.
 *
 *     cat [FILE]...
 */
#include "lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int cat(int fd, const char *name)
{
    static char data[65536];
    ssize_t got;

    while ((got = read(fd, data, sizeof(data))) > 0) {
        if (write_all(STDOUT_FILENO, data, got) < 0) {
            fprintf(stderr, "cat: output: %s\n", strerror(errno));
            return 1;
        }
    }
    if (got < 0) {
        fprintf(stderr, "cat: %s: %s\n", name, strerror(errno));
    }
    return got < 0;
}

int main(int argc, char **argv)
{
    int failed = argc < 2 ? cat(STDIN_FILENO, "input") : 0;

    for (int i = 1; i < argc; i++) {
        int fd = open(argv[i], O_RDONLY);

        if (fd < 0) {
            fprintf(stderr, "cat: %s: %s\n", argv[i], strerror(errno));
            failed = 1;
            continue;
        }
        failed |= cat(fd, argv[i]);
        close(fd);
    }
    return failed;
}
