/* See rates.h. */
#include "rates.h"
#include "file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int counters_read(struct counters *c)
{
    memset(c, 0, sizeof(*c));
    if (file_read("/proc/ferry/disk", c->cache, sizeof(c->cache)) < 0)
        c->cache[0] = '\0'; /* Linux */
    return file_read("/proc/vmstat", c->vmstat, sizeof(c->vmstat)) < 0 ||
                   file_read("/proc/stat", c->stat, sizeof(c->stat)) < 0 ||
                   file_read("/proc/meminfo", c->meminfo, sizeof(c->meminfo)) < 0
               ? -1
               : 0;
}

static int number(const char *word, unsigned *value)
{
    char *end;
    unsigned long n = strtoul(word, &end, 10);

    *value = (unsigned)n;
    return end != word && !*end && n > 0 && n < 1000000 ? 0 : -1;
}

int rates_arguments(int argc, char **argv, unsigned *interval, unsigned *count)
{
    *interval = *count = 0;
    if (argc > 3 || (argc > 1 && number(argv[1], interval) < 0) ||
        (argc > 2 && number(argv[2], count) < 0))
        return -1;
    if (argc == 1)
        *count = 1;
    return 0;
}

int rates_run(unsigned interval, unsigned count,
              void (*line)(const struct counters *before, const struct counters *now,
                           unsigned seconds))
{
    static struct counters readings[2]; /* zero: before the machine was started */

    for (unsigned i = 0; !count || i < count; i++) {
        struct counters *now = &readings[(i + 1) % 2];

        if (i)
            sleep(interval);
        if (counters_read(now) < 0)
            return -1;
        line(&readings[i % 2], now, i ? interval : 0);
        fflush(stdout);
    }
    return 0;
}

uint64_t grown(const char *before, const char *now, const char *key)
{
    uint64_t old = text_value(before, key), new = text_value(now, key);

    return new > old ? new - old : 0;
}
