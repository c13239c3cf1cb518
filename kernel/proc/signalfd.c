/*
 * Signals read from a file: signalfd(2). It stands for a set of signals, not for a process: who
 * reads it, takes those of its own that are pending.
 *
 * All signalfds wait on one queue, which is woken by each signal that is queued for anybody. A
 * queue of the process would die with it, while another watches the file that it has inherited.
 */
#include <linux/fcntl.h>
#include <linux/signalfd.h>
#include "kernel/fs/anon.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal_internal.h"

WAIT_QUEUE(signal_queued);

struct signalfd {
    u64 set;
};

static bool any_pending(const struct signalfd *s)
{
    u64 pending = current->signals.pending.set | current->process->pending.set;
    return pending & s->set;
}

static struct signalfd_siginfo record_of(const siginfo_t *info)
{
    struct signalfd_siginfo r;
    memset(&r, 0, sizeof(r));
    r.ssi_signo = info->si_signo;
    r.ssi_errno = info->si_errno;
    r.ssi_code = info->si_code;
    if (info->si_signo == SIGCHLD || info->si_code <= 0) { /* a child's end, or a program sent it */
        r.ssi_pid = info->si_pid;
        r.ssi_uid = info->si_uid;
    }
    if (info->si_code == SI_QUEUE) {
        r.ssi_int = info->si_int;
        r.ssi_ptr = (u32)info->si_ptr;
    } else if (info->si_signo == SIGCHLD && info->si_code > 0) {
        r.ssi_status = info->si_status;
        r.ssi_utime = info->si_utime;
        r.ssi_stime = info->si_stime;
    } else if (info->si_code > 0 && SIGNAL_BIT(info->si_signo) & SYNCHRONOUS_SIGNALS) {
        r.ssi_addr = (u32)info->si_addr;
    }
    return r;
}

/* As many signals as there are, and room for; waits for the first only. */
static ssize_t signalfd_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct signalfd *s = file->private;
    struct signalfd_siginfo __user *to = buf;
    size_t room = len / sizeof(*to), done = 0;
    if (!room)
        return -EINVAL;
    if (!any_pending(s) && (file->flags & O_NONBLOCK))
        return -EAGAIN;
    int err = wait_event_signal(&signal_queued, any_pending(s), 0);
    siginfo_t info;
    while (!err && done < room && signal_take(s->set, &info)) {
        struct signalfd_siginfo record = record_of(&info);
        err = copyout(to + done, &record, sizeof(record));
        done += !err;
    }
    return done ? (ssize_t)(done * sizeof(*to)) : err;
}

static u32 signalfd_poll(struct file *file, struct poll_table *table)
{
    poll_wait(table, &signal_queued);
    return any_pending(file->private) ? POLLIN : 0;
}

static void signalfd_release(struct file *file)
{
    kfree(file->private);
}

static const struct file_ops signalfd_ops = {
    .release = signalfd_release,
    .read = signalfd_read,
    .poll = signalfd_poll,
};

static long create(u64 set, u32 flags)
{
    struct signalfd *s = kmalloc(sizeof(*s));
    if (!s)
        return -ENOMEM;
    s->set = set;
    int fd = anon_descriptor("signalfd", &signalfd_ops, s, flags);
    if (fd < 0)
        kfree(s);
    return fd;
}

long sys_signalfd4(s32 fd, const u64 __user *mask, u32 size, u32 flags)
{
    u64 set;
    if (flags & ~(u32)(O_CLOEXEC | O_NONBLOCK) || size != sizeof(set))
        return -EINVAL;
    if (copyin(&set, mask, sizeof(set)) < 0)
        return -EFAULT;
    set &= ~SUPREME_SIGNALS;
    if (fd == -1)
        return create(set, flags);
    struct file *file = fd_get(fd);
    if (!file)
        return -EBADF;
    bool ours = file->ops == &signalfd_ops;
    if (ours) {
        ((struct signalfd *)file->private)->set = set;
        wake_all(&signal_queued);
    }
    file_put(file);
    return ours ? fd : -EINVAL;
}

long sys_signalfd(s32 fd, const u64 __user *mask, u32 size)
{
    return sys_signalfd4(fd, mask, size, 0);
}
