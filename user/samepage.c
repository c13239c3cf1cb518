/*
 * samepage - proves that zero-copy means one page, in three places at once.
 *
 *     samepage FILE [HOST PORT]
 *
 * A page of a file is in memory once. Three parties that know nothing of each other name it:
 *   - the page cache, which holds it           (/proc/ferry/proof: page <inode> <index> <address>)
 *   - the page table of a program that mapped the file         (/proc/self/pagemap, proc(5))
 *   - the network card's transmit descriptor while sendfile runs
 *                                    (/proc/ferry/proof: tx <inode> <index> <address> <length>)
 * All three physical addresses have to be equal. Exit status: 0 if they are, 1 if one differs, 2 if
 * the proof could not be made, as on Linux, which does not show its descriptors.
 */
#define _GNU_SOURCE
#include "lib/file.h"
#include "lib/ledger.h"
#include "lib/net.h"
#include "lib/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PROOF     "/proc/ferry/proof"
#define MAX_PAGES 256 /* of the file; more prove nothing more */
#define MAX_SHOWN 12
#define PAGE      4096

struct witness {
    uint64_t cache, mapped; /* physical addresses; 0: not seen */
    uint64_t descriptor;    /* the page that a descriptor points into */
    uint64_t stray;         /* another page that one pointed into, though it must be this one */
    uint64_t sent;          /* bytes of this page that the card fetched */
};

static struct witness witness[MAX_PAGES];

static int failed(const char *what)
{
    fprintf(stderr, "samepage: %s: %s\n", what, strerror(errno));
    return 2;
}

/* Bits 0-54 of an entry are the page frame's number, bit 63 says that there is one. */
static int read_page_table(const char *map, size_t pages)
{
    int fd = open("/proc/self/pagemap", O_RDONLY);

    if (fd < 0) {
        return -1;
    }
    for (size_t i = 0; i < pages; i++) {
        uint64_t entry;
        off_t at = (off_t)((uintptr_t)map / PAGE + i) * sizeof(entry);

        if (pread(fd, &entry, sizeof(entry), at) != sizeof(entry)) {
            close(fd);
            return -1;
        }
        if (entry >> 63) {
            witness[i].mapped = (entry & ((UINT64_C(1) << 55) - 1)) * PAGE;
        }
    }
    close(fd);
    return 0;
}

static void testify(const char *line, uint64_t inode)
{
    uint64_t number, index, address, len;

    if (sscanf(line, "tx %" SCNu64 " %" SCNu64 " %" SCNx64 " %" SCNu64, &number, &index, &address,
               &len) == 4) {
        if (number == inode && index < MAX_PAGES) {
            struct witness *w = &witness[index];

            address -= address % PAGE;
            if (w->descriptor != 0 && w->descriptor != address) {
                w->stray = address;
            }
            w->descriptor = address;
            w->sent += len;
        }
    } else if (sscanf(line, "page %" SCNu64 " %" SCNu64 " %" SCNx64, &number, &index, &address) ==
               3) {
        if (number == inode && index < MAX_PAGES) {
            witness[index].cache = address;
        }
    }
}

static int read_proof(uint64_t inode)
{
    static char text[256 * 1024];
    char *rest = text, *line;

    if (file_read(PROOF, text, sizeof(text)) < 0) {
        return -1;
    }
    while ((line = strsep(&rest, "\n")) != NULL) {
        testify(line, inode);
    }
    return 0;
}

static bool same_page(const struct witness *w, uint64_t len)
{
    return w->cache != 0 && w->cache == w->mapped && w->cache == w->descriptor && w->stray == 0 &&
           w->sent >= len;
}

static int judge(uint64_t len)
{
    size_t pages = (len + PAGE - 1) / PAGE, equal = 0;

    for (size_t i = 0; i < pages; i++) {
        const struct witness *w = &witness[i];
        bool same = same_page(w, len - i * PAGE < PAGE ? len - i * PAGE : PAGE);

        equal += same;
        if (i < MAX_SHOWN || !same) {
            printf("page %zu: cache 0x%08" PRIx64 " %s mmap PTE 0x%08" PRIx64
                   " %s descriptor 0x%08" PRIx64 ", %" PRIu64 " bytes sent%s\n",
                   i, w->cache, w->cache == w->mapped ? "=" : "≠", w->mapped,
                   w->mapped == w->descriptor ? "=" : "≠", w->descriptor, w->sent,
                   same ? "" : "  DIFFERS");
            if (w->stray) {
                printf("    and another descriptor 0x%08" PRIx64 "\n", w->stray);
            }
        }
    }
    if (pages > MAX_SHOWN && equal == pages) {
        printf("... and %zu more, all alike\n", pages - MAX_SHOWN);
    }
    printf("%zu of %zu pages are one and the same for the cache, the page table and the card: %s\n",
           equal, pages, equal == pages ? "ok" : "DIFFERS");
    return equal == pages ? 0 : 1;
}

/* Sends the pages with the card gathering them, while the kernel notes every descriptor. */
static int send_with_proof(int file, uint64_t len, const char *host, int port)
{
    const struct offload *sg = offload_find("sg");
    int before = offload_get("eth0", sg);
    int sock = tcp_connect(host, port);
    int status;

    if (sock < 0) {
        return failed("connect");
    }
    if (offload_set("eth0", offload_find("tx"), true) < 0 || offload_set("eth0", sg, true) < 0) {
        return failed("scatter-gather");
    }
    if (file_write(PROOF, "1\n") < 0) {
        return failed(PROOF);
    }
    status = path_find("sendfile")->send(sock, file, 0, len, PATH_CHUNK);
    if (status == 0) {
        status = tcp_drain(sock);
    }
    if (status < 0) {
        return failed("sendfile");
    }
    close(sock);
    if (before == 0) {
        offload_set("eth0", sg, false);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *host = argc == 4 ? argv[2] : DISCARD_HOST;
    int port = argc == 4 ? atoi(argv[3]) : DISCARD_PORT;
    struct stat st;
    uint64_t len;

    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: samepage FILE [HOST PORT]\n");
        return 2;
    }
    if (!on_ferry()) {
        printf("samepage: n/a, this kernel does not show the descriptors of its network card\n");
        return 2;
    }

    int file = open(argv[1], O_RDONLY);

    if (file < 0 || fstat(file, &st) < 0) {
        return failed(argv[1]);
    }
    len = st.st_size < MAX_PAGES * PAGE ? st.st_size : MAX_PAGES * PAGE;
    if (len == 0) {
        errno = ENODATA;
        return failed(argv[1]);
    }

    const volatile char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, file, 0);

    if (map == MAP_FAILED) {
        return failed("mmap");
    }
    for (uint64_t at = 0; at < len; at += PAGE) {
        (void)map[at];
    }

    int status = send_with_proof(file, len, host, port);

    if (status != 0) {
        return status;
    }
    /* Read before the proof is switched off, while every page is still mapped. */
    if (read_page_table((const char *)map, (len + PAGE - 1) / PAGE) < 0) {
        return failed("/proc/self/pagemap");
    }
    if (read_proof(st.st_ino) < 0) {
        return failed(PROOF);
    }
    file_write(PROOF, "0\n");
    return judge(len);
}
