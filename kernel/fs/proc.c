/* The tree of /proc: one table of files, a directory for each task. See proc.h. */
#include "kernel/fs/proc.h"
#include <linux/fcntl.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"

/* One entry a file; directories are implied by the names. Entries of the tasks' directories come
 * first in a table of their own. */
struct proc_file {
    const char *path;
    proc_maker make;
    proc_writer write;
    const char *link; /* a symbolic link instead */
};

static const struct proc_file files[] = {
    {"cmdline", proc_cmdline, NULL, NULL},
    {"ferry/clock", proc_ferry_clock, NULL, NULL},
    {"ferry/disk", proc_ferry_disk, NULL, NULL},
    {"ferry/exit", proc_zero, proc_write_exit, NULL},
    {"ferry/ledger", proc_ferry_ledger, NULL, NULL},
    {"ferry/net", proc_ferry_net, NULL, NULL},
    {"ferry/pages", proc_ferry_pages, NULL, NULL},
    {"ferry/proof", proc_ferry_proof, proc_write_proof, NULL},
    {"ferry/trace", proc_ferry_trace, NULL, NULL},
    {"interrupts", proc_interrupts, NULL, NULL},
    {"meminfo", proc_meminfo, NULL, NULL},
    {"mounts", proc_mounts, NULL, NULL},
    {"net/dev", proc_net_dev, NULL, NULL},
    {"net/tcp", proc_net_tcp, NULL, NULL},
    {"self", NULL, NULL, "self"},
    {"slabinfo", proc_slabinfo, NULL, NULL},
    {"stat", proc_stat, NULL, NULL},
    {"sys/ferry/drop_nth", proc_zero, proc_write_drop_nth, NULL},
    {"sys/vm/drop_caches", proc_zero, proc_write_drop_caches, NULL},
    {"uptime", proc_uptime, NULL, NULL},
    {"version", proc_version, NULL, NULL},
};
static const struct proc_file task_files[] = {
    {"comm", proc_task_comm, NULL, NULL}, {"ledger", proc_ledger, NULL, NULL},
    {"maps", proc_task_maps, NULL, NULL}, {"pagemap", NULL, NULL, NULL},
    {"stat", proc_task_stat, NULL, NULL}, {"status", proc_task_status, NULL, NULL},
};
static const char *const directories[] = {"", "ferry", "net", "sys", "sys/ferry", "sys/vm"};

/* Inode numbers: the kinds above one another. */
enum {
    INO_DIRECTORY = 1,
    INO_FILE = 100,
    INO_TASK = 1000, /* + pid * 64: the directory; + 1 + n: its files */
    INO_PER_TASK = 64,
};

static u32 task_ino(u32 pid)
{
    return INO_TASK + pid * INO_PER_TASK;
}
static u32 ino_pid(u32 ino)
{
    return (ino - INO_TASK) / INO_PER_TASK;
}

/* ---- an open text ---- */

#define TEXT_MAX (256u << 10)
static char text[TEXT_MAX]; /* makers write here; they never sleep */

struct snapshot {
    u32 refs; /* the open file, and each reader that copies from it: a copy may sleep */
    u32 len;
    struct page *pages[TEXT_MAX / PAGE_SIZE];
};

static void snapshot_put(struct snapshot *s)
{
    if (--s->refs)
        return;
    for (u32 i = 0; i < ARRAY_LEN(s->pages) && s->pages[i]; i++)
        page_put(s->pages[i], HOLD_KERNEL);
    kfree(s);
}

static struct snapshot *snapshot_make(proc_maker make, struct process *p)
{
    struct snapshot *s = kzalloc(sizeof(*s));
    if (!s)
        return NULL;
    s->refs = 1;
    s->len = MIN((u32)make(p, text, TEXT_MAX), TEXT_MAX - 1);
    for (u32 at = 0; at < s->len; at += PAGE_SIZE) {
        struct page *page = page_alloc(PAGE_KERNEL, HOLD_KERNEL);
        if (!page) {
            snapshot_put(s);
            return NULL;
        }
        memcpy(page_virt(page), text + at, MIN(s->len - at, PAGE_SIZE));
        s->pages[at / PAGE_SIZE] = page;
    }
    return s;
}

static const struct proc_file *file_of(u32 ino)
{
    return ino >= INO_TASK ? &task_files[(ino - INO_TASK) % INO_PER_TASK - 1]
                           : &files[ino - INO_FILE];
}

static ssize_t text_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    struct inode *inode = f->inode;
    const struct proc_file *pf = file_of(inode->ino);
    struct process *p = NULL;
    if (inode->ino >= INO_TASK && !(p = process_find(ino_pid(inode->ino))))
        return -ESRCH;
    if (!pf->make)
        return proc_pagemap_read(p->pid, buf, len, pos);
    if (*pos == 0 && f->private) { /* read again from the start: a new moment */
        snapshot_put(f->private);
        f->private = NULL;
    }
    if (!f->private && !(f->private = snapshot_make(pf->make, p)))
        return -ENOMEM;
    struct snapshot *s = f->private;
    s->refs++;
    ssize_t done = 0;
    while ((size_t)done < len && *pos < s->len) {
        u32 at = (u32)*pos, offset = at % PAGE_SIZE;
        u32 n = MIN(MIN(len - done, PAGE_SIZE - offset), s->len - at);
        const char *from = (char *)page_virt(s->pages[at / PAGE_SIZE]) + offset;
        if (copyout((char __user *)buf + done, from, n) < 0) {
            done = done ? done : -EFAULT;
            break;
        }
        done += n;
        *pos += n;
    }
    snapshot_put(s);
    return done;
}

static ssize_t text_write(struct file *f, const void __user *buf, size_t len, u64 *pos)
{
    const struct proc_file *pf = file_of(f->inode->ino);
    char number[16];
    size_t n = MIN(len, sizeof(number) - 1);
    if (!pf->write)
        return -EINVAL;
    if (copyin(number, buf, n) < 0)
        return -EFAULT;
    number[n] = 0;
    const char *end;
    u32 value = strtou32(number, &end);
    if (end == number)
        return -EINVAL;
    int err = pf->write(value);
    return err < 0 ? err : (ssize_t)len;
}

static void text_release(struct file *f)
{
    if (f->private)
        snapshot_put(f->private);
}

static int text_open(struct inode *inode, struct file *f)
{
    const struct proc_file *pf = file_of(inode->ino);
    return (f->flags & O_ACCMODE) != O_RDONLY && !pf->write ? -EACCES : 0;
}

static const struct file_ops text_ops = {
    .open = text_open, .read = text_read, .write = text_write, .release = text_release};

/* ---- names ---- */

/* The part of `path` below directory `dir` when it is a direct child of it, else NULL. */
static const char *child_name(const char *path, const char *dir)
{
    size_t n = strlen(dir);
    if (n) {
        if (strncmp(path, dir, n) || path[n] != '/')
            return NULL;
        path += n + 1;
    }
    return *path && !strchr(path, '/') ? path : NULL;
}

static bool is_name(const char *a, const char *name, u32 len)
{
    return a && strlen(a) == len && !memcmp(a, name, len);
}

static u32 find_child(const char *dir, const char *name, u32 len)
{
    for (u32 i = 0; i < ARRAY_LEN(files); i++)
        if (is_name(child_name(files[i].path, dir), name, len))
            return INO_FILE + i;
    for (u32 i = 1; i < ARRAY_LEN(directories); i++)
        if (is_name(child_name(directories[i], dir), name, len))
            return INO_DIRECTORY + i;
    return 0;
}

static struct inode *directory_lookup(struct inode *dir, const char *name, u32 len)
{
    const char *path = directories[dir->ino - INO_DIRECTORY];
    if (len == 2 && name[0] == '.' && name[1] == '.') {
        const char *slash = strrchr(path, '/');
        u32 parent = INO_DIRECTORY;
        for (u32 i = 1; slash && i < ARRAY_LEN(directories); i++)
            if (is_name(directories[i], path, slash - path))
                parent = INO_DIRECTORY + i;
        return inode_get(dir->super, parent);
    }
    u32 ino = find_child(path, name, len);
    if (!ino && dir->ino == INO_DIRECTORY && len < 8) { /* a number: a task */
        char digits[8];
        memcpy(digits, name, len);
        digits[len] = 0;
        const char *end;
        u32 pid = strtou32(digits, &end);
        if (!*end && digits[0] != '0' && process_find(pid))
            ino = task_ino(pid);
    }
    return ino ? inode_get(dir->super, ino) : err_ptr(-ENOENT);
}

/* Position n of a directory: "." and "..", the table's entries, then the tasks by pid. */
static int directory_readdir(struct file *file, struct dir_sink *sink)
{
    const char *path = directories[file->inode->ino - INO_DIRECTORY];
    const u32 first_task = 2 + ARRAY_LEN(files) + ARRAY_LEN(directories);
    for (; file->pos < first_task; file->pos++) {
        u32 at = (u32)file->pos, ino = file->inode->ino;
        const char *name = at == 0 ? "." : at == 1 ? ".." : NULL;
        u16 mode = S_DIR;
        if (!name && at < 2 + ARRAY_LEN(files)) {
            const struct proc_file *pf = &files[at - 2];
            name = child_name(pf->path, path);
            ino = INO_FILE + at - 2;
            mode = pf->link ? S_LNK : S_REG;
        } else if (!name && at > 2 + ARRAY_LEN(files)) {
            name = child_name(directories[at - 2 - ARRAY_LEN(files)], path);
            ino = INO_DIRECTORY + at - 2 - ARRAY_LEN(files);
        }
        if (name && !sink->emit(sink, name, strlen(name), ino, mode >> 12, at + 1))
            return 0;
    }
    if (file->inode->ino != INO_DIRECTORY)
        return 0;
    u32 last = (u32)file->pos - first_task; /* the pid listed last */
    for (;;) {
        struct process *p, *next = NULL;
        TAILQ_FOREACH (p, &all_processes, all)
            if (p->pid > last && (!next || p->pid < next->pid))
                next = p;
        if (!next)
            return 0;
        u32 pid = next->pid; /* the task may go while emit sleeps */
        char name[8];
        int n = snprintf(name, sizeof(name), "%u", pid);
        if (!sink->emit(sink, name, n, task_ino(pid), S_DIR >> 12, first_task + pid))
            return 0;
        last = pid;
        file->pos = first_task + last;
    }
}

static struct inode *task_lookup(struct inode *dir, const char *name, u32 len)
{
    if (len == 2 && name[0] == '.' && name[1] == '.')
        return inode_get(dir->super, INO_DIRECTORY);
    for (u32 i = 0; i < ARRAY_LEN(task_files); i++)
        if (is_name(task_files[i].path, name, len))
            return inode_get(dir->super, dir->ino + 1 + i);
    return err_ptr(-ENOENT);
}

static int task_readdir(struct file *file, struct dir_sink *sink)
{
    for (; file->pos < 2 + ARRAY_LEN(task_files); file->pos++) {
        u32 at = (u32)file->pos;
        const char *name = at == 0 ? "." : at == 1 ? ".." : task_files[at - 2].path;
        u32 ino = at < 2 ? file->inode->ino : file->inode->ino + at - 1;
        u16 mode = at < 2 ? S_DIR : S_REG;
        if (!sink->emit(sink, name, strlen(name), ino, mode >> 12, at + 1))
            return 0;
    }
    return 0;
}

static ssize_t self_readlink(struct inode *link, char *buf, u32 size)
{
    return MIN((u32)snprintf(buf, size, "%u", current->process->pid), size);
}

static const struct inode_ops directory_ops = {.lookup = directory_lookup};
static const struct inode_ops task_dir_ops = {.lookup = task_lookup};
static const struct inode_ops link_ops = {.readlink = self_readlink};
static const struct file_ops directory_fops = {.readdir = directory_readdir};
static const struct file_ops task_dir_fops = {.readdir = task_readdir};

static int proc_read_inode(struct inode *inode)
{
    u32 ino = inode->ino;
    inode->mode = S_DIR | 0555;
    inode->nlink = 2;
    if (ino < INO_FILE) {
        inode->ops = &directory_ops;
        inode->fops = &directory_fops;
    } else if (ino >= INO_TASK && (ino - INO_TASK) % INO_PER_TASK == 0) {
        inode->ops = &task_dir_ops;
        inode->fops = &task_dir_fops;
    } else {
        const struct proc_file *pf = file_of(ino);
        inode->nlink = 1;
        inode->mode = pf->link ? S_LNK | 0777 : pf->write ? S_REG | 0644 : S_REG | 0444;
        if (pf->link)
            inode->ops = &link_ops;
        else
            inode->fops = &text_ops;
    }
    return 0;
}

static struct super *proc_mount(struct block_device *device, u32 flags)
{
    static struct super super = {.type = "proc",
                                 .dev = 4,
                                 .magic = 0x9FA0,
                                 .block_size = PAGE_SIZE,
                                 .read_inode = proc_read_inode};
    struct inode *root = inode_get(&super, INO_DIRECTORY);
    if (is_err(root))
        return (struct super *)root;
    super.root = root;
    return &super;
}

const struct fs_type proc_fs = {"proc", proc_mount};
