/*
 * rates.h - the kernel's counters as programs like vmstat(8) show them: a line now and then.
 */
#ifndef FERRY_USER_RATES_H
#define FERRY_USER_RATES_H

#include <stdint.h>

/* One reading of /proc/vmstat, /proc/stat, /proc/meminfo and /proc/ferry/disk together. */
struct counters {
    char vmstat[8192], stat[8192], meminfo[4096], cache[8192];
};

/* 0, or -1 with errno. What Linux does not have is empty there. */
int counters_read(struct counters *c);

/* The arguments [INTERVAL [COUNT]], as vmstat(8) has them. 0, or -1 when they are none. */
int rates_arguments(int argc, char **argv, unsigned *interval, unsigned *count);

/*
 * Calls `line` for the time since boot first (`before` is all zero then), and after each interval
 * for the interval: count times in all, or for ever when count is 0 and there is an interval.
 */
int rates_run(unsigned interval, unsigned count,
              void (*line)(const struct counters *before, const struct counters *now,
                           unsigned seconds));

/* How much a counter has grown. */
uint64_t grown(const char *before, const char *now, const char *key);

#endif
