/*
 * The scheduler: round robin, one CPU, kernel code is never preempted.
 *
 * A task leaves the CPU where it sleeps (wait_sleep), where it yields, or on its way back to
 * user mode when its slice is used up or an interrupt has woken somebody. Idle is what runs when
 * the queue is empty: it halts the processor until the next interrupt.
 */
#include "kernel/proc/sched.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/alarm.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/load.h"
#include "kernel/proc/itimer.h"

static struct task_list run_queue = TAILQ_HEAD_INITIALIZER(run_queue);
static struct task *idle;
static struct task *retired; /* has given the CPU up for the last time */
static u64 next_deadline;    /* the earliest of all sleepers; 0: none */
static u64 idle_total, iowait_total;
static u32 nr_waiting_for_disk;
u64 idle_since;
bool need_resched;

void sched_set_idle(struct task *t)
{
    idle = t;
}

/* A thread cannot free the stack on which it ends; the next one does. Interrupts are off. */
static void free_retired(void)
{
    if (unlikely(retired != NULL)) {
        task_free(retired);
        retired = NULL;
    }
}

/* Interrupts are off. */
static void switch_to(struct task *next, enum ledger_switch kind)
{
    struct task *prev = current;
    ledger_switch(prev->account, kind);
    trace(TRACE_SWITCH, next->tid, prev->tid);
    if (prev->mm)
        fpu_save(&prev->fpu);
    current = next;
    if (next->mm) { /* a kernel thread goes on in whatever address space is loaded */
        mm_switch(next->mm);
        tss_set_kernel_stack(next->kstack + KSTACK_SIZE);
        gdt_set_tls(next->tls);
        fpu_restore(&next->fpu);
    }
    if (prev->state == TASK_DEAD)
        retired = prev;
    switch_stacks(&prev->kernel_esp, next->kernel_esp);
    free_retired();
}

/* 50 ms for a nice value of 0, 100 ms for -20, 10 ms for 19. */
u32 task_slice(const struct task *t)
{
    return (u32)MAX(TICKS_SLICE - t->process->nice / 4, 1);
}

static void pick_next(enum ledger_switch kind)
{
    u32 flags = irq_save();
    if (current->state == TASK_READY && current != idle)
        TAILQ_INSERT_TAIL(&run_queue, current, run);
    struct task *next = TAILQ_FIRST(&run_queue);
    if (next)
        TAILQ_REMOVE(&run_queue, next, run);
    else
        next = idle;
    need_resched = false;
    next->slice = task_slice(next);
    if (next != current)
        switch_to(next, kind);
    irq_restore(flags);
}

void schedule(void)
{
    pick_next(SWITCH_VOLUNTARY);
}

void sched_yield_if_needed(void)
{
    if (need_resched)
        pick_next(SWITCH_INVOLUNTARY);
}

/* The first thing a new task does. */
void task_started(void)
{
    free_retired();
    irq_enable();
    if (current->set_child_tid && /* CLONE_CHILD_SETTID: a bad address is the caller's loss */
        copyout((void __user *)current->set_child_tid, &current->tid, sizeof(current->tid)) < 0)
        current->set_child_tid = 0;
}

void task_wake(struct task *t)
{
    u32 flags = irq_save();
    if (t->state == TASK_SLEEPING) {
        if (t->sleeping_on) {
            TAILQ_REMOVE(&t->sleeping_on->sleepers, t, run);
            t->sleeping_on = NULL;
        }
        t->deadline = 0;
        t->state = TASK_READY;
        TAILQ_INSERT_TAIL(&run_queue, t, run);
        need_resched = true;
    }
    irq_restore(flags);
}

static void wake_watchers(struct wait_queue *q)
{
    struct watcher *w, *next;
    TAILQ_FOREACH_SAFE (w, &q->watchers, link, next)
        w->woken(w);
}

void wake_all(struct wait_queue *q)
{
    u32 flags = irq_save();
    struct task *t;
    while ((t = TAILQ_FIRST(&q->sleepers)))
        task_wake(t);
    wake_watchers(q);
    irq_restore(flags);
}

void wake_one(struct wait_queue *q)
{
    u32 flags = irq_save();
    struct task *t = TAILQ_FIRST(&q->sleepers);
    if (t)
        task_wake(t);
    wake_watchers(q);
    irq_restore(flags);
}

bool wait_sleep(struct wait_queue *q, u64 deadline)
{
    struct task *t = current;
    ASSERT(t != idle);
    t->state = TASK_SLEEPING;
    t->sleeping_on = q;
    t->deadline = deadline;
    t->timed_out = false;
    if (q)
        TAILQ_INSERT_TAIL(&q->sleepers, t, run);
    if (deadline && (!next_deadline || deadline < next_deadline))
        next_deadline = deadline;
    schedule();
    return !t->timed_out;
}

void wait_sleep_disk(struct wait_queue *q)
{
    nr_waiting_for_disk++;
    current->waits_for_disk = true;
    wait_sleep(q, 0);
    current->waits_for_disk = false;
    nr_waiting_for_disk--;
}

void task_sleep_ticks(u64 ticks)
{
    u64 until = timer_ticks() + ticks;
    u32 flags = irq_save();
    while (timer_ticks() < until && !task_killed())
        wait_sleep(NULL, until);
    irq_restore(flags);
}

static void wake_sleepers(u64 now)
{
    next_deadline = 0;
    struct task *t;
    TAILQ_FOREACH (t, &all_tasks, all) {
        if (t->state != TASK_SLEEPING || !t->deadline)
            continue;
        if (t->deadline <= now) {
            t->timed_out = true;
            task_wake(t);
        } else if (!next_deadline || t->deadline < next_deadline) {
            next_deadline = t->deadline;
        }
    }
}

static void charge_tick(struct task *t, bool from_user)
{
    load_tick(t, from_user);
    *(from_user ? &t->cpu_ticks_user : &t->cpu_ticks_system) += 1;
    if (unlikely(t->process->itimers.cpu_in_use))
        cpu_timers_tick(t->process, from_user);
    if (t->slice && --t->slice == 0)
        need_resched = true;
}

void sched_tick(bool from_user, u32 ticks)
{
    u64 now = timer_ticks();
    if (next_deadline && next_deadline <= now)
        wake_sleepers(now);
    alarm_ring_due(now);
    if (current == idle)
        return;
    for (; ticks > 1; ticks--) /* interrupts were off: the kernel's time */
        charge_tick(current, false);
    if (ticks)
        charge_tick(current, from_user);
}

void idle_interrupted(void)
{
    u64 idle_for = rdtsc() - idle_since;
    idle_total += idle_for;
    if (nr_waiting_for_disk)
        iowait_total += idle_for;
    idle_since = 0;
}

u64 idle_tsc(void)
{
    return idle_total;
}

u64 iowait_tsc(void)
{
    return iowait_total;
}

bool sched_idle(void)
{
    return current == idle && TAILQ_EMPTY(&run_queue);
}

/* Halts the processor until the next interrupt has been served. Interrupts are off, before and
 * after. */
void sched_halt(void)
{
    idle_since = rdtsc();
    __asm__ volatile("sti; hlt; cli" ::: "memory"); /* sti acts after hlt has begun */
}

/* Of two ticks, of which 0 is none. */
static u64 earlier(u64 a, u64 b)
{
    return !a || (b && b < a) ? b : a;
}

void idle_loop(void)
{
    for (;;) {
        irq_disable();
        if (TAILQ_EMPTY(&run_queue)) {
            timer_idle(earlier(next_deadline, alarm_next()));
            sched_halt();
        } else {
            timer_busy();
            schedule();
        }
    }
}
