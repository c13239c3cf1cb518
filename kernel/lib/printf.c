/* Formatted print into a buffer. ISO C 7.21.6.1 without floating point, %n and wide characters. */
#include "kernel/lib/lib.h"

struct out {
    char *buf;
    size_t size, n; /* n goes on counting behind the end of the buffer */
};

static void put(struct out *o, char c)
{
    if (o->n + 1 < o->size)
        o->buf[o->n] = c;
    o->n++;
}

static void pad(struct out *o, char c, int count)
{
    while (count-- > 0)
        put(o, c);
}

/* The digits of v, last first; returns how many. 64-bit division without libgcc: the kernel
 * prints, it need not be fast. */
static int digits(char *to, u64 v, u32 base, bool upper)
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    int n = 0;
    do {
        u32 high = v >> 32, low = (u32)v, q_high = high / base, rest = high % base, q_low;
        __asm__("divl %4" : "=a"(q_low), "=d"(rest) : "a"(low), "d"(rest), "r"(base) : "cc");
        v = (u64)q_high << 32 | q_low;
        to[n++] = set[rest];
    } while (v);
    return n;
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct out o = {buf, size, 0};
    for (; *fmt; fmt++) {
        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        bool zero = false, left = false, plus = false;
        int width = 0, precision = -1, longs = 0, shorts = 0;
        for (fmt++;; fmt++) {
            if (*fmt == '0')
                zero = true;
            else if (*fmt == '-')
                left = true;
            else if (*fmt == '+')
                plus = true;
            else
                break;
        }
        if (*fmt == '*') {
            width = va_arg(ap, int);
            left |= width < 0;
            width = width < 0 ? -width : width;
            fmt++;
        }
        while (*fmt >= '0' && *fmt <= '9')
            width = width * 10 + (*fmt++ - '0');
        if (*fmt == '.') {
            precision = 0;
            fmt++;
            if (*fmt == '*') {
                precision = va_arg(ap, int);
                fmt++;
            }
            while (*fmt >= '0' && *fmt <= '9')
                precision = precision * 10 + (*fmt++ - '0');
        }
        for (; *fmt == 'l' || *fmt == 'h' || *fmt == 'z'; fmt++) {
            longs += *fmt == 'l';
            shorts += *fmt == 'h';
        }

        char number[24];
        const char *text = number;
        int len = 0;
        char sign = 0;
        switch (*fmt) {
        case 'c':
            number[0] = (char)va_arg(ap, int);
            len = 1;
            zero = false;
            break;
        case 's':
            text = va_arg(ap, const char *);
            if (!text)
                text = "(null)";
            len = (int)strnlen(text, precision < 0 ? (size_t)-1 : (size_t)precision);
            zero = false;
            break;
        case 'd':
        case 'i': {
            s64 v = longs >= 2 ? va_arg(ap, s64) : va_arg(ap, int);
            if (shorts)
                v = shorts >= 2 ? (s8)v : (s16)v;
            if (v < 0)
                sign = '-';
            else if (plus)
                sign = '+';
            len = digits(number, v < 0 ? -(u64)v : (u64)v, 10, false);
            break;
        }
        case 'u':
        case 'x':
        case 'X':
        case 'o': {
            u64 v = longs >= 2 ? va_arg(ap, u64) : va_arg(ap, u32);
            if (shorts)
                v = shorts >= 2 ? (u8)v : (u16)v;
            len = digits(number, v, *fmt == 'u' ? 10 : *fmt == 'o' ? 8 : 16, *fmt == 'X');
            break;
        }
        case 'p':
            len = digits(number, (u32)va_arg(ap, void *), 16, false);
            precision = 8;
            break;
        case '%':
            put(&o, '%');
            continue;
        default: /* an unknown conversion shows itself */
            put(&o, '%');
            if (!*fmt)
                goto end;
            put(&o, *fmt);
            continue;
        }

        bool is_number = text == number && *fmt != 'c';
        if (is_number && precision == 0 && len == 1 && number[0] == '0')
            len = 0; /* zero in no digits */
        int zeros = is_number && precision > len ? precision - len : 0;
        int fill = width - len - zeros - (sign ? 1 : 0);
        if (is_number && zero && !left && precision < 0 && fill > 0) {
            zeros += fill;
            fill = 0;
        }
        if (!left)
            pad(&o, ' ', fill);
        if (sign)
            put(&o, sign);
        pad(&o, '0', zeros);
        if (is_number)
            while (len)
                put(&o, number[--len]);
        else
            for (int i = 0; i < len; i++)
                put(&o, text[i]);
        if (left)
            pad(&o, ' ', fill);
    }
end:
    if (size)
        buf[MIN(o.n, size - 1)] = 0;
    return (int)o.n;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}
