/* Strings, formatted print and assertions. Nothing here sleeps. */
#ifndef KERNEL_LIB_LIB_H
#define KERNEL_LIB_LIB_H

#include "kernel/lib/types.h"

/* string.c: as in ISO C 7.24; memcpy here is for the kernel's own structures, never for payload. */
void *memcpy(void *dst, const void *src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
/* Copies at most size-1 characters and always terminates; returns strlen(src). */
size_t strlcpy(char *dst, const char *src, size_t size);
/* Reads a number in base 10, or 16 after "0x"; *end is set behind its last digit. */
u32 strtou32(const char *s, const char **end);

/* printf.c: %c %s %d %i %u %x %X %p %%, flags 0 - width .precision, lengths h hh l ll z.
 * snprintf returns the length that the whole text would have had. */
int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int snprintf(char *buf, size_t size, const char *fmt, ...) __printf_like(3, 4);

/* log.c: prints on every console; safe anywhere, in an interrupt too. */
void kprintf(const char *fmt, ...) __printf_like(1, 2);

/* cpu/panic.c: prints why, registers, a symbolised backtrace, the task, the last trace events;
 * then QEMU exits with a failing status when it runs unattended, else the machine halts. */
void panic(const char *fmt, ...) __printf_like(1, 2) __noreturn;

#define ASSERT(cond)                                                         \
    do {                                                                     \
        if (unlikely(!(cond)))                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond); \
    } while (0)

/* cmdline.c: Linux's names where they exist, ours under "ferry.".
 * cmdline_get copies the value of "name=value" (last one wins) and returns true; a bare "name"
 * gives an empty string. cmdline_u32 returns `otherwise` when the option is absent. */
void cmdline_init(const char *from_loader);
const char *cmdline(void);
bool cmdline_get(const char *name, char *value, size_t size);
bool cmdline_get_nth(const char *name, u32 nth, char *value, size_t size); /* from 0 on */
bool cmdline_has(const char *name);
const char *cmdline_init_arguments(void); /* what stands behind "--" */
u32 cmdline_u32(const char *name, u32 otherwise);

#endif
