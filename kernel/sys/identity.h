/* Who the caller is: kernel/proc/cred.h is what is kept, these are the calls. */
#ifndef KERNEL_SYS_IDENTITY_H
#define KERNEL_SYS_IDENTITY_H

#include "kernel/lib/types.h"
#include "kernel/proc/cred.h"

struct groups *groups_new(u32 count); /* count as given; NULL without memory */
void groups_set(struct groups *groups);

long sys_getuid(void);
long sys_geteuid(void);
long sys_getgid(void);
long sys_getegid(void);
long sys_setuid(u32 uid);
long sys_setreuid(u32 uid, u32 euid);
long sys_setresuid(u32 uid, u32 euid, u32 suid);
long sys_getresuid(u32 __user *uid, u32 __user *euid, u32 __user *suid);
long sys_setfsuid(u32 uid);
long sys_setgid(u32 gid);
long sys_setregid(u32 gid, u32 egid);
long sys_setresgid(u32 gid, u32 egid, u32 sgid);
long sys_getresgid(u32 __user *gid, u32 __user *egid, u32 __user *sgid);
long sys_setfsgid(u32 gid);
long sys_getgroups(s32 size, u32 __user *list);
long sys_setgroups(u32 count, const u32 __user *list);
long sys_capget(void __user *header, void __user *data);
long sys_capset(void __user *header, const void __user *data);

/* The elder calls, with 16-bit numbers: 65535 leaves a number as it is, 65534 stands for one that
 * does not fit. */
long sys_getuid16(void);
long sys_geteuid16(void);
long sys_getgid16(void);
long sys_getegid16(void);
long sys_setuid16(u16 uid);
long sys_setreuid16(u16 uid, u16 euid);
long sys_setresuid16(u16 uid, u16 euid, u16 suid);
long sys_getresuid16(u16 __user *uid, u16 __user *euid, u16 __user *suid);
long sys_setfsuid16(u16 uid);
long sys_setgid16(u16 gid);
long sys_setregid16(u16 gid, u16 egid);
long sys_setresgid16(u16 gid, u16 egid, u16 sgid);
long sys_getresgid16(u16 __user *gid, u16 __user *egid, u16 __user *sgid);
long sys_setfsgid16(u16 gid);
long sys_getgroups16(s32 size, u16 __user *list);
long sys_setgroups16(u32 count, const u16 __user *list);

#endif
