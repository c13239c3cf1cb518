/*
 * Threads: what the scheduler runs. What the threads of one program share is its process
 * (process.h); a kernel thread is a process of one thread without memory of its own.
 *
 *     process  pid, parent, children, signal actions, limits, account, exit status
 *        `-- task  tid, kernel stack, registers, signal mask     one for each thread
 *              `-- mm, files, fs   counted references: threads share them, fork copies them
 *
 * One CPU; kernel code is not preempted. A task runs until it sleeps (wait.h), returns to user
 * mode with its time slice used up, or yields. This one rule replaces locks.
 */
#ifndef KERNEL_PROC_TASK_H
#define KERNEL_PROC_TASK_H

#include "kernel/cpu/cpu.h"
#include "kernel/fs/vfs.h"
#include "kernel/ledger/ledger.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/signal_state.h"
#include "kernel/proc/wait.h"

struct mm;
struct process;

enum task_state { TASK_READY, TASK_SLEEPING, TASK_DEAD };

#define NR_FDS      1024u
#define TASK_NAME   16
#define TICKS_SLICE 5 /* 50 ms */

struct files {
    u32 refs;
    u32 end;          /* no descriptor from here on is open */
    struct file **fd; /* NR_FDS of them: a page */
    u8 cloexec[NR_FDS / 8];
};

/* Where a program is among the files; its threads share it (CLONE_FS). */
struct fs {
    u32 refs;
    struct inode *root; /* where "/" leads (chroot(2)) */
    struct inode *cwd;
    u32 umask;
};

struct task {
    u32 kernel_esp; /* saved by switch.asm: must stay first */
    u32 tid;        /* the first thread's is the pid of the process */
    enum task_state state;
    char name[TASK_NAME];
    struct process *process;
    TAILQ_ENTRY(task) thread; /* of the process */
    struct mm *mm;            /* NULL: a kernel thread */
    struct files *files;
    struct fs *fs;           /* NULL: a kernel thread */
    struct account *account; /* the process's */
    struct cred cred;
    virt_t kstack;         /* lowest address of the kernel stack, a guard page below */
    TAILQ_ENTRY(task) run; /* run queue, or the wait queue it sleeps on */
    TAILQ_ENTRY(task) all;
    struct wait_queue *sleeping_on;
    u64 deadline; /* tick at which a sleep ends; 0: none */
    bool timed_out;
    bool waits_for_disk; /* it sleeps in wait_event */
    u32 slice;           /* ticks left */
    s32 policy;          /* of sched_setscheduler(2) */
    bool signal_work;    /* something to do before it returns to user mode (signal_deliver.c) */
    bool killed;         /* and that is to end */
    struct task_signals signals;
    bool *vfork_done; /* its parent waits for this until it execs or exits (vfork(2)) */
    struct process *vfork_parent;
    u32 robust_list; /* locks that it may hold: set_robust_list(2) */
    u32 set_child_tid, clear_child_tid;
    u64 tls[NR_TLS_ENTRIES];
    u64 cpu_ticks_user, cpu_ticks_system;
    struct trap_frame *frame; /* of the innermost entry from user mode */
    struct fpu_state fpu;
};

extern struct task *current;
extern struct task_list all_tasks;

void task_init(void); /* makes the running code task 0, which becomes idle */
/* Timer interrupt: so many ticks have passed, the last of them where the interrupt found the CPU.
 */
void sched_tick(bool from_user, u32 ticks);
void schedule(void); /* gives the CPU up; the current task stays ready unless its state says so */
void sched_yield_if_needed(void);
extern bool need_resched;
/* For long work in the kernel, now and then: others get their turn. True: we were killed, stop. */
static inline bool task_pause(void)
{
    if (unlikely(need_resched))
        sched_yield_if_needed();
    return unlikely(current->killed);
}
/* The directory from which the current task's relative names start. */
static inline struct inode *task_cwd(void)
{
    return current->fs ? current->fs->cwd : vfs_root;
}
static inline struct inode *task_root(void)
{
    return current->fs ? current->fs->root : vfs_root;
}
struct task *kthread_create(const char *name, void (*run)(void *), void *arg);
struct task *task_find(u32 tid);
u32 task_slice(const struct task *t); /* the length of its turn in ticks */
void task_sleep_ticks(u64 ticks);
void idle_loop(void) __noreturn;
u64 idle_tsc(void);   /* time-stamp ticks spent halted */
u64 iowait_tsc(void); /* of these, with somebody waiting for a disk */

#endif
