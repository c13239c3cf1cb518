/*
 * Calls on users and groups, 32-bit numbers. Those with 16-bit numbers are in identity16.c.
 * credentials(7), setuid(2), setreuid(2), setresuid(2), setfsuid(2), getgroups(2), capget(2).
 */
#include <linux/capability.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/identity.h"

#define SAME ((u32)-1) /* an argument that leaves a number as it is */

long sys_getuid(void)
{
    return current->cred.uid;
}
long sys_geteuid(void)
{
    return current->cred.euid;
}
long sys_getgid(void)
{
    return current->cred.gid;
}
long sys_getegid(void)
{
    return current->cred.egid;
}

/* ---- users ---- */

long sys_setuid(u32 uid)
{
    struct cred n = current->cred;
    if (uid == SAME)
        return -EINVAL;
    if (capable(CAP_SETUID))
        n.uid = n.suid = uid;
    else if (uid != n.uid && uid != n.suid)
        return -EPERM;
    n.euid = n.fsuid = uid;
    cred_take(&n);
    return 0;
}

long sys_setreuid(u32 uid, u32 euid)
{
    const struct cred *c = &current->cred;
    struct cred n = *c;
    bool any = capable(CAP_SETUID);
    if (uid != SAME) {
        if (!any && uid != c->uid && uid != c->euid)
            return -EPERM;
        n.uid = uid;
    }
    if (euid != SAME) {
        if (!any && euid != c->uid && euid != c->euid && euid != c->suid)
            return -EPERM;
        n.euid = euid;
    }
    if (uid != SAME || (euid != SAME && euid != c->uid))
        n.suid = n.euid;
    n.fsuid = n.euid;
    cred_take(&n);
    return 0;
}

static bool is_ours(u32 uid)
{
    const struct cred *c = &current->cred;
    return uid == SAME || uid == c->uid || uid == c->euid || uid == c->suid;
}

long sys_setresuid(u32 uid, u32 euid, u32 suid)
{
    struct cred n = current->cred;
    if (!capable(CAP_SETUID) && (!is_ours(uid) || !is_ours(euid) || !is_ours(suid)))
        return -EPERM;
    n.uid = uid == SAME ? n.uid : uid;
    n.euid = euid == SAME ? n.euid : euid;
    n.suid = suid == SAME ? n.suid : suid;
    n.fsuid = n.euid;
    cred_take(&n);
    return 0;
}

static long put_three(u32 __user *const to[3], u32 a, u32 b, u32 c)
{
    const u32 from[3] = {a, b, c};
    for (u32 i = 0; i < 3; i++)
        if (copyout(to[i], &from[i], sizeof(from[i])) < 0)
            return -EFAULT;
    return 0;
}

long sys_getresuid(u32 __user *uid, u32 __user *euid, u32 __user *suid)
{
    const struct cred *c = &current->cred;
    u32 __user *const to[3] = {uid, euid, suid};
    return put_three(to, c->uid, c->euid, c->suid);
}

/* Answers the number before, whether or not it could be changed. */
long sys_setfsuid(u32 uid)
{
    struct cred n = current->cred;
    u32 before = n.fsuid;
    if (uid != SAME && (is_ours(uid) || uid == before || capable(CAP_SETUID))) {
        n.fsuid = uid;
        cred_take(&n);
    }
    return before;
}

/* ---- groups: the same rules, and no capability changes with them ---- */

long sys_setgid(u32 gid)
{
    struct cred *c = &current->cred;
    if (gid == SAME)
        return -EINVAL;
    if (capable(CAP_SETGID))
        c->gid = c->sgid = gid;
    else if (gid != c->gid && gid != c->sgid)
        return -EPERM;
    c->egid = c->fsgid = gid;
    return 0;
}

long sys_setregid(u32 gid, u32 egid)
{
    struct cred *c = &current->cred;
    u32 before = c->gid;
    bool any = capable(CAP_SETGID);
    if (gid != SAME && !any && gid != c->gid && gid != c->egid)
        return -EPERM;
    if (egid != SAME && !any && egid != c->gid && egid != c->egid && egid != c->sgid)
        return -EPERM;
    if (gid != SAME)
        c->gid = gid;
    if (egid != SAME)
        c->egid = egid;
    if (gid != SAME || (egid != SAME && egid != before))
        c->sgid = c->egid;
    c->fsgid = c->egid;
    return 0;
}

static bool is_our_group(u32 gid)
{
    const struct cred *c = &current->cred;
    return gid == SAME || gid == c->gid || gid == c->egid || gid == c->sgid;
}

long sys_setresgid(u32 gid, u32 egid, u32 sgid)
{
    struct cred *c = &current->cred;
    if (!capable(CAP_SETGID) && (!is_our_group(gid) || !is_our_group(egid) || !is_our_group(sgid)))
        return -EPERM;
    c->gid = gid == SAME ? c->gid : gid;
    c->egid = egid == SAME ? c->egid : egid;
    c->sgid = sgid == SAME ? c->sgid : sgid;
    c->fsgid = c->egid;
    return 0;
}

long sys_getresgid(u32 __user *gid, u32 __user *egid, u32 __user *sgid)
{
    const struct cred *c = &current->cred;
    u32 __user *const to[3] = {gid, egid, sgid};
    return put_three(to, c->gid, c->egid, c->sgid);
}

long sys_setfsgid(u32 gid)
{
    struct cred *c = &current->cred;
    u32 before = c->fsgid;
    if (gid != SAME && (is_our_group(gid) || gid == before || capable(CAP_SETGID)))
        c->fsgid = gid;
    return before;
}

long sys_getgroups(s32 size, u32 __user *list)
{
    const struct groups *g = current->cred.groups;
    s32 count = g ? (s32)g->count : 0;
    if (size < 0 || (size && size < count))
        return -EINVAL;
    return size && count && copyout(list, g->gid, (u32)count * sizeof(u32)) < 0 ? -EFAULT : count;
}

struct groups *groups_new(u32 count)
{
    struct groups *g = kmalloc(sizeof(*g) + count * sizeof(u32));
    if (g)
        *g = (struct groups){.refs = 1, .count = count};
    return g;
}

/* Takes over the reference. */
void groups_set(struct groups *groups)
{
    cred_drop(&current->cred);
    current->cred.groups = groups;
}

long sys_setgroups(u32 count, const u32 __user *list)
{
    if (!capable(CAP_SETGID))
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL;
    struct groups *g = groups_new(count);
    if (!g)
        return -ENOMEM;
    if (copyin(g->gid, list, count * sizeof(u32)) < 0) {
        kfree(g);
        return -EFAULT;
    }
    groups_set(g);
    return 0;
}

/* ---- capabilities ---- */

/* How many structures of data this version has; an unknown one is told the newest: -EINVAL. */
static int capability_words(struct __user_cap_header_struct __user *header)
{
    u32 version;
    if (copyin(&version, header, sizeof(version)) < 0)
        return -EFAULT;
    if (version == _LINUX_CAPABILITY_VERSION_1)
        return _LINUX_CAPABILITY_U32S_1;
    if (version == _LINUX_CAPABILITY_VERSION_2 || version == _LINUX_CAPABILITY_VERSION_3)
        return _LINUX_CAPABILITY_U32S_3;
    version = _LINUX_CAPABILITY_VERSION_3;
    return copyout(header, &version, sizeof(version)) < 0 ? -EFAULT : -EINVAL;
}

long sys_capget(void __user *header, void __user *data)
{
    int words = capability_words(header);
    s32 pid;
    if (!data || words < 0)
        return !data && (words == -EINVAL || words > 0) ? 0 : words;
    if (copyin(&pid, (char __user *)header + 4, sizeof(pid)) < 0)
        return -EFAULT;
    if (pid < 0)
        return -EINVAL;
    const struct task *t = pid ? task_find((u32)pid) : current;
    if (!t)
        return -ESRCH;
    const struct cred *c = &t->cred;
    struct __user_cap_data_struct d[2];
    for (int i = 0; i < words; i++)
        d[i] = (struct __user_cap_data_struct){(u32)(c->effective >> 32 * i),
                                               (u32)(c->permitted >> 32 * i),
                                               (u32)(c->inheritable >> 32 * i)};
    return copyout(data, d, (u32)words * sizeof(d[0]));
}

long sys_capset(void __user *header, const void __user *data)
{
    int words = capability_words(header);
    u32 pid;
    if (words < 0)
        return words;
    if (copyin(&pid, (char __user *)header + 4, sizeof(pid)) < 0)
        return -EFAULT;
    if (pid && pid != current->tid)
        return -EPERM;
    struct __user_cap_data_struct d[2] = {{0}};
    if (copyin(d, data, (u32)words * sizeof(d[0])) < 0)
        return -EFAULT;
    struct cred *c = &current->cred;
    u64 effective = (d[0].effective | (u64)d[1].effective << 32) & CAPABILITIES_ALL;
    u64 permitted = (d[0].permitted | (u64)d[1].permitted << 32) & CAPABILITIES_ALL;
    u64 inheritable = (d[0].inheritable | (u64)d[1].inheritable << 32) & CAPABILITIES_ALL;
    if ((!capable(CAP_SETPCAP) && inheritable & ~(c->inheritable | c->permitted)) ||
        permitted & ~c->permitted || effective & ~permitted)
        return -EPERM;
    c->effective = effective;
    c->permitted = permitted;
    c->inheritable = inheritable;
    return 0;
}
