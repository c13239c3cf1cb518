/*
 * measure.c - runs a path between two readings of the ledger.
 *
 * Whoever measures, disturbs: to read /proc takes system calls, which the kernel counts like any
 * other. Three things keep the figures exact all the same.
 *
 *  - A path is run once on a few bytes before anything is counted. That maps the pages of program
 *    text and data which it needs, so that none of them has to come from the disk later.
 *  - The ledger is read three times: before the first call, after the last one has returned, and
 *    when the peer has acknowledged everything. System calls and switches are taken from the first
 *    interval; waiting for the peer takes a number of calls that depends on the peer, and is not
 *    part of the path. Bytes are taken from both intervals, since the card sends in both.
 *  - The same readings are then made with nothing in between. What they show is the cost of
 *    reading, always the same number of calls, and is taken off.
 */
#define _GNU_SOURCE
#include "measure.h"
#include "file.h"
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct clock {
    uint64_t busy;
    bool icount;
};

struct readings {
    struct ledger start, sent, drained;
    struct clock first, last;
    struct device_work before, after;
};

static void clock_read(struct clock *clock)
{
    char text[256];

    if (file_read("/proc/ferry/clock", text, sizeof(text)) > 0) {
        clock->busy = text_value(text, "tsc") - text_value(text, "idle");
        clock->icount = text_value(text, "icount") != 0;
    }
}

static void devices_read(struct device_work *work)
{
    static struct ledger machine;
    static char text[8192];
    static const char *const files[] = {"/proc/ferry/disk", "/proc/ferry/net"};

    for (int i = 0; i < 2; i++) {
        if (file_read(files[i], text, sizeof(text)) > 0) {
            work->reg_reads += text_total(text, "reg_reads");
            work->reg_writes += text_total(text, "reg_writes");
            work->doorbells += text_total(text, "doorbells");
        }
    }
    ledger_read(LEDGER_SYSTEM, &machine);
    work->irqs = machine.entry[IRQ];
}

/* Sends the first len bytes, or nothing for 0, between the three readings. */
static int run_between_readings(struct readings *r, const struct path *path, int sock, int file,
                                uint64_t len, size_t chunk)
{
    memset(r, 0, sizeof(*r));
    devices_read(&r->before);
    ledger_read(LEDGER_SELF, &r->start);
    clock_read(&r->first);
    if (len > 0 && path->send(sock, file, 0, len, chunk) < 0) {
        return -1;
    }
    ledger_read(LEDGER_SELF, &r->sent);
    if (tcp_drain(sock) < 0) {
        return -1;
    }
    clock_read(&r->last);
    ledger_read(LEDGER_SELF, &r->drained);
    devices_read(&r->after);
    return 0;
}

/* Reads the whole file once, so that all of it is in the page cache, or drops it from there. */
static int cache_prepare(int file, bool cold)
{
    static char data[PATH_CHUNK];
    ssize_t got;

    if (cold) {
        /* On Linux only this file is dropped: the rest of the cache is not ours. */
        return on_ferry() ? file_write("/proc/sys/vm/drop_caches", "1\n")
               : (errno = posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED)) ? -1
                                                                          : 0;
    }
    while ((got = read(file, data, sizeof(data))) > 0) {
        continue;
    }
    return got < 0 || lseek(file, 0, SEEK_SET) < 0 ? -1 : 0;
}

static int card_prepare(const struct crossing *crossing, const struct path *path)
{
    /* Without ledger there is nothing to learn from it, and the card is not ours to switch. */
    if (!on_ferry()) {
        return 0;
    }
    if (offload_set(crossing->iface, offload_find("tx"), true) < 0) {
        return -1;
    }
    return offload_set(crossing->iface, offload_find("sg"), path->sg);
}

int crossing_prepare(struct crossing *crossing)
{
    struct stat st;
    char driver[32], disk[2048];

    if (stat(crossing->file, &st) < 0) {
        return -1;
    }
    if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        errno = EINVAL;
        return -1;
    }
    if (crossing->len == 0 || crossing->len > (uint64_t)st.st_size) {
        crossing->len = st.st_size;
    }
    crossing->whole = crossing->len == (uint64_t)st.st_size;

    /* "hda.mode dma", or one of the programmed modes. */
    if (file_read("/proc/ferry/disk", disk, sizeof(disk)) > 0) {
        crossing->disk_pio = strncmp(disk, "hda.mode ", 9) == 0 && strncmp(disk + 9, "dma", 3) != 0;
    }
    crossing->nic_pio =
        nic_driver(crossing->iface, driver, sizeof(driver)) == 0 && strncmp(driver, "ne2k", 4) == 0;
    return path_prepare(crossing->chunk);
}

static struct device_work devices_between(const struct readings *run, const struct readings *idle)
{
    return (struct device_work){
        .reg_reads = run->after.reg_reads - run->before.reg_reads -
                     (idle->after.reg_reads - idle->before.reg_reads),
        .reg_writes = run->after.reg_writes - run->before.reg_writes -
                      (idle->after.reg_writes - idle->before.reg_writes),
        .doorbells = run->after.doorbells - run->before.doorbells -
                     (idle->after.doorbells - idle->before.doorbells),
        .irqs = run->after.irqs - run->before.irqs,
    };
}

int measure_run(struct measure *m, const struct crossing *crossing, const struct path *path,
                bool cold, const char **step)
{
    static struct readings run, idle;
    int status = -1, sock = -1, file;

    memset(m, 0, sizeof(*m));
    m->path = path;
    m->cold = cold;
    m->len = crossing->len;
    m->chunks = (crossing->len + crossing->chunk - 1) / crossing->chunk;

    *step = "open the file";
    if ((file = open(crossing->file, O_RDONLY)) < 0) {
        return -1;
    }
    *step = "switch the card's offloads";
    if (card_prepare(crossing, path) < 0) {
        goto out;
    }
    *step = "connect";
    if ((sock = tcp_connect(crossing->host, crossing->port)) < 0) {
        goto out;
    }
    *step = "warm up";
    if (run_between_readings(&run, path, sock, file, 1, crossing->chunk) < 0) {
        goto out;
    }
    close(sock);
    *step = "connect again";
    if (lseek(file, 0, SEEK_SET) < 0 || (sock = tcp_connect(crossing->host, crossing->port)) < 0) {
        goto out;
    }
    *step = "prepare the page cache";
    if (cache_prepare(file, cold) < 0) {
        goto out;
    }
    *step = "send";
    if (run_between_readings(&idle, path, sock, file, 0, crossing->chunk) < 0 ||
        run_between_readings(&run, path, sock, file, crossing->len, crossing->chunk) < 0) {
        goto out;
    }
    status = 0;

    m->known = on_ferry();
    if (m->known) {
        struct ledger reading = ledger_between(&idle.start, &idle.sent);

        m->sent = ledger_between(&run.start, &run.sent);
        m->moved = ledger_between(&run.start, &run.drained);
        m->calls = m->sent.entry[SYSCALL] - reading.entry[SYSCALL];
        m->ticks = (run.last.busy - run.first.busy) - (idle.last.busy - idle.first.busy);
        m->devices = devices_between(&run, &idle);
        m->icount = run.last.icount;
    }
out:;
    int saved = errno;

    if (sock >= 0) {
        close(sock);
    }
    close(file);
    errno = saved;
    return status;
}

uint64_t measure_expected(const struct measure *m, const struct crossing *crossing, enum node from,
                          enum node to, enum mover mover)
{
    for (int i = 0; i < NR_COLUMNS; i++) {
        const struct edge *edge = &path_edge[i];
        bool by_cpu = edge->mover == CPU || (edge->from == DISK && crossing->disk_pio) ||
                      (edge->to == NIC && crossing->nic_pio);

        if (edge->from == from && edge->to == to && mover == (by_cpu ? CPU : DMA)) {
            return from == DISK && !m->cold ? 0 : m->path->crossings[i] * m->len;
        }
    }
    return 0;
}

int measure_judge(const struct measure *m, const struct crossing *crossing, FILE *out)
{
    uint64_t calls = m->path->calls_per_chunk * m->chunks + m->path->calls_once;
    int differences = 0;

    if (!m->known) {
        return 0;
    }
    for (int from = 0; from < NR_NODES; from++) {
        /* Out of ZERO come the zeroes of fresh pages: work of the kernel, but no payload. */
        for (int to = 0; to < NR_NODES && from != ZERO; to++) {
            for (int mover = 0; mover < NR_MOVERS; mover++) {
                uint64_t got = ledger_bytes(&m->moved, from, to, mover);
                uint64_t want = measure_expected(m, crossing, from, to, mover);

                /* Of a part of a file, read-ahead may fetch more than was asked for. */
                if (got == want || (from == DISK && !crossing->whole && want && got > want)) {
                    continue;
                }
                differences++;
                if (out) {
                    fprintf(out, "   %s→%s by %s: %" PRIu64 " bytes, expected %" PRIu64 "\n",
                            node_name[from], node_name[to], mover_name[mover], got, want);
                }
            }
        }
    }
    if (m->calls != calls) {
        differences++;
        if (out) {
            fprintf(out, "   system calls: %" PRIu64 ", expected %" PRIu64 "\n", m->calls, calls);
        }
    }
    return differences;
}
