/*
 * clone(2), and fork(2) and vfork(2), which are cases of it: another thread in this process, or
 * another process. What the two share is counted, what they do not is copied; the flags say which.
 */
#include <linux/capability.h>
#include <linux/resource.h>
#include <linux/sched.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/itimer.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/proc/tls.h"

#define NAMESPACES                                                                                \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
     CLONE_NEWNET)

static int check_flags(u32 flags)
{
    if (flags & (NAMESPACES | CLONE_PIDFD) || (flags & CSIGNAL) > NR_SIGNALS)
        return -EINVAL;
    if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
        (flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
        return -EINVAL;
    if (flags & CLONE_PARENT && current->process->pid == 1)
        return -EINVAL; /* its siblings would have no parent that reaps them */
    return 0;
}

/* Threads of one user: RLIMIT_NPROC. Root may have what there is. */
static bool too_many(void)
{
    if (task_count >= TASKS_MAX || process_count >= TASKS_MAX)
        return true;
    if (!current->cred.uid || capable(CAP_SYS_RESOURCE) || capable(CAP_SYS_ADMIN))
        return false;
    u32 count = 0;
    const struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all)
        count += t->cred.uid == current->cred.uid;
    return count >= current->process->limits[RLIMIT_NPROC].soft;
}

/* The child's process: what fork(2) says is inherited. */
static struct process *copy_process(struct process *from, u32 flags)
{
    struct process *p = process_alloc(NULL, from);
    if (!p)
        return NULL;
    if (flags & CLONE_SIGHAND) {
        signal_actions_put(p->actions);
        p->actions = from->actions;
        p->actions->refs++;
    }
    p->pgid = from->pgid;
    p->sid = from->sid;
    p->tty = from->tty;
    p->nice = from->nice;
    p->personality = from->personality;
    p->oom_score_adj = from->oom_score_adj;
    memcpy(p->limits, from->limits, sizeof(p->limits));
    cpu_timers_changed(p); /* RLIMIT_CPU is inherited */
    p->exit_signal = flags & CLONE_PARENT ? from->exit_signal : flags & CSIGNAL;
    p->parent = flags & CLONE_PARENT ? from->parent : from;
    return p;
}

/* Shares or copies what the thread has of its own; false without memory. */
static bool copy_holdings(struct task *t, u32 flags)
{
    struct task *from = current;
    if (flags & CLONE_VM) {
        t->mm = from->mm;
        t->mm->refs++;
    } else {
        t->mm = mm_fork(from->mm);
    }
    if (flags & CLONE_FILES) {
        t->files = from->files;
        t->files->refs++;
    } else {
        t->files = files_copy(from->files);
    }
    if (flags & CLONE_FS) {
        t->fs = from->fs;
        t->fs->refs++;
    } else {
        t->fs = fs_new(inode_hold(from->fs->cwd), from->fs->umask);
    }
    return t->mm && t->files && t->fs;
}

static void discard(struct task *t, struct process *p)
{
    mm_put(t->mm);
    files_put(t->files);
    fs_put(t->fs);
    task_free(t);
    process_free(p);
}

/* It leaves the kernel as its parent does, but for the answer 0, and its stack. */
static void copy_registers(struct task *t, u32 stack)
{
    const struct task *from = current;
    memcpy(t->tls, from->tls, sizeof(t->tls));
    fpu_save(&t->fpu); /* the parent's of this moment */
    task_prepare_user(t);
    *t->frame = *from->frame;
    t->frame->eax = 0;
    if (stack)
        t->frame->esp = stack;
}

static struct task *copy_task(u32 flags, u32 stack, u32 tls)
{
    struct process *p = NULL, *in = current->process;
    if (too_many())
        return err_ptr(-EAGAIN);
    if (!(flags & CLONE_THREAD) && !(p = in = copy_process(in, flags)))
        return err_ptr(-ENOMEM);
    struct task *t = task_alloc(in);
    if (!t) {
        process_free(p);
        return err_ptr(-ENOMEM);
    }
    strlcpy(t->name, current->name, TASK_NAME);
    int err = copy_holdings(t, flags) ? 0 : -ENOMEM;
    if (!err) {
        copy_registers(t, stack);
        if (flags & CLONE_SETTLS)
            err = tls_set(t, (const void __user *)tls);
    }
    /* A signal that came meanwhile, to the process group say, must not miss the new process: it is
     * acted upon first, and then the call begins anew. */
    if (!err && p && signal_pending())
        err = -ERESTARTNOINTR;
    if (err) {
        discard(t, p);
        return err_ptr(err);
    }
    t->signals.blocked = current->signals.blocked;
    t->policy = current->policy;
    if (!(flags & CLONE_VM) || flags & CLONE_VFORK)
        t->signals.stack = current->signals.stack;
    return t;
}

long sys_clone(u32 flags, u32 stack, u32 __user *parent_tid, u32 tls, u32 __user *child_tid)
{
    int err = check_flags(flags);
    struct task *t = err ? err_ptr(err) : copy_task(flags, stack, tls);
    if (is_err(t))
        return ptr_err(t);
    if (flags & CLONE_CHILD_SETTID)
        t->set_child_tid = (u32)child_tid; /* written by the child itself, in its own memory */
    if (flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = (u32)child_tid;
    bool vfork_done = false;
    if (flags & CLONE_VFORK) {
        t->vfork_done = &vfork_done;
        t->vfork_parent = current->process;
    }
    task_number(t);
    u32 tid = t->tid;
    if (flags & CLONE_PARENT_SETTID && copyout(parent_tid, &tid, sizeof(tid)) < 0)
        parent_tid = NULL; /* as on Linux: the child lives, the caller's mistake is its own */
    if (current->killed && flags & CLONE_THREAD)
        t->killed = t->signal_work = true; /* it came after process_kill had counted us */
    task_wake(t);
    if (flags & CLONE_VFORK &&
        wait_event_killable(&current->process->child_exit, vfork_done, 0) < 0)
        t->vfork_done = NULL; /* we are killed; it has not ended, or vfork_done were true */
    return tid;
}

long sys_fork(void)
{
    return sys_clone(SIGCHLD, 0, NULL, 0, NULL);
}
long sys_vfork(void)
{
    return sys_clone(CLONE_VFORK | CLONE_VM | SIGCHLD, 0, NULL, 0, NULL);
}
