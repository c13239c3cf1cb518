/*
 * On the way to user mode: what pending signals do to the current thread.
 *
 * Ending, stopping, nothing, or a handler: then a frame is put on the program's stack, and the
 * thread goes on in the handler. A system call that was cut short begins again, before the handler
 * as it were, or answers -EINTR: sigaction(2) SA_RESTART, signal(7) "Interruption of system calls".
 */
#include <asm/unistd_32.h>
#include "kernel/cpu/trap.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/signal_internal.h"

#define INT_0X80_LEN 2 /* bytes of the instruction that a restarted call executes again */

/* The frame of a system call keeps its number where an exception has its error code; negative:
 * sigreturn has put other registers there, or the call is settled already. */
static bool in_call(const struct trap_frame *f)
{
    return f->vector == TRAP_SYSCALL && (s32)f->error >= 0;
}

static void call_again(struct trap_frame *f, u32 number)
{
    f->eax = number;
    f->eip -= INT_0X80_LEN;
}

static void settle_call(struct trap_frame *f, const struct signal_action *handler)
{
    if (!in_call(f))
        return;
    switch (-(s32)f->eax) {
    case ERESTARTSYS:
        if (handler && !(handler->flags & SA_RESTART))
            f->eax = (u32)-EINTR;
        else
            call_again(f, f->error);
        break;
    case ERESTARTNOINTR:
        call_again(f, f->error);
        break;
    case ERESTARTNOHAND:
        if (handler)
            f->eax = (u32)-EINTR;
        else
            call_again(f, f->error);
        break;
    case ERESTART_RESTARTBLOCK:
        if (handler)
            f->eax = (u32)-EINTR;
        else
            call_again(f, __NR_restart_syscall);
        break;
    }
    f->error = (u32)-1;
}

/* Deals with everything that needs no handler. Returns a signal that does, or 0. */
static int next_for_handler(siginfo_t *info, struct signal_action *action)
{
    struct task *t = current;
    struct process *p = t->process;
    for (;;) {
        if (t->killed)
            task_exit(p->exit_status);
        if (p->stop_signal) {
            job_sit_out();
            continue;
        }
        int sig = signal_take(~t->signals.blocked, info);
        if (!sig)
            return 0;
        struct signal_action *a = &p->actions->of[sig - 1];
        if (a->handler == HANDLER_IGNORE)
            continue;
        if (a->handler != HANDLER_DEFAULT) {
            *action = *a;
            if (a->flags & SA_RESETHAND)
                a->handler = HANDLER_DEFAULT;
            return sig;
        }
        if (SIGNAL_BIT(sig) & HARMLESS_SIGNALS || p->unkillable)
            continue;
        if (!(SIGNAL_BIT(sig) & STOP_SIGNALS))
            process_kill(p, sig);
        else if (sig == SIGSTOP || !group_orphaned(p->pgid))
            job_stop(p, sig);
    }
}

void signal_deliver(struct trap_frame *f)
{
    struct task_signals *s = &current->signals;
    struct signal_action action;
    siginfo_t info;
    int sig = next_for_handler(&info, &action);
    settle_call(f, sig ? &action : NULL);
    u64 mask = s->mask_saved ? s->saved_mask : s->blocked;
    if (sig) {
        if (signal_frame_push(f, sig, &info, &action, mask) < 0) {
            if (sig == SIGSEGV) /* its own handler has no stack to run on */
                current->process->actions->of[sig - 1].handler = HANDLER_DEFAULT;
            signal_fault(SIGSEGV, SI_KERNEL, 0, "no stack for the handler of signal %d, esp %08x",
                         sig, f->esp);
        } else {
            mask = s->blocked | action.mask;
            if (!(action.flags & SA_NODEFER))
                mask |= SIGNAL_BIT(sig);
        }
    }
    s->mask_saved = false;
    signal_set_blocked(mask);
}
