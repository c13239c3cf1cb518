/* See trace.h. A ring of fixed size; an event overwrites the oldest one. */
#include "kernel/ledger/trace.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/proc/task.h"

#define TRACE_RING 512 /* a power of two */

static struct {
    u64 tsc;
    u16 event, pid;
    u32 a, b;
} ring[TRACE_RING];
static u32 next_event;

static const char *const names[] = {
#define X(name, text) text,
    TRACE_EVENTS(X)
#undef X
};

void trace(enum trace_event event, u32 a, u32 b)
{
    u32 flags = irq_save();
    u32 i = next_event++ % TRACE_RING;
    irq_restore(flags);
    ring[i].tsc = rdtsc();
    ring[i].event = event;
    ring[i].pid = current ? current->tid : 0;
    ring[i].a = a;
    ring[i].b = b;
}

static void format_one(u32 i, struct text *t)
{
    text_printf(t, "%16llu  task %u  %s %u (0x%x) %u\n", ring[i].tsc, ring[i].pid,
                names[ring[i].event], ring[i].a, ring[i].a, ring[i].b);
}

void trace_print_last(u32 count)
{
    count = MIN(count, MIN(next_event, TRACE_RING));
    kprintf("last %u events:\n", count);
    for (u32 n = next_event - count; n != next_event; n++) {
        char line[128];
        struct text t = TEXT_IN(line);
        format_one(n % TRACE_RING, &t);
        kprintf("%.*s", (int)t.len, line);
    }
}

void trace_format(struct text *t)
{
    u32 count = MIN(next_event, TRACE_RING);
    for (u32 n = next_event - count; n != next_event; n++)
        format_one(n % TRACE_RING, t);
}
