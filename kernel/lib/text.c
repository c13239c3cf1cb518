/* A text that grows, or is cut, but is never overrun. See text.h. */
#include "kernel/lib/text.h"
#include "kernel/lib/lib.h"

void text_bytes(struct text *t, const char *from, size_t len)
{
    while (len) {
        if (!t->room && (t->cut || !t->more || !t->more(t))) {
            t->cut = true;
            return;
        }
        size_t n = MIN(len, t->room);
        memcpy(t->at, from, n);
        t->at += n;
        t->room -= n;
        t->len += n;
        from += n;
        len -= n;
    }
}

void text_string(struct text *t, const char *from)
{
    text_bytes(t, from, strlen(from));
}

void text_printf(struct text *t, const char *fmt, ...)
{
    char line[TEXT_PRINTF_MAX + 1];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    text_bytes(t, line, MIN((size_t)n, sizeof(line) - 1));
}
