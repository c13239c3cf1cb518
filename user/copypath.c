/*
 * copypath - sends a file along every path and shows what crossed the machine, and how.
 *
 *     copypath [-p PATH]... [-n BYTES] [-f FILE]... [-c CHUNK] [-C|-W] [-i IFACE]
 *              [-q|--machine] [HOST PORT]
 *
 * Each path is run from a cold page cache and from a warm one, each time over a new connection, to
 * a peer that throws the bytes away. What the kernel's ledger counted stands beside what a textbook
 * says. Exit status: 0 if every figure is exactly the textbook's, 1 if one is not, 2 if a path
 * could not be run. On Linux, which keeps no ledger, the figures are shown as n/a.
 */
#define _GNU_SOURCE
#include "lib/measure.h"
#include "lib/net.h"
#include "lib/table.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_FILE "/data/16m"
#define MAX_LIST     16

struct options {
    const struct path *paths[MAX_LIST];
    const char *files[MAX_LIST];
    int nr_paths, nr_files;
    bool cold, warm, machine;
};

/* Of the edges, and then of CPU, DMA, in+out and switches. With name and verdict: 80 columns. */
static const int width[] = {6, 7, 6, 7, 6, 7, 5, 5, 7, 7};

static void table_head(const struct crossing *c, bool known, bool icount)
{
    static const char *const head[2][10] = {
        {"disk→", "cache→", "user→", "cache→", "sock→", "cache→", "", "", "in+out", "task"},
        {"cache", "user", "sock", "sock", "nic", "nic", "CPU", "DMA", "/chunk", "switch"},
    };

    printf("\n%sHow %s crosses the machine%s: %" PRIu64 " bytes, %zu KiB a call, to %s:%d\n", BOLD,
           c->file, PLAIN, c->len, c->chunk / 1024, c->host, c->port);
    if (!known) {
        printf("This kernel keeps no ledger: the figures are n/a.\n");
    }
    printf("\n");
    for (int line = 0; line < 2; line++) {
        printf("%s%8s", DIM, "");
        for (int i = 0; i < 10; i++) {
            cell(width[i], head[line][i]);
        }
        if (icount) {
            cell(6, line == 0 ? "instr" : "/KiB");
        }
        printf("%s\n", PLAIN);
    }
}

static void table_row(const struct measure *m, const struct crossing *c)
{

    unsigned once = m->path->calls_once;

    printf(" %-7s", m->cold ? "cold" : "warm");
    if (!m->known) {
        for (int i = 0; i < NR_COLUMNS; i++) {
            cell(width[i], "n/a");
        }
        printf("  n/a  n/a    n/a    n/a n/a\n");
        return;
    }
    for (int i = 0; i < NR_COLUMNS; i++) {
        ratio_cell(width[i], ledger_moved(&m->moved, path_edge[i].from, path_edge[i].to), m->len);
    }
    ratio_cell(5, ledger_by(&m->moved, CPU), m->len);
    ratio_cell(5, ledger_by(&m->moved, DMA), m->len);
    /* In and out again: two crossings of the gate for each call. Calls made once are said apart. */
    ratio_cell(7, (m->calls > once ? m->calls - once : 0) * 2, m->chunks);
    number_cell(7, m->sent.switches[VOLUNTARY] + m->sent.switches[INVOLUNTARY]);
    if (m->icount) {
        number_cell(6, m->ticks * 1024 / m->len);
    }
    if (measure_judge(m, c, NULL) == 0) {
        printf(" %sok%s\n", GREEN, PLAIN);
    } else {
        printf(" %sDIFFERS%s\n", RED, PLAIN);
        measure_judge(m, c, stdout);
    }
}

static void table_textbook(const struct path *path)
{
    unsigned by[NR_MOVERS] = {0};

    printf("%stextbook", DIM);
    for (int i = 0; i < NR_COLUMNS; i++) {
        ratio_cell(width[i], path->crossings[i], 1);
        by[path_edge[i].mover] += path->crossings[i];
    }
    ratio_cell(5, by[CPU], 1);
    ratio_cell(5, by[DMA], 1);
    ratio_cell(7, path->calls_per_chunk * 2, 1);
    printf("%s\n", PLAIN);
}

/* What a path costs beside its calls: mapping, and the page faults that it makes. */
static void table_faults(const struct measure *m)
{
    uint64_t minor = m->sent.entry[MINOR_FAULT], major = m->sent.entry[MAJOR_FAULT];

    if (m->known && (m->path->calls_once || minor || major)) {
        printf("%s   %s: %u more calls once, %" PRIu64 " page faults, %" PRIu64
               " of which waited for the disk%s\n",
               DIM, m->cold ? "cold" : "warm", m->path->calls_once, minor + major, major, PLAIN);
    }
}

static void table_legend(bool icount)
{
    printf(
        "\n%sBytes moved / bytes of the file, to the byte. · is none. CPU and DMA: moved by whom."
        "\nA cold cache is filled from the disk, a warm one is not. Headers are kept apart.\n"
        "Books that count DMA as copies say 4 for read+write, 3 and 2 for sendfile. Those that\n"
        "say \"4 context switches\" mean in+out: the CPU changes its ring, not the task.%s%s\n",
        DIM,
        icount ? "\nQEMU counts instructions: the clock, and so each task, stands still while the "
                 "disk works."
               : "\nInstructions per KiB: `make bench`, where QEMU counts them.",
        PLAIN);
}

static void machine_line(const struct measure *m, const struct crossing *c)
{
    printf("path=%s state=%s file=%s bytes=%" PRIu64 " chunk=%zu chunks=%" PRIu64, m->path->name,
           m->cold ? "cold" : "warm", c->file, m->len, c->chunk, m->chunks);
    if (!m->known) {
        printf(" verdict=n/a\n");
        return;
    }
    printf(" calls=%" PRIu64 " calls_once=%u minor_faults=%" PRIu64 " major_faults=%" PRIu64,
           m->calls, m->path->calls_once, m->sent.entry[MINOR_FAULT], m->sent.entry[MAJOR_FAULT]);
    printf(" irqs=%" PRIu64 " voluntary=%" PRIu64 " involuntary=%" PRIu64, m->devices.irqs,
           m->sent.switches[VOLUNTARY], m->sent.switches[INVOLUNTARY]);
    printf(" ticks=%" PRIu64 " icount=%d reg_reads=%" PRIu64 " reg_writes=%" PRIu64
           " doorbells=%" PRIu64,
           m->ticks, m->icount, m->devices.reg_reads, m->devices.reg_writes, m->devices.doorbells);
    for (int from = 0; from < NR_NODES; from++) {
        for (int to = 0; to < NR_NODES; to++) {
            for (int mover = 0; mover < NR_MOVERS; mover++) {
                uint64_t bytes = ledger_bytes(&m->moved, from, to, mover);

                if (bytes || measure_expected(m, c, from, to, mover)) {
                    printf(" edge.%s.%s.%s=%" PRIu64, node_name[from], node_name[to],
                           mover_name[mover], bytes);
                }
            }
        }
    }
    for (int i = 0; i < m->moved.nr_apart; i++) {
        printf(" apart.%s=%" PRIu64, m->moved.apart[i].what, m->moved.apart[i].tally.bytes);
    }
    printf(" verdict=%s\n", measure_judge(m, c, NULL) ? "DIFFERS" : "ok");
}

/* Runs every wanted path for one file. 0, or the exit status that says what went wrong. */
static int run_file(struct crossing *c, const struct options *o)
{
    const char *step;
    int worst = 0;
    bool headed = false, icount = false;

    if (crossing_prepare(c) < 0) {
        fprintf(stderr, "copypath: %s: %s\n", c->file, strerror(errno));
        return 2;
    }
    for (int i = 0; i < o->nr_paths; i++) {
        struct measure runs[2];
        int nr = 0;

        for (int cold = 1; cold >= 0; cold--) {
            struct measure *m = &runs[nr];

            if (cold ? !o->cold : !o->warm) {
                continue;
            }
            if (measure_run(m, c, o->paths[i], cold, &step) < 0) {
                fprintf(stderr, "copypath: %s to %s:%d by %s: could not %s: %s\n", c->file, c->host,
                        c->port, o->paths[i]->name, step, strerror(errno));
                return 2;
            }
            if (o->machine) {
                machine_line(m, c);
            } else {
                if (!headed) {
                    table_head(c, m->known, m->icount);
                    headed = true;
                }
                if (nr == 0) {
                    printf("%s%s%s - %s\n", BOLD, m->path->title, PLAIN, m->path->sentence);
                }
                table_row(m, c);
            }
            fflush(stdout);
            icount = m->icount;
            nr++;
            if (measure_judge(m, c, NULL) != 0) {
                worst = 1;
            }
        }
        for (int run = 0; run < nr && !o->machine; run++) {
            if (run == 0) {
                table_textbook(o->paths[i]);
            }
            table_faults(&runs[run]);
        }
    }
    if (!o->machine) {
        table_legend(icount);
    }
    return worst;
}

/* Bytes, with an optional k or m. 0 if that is no number. */
static uint64_t parse_size(const char *text)
{
    char *end;
    uint64_t size = strtoull(text, &end, 10);

    if (*end == 'k' || *end == 'K') {
        size <<= 10, end++;
    } else if (*end == 'm' || *end == 'M') {
        size <<= 20, end++;
    }
    return *end ? 0 : size;
}

static int usage(void)
{
    fprintf(stderr, "usage: copypath [-p PATH]... [-n BYTES] [-f FILE]... [-c CHUNK] [-C|-W]\n"
                    "                [-i IFACE] [-q|--machine] [HOST PORT]\npaths:");
    for (int i = 0; i < nr_paths; i++) {
        fprintf(stderr, " %s", paths[i].name);
    }
    fprintf(stderr, "\n-C only from a cold cache, -W only from a warm one, -q a line a run\n");
    return 2;
}

int main(int argc, char **argv)
{
    struct crossing c = {
        .host = DISCARD_HOST, .port = DISCARD_PORT, .iface = "eth0", .chunk = PATH_CHUNK};
    struct options o = {.cold = true, .warm = true};
    int option, worst = 0, offload[NR_OFFLOADS];

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--machine") == 0) {
            argv[i] = "-q";
        }
    }
    while ((option = getopt(argc, argv, "p:n:f:c:i:CWq")) != -1) {
        if (option == 'p' && o.nr_paths < MAX_LIST && path_find(optarg)) {
            o.paths[o.nr_paths++] = path_find(optarg);
        } else if (option == 'f' && o.nr_files < MAX_LIST) {
            o.files[o.nr_files++] = optarg;
        } else if (option == 'n' && parse_size(optarg) > 0) {
            c.len = parse_size(optarg);
        } else if (option == 'c' && parse_size(optarg) > 0 && parse_size(optarg) <= 16 << 20) {
            c.chunk = parse_size(optarg);
        } else if (option == 'i') {
            c.iface = optarg;
        } else if (option == 'C') {
            o.warm = false;
        } else if (option == 'W') {
            o.cold = false;
        } else if (option == 'q') {
            o.machine = true;
        } else {
            return usage();
        }
    }
    if (argc - optind == 2) {
        c.host = argv[optind];
        c.port = atoi(argv[optind + 1]);
    } else if (argc != optind || (!o.cold && !o.warm)) {
        return usage();
    }

    bool all_paths = o.nr_paths == 0;

    for (int i = 0; all_paths && i < nr_paths; i++) {
        o.paths[o.nr_paths++] = &paths[i];
    }
    if (o.nr_files == 0) {
        o.files[o.nr_files++] = DEFAULT_FILE;
    }
    signal(SIGPIPE, SIG_IGN);
    table_colours();

    bool ours = on_ferry();

    for (int i = 0; ours && i < NR_OFFLOADS; i++) {
        offload[i] = offload_get(c.iface, &offloads[i]);
    }
    for (int i = 0; i < o.nr_files; i++) {
        struct crossing each = c;

        each.file = o.files[i];

        int status = run_file(&each, &o);

        worst = status > worst ? status : worst;
    }
    /* In the table's order, since each offload needs the one before it. */
    for (int i = 0; ours && i < NR_OFFLOADS; i++) {
        if (offload[i] >= 0) {
            offload_set(c.iface, &offloads[i], offload[i]);
        }
    }
    return worst;
}
