/*
 * Time: the PIT's channel 0 ticks 100 times a second; the time-stamp counter fills in between.
 *
 * The counter's rate is measured once, against channel 2 of the PIT (8254 data sheet, mode 0).
 * Under QEMU's -icount shift=0 it counts instructions, one a nanosecond.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/task.h"

enum {
    PIT_CHANNEL0 = 0x40,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_RATE_GENERATOR = 0x34, /* channel 0, low byte then high, mode 2 */
    PIT_ONE_SHOT_2 = 0xB0,     /* channel 2, low byte then high, mode 0 */
    PORT_B = 0x61,
    PORT_B_GATE2 = 1 << 0,
    PORT_B_SPEAKER = 1 << 1,
    PORT_B_OUT2 = 1 << 5,
    TIMER_LINE = 0,
};
#define PIT_HZ 1193182u

static u64 ticks;
static u64 tsc_at_boot;
static u32 tsc_per_ms = 1000000;

static bool timer_interrupt(void *device)
{
    ticks++;
    sched_tick(irq_from_user);
    return true;
}

/* How far the time-stamp counter runs in 10 ms. */
static u32 measure_tsc(void)
{
    const u32 count = PIT_HZ / 100;
    outb(PORT_B, (inb(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2);
    outb(PIT_COMMAND, PIT_ONE_SHOT_2);
    outb(PIT_CHANNEL2, count & 0xFF);
    outb(PIT_CHANNEL2, count >> 8);
    u64 start = rdtsc();
    /* The limit is for a machine without a working channel 2: some seconds, then a guess. */
    for (u32 i = 0; i < 100000000 && !(inb(PORT_B) & PORT_B_OUT2); i++)
        ;
    return (u32)(rdtsc() - start);
}

void timer_init(void)
{
    u32 per_ms = measure_tsc() / 10;
    if (per_ms)
        tsc_per_ms = per_ms;
    /* The measurement is good to some 0.1 %; a round rate of icount shows through it. */
    if (tsc_per_ms > 995000 && tsc_per_ms < 1005000)
        tsc_per_ms = 1000000;
    tsc_at_boot = rdtsc();
    outb(PIT_COMMAND, PIT_RATE_GENERATOR);
    outb(PIT_CHANNEL0, (PIT_HZ / TIMER_HZ) & 0xFF);
    outb(PIT_CHANNEL0, (PIT_HZ / TIMER_HZ) >> 8);
    irq_register(TIMER_LINE, "timer", timer_interrupt, NULL);
}

u64 timer_ticks(void)
{
    u32 flags = irq_save();
    u64 now = ticks;
    irq_restore(flags);
    return now;
}

/* 64-bit by 32-bit, without libgcc's general division: the quotient is built of two steps of
 * the processor's own 64-by-32 division. */
static u64 div_u64(u64 n, u32 by, u32 *rest)
{
    u32 high = n >> 32, low = (u32)n, q_high = high / by, r = high % by, q_low;
    __asm__("divl %4" : "=a"(q_low), "=d"(r) : "a"(low), "d"(r), "r"(by) : "cc");
    if (rest)
        *rest = r;
    return (u64)q_high << 32 | q_low;
}

u64 timer_ms(void)
{
    return div_u64(rdtsc() - tsc_at_boot, tsc_per_ms, NULL);
}

u64 timer_ns(void)
{
    u32 rest;
    u64 ms = div_u64(rdtsc() - tsc_at_boot, tsc_per_ms, &rest);
    return ms * 1000000 + div_u64((u64)rest * 1000000, tsc_per_ms, NULL);
}

void delay_us(u32 us)
{
    u64 until = rdtsc() + div_u64((u64)us * tsc_per_ms, 1000, NULL);
    while (rdtsc() < until)
        __asm__ volatile("pause");
}
