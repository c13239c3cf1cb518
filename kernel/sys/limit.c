/*
 * Resource limits: getrlimit(2), setrlimit(2), prlimit(2).
 *
 * Kept for all sixteen, and inherited. In force are NOFILE (descriptors), NPROC (fork.c), AS, DATA
 * and STACK (kernel/mm), FSIZE (kernel/paths), CPU (itimer.c), SIGPENDING (signal.c) and NICE.
 */
#include "kernel/sys/limit.h"
#include <linux/capability.h>
#include <linux/resource.h>
#include "kernel/mm/uaccess.h"
#include "kernel/proc/itimer.h"

#define NONE32 UINT32_MAX
#define NONE64 UINT64_MAX

static bool may_see(const struct process *p)
{
    const struct cred *me = &current->cred;
    const struct task *t = process_task(p);
    if (p == current->process || capable(CAP_SYS_RESOURCE))
        return true;
    return t && me->uid == t->cred.uid && me->uid == t->cred.euid && me->uid == t->cred.suid;
}

static int set(struct process *p, u32 resource, struct limit new)
{
    struct limit *l = &p->limits[resource];
    if (new.soft > new.hard)
        return -EINVAL;
    if (new.hard > l->hard && !capable(CAP_SYS_RESOURCE))
        return -EPERM;
    if (resource == RLIMIT_NOFILE && new.hard > NR_FDS)
        return -EPERM; /* more than the table of files can ever have, for root as well */
    *l = new;
    if (resource == RLIMIT_CPU)
        cpu_timers_changed(p);
    return 0;
}

long sys_getrlimit(u32 resource, void __user *to)
{
    if (resource >= NR_LIMITS)
        return -EINVAL;
    return copyout(to, &current->process->limits[resource], sizeof(struct limit));
}

/* The first getrlimit knew 31 bits only. */
long sys_old_getrlimit(u32 resource, void __user *to)
{
    if (resource >= NR_LIMITS)
        return -EINVAL;
    struct limit l = current->process->limits[resource];
    l.soft = MIN(l.soft, (u32)INT32_MAX);
    l.hard = MIN(l.hard, (u32)INT32_MAX);
    return copyout(to, &l, sizeof(l));
}

long sys_setrlimit(u32 resource, const void __user *from)
{
    struct limit new;
    if (resource >= NR_LIMITS)
        return -EINVAL;
    if (copyin(&new, from, sizeof(new)) < 0)
        return -EFAULT;
    return set(current->process, resource, new);
}

struct limit64 {
    u64 soft, hard;
};

static u32 narrow(u64 value)
{
    return value >= NONE32 ? NONE32 : (u32)value;
}
static u64 widen(u32 value)
{
    return value == NONE32 ? NONE64 : value;
}

long sys_prlimit64(s32 pid, u32 resource, const void __user *from, void __user *to)
{
    struct limit64 new = {0};
    if (resource >= NR_LIMITS)
        return -EINVAL;
    if (from && copyin(&new, from, sizeof(new)) < 0)
        return -EFAULT;
    struct process *p = pid ? process_find((u32)pid) : current->process;
    if (!p)
        return -ESRCH;
    if (!may_see(p))
        return -EPERM;
    const struct limit was = p->limits[resource];
    if (from && new.soft > new.hard)
        return -EINVAL;
    int err = from ? set(p, resource, (struct limit){narrow(new.soft), narrow(new.hard)}) : 0;
    if (err || !to)
        return err;
    const struct limit64 old = {widen(was.soft), widen(was.hard)};
    return copyout(to, &old, sizeof(old));
}
