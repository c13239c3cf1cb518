/*
 * pages - shows who holds the machine's pages, or what stands behind an address of a program.
 *
 *     pages                          how many pages each holder has, and what the network holds
 *     pages [-p PID] ADDRESS...      the way of an address through the page tables to its frame
 *     pages code|data|heap|stack     the same for addresses of this program's own
 *
 * A page that carries a file is held by name: by the cache, by a mapping, by a socket until the
 * peer has acknowledged it, by a transmit descriptor until the card is done. The last one frees it.
 *
 * An address is split 10/10/12: an entry of the directory leads to a table, an entry of the table
 * to a frame. Who else holds the frame is found by looking into the tables of all programs.
 */
#include "lib/file.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PAGE     4096u
#define USER_END 0xC0000000u

enum {
    PRESENT = 1,
    WRITE = 2,
    USER = 4,
    ACCESSED = 32,
    DIRTY = 64,
    NONE = 512
}; /* SDM vol. 3, 4.3 */

/* A record of /proc/<pid>/pagetable: kernel/fs/procfs/pagemap.c. */
struct view {
    uint32_t directory_entry, table_entry, refs, kind, flags, inode, index, reserved;
};

static const char *const kinds[] = {"reserved",   "free",   "kernel",        "anonymous",
                                    "page cache", "socket", "receive buffer"};
static const char *const flag_names[] = {"uptodate",   "locked",    "error",     "dirty",
                                         "referenced", "readahead", "writeback", "fresh"};

static int failed(const char *what)
{
    fprintf(stderr, "pages: %s: %s\n", what, strerror(errno));
    return 1;
}

static int holders(void)
{
    static const char *const files[] = {"/proc/ferry/pages", "/proc/ferry/net"};
    static char text[8192];

    for (int i = 0; i < 2; i++) {
        if (file_read(files[i], text, sizeof(text)) < 0) {
            fprintf(stderr, "pages: %s: %s (only Ferry has it)\n", files[i], strerror(errno));
            return 1;
        }
        printf("%s\n%s\n", files[i], text);
    }
    return 0;
}

/* ---- one address ---- */

static int open_of(const char *pid, const char *what, int flags)
{
    char name[64];

    snprintf(name, sizeof(name), "/proc/%.20s/%s", pid, what);
    return open(name, flags);
}

static void print_bits(uint32_t value, int bits)
{
    for (int i = bits - 1; i >= 0; i--)
        putchar(value >> i & 1 ? '1' : '0');
}

static void print_entry(const char *what, uint32_t number, uint32_t entry)
{
    printf("%-9s entry %4" PRIu32 "   %08" PRIx32 "  ", what, number, entry);
    if (!entry)
        printf("nothing\n");
    else if (entry & PRESENT)
        printf("frame %05" PRIx32 "  present %s %s %s %s\n", entry / PAGE,
               entry & WRITE ? "write" : "read-only", entry & USER ? "user" : "kernel",
               entry & ACCESSED ? "accessed" : "not-accessed", entry & DIRTY ? "dirty" : "clean");
    else if (entry & NONE)
        printf("frame %05" PRIx32 "  not present: kept, but not to be touched (PROT_NONE)\n",
               entry / PAGE);
    else
        printf("not present: in swap, area %" PRIu32 ", slot %" PRIu32 "\n", entry >> 1 & 31,
               entry / PAGE);
}

static void print_frame(const struct view *view)
{
    printf("frame     %05" PRIx32 "        %s, %" PRIu32 " reference%s;", view->table_entry / PAGE,
           view->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[view->kind] : "?", view->refs,
           view->refs == 1 ? "" : "s");
    for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
        if (view->flags >> i & 1)
            printf(" %s", flag_names[i]);
    if (view->inode)
        printf(", page %" PRIu32 " of inode %" PRIu32, view->index, view->inode);
    printf("\n");
}

/* The line of maps that the address lies in; false: none. */
static bool region_of(const char *pid, uint32_t address, char *line, size_t size)
{
    int fd = open_of(pid, "maps", O_RDONLY);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    bool found = false;
    unsigned long start, end;

    while (maps && !found && fgets(line, (int)size, maps))
        found = sscanf(line, "%lx-%lx", &start, &end) == 2 && address >= start && address < end;
    if (maps)
        fclose(maps);
    line[strcspn(line, "\n")] = '\0';
    return found;
}

/* Every address of the program at which the frame is seen, but for the one that was asked about. */
static unsigned print_holders_in(const char *pid, uint32_t frame, bool same, uint32_t but)
{
    char line[4200], name[32] = "";
    int table = open_of(pid, "pagemap", O_RDONLY), fd = open_of(pid, "maps", O_RDONLY);
    int comm = open_of(pid, "comm", O_RDONLY);
    FILE *maps = fd < 0 ? NULL : fdopen(fd, "r");
    unsigned long start, end;
    unsigned found = 0;

    if (comm >= 0 && read(comm, name, sizeof(name) - 1) > 0)
        name[strcspn(name, "\n")] = '\0';
    while (maps && table >= 0 && fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%lx", &start, &end) != 2)
            continue;
        for (unsigned long at = start; at < end; at += PAGE) {
            uint64_t entry = 0;

            if (pread(table, &entry, sizeof(entry), (off_t)(at / PAGE * sizeof(entry))) !=
                    sizeof(entry) ||
                !(entry >> 63) || (uint32_t)entry != frame || (same && at == but))
                continue;
            printf("  also at %08lx of process %s (%s)\n", at, pid, name);
            found++;
        }
    }
    if (maps)
        fclose(maps);
    if (table >= 0)
        close(table);
    if (comm >= 0)
        close(comm);
    return found;
}

/* All programs' tables, then those who hold it without one. */
static void print_holders(const char *pid, uint32_t address, const struct view *view)
{
    DIR *proc = opendir("/proc");
    struct dirent *entry;
    unsigned found = 1;

    if (!(view->table_entry & PRESENT))
        return;
    while (proc && (entry = readdir(proc)))
        if (isdigit((unsigned char)entry->d_name[0]))
            found += print_holders_in(entry->d_name, view->table_entry / PAGE,
                                      strcmp(entry->d_name, pid) == 0, address & ~(PAGE - 1));
    if (proc)
        closedir(proc);
    if (view->refs > found)
        printf("  and %" PRIu32 " without a table entry%s\n", view->refs - found,
               view->kind == 4 ? ": the page cache, calls under way" : "");
}

static int show(const char *pid, uint32_t address)
{
    static char line[4200];
    struct view view;
    int fd = open_of(pid, "pagetable", O_RDONLY);

    if (fd < 0)
        return failed("/proc/<pid>/pagetable");
    if (pread(fd, &view, sizeof(view), (off_t)(address / PAGE) * (off_t)sizeof(view)) !=
        sizeof(view)) {
        close(fd);
        errno = ESRCH;
        return failed("/proc/<pid>/pagetable");
    }
    close(fd);
    printf("address %08" PRIx32 " of process %s\n", address, pid);
    printf("  ");
    print_bits(address >> 22, 10);
    printf(" ");
    print_bits(address >> 12 & 1023, 10);
    printf(" ");
    print_bits(address & 4095, 12);
    printf("  directory %" PRIu32 ", table %" PRIu32 ", offset %" PRIu32 "\n", address >> 22,
           address >> 12 & 1023, address & 4095);
    if (region_of(pid, address, line, sizeof(line)))
        printf("region    %s\n", line);
    else
        printf("region    none: a touch is SIGSEGV\n");
    print_entry("directory", address >> 22, view.directory_entry);
    if (view.directory_entry)
        print_entry("table", address >> 12 & 1023, view.table_entry);
    if (view.refs)
        print_frame(&view);
    if (view.table_entry & PRESENT)
        printf("physical  %08" PRIx32 "\n", (view.table_entry & ~(PAGE - 1)) | address % PAGE);
    print_holders(pid, address, &view);
    return 0;
}

/* An address, or the name of a place in this program. */
static bool parse(const char *word, char *heap, uint32_t *address)
{
    static int data = 1;
    char *end;

    if (strcmp(word, "code") == 0)
        *address = (uint32_t)(uintptr_t)&show;
    else if (strcmp(word, "data") == 0)
        *address = (uint32_t)(uintptr_t)&data;
    else if (strcmp(word, "heap") == 0)
        *address = (uint32_t)(uintptr_t)heap;
    else if (strcmp(word, "stack") == 0)
        *address = (uint32_t)(uintptr_t)&end;
    else {
        unsigned long value = strtoul(word, &end, 16);

        *address = (uint32_t)value;
        return end != word && !*end && value < USER_END;
    }
    data++; /* it is there, and the program's own */
    return true;
}

int main(int argc, char **argv)
{
    const char *pid = NULL;
    char self[16];
    int option, status = 0;
    char *heap = malloc(100);

    while ((option = getopt(argc, argv, "p:")) != -1) {
        if (option != 'p') {
            fprintf(stderr, "usage: pages [[-p PID] ADDRESS...|code|data|heap|stack]\n");
            return 2;
        }
        pid = optarg;
    }
    if (optind == argc && !pid)
        return holders();
    snprintf(self, sizeof(self), "%d", (int)getpid());
    if (heap)
        *heap = 1;
    for (int i = optind; i < argc && !status; i++) {
        uint32_t address;

        if (!parse(argv[i], heap, &address)) {
            fprintf(stderr, "pages: %s: not an address below c0000000\n", argv[i]);
            status = 2;
        } else {
            status = show(pid ? pid : self, address);
        }
    }
    free(heap);
    return status;
}
