/* What the files of /proc/<pid> say, in the formats of proc(5). Fields of Linux that stand for
 * what Ferry does not have are 0. */
#include "kernel/fs/procfs/proc.h"
#include <linux/capability.h>
#include <linux/resource.h>
#include "kernel/cpu/trap.h"
#include "kernel/fs/tty.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/proc/oom.h"

static struct mm *subject_mm(const struct subject *s)
{
    return s->task ? s->task->mm : NULL;
}

static u32 parent_pid(const struct process *p)
{
    return p->parent ? p->parent->pid : 0;
}

char state_letter(const struct subject *s)
{
    return !s->task                          ? 'Z'
           : s->task->signals.stopped        ? 'T'
           : s->task->state != TASK_SLEEPING ? 'R'
           : s->task->waits_for_disk         ? 'D'
                                             : 'S';
}

static const char *state_name(char letter)
{
    return letter == 'R'   ? "running"
           : letter == 'S' ? "sleeping"
           : letter == 'D' ? "disk sleep"
           : letter == 'T' ? "stopped"
                           : "zombie";
}

static const char *subject_name(const struct subject *s)
{
    return s->thread ? s->task->name : s->process->name;
}

static u32 subject_id(const struct subject *s)
{
    return s->thread ? s->task->tid : s->process->pid;
}

/* Processor time in ticks: of the thread, or of all threads there have been. */
static void subject_ticks(const struct subject *s, u64 *user, u64 *system)
{
    if (s->thread) {
        *user = s->task->cpu_ticks_user;
        *system = s->task->cpu_ticks_system;
    } else {
        process_cpu_ticks(s->process, user, system);
    }
}

/* ---- signals ---- */

#define SIGNALS31(set) ((u32)(set)&0x7FFFFFFF) /* what fits the old fields of stat */

static u64 blocked(const struct subject *s)
{
    return s->task ? s->task->signals.blocked : 0;
}

static u64 signals_with(const struct subject *s, u32 handler)
{
    u64 set = 0;
    for (u32 sig = 1; s->process->actions && sig <= NR_SIGNALS; sig++)
        if (s->process->actions->of[sig - 1].handler == handler)
            set |= SIGNAL_BIT(sig);
    return set;
}

static u64 signals_caught(const struct subject *s)
{
    if (!s->process->actions)
        return 0;
    return ~(signals_with(s, HANDLER_DEFAULT) | signals_with(s, HANDLER_IGNORE));
}

static u32 signals_queued(const struct pending_signals *pending)
{
    u32 n = 0;
    for (u64 set = pending->set; set; set &= set - 1)
        n++;
    return n;
}

static void status_signals(struct text *t, const struct subject *s)
{
    const struct process *p = s->process;
    u64 own = s->task ? s->task->signals.pending.set : 0;
    text_printf(t, "SigQ:\t%u/%u\n", signals_queued(&p->pending),
                p->limits[RLIMIT_SIGPENDING].soft);
    text_printf(t, "SigPnd:\t%016llx\nShdPnd:\t%016llx\nSigBlk:\t%016llx\n", own, p->pending.set,
                blocked(s));
    text_printf(t, "SigIgn:\t%016llx\nSigCgt:\t%016llx\n", signals_with(s, HANDLER_IGNORE),
                signals_caught(s));
}

/* proc(5): the 52 fields of /proc/<pid>/stat, a line of the source for each group. */
void pid_stat(struct text *t, const struct subject *s)
{
    const struct process *p = s->process;
    struct mm *mm = subject_mm(s);
    const u32 *entries = p->account->entries;
    struct memory_use use;
    u64 user, system;
    subject_ticks(s, &user, &system);
    memory_count(mm, &use);
    text_printf(t, "%u (%s) %c %u %u %u %u %d 0 ", subject_id(s), subject_name(s), state_letter(s),
                parent_pid(p), p->pgid, p->sid, p->tty ? p->tty->rdev : 0,
                p->tty ? (s32)p->tty->foreground : -1);
    text_printf(t, "%u %u %u %u %llu %llu %llu %llu ", entries[ENTRY_MINOR_FAULT],
                p->children_usage.faults_minor, entries[ENTRY_MAJOR_FAULT],
                p->children_usage.faults_major, user, system, p->children_usage.ticks_user,
                p->children_usage.ticks_system);
    text_printf(t, "%d %d %u 0 %llu ", 20 + p->nice, p->nice, p->nr_threads, p->start_tick);
    text_printf(t, "%u %u 4294967295 ", use.size * PAGE_SIZE, use.resident);
    text_printf(t, "%u %u %u %u %u ", use.start_code, use.end_code, mm ? mm->start_stack : 0,
                mm && s->task->frame ? s->task->frame->esp : 0,
                mm && s->task->frame ? s->task->frame->eip : 0);
    u64 pending = s->task ? s->task->signals.pending.set | p->pending.set : 0;
    text_printf(t, "%u %u %u %u 0 0 0 ", SIGNALS31(pending), SIGNALS31(blocked(s)),
                SIGNALS31(signals_with(s, HANDLER_IGNORE)), SIGNALS31(signals_caught(s)));
    text_printf(t, "%u 0 0 0 0 0 0 ", p->exit_signal); /* processor, priorities, delays, guests */
    text_printf(t, "0 0 %u %u %u %u %u %d\n", mm ? mm->brk_start : 0, mm ? mm->arg_start : 0,
                mm ? mm->arg_end : 0, mm ? mm->env_start : 0, mm ? mm->env_end : 0,
                s->task ? 0 : p->exit_status);
}

void pid_statm(struct text *t, const struct subject *s)
{
    struct memory_use use;
    memory_count(subject_mm(s), &use);
    memory_count_files(subject_mm(s), &use);
    text_printf(t, "%u %u %u %u 0 %u 0\n", use.size, use.resident, use.file, use.text,
                use.data + use.stack);
}

static void status_memory(struct text *t, struct mm *mm, u32 pages_max)
{
    struct memory_use use;
    memory_count(mm, &use);
    memory_count_files(mm, &use);
    const struct {
        const char *name;
        u32 pages;
    } lines[] = {
        {"VmSize", use.size},
        {"VmLck", mm ? mm_locked(mm) : 0},
        {"VmHWM", MAX(pages_max, use.resident)},
        {"VmRSS", use.resident},
        {"RssAnon", use.resident - use.file},
        {"RssFile", use.file - use.shared},
        {"RssShmem", use.shared},
        {"VmData", use.data},
        {"VmStk", use.stack},
        {"VmExe", use.text},
        {"VmLib", use.lib},
        {"VmPTE", use.tables},
        {"VmSwap", mm ? mm->nr_swapped : 0},
    };
    for (u32 i = 0; i < ARRAY_LEN(lines); i++)
        text_printf(t, "%s:\t%8u kB\n", lines[i].name, lines[i].pages * (PAGE_SIZE / 1024));
}

static void status_identity(struct text *t, const struct cred *c)
{
    text_printf(t, "Uid:\t%u\t%u\t%u\t%u\n", c->uid, c->euid, c->suid, c->fsuid);
    text_printf(t, "Gid:\t%u\t%u\t%u\t%u\n", c->gid, c->egid, c->sgid, c->fsgid);
    text_printf(t, "FDSize:\t%u\nGroups:\t", NR_FDS);
    for (u32 i = 0; c->groups && i < c->groups->count; i++)
        text_printf(t, "%u ", c->groups->gid[i]);
    text_string(t, c->groups && c->groups->count ? "\n" : " \n");
}

static void status_capabilities(struct text *t, const struct cred *c)
{
    text_printf(t, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\n", c->inheritable,
                c->permitted, c->effective);
    text_printf(t, "CapBnd:\t%016llx\nCapAmb:\t%016llx\n", CAPABILITIES_ALL, 0ull);
}

void pid_status(struct text *t, const struct subject *s)
{
    const struct process *p = s->process;
    char letter = state_letter(s);
    text_printf(t, "Name:\t%s\n", subject_name(s));
    if (s->task && s->task->fs)
        text_printf(t, "Umask:\t%04o\n", s->task->fs->umask);
    text_printf(t, "State:\t%c (%s)\nTgid:\t%u\nNgid:\t0\nPid:\t%u\nPPid:\t%u\nTracerPid:\t0\n",
                letter, state_name(letter), p->pid, subject_id(s), parent_pid(p));
    status_identity(t, s->task ? &s->task->cred : &cred_root);
    if (subject_mm(s))
        status_memory(t, subject_mm(s), p->pages_max);
    text_printf(t, "Threads:\t%u\n", p->nr_threads);
    status_signals(t, s);
    status_capabilities(t, s->task ? &s->task->cred : &cred_root);
    text_printf(t, "voluntary_ctxt_switches:\t%u\nnonvoluntary_ctxt_switches:\t%u\n",
                p->account->switches[SWITCH_VOLUNTARY], p->account->switches[SWITCH_INVOLUNTARY]);
}

/* A part of the program's memory, as far as it is there. */
static void copy_memory(struct text *t, const struct subject *s, virt_t from, virt_t to)
{
    struct mm *mm = s->task->mm;
    char piece[128];
    while (from < to) {
        u32 n = mm_peek(mm, from, piece, MIN(to - from, sizeof(piece)));
        if (!n)
            return;
        text_bytes(t, piece, n);
        from += n;
    }
}

void pid_cmdline(struct text *t, const struct subject *s)
{
    const struct mm *mm = subject_mm(s);
    if (mm)
        copy_memory(t, s, mm->arg_start, mm->arg_end);
}

void pid_environ(struct text *t, const struct subject *s)
{
    const struct mm *mm = subject_mm(s);
    if (mm)
        copy_memory(t, s, mm->env_start, mm->env_end);
}

void pid_comm(struct text *t, const struct subject *s)
{
    text_printf(t, "%s\n", subject_name(s));
}

/* A thread of the program itself may do so, as on Linux. */
int pid_comm_write(const struct subject *s, const char *value)
{
    if (s->process != current->process)
        return -EINVAL;
    if (!s->thread || s->task->tid == s->process->pid)
        strlcpy(s->process->name, value, TASK_NAME);
    strlcpy(s->task->name, value, TASK_NAME);
    return 0;
}

/* What was moved over these edges; a checksum moves nothing. */
static struct ledger_cell moved(const struct account *a, const enum ledger_edge *edges, u32 n)
{
    struct ledger_cell sum = {0};
    for (u32 i = 0; i < n; i++) {
        for (u32 m = 0; m < MOVER_TOUCH; m++) {
            sum.bytes += a->edges[edges[i]][m].bytes;
            sum.ops += a->edges[edges[i]][m].ops;
        }
    }
    return sum;
}

/* From the ledger: what went to the program and came from it. syscr and syscw are the ledger's
 * moves, of at most a page each, where Linux counts calls. */
void pid_io(struct text *t, const struct subject *s)
{
    static const enum ledger_edge to_user[] = {EDGE_CACHE_USER, EDGE_DISK_USER, EDGE_PIPE_USER,
                                               EDGE_SOCK_USER},
                                  from_user[] = {EDGE_USER_CACHE, EDGE_USER_SOCK, EDGE_USER_PIPE,
                                                 EDGE_USER_NIC},
                                  from_disk[] = {EDGE_DISK_CACHE, EDGE_DISK_USER},
                                  to_disk[] = {EDGE_CACHE_DISK};
    const struct account *a = s->process->account;
    struct ledger_cell r = moved(a, to_user, ARRAY_LEN(to_user));
    struct ledger_cell w = moved(a, from_user, ARRAY_LEN(from_user));
    text_printf(t, "rchar: %llu\nwchar: %llu\nsyscr: %u\nsyscw: %u\n", r.bytes, w.bytes, r.ops,
                w.ops);
    r = moved(a, from_disk, ARRAY_LEN(from_disk));
    w = moved(a, to_disk, ARRAY_LEN(to_disk));
    text_printf(t, "read_bytes: %llu\nwrite_bytes: %llu\ncancelled_write_bytes: 0\n", r.bytes,
                w.bytes);
}

static void limit_value(struct text *t, u32 value)
{
    if (value == ~0u)
        text_printf(t, "%-20s ", "unlimited");
    else
        text_printf(t, "%-20u ", value);
}

void pid_limits(struct text *t, const struct subject *s)
{
    static const struct {
        const char *name, *unit;
    } names[NR_LIMITS] = {
        /* in the order of <asm-generic/resource.h> */
        {"Max cpu time", "seconds"},     {"Max file size", "bytes"},
        {"Max data size", "bytes"},      {"Max stack size", "bytes"},
        {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
        {"Max processes", "processes"},  {"Max open files", "files"},
        {"Max locked memory", "bytes"},  {"Max address space", "bytes"},
        {"Max file locks", "locks"},     {"Max pending signals", "signals"},
        {"Max msgqueue size", "bytes"},  {"Max nice priority", ""},
        {"Max realtime priority", ""},   {"Max realtime timeout", "us"},
    };
    text_printf(t, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (u32 i = 0; i < NR_LIMITS; i++) {
        text_printf(t, "%-25s ", names[i].name);
        limit_value(t, s->process->limits[i].soft);
        limit_value(t, s->process->limits[i].hard);
        text_printf(t, "%-10s\n", names[i].unit);
    }
}

void pid_oom_score(struct text *t, const struct subject *s)
{
    text_printf(t, "%u\n", oom_points(s->process) * 1000 / total_frames);
}

void pid_oom_score_adj(struct text *t, const struct subject *s)
{
    text_printf(t, "%d\n", s->process->oom_score_adj);
}

int pid_oom_score_adj_write(const struct subject *s, const char *value)
{
    u32 n;
    bool negative = *value == '-';
    if (proc_number(value + negative, &n) < 0 || n > 1000)
        return -EINVAL;
    s32 adjust = negative ? -(s32)n : (s32)n;
    if (adjust < s->process->oom_score_adj && !capable(CAP_SYS_RESOURCE))
        return -EACCES;
    s->process->oom_score_adj = adjust;
    return 0;
}

/* Where it sleeps: not kept by name. "0" is what Linux shows who must not know. */
void pid_wchan(struct text *t, const struct subject *s)
{
    text_string(t, "0");
}

void pid_ledger(struct text *t, const struct subject *s)
{
    net_reap();
    ledger_format(s->process->account, t);
}
