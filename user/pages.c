/*
 * pages - shows who holds the machine's pages, or what stands behind an address of a program.
 *
 *     pages                          how many pages each holder has, and what the network holds
 *     pages [-p PID] ADDRESS...      the way of an address through the page tables to its frame
 *     pages code|data|bss|...        the same for a page of this program's own (lib/places.h)
 *
 * A page that carries a file is held by name: by the cache, by a mapping, by a socket until the
 * peer has acknowledged it, by a transmit descriptor until the card is done. The last one frees it.
 *
 * An address is split 10/10/12: an entry of the directory leads to a table, an entry of the table
 * to a frame. Who else holds the frame is found by looking into the tables of all programs.
 */
#include "lib/file.h"
#include "lib/places.h"

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

#define CACHE 4                      /* of the kinds below */
#define FLAGS ((uint64_t)0x7F << 55) /* of an entry of pagemap: all but present and swapped */

/* A record of /proc/<pid>/pagetable: kernel/fs/procfs/pagemap.c. */
struct view {
    uint32_t directory_entry, table_entry, refs, kind, flags, inode, index, slot;
};

static const char *const kinds[] = {"reserved",   "free",   "kernel",        "anonymous",
                                    "page cache", "socket", "receive buffer"};
static const char *const flag_names[] = {"uptodate",   "locked",    "error",     "dirty",
                                         "referenced", "readahead", "writeback", "fresh"};

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

static void print_entry(bool directory, uint32_t number, uint32_t entry)
{
    printf("%-9s entry %4" PRIu32 "   %08" PRIx32 "  ", directory ? "directory" : "table", number,
           entry);
    if (!entry)
        printf("nothing\n");
    else if (entry & PRESENT)
        printf("frame %05" PRIx32 "  present %s %s %s%s\n", entry / PAGE,
               entry & WRITE ? "write" : "read-only", entry & USER ? "user" : "kernel",
               entry & ACCESSED ? "accessed" : "not-accessed",
               directory       ? "" /* the CPU keeps no dirty bit there */
               : entry & DIRTY ? " dirty"
                               : " clean");
    else if (entry & NONE)
        printf("frame %05" PRIx32 "  not present: kept, but not to be touched (PROT_NONE)\n",
               entry / PAGE);
    else
        printf("not present: in swap, area %" PRIu32 ", slot %" PRIu32 "\n", entry >> 1 & 31,
               entry / PAGE);
}

/* A region of /proc/<pid>/maps. */
struct region {
    unsigned long start, end;
    char perms[8];
    char line[4200];
};

static bool region_next(FILE *maps, struct region *r)
{
    if (!maps || !fgets(r->line, sizeof(r->line), maps))
        return false;
    r->line[strcspn(r->line, "\n")] = '\0';
    return sscanf(r->line, "%lx-%lx %7s", &r->start, &r->end, r->perms) == 3;
}

static FILE *maps_of(const char *pid)
{
    int fd = open_of(pid, "maps", O_RDONLY);

    return fd < 0 ? NULL : fdopen(fd, "r");
}

/* The region that the address lies in; false: none. */
static bool region_of(const char *pid, uint32_t address, struct region *r)
{
    FILE *maps = maps_of(pid);
    bool found = false;

    while (!found && region_next(maps, r))
        found = address >= r->start && address < r->end;
    if (maps)
        fclose(maps);
    return found;
}

/* What a store of the program would do. */
static const char *write_does(uint32_t address, const struct view *view, const struct region *r)
{
    uint32_t entry = view->table_entry;
    bool shared = r && r->perms[3] == 's';

    if (address >= USER_END)
        return "SIGSEGV: only the kernel may";
    if (!r)
        return "SIGSEGV: the address means nothing to the program";
    if (r->perms[1] != 'w')
        return "SIGSEGV: the region is read-only";
    if (entry & PRESENT && entry & WRITE)
        return "goes to the frame, without a fault";
    if (entry & (PRESENT | NONE))
        return shared                              ? "page fault: the file's page becomes dirty"
               : view->kind == CACHE || view->slot ? "page fault: the program gets a copy"
               : view->refs > 1                    ? "page fault: copy-on-write"
                                : "page fault: nobody else has the page, it becomes writable";
    return entry    ? "page fault: the page comes back from swap"
           : shared ? "page fault: the file's page is mapped, and becomes dirty"
                    : "page fault: the program gets a page of its own";
}

static void print_frame(const struct view *view)
{
    printf("frame     %05" PRIx32 "        %s", view->table_entry / PAGE,
           view->kind < sizeof(kinds) / sizeof(kinds[0]) ? kinds[view->kind] : "?");
    for (unsigned i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++)
        if (view->flags >> i & 1)
            printf(" %s", flag_names[i]);
    if (view->refs)
        printf(", %" PRIu32 " reference%s", view->refs, view->refs == 1 ? "" : "s");
    printf("\n");
}

/* The entry of /proc/<pid>/pagemap (proc(5)) that stands for the same frame, or slot of swap. */
static uint64_t linux_entry(uint32_t entry)
{
    return entry & (PRESENT | NONE) ? (uint64_t)1 << 63 | entry / PAGE
                                    : (uint64_t)1 << 62 | (entry / PAGE) << 5 | (entry >> 1 & 31);
}

/* Every address of the program at which the page is seen, but for the one that was asked about. */
static unsigned print_holders_in(const char *pid, uint64_t wanted, bool same, uint32_t but)
{
    static struct region r;
    static uint64_t entries[512];
    char name[32] = "";
    int table = open_of(pid, "pagemap", O_RDONLY), comm = open_of(pid, "comm", O_RDONLY);
    FILE *maps = maps_of(pid);
    unsigned found = 0;

    if (comm >= 0 && read(comm, name, sizeof(name) - 1) > 0)
        name[strcspn(name, "\n")] = '\0';
    while (table >= 0 && region_next(maps, &r)) {
        unsigned long at = r.start;
        ssize_t got = 1;

        while (at < r.end && got > 0) {
            size_t nr = (r.end - at) / PAGE < 512 ? (r.end - at) / PAGE : 512;

            got = pread(table, entries, nr * 8, (off_t)(at / PAGE * 8));
            for (ssize_t i = 0; i < got / 8; i++, at += PAGE) {
                if ((entries[i] & ~FLAGS) != wanted || (same && at == but))
                    continue;
                printf("  %08lx of process %s (%s)\n", at, pid, name);
                found++;
            }
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

/* Who else holds the page: the cache, swap, all programs' tables, and what is left then. */
static void print_holders(const char *pid, uint32_t address, const struct view *view)
{
    uint32_t entry = view->table_entry;
    bool in_memory = entry & (PRESENT | NONE);
    unsigned found = 1; /* the entry itself */
    DIR *proc = opendir("/proc");
    struct dirent *e;

    printf("also held by\n");
    if (view->slot) {
        printf("  %s, slot %" PRIu32 " of area %" PRIu32 "\n",
               in_memory ? "swap" : "the swap cache: the page is in memory", view->slot / PAGE,
               view->slot >> 1 & 31);
        found += in_memory;
    } else if (view->kind == CACHE && view->inode) {
        printf("  the page cache, page %" PRIu32 " of inode %" PRIu32 "\n", view->index,
               view->inode);
        found++;
    }
    while (proc && (e = readdir(proc)))
        if (isdigit((unsigned char)e->d_name[0]))
            found += print_holders_in(e->d_name, linux_entry(entry), strcmp(e->d_name, pid) == 0,
                                      address & ~(PAGE - 1));
    if (proc)
        closedir(proc);
    if (view->refs > found)
        printf("  %" PRIu32 " of: a device at work (pin), a pipe, a socket, a call under way\n",
               view->refs - found);
    else if (found == 1 && !view->slot)
        printf("  nobody\n");
}

static int read_view(const char *pid, uint32_t address, struct view *view)
{
    int fd = open_of(pid, "pagetable", O_RDONLY);

    if (fd < 0 && errno == ENOENT && access("/proc/ferry", F_OK) < 0) {
        fprintf(stderr, "pages: /proc/<pid>/pagetable: only Ferry has it\n");
        return -1;
    }
    if (fd < 0 || pread(fd, view, sizeof(*view), (off_t)(address / PAGE) * (off_t)sizeof(*view)) !=
                      sizeof(*view)) {
        fprintf(stderr, "pages: process %s: %s\n", pid,
                fd < 0 && errno != ENOENT ? strerror(errno)
                                          : "there is none with an address space");
        if (fd >= 0)
            close(fd);
        return -1;
    }
    close(fd);
    return 0;
}

static int show(const char *pid, uint32_t address)
{
    static struct region region;
    struct view view;

    if (read_view(pid, address, &view) < 0)
        return 1;
    printf("address   %08" PRIx32 " of process %s\n", address, pid);
    printf("split     ");
    print_bits(address >> 22, 10);
    printf(" ");
    print_bits(address >> 12 & 1023, 10);
    printf(" ");
    print_bits(address & 4095, 12);
    printf("  directory %" PRIu32 ", table %" PRIu32 ", offset %" PRIu32 "\n", address >> 22,
           address >> 12 & 1023, address & 4095);

    bool known = region_of(pid, address, &region);

    printf("region    %s\n", known                 ? region.line
                             : address >= USER_END ? "the kernel's, the same in every program"
                                                   : "none: a touch is SIGSEGV");
    print_entry(true, address >> 22, view.directory_entry);
    if (view.directory_entry)
        print_entry(false, address >> 12 & 1023, view.table_entry);
    if (view.table_entry & PRESENT)
        printf("physical  %08" PRIx32 "\n", (view.table_entry & ~(PAGE - 1)) | address % PAGE);
    printf("a write   %s\n", write_does(address, &view, known ? &region : NULL));
    if (view.table_entry & (PRESENT | NONE) && view.refs)
        print_frame(&view);
    if (view.table_entry && address < USER_END)
        print_holders(pid, address, &view);
    return 0;
}

/* An address, or the name of a place in this program. */
static bool parse(const char *word, uint32_t *address)
{
    const void *place = place_of(word);
    char *end;

    if (!place && errno != EINVAL) {
        perror("pages");
        return false;
    }
    if (place) {
        *address = (uint32_t)(uintptr_t)place;
        return true;
    }
    errno = 0;
    *address = (uint32_t)strtoul(word, &end, 16);
    if (isxdigit((unsigned char)*word) && !*end && !errno)
        return true;
    fprintf(stderr, "pages: %s: neither an address of 32 bits (hexadecimal) nor one of %s\n", word,
            place_names);
    return false;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: pages                       who holds the machine's pages\n"
            "       pages [-p PID] ADDRESS...   what stands behind an address\n"
            "       pages %s\n"
            "                                   the same for a page of this program's own\n",
            place_names);
    return 2;
}

int main(int argc, char **argv)
{
    const char *pid = NULL;
    char self[16];
    int option, status = 0;

    while ((option = getopt(argc, argv, "p:")) != -1) {
        if (option != 'p')
            return usage();
        pid = optarg;
    }
    if (pid && (optind == argc || !*pid || strspn(pid, "0123456789") != strlen(pid)))
        return usage();
    if (optind == argc)
        return holders();
    snprintf(self, sizeof(self), "%d", (int)getpid());
    for (int i = optind; i < argc && !status; i++) {
        uint32_t address;

        status = parse(argv[i], &address) ? show(pid ? pid : self, address) : 2;
    }
    return status;
}
