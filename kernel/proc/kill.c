/* kill(2) and its kin: who may send what to whom. Pid 1 gets what it handles (signal.c). */
#include <linux/capability.h>
#include "kernel/cpu/cpu.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal_calls.h"
#include "kernel/proc/signal_internal.h"

/* As on Linux any thread's number means its process. */
static struct process *process_of(s32 pid)
{
    struct process *p = process_find((u32)pid);
    struct task *t = p ? NULL : task_find((u32)pid);
    return t ? t->process : p;
}

/* The credentials of a zombie are gone with its threads: anybody may send it what does nothing. */
static bool may_signal(const struct process *p, u32 sig)
{
    const struct cred *me = &current->cred;
    const struct task *t = process_task(p);
    if (!t || p == current->process || capable(CAP_KILL))
        return true;
    if (sig == SIGCONT && p->sid == current->process->sid)
        return true;
    const struct cred *c = &t->cred;
    return me->euid == c->uid || me->euid == c->suid || me->uid == c->uid || me->uid == c->suid;
}

/* Signal 0 asks whether there is somebody. A zombie is somebody. */
static long to_process(struct process *p, u32 sig, const siginfo_t *info)
{
    if (!p)
        return -ESRCH;
    if (!may_signal(p, sig))
        return -EPERM;
    return sig ? signal_send_process(p, info) : 0;
}

static long to_thread(struct task *t, u32 sig, const siginfo_t *info)
{
    if (!t)
        return -ESRCH;
    if (!may_signal(t->process, sig))
        return -EPERM;
    return sig ? signal_send_task(t, info) : 0;
}

long sys_kill(s32 pid, u32 sig)
{
    if (sig > NR_SIGNALS)
        return -EINVAL;
    siginfo_t info = signal_info((int)sig, SI_USER);
    if (pid > 0)
        return to_process(process_of(pid), sig, &info);
    u32 group = pid == 0 ? current->process->pgid : (u32)-pid;
    struct process *p;
    bool any = false, sent = false;
    TAILQ_FOREACH (p, &all_processes, all) {
        if (pid == -1 ? p->pid == 1 || p == current->process : p->pgid != group)
            continue;
        any = true;
        sent |= to_process(p, sig, &info) == 0;
    }
    return sent ? 0 : any ? -EPERM : -ESRCH;
}

/* tgid 0: whosever thread it is, tkill(2). */
static struct task *thread_of(s32 tgid, s32 tid)
{
    struct task *t = task_find((u32)tid);
    return t && (!tgid || t->process->pid == (u32)tgid) ? t : NULL;
}

long sys_tkill(s32 tid, u32 sig)
{
    if (tid <= 0 || sig > NR_SIGNALS)
        return -EINVAL;
    siginfo_t info = signal_info((int)sig, SI_TKILL);
    return to_thread(thread_of(0, tid), sig, &info);
}

long sys_tgkill(s32 tgid, s32 tid, u32 sig)
{
    if (tid <= 0 || tgid <= 0 || sig > NR_SIGNALS)
        return -EINVAL;
    siginfo_t info = signal_info((int)sig, SI_TKILL);
    return to_thread(thread_of(tgid, tid), sig, &info);
}

/* The sender writes siginfo itself, but may not pretend to be the kernel, or kill(2). */
static int info_from_user(siginfo_t *info, const void __user *from, u32 sig, s32 pid)
{
    if (copyin(info, from, sizeof(*info)) < 0)
        return -EFAULT;
    if (sig > NR_SIGNALS)
        return -EINVAL;
    info->si_signo = (int)sig;
    bool pretends = info->si_code >= 0 || info->si_code == SI_TKILL;
    return pretends && (u32)pid != current->process->pid ? -EPERM : 0;
}

long sys_rt_sigqueueinfo(s32 pid, u32 sig, const void __user *from)
{
    siginfo_t info;
    int err = info_from_user(&info, from, sig, pid);
    return err ? err : to_process(process_of(pid), sig, &info);
}

long sys_rt_tgsigqueueinfo(s32 tgid, s32 tid, u32 sig, const void __user *from)
{
    siginfo_t info;
    if (tid <= 0 || tgid <= 0)
        return -EINVAL;
    int err = info_from_user(&info, from, sig, tgid);
    return err ? err : to_thread(thread_of(tgid, tid), sig, &info);
}
