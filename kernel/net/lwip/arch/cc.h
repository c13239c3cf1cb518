/* The compiler and the machine, as lwIP wants them described. See lwip/arch.h. */
#ifndef ARCH_CC_H
#define ARCH_CC_H

#include "kernel/lib/lib.h"

#define BYTE_ORDER       LITTLE_ENDIAN
#define lwip_htons(x)    __builtin_bswap16(x)
#define lwip_htonl(x)    __builtin_bswap32(x)
#define LWIP_NO_UNISTD_H 1
#define LWIP_NO_LIMITS_H 1
#define LWIP_NO_CTYPE_H  1

#define LWIP_PLATFORM_DIAG(x) \
    do {                      \
        kprintf x;            \
    } while (0)
#define LWIP_PLATFORM_ASSERT(x) panic("lwIP %s:%d: %s", __FILE__, __LINE__, x)
/* lwIP's LWIP_ERROR is about arguments and packets: it must not print for what a peer sends. */
#define LWIP_ERROR(message, expression, handler) \
    do {                                         \
        if (!(expression)) {                     \
            handler;                             \
        }                                        \
    } while (0)

/* kernel/net/port.c */
u32 net_random(void);
void *net_heap_alloc(size_t size);
void *net_heap_zalloc(size_t count, size_t size);
void net_heap_free(void *p);
/* A copy made by the stack itself: where the source is payload, the ledger learns of it. */
void net_stack_copy(void *dst, const void *src, size_t len);

int net_atoi(const char *s);

#define atoi                   net_atoi
#define LWIP_RAND()            net_random()
#define mem_clib_malloc        net_heap_alloc
#define mem_clib_calloc        net_heap_zalloc
#define mem_clib_free          net_heap_free
#define MEMCPY(dst, src, len)  net_stack_copy(dst, src, len)
#define SMEMCPY(dst, src, len) memcpy(dst, src, len)

#endif
