/*
 * iomodes - reads the same file in each of the disk's transfer modes and shows who did the work.
 *
 *     iomodes [-d DEVICE] [-q|--machine] [FILE]
 *
 * In each mode the file is read twice, from a cold page cache. The first time nothing else runs,
 * and the kernel's counters say who moved the bytes, how often the disk interrupted, and for how
 * much of the time the CPU was idle. The second time another task counts, and gives the CPU up
 * after every step: how far it comes shows what the disk leaves to others.
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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
    uint64_t rounds;     /* of the counting task while the file was read */
    double counting;     /* the same, in per cent of what it gets done alone */
};

/* Of a whole time, the part in per cent; what has no whole is none. */
static double percent(double part, double whole)
{
    return whole > 0 ? part * 100 / whole : 0;
}

/* --- Reading -------------------------------------------------------------------------------------
 */

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
    if (read_all(file) < 0) {
        return -1;
    }
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

/* The file again, beside the task that counts. */
static int run_beside_counter(const char *file, struct result *m)
{
    int status = -1;

    if (spare_start() < 0) {
        return -1;
    }
    if (make_cold(file) == 0) {
        spare_begin();
        status = read_all(file);
        m->rounds = spare_end(&m->counting);
    }

    int saved = errno;

    spare_stop();
    errno = saved;
    return status;
}

static int run(const char *device, const char *file, const struct mode *mode, struct result *m)
{
    memset(m, 0, sizeof(*m));
    m->known = mode != &as_it_is;
    if (m->known && (diskmode_set(device, &mode->set) < 0 || run_alone(device, file, m) < 0)) {
        return -1;
    }
    return m->icount ? 0 : run_beside_counter(file, m);
}

/* --- Judging and showing -------------------------------------------------------------------------
 */

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

static void machine_line(const struct mode *mode, const struct result *m, uint64_t len)
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
    }
    printf(" verdict=%s\n", !m->known ? "n/a" : as_designed(mode, m, len) ? "ok" : "DIFFERS");
}

/* From "CPU moves" to "counting". With the mode's name and the verdict: 80 columns. */
static const int width[] = {5, 5, 7, 8, 9, 8, 8, 8};

#define NR_CELLS (int)(sizeof(width) / sizeof(width[0]))

static void table_head(const char *file, uint64_t len, bool known)
{
    static const char *const head[2][NR_CELLS] = {
        {"by", "by", "com-", "inter-", "busy", "free of", "", "count-"},
        {"CPU", "DMA", "mands", "rupts", "/KiB", "polled", "idle", "ing"},
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

/* Of the time that polling took, what this mode leaves free. */
static double free_of_polled(const struct result *m, const struct result *polled)
{
    return 100 - percent((double)m->busy, (double)(polled->busy + polled->idle));
}

static void table_row(const struct mode *mode, const struct result *m, const struct result *polled,
                      uint64_t len)
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
    percent_cell(width[5], timed, free_of_polled(m, polled));
    percent_cell(width[6], timed, percent((double)m->idle, (double)(m->busy + m->idle)));
    percent_cell(width[7], !m->icount, m->counting);
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
        printf("Busy: instructions. The clock stands still while the disk works, so there is no\n"
               "free time to share out; and how often polling asks, the disk's answers decide.");
    } else {
        if (known) {
            printf("Busy: time-stamp ticks with a task to run or an interrupt to serve. Free of\n"
                   "polled: what would be left of them if each mode took as long as polling.\n"
                   "Idle: what was left, in a time as short as the disk allows.\n");
        }
        printf("Counting: what a task that yields to everybody gets done beside the reading,\n"
               "of what it gets done alone, in a second reading.");
    }
    printf("%s\n", PLAIN);
}

static int usage(void)
{
    fprintf(stderr, "usage: iomodes [-d DEVICE] [-q|--machine] [FILE]\n");
    return 2;
}

int main(int argc, char **argv)
{
    const char *device = "/dev/hda", *file = "/data/16m";
    struct diskmode old = {0};
    struct result polled = {0};
    struct stat st;
    bool machine = false, icount = false;
    int option, worst = 0;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--machine") == 0) {
            argv[i] = "-q";
        }
    }
    while ((option = getopt(argc, argv, "d:q")) != -1) {
        if (option == 'd') {
            device = optarg;
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

    if (stat(file, &st) < 0 || (known && diskmode_get(device, &old) < 0)) {
        fprintf(stderr, "iomodes: %s or %s: %s\n", file, device, strerror(errno));
        return 2;
    }
    if (read_all(file) < 0) { /* what is needed once, is there then */
        fprintf(stderr, "iomodes: %s: %s\n", file, strerror(errno));
        return 2;
    }
    table_colours();
    if (!machine) {
        table_head(file, st.st_size, known);
    }
    for (int i = 0; i < (known ? NR_MODES : 1) && worst < 2; i++) {
        const struct mode *mode = known ? &modes[i] : &as_it_is;
        struct result m;

        if (run(device, file, mode, &m) < 0) {
            fprintf(stderr, "iomodes: %s by %s: %s\n", file, mode->title, strerror(errno));
            worst = 2;
        } else {
            if (i == 0) {
                polled = m;
            }
            if (machine) {
                machine_line(mode, &m, st.st_size);
            } else {
                table_row(mode, &m, &polled, st.st_size);
            }
            icount = m.icount;
            worst = as_designed(mode, &m, st.st_size) ? worst : 1;
        }
        fflush(stdout);
    }
    if (known) {
        diskmode_set(device, &old);
    }
    if (!machine) {
        table_legend(known, icount);
    }
    return worst;
}
