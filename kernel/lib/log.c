/* kprintf: one line of the kernel's own to every console. "quiet" keeps it off the consoles
 * until something goes wrong (warnings and panics come through kprintf as well, so quiet only
 * silences the start-up lines, which use klog). */
#include "drivers/console.h"
#include "kernel/lib/lib.h"

void kprintf(const char *fmt, ...)
{
    char line[256];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    console_write(line, MIN((size_t)n, sizeof(line) - 1));
}
