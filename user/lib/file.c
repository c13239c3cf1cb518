/*
 * file.c - small files read and written whole.
 */
#define _GNU_SOURCE
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

ssize_t file_read(const char *name, char *text, size_t size)
{
    size_t len = 0;
    ssize_t got = 0;
    int fd = open(name, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    while (len < size - 1 && (got = read(fd, text + len, size - 1 - len)) > 0) {
        len += got;
    }
    text[len] = '\0';

    int saved = errno;

    close(fd);
    errno = saved;
    return got < 0 ? -1 : (ssize_t)len;
}

int file_write(const char *name, const char *text)
{
    ssize_t len = strlen(text);
    int fd = open(name, O_WRONLY | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }

    ssize_t done = write(fd, text, len);
    int saved = errno;

    close(fd);
    errno = done < 0 ? saved : EIO;
    return done == len ? 0 : -1;
}

uint64_t text_value(const char *text, const char *key)
{
    size_t len = strlen(key);

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, len) == 0 && line[len] == ' ') {
            return strtoull(line + len, NULL, 10);
        }
    }
    return 0;
}

uint64_t text_total(const char *text, const char *key)
{
    size_t len = strlen(key);
    uint64_t total = 0;

    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';

        size_t name = strcspn(line, " \n");
        const char *end = line + name - len;

        if (name >= len && strncmp(end, key, len) == 0 &&
            (name == len || end[-1] == '.' || end[-1] == '_')) {
            total += strtoull(line + name, NULL, 10);
        }
    }
    return total;
}

int write_all(int fd, const void *data, size_t len)
{
    const char *at = data;

    while (len > 0) {
        ssize_t done = write(fd, at, len);

        if (done < 0 && errno == EINTR) {
            continue;
        }
        if (done < 0) {
            return -1;
        }
        if (done == 0) {
            errno = EIO;
            return -1;
        }
        at += done;
        len -= done;
    }
    return 0;
}

void sleep_ms(unsigned ms)
{
    struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};

    nanosleep(&wait, NULL);
}
