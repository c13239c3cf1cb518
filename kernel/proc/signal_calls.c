/*
 * The calls by which a program says what signals shall do: sigaction(2), sigprocmask(2),
 * sigsuspend(2), sigtimedwait(2), sigaltstack(2). Masks are 64 bits in the rt_ calls, the first 32
 * of them in the old ones.
 */
#include "kernel/proc/signal_calls.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal_internal.h"
#include "kernel/sys/timeout.h"

/* ---- what a signal does ---- */

static int action_set(s32 sig, const struct signal_action *new, struct signal_action *old)
{
    if (sig < 1 || sig > NR_SIGNALS || (new &&SIGNAL_BIT(sig) & SUPREME_SIGNALS))
        return -EINVAL;
    struct process *p = current->process;
    struct signal_action *a = &p->actions->of[sig - 1];
    *old = *a;
    if (!new)
        return 0;
    *a = *new;
    a->mask &= ~SUPREME_SIGNALS;
    /* What is ignored from now on has not been sent either. POSIX, 2.4.3 Signal Actions. */
    if (a->handler == HANDLER_IGNORE ||
        (a->handler == HANDLER_DEFAULT && SIGNAL_BIT(sig) & HARMLESS_SIGNALS)) {
        struct task *t;
        signal_forget(&p->pending, SIGNAL_BIT(sig));
        TAILQ_FOREACH (t, &p->threads, thread)
            signal_forget(&t->signals.pending, SIGNAL_BIT(sig));
    }
    return 0;
}

struct rt_action_abi {
    u32 handler, flags, restorer, mask[2];
};
struct old_action_abi {
    u32 handler, mask, flags, restorer;
};

long sys_rt_sigaction(s32 sig, const void __user *act, void __user *old, u32 size)
{
    struct rt_action_abi a;
    struct signal_action new, was;
    if (size != sizeof(u64))
        return -EINVAL;
    if (act && copyin(&a, act, sizeof(a)) < 0)
        return -EFAULT;
    if (act)
        new = (struct signal_action){a.handler, a.flags, a.restorer,
                                     (u64)a.mask[1] << 32 | a.mask[0]};
    int err = action_set(sig, act ? &new : NULL, &was);
    if (err || !old)
        return err;
    a = (struct rt_action_abi){
        was.handler, was.flags, was.restorer, {(u32)was.mask, (u32)(was.mask >> 32)}};
    return copyout(old, &a, sizeof(a));
}

long sys_sigaction(s32 sig, const void __user *act, void __user *old)
{
    struct old_action_abi a;
    struct signal_action new, was;
    if (act && copyin(&a, act, sizeof(a)) < 0)
        return -EFAULT;
    if (act)
        new = (struct signal_action){a.handler, a.flags, a.restorer, a.mask};
    int err = action_set(sig, act ? &new : NULL, &was);
    if (err || !old)
        return err;
    a = (struct old_action_abi){was.handler, (u32)was.mask, was.flags, was.restorer};
    return copyout(old, &a, sizeof(a));
}

/* signal(2) of System V: once, and not blocked meanwhile. */
long sys_signal(s32 sig, u32 handler)
{
    struct signal_action new = {.handler = handler, .flags = SA_RESETHAND | SA_NODEFER}, was;
    int err = action_set(sig, &new, &was);
    return err ? err : (long)was.handler;
}

/* ---- masks ---- */

static int change_blocked(u32 how, u64 set)
{
    u64 blocked = current->signals.blocked;
    switch (how) {
    case SIG_BLOCK:
        signal_set_blocked(blocked | set);
        return 0;
    case SIG_UNBLOCK:
        signal_set_blocked(blocked & ~set);
        return 0;
    case SIG_SETMASK:
        signal_set_blocked(set);
        return 0;
    default:
        return -EINVAL;
    }
}

long sys_rt_sigprocmask(u32 how, const u64 __user *set, u64 __user *old, u32 size)
{
    u64 was = current->signals.blocked, mask;
    if (size != sizeof(mask))
        return -EINVAL;
    if (set) {
        if (copyin(&mask, set, sizeof(mask)) < 0)
            return -EFAULT;
        int err = change_blocked(how, mask);
        if (err)
            return err;
    }
    return old ? copyout(old, &was, sizeof(was)) : 0;
}

long sys_sigprocmask(u32 how, const u32 __user *set, u32 __user *old)
{
    u64 was = current->signals.blocked;
    u32 mask;
    if (set) {
        if (copyin(&mask, set, sizeof(mask)) < 0)
            return -EFAULT;
        u64 high = how == SIG_SETMASK ? was & ~(u64)0xFFFFFFFF : 0; /* not the call's business */
        int err = change_blocked(how, high | mask);
        if (err)
            return err;
    }
    mask = (u32)was;
    return old ? copyout(old, &mask, sizeof(mask)) : 0;
}

long sys_sgetmask(void)
{
    return (long)(u32)current->signals.blocked;
}

long sys_ssetmask(u32 mask)
{
    u32 was = (u32)current->signals.blocked;
    signal_set_blocked(mask);
    return (long)was;
}

long sys_rt_sigpending(void __user *to, u32 size)
{
    const struct task_signals *s = &current->signals;
    u64 set = (s->pending.set | current->process->pending.set) & s->blocked;
    if (size > sizeof(set))
        return -EINVAL;
    return copyout(to, &set, size);
}

long sys_sigpending(u32 __user *set)
{
    return sys_rt_sigpending(set, sizeof(*set));
}

/* ---- waiting ---- */

static void mask_for_call(u64 mask)
{
    struct task_signals *s = &current->signals;
    s->saved_mask = s->blocked;
    s->mask_saved = true;
    signal_set_blocked(mask);
}

int signal_mask_enter(const void __user *from, u32 size)
{
    u64 mask;
    if (!from)
        return 0;
    if (size != sizeof(mask))
        return -EINVAL;
    if (copyin(&mask, from, sizeof(mask)) < 0)
        return -EFAULT;
    mask_for_call(mask);
    return 0;
}

/* Until a handler runs, or something ends the program. */
long sys_pause(void)
{
    u32 flags = irq_save();
    while (!signal_pending())
        wait_sleep(NULL, 0);
    irq_restore(flags);
    return -ERESTARTNOHAND;
}

long sys_rt_sigsuspend(const u64 __user *set, u32 size)
{
    u64 mask;
    if (size != sizeof(mask))
        return -EINVAL;
    if (copyin(&mask, set, sizeof(mask)) < 0)
        return -EFAULT;
    mask_for_call(mask);
    return sys_pause();
}

long sys_sigsuspend(u32 unused1, u32 unused2, u32 mask)
{
    mask_for_call(mask);
    return sys_pause();
}

/* `set` is unblocked while we sleep, so that its signals wake us; waited_for keeps them from
 * killing. deadline in ticks, 0: none; without `sleep` only what is pending counts. */
static long wait_for_signal(u64 set, bool sleep, u64 deadline, siginfo_t *info)
{
    struct task_signals *s = &current->signals;
    u64 blocked = s->blocked;
    int sig = signal_take(set, info);
    if (sig || !sleep)
        return sig ? sig : -EAGAIN;
    u32 flags = irq_save();
    bool in_time = true;
    s->waited_for = blocked & set;
    signal_set_blocked(blocked & ~set);
    while (!signal_pending() && in_time)
        in_time = wait_sleep(NULL, deadline);
    s->waited_for = 0;
    signal_set_blocked(blocked);
    irq_restore(flags);
    sig = signal_take(set, info);
    return sig ? sig : in_time ? -EINTR : -EAGAIN;
}

static long timed_wait(const u64 __user *set, void __user *to, const void __user *time,
                       enum time_form form, u32 size)
{
    u64 mask;
    siginfo_t info;
    struct timeout timeout;
    if (size != sizeof(mask))
        return -EINVAL;
    if (copyin(&mask, set, sizeof(mask)) < 0)
        return -EFAULT;
    int err = timeout_in(&timeout, time, form);
    if (err)
        return err;
    long sig = wait_for_signal(mask & ~SUPREME_SIGNALS, !timeout.at_once, timeout.end_tick, &info);
    if (sig > 0 && to && copyout(to, &info, sizeof(info)) < 0)
        return -EFAULT;
    return sig;
}

long sys_rt_sigtimedwait(const u64 __user *set, void __user *info, const void __user *timeout,
                         u32 size)
{
    return timed_wait(set, info, timeout, TIMESPEC32, size);
}

long sys_rt_sigtimedwait_time64(const u64 __user *set, void __user *info,
                                const void __user *timeout, u32 size)
{
    return timed_wait(set, info, timeout, TIMESPEC64, size);
}

/* ---- a stack for handlers ---- */

int signal_stack_set(u32 base, u32 flags, u32 size, u32 esp)
{
    u32 mode = flags & ~(u32)SS_AUTODISARM;
    if (on_signal_stack(esp))
        return -EPERM;
    if (mode != SS_DISABLE && mode != SS_ONSTACK && mode != 0)
        return -EINVAL;
    if (mode == SS_DISABLE)
        base = size = 0;
    else if (size < MINSIGSTKSZ)
        return -ENOMEM;
    current->signals.stack = (struct signal_stack){base, size, flags};
    return 0;
}

struct stack_abi {
    u32 base;
    s32 flags;
    u32 size;
};

long sys_sigaltstack(const void __user *stack, void __user *old)
{
    u32 esp = current->frame->esp;
    const struct signal_stack *s = &current->signals.stack;
    struct stack_abi was = {s->base, 0, s->size}, new;
    was.flags = !s->size               ? SS_DISABLE
                : on_signal_stack(esp) ? SS_ONSTACK
                                       : (s32)(s->flags & SS_AUTODISARM);
    if (stack) {
        if (copyin(&new, stack, sizeof(new)) < 0)
            return -EFAULT;
        int err = signal_stack_set(new.base, (u32) new.flags, new.size, esp);
        if (err)
            return err;
    }
    return old ? copyout(old, &was, sizeof(was)) : 0;
}

/* Called by nobody: signal_deliver.c puts its number where the cut call's was. */
long sys_restart_syscall(void)
{
    struct restart *r = &current->signals.restart;
    return r->again ? r->again(r) : -EINTR;
}
