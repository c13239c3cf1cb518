/*
 * exit, wait4, and the ways to die. A finished task gives everything back at once but its
 * struct, its stack and its exit status, which wait for the parent (a zombie).
 */
#include "kernel/proc/exit.h"
#include <linux/wait.h>
#include "kernel/fs/tty.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/sched.h"

enum { SIGNAL_KILL = 9, SIGNAL_MAX = 64 };

static void give_children_to_init(struct process *p)
{
    struct process *init = process_find(1), *child, *next;
    LIST_FOREACH_SAFE (child, &p->children, sibling, next) {
        LIST_REMOVE(child, sibling);
        child->parent = init;
        LIST_INSERT_HEAD(&init->children, child, sibling);
        if (child->zombie)
            wake_all(&init->child_exit);
    }
}

/* The last thread has ended. */
static void process_end(struct process *p)
{
    tty_session_ended(p);
    give_children_to_init(p);
    p->zombie = true;
    wake_all(&p->parent->child_exit);
}

void task_exit(int status)
{
    struct task *t = current;
    struct process *p = t->process;
    trace(TRACE_EXIT, status, t->tid);
    if (p->pid == 1) {
        kprintf("init has ended with %s %d: nothing left to run\n",
                status & 0x7F ? "signal" : "status", status & 0x7F ? status & 0x7F : status >> 8);
        if (status)
            power_fail();
        power_off();
    }
    struct files *files = t->files;
    t->files = NULL;
    files_put(files);
    if (t->clear_child_tid) {
        u32 zero = 0;
        if (copyout((void __user *)t->clear_child_tid, &zero, sizeof(zero)) < 0)
            t->clear_child_tid = 0; /* its memory is gone already: nobody waits there */
    }
    struct mm *mm = t->mm;
    t->mm = NULL;
    mm_switch(NULL);
    mm_put(mm);
    fs_put(t->fs);
    t->fs = NULL;
    vfork_release();

    irq_disable();
    p->exit_status = status;
    task_retire(t);
    if (TAILQ_EMPTY(&p->threads))
        process_end(p);
    schedule();
    panic("a dead thread runs");
}

void task_die(int signal, const char *fmt, ...)
{
    char why[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    kprintf("%s[%u]: killed by signal %d: %s\n", current->name, current->tid, signal, why);
    task_exit(signal);
}

void task_return_to_user(void)
{
    irq_disable();
    while (unlikely(current->kill_signal || need_resched)) {
        irq_enable();
        if (current->kill_signal)
            task_exit(current->kill_signal);
        sched_yield_if_needed();
        irq_disable();
    }
}

void vfork_release(void)
{
    if (!current->vfork_done)
        return;
    *current->vfork_done = true;
    current->vfork_done = NULL;
    wake_all(&current->process->parent->child_exit);
}

long sys_exit(u32 code)
{
    task_exit((code & 0xFF) << 8);
}

/* CHLD CONT STOP TSTP TTIN TTOU URG WINCH: none of them ends a program by default. */
static const u32 harmless_signals =
    1u << 17 | 1u << 18 | 1u << 19 | 1u << 20 | 1u << 21 | 1u << 22 | 1u << 23 | 1u << 28;

/* Signals are a later issue; what is here is their deadly half: a signal that would end a program
 * by default ends it, any other does nothing. */
long sys_kill(s32 pid, u32 signal)
{
    if (signal > SIGNAL_MAX)
        return -EINVAL;
    struct process *p;
    int found = 0;
    TAILQ_FOREACH (p, &all_processes, all) {
        bool match = pid > 0     ? p->pid == (u32)pid
                     : pid == 0  ? p->pgid == current->process->pgid
                     : pid == -1 ? p->pid != 1 && p != current->process
                                 : p->pgid == (u32)-pid;
        struct task *t = process_task(p);
        if (!match || (t && !t->mm))
            continue;
        found++;
        if (signal && t)
            signal_task(t, signal);
    }
    return found ? 0 : -ESRCH;
}

bool signal_pending(void)
{
    return current->kill_signal != 0;
}

void signal_task(struct task *t, int sig)
{
    if (t->process->pid == 1 || (sig < 32 && harmless_signals >> sig & 1))
        return;
    t->kill_signal = sig;
    task_wake(t);
}

int signal_group(u32 pgid, int sig)
{
    struct process *p;
    int ret = -ESRCH;
    TAILQ_FOREACH (p, &all_processes, all) {
        struct task *t = process_task(p);
        if (p->pgid != pgid || !t || !t->mm)
            continue;
        ret = 0;
        signal_task(t, sig);
    }
    return ret;
}

bool signal_ignored(int sig)
{
    return false;
}

bool group_orphaned(u32 pgid)
{
    return false;
}

static bool wanted(const struct process *child, s32 pid)
{
    return pid == -1 || (pid > 0 && child->pid == (u32)pid) ||
           (pid == 0 && child->pgid == current->process->pgid) ||
           (pid < -1 && child->pgid == (u32)-pid);
}

/* A finished child that matches; *any says whether there is one to wait for at all. */
static struct process *find_zombie(s32 pid, bool *any)
{
    struct process *child;
    *any = false;
    LIST_FOREACH (child, &current->process->children, sibling) {
        if (!wanted(child, pid))
            continue;
        *any = true;
        if (child->zombie)
            return child;
    }
    return NULL;
}

long sys_wait4(s32 pid, int __user *status, u32 options, void __user *rusage)
{
    if (options & ~(u32)(WNOHANG | WUNTRACED | WCONTINUED | __WALL | __WNOTHREAD | __WCLONE))
        return -EINVAL;
    bool any;
    struct process *child = find_zombie(pid, &any);
    if (!any)
        return -ECHILD;
    if (!child) {
        if (options & WNOHANG)
            return 0;
        int err = wait_event_killable(&current->process->child_exit,
                                      (child = find_zombie(pid, &any)) || !any, 0);
        if (err)
            return err;
        if (!child)
            return -ECHILD;
    }
    u32 child_pid = child->pid;
    int exit_status = child->exit_status;
    process_reap(child);
    if (status && copyout(status, &exit_status, sizeof(int)) < 0)
        return -EFAULT;
    if (rusage && zero_user(rusage, 72) < 0) /* struct rusage: not kept yet */
        return -EFAULT;
    return child_pid;
}

long sys_waitpid(s32 pid, int __user *status, u32 options)
{
    return sys_wait4(pid, status, options, NULL);
}
