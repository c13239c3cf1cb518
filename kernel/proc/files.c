/* What the threads of a program share of the file system: the table of open files (a descriptor
 * is an index into it), the current directory, the umask. */
#include <asm/resource.h>
#include "kernel/fs/lock.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/task.h"

struct files *files_new(void)
{
    struct files *f = kzalloc(sizeof(*f));
    if (!f || !(f->fd = kzalloc(NR_FDS * sizeof(f->fd[0])))) {
        kfree(f);
        return NULL;
    }
    f->refs = 1;
    return f;
}

struct files *files_copy(const struct files *from)
{
    struct files *f = files_new();
    if (!f)
        return NULL;
    memcpy(f->cloexec, from->cloexec, sizeof(f->cloexec));
    f->end = from->end;
    for (u32 i = 0; i < from->end; i++)
        if (from->fd[i])
            f->fd[i] = file_hold(from->fd[i]);
    return f;
}

/* Takes the descriptor out of the table. When a process closes a file, by whichever descriptor,
 * its record locks there are gone (fcntl(2)). */
static void close(struct files *files, u32 fd)
{
    struct file *f = files->fd[fd];
    files->fd[fd] = NULL;
    files->cloexec[fd / 8] &= ~(1u << fd % 8);
    if (!LIST_EMPTY(&f->inode->locks))
        lock_drop_owner(f->inode, files);
    file_put(f);
}

void files_put(struct files *f)
{
    if (!f || --f->refs)
        return;
    for (u32 i = 0; i < f->end; i++)
        if (f->fd[i])
            close(f, i);
    kfree(f->fd);
    kfree(f);
}

void files_close_on_exec(struct files *f)
{
    for (u32 i = 0; i < f->end; i++)
        if (f->fd[i] && (f->cloexec[i / 8] & 1u << i % 8))
            close(f, i);
}

struct file *fd_get(u32 fd)
{
    struct files *f = current->files;
    return fd < NR_FDS && f->fd[fd] ? file_hold(f->fd[fd]) : NULL;
}

u32 fd_limit(void)
{
    return MIN(current->process->limits[RLIMIT_NOFILE].soft, NR_FDS);
}

bool fd_available(void)
{
    u32 fd = 0, limit = fd_limit();
    while (fd < limit && current->files->fd[fd])
        fd++;
    return fd < limit;
}

int fd_install(struct file *file, u32 min_fd, bool cloexec)
{
    struct files *f = current->files;
    u32 limit = fd_limit();
    for (u32 fd = min_fd; fd < limit; fd++) {
        if (f->fd[fd])
            continue;
        f->fd[fd] = file;
        f->end = MAX(f->end, fd + 1);
        if (cloexec)
            f->cloexec[fd / 8] |= 1u << fd % 8;
        else
            f->cloexec[fd / 8] &= ~(1u << fd % 8);
        return fd;
    }
    return -EMFILE;
}

int fd_close(u32 fd)
{
    if (fd >= NR_FDS || !current->files->fd[fd])
        return -EBADF;
    close(current->files, fd);
    return 0;
}

struct fs *fs_new(struct inode *cwd, u32 umask)
{
    struct fs *fs = kmalloc(sizeof(*fs));
    if (fs)
        *fs = (struct fs){.refs = 1, .root = inode_hold(task_root()), .cwd = cwd, .umask = umask};
    else
        inode_put(cwd);
    return fs;
}

void fs_put(struct fs *fs)
{
    if (!fs || --fs->refs)
        return;
    inode_put(fs->cwd);
    inode_put(fs->root);
    kfree(fs);
}
