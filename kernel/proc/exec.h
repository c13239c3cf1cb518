/* Programs: execve(2), and the first one. */
#ifndef KERNEL_PROC_EXEC_H
#define KERNEL_PROC_EXEC_H

#include "kernel/lib/types.h"

long sys_execve(const char __user *path, const u32 __user *argv, const u32 __user *envp);
long sys_execveat(s32 dirfd, const char __user *name, const u32 __user *argv,
                  const u32 __user *envp, u32 flags);
/* Turns the current kernel thread into the program `path`, with blank-separated arguments. */
void exec_init(const char *path, const char *arguments) __noreturn;

#endif
