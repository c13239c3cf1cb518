/*
 * Files that are no files: objects which a program reaches by a descriptor because everything that
 * waits, waits for descriptors. Each kind is a file of this folder. /proc/PID/fd calls them
 * "anon_inode:[NAME]".
 */
#ifndef KERNEL_FS_ANON_H
#define KERNEL_FS_ANON_H

#include "kernel/fs/vfs.h"

/* A new descriptor for the object; of `flags` O_CLOEXEC and O_NONBLOCK count. On an error (a
 * negative errno) the object still is the caller's; else ops->release ends it. */
int anon_descriptor(const char *name, const struct file_ops *ops, void *object, u32 flags);

/* epoll.c: epoll(7) */
extern const struct file_ops epoll_file_ops;
/* The last descriptor of a file is closed: nobody waits for it any more. */
void epoll_forget(struct file *file);
long sys_epoll_create(s32 size);
long sys_epoll_create1(u32 flags);
long sys_epoll_ctl(u32 epfd, u32 operation, u32 fd, const void __user *event);
long sys_epoll_wait(u32 epfd, void __user *events, s32 max, s32 ms);
long sys_epoll_pwait(u32 epfd, void __user *events, s32 max, s32 ms, const void __user *mask,
                     u32 mask_size);
long sys_epoll_pwait2(u32 epfd, void __user *events, s32 max, const void __user *time,
                      const void __user *mask, u32 mask_size);

/* eventfd.c: eventfd(2) */
long sys_eventfd(u32 count);
long sys_eventfd2(u32 count, u32 flags);

/* timerfd.c: timerfd_create(2) */
long sys_timerfd_create(u32 clock, u32 flags);
long sys_timerfd_settime(u32 fd, u32 flags, const void __user *to, void __user *old);
long sys_timerfd_settime64(u32 fd, u32 flags, const void __user *to, void __user *old);
long sys_timerfd_gettime(u32 fd, void __user *to);
long sys_timerfd_gettime64(u32 fd, void __user *to);

/* kernel/proc/signalfd.c: signalfd(2) */
long sys_signalfd(s32 fd, const u64 __user *mask, u32 size);
long sys_signalfd4(s32 fd, const u64 __user *mask, u32 size, u32 flags);

#endif
