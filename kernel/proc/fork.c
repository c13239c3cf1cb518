/* fork(2), vfork(2), and clone(2) as far as it makes processes. */
#include <linux/sched.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/sched.h"
#include "kernel/sys/sys.h"

static struct task *copy_task(u32 stack)
{
    struct task *parent = current;
    if (task_count >= TASKS_MAX)
        return err_ptr(-EAGAIN);
    struct task *t = task_alloc(parent->name);
    if (!t)
        return err_ptr(-ENOMEM);
    t->mm = mm_fork(parent->mm);
    t->files = files_copy(parent->files);
    if (!t->mm || !t->files) {
        mm_put(t->mm);
        files_put(t->files);
        task_free(t);
        return err_ptr(-ENOMEM);
    }
    t->cwd = parent->cwd ? inode_hold(parent->cwd) : NULL;
    t->pgid = parent->pgid;
    t->sid = parent->sid;
    t->umask = parent->umask;
    memcpy(t->tls, parent->tls, sizeof(t->tls));
    fpu_save(&t->fpu); /* the parent's registers of this moment */
    t->parent = parent;
    LIST_INSERT_HEAD(&parent->children, t, sibling);

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
    t->vforked = flags & CLONE_VFORK;
    u32 pid;
    task_start(t);
    pid = t->pid;
    if ((flags & CLONE_PARENT_SETTID) && copyout(parent_tid, &pid, sizeof(pid)) < 0)
        parent_tid = NULL; /* as on Linux: the child lives, the caller's mistake is its own */
    /* Nobody else reaps it, so it is there as long as we wait. */
    if (flags & CLONE_VFORK)
        wait_event_killable(&current->child_exit, !t->vforked, 0);
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
