/*
 * vmstat - processes, memory, swap, disk, interrupts and the CPU, a line an interval (vmstat(8),
 * which BusyBox does not bring along).
 *
 *     vmstat [SECONDS [COUNT]]
 *
 * The first line is about the time since boot. Memory in KiB; si, so, bi, bo in KiB a second; in
 * and cs a second; the last columns are the CPU's time in per cent.
 */
#include "lib/file.h"
#include "lib/rates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, NR_TIMES };

static unsigned lines;

/* The times of the line "cpu"; zero where there is none. */
static void cpu_times(const char *stat, uint64_t times[NR_TIMES])
{
    memset(times, 0, NR_TIMES * sizeof(times[0]));
    if (strncmp(stat, "cpu ", 4) != 0)
        return;
    for (int i = 0; i < NR_TIMES; i++)
        times[i] = strtoull(i ? stat : stat + 4, (char **)&stat, 10);
}

static double uptime(void)
{
    static char text[64];

    return file_read("/proc/uptime", text, sizeof(text)) < 0 ? 1 : strtod(text, NULL);
}

static void line(const struct counters *before, const struct counters *now, unsigned interval)
{
    uint64_t old[NR_TIMES], times[NR_TIMES], all = 0;
    double seconds = interval ? interval : uptime();
    double kib_per_page = (double)sysconf(_SC_PAGESIZE) / 1024;
    uint64_t swap = text_value(now->meminfo, "SwapTotal:"),
             left = text_value(now->meminfo, "SwapFree:");

    if (seconds < 0.01)
        seconds = 0.01;
    cpu_times(before->stat, old);
    cpu_times(now->stat, times);
    for (int i = 0; i < NR_TIMES; i++) {
        times[i] -= times[i] > old[i] ? old[i] : times[i];
        all += times[i];
    }
    if (!all)
        all = 1;
    if (lines++ % 20 == 0)
        printf("procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n"
               "%2s %2s %6s %6s %6s %6s %4s %4s %5s %5s %4s %4s %2s %2s %2s %2s %2s\n",
               "r", "b", "swpd", "free", "buff", "cache", "si", "so", "bi", "bo", "in", "cs", "us",
               "sy", "id", "wa", "st");
    printf("%2" PRIu64 " %2" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64,
           text_value(now->stat, "procs_running"), text_value(now->stat, "procs_blocked"),
           swap > left ? swap - left : 0, text_value(now->meminfo, "MemFree:"),
           text_value(now->meminfo, "Buffers:"), text_value(now->meminfo, "Cached:"));
    printf(" %4.0f %4.0f %5.0f %5.0f %4.0f %4.0f",
           (double)grown(before->vmstat, now->vmstat, "pswpin") * kib_per_page / seconds,
           (double)grown(before->vmstat, now->vmstat, "pswpout") * kib_per_page / seconds,
           (double)grown(before->vmstat, now->vmstat, "pgpgin") / seconds,
           (double)grown(before->vmstat, now->vmstat, "pgpgout") / seconds,
           (double)grown(before->stat, now->stat, "intr") / seconds,
           (double)grown(before->stat, now->stat, "ctxt") / seconds);
    printf(" %2" PRIu64 " %2" PRIu64 " %2" PRIu64 " %2" PRIu64 " %2" PRIu64 "\n",
           (times[USER] + times[NICE]) * 100 / all,
           (times[SYSTEM] + times[IRQ] + times[SOFTIRQ]) * 100 / all, times[IDLE] * 100 / all,
           times[IOWAIT] * 100 / all, times[STEAL] * 100 / all);
}

int main(int argc, char **argv)
{
    unsigned interval, count;

    if (rates_arguments(argc, argv, &interval, &count) < 0) {
        fprintf(stderr, "usage: vmstat [SECONDS [COUNT]]\n");
        return 2;
    }
    if (rates_run(interval, count, line) < 0) {
        fprintf(stderr, "vmstat: /proc: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
