/* The three thread-local segments of a thread: set_thread_area(2). */
#ifndef KERNEL_PROC_TLS_H
#define KERNEL_PROC_TLS_H

#include "kernel/proc/task.h"

/* Sets the one that the struct user_desc names: 0, -EFAULT, -EINVAL. */
int tls_set(struct task *t, const void __user *descriptor);

long sys_set_thread_area(void __user *descriptor);
long sys_get_thread_area(void __user *descriptor);

#endif
