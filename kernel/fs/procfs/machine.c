/* What /proc says of the whole machine, in the formats of proc(5). */
#include "drivers/block.h"
#include "drivers/rtc.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/div.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/scan.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/usage.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/load.h"
#include "kernel/proc/oom.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/sys.h"

#define KIB_PER_PAGE (PAGE_SIZE / 1024)

/* ---- memory ---- */

static u32 page_tables(void)
{
    u32 n = 0;
    const struct process *p;
    TAILQ_FOREACH (p, &all_processes, all) {
        struct memory_use use;
        struct mm *mm = process_task(p) ? process_task(p)->mm : NULL;
        memory_count(mm, &use);
        n += mm ? use.tables + 1 : 0;
    }
    return n;
}

void proc_meminfo(struct text *t)
{
    struct memory_usage f = memory_usage();
    struct swap_totals s = swap_totals();
    u32 slab = slab_pages(), inodes = inode_pages(), locked = mm_locked_pages();
    const struct {
        const char *name;
        u32 pages;
    } lines[] = {
        {"MemTotal", total_frames},
        {"MemFree", nr_free_frames},
        {"MemAvailable", nr_free_frames + f.cached + f.buffers - f.shared - f.dirty + inodes},
        {"Buffers", f.buffers},
        {"Cached", f.cached},
        {"SwapCached", s.cached},
        {"Unevictable", locked},
        {"Mlocked", locked},
        {"SwapTotal", s.total},
        {"SwapFree", s.total - s.used},
        {"Dirty", f.dirty},
        {"Writeback", writeback_stats.in_flight},
        {"AnonPages", f.anonymous},
        {"Mapped", f.mapped},
        {"Shmem", f.shared},
        {"Slab", slab},
        {"SReclaimable", inodes},
        {"SUnreclaim", slab - inodes},
        {"KernelStack", task_count * (KSTACK_SIZE / PAGE_SIZE)},
        {"PageTables", page_tables()},
    };
    for (u32 i = 0; i < ARRAY_LEN(lines); i++) {
        text_printf(t, "%s:", lines[i].name);
        text_printf(t, "%*u kB\n", 23 - (int)strlen(lines[i].name), lines[i].pages * KIB_PER_PAGE);
    }
}

/* KiB of all disks, whatever they were: files, the file system's own, swap. */
static u64 disk_kib(bool write)
{
    u64 sectors = 0;
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        if (!d->disk)
            sectors += write ? d->sectors_written : d->sectors_read;
    return sectors / 2;
}

void proc_vmstat(struct text *t)
{
    struct memory_usage f = memory_usage();
    const struct account *a = &ledger_machine;
    text_printf(t, "nr_free_pages %u\nnr_anon_pages %u\nnr_mapped %u\nnr_file_pages %u\n",
                nr_free_frames, f.anonymous, f.mapped, f.cached + f.buffers);
    text_printf(t, "nr_dirty %u\nnr_writeback %u\nnr_shmem %u\npgpgin %llu\npgpgout %llu\n",
                f.dirty, writeback_stats.in_flight, f.shared, disk_kib(false), disk_kib(true));
    text_printf(t, "nr_dirtied %u\nnr_written %u\nbalance_dirty_pages %u\n",
                writeback_stats.dirtied, writeback_stats.written, writeback_stats.throttled);
    text_printf(t, "nr_dirty_threshold %u\nnr_dirty_background_threshold %u\n", writeback_limit(),
                writeback_background_limit());
    text_printf(t, "pswpin %u\npswpout %u\npgscan_anon %u\npgsteal_file %u\npgsteal_kswapd %u\n",
                swap_stats.in, swap_stats.out, scan_stats.scanned, cache_stats.reclaimed,
                scan_stats.taken);
    text_printf(t, "pgfault %u\npgmajfault %u\noom_kill %u\n",
                a->entries[ENTRY_MINOR_FAULT] + a->entries[ENTRY_MAJOR_FAULT],
                a->entries[ENTRY_MAJOR_FAULT], oom_kills);
}

/* ---- time ---- */

/* With nobody running. *waiting: of these ticks, with somebody waiting for a disk. */
static u64 idle_ticks(u64 *waiting)
{
    u64 all = timer_ticks(), busy = cpu_use.user + cpu_use.nice + cpu_use.system;
    u64 idle = all > busy ? all - busy : 0;
    *waiting = MIN(idle, div_u64(iowait_tsc(), timer_tsc_per_ms() * (1000 / TIMER_HZ), NULL));
    return idle;
}

void proc_uptime(struct text *t)
{
    u64 waiting;
    u32 now = (u32)timer_ticks(), idle = (u32)idle_ticks(&waiting);
    idle -= (u32)waiting;
    text_printf(t, "%u.%02u %u.%02u\n", now / TIMER_HZ, now % TIMER_HZ, idle / TIMER_HZ,
                idle % TIMER_HZ);
}

void proc_loadavg(struct text *t)
{
    load_catch_up();
    for (u32 i = 0; i < 3; i++) {
        u32 load = load_average[i] + LOAD_ONE / 200; /* rounded to hundredths */
        text_printf(t, "%u.%02u ", load >> LOAD_SHIFT, (load % LOAD_ONE) * 100 / LOAD_ONE);
    }
    text_printf(t, "%u/%u %u\n", nr_running(), task_count, last_pid);
}

void proc_stat(struct text *t)
{
    const struct account *a = &ledger_machine;
    u64 waiting, idle = idle_ticks(&waiting);
    for (u32 i = 0; i < 2; i++)
        text_printf(t, "cpu%s %llu %llu %llu %llu %llu 0 0 0 0 0\n", i ? "0" : " ", cpu_use.user,
                    cpu_use.nice, cpu_use.system, idle - waiting, waiting);
    text_printf(t, "intr %u", a->entries[ENTRY_IRQ]);
    for (u32 line = 0; line < 16; line++)
        text_printf(t, " %u", irq_count(line));
    text_printf(t, "\nctxt %u\nbtime %u\nprocesses %u\nprocs_running %u\nprocs_blocked %u\n",
                a->switches[SWITCH_VOLUNTARY] + a->switches[SWITCH_INVOLUNTARY],
                realtime_seconds() - (u32)(timer_ticks() / TIMER_HZ), tasks_started, nr_running(),
                nr_waiting());
}

/* ---- what it is ---- */

void proc_version(struct text *t)
{
    text_printf(t, "%s version %s (%s) %s\n", UTS_SYSNAME, UTS_RELEASE, __VERSION__, UTS_VERSION);
}

void proc_cmdline(struct text *t)
{
    text_string(t, cmdline());
    text_string(t, "\n");
}

static void cpuid(u32 leaf, u32 regs[4])
{
    __asm__ volatile("cpuid"
                     : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3])
                     : "a"(leaf), "c"(0));
}

static void flag_names(struct text *t, u32 bits, const char *const names[32])
{
    for (u32 i = 0; i < 32; i++)
        if (bits >> i & 1 && names[i])
            text_printf(t, " %s", names[i]);
}

/* SDM vol. 2, CPUID; the names are Linux's (its arch/x86/include/asm/cpufeatures.h). */
void proc_cpuinfo(struct text *t)
{
    static const char *const edx_names[32] = {
        "fpu",  "vme",  "de",   "pse", "tsc",  "msr", "pae",   "mce", "cx8",     "apic", NULL,
        "sep",  "mtrr", "pge",  "mca", "cmov", "pat", "pse36", "pn",  "clflush", NULL,   "dts",
        "acpi", "mmx",  "fxsr", "sse", "sse2", "ss",  "ht",    "tm",  "ia64",    "pbe"};
    static const char *const ecx_names[32] = {
        "pni",    "pclmulqdq", "dtes64", "monitor", "ds_cpl",
        "vmx",    "smx",       "est",    "tm2",     "ssse3",
        "cid",    "sdbg",      "fma",    "cx16",    "xtpr",
        "pdcm",   NULL,        "pcid",   "dca",     "sse4_1",
        "sse4_2", "x2apic",    "movbe",  "popcnt",  "tsc_deadline_timer",
        "aes",    "xsave",     NULL,     "avx",     "f16c",
        "rdrand", "hypervisor"};
    u32 id[4], one[4], brand[13] = {0};
    cpuid(0, id);
    cpuid(1, one);
    u32 family = one[0] >> 8 & 15, model = one[0] >> 4 & 15;
    if (family == 6 || family == 15)
        model |= one[0] >> 12 & 0xF0;
    if (family == 15)
        family += one[0] >> 20 & 255;
    u32 vendor[4] = {id[1], id[3], id[2], 0}, extended[4];
    cpuid(0x80000000, extended);
    for (u32 i = 0; i < 3 && extended[0] >= 0x80000004; i++)
        cpuid(0x80000002 + i, brand + 4 * i);
    u32 khz = timer_tsc_per_ms();
    text_printf(t, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n",
                (const char *)vendor, family, model);
    text_printf(t, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %u.%03u\n",
                brand[0] ? (const char *)brand : "unknown", one[0] & 15, khz / 1000, khz % 1000);
    text_printf(
        t, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\nflags\t\t:", id[0]);
    flag_names(t, one[3], edx_names);
    flag_names(t, one[2], ecx_names);
    text_printf(t, "%s%s\n\n", cpu_has_smep ? " smep" : "", cpu_has_smap ? " smap" : "");
}

void proc_devices(struct text *t)
{
    text_printf(t, "Character devices:\n  1 mem\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n\n"
                   "Block devices:\n");
    u32 last = 0;
    for (struct block_device *d = block_next(NULL); d; d = block_next(d)) {
        if (d->rdev >> 8 != last)
            text_printf(t, "%3u ide%u\n", d->rdev >> 8, d->rdev >> 8 == 3 ? 0 : 1);
        last = d->rdev >> 8;
    }
}

void proc_partitions(struct text *t)
{
    text_printf(t, "major minor  #blocks  name\n\n");
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        text_printf(t, "%4u  %7u %10llu %s\n", d->rdev >> 8, d->rdev & 255, d->nr_sectors / 2,
                    d->name);
}

/* Fields of Linux's Documentation/admin-guide/iostats.rst. Requests are not merged after they were
 * made, and how long they took is not kept: 0. */
void proc_diskstats(struct text *t)
{
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        text_printf(t, "%4u %7u %s %u 0 %llu 0 %u 0 %llu 0 %u 0 0\n", d->rdev >> 8, d->rdev & 255,
                    d->name, d->reads, d->sectors_read, d->writes, d->sectors_written,
                    d->in_flight);
}
