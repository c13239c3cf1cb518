/* fork(2), vfork(2), and clone(2) as far as it makes processes. */
#include <linux/sched.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/sched.h"
#include "kernel/sys/sys.h"

/* The child's process: what fork(2) says is inherited. */
static struct process *copy_process(struct process *from)
{
    struct process *p = process_alloc(NULL, from);
    if (!p)
        return NULL;
    p->pgid = from->pgid;
    p->sid = from->sid;
    p->tty = from->tty;
    p->nice = from->nice;
    p->personality = from->personality;
    memcpy(p->limits, from->limits, sizeof(p->limits));
    return p;
}

static void discard(struct task *t)
{
    mm_put(t->mm);
    files_put(t->files);
    fs_put(t->fs);
    task_free(t);
}

static struct task *copy_task(u32 stack)
{
    struct task *parent = current;
    if (task_count >= TASKS_MAX || process_count >= TASKS_MAX)
        return err_ptr(-EAGAIN);
    struct process *p = copy_process(parent->process);
    struct task *t = p ? task_alloc(p) : NULL;
    if (!t) {
        process_free(p);
        return err_ptr(-ENOMEM);
    }
    strlcpy(t->name, parent->name, TASK_NAME);
    t->mm = mm_fork(parent->mm);
    t->files = files_copy(parent->files);
    t->fs = fs_new(inode_hold(parent->fs->cwd), parent->fs->umask);
    if (!t->mm || !t->files || !t->fs) {
        discard(t);
        process_free(p);
        return err_ptr(-ENOMEM);
    }
    memcpy(t->tls, parent->tls, sizeof(t->tls));
    fpu_save(&t->fpu); /* the parent's registers of this moment */
    p->parent = parent->process;
    TAILQ_INSERT_TAIL(&p->parent->children, p, sibling);
    t->signals.blocked = parent->signals.blocked;
    t->signals.stack = parent->signals.stack;

    task_prepare_user(t);
    *t->frame = *parent->frame;
    t->frame->eax = 0; /* the child's answer */
    if (stack)
        t->frame->esp = stack;
    return t;
}

/* A flag that would share memory between tasks that both run is refused: threads come later.
 * CLONE_VM with CLONE_VFORK (vfork, posix_spawn) is served by a copy: the parent waits as it
 * should, but does not see what the child stores meanwhile. */
long sys_clone(u32 flags, u32 stack, u32 __user *parent_tid, u32 tls, u32 __user *child_tid)
{
    const u32 served = CSIGNAL | CLONE_VM | CLONE_VFORK | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID |
                       CLONE_CHILD_CLEARTID;
    if ((flags & ~served) || ((flags & CLONE_VM) && !(flags & CLONE_VFORK)))
        return -ENOSYS;
    struct task *t = copy_task(stack);
    if (is_err(t))
        return ptr_err(t);
    if (flags & CLONE_CHILD_SETTID)
        t->set_child_tid = (u32)child_tid; /* written by the child itself, in its own memory */
    if (flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = (u32)child_tid;
    bool vfork_done = false;
    if (flags & CLONE_VFORK)
        t->vfork_done = &vfork_done;
    task_start(t);
    u32 pid = t->tid;
    if ((flags & CLONE_PARENT_SETTID) && copyout(parent_tid, &pid, sizeof(pid)) < 0)
        parent_tid = NULL; /* as on Linux: the child lives, the caller's mistake is its own */
    if ((flags & CLONE_VFORK) &&
        wait_event_killable(&current->process->child_exit, vfork_done, 0) < 0)
        t->vfork_done = NULL; /* we are killed; it has not ended, or vfork_done were true */
    return pid;
}

long sys_fork(void)
{
    return sys_clone(0, 0, NULL, 0, NULL);
}
long sys_vfork(void)
{
    return sys_clone(CLONE_VFORK, 0, NULL, 0, NULL);
}
