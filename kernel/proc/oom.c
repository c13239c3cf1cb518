/*
 * Out of memory: one program has to go.
 *
 * Memory is promised freely (kernel/mm/limit.c) and may be missing when it is touched. The rule:
 * the program with the most pages, in memory and in swap, is killed, of equals the youngest; never
 * init, and none whose oom_score_adj forbids it. While one is dying no second one is killed:
 * whoever needs a page waits for the dying one's.
 */
#include "kernel/proc/oom.h"
#include <asm/signal.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/exit.h"

u32 oom_kills;

static u32 pages_of(const struct process *p)
{
    const struct task *t = process_task(p);
    return t && t->mm ? t->mm->nr_pages + t->mm->nr_swapped : 0;
}

/* As on Linux: a thousandth of all memory for each point that a program was given. */
u32 oom_points(const struct process *p)
{
    s32 points = (s32)pages_of(p) + p->oom_score_adj * (s32)total_frames / 1000;
    return p->oom_score_adj == OOM_NEVER || !pages_of(p) ? 0 : (u32)MAX(points, 1);
}

bool out_of_memory(void)
{
    struct process *p, *biggest = NULL;
    bool dying = false;
    TAILQ_FOREACH (p, &all_processes, all) {
        if (p->pid == 1 || !oom_points(p))
            continue;
        dying |= p->exiting;
        if (!biggest || oom_points(p) >= oom_points(biggest))
            biggest = p;
    }
    if (!biggest)
        biggest = current->process; /* init alone is left: then nothing can go on */
    if (!dying) {
        kprintf("out of memory: %s[%u], the biggest program with %u KiB, is killed\n",
                biggest->name, biggest->pid, pages_of(biggest) * (PAGE_SIZE >> 10));
        oom_kills++;
        process_kill(biggest, SIGKILL);
    }
    if (current->killed)
        return false;
    task_sleep_ticks(1);
    return !current->killed;
}
