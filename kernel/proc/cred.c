/* Users, groups and capabilities. See cred.h. */
#include "kernel/proc/cred.h"
#include <linux/capability.h>
#include <linux/mount.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/task.h"

#define CAP_BIT(c) ((u64)1 << (c))
#define S_SETUID   04000 /* inode(7) */
#define S_SETGID   02000
/* Those that follow the user number for files (capabilities(7)). */
#define CAPABILITIES_OF_FILES                                                        \
    (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) | \
     CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) |      \
     CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_MAC_OVERRIDE))

const struct cred cred_root = {.permitted = CAPABILITIES_ALL, .effective = CAPABILITIES_ALL};

void cred_copy(struct cred *to, const struct cred *from)
{
    *to = *from;
    if (to->groups)
        to->groups->refs++;
}

void cred_drop(struct cred *cred)
{
    if (cred->groups && --cred->groups->refs == 0)
        kfree(cred->groups);
    cred->groups = NULL;
}

bool capable(u32 capability)
{
    return current->cred.effective & CAP_BIT(capability);
}

bool in_group(u32 gid)
{
    const struct cred *c = &current->cred;
    if (gid == c->fsgid)
        return true;
    for (u32 i = 0; c->groups && i < c->groups->count; i++)
        if (c->groups->gid[i] == gid)
            return true;
    return false;
}

static bool has_root(const struct cred *c)
{
    return !c->uid || !c->euid || !c->suid;
}

void cred_take(const struct cred *fresh)
{
    struct cred *c = &current->cred;
    struct cred n = *fresh;
    if (has_root(c) && !has_root(&n) && !n.keep_capabilities)
        n.permitted = n.effective = 0;
    if (!c->euid && n.euid)
        n.effective = 0;
    if (c->euid && !n.euid)
        n.effective = n.permitted;
    if (!c->fsuid && n.fsuid)
        n.effective &= ~CAPABILITIES_OF_FILES;
    if (c->fsuid && !n.fsuid)
        n.effective |= n.permitted & CAPABILITIES_OF_FILES;
    *c = n;
}

bool cred_after_exec(const struct inode *file, struct cred *fresh)
{
    struct cred n = current->cred;
    bool honoured = file->super && !(file->super->flags & MS_NOSUID);
    if (honoured && file->mode & S_SETUID)
        n.euid = file->uid;
    if (honoured && (file->mode & (S_SETGID | 0010)) == (S_SETGID | 0010))
        n.egid = file->gid;
    n.suid = n.fsuid = n.euid;
    n.sgid = n.fsgid = n.egid;
    n.permitted = !n.uid || !n.euid ? CAPABILITIES_ALL : 0;
    n.effective = !n.euid ? n.permitted : 0;
    n.keep_capabilities = false;
    *fresh = n;
    return n.euid != n.uid || n.egid != n.gid;
}
