/*
 * The load averages: exponentially damped, sampled every 5 seconds, in the fixed point of Linux
 * (include/linux/sched/loadavg.h there), so that uptime(1) means the same here.
 *
 * An idle machine takes no ticks, so the samples it missed are made up for when somebody looks or
 * the next tick comes: nobody ran in those.
 */
#include "kernel/proc/load.h"
#include "kernel/cpu/cpu.h"
#include "kernel/proc/process.h"

#define SAMPLE_TICKS (5 * TIMER_HZ)
#define SAMPLES_MAX  2160 /* three hours: after that there is nothing left of any average */

struct cpu_use cpu_use;
u32 load_average[3];
static u64 next_sample = SAMPLE_TICKS;

static const u32 decay[3] = {1884, 2014, 2037}; /* LOAD_ONE / exp(5 s / 1, 5, 15 min) */

static void sample(u32 running)
{
    for (u32 i = 0; i < 3; i++) {
        u32 active = running * LOAD_ONE;
        u32 sum = load_average[i] * decay[i] + active * (LOAD_ONE - decay[i]);
        if (active >= load_average[i])
            sum += LOAD_ONE - 1; /* rounded towards where it goes */
        load_average[i] = sum / LOAD_ONE;
    }
}

u32 nr_running(void)
{
    u32 n = 0;
    const struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all)
        n += t->state == TASK_READY;
    return n;
}

u32 nr_waiting(void)
{
    u32 n = 0;
    const struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all)
        n += t->state == TASK_SLEEPING && t->waits_for_disk;
    return n;
}

/* Samples that are due: the latest sees `running`, those before it were slept through. */
static void samples(u64 now, u32 running)
{
    u32 n = 0;
    for (; next_sample + SAMPLE_TICKS <= now && n < SAMPLES_MAX; n++) {
        sample(0);
        next_sample += SAMPLE_TICKS;
    }
    if (n == SAMPLES_MAX)
        next_sample = now;
    if (next_sample <= now) {
        sample(running);
        next_sample += SAMPLE_TICKS;
    }
}

void load_tick(const struct task *running, bool from_user)
{
    if (!from_user)
        cpu_use.system++;
    else if (running->process->nice > 0)
        cpu_use.nice++;
    else
        cpu_use.user++;
    u64 now = timer_ticks();
    if (now >= next_sample)
        samples(now, nr_running() + nr_waiting());
}

void load_catch_up(void)
{
    u32 flags = irq_save();
    u64 now = timer_ticks();
    /* A sample that is due now, while ticks were off, was of an idle machine. */
    if (now >= next_sample)
        samples(now, nr_waiting());
    irq_restore(flags);
}
