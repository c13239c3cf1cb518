/* The kernel's own names for sizes, addresses and errors. Everything includes this first. */
#ifndef KERNEL_LIB_TYPES_H
#define KERNEL_LIB_TYPES_H

#include <asm/errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t s8;
typedef int16_t s16;
typedef int32_t s32;
typedef int64_t s64;

typedef u32 phys_t; /* a physical address */
typedef u32 virt_t; /* a virtual address kept as a number */
typedef s32 ssize_t;

#define __user /* a pointer that a program gave us: only copy.h and uaccess.h may follow it */

#define PAGE_SIZE  4096u
#define PAGE_SHIFT 12
#define PAGE_MASK  (~(PAGE_SIZE - 1))

#define ARRAY_LEN(a)          (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)             ((a) < (b) ? (a) : (b))
#define MAX(a, b)             ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to)       (((x) + (to)-1) / (to) * (to))
#define ROUND_DOWN(x, to)     ((x) / (to) * (to))
#define DIV_ROUND_UP(x, by)   (((x) + (by)-1) / (by))
#define container_of(p, t, m) ((t *)((char *)(p)-offsetof(t, m)))

#define __packed            __attribute__((packed))
#define __aligned(n)        __attribute__((aligned(n)))
#define __noreturn          __attribute__((noreturn))
#define __must_check        __attribute__((warn_unused_result))
#define __printf_like(f, a) __attribute__((format(printf, f, a)))
#define likely(x)           __builtin_expect(!!(x), 1)
#define unlikely(x)         __builtin_expect(!!(x), 0)

/* A pointer that may instead carry a negative errno (the top page of the address space is
 * never mapped, so the two cannot be confused). */
static inline void *err_ptr(int err)
{
    return (void *)(intptr_t)err;
}
static inline int ptr_err(const void *p)
{
    return (int)(intptr_t)p;
}
static inline bool is_err(const void *p)
{
    return (uintptr_t)p >= (uintptr_t)-4095;
}

#endif
