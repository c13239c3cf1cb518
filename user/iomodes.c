/*
 * iomodes - reads the same file in each of the disk's transfer modes and shows who did the work.
 *
 *     iomodes [-d DEVICE] [-q|--machine] [FILE]
 *
 * In each mode the file is read twice, from a cold page cache. The first time nothing else runs,
 * and the kernel's counters say who moved the bytes, how often the disk interrupted, and for how
 * long the CPU was busy. The second time another task counts, and gives the CPU up after every
 * step. So that the modes can be compared, each second reading is given the same time, that of the
 * slowest first one: the share of it in which the CPU was free is what the disk leaves to others,
 * by the kernel's clock and by how far the counting task came.
 *
 * Exit status: 0 if bytes and interrupts are exactly what the mode says, 1 if not, 2 if a mode
 * could not be run. On Linux, whose drivers offer no such choice, the file is read as it is.
 */
#define _GNU_SOURCE
#include "lib/diskmode.h"
#include "lib/file.h"
#include "lib/ledger.h"
#include "lib/spare.h"
#include "lib/table.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

static const struct mode {
    const char *name, *title;
    struct diskmode set;
} modes[] = {
    {"polled", "polled", {.polling = true, .multiple = 1}},
    {"irq-1", "interrupt, -m 1", {.multiple = 1}},
    {"irq-16", "interrupt, -m 16", {.multiple = 16}},
    {"dma", "DMA", {.dma = true, .multiple = 16}},
};
static const struct mode as_it_is = {.name = "as-is", .title = "as it is"};

#define NR_MODES (int)(sizeof(modes) / sizeof(modes[0]))

struct result {
    bool known; /* by counters of the kernel; false on Linux */
    bool icount;
    uint64_t by_cpu, by_dma; /* bytes from the disk into the page cache */
    struct diskwork work;
    uint64_t busy, idle; /* time-stamp counter */
    uint64_t ns;         /* the same, together, by the clock */
    uint64_t rounds;     /* of the counting task while the file was read again */
    double counting; /* in the time that each mode is given, in per cent of what it does alone */
};

/* Of a whole time, the part in per cent; what has no whole is none. */
static double percent(double part, double whole)
{
    return whole > 0 ? part * 100 / whole : 0;
}

/* --- Reading -------------------------------------------------------------------------------------
 */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void sleep_until(uint64_t ns)
{
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int read_all(const char *file)
{
    static char data[CHUNK];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t got;

    if (fd < 0) {
        return -1;
    }
    while ((got = read(fd, data, sizeof(data))) > 0) {
        continue;
    }
    close(fd);
    return got < 0 ? -1 : 0;
}

static int make_cold(const char *file)
{
    if (on_ferry()) {
        return file_write("/proc/sys/vm/drop_caches", "1\n");
    }

    int fd = open(file, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return -1;
    }
    errno = posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return errno ? -1 : 0;
}

struct reading {
    struct ledger ledger;
    struct diskwork work;
    uint64_t tsc, idle;
    bool icount;
};

/* All calls that look are made in one order, so that what they cost can be taken off. */
static void look(const char *device, struct reading *r)
{
    char text[256];

    ledger_read(LEDGER_SELF, &r->ledger);
    diskwork_read(device, &r->work);
    if (file_read("/proc/ferry/clock", text, sizeof(text)) > 0) {
        r->tsc = text_value(text, "tsc");
        r->idle = text_value(text, "idle");
        r->icount = text_value(text, "icount") != 0;
    }
}

/* The file alone; fills in what the kernel counts. */
static int run_alone(const char *device, const char *file, struct result *m)
{
    static struct reading none, before, after;

    if (make_cold(file) < 0) {
        return -1;
    }
    look(device, &none);
    look(device, &before);
    m->ns = now_ns();
    if (read_all(file) < 0) {
        return -1;
    }
    m->ns = now_ns() - m->ns;
    look(device, &after);

    struct ledger moved = ledger_between(&before.ledger, &after.ledger);
    uint64_t looking = (before.tsc - none.tsc) - (before.idle - none.idle);

    m->by_cpu = ledger_bytes(&moved, DISK, CACHE, CPU);
    m->by_dma = ledger_bytes(&moved, DISK, CACHE, DMA);
    m->work.commands = after.work.commands - before.work.commands;
    m->work.interrupts = after.work.interrupts - before.work.interrupts;
    m->work.blocks = after.work.blocks - before.work.blocks;
    m->work.sectors = after.work.sectors - before.work.sectors;
    m->idle = after.idle - before.idle;
    m->busy = after.tsc - before.tsc - m->idle;
    m->busy -= m->busy > looking ? looking : 0;
    m->icount = after.icount;
    return 0;
}

/* The file again, beside the task that counts, and what is left of the time. */
static int run_beside_counter(const char *file, uint64_t ns, struct result *m)
{
    int status = -1;

    if (spare_start() < 0) {
        return -1;
    }
    if (make_cold(file) == 0) {
        uint64_t end = now_ns() + ns;

        spare_begin();
        status = read_all(file);
        m->rounds = spare_rounds();
        sleep_until(end);
        spare_end(&m->counting);
    }

    int saved = errno;

    spare_stop();
    errno = saved;
    return status;
}

static const char *the_device; /* whose mode is to be what it was, also when ^C ends us */
static struct diskmode old_mode;

static void interrupted(int signal)
{
    diskmode_set(the_device, &old_mode);
    _exit(128 + signal);
}

/* --- Judging and showing -------------------------------------------------------------------------
 */

/* Of the time that each mode is given, what it leaves free by the kernel's clock. */
static double free_percent(const struct result *m, uint64_t window)
{
    return window > m->busy ? percent((double)(window - m->busy), (double)window) : 0;
}

/* Exactly the file by the right mover, and interrupts: none, one a block, or one a command. */
static bool as_designed(const struct mode *mode, const struct result *m, uint64_t len)
{
    bool dma = mode->set.dma;
    uint64_t interrupts = dma ? m->work.commands : mode->set.polling ? 0 : m->work.blocks;

    if (!m->known) {
        return true;
    }
    if (!dma && mode->set.multiple == 1 && m->work.blocks != m->work.sectors) {
        return false;
    }
    return m->by_cpu == (dma ? 0 : len) && m->by_dma == (dma ? len : 0) &&
           m->work.interrupts == interrupts && (!dma || m->work.blocks == 0);
}

static void machine_line(const struct mode *mode, const struct result *m, uint64_t len,
                         uint64_t window)
{
    printf("mode=%s bytes=%" PRIu64, mode->name, len);
    if (m->known) {
        printf(" cpu=%" PRIu64 " dma=%" PRIu64 " sectors=%" PRIu64 " commands=%" PRIu64
               " blocks=%" PRIu64 " interrupts=%" PRIu64 " busy=%" PRIu64 " idle=%" PRIu64
               " icount=%d",
               m->by_cpu, m->by_dma, m->work.sectors, m->work.commands, m->work.blocks,
               m->work.interrupts, m->busy, m->idle, m->icount);
    }
    if (!m->icount) {
        printf(" rounds=%" PRIu64 " counting_percent=%.1f", m->rounds, m->counting);
        if (m->known) {
            printf(" free_percent=%.1f", free_percent(m, window));
        }
    }
    printf(" verdict=%s\n", !m->known ? "n/a" : as_designed(mode, m, len) ? "ok" : "DIFFERS");
}

/* From "CPU moves" to "counting". With the mode's name and the verdict: 80 columns. */
static const int width[] = {5, 5, 7, 8, 9, 8, 9};

#define NR_CELLS (int)(sizeof(width) / sizeof(width[0]))

static void table_head(const char *file, uint64_t len, bool known)
{
    static const char *const head[2][NR_CELLS] = {
        {"by", "by", "com-", "inter-", "CPU busy", "CPU", "counting"},
        {"CPU", "DMA", "mands", "rupts", "/KiB", "free", "task"},
    };

    printf("\n%sHow %s comes from the disk%s: %" PRIu64 " bytes, cold\n", BOLD, file, PLAIN, len);
    if (!known) {
        printf("This kernel offers no choice of modes and does not say who moves a byte. What can "
               "be\nmeasured is what the reading leaves to another task on the same CPU.\n");
    }
    printf("\n");
    for (int line = 0; line < 2; line++) {
        printf("%s%-17s", DIM, "");
        for (int i = 0; i < NR_CELLS; i++) {
            cell(width[i], head[line][i]);
        }
        printf("%s\n", PLAIN);
    }
}

static void percent_cell(int width, bool known, double share)
{
    char text[32];

    snprintf(text, sizeof(text), "%.1f%%", share);
    cell(width, known ? text : "n/a");
}

static void table_row(const struct mode *mode, const struct result *m, uint64_t len,
                      uint64_t window)
{
    bool timed = m->known && !m->icount;

    printf(" %-16s", mode->title);
    if (m->known) {
        ratio_cell(width[0], m->by_cpu, len);
        ratio_cell(width[1], m->by_dma, len);
        number_cell(width[2], m->work.commands);
        number_cell(width[3], m->work.interrupts);
        number_cell(width[4], m->busy * 1024 / len);
    } else {
        for (int i = 0; i < 5; i++) {
            cell(width[i], "n/a");
        }
    }
    percent_cell(width[5], timed, free_percent(m, window));
    percent_cell(width[6], !m->icount, m->counting);
    if (!m->known) {
        printf("\n");
    } else if (as_designed(mode, m, len)) {
        printf(" %sok%s\n", GREEN, PLAIN);
    } else {
        printf(" %sDIFFERS%s\n", RED, PLAIN);
    }
}

static void table_legend(bool known, bool icount)
{
    printf("\n%s", DIM);
    if (known) {
        printf("By CPU, by DMA: bytes moved from the disk into the cache / bytes of the file.\n"
               "read() then copies each byte once more, by the CPU, whatever the mode.\n");
    }
    if (icount) {
        printf(
            "CPU busy: instructions. The clock stands still while the disk works, so there is no\n"
            "free time to share out; and how often polling asks, the disk's answers decide.");
    } else {
        if (known) {
            printf("CPU busy: time-stamp ticks with a task to run or an interrupt to serve.\n"
                   "CPU free: what that leaves of the time that the slowest mode took, by the\n"
                   "kernel's clock. Counting task: what a task that yields to everybody got done\n"
                   "in the same time, of what it gets done alone, while the file was read again.");
        } else {
            printf("Counting task: what a task that yields to everybody gets done beside the\n"
                   "reading, of what it gets done alone.");
        }
    }
    printf("%s\n", PLAIN);
}

static int usage(void)
{
    fprintf(stderr, "usage: iomodes [-d DEVICE] [-q|--machine] [FILE]\n");
    return 2;
}

static int give_up(const char *file, const struct mode *mode)
{
    fprintf(stderr, "iomodes: %s by %s: %s\n", file, mode->title, strerror(errno));
    return 2;
}

/* Of each mode of the list: first the kernel's figures, then its row. The exit status. */
static int compare(const char *file, uint64_t len, const struct mode *list, int nr, bool machine)
{
    static struct result results[NR_MODES];
    uint64_t window = 0, ns = 0;
    int status = 0;

    for (int i = 0; i < nr; i++) {
        struct result *m = &results[i];

        m->known = list != &as_it_is;
        if (!m->known) {
            continue;
        }
        if (diskmode_set(the_device, &list[i].set) < 0 || run_alone(the_device, file, m) < 0) {
            return give_up(file, &list[i]);
        }
        if (m->busy + m->idle > window) {
            window = m->busy + m->idle;
            ns = m->ns;
        }
    }
    for (int i = 0; i < nr; i++) {
        struct result *m = &results[i];

        if ((m->known && diskmode_set(the_device, &list[i].set) < 0) ||
            (!m->icount && run_beside_counter(file, ns, m) < 0)) {
            return give_up(file, &list[i]);
        }
        if (machine) {
            machine_line(&list[i], m, len, window);
        } else {
            table_row(&list[i], m, len, window);
        }
        fflush(stdout);
        status = as_designed(&list[i], m, len) ? status : 1;
    }
    if (!machine) {
        table_legend(results[0].known, results[0].icount);
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *file = "/data/16m";
    struct stat st;
    bool machine = false;
    int option;

    the_device = "/dev/hda";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--machine") == 0) {
            argv[i] = "-q";
        }
    }
    while ((option = getopt(argc, argv, "d:q")) != -1) {
        if (option == 'd') {
            the_device = optarg;
        } else if (option == 'q') {
            machine = true;
        } else {
            return usage();
        }
    }
    if (argc - optind > 1) {
        return usage();
    }
    if (optind < argc) {
        file = argv[optind];
    }

    bool known = on_ferry();

    /* Read once before: what is needed but once is there then. */
    if (stat(file, &st) < 0 || read_all(file) < 0) {
        fprintf(stderr, "iomodes: %s: %s\n", file, strerror(errno));
        return 2;
    }
    if (st.st_size == 0) {
        fprintf(stderr, "iomodes: %s is empty\n", file);
        return 2;
    }
    if (known && diskmode_get(the_device, &old_mode) < 0) {
        fprintf(stderr, "iomodes: %s: %s\n", the_device, strerror(errno));
        return 2;
    }
    table_colours();
    if (!machine) {
        table_head(file, st.st_size, known);
        fflush(stdout);
    }
    if (known) {
        signal(SIGINT, interrupted);
        signal(SIGTERM, interrupted);
    }

    int status =
        compare(file, st.st_size, known ? modes : &as_it_is, known ? NR_MODES : 1, machine);

    if (known) {
        diskmode_set(the_device, &old_mode);
    }
    return status;
}
