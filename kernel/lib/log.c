/* kprintf: the kernel's own words, to every console and into the log. See log.h. */
#include "kernel/lib/log.h"
#include "drivers/console.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"

#define LEVEL 6u /* KERN_INFO */

static char ring[LOG_SIZE];
static bool line_is_open;
u32 log_end;
u32 log_console_level = 7;
WAIT_QUEUE(log_grows);

static void put(const char *from, u32 len)
{
    for (u32 i = 0; i < len; i++)
        ring[log_end++ % LOG_SIZE] = from[i];
}

/* Each line begins with its level and time, as Linux's do. */
static void log_write(const char *from, u32 len)
{
    u32 flags = irq_save();
    for (u32 i = 0; i < len; i++) {
        if (!line_is_open) {
            char stamp[32];
            u32 ms = (u32)timer_ms();
            put(stamp, (u32)snprintf(stamp, sizeof(stamp), "<%u>[%5u.%03u000] ", LEVEL, ms / 1000,
                                     ms % 1000));
        }
        put(from + i, 1);
        line_is_open = from[i] != '\n';
    }
    wake_all(&log_grows);
    irq_restore(flags);
}

u32 log_start(void)
{
    if (log_end <= LOG_SIZE)
        return 0;
    u32 at = log_end - LOG_SIZE;
    while (at != log_end && ring[at % LOG_SIZE] != '\n')
        at++;
    return at == log_end ? at : at + 1;
}

u32 log_copy(u32 *position, char *to, u32 len)
{
    u32 flags = irq_save(), n = 0;
    if (log_end - *position > LOG_SIZE)
        *position = log_start();
    for (; n < len && *position != log_end; n++)
        to[n] = ring[(*position)++ % LOG_SIZE];
    irq_restore(flags);
    return n;
}

void kprintf(const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    u32 len = MIN((u32)n, sizeof(line) - 1);
    log_write(line, len);
    if (LEVEL < log_console_level)
        console_write(line, len);
}
