/*
 * Sending signals, and taking them: who has which signal pending.
 *
 * Sending never sleeps and may happen in an interrupt handler, so all of it runs with interrupts
 * off. task->signal_work is the one flag that the rest of the kernel looks at: set by the sender
 * when the thread has something to act on, taken back only by the thread itself (signal_update).
 * A signal that is going to end the program ends all its threads at once (process_kill), whatever
 * they wait for. signal(7); sigaction(2).
 */
#include <linux/resource.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal_internal.h"

struct queued_signal {
    TAILQ_ENTRY(queued_signal) link;
    siginfo_t info;
};

static u32 nr_queued; /* in the whole machine: what RLIMIT_SIGPENDING bounds */

void signal_init_pending(struct pending_signals *pending)
{
    pending->set = 0;
    TAILQ_INIT(&pending->queue);
}

static struct signal_action *action_of(const struct process *p, int sig)
{
    return &p->actions->of[sig - 1];
}

siginfo_t signal_info(int sig, int code)
{
    siginfo_t info;
    memset(&info, 0, sizeof(info));
    info.si_signo = sig;
    info.si_code = code;
    if (code != SI_KERNEL) {
        info.si_pid = (int)current->process->pid;
        info.si_uid = current->cred.uid;
    }
    return info;
}

/* ---- pending sets ---- */

static int queue_add(const struct process *p, struct pending_signals *pending,
                     const siginfo_t *info)
{
    int sig = info->si_signo;
    if (sig < SIGRTMIN && pending->set & SIGNAL_BIT(sig))
        return 0;
    u32 most = MIN(p->limits[RLIMIT_SIGPENDING].soft, QUEUED_SIGNALS_MAX);
    struct queued_signal *q = nr_queued < most ? kmalloc(sizeof(*q)) : NULL;
    if (!q && sig >= SIGRTMIN && info->si_code < 0)
        return -EAGAIN; /* sigqueue(3): not silently less than was asked for */
    if (q) {
        nr_queued++;
        q->info = *info;
        TAILQ_INSERT_TAIL(&pending->queue, q, link);
    }
    pending->set |= SIGNAL_BIT(sig);
    wake_all(&signal_queued);
    return 0;
}

static void queue_drop(struct pending_signals *pending, struct queued_signal *q)
{
    TAILQ_REMOVE(&pending->queue, q, link);
    kfree(q);
    nr_queued--;
}

void signal_forget(struct pending_signals *pending, u64 set)
{
    u32 flags = irq_save();
    struct queued_signal *q, *next;
    TAILQ_FOREACH_SAFE (q, &pending->queue, link, next)
        if (set & SIGNAL_BIT(q->info.si_signo))
            queue_drop(pending, q);
    pending->set &= ~set;
    irq_restore(flags);
}

s32 signal_timer_again(struct pending_signals *pending, int sig, s32 id, u32 times)
{
    struct queued_signal *q;
    TAILQ_FOREACH (q, &pending->queue, link)
        if (q->info.si_signo == sig && q->info.si_code == SI_TIMER && q->info.si_tid == id)
            return q->info.si_overrun += (s32)times;
    return 0;
}

static void forget_everywhere(struct process *p, u64 set)
{
    struct task *t;
    signal_forget(&p->pending, set);
    TAILQ_FOREACH (t, &p->threads, thread)
        signal_forget(&t->signals.pending, set);
}

/* The lowest number first, but a fault's own signal before all others: it belongs to the
 * instruction at which the program stands. */
static int first_signal(u64 set)
{
    if (set & SYNCHRONOUS_SIGNALS)
        set &= SYNCHRONOUS_SIGNALS;
    return set ? __builtin_ctzll(set) + 1 : 0;
}

static int queue_take(struct pending_signals *pending, u64 from, siginfo_t *info)
{
    int sig = first_signal(pending->set & from);
    if (!sig)
        return 0;
    struct queued_signal *q, *found = NULL;
    bool more = false;
    TAILQ_FOREACH (q, &pending->queue, link) {
        if (q->info.si_signo != sig)
            continue;
        more = found != NULL;
        if (more)
            break;
        found = q;
    }
    if (found) {
        *info = found->info;
        queue_drop(pending, found);
    } else { /* there was no memory to note more */
        memset(info, 0, sizeof(*info));
        info->si_signo = sig;
    }
    if (!more)
        pending->set &= ~SIGNAL_BIT(sig);
    return sig;
}

int signal_take(u64 from, siginfo_t *info)
{
    u32 flags = irq_save();
    int sig = queue_take(&current->signals.pending, from, info);
    if (!sig)
        sig = queue_take(&current->process->pending, from, info);
    signal_update(current);
    irq_restore(flags);
    return sig;
}

/* ---- the flag ---- */

bool signal_pending(void)
{
    return current->signal_work;
}

bool task_killed(void)
{
    return current->killed;
}

void signal_update(struct task *t)
{
    u32 flags = irq_save();
    const struct process *p = t->process;
    u64 pending = t->signals.pending.set | p->pending.set;
    t->signal_work =
        t->killed || pending & ~t->signals.blocked || (p->stop_signal && !t->signals.stopped);
    irq_restore(flags);
}

void signal_set_blocked(u64 mask)
{
    u32 flags = irq_save();
    struct task *t = current, *other;
    struct process *p = t->process;
    u64 newly = mask & ~SUPREME_SIGNALS & ~t->signals.blocked;
    t->signals.blocked = mask & ~SUPREME_SIGNALS;
    signal_update(t);
    if (newly & p->pending.set) /* we were to take them: now others are */
        TAILQ_FOREACH (other, &p->threads, thread) {
            if (other == t || other->signal_work)
                continue;
            signal_update(other);
            if (other->signal_work)
                task_wake(other);
        }
    irq_restore(flags);
}

/* ---- sending ---- */

static bool ignored(const struct process *p, const struct task *t, int sig)
{
    if (t && (t->signals.blocked | t->signals.waited_for) & SIGNAL_BIT(sig))
        return false; /* who blocks it may still choose a handler */
    u32 handler = action_of(p, sig)->handler;
    if (p->unkillable && handler == HANDLER_DEFAULT)
        return true;
    return handler == HANDLER_IGNORE ||
           (handler == HANDLER_DEFAULT && SIGNAL_BIT(sig) & HARMLESS_SIGNALS);
}

/* Stopping and continuing undo each other already when they are sent, delivered or not. */
static void stop_or_continue(struct process *p, int sig)
{
    if (SIGNAL_BIT(sig) & STOP_SIGNALS)
        forget_everywhere(p, SIGNAL_BIT(SIGCONT));
    if (sig == SIGCONT) {
        forget_everywhere(p, STOP_SIGNALS);
        job_continue(p);
    }
}

static bool wants(const struct task *t, int sig)
{
    if (sig == SIGKILL)
        return !t->killed;
    return !t->killed && !t->signals.stopped && !(t->signals.blocked & SIGNAL_BIT(sig));
}

static bool deadly(const struct process *p, const struct task *t, int sig)
{
    return action_of(p, sig)->handler == HANDLER_DEFAULT && !p->unkillable &&
           !(SIGNAL_BIT(sig) & (HARMLESS_SIGNALS | STOP_SIGNALS)) &&
           !(t->signals.waited_for & SIGNAL_BIT(sig));
}

static void notify(struct task *t, int sig)
{
    struct process *p = t->process;
    if (sig == SIGKILL || deadly(p, t, sig)) {
        process_kill(p, sig);
        return;
    }
    t->signal_work = true;
    task_wake(t);
}

static bool takes_signals(const struct process *p)
{
    const struct task *t = process_task(p);
    return !p->exiting && t && t->mm; /* kernel threads take none */
}

int signal_send_process(struct process *p, const siginfo_t *info)
{
    int sig = info->si_signo, err = 0;
    u32 flags = irq_save();
    if (takes_signals(p)) {
        stop_or_continue(p, sig);
        struct task *t = process_task(p);
        if (!ignored(p, t, sig) && (err = queue_add(p, &p->pending, info)) == 0) {
            TAILQ_FOREACH (t, &p->threads, thread)
                if (wants(t, sig))
                    break;
            if (t)
                notify(t, sig);
        }
    }
    irq_restore(flags);
    return err;
}

int signal_send_task(struct task *t, const siginfo_t *info)
{
    struct process *p = t->process;
    int sig = info->si_signo, err = 0;
    u32 flags = irq_save();
    if (takes_signals(p)) {
        stop_or_continue(p, sig);
        if (!ignored(p, t, sig) && (err = queue_add(p, &t->signals.pending, info)) == 0 &&
            wants(t, sig))
            notify(t, sig);
    }
    irq_restore(flags);
    return err;
}

void signal_task(struct task *t, int sig)
{
    siginfo_t info = signal_info(sig, SI_KERNEL);
    (void)signal_send_task(t, &info);
}

void signal_process(struct process *p, int sig)
{
    siginfo_t info = signal_info(sig, SI_KERNEL);
    (void)signal_send_process(p, &info);
}

int signal_group(u32 pgid, int sig)
{
    struct process *p;
    int ret = -ESRCH;
    u32 flags = irq_save();
    TAILQ_FOREACH (p, &all_processes, all) {
        if (p->pgid != pgid)
            continue;
        ret = 0;
        signal_process(p, sig);
    }
    irq_restore(flags);
    return ret;
}

bool signal_ignored(int sig)
{
    return current->signals.blocked & SIGNAL_BIT(sig) ||
           action_of(current->process, sig)->handler == HANDLER_IGNORE;
}

void signal_fault(int sig, int code, u32 address, const char *fmt, ...)
{
    struct task *t = current;
    struct signal_action *action = action_of(t->process, sig);
    siginfo_t info = signal_info(sig, SI_KERNEL);
    info.si_code = code;
    info.si_addr = (void *)address;
    u32 flags = irq_save();
    if (t->signals.blocked & SIGNAL_BIT(sig) || action->handler == HANDLER_IGNORE) {
        action->handler = HANDLER_DEFAULT;
        t->signals.blocked &= ~SIGNAL_BIT(sig);
    }
    if (action->handler == HANDLER_DEFAULT && !t->killed) {
        char why[160];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(why, sizeof(why), fmt, ap);
        va_end(ap);
        kprintf("%s[%u]: killed by signal %d: %s\n", t->name, t->tid, sig, why);
        t->process->unkillable = false;
    }
    (void)signal_send_task(t, &info);
    irq_restore(flags);
}

/* ---- actions ---- */

struct signal_actions *signal_actions_new(const struct signal_actions *from)
{
    struct signal_actions *a = kzalloc(sizeof(*a));
    if (a && from)
        *a = *from;
    if (a)
        a->refs = 1;
    return a;
}

void signal_actions_put(struct signal_actions *a)
{
    if (a && --a->refs == 0)
        kfree(a);
}

int signal_actions_unshare(void)
{
    struct process *p = current->process;
    if (p->actions->refs == 1)
        return 0;
    struct signal_actions *own = signal_actions_new(p->actions);
    if (!own)
        return -ENOMEM;
    signal_actions_put(p->actions);
    p->actions = own;
    return 0;
}

void signal_exec(void)
{
    struct process *p = current->process;
    for (u32 i = 0; i < NR_SIGNALS; i++) {
        struct signal_action *a = &p->actions->of[i];
        u32 handler = a->handler == HANDLER_IGNORE ? HANDLER_IGNORE : HANDLER_DEFAULT;
        *a = (struct signal_action){.handler = handler};
    }
    current->signals.stack = (struct signal_stack){0};
    current->signals.restart.again = NULL;
}

/* ---- for the rest of the kernel: masks for one call, calls that go on later ---- */

void signal_look_again(void)
{
    current->signal_work = true;
}

long signal_restart_later(long (*again)(struct restart *), u64 deadline, u32 a, u32 b, u32 c, u32 d)
{
    current->signals.restart = (struct restart){again, deadline, {a, b, c, d}};
    return -ERESTART_RESTARTBLOCK;
}

void signal_mask_leave(bool interrupted)
{
    struct task_signals *s = &current->signals;
    if (interrupted || !s->mask_saved)
        return; /* the handler's frame takes saved_mask, or the end of signal_deliver */
    s->mask_saved = false;
    signal_set_blocked(s->saved_mask);
}
