/*
 * cachestat - what the page cache does: a line for the time since boot, then one an interval.
 *
 *     cachestat [SECONDS [COUNT]]
 *
 *     hits, misses   pages that were asked for, and were there, or had to be waited for
 *     ahead, used    pages that were brought in before anybody had asked; and of these, asked for
 *     dirty          pages whose newest bytes are not on the disk: now
 *     written        pages that were written to it
 *     evicted        pages that were dropped to make room
 *     si, so         pages that came from swap, and went there
 *     pages          of the cache, now
 *
 * All but dirty and pages are counted over the interval. From /proc/ferry/disk and /proc/vmstat.
 */
#include "lib/file.h"
#include "lib/rates.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static unsigned lines;

static void line(const struct counters *before, const struct counters *now, unsigned seconds)
{
    uint64_t hits = grown(before->cache, now->cache, "cache_hits");
    uint64_t misses = grown(before->cache, now->cache, "cache_misses");

    (void)seconds;
    if (lines++ % 20 == 0)
        printf("%10s %8s %5s %8s %8s %7s %8s %8s %6s %6s %8s\n", "hits", "misses", "hit%", "ahead",
               "used", "dirty", "written", "evicted", "si", "so", "pages");
    printf("%10" PRIu64 " %8" PRIu64 " %5.1f %8" PRIu64 " %8" PRIu64 " %7" PRIu64 " %8" PRIu64
           " %8" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8" PRIu64 "\n",
           hits, misses, hits + misses ? (double)hits * 100 / (double)(hits + misses) : 0,
           grown(before->cache, now->cache, "cache_readahead"),
           grown(before->cache, now->cache, "cache_readahead_used"),
           text_value(now->vmstat, "nr_dirty"), grown(before->vmstat, now->vmstat, "nr_written"),
           grown(before->cache, now->cache, "cache_reclaimed"),
           grown(before->vmstat, now->vmstat, "pswpin"),
           grown(before->vmstat, now->vmstat, "pswpout"), text_value(now->cache, "cache_pages"));
}

int main(int argc, char **argv)
{
    static char text[64];
    unsigned interval, count;

    if (rates_arguments(argc, argv, &interval, &count) < 0) {
        fprintf(stderr, "usage: cachestat [SECONDS [COUNT]]\n");
        return 2;
    }
    if (file_read("/proc/ferry/disk", text, sizeof(text)) < 0) {
        fprintf(stderr, "cachestat: /proc/ferry/disk: %s (only Ferry has it)\n", strerror(errno));
        return 1;
    }
    if (rates_run(interval, count, line) < 0) {
        fprintf(stderr, "cachestat: /proc: %s\n", strerror(errno));
        return 1;
    }
    return 0;
}
