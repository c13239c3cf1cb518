/*
 * Time: the time-stamp counter says how late it is, the PIT's channel 0 wakes us.
 *
 * The PIT fires once each time it is armed (mode 0). While tasks run it is armed again and again,
 * for the next tick, 100 times a second; an idle machine arms it for the next sleeper's time, or
 * leaves it alone. timer_ticks counts hundredths of a second whether they were interrupts or not.
 *
 * The counter's rate is measured at boot, against channel 2 of the PIT (8254 data sheet, mode 0).
 * Under QEMU's -icount shift=0 it counts instructions, one a nanosecond.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/div.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/sched.h"

enum {
    PIT_CHANNEL0 = 0x40,
    PIT_CHANNEL2 = 0x42,
    PIT_COMMAND = 0x43,
    PIT_ONE_SHOT_0 = 0x30, /* channel 0, low byte then high, mode 0 */
    PIT_ONE_SHOT_2 = 0xB0, /* channel 2, low byte then high, mode 0 */
    PORT_B = 0x61,
    PORT_B_GATE2 = 1 << 0,
    PORT_B_SPEAKER = 1 << 1,
    PORT_B_OUT2 = 1 << 5,
    TIMER_LINE = 0,
};
#define PIT_HZ 1193182u

static u64 tsc_at_boot;
static u32 tsc_per_ms = 1000000;
static u64 expiry;  /* time-stamp at which the PIT fires; 0: it is not armed */
static u64 counted; /* time-stamp at which running tasks were last charged a tick */
static bool frozen; /* timer_freeze: an interrupt is only noted */

#define TICK_MS    (1000 / TIMER_HZ)
#define MAX_ARM_MS 50 /* the PIT counts to 65536: 54.9 ms */

static void arm(u32 pit_count, u64 tsc)
{
    outb(PIT_COMMAND, PIT_ONE_SHOT_0);
    outb(PIT_CHANNEL0, pit_count & 0xFF);
    outb(PIT_CHANNEL0, pit_count >> 8);
    expiry = tsc;
}

static void arm_ms(u32 ms)
{
    arm(PIT_HZ / 1000 * ms, rdtsc() + (u64)ms * tsc_per_ms);
}

/* Ticks of running tasks to be charged now: one for each interrupt, wherever in its tick the CPU
 * became busy, and more only when interrupts were off, or the machine stood still, for longer. (So
 * the usual interrupt costs the same instructions every time, which the benchmark counts.) */
static u32 ticks_passed(void)
{
    u64 tick = (u64)TICK_MS * tsc_per_ms, now = rdtsc(), passed = now - counted + tick / 2;
    counted = now;
    return passed < 2 * tick ? 1 : (u32)div_u64(passed, (u32)tick, NULL);
}

static bool timer_interrupt(void *device)
{
    expiry = 0;
    if (frozen)
        return true;
    sched_tick(irq_from_user, ticks_passed());
    if (!sched_idle())
        arm_ms(TICK_MS);
    return true;
}

void timer_busy(void)
{
    counted = rdtsc();
    if (!expiry || expiry - rdtsc() > (u64)TICK_MS * tsc_per_ms)
        arm_ms(TICK_MS);
}

void timer_idle(u64 deadline)
{
    if (expiry || !deadline) /* armed for earlier or to no purpose: it will be asked again */
        return;
    u64 now = timer_ticks();
    u32 ms = deadline <= now ? 1 : (u32)MIN((deadline - now) * TICK_MS, (u64)MAX_ARM_MS);
    arm_ms(ms);
}

u64 timer_freeze(void)
{
    u32 flags = irq_save();
    u64 now = rdtsc();
    u64 left = !expiry ? 0 : expiry > now ? expiry - now : 1;
    frozen = true;
    if (expiry)
        arm(1, expiry); /* it cannot be stopped, but it can be made to fire at once */
    while (*(volatile u64 *)&expiry) {
        irq_enable();
        __asm__ volatile("nop"); /* sti acts one instruction late */
        irq_disable();
    }
    irq_restore(flags);
    return left;
}

void timer_thaw(u64 left)
{
    u32 flags = irq_save();
    frozen = false;
    if (left)
        arm(1 + (u32)div_u64(left * (PIT_HZ / 1000), tsc_per_ms, NULL), rdtsc() + left);
    irq_restore(flags);
}

/* How far the time-stamp counter runs in 10 ms: never too little; too far when the machine stood
 * still meanwhile, as an emulator does that gets no CPU. */
static u32 measure_once(void)
{
    const u32 count = PIT_HZ / 100;
    outb(PORT_B, (inb(PORT_B) & ~PORT_B_SPEAKER) | PORT_B_GATE2);
    outb(PIT_COMMAND, PIT_ONE_SHOT_2);
    outb(PIT_CHANNEL2, count & 0xFF);
    u64 start = rdtsc(); /* before it counts */
    outb(PIT_CHANNEL2, count >> 8);
    /* The limit is for a machine without a working channel 2: some seconds, then a guess. */
    for (u32 i = 0; i < 100000000 && !(inb(PORT_B) & PORT_B_OUT2); i++)
        ;
    return (u32)(rdtsc() - start);
}

/* Until two measurements agree. */
static u32 measure_tsc(void)
{
    u32 least = measure_once();
    for (int i = 0; i < 20; i++) {
        u32 again = measure_once(), more = MAX(least, again);
        least = MIN(least, again);
        if (more - least <= least / 64)
            break;
    }
    return least;
}

void timer_init(void)
{
    u32 per_ms = measure_tsc() / 10;
    if (per_ms)
        tsc_per_ms = per_ms;
    /* The measurement is good to some 0.1 %; a round rate of icount shows through it. */
    if (tsc_per_ms > 995000 && tsc_per_ms < 1005000)
        tsc_per_ms = 1000000;
    tsc_at_boot = counted = rdtsc();
    irq_register(TIMER_LINE, "timer", timer_interrupt, NULL);
    arm_ms(TICK_MS);
}

u64 timer_ms(void)
{
    return div_u64(rdtsc() - tsc_at_boot, tsc_per_ms, NULL);
}

u64 timer_ticks(void)
{
    return div_u64(rdtsc() - tsc_at_boot, tsc_per_ms * TICK_MS, NULL);
}

u64 timer_ns(void)
{
    u32 rest;
    u64 ms = div_u64(rdtsc() - tsc_at_boot, tsc_per_ms, &rest);
    return ms * 1000000 + div_u64((u64)rest * 1000000, tsc_per_ms, NULL);
}

u32 timer_tsc_per_ms(void)
{
    return tsc_per_ms;
}

void delay_us(u32 us)
{
    u64 until = rdtsc() + div_u64((u64)us * tsc_per_ms, 1000, NULL);
    while (rdtsc() < until)
        __asm__ volatile("pause");
}
