/*
 * Terminals and sessions: who may read, who is told of ^C, and what happens when the line or the
 * session goes away. credentials(7), tcsetpgrp(3), POSIX 11.1.
 *
 * A process knows its controlling terminal, and the terminal the session whose it is; a child
 * inherits it, and setsid(2) begins without one.
 */
#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "kernel/fs/tty_line.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/cred.h"
#include "kernel/proc/process.h"
#include "kernel/proc/signal.h"

static bool is_leader(void)
{
    return current->process->sid == current->process->pid;
}

/* The session that a process group belongs to; 0: there is no such group. As on Linux a process
 * will do that is in another group: a shell may be faster than its child's setpgid. */
static u32 session_of_group(u32 pgid)
{
    struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->pgid == pgid)
            return p->sid;
    p = process_find(pgid);
    return p ? p->sid : 0;
}

struct tty *tty_controlling(void)
{
    return current->process->tty;
}

int job_check(struct tty *tty, int sig)
{
    u32 group = current->process->pgid;
    if (tty_controlling() != tty || !tty->foreground || tty->foreground == group)
        return 0;
    if (signal_ignored(sig))
        return sig == SIGTTIN ? -EIO : 0;
    if (group_orphaned(group))
        return -EIO;
    signal_group(group, sig);
    signal_look_again();
    return -ERESTARTSYS;
}

/* The session leader's choice makes it the session's terminal. */
static void adopt(struct tty *tty)
{
    current->process->tty = tty;
    tty->session = current->process->sid;
    tty->foreground = current->process->pgid;
}

void job_opened(struct tty *tty, struct file *file)
{
    bool readable = (file->flags & O_ACCMODE) != O_WRONLY;
    if (!(file->flags & O_NOCTTY) && readable && is_leader() && !tty->session && !tty_controlling())
        adopt(tty);
}

/* It is nobody's any more. */
static void disown(struct tty *tty)
{
    struct process *p;
    TAILQ_FOREACH (p, &all_processes, all)
        if (p->tty == tty)
            p->tty = NULL;
    tty->session = tty->foreground = 0;
}

/* TIOCSCTTY: make it my controlling terminal; with 1, root steals it from another session. */
static int set_controlling(struct tty *tty, u32 steal)
{
    if (is_leader() && tty->session == current->process->sid)
        return 0;
    if (!is_leader() || tty_controlling())
        return -EPERM;
    if (tty->session && !(steal == 1 && capable(CAP_SYS_ADMIN)))
        return -EPERM;
    disown(tty);
    adopt(tty);
    return 0;
}

static int set_foreground(struct tty *tty, const void __user *from)
{
    s32 group;
    int err = job_check(tty, SIGTTOU);
    if (err)
        return err == -EIO ? -ENOTTY : err;
    if (copyin(&group, from, sizeof(group)) < 0)
        return -EFAULT;
    if (group < 0)
        return -EINVAL;
    if (tty_controlling() != tty || tty->session != current->process->sid)
        return -ENOTTY;
    u32 session = session_of_group(group);
    if (!session)
        return -ESRCH;
    if (session != current->process->sid)
        return -EPERM;
    tty->foreground = group;
    return 0;
}

/* The session leader lets go of it: the foreground group is told. */
static void give_up(struct tty *tty, bool and_continue)
{
    u32 group = tty->foreground;
    disown(tty);
    if (group)
        signal_group(group, SIGHUP);
    if (group && and_continue)
        signal_group(group, SIGCONT);
}

int job_ioctl(struct tty *tty, u32 request, u32 argument, bool by_master)
{
    void __user *user = (void __user *)argument;
    bool mine = by_master || tty_controlling() == tty;
    switch (request) {
    case TIOCGPGRP:
        return mine ? copyout(user, &tty->foreground, sizeof(tty->foreground)) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(tty, user);
    case TIOCGSID:
        return mine && tty->session ? copyout(user, &tty->session, sizeof(tty->session)) : -ENOTTY;
    case TIOCSCTTY:
        return set_controlling(tty, argument);
    case TIOCNOTTY:
        if (tty_controlling() != tty)
            return -ENOTTY;
        if (is_leader())
            give_up(tty, true);
        current->process->tty = NULL;
        return 0;
    case TIOCVHANGUP:
        if (!capable(CAP_SYS_ADMIN))
            return -EPERM;
        tty_hangup(tty);
        return 0;
    default:
        return -ENOIOCTLCMD;
    }
}

/* The line is gone, or its session: who has it open is told by what read and write say from now
 * on, the session's leader by a signal. The foreground group is told when the leader goes, too. */
static void hangup(struct tty *tty, bool session_ends)
{
    u32 flags = irq_save();
    struct tty_open *open, *next;
    LIST_FOREACH_SAFE (open, &tty->files, link, next)
        open->hung_up |= !open->is_console;
    line_flush(tty);
    u32 group = tty->foreground;
    struct process *leader = tty->session ? process_find(tty->session) : NULL;
    struct task *task = leader ? process_task(leader) : NULL;
    disown(tty);
    if (leader)
        leader->hung_up_group = group;
    if (task) {
        signal_task(task, SIGHUP);
        signal_task(task, SIGCONT);
    }
    if (session_ends && group)
        signal_group(group, SIGHUP);
    wake_all(&tty->readers);
    wake_all(&tty->writers);
    irq_restore(flags);
}

void tty_hangup(struct tty *tty)
{
    hangup(tty, false);
}

void tty_forget(struct tty *tty)
{
    disown(tty);
}

void tty_session_ended(struct process *p)
{
    struct tty *tty = p->tty;
    if (p->sid != p->pid)
        return;
    if (tty && tty->is_pty) {
        give_up(tty, false);
    } else if (tty) {
        hangup(tty, true);
    } else if (p->hung_up_group) {
        signal_group(p->hung_up_group, SIGHUP);
        signal_group(p->hung_up_group, SIGCONT);
    }
}

void tty_resize(struct tty *tty, const struct winsize *window)
{
    if (!memcmp(&tty->window, window, sizeof(*window)))
        return;
    tty->window = *window;
    if (tty->foreground)
        signal_group(tty->foreground, SIGWINCH);
}
