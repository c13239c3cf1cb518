/* What the files of /proc say. Formats are Linux's where a file is Linux's (proc(5)); those under
 * ferry/ are described in docs/architecture.md. */
#include "drivers/ide/ide.h"
#include "kernel/fs/proc.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/sys/sys.h"

int proc_zero(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size, "0\n");
}

int proc_ledger(struct process *p, char *buf, size_t size)
{
    net_reap();
    return ledger_format(p->account, buf, size);
}

int proc_ferry_ledger(struct process *p, char *buf, size_t size)
{
    net_reap();
    return ledger_format(&ledger_machine, buf, size);
}

int proc_ferry_clock(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size, "tsc %llu\nidle %llu\nicount %u\n", rdtsc(), idle_tsc(),
                    cmdline_has("ferry.icount"));
}

int proc_ferry_pages(struct process *p, char *buf, size_t size)
{
    static const char *const names[] = {
#define X(name, text) text,
        HOLDERS(X)
#undef X
    };
    net_reap();
    slab_trim();
    int n = snprintf(buf, size, "total %u\nfree %u\n", total_frames, nr_free_frames);
    for (u32 i = 0; i < NR_HOLDERS; i++)
        n += snprintf(buf + n, size - n, "hold %s %u\n", names[i], page_holds[i]);
    return n;
}

int proc_ferry_net(struct process *p, char *buf, size_t size)
{
    net_reap();
    return net_format(buf, size);
}

int proc_ferry_disk(struct process *p, char *buf, size_t size)
{
    int n = ide_format(buf, size);
    return n + snprintf(buf + n, size - n,
                        "cache_pages %u\ncache_hits %u\ncache_misses %u\ncache_readahead %u\n"
                        "cache_reclaimed %u\n",
                        cache_stats.pages, cache_stats.hits, cache_stats.misses,
                        cache_stats.readahead_pages, cache_stats.reclaimed);
}

int proc_ferry_proof(struct process *p, char *buf, size_t size)
{
    return net_proof_format(buf, size);
}
int proc_ferry_trace(struct process *p, char *buf, size_t size)
{
    return trace_format(buf, size);
}
int proc_interrupts(struct process *p, char *buf, size_t size)
{
    return irq_format(buf, size);
}
int proc_slabinfo(struct process *p, char *buf, size_t size)
{
    return slab_format(buf, size);
}
int proc_mounts(struct process *p, char *buf, size_t size)
{
    return mounts_format(buf, size);
}
int proc_net_dev(struct process *p, char *buf, size_t size)
{
    return net_dev_format(buf, size);
}
int proc_net_tcp(struct process *p, char *buf, size_t size)
{
    return net_tcp_format(buf, size);
}

int proc_meminfo(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size,
                    "MemTotal:       %8u kB\nMemFree:        %8u kB\nMemAvailable:   %8u kB\n"
                    "Buffers:        %8u kB\nCached:         %8u kB\n",
                    total_frames * 4, nr_free_frames * 4, (nr_free_frames + cache_stats.pages) * 4,
                    0, cache_stats.pages * 4);
}

int proc_uptime(struct process *p, char *buf, size_t size)
{
    u32 hundredths = (u32)timer_ticks();
    return snprintf(buf, size, "%u.%02u 0.00\n", hundredths / 100, hundredths % 100);
}

int proc_version(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size, "%s version %s (%s)\n", SYSTEM_NAME, SYSTEM_RELEASE, __VERSION__);
}

int proc_cmdline(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size, "%s\n", cmdline());
}

int proc_stat(struct process *p, char *buf, size_t size)
{
    const struct account *a = &ledger_machine;
    return snprintf(buf, size, "ctxt %u\nintr %u\nprocesses %u\n", a->switches[0] + a->switches[1],
                    a->entries[ENTRY_IRQ], 0);
}

static char state_letter(const struct process *p)
{
    const struct task *t = process_task(p);
    return !t ? 'Z' : t->state == TASK_SLEEPING ? 'S' : 'R';
}

static u32 parent_pid(const struct process *p)
{
    return p->parent ? p->parent->pid : 0;
}

static struct mm *process_mm(const struct process *p)
{
    const struct task *t = process_task(p);
    return t ? t->mm : NULL;
}

static u32 resident_pages(const struct process *p)
{
    const struct mm *mm = process_mm(p);
    return mm ? mm->nr_pages : 0;
}

/* proc(5): the 52 fields of /proc/<pid>/stat; those that we do not keep are 0. */
int proc_task_stat(struct process *p, char *buf, size_t size)
{
    u32 faults_minor = p->account->entries[ENTRY_MINOR_FAULT];
    u32 faults_major = p->account->entries[ENTRY_MAJOR_FAULT];
    u64 user, system;
    process_cpu_ticks(p, &user, &system);
    return snprintf(buf, size,
                    "%u (%s) %c %u %u %u 0 -1 0 %u 0 %u 0 %u %u 0 0 20 0 %u 0 0 0 %u 4294967295 "
                    "0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                    p->pid, p->name, state_letter(p), parent_pid(p), p->pgid, p->sid, faults_minor,
                    faults_major, (u32)user, (u32)system, p->nr_threads, resident_pages(p));
}

int proc_task_status(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size,
                    "Name:\t%s\nState:\t%c\nPid:\t%u\nPPid:\t%u\nVmRSS:\t%u kB\n"
                    "voluntary_ctxt_switches:\t%u\nnonvoluntary_ctxt_switches:\t%u\n",
                    p->name, state_letter(p), p->pid, parent_pid(p), resident_pages(p) * 4,
                    p->account->switches[SWITCH_VOLUNTARY],
                    p->account->switches[SWITCH_INVOLUNTARY]);
}

int proc_task_maps(struct process *p, char *buf, size_t size)
{
    struct mm *mm = process_mm(p);
    return mm ? maps_format(mm, buf, size) : 0;
}

int proc_task_comm(struct process *p, char *buf, size_t size)
{
    return snprintf(buf, size, "%s\n", p->name);
}

/* Bit 63: present; 61: of a file; 0-54: frame number. */
static u64 pagemap_entry(struct mm *mm, u32 page)
{
    u32 *pte = pte_get(mm, page << PAGE_SHIFT, false);
    if (!pte || !(*pte & PTE_PRESENT))
        return 0;
    bool of_file = phys_page(*pte & PAGE_MASK)->kind == PAGE_CACHE;
    return (u64)1 << 63 | (u64)of_file << 61 | *pte >> PAGE_SHIFT;
}

/* In pieces, and the task is looked up for each: it may go while a copy sleeps. */
ssize_t proc_pagemap_read(u32 pid, void __user *buf, size_t len, u64 *pos)
{
    if (*pos % 8 || len % 8)
        return -EINVAL;
    size_t done = 0;
    while (done < len) {
        u64 entries[32], page = *pos / 8;
        u32 n = 0;
        const struct process *p = process_find(pid);
        if (!p)
            return done ? (ssize_t)done : -ESRCH;
        struct mm *mm = process_mm(p);
        for (; n < ARRAY_LEN(entries) && done + n * 8 < len; n++) {
            if (!mm || page + n >= USER_END >> PAGE_SHIFT)
                break;
            entries[n] = pagemap_entry(mm, (u32)page + n);
        }
        if (!n)
            break;
        if (copyout((char __user *)buf + done, entries, n * 8) < 0)
            return done ? (ssize_t)done : -EFAULT;
        done += n * 8;
        *pos += n * 8;
    }
    return done;
}

int proc_write_drop_caches(u32 value)
{
    if (value < 1 || value > 3)
        return -EINVAL;
    if (value & 1)
        cache_drop_clean();
    if (value & 2)
        inode_drop_unused(true);
    slab_trim();
    return 0;
}

int proc_write_proof(u32 value)
{
    net_proof_enable(value != 0);
    return 0;
}

int proc_write_drop_nth(u32 value)
{
    return net_set_drop_nth(value);
}

int proc_write_exit(u32 value)
{
    if (value)
        power_fail();
    power_off();
}
