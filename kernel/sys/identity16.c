/* The calls on users and groups as they were before Linux 2.4: 16-bit numbers (its kernel/uid16.c).
 */
#include <linux/capability.h>
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/identity.h"

#define OVERFLOW_ID 65534

static u32 wide(u16 id)
{
    return id == (u16)-1 ? (u32)-1 : id;
}

static u16 narrow(u32 id)
{
    return id > 65535 ? OVERFLOW_ID : (u16)id;
}

long sys_getuid16(void)
{
    return narrow(current->cred.uid);
}
long sys_geteuid16(void)
{
    return narrow(current->cred.euid);
}
long sys_getgid16(void)
{
    return narrow(current->cred.gid);
}
long sys_getegid16(void)
{
    return narrow(current->cred.egid);
}
long sys_setuid16(u16 uid)
{
    return sys_setuid(wide(uid));
}
long sys_setreuid16(u16 uid, u16 euid)
{
    return sys_setreuid(wide(uid), wide(euid));
}
long sys_setresuid16(u16 uid, u16 euid, u16 suid)
{
    return sys_setresuid(wide(uid), wide(euid), wide(suid));
}
long sys_setfsuid16(u16 uid)
{
    return narrow(sys_setfsuid(wide(uid)));
}
long sys_setgid16(u16 gid)
{
    return sys_setgid(wide(gid));
}
long sys_setregid16(u16 gid, u16 egid)
{
    return sys_setregid(wide(gid), wide(egid));
}
long sys_setresgid16(u16 gid, u16 egid, u16 sgid)
{
    return sys_setresgid(wide(gid), wide(egid), wide(sgid));
}
long sys_setfsgid16(u16 gid)
{
    return narrow(sys_setfsgid(wide(gid)));
}

static long put_three(u16 __user *const to[3], u32 a, u32 b, u32 c)
{
    const u16 from[3] = {narrow(a), narrow(b), narrow(c)};
    for (u32 i = 0; i < 3; i++)
        if (copyout(to[i], &from[i], sizeof(from[i])) < 0)
            return -EFAULT;
    return 0;
}

long sys_getresuid16(u16 __user *uid, u16 __user *euid, u16 __user *suid)
{
    const struct cred *c = &current->cred;
    u16 __user *const to[3] = {uid, euid, suid};
    return put_three(to, c->uid, c->euid, c->suid);
}

long sys_getresgid16(u16 __user *gid, u16 __user *egid, u16 __user *sgid)
{
    const struct cred *c = &current->cred;
    u16 __user *const to[3] = {gid, egid, sgid};
    return put_three(to, c->gid, c->egid, c->sgid);
}

long sys_getgroups16(s32 size, u16 __user *list)
{
    const struct groups *g = current->cred.groups;
    s32 count = g ? (s32)g->count : 0;
    if (size < 0 || (size && size < count))
        return -EINVAL;
    for (s32 i = 0; size && i < count; i++) {
        u16 gid = narrow(g->gid[i]);
        if (copyout(&list[i], &gid, sizeof(gid)) < 0)
            return -EFAULT;
    }
    return count;
}

long sys_setgroups16(u32 count, const u16 __user *list)
{
    if (!capable(CAP_SETGID))
        return -EPERM;
    if (count > GROUPS_MAX)
        return -EINVAL;
    struct groups *g = groups_new(count);
    if (!g)
        return -ENOMEM;
    for (u32 i = 0; i < count; i++) {
        u16 gid;
        if (copyin(&gid, &list[i], sizeof(gid)) < 0) {
            kfree(g);
            return -EFAULT;
        }
        g->gid[i] = wide(gid);
    }
    groups_set(g);
    return 0;
}
