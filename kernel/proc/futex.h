/* Waiting for a word of memory to change: futex(2), and what a thread leaves locked at its end. */
#ifndef KERNEL_PROC_FUTEX_H
#define KERNEL_PROC_FUTEX_H

#include "kernel/lib/types.h"

/* The current thread ends, or starts another program: its robust list is walked, and who waits for
 * its end (CLONE_CHILD_CLEARTID: pthread_join) is woken. */
void futex_thread_ends(void);

long sys_futex(u32 address, u32 op, u32 value, void __user *timeout, u32 address2, u32 value3);
long sys_futex_time64(u32 address, u32 op, u32 value, void __user *timeout, u32 address2,
                      u32 value3);
long sys_set_robust_list(u32 head, u32 len);
long sys_get_robust_list(u32 tid, u32 __user *head, u32 __user *len);

#endif
