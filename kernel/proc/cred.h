/*
 * Who a thread is: its user and group numbers and its capabilities. credentials(7),
 * capabilities(7).
 *
 * Each thread has its own, by value; threads of a program that change them together do so one by
 * one (C libraries see to that). The list of supplementary groups is shared and never changed in
 * place.
 */
#ifndef KERNEL_PROC_CRED_H
#define KERNEL_PROC_CRED_H

#include "kernel/lib/types.h"

#define GROUPS_MAX 1000 /* supplementary groups: what one page holds */

struct groups {
    u32 refs, count;
    u32 gid[];
};

struct cred {
    u32 uid, euid, suid, fsuid; /* real, effective, saved, for files */
    u32 gid, egid, sgid, fsgid;
    struct groups *groups; /* NULL: none */
    u64 permitted, effective, inheritable;
    bool keep_capabilities; /* prctl(PR_SET_KEEPCAPS) */
};

#define CAPABILITIES_ALL ((2ull << 40) - 1) /* up to CAP_LAST_CAP of <linux/capability.h> */

extern const struct cred cred_root; /* everything is allowed: the first task's */

void cred_copy(struct cred *to, const struct cred *from); /* takes a reference to the groups */
void cred_drop(struct cred *cred);

bool capable(u32 capability); /* of the current task; CAP_* of <linux/capability.h> */
bool in_group(u32 gid);       /* the current task's group for files, or a supplementary one */
/* The current task takes these on, and its capabilities change with them as capabilities(7) says
 * ("Effect of user ID changes on capabilities"). */
void cred_take(const struct cred *fresh);

struct inode;
/* What the current task will be after execve(2) of the file: its set-user-ID and set-group-ID bits,
 * and what is left of the capabilities. Takes no reference to the groups: it replaces the task's
 * own. Returns whether the program has rights then that its caller has not (AT_SECURE). */
bool cred_after_exec(const struct inode *file, struct cred *fresh);

#endif
