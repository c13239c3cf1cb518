/*
 * paths.c - every way from a file to a socket, one function each.
 */
#define _GNU_SOURCE
#include "paths.h"
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

const struct edge path_edge[NR_COLUMNS] = {
    [DISK_CACHE] = {DISK, CACHE, DMA}, /* or the CPU, when the disk is in PIO mode */
    [CACHE_USER] = {CACHE, USER, CPU}, [USER_SOCK] = {USER, SOCK, CPU},
    [CACHE_SOCK] = {CACHE, SOCK, CPU}, [SOCK_NIC] = {SOCK, NIC, DMA},
    [CACHE_NIC] = {CACHE, NIC, DMA},
};

static char *buffer;
static size_t buffer_size;

int path_prepare(size_t chunk)
{
    if (chunk > buffer_size) {
        void *larger = aligned_alloc(4096, (chunk + 4095) & ~(size_t)4095);

        if (larger == NULL) {
            return -1;
        }
        free(buffer);
        buffer = larger;
        buffer_size = chunk;
        memset(buffer, 0, chunk); /* the faults happen here, not while somebody counts them */
    }
    return 0;
}

static int failed(int error)
{
    errno = error;
    return -1;
}

/* The classic: into a buffer of ours and out again. Two calls and two copies a chunk. */
static int send_readwrite(int sock, int file, off_t offset, off_t len, size_t chunk)
{
    if (path_prepare(chunk) < 0) {
        return -1;
    }
    if (offset != 0 && lseek(file, offset, SEEK_SET) < 0) {
        return -1;
    }
    while (len > 0) {
        ssize_t got = read(file, buffer, len < (off_t)chunk ? (size_t)len : chunk);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -1 : failed(ENODATA);
        }
        if (write_all(sock, buffer, got) < 0) {
            return -1;
        }
        len -= got;
    }
    return 0;
}

/*
 * The file's own pages in our address space: write copies from them, and what is saved is the copy
 * into a buffer. A large file is mapped in windows, so that it need not fit the address space.
 */
static int send_mmap(int sock, int file, off_t offset, off_t len, size_t chunk)
{
    const off_t window = 256 << 20;

    while (len > 0) {
        size_t skip = offset & 4095;
        size_t part = len < window ? len : window;
        char *map = mmap(NULL, skip + part, PROT_READ, MAP_SHARED, file, offset - skip);
        int status = 0;

        if (map == MAP_FAILED) {
            return -1;
        }
        for (size_t done = 0; done < part && status == 0; done += chunk) {
            status = write_all(sock, map + skip + done, part - done < chunk ? part - done : chunk);
        }

        int saved = errno;

        munmap(map, skip + part);
        if (status < 0) {
            return failed(saved);
        }
        offset += part;
        len -= part;
    }
    return 0;
}

/* The kernel passes the pages on: no byte of them enters this program. */
static int send_sendfile(int sock, int file, off_t offset, off_t len, size_t chunk)
{
    while (len > 0) {
        ssize_t sent = sendfile(sock, file, &offset, len < (off_t)chunk ? (size_t)len : chunk);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return sent < 0 ? -1 : failed(ENODATA);
        }
        len -= sent;
    }
    return 0;
}

const struct path paths[] = {
    {
        .name = "readwrite",
        .title = "read + write",
        .sentence = "into a buffer of the program and out again",
        .send = send_readwrite,
        .buffered = true,
        .sg = true,
        .crossings = {[DISK_CACHE] = 1, [CACHE_USER] = 1, [USER_SOCK] = 1, [SOCK_NIC] = 1},
        .calls_per_chunk = 2,
    },
    {
        .name = "mmap",
        .title = "mmap + write",
        .sentence = "the cache is the buffer; write copies from it",
        .send = send_mmap,
        .sg = true,
        .crossings = {[DISK_CACHE] = 1, [USER_SOCK] = 1, [SOCK_NIC] = 1},
        .calls_per_chunk = 1,
        .calls_once = 2, /* mmap, munmap */
    },
    {
        .name = "sendfile-sg-off",
        .title = "sendfile, SG off",
        .sentence = "the card wants one piece, so the kernel makes one",
        .send = send_sendfile,
        .sg = false,
        .crossings = {[DISK_CACHE] = 1, [CACHE_SOCK] = 1, [SOCK_NIC] = 1},
        .calls_per_chunk = 1,
    },
    {
        .name = "sendfile",
        .title = "sendfile, SG on",
        .sentence = "the card fetches the cache's pages: zero copies",
        .send = send_sendfile,
        .sg = true,
        .crossings = {[DISK_CACHE] = 1, [CACHE_NIC] = 1},
        .calls_per_chunk = 1,
    },
};

const int nr_paths = sizeof(paths) / sizeof(paths[0]);

const struct path *path_find(const char *name)
{
    for (int i = 0; i < nr_paths; i++) {
        if (strcmp(paths[i].name, name) == 0) {
            return &paths[i];
        }
    }
    return NULL;
}
