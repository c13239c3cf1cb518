/*
 * Processes: what the threads of one program have in common, and what is left of it when the last
 * of them has ended: a zombie, until its parent asks for its exit status (wait4(2)).
 */
#ifndef KERNEL_PROC_PROCESS_H
#define KERNEL_PROC_PROCESS_H

#include "kernel/proc/alarm.h"
#include "kernel/proc/task.h"

struct tty;

/* Of getrlimit(2), by the numbers of <asm/resource.h>. */
#define NR_LIMITS        16
#define RLIM_INFINITY_32 UINT32_MAX
struct limit {
    u32 soft, hard; /* ~0: none */
};

/* setitimer(2), in nanoseconds: itimer.c. */
struct cpu_timer {
    u64 left, interval; /* left 0: not set */
};
struct itimers {
    struct alarm alarm; /* ITIMER_REAL */
    u64 real_end, real_interval;
    struct cpu_timer cpu[2]; /* ITIMER_VIRTUAL, ITIMER_PROF */
    bool cpu_in_use;         /* one of them is set, or RLIMIT_CPU */
};

/* Of getrusage(2). */
struct usage {
    u64 ticks_user, ticks_system;
    u32 faults_minor, faults_major;
    u32 switches_voluntary, switches_involuntary;
    u32 pages_max;
};

struct process {
    u32 pid;       /* the first thread's tid; its own for as long as there are others */
    u32 pgid, sid; /* process group and session */
    char name[TASK_NAME];
    struct process *parent;         /* NULL: kernel threads and init */
    TAILQ_HEAD(, process) children; /* in the order of their birth, those adopted behind */
    TAILQ_ENTRY(process) sibling;
    TAILQ_ENTRY(process) all;
    struct task_list threads; /* those that have not ended */
    u32 nr_threads;
    bool zombie;      /* none is left; only the parent's wait is missing */
    bool did_exec;    /* since fork: setpgid(2) by the parent comes too late */
    bool exiting;     /* all its threads are on their way out, by exit_status */
    int exit_status;  /* as wait4(2) gives it */
    u32 exit_signal;  /* sent to the parent at the end; SIGCHLD but for clone(2) */
    bool subreaper;   /* orphans among its descendants become its children (prctl(2)) */
    u32 death_signal; /* sent to us when the parent ends (prctl(2)) */
    struct signal_actions *actions;
    struct pending_signals pending; /* for any of the threads */
    bool unkillable;                /* init: gets only the signals that it handles */
    /* Job control (job.c). */
    u32 stop_signal; /* not 0: stopped by it, or about to be */
    u32 nr_stopped;  /* threads that sit it out */
    enum { CHILD_NOTHING, CHILD_STOPPED, CHILD_CONTINUED } news; /* not yet waited for */
    struct wait_queue continued;
    struct wait_queue child_exit; /* a child has changed its state */
    struct account *account;
    struct tty *tty;   /* the controlling terminal of its session, NULL: none */
    u32 hung_up_group; /* of a session leader: the terminal's foreground group, when it was lost */
    struct limit limits[NR_LIMITS];
    struct itimers itimers;
    LIST_HEAD(, posix_timer)
    posix_timers;      /* timer_calls.c */
    s32 nice;          /* -20 .. 19 */
    s32 oom_score_adj; /* of /proc/<pid>/oom_score_adj: -1000 (never killed) .. 1000 */
    u32 personality;   /* of personality(2) */
    u64 start_tick;    /* when it was made */
    u64 ended_ticks_user, ended_ticks_system; /* of threads that have ended */
    struct usage children_usage;
    u32 pages_max; /* the most it had mapped, as far as we have looked */
};

TAILQ_HEAD(process_list, process);
extern struct process_list all_processes; /* zombies, too */

struct process *process_find(u32 pid);
/* A thread that speaks for the process: the first that has not ended. NULL: a zombie. */
static inline struct task *process_task(const struct process *p)
{
    return TAILQ_FIRST(&p->threads);
}
void process_cpu_ticks(const struct process *p, u64 *user, u64 *system);

#endif
