/* A program's memory: /proc/<pid>/maps, and the sums that stat and status show. */
#include <linux/mman.h>
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"

static char path[PATH_MAX_LEN]; /* makers of texts do not sleep, so one is enough */

void map_line(struct text *t, const struct mm *mm, const struct vma *v)
{
    u32 dev = v->inode && v->inode->super ? v->inode->super->dev : 0;
    size_t start = t->len;
    text_printf(t, "%08x-%08x %c%c%c%c %08x %02x:%02x %u ", v->start, v->end,
                v->prot & PROT_READ ? 'r' : '-', v->prot & PROT_WRITE ? 'w' : '-',
                v->prot & PROT_EXEC ? 'x' : '-', v->shared ? 's' : 'p', v->pgoff << PAGE_SHIFT,
                dev >> 8, dev & 255, v->inode ? v->inode->ino : 0);
    const char *name = v->grows_down                                  ? "[stack]"
                       : v->inode                                     ? NULL
                       : v->start < mm->brk && v->end > mm->brk_start ? "[heap]"
                                                                      : "";
    if (!name || *name) /* names stand in a column, as on Linux */
        text_printf(t, "%*s", 73 - MIN(73, (int)(t->len - start)), "");
    if (name)
        text_string(t, name);
    else
        text_bytes(t, path, inode_describe(v->inode, path, sizeof(path)));
    text_string(t, "\n");
}

void pid_maps(struct text *t, const struct subject *s)
{
    const struct mm *mm = s->task ? s->task->mm : NULL;
    const struct vma *v;
    if (mm)
        TAILQ_FOREACH (v, &mm->vmas, link)
            map_line(t, mm, v);
}

/* By the kinds of regions, as Linux sorts them (its mm/mmap.c, vm_stat_account). */
void memory_count(struct mm *mm, struct memory_use *use)
{
    const struct vma *v;
    memset(use, 0, sizeof(*use));
    if (!mm)
        return;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        u32 n = (v->end - v->start) >> PAGE_SHIFT;
        use->size += n;
        if (v->grows_down) {
            use->stack += n;
        } else if ((v->prot & PROT_EXEC) && !(v->prot & PROT_WRITE) && v->inode) {
            *(v->inode == mm->exe ? &use->text : &use->lib) += n;
            if (v->inode == mm->exe) {
                use->start_code = v->start;
                use->end_code = v->end;
            }
        } else if ((v->prot & PROT_WRITE) && !v->shared) {
            use->data += n;
        }
    }
    use->resident = mm->nr_pages;
    for (u32 i = 0; i < USER_END >> 22; i++)
        use->tables += mm->pgdir[i] & PTE_PRESENT;
}

/* How many of a region's pages are there and belong to the page cache. */
static u32 file_pages(struct mm *mm, const struct vma *v)
{
    u32 n = 0;
    for (virt_t va = v->start; va < v->end; va += PAGE_SIZE) {
        const u32 *pte = pte_get(mm, va, false);
        if (!pte)
            va = ROUND_UP(va + 1, 4u << 20) - PAGE_SIZE; /* on with the next table */
        else if (*pte & PTE_HELD && phys_page(*pte & PAGE_MASK)->kind == PAGE_CACHE)
            n++;
    }
    return n;
}

void memory_count_files(struct mm *mm, struct memory_use *use)
{
    const struct vma *v;
    if (!mm)
        return;
    TAILQ_FOREACH (v, &mm->vmas, link) {
        u32 n = v->inode ? file_pages(mm, v) : 0;
        use->file += n;
        use->shared += v->inode && v->inode->mapping.in_ram ? n : 0;
    }
}
