/*
 * /proc/<pid>/fd: a link for each open file, which leads to the file itself whatever its name says
 * (so /dev/stdin works on a pipe), and /proc/<pid>/fdinfo: its position and flags.
 */
#include <linux/fcntl.h>
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"

u32 inode_describe(const struct inode *inode, char *buf, u32 size)
{
    char text[40];
    u32 n;
    u16 type = S_TYPE(inode->mode);
    int len = path_of((struct inode *)inode, buf, size);
    if (len >= 0) {
        static const char deleted[] = " (deleted)";
        n = inode->nlink ? 0 : MIN(sizeof(deleted) - 1, size - (u32)len);
        memcpy(buf + len, deleted, n);
        return (u32)len + n;
    }
    if (type == S_FIFO || type == S_SOCK)
        n = snprintf(text, sizeof(text), "%s:[%u]", type == S_FIFO ? "pipe" : "socket", inode->ino);
    else if (type == S_REG)
        n = snprintf(text, sizeof(text), "/dev/zero (deleted)"); /* shared memory, as on Linux */
    else
        n = snprintf(text, sizeof(text), "anon_inode:[%s]", inode->name ? inode->name : "");
    n = MIN(n, size);
    memcpy(buf, text, n);
    return n;
}

static struct file *open_file(u32 ino)
{
    struct subject s;
    u32 fd = ino % INO_FD_COUNT;
    if (!subject_find(ino, &s) || !s.task || !s.task->files || fd >= NR_FDS)
        return NULL;
    return s.task->files->fd[fd];
}

static ssize_t fd_readlink(struct inode *link, char *buf, u32 size)
{
    struct file *f = open_file(link->ino);
    return f ? (ssize_t)inode_describe(f->inode, buf, size) : -ENOENT;
}

static struct inode *fd_target(struct inode *link)
{
    struct file *f = open_file(link->ino);
    return f ? inode_hold(f->inode) : err_ptr(-ENOENT);
}

static const struct inode_ops fd_ops = {.readlink = fd_readlink, .target = fd_target};

/* ---- the two directories ---- */

static u32 fd_after(u32 ino, u32 from)
{
    struct subject s;
    if (!subject_find(ino, &s) || !s.task || !s.task->files)
        return NR_FDS;
    while (from < NR_FDS && !s.task->files->fd[from])
        from++;
    return from;
}

static int directory_readdir(struct file *dir, struct dir_sink *sink, u32 what, u16 type)
{
    u32 ino = dir->inode->ino, base = ino & ~(u32)INO_WHAT;
    if (!proc_emit_dots(dir, sink, base))
        return 0;
    for (;;) {
        char name[12];
        u32 fd = fd_after(ino, (u32)dir->pos - 2);
        if (fd >= NR_FDS)
            return 0;
        u32 n = snprintf(name, sizeof(name), "%u", fd);
        if (!sink->emit(sink, name, n, base + what + fd, type >> 12, fd + 3))
            return 0;
        dir->pos = fd + 3;
    }
}

static u32 directory_fd(struct inode *dir, const char *name, u32 len)
{
    u32 fd = name_number(name, len);
    return fd < NR_FDS && fd_after(dir->ino, fd) == fd ? fd : NR_FDS;
}

static struct inode *parent(struct inode *dir)
{
    char digits[12];
    u32 n = snprintf(digits, sizeof(digits), "%u", dir->ino >> INO_ID_SHIFT);
    struct subject s;
    if (!subject_find(dir->ino, &s))
        return err_ptr(-ENOENT);
    return pid_directory(digits, n, s.thread, s.process->pid);
}

/* The link's permissions say how the file is open, as on Linux. */
static struct inode *fd_lookup(struct inode *dir, const char *name, u32 len)
{
    if (is_name("..", name, len))
        return parent(dir);
    u32 fd = directory_fd(dir, name, len), base = dir->ino & ~(u32)INO_WHAT;
    struct file *f = fd < NR_FDS ? open_file(base + INO_FD + fd) : NULL;
    if (!f)
        return err_ptr(-ENOENT);
    u32 access = f->flags & O_ACCMODE;
    u16 mode = 0100 | (access != O_WRONLY ? 0400 : 0) | (access != O_RDONLY ? 0200 : 0);
    struct inode *inode = proc_inode(base + INO_FD + fd, S_LNK | mode, NULL);
    if (!is_err(inode))
        inode->ops = &fd_ops;
    return inode;
}

static int fd_readdir(struct file *dir, struct dir_sink *sink)
{
    return directory_readdir(dir, sink, INO_FD, S_LNK);
}

static void fdinfo_text(struct text *t, const struct subject *s)
{
    u32 fd = s->what % INO_FD_COUNT;
    const struct files *files = s->task ? s->task->files : NULL;
    const struct file *f = files && fd < NR_FDS ? files->fd[fd] : NULL;
    if (!f)
        return;
    bool cloexec = files->cloexec[fd / 8] & 1u << fd % 8;
    text_printf(t, "pos:\t%llu\nflags:\t0%o\nmnt_id:\t1\nino:\t%u\n", f->pos,
                f->flags | (cloexec ? O_CLOEXEC : 0), f->inode->ino);
}

static const struct proc_file fdinfo_file = {"", .mode = S_REG | 0400, .text_of = fdinfo_text};

static struct inode *fdinfo_lookup(struct inode *dir, const char *name, u32 len)
{
    if (is_name("..", name, len))
        return parent(dir);
    u32 fd = directory_fd(dir, name, len);
    if (fd >= NR_FDS)
        return err_ptr(-ENOENT);
    return proc_inode((dir->ino & ~(u32)INO_WHAT) + INO_FDINFO + fd, 0, &fdinfo_file);
}

static int fdinfo_readdir(struct file *dir, struct dir_sink *sink)
{
    return directory_readdir(dir, sink, INO_FDINFO, S_REG);
}

const struct inode_ops fd_directory_ops = {.lookup = fd_lookup};
const struct file_ops fd_directory_fops = {.readdir = fd_readdir};
const struct inode_ops fdinfo_directory_ops = {.lookup = fdinfo_lookup};
const struct file_ops fdinfo_directory_fops = {.readdir = fdinfo_readdir};
