/* Inside of kernel/proc: making, copying, starting and ending threads and processes. */
#ifndef KERNEL_PROC_FORK_H
#define KERNEL_PROC_FORK_H

#include "kernel/proc/process.h"

/* task.c */
struct task *task_alloc(struct process *p); /* no number yet; NULL without memory */
void task_free(struct task *t);             /* one that never ran, or never will again */
void task_number(struct task *t);           /* then task_wake lets it run */
void task_retire(struct task *t);
struct trap_frame *task_user_frame(struct task *t);
void task_prepare_user(struct task *t); /* it will leave the kernel by task_user_frame */

/* process.c */
void process_init(struct process *p, const char *name, struct account *account);
/* No pid yet; NULL without memory. Named so, or as `from`, whose signal actions it copies. */
struct process *process_alloc(const char *name, const struct process *from);
void process_free(struct process *p); /* NULL is allowed */
void process_start(struct process *p, u32 pid);
void process_reap(struct process *p);

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
struct fs *fs_new(struct inode *cwd, u32 umask); /* takes the reference */
void fs_put(struct fs *fs);

extern u32 task_count, process_count; /* that there are now */
extern u32 tasks_started, last_pid;   /* since boot; the number given last */
#define PID_MAX   32767u
#define TASKS_MAX 512u /* threads, and processes: fork(2) answers -EAGAIN beyond */

long sys_fork(void);
long sys_vfork(void);
long sys_clone(u32 flags, u32 stack, u32 __user *parent_tid, u32 tls, u32 __user *child_tid);

#endif
