/*
 * What goes beside the bytes of an AF_UNIX socket, as control messages (cmsg(3)): who sends
 * (SCM_CREDENTIALS), and open files (SCM_RIGHTS).
 */
#include <linux/capability.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"
#include "kernel/proc/process.h"

enum { RIGHTS = 1, CREDENTIALS = 2 }; /* SCM_ of <linux/socket.h> */

/* --- From the program ---------------------------------------------------------------------- */

/* Files from several pieces of control data come together, up to the limit. */
static int rights_in(struct unix_rights **rights, const u32 *fds, u32 count)
{
    u32 before = *rights ? (*rights)->count : 0;
    if (count > UNIX_RIGHTS_MAX || before + count > UNIX_RIGHTS_MAX)
        return -EINVAL;
    if (!*rights && !(*rights = unix_rights_new(UNIX_RIGHTS_MAX)))
        return -ENOMEM;
    struct unix_rights *r = *rights;
    for (u32 i = 0; i < count; i++) {
        struct file *file = fd_get(fds[i]);
        if (!file)
            return -EBADF;
        r->files[r->count++] = file;
    }
    return 0;
}

/* Who says that it is another needs a capability for that, and there must be such a process. */
static int credentials_in(struct credentials *creds, const void *data, u32 len)
{
    const struct cred *own = &current->cred;
    struct credentials c;
    if (len != sizeof(c))
        return -EINVAL;
    memcpy(&c, data, len);
    bool pid_ok = c.pid == current->process->pid || capable(CAP_SYS_ADMIN);
    bool uid_ok = c.uid == own->uid || c.uid == own->euid || c.uid == own->suid;
    bool gid_ok = c.gid == own->gid || c.gid == own->egid || c.gid == own->sgid;
    if (!pid_ok || !(uid_ok || capable(CAP_SETUID)) || !(gid_ok || capable(CAP_SETGID)))
        return -EPERM;
    *creds = c;
    return process_find(c.pid) ? 0 : -ESRCH;
}

int unix_control_in(struct unix_control *c, const struct message *m)
{
    *c = (struct unix_control){unix_sender(), NULL};
    int err = 0;
    for (u32 at = 0; m->control_len - at >= sizeof(struct cmsghdr) && !err;) {
        const struct cmsghdr *h = (const void *)((const char *)m->control + at);
        u32 len = h->cmsg_len - sizeof(*h);
        at += MIN(CMSG_ALIGN(h->cmsg_len), m->control_len - at);
        if (h->cmsg_level != SOL_SOCKET)
            continue;
        if (h->cmsg_type == RIGHTS)
            err = rights_in(&c->rights, (const u32 *)(h + 1), len / sizeof(u32));
        else if (h->cmsg_type == CREDENTIALS)
            err = credentials_in(&c->creds, h + 1, len);
        else
            err = -EINVAL;
    }
    if (err || (c->rights && !c->rights->count)) {
        unix_rights_free(c->rights);
        c->rights = NULL;
    }
    return err;
}

/* --- To the program ------------------------------------------------------------------------ */

/* As many files become descriptors as there is room for; the others are closed. */
static void rights_out(struct message *m, struct unix_rights *r)
{
    int fds[UNIX_RIGHTS_MAX];
    u32 room = m->control_room - m->control_used, used = m->control_used, n = 0;
    u32 fits = room > sizeof(struct cmsghdr) ? (room - sizeof(struct cmsghdr)) / sizeof(int) : 0;
    while (n < MIN(r->count, fits)) {
        fds[n] = fd_install(file_hold(r->files[n]), 0, m->flags & MSG_CMSG_CLOEXEC);
        if (fds[n] < 0) {
            file_put(r->files[n]);
            break;
        }
        n++;
    }
    if (n)
        message_put_control(m, SOL_SOCKET, RIGHTS, fds, n * sizeof(fds[0]));
    if (n < r->count)
        m->told |= MSG_CTRUNC;
    if (m->control_used != used)
        return;
    while (n) /* the program could not be told their numbers */
        fd_close(fds[--n]);
}

void unix_control_out(const struct unix_socket *u, struct message *m, const struct unix_control *c)
{
    if (u->pass_creds)
        message_put_control(m, SOL_SOCKET, CREDENTIALS, &c->creds, sizeof(c->creds));
    if (c->rights)
        rights_out(m, c->rights);
    unix_rights_free(c->rights);
}
