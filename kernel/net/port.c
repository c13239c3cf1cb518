/*
 * What lwIP needs of the kernel below it: memory, time, chance, and the copy that it makes
 * itself. See lwip/arch/cc.h.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/page.h"
#include "kernel/net/stack.h"
#include "lwip/opt.h"
#include "lwip/sys.h"

struct heap_use heap_use;

/* lwIP's heap objects (headers, datagrams) are kmalloc's: each within one page, so the card
 * fetches it as one range. What does not fit a page is refused as if memory were short. */
void *net_heap_alloc(size_t size)
{
    void *p = size <= PAGE_SIZE - 8 ? kmalloc(size) : NULL;
    if (p && ++heap_use.used > heap_use.max)
        heap_use.max = heap_use.used;
    return p;
}

void *net_heap_zalloc(size_t count, size_t size)
{
    void *p = count * size / size == count ? net_heap_alloc(count * size) : NULL;
    return p ? memset(p, 0, count * size) : NULL;
}

void net_heap_free(void *p)
{
    if (p)
        heap_use.used--;
    kfree(p);
}

u32_t sys_now(void)
{
    return (u32_t)timer_ms();
}

/* xorshift32 (G. Marsaglia, 2003), stirred with the time-stamp counter at each use. */
u32 net_random(void)
{
    static u32 state;
    state ^= (u32)rdtsc() * 2654435761u;
    if (!state)
        state = 1;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

int net_atoi(const char *s)
{
    const char *end;
    return (int)strtou32(s, &end);
}

/* lwIP copies whole packets for the loopback interface, and pieces of payload in corners that the
 * send queue avoids (see connection.c). Payload is what lies in the pages of the send queue or of
 * the page cache; everything else that is copied here is the stack's own. */
void net_stack_copy(void *dst, const void *src, size_t len)
{
    memcpy(dst, src, len);
    if ((virt_t)src < KERNEL_BASE || virt_to_phys(src) >> PAGE_SHIFT >= nr_frames)
        return;
    switch (virt_page(src)->kind) {
    case PAGE_SOCK:
        ledger_add(account_current(), EDGE_SOCK_SOCK, MOVER_CPU, len);
        break;
    case PAGE_CACHE:
        ledger_add(account_current(), EDGE_CACHE_SOCK, MOVER_CPU, len);
        break;
    case PAGE_ANON:
        ledger_add(account_current(), EDGE_USER_SOCK, MOVER_CPU, len);
        break;
    default:
        break;
    }
}
