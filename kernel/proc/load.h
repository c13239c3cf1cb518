/* How busy the machine is and was: for /proc/stat, /proc/loadavg, times of the whole machine. */
#ifndef KERNEL_PROC_LOAD_H
#define KERNEL_PROC_LOAD_H

#include "kernel/lib/types.h"

struct task;

/* Processor time of all programs and of the kernel since boot, in timer ticks. */
struct cpu_use {
    u64 user, nice, system; /* nice: programs that gave way (nice(2) above 0) */
};
extern struct cpu_use cpu_use;

/* The averages of the number of threads that run, would, or wait for a disk, over 1, 5 and 15
 * minutes; fixed point, LOAD_ONE stands for one thread. Up to date after load_catch_up. */
#define LOAD_SHIFT 11
#define LOAD_ONE   (1u << LOAD_SHIFT)
extern u32 load_average[3];
void load_catch_up(void);

void load_tick(const struct task *running, bool from_user); /* the timer's tick, not in idle */
u32 nr_running(void);                                       /* threads that run or would */
u32 nr_waiting(void); /* threads that wait for a disk, and nothing else ends that */

#endif
