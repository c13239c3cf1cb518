/* The system calls on signals. Each is its man page of section 2. */
#ifndef KERNEL_PROC_SIGNAL_CALLS_H
#define KERNEL_PROC_SIGNAL_CALLS_H

#include "kernel/lib/types.h"

/* signal_frame.c */
long sys_sigreturn(void);
long sys_rt_sigreturn(void);
bool on_signal_stack(u32 esp); /* the current thread's, with that stack pointer */

/* signal_calls.c */
int signal_stack_set(u32 base, u32 flags, u32 size, u32 esp); /* as sigaltstack(2) */
long sys_signal(s32 sig, u32 handler);
long sys_sigaction(s32 sig, const void __user *act, void __user *old);
long sys_rt_sigaction(s32 sig, const void __user *act, void __user *old, u32 size);
long sys_sgetmask(void);
long sys_ssetmask(u32 mask);
long sys_sigprocmask(u32 how, const u32 __user *set, u32 __user *old);
long sys_rt_sigprocmask(u32 how, const u64 __user *set, u64 __user *old, u32 size);
long sys_sigpending(u32 __user *set);
long sys_rt_sigpending(void __user *set, u32 size);
long sys_sigsuspend(u32 unused1, u32 unused2, u32 mask);
long sys_rt_sigsuspend(const u64 __user *mask, u32 size);
long sys_pause(void);
long sys_rt_sigtimedwait(const u64 __user *set, void __user *info, const void __user *timeout,
                         u32 size);
long sys_rt_sigtimedwait_time64(const u64 __user *set, void __user *info,
                                const void __user *timeout, u32 size);
long sys_sigaltstack(const void __user *stack, void __user *old);
long sys_restart_syscall(void);

/* kill.c */
long sys_kill(s32 pid, u32 sig);
long sys_tkill(s32 tid, u32 sig);
long sys_tgkill(s32 tgid, s32 tid, u32 sig);
long sys_rt_sigqueueinfo(s32 pid, u32 sig, const void __user *info);
long sys_rt_tgsigqueueinfo(s32 tgid, s32 tid, u32 sig, const void __user *info);

#endif
