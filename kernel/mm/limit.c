/*
 * How much a program may map.
 *
 * Memory is promised freely and given when it is touched, as Linux does where nobody has set
 * vm.overcommit_memory: only a request for more than all of RAM and swap at once is refused. Who
 * touches more than there is, is killed (fault.c). RLIMIT_AS and RLIMIT_DATA of setrlimit(2) refuse
 * earlier.
 */
#include <linux/mman.h>
#include <linux/resource.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/swap.h"
#include "kernel/proc/process.h"

static bool is_data(const struct vma *v)
{
    return (v->prot & PROT_WRITE) && !v->shared && !v->grows_down;
}

static bool within(u32 limit, u32 pages, u32 more)
{
    return limit == UINT32_MAX ||
           (limit >> PAGE_SHIFT >= pages && limit >> PAGE_SHIFT >= pages + more);
}

int mm_may_grow(struct mm *mm, u32 len, bool data, bool backed)
{
    u32 all = 0, private = 0, more = len >> PAGE_SHIFT;
    struct vma *v;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        u32 nr = (v->end - v->start) >> PAGE_SHIFT;
        all += nr;
        private += is_data(v) ? nr : 0;
    }
    const struct limit *limits = current->process->limits;
    if (!within(limits[RLIMIT_AS].soft, all, more) ||
        (data && !within(limits[RLIMIT_DATA].soft, private, more)))
        return -ENOMEM;
    return backed || more <= total_frames + swap_totals().total ? 0 : -ENOMEM;
}
