/*
 * Locks that programs put on files for each other: record locks (fcntl(2), of a process or of an
 * open file) and flock(2). They are advice: nobody is kept from reading or writing.
 */
#ifndef KERNEL_FS_LOCK_H
#define KERNEL_FS_LOCK_H

#include "kernel/fs/vfs.h"

struct files;

/* The two kinds do not see each other. */
enum lock_kind { LOCK_RECORD, LOCK_WHOLE /* flock(2) */ };
enum lock_type { LOCK_NONE, LOCK_SHARED, LOCK_EXCLUSIVE };

struct file_lock {
    LIST_ENTRY(file_lock) link; /* of the inode, in no order */
    enum lock_kind kind;
    enum lock_type type;
    u64 first, last;   /* bytes, both included; last ~0: to the end, however far that moves */
    const void *owner; /* a process by its `files`, or an open file */
    u32 pid;           /* for F_GETLK; 0: an open file's */
};

/* Puts the lock (or, LOCK_NONE, the removal of one) on the bytes, in place of what the owner had
 * there. `wait`: sleeps while others are in the way. 0, -EAGAIN, -EDEADLK, -ENOLCK, -ERESTARTSYS.
 */
int lock_set(struct inode *inode, const struct file_lock *lock, bool wait);
/* Somebody else's lock that is in the way of this one; false: nobody's. */
bool lock_test(struct inode *inode, const struct file_lock *lock, struct file_lock *found);
/* The owner lets go of the file: a process has closed a descriptor of it, or an open file ends. */
void lock_drop_owner(struct inode *inode, const void *owner);

#endif
