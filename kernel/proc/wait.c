/*
 * wait4(2) and waitid(2): what has become of the children. A child has news when it has ended,
 * stopped, or been continued; whoever waits takes the news away, but for WNOWAIT.
 */
#include <linux/wait.h>
#include "kernel/mm/uaccess.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/proc/usage.h"

struct wish {
    u32 type, id; /* P_ALL, P_PID, P_PGID */
    u32 options;  /* W... of waitid(2) */
};

struct news {
    u32 pid;
    int code;   /* CLD_... */
    int status; /* as wait4(2) gives it */
    struct usage usage;
};

static bool wanted(const struct wish *w, const struct process *child)
{
    if (w->type == P_PID && child->pid != w->id)
        return false;
    if (w->type == P_PGID && child->pgid != w->id)
        return false;
    bool other_kind = child->exit_signal != SIGCHLD; /* made by clone(2) without SIGCHLD */
    return w->options & __WALL || other_kind == !!(w->options & __WCLONE);
}

static int code_of(const struct wish *w, const struct process *child)
{
    if (child->zombie && w->options & WEXITED)
        return child->exit_status & 0x7F ? CLD_KILLED : CLD_EXITED;
    if (child->zombie)
        return 0;
    if (child->news == CHILD_STOPPED && w->options & WSTOPPED)
        return CLD_STOPPED;
    if (child->news == CHILD_CONTINUED && w->options & WCONTINUED)
        return CLD_CONTINUED;
    return 0;
}

static int status_of(const struct process *child, int code)
{
    return code == CLD_STOPPED     ? (int)child->stop_signal << 8 | 0x7F
           : code == CLD_CONTINUED ? 0xFFFF
                                   : child->exit_status;
}

/* 1: the first child that has news gives them; 0: none has any yet; -ECHILD: there is none. */
static int look(const struct wish *w, struct news *n)
{
    struct process *child;
    int ret = -ECHILD;
    TAILQ_FOREACH (child, &current->process->children, sibling) {
        if (!wanted(w, child))
            continue;
        ret = 0;
        int code = code_of(w, child);
        if (!code)
            continue;
        *n = (struct news){child->pid, code, status_of(child, code), usage_of(child)};
        if (w->options & WNOWAIT)
            return 1;
        if (child->zombie) {
            usage_add(&current->process->children_usage, &n->usage);
            usage_add(&current->process->children_usage, &child->children_usage);
            process_reap(child);
        } else {
            child->news = CHILD_NOTHING;
        }
        return 1;
    }
    return ret;
}

/* As look, or -ERESTARTSYS. */
static int wait_for(const struct wish *w, struct news *n)
{
    int found = look(w, n);
    if (found || w->options & WNOHANG)
        return found;
    int err = wait_event_signal(&current->process->child_exit, (found = look(w, n)) != 0, 0);
    return err ? err : found;
}

#define OPTIONS_BOTH (WNOHANG | __WALL | __WNOTHREAD | __WCLONE)

long sys_wait4(s32 pid, int __user *status, u32 options, void __user *rusage)
{
    if (options & ~(u32)(WUNTRACED | WCONTINUED | OPTIONS_BOTH))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    struct wish w = {P_ALL, 0, options | WEXITED};
    if (pid > 0)
        w = (struct wish){P_PID, (u32)pid, w.options};
    else if (pid != -1)
        w = (struct wish){P_PGID, pid ? (u32)-pid : current->process->pgid, w.options};
    struct news n;
    int found = wait_for(&w, &n);
    if (found <= 0)
        return found;
    if (status && copyout(status, &n.status, sizeof(n.status)) < 0)
        return -EFAULT;
    if (rusage && usage_out(&n.usage, rusage) < 0)
        return -EFAULT;
    return (long)n.pid;
}

long sys_waitpid(s32 pid, int __user *status, u32 options)
{
    return sys_wait4(pid, status, options, NULL);
}

static int detail(const struct news *n)
{
    return n->code == CLD_CONTINUED ? SIGCONT
           : n->code == CLD_KILLED  ? n->status & 0x7F
                                    : n->status >> 8;
}

long sys_waitid(u32 type, u32 id, void __user *to, u32 options, void __user *rusage)
{
    const u32 what = WEXITED | WSTOPPED | WCONTINUED;
    if (options & ~(u32)(what | WNOWAIT | OPTIONS_BOTH) || !(options & what) || type > P_PGID)
        return -EINVAL;
    if ((type == P_PID && (s32)id <= 0) || (type == P_PGID && (s32)id < 0))
        return -EINVAL;
    struct wish w = {type, type == P_PGID && !id ? current->process->pgid : id, options};
    struct news n;
    int found = wait_for(&w, &n);
    if (found < 0)
        return found;
    if (found && rusage && usage_out(&n.usage, rusage) < 0)
        return -EFAULT;
    /* si_signo, errno, code, pid, uid, status, and no more: the rest stays as the program had it */
    s32 info[6] = {0};
    if (found) {
        info[0] = SIGCHLD;
        info[2] = n.code;
        info[3] = (s32)n.pid;
        info[5] = detail(&n);
    }
    return to ? copyout(to, info, sizeof(info)) : 0;
}
