/* System calls that belong to no path, and what they share. Each is its man page of section 2. */
#ifndef KERNEL_SYS_SYS_H
#define KERNEL_SYS_SYS_H

#include "kernel/lib/types.h"

#define SYSTEM_NAME    "Ferry"
#define SYSTEM_RELEASE "0.1"

/* What uname(2) says: the ABI that programs may expect, and that it is not Linux's own kernel. */
#define UTS_SYSNAME "Linux"
#define UTS_RELEASE "4.19.0-ferry-" SYSTEM_RELEASE
#define UTS_VERSION "#1 " SYSTEM_NAME " " SYSTEM_RELEASE
struct file_ops;
extern const struct file_ops kmsg_fops; /* /proc/kmsg */
struct new_utsname;
extern struct new_utsname machine_name;

/* file.c */
long sys_open(const char __user *path, u32 flags, u32 mode);
long sys_openat(s32 dirfd, const char __user *path, u32 flags, u32 mode);
long sys_creat(const char __user *path, u32 mode);
long sys_close(u32 fd);
long sys_dup(u32 fd);
long sys_dup2(u32 fd, u32 to);
long sys_dup3(u32 fd, u32 to, u32 flags);
long sys_fcntl64(u32 fd, u32 command, u32 argument);
long sys_ioctl(u32 fd, u32 request, u32 argument);
long sys_close_range(u32 first, u32 last, u32 flags);

/* seek.c */
long sys_lseek(u32 fd, s32 offset, u32 whence);
long sys_llseek(u32 fd, u32 high, u32 low, u64 __user *result, u32 whence);
long sys_fsync(u32 fd);
long sys_fdatasync(u32 fd);
long sys_sync(void);
long sys_syncfs(u32 fd);
long sys_sync_file_range(u32 fd, u32 from_low, u32 from_high, u32 len_low, u32 len_high, u32 flags);
long sys_fadvise64(u32 fd, u32 pos_low, u32 pos_high, u32 len, u32 advice);
long sys_fadvise64_64(u32 fd, u32 pos_low, u32 pos_high, u32 len_low, u32 len_high, u32 advice);
long sys_readahead(u32 fd, u32 pos_low, u32 pos_high, u32 count);

/* dirent.c */
long sys_getdents(u32 fd, void __user *buf, u32 len);
long sys_getdents64(u32 fd, void __user *buf, u32 len);

/* poll.c */
long sys_poll(void __user *fds, u32 count, s32 ms);
long sys_ppoll(void __user *fds, u32 count, void __user *time, const void __user *mask,
               u32 mask_size);
long sys_ppoll_time64(void __user *fds, u32 count, void __user *time, const void __user *mask,
                      u32 mask_size);

/* select.c */
long sys_select(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time);
long sys_old_select(const u32 __user *arguments);
long sys_pselect6(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time,
                  const u32 __user *mask_and_size);
long sys_pselect6_time64(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time,
                         const u32 __user *mask_and_size);

/* name.c */
long sys_access(const char __user *path, u32 mode);
long sys_faccessat(s32 dirfd, const char __user *path, u32 mode);
long sys_faccessat2(s32 dirfd, const char __user *path, u32 mode, u32 flags);
long sys_chdir(const char __user *path);
long sys_fchdir(u32 fd);
long sys_chroot(const char __user *path);
long sys_getcwd(char __user *buf, u32 size);
long sys_readlink(const char __user *path, char __user *buf, s32 size);
long sys_readlinkat(s32 dirfd, const char __user *path, char __user *buf, s32 size);
long sys_umask(u32 mask);

/* stat.c */
long sys_stat(const char __user *path, void __user *to);
long sys_lstat(const char __user *path, void __user *to);
long sys_fstat(u32 fd, void __user *to);
long sys_stat64(const char __user *path, void __user *to);
long sys_lstat64(const char __user *path, void __user *to);
long sys_fstat64(u32 fd, void __user *to);
long sys_fstatat64(s32 dirfd, const char __user *path, void __user *to, u32 flags);
long sys_statx(s32 dirfd, const char __user *path, u32 flags, u32 mask, void __user *to);
long sys_statfs(const char __user *path, void __user *to);
long sys_fstatfs(u32 fd, void __user *to);
long sys_statfs64(const char __user *path, u32 size, void __user *to);
long sys_fstatfs64(u32 fd, u32 size, void __user *to);

/* change.c */
long sys_mkdir(const char __user *path, u32 mode);
long sys_mkdirat(s32 dirfd, const char __user *path, u32 mode);
long sys_mknod(const char __user *path, u32 mode, u32 rdev);
long sys_mknodat(s32 dirfd, const char __user *path, u32 mode, u32 rdev);
long sys_symlink(const char __user *target, const char __user *path);
long sys_symlinkat(const char __user *target, s32 dirfd, const char __user *path);
long sys_link(const char __user *from, const char __user *to);
long sys_linkat(s32 from_dir, const char __user *from, s32 to_dir, const char __user *to,
                u32 flags);
long sys_unlink(const char __user *path);
long sys_unlinkat(s32 dirfd, const char __user *path, u32 flags);
long sys_rmdir(const char __user *path);
long sys_rename(const char __user *from, const char __user *to);
long sys_renameat(s32 from_dir, const char __user *from, s32 to_dir, const char __user *to);
long sys_renameat2(s32 from_dir, const char __user *from, s32 to_dir, const char __user *to,
                   u32 flags);
long sys_truncate(const char __user *path, s32 size);
long sys_ftruncate(u32 fd, s32 size);
long sys_truncate64(const char __user *path, u32 low, u32 high);
long sys_ftruncate64(u32 fd, u32 low, u32 high);
long sys_fallocate(u32 fd, u32 mode, u32 pos_low, u32 pos_high, u32 len_low, u32 len_high);

/* attr.c */
long sys_chmod(const char __user *path, u32 mode);
long sys_fchmod(u32 fd, u32 mode);
long sys_fchmodat(s32 dirfd, const char __user *path, u32 mode);
long sys_chown(const char __user *path, u32 uid, u32 gid);
long sys_lchown(const char __user *path, u32 uid, u32 gid);
long sys_fchown(u32 fd, u32 uid, u32 gid);
long sys_chown32(const char __user *path, u32 uid, u32 gid);
long sys_lchown32(const char __user *path, u32 uid, u32 gid);
long sys_fchown32(u32 fd, u32 uid, u32 gid);
long sys_fchownat(s32 dirfd, const char __user *path, u32 uid, u32 gid, u32 flags);
long sys_utime(const char __user *path, const s32 __user *times);
long sys_utimes(const char __user *path, const void __user *times);
long sys_futimesat(s32 dirfd, const char __user *path, const void __user *times);
long sys_utimensat(s32 dirfd, const char __user *path, const void __user *times, u32 flags);
long sys_utimensat64(s32 dirfd, const char __user *path, const void __user *times, u32 flags);

/* xattr.c; removing asks for the same as getting */
long sys_setxattr(const char __user *path, const char __user *name, const void __user *value,
                  u32 size, u32 flags);
long sys_lsetxattr(const char __user *path, const char __user *name, const void __user *value,
                   u32 size, u32 flags);
long sys_fsetxattr(u32 fd, const char __user *name, const void __user *value, u32 size, u32 flags);
long sys_getxattr(const char __user *path, const char __user *name);
long sys_lgetxattr(const char __user *path, const char __user *name);
long sys_fgetxattr(u32 fd, const char __user *name);
long sys_listxattr(const char __user *path);
long sys_llistxattr(const char __user *path);
long sys_flistxattr(u32 fd);

/* mount.c */
long sys_mount(const char __user *source, const char __user *target, const char __user *type,
               u32 flags, const char __user *data);
long sys_umount(const char __user *target, u32 flags);
long sys_oldumount(const char __user *target);

/* process.c */
long sys_getpid(void);
long sys_getppid(void);
long sys_gettid(void);
long sys_set_tid_address(u32 __user *tid);
long sys_reboot(u32 magic1, u32 magic2, u32 command, void __user *argument);

/* machine.c */
long sys_uname(void __user *to);
long sys_sethostname(const char __user *name, s32 len);
long sys_setdomainname(const char __user *name, s32 len);
long sys_sysinfo(void __user *to);
long sys_getcpu(u32 __user *cpu, u32 __user *node, void __user *unused);
long sys_membarrier(s32 command, u32 flags, s32 cpu);
long sys_getrandom(void __user *buf, u32 len, u32 flags);
long sys_personality(u32 persona);
long sys_syslog(s32 type, char __user *buf, s32 len); /* syslog.c */

/* memory.c; mremap: kernel/mm/remap.c */
long sys_brk(u32 to);
long sys_madvise(u32 address, u32 len, u32 advice);
long sys_mincore(u32 address, u32 len, u8 __user *vec);
long sys_msync(u32 address, u32 len, u32 flags);
long sys_mlock(u32 address, u32 len);
long sys_mlock2(u32 address, u32 len, u32 flags);
long sys_munlock(u32 address, u32 len);
long sys_mlockall(u32 flags);
long sys_munlockall(void);
long sys_mremap(u32 address, u32 old_len, u32 new_len, u32 flags, u32 to);

/* schedule.c */
long sys_sched_yield(void);
long sys_sched_setscheduler(s32 tid, s32 policy, const s32 __user *param);
long sys_sched_setparam(s32 tid, const s32 __user *param);
long sys_sched_getscheduler(s32 tid);
long sys_sched_getparam(s32 tid, s32 __user *param);
long sys_sched_get_priority_max(s32 policy);
long sys_sched_get_priority_min(s32 policy);
long sys_sched_rr_get_interval(s32 tid, void __user *to);
long sys_sched_rr_get_interval_time64(s32 tid, void __user *to);
long sys_sched_getaffinity(s32 tid, u32 len, u32 __user *mask);
long sys_sched_setaffinity(s32 tid, u32 len, const u32 __user *mask);
long sys_setpriority(s32 which, u32 who, s32 nice);
long sys_getpriority(s32 which, u32 who);
long sys_nice(s32 by);

long sys_prctl(u32 option, u32 a, u32 b, u32 c, u32 d); /* prctl.c */

/* sleep.c */
long sys_nanosleep(const void __user *request, void __user *remain);
long sys_clock_nanosleep(u32 clock, u32 flags, const void __user *request, void __user *remain);
long sys_clock_nanosleep64(u32 clock, u32 flags, const void __user *request, void __user *remain);

#endif
