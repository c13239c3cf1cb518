/* 64-bit by 32-bit division without libgcc: two steps of the processor's own 64-by-32 division. */
#ifndef KERNEL_LIB_DIV_H
#define KERNEL_LIB_DIV_H

#include "kernel/lib/types.h"

/* *rest may be NULL. */
static inline u64 div_u64(u64 n, u32 by, u32 *rest)
{
    u32 high = n >> 32, low = (u32)n, q_high = high / by, r = high % by, q_low;
    __asm__("divl %4" : "=a"(q_low), "=d"(r) : "a"(low), "d"(r), "r"(by) : "cc");
    if (rest)
        *rest = r;
    return (u64)q_high << 32 | q_low;
}

#endif
