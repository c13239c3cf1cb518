/* The directory of a process (/proc/<pid>) and of each of its threads (/proc/<pid>/task/<tid>). */
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"

bool subject_find(u32 ino, struct subject *s)
{
    u32 id = ino >> INO_ID_SHIFT;
    s->thread = ino & INO_THREAD;
    s->what = ino & INO_WHAT;
    s->task = task_find(id);
    s->process = s->thread && s->task ? s->task->process : process_find(id);
    if (s->thread)
        return s->task != NULL;
    if (s->process)
        s->task = process_task(s->process);
    return s->process != NULL;
}

bool is_name(const char *a, const char *name, u32 len)
{
    return strlen(a) == len && !memcmp(a, name, len);
}

u32 name_number(const char *name, u32 len)
{
    u32 n = 0;
    if (!len || len > 9 || (name[0] == '0' && len > 1))
        return ~0u;
    for (u32 i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return ~0u;
        n = n * 10 + (u32)(name[i] - '0');
    }
    return n;
}

/* ---- links ---- */

static struct inode *held(struct inode *inode)
{
    return inode ? inode_hold(inode) : err_ptr(-ENOENT);
}

static struct inode *exe_target(const struct subject *s)
{
    return held(s->task && s->task->mm ? s->task->mm->exe : NULL);
}

static struct inode *cwd_target(const struct subject *s)
{
    return held(s->task && s->task->fs ? s->task->fs->cwd : NULL);
}

static struct inode *root_target(const struct subject *s)
{
    return held(s->task ? vfs_root : NULL);
}

static const struct inode_ops threads_ops;
static const struct file_ops threads_fops;

static const struct proc_file threads = {"task", .mode = S_DIR | 0555, .ops = &threads_ops,
                                         .fops = &threads_fops};

static const struct proc_file pid_files[] = {
    {"cmdline", .text_of = pid_cmdline},
    {"comm", .text_of = pid_comm, .write_of = pid_comm_write},
    {"cwd", .target = cwd_target},
    {"environ", .mode = S_REG | 0400, .text_of = pid_environ},
    {"exe", .target = exe_target},
    {"fd", .mode = S_DIR | 0500, .ops = &fd_directory_ops, .fops = &fd_directory_fops},
    {"fdinfo", .mode = S_DIR | 0555, .ops = &fdinfo_directory_ops, .fops = &fdinfo_directory_fops},
    {"io", .mode = S_REG | 0400, .text_of = pid_io},
    {"ledger", .text_of = pid_ledger},
    {"limits", .text_of = pid_limits},
    {"maps", .text_of = pid_maps},
    {"mountinfo", .text = mountinfo_format},
    {"mounts", .text = mounts_format},
    {"oom_score", .text_of = pid_oom_score},
    {"oom_score_adj", .text_of = pid_oom_score_adj, .write_of = pid_oom_score_adj_write},
    {"pagemap", .mode = S_REG | 0400, .fops = &pagemap_fops},
    {"pagetable", .mode = S_REG | 0400, .fops = &pagetable_fops},
    {"root", .target = root_target},
    {"smaps", .text_of = pid_smaps},
    {"stat", .text_of = pid_stat},
    {"statm", .text_of = pid_statm},
    {"status", .text_of = pid_status},
    {"task", .mode = S_DIR | 0555, .ops = &threads_ops, .fops = &threads_fops},
    {"wchan", .text_of = pid_wchan},
};

/* A thread's directory has no task/ of its own. */
static bool is_shown(const struct proc_file *pf, bool thread)
{
    return !thread || pf->ops != &threads_ops;
}

static struct inode *pid_lookup(struct inode *dir, const char *name, u32 len)
{
    bool thread = dir->ino & INO_THREAD;
    struct subject s;
    if (!subject_find(dir->ino, &s))
        return err_ptr(-ENOENT);
    if (is_name("..", name, len))
        return thread ? proc_inode(ino_of(s.process->pid, false, INO_WHAT), 0, &threads)
                      : inode_hold(proc_super.root);
    for (u32 i = 0; i < ARRAY_LEN(pid_files); i++)
        if (is_name(pid_files[i].path, name, len) && is_shown(&pid_files[i], thread))
            return proc_inode(dir->ino + 1 + i, 0, &pid_files[i]);
    return err_ptr(-ENOENT);
}

static int pid_files_readdir(struct file *dir, struct dir_sink *sink)
{
    bool thread = dir->inode->ino & INO_THREAD;
    if (!proc_emit_dots(dir, sink, INO_ROOT))
        return 0;
    for (; dir->pos < 2 + ARRAY_LEN(pid_files); dir->pos++) {
        u32 i = (u32)dir->pos - 2;
        const struct proc_file *pf = &pid_files[i];
        u16 type = pf->mode ? S_TYPE(pf->mode) : pf->target ? S_LNK : S_REG;
        if (is_shown(pf, thread) && !sink->emit(sink, pf->path, strlen(pf->path),
                                                dir->inode->ino + 1 + i, type >> 12, dir->pos + 1))
            return 0;
    }
    return 0;
}

static const struct inode_ops pid_ops = {.lookup = pid_lookup};
static const struct file_ops pid_fops = {.readdir = pid_files_readdir};

struct inode *pid_directory(const char *name, u32 len, bool thread, u32 of)
{
    u32 id = name_number(name, len);
    struct subject s;
    if (id > 0xFFFFFFFF >> INO_ID_SHIFT || !subject_find(ino_of(id, thread, 0), &s) ||
        (thread && s.process->pid != of))
        return err_ptr(-ENOENT);
    struct inode *inode = proc_inode(ino_of(id, thread, 0), S_DIR | 0555, NULL);
    if (!is_err(inode)) {
        inode->ops = &pid_ops;
        inode->fops = &pid_fops;
    }
    return inode;
}

/* ---- lists of processes and of threads: by number, since one may go while emit sleeps ---- */

static int numbers_readdir(struct file *dir, struct dir_sink *sink, u32 first, bool thread,
                           u32 (*after)(u32 of, u32 last), u32 of)
{
    for (;;) {
        char name[12];
        u32 id = after(of, (u32)dir->pos - first);
        if (!id)
            return 0;
        u32 n = snprintf(name, sizeof(name), "%u", id);
        if (!sink->emit(sink, name, n, ino_of(id, thread, 0), S_DIR >> 12, first + id))
            return 0;
        dir->pos = first + id;
    }
}

static u32 pid_after(u32 of, u32 last)
{
    u32 next = 0;
    const struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pid > last && (!next || p->pid < next))
            next = p->pid;
    return next;
}

static u32 tid_after(u32 of, u32 last)
{
    u32 next = 0;
    const struct process *p = process_find(of);
    const struct task *t;
    if (p)
        TAILQ_FOREACH (t, &p->threads, thread)
            if (t->tid > last && (!next || t->tid < next))
                next = t->tid;
    return next;
}

int pid_readdir(struct file *dir, struct dir_sink *sink, u32 first)
{
    return numbers_readdir(dir, sink, first, false, pid_after, 0);
}

static struct inode *threads_lookup(struct inode *dir, const char *name, u32 len)
{
    u32 pid = dir->ino >> INO_ID_SHIFT;
    char digits[12];
    if (!is_name("..", name, len))
        return pid_directory(name, len, true, pid);
    return pid_directory(digits, snprintf(digits, sizeof(digits), "%u", pid), false, 0);
}

static int threads_readdir(struct file *dir, struct dir_sink *sink)
{
    u32 pid = dir->inode->ino >> INO_ID_SHIFT;
    if (!proc_emit_dots(dir, sink, ino_of(pid, false, 0)))
        return 0;
    return numbers_readdir(dir, sink, 2, true, tid_after, pid);
}

static const struct inode_ops threads_ops = {.lookup = threads_lookup};
static const struct file_ops threads_fops = {.readdir = threads_readdir};
