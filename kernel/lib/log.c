/* kprintf: the kernel's own words, to every console. */
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
