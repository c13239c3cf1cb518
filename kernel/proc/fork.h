/* Inside of kernel/proc: making, copying and starting tasks. */
#ifndef KERNEL_PROC_FORK_H
#define KERNEL_PROC_FORK_H

#include "kernel/proc/task.h"

struct task *task_alloc(const char *name); /* no pid yet; NULL without memory */
void task_free(struct task *t);
void task_start(struct task *t);
struct trap_frame *task_user_frame(struct task *t);
void task_prepare_user(struct task *t); /* it will leave the kernel by task_user_frame */

/* switch.asm */
void switch_stacks(u32 *save_esp, u32 load_esp);
void task_entry_user(void);
void task_entry_kernel(void);
void enter_user(struct trap_frame *frame) __noreturn;

/* files.c */
struct files *files_new(void);
struct files *files_copy(const struct files *from);
void files_put(struct files *files);
void files_close_on_exec(struct files *files);

extern u32 task_count;
#define TASKS_MAX 512u /* fork(2) answers -EAGAIN beyond */

long sys_fork(void);
long sys_vfork(void);
long sys_clone(u32 flags, u32 stack, u32 __user *parent_tid, u32 tls, u32 __user *child_tid);

#endif
