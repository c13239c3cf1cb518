/*
 * stale - writes to a file that is mapped and cached, and says who sees the new bytes.
 *
 *     stale [FILE]
 *
 * With one cache for files all do, and cannot else: there is one page. With two (ferry.cache=split)
 * they do because the kernel copies what was written a second time; with ferry.cache=split,norepair
 * read and mmap show what the file was. The copies are those of the kernel's ledger. Exit status: 0
 * if all see the new bytes, 1 if not.
 */
#include "lib/ledger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 4096

static int failed(const char *what)
{
    fprintf(stderr, "stale: %s: %s\n", what, strerror(errno));
    return 2;
}

/* What stands there: the old bytes, the new ones, or a mixture. */
static const char *age(const char *bytes)
{
    size_t new = 0;

    while (new < SIZE && bytes[new] == 'N')
        new ++;
    return new == SIZE ? "new" : memchr(bytes, 'N', SIZE) ? "mixed" : "old";
}

/* The copies that the write has cost. */
static void show_copies(const struct ledger *before, const struct ledger *after)
{
    struct ledger moved = ledger_between(before, after);

    for (int from = 0; from < NR_NODES; from++) {
        for (int to = 0; to < NR_NODES; to++) {
            uint64_t bytes = ledger_bytes(&moved, from, to, CPU);

            if (bytes)
                printf("write copied %llu bytes: %s -> %s\n", (unsigned long long)bytes,
                       node_name[from], node_name[to]);
        }
    }
}

int main(int argc, char **argv)
{
    static char bytes[SIZE];
    static struct ledger before, after;
    const char *name = argc > 1 ? argv[1] : "/root/stale";
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);

    if (fd < 0)
        return failed(name);
    memset(bytes, 'o', SIZE);
    if (write(fd, bytes, SIZE) != SIZE || fsync(fd) < 0)
        return failed(name);

    char *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

    if (map == MAP_FAILED)
        return failed("mmap");
    (void)*(volatile char *)map; /* the page is in the page cache, and mapped */
    memset(bytes, 'N', SIZE);
    bool counted = ledger_read(LEDGER_SELF, &before) == 0;

    if (pwrite(fd, bytes, SIZE, 0) != SIZE)
        return failed(name);
    if (counted && ledger_read(LEDGER_SELF, &after) == 0)
        show_copies(&before, &after);
    printf("mmap shows %s bytes\n", age(map));

    int wrong = strcmp(age(map), "new") != 0;

    memset(bytes, 0, SIZE);
    if (pread(fd, bytes, SIZE, 0) != SIZE)
        return failed(name);
    printf("read gives %s bytes\n", age(bytes));
    wrong |= strcmp(age(bytes), "new") != 0;
    munmap(map, SIZE);
    close(fd);
    unlink(name);
    return wrong;
}
