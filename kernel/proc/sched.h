/* Inside of the scheduler; see task.h and wait.h for what others use. */
#ifndef KERNEL_PROC_SCHED_H
#define KERNEL_PROC_SCHED_H

#include "kernel/proc/task.h"

void sched_set_idle(struct task *idle);
void task_wake(struct task *t); /* makes it ready if it sleeps; spurious wake-ups are allowed */
bool sched_idle(void);          /* nobody wants to run */
void sched_halt(void);
void idle_interrupted(void); /* the halted processor has been woken: idle time ends here */
extern u64 idle_since;       /* time-stamp at which the processor halted; 0: it runs */

#endif
