/*
 * What a process has used. Processor time is counted in ticks, where the timer finds it; faults and
 * switches are those of its ledger account.
 */
#include "kernel/proc/usage.h"
#include <linux/resource.h>
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"

struct usage usage_of(const struct process *p)
{
    const struct account *a = p->account;
    struct usage u = {
        .faults_minor = a->entries[ENTRY_MINOR_FAULT],
        .faults_major = a->entries[ENTRY_MAJOR_FAULT],
        .switches_voluntary = a->switches[SWITCH_VOLUNTARY],
        .switches_involuntary = a->switches[SWITCH_INVOLUNTARY],
        .pages_max = p->pages_max,
    };
    process_cpu_ticks(p, &u.ticks_user, &u.ticks_system);
    return u;
}

void usage_add(struct usage *sum, const struct usage *u)
{
    sum->ticks_user += u->ticks_user;
    sum->ticks_system += u->ticks_system;
    sum->faults_minor += u->faults_minor;
    sum->faults_major += u->faults_major;
    sum->switches_voluntary += u->switches_voluntary;
    sum->switches_involuntary += u->switches_involuntary;
    sum->pages_max = MAX(sum->pages_max, u->pages_max);
}

struct rusage_abi {
    s32 user_sec, user_usec, system_sec, system_usec;
    s32 max_kib, shared, data, stack;
    s32 faults_minor, faults_major, swaps, in_blocks, out_blocks;
    s32 messages_sent, messages_received, signals;
    s32 switches_voluntary, switches_involuntary;
};

int usage_out(const struct usage *u, void __user *to)
{
    const u32 usec_per_tick = 1000000 / TIMER_HZ;
    u32 user = (u32)u->ticks_user, system = (u32)u->ticks_system;
    struct rusage_abi r = {
        .user_sec = (s32)(user / TIMER_HZ),
        .user_usec = (s32)(user % TIMER_HZ * usec_per_tick),
        .system_sec = (s32)(system / TIMER_HZ),
        .system_usec = (s32)(system % TIMER_HZ * usec_per_tick),
        .max_kib = (s32)(u->pages_max * (PAGE_SIZE >> 10)),
        .faults_minor = (s32)u->faults_minor,
        .faults_major = (s32)u->faults_major,
        .switches_voluntary = (s32)u->switches_voluntary,
        .switches_involuntary = (s32)u->switches_involuntary,
    };
    return copyout(to, &r, sizeof(r));
}

long sys_getrusage(s32 who, void __user *to)
{
    const struct process *p = current->process;
    struct usage u = usage_of(p);
    switch (who) {
    case RUSAGE_SELF:
        u.pages_max = MAX(u.pages_max, current->mm->nr_pages);
        break;
    case RUSAGE_CHILDREN:
        u = p->children_usage;
        break;
    case RUSAGE_THREAD: /* faults and switches are kept for the process alone */
        u.ticks_user = current->cpu_ticks_user;
        u.ticks_system = current->cpu_ticks_system;
        break;
    default:
        return -EINVAL;
    }
    return usage_out(&u, to);
}

long sys_times(void __user *to)
{
    const struct usage u = usage_of(current->process), *c = &current->process->children_usage;
    u32 t[4] = {(u32)u.ticks_user, (u32)u.ticks_system, (u32)c->ticks_user, (u32)c->ticks_system};
    if (to && copyout(to, t, sizeof(t)) < 0)
        return -EFAULT;
    return (long)timer_ticks();
}
