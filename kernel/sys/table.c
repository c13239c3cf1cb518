/*
 * The system call table: Linux i386, int 0x80, in the order of the numbers, one line a call.
 *
 * EAX is the number, EBX ECX EDX ESI EDI EBP the arguments; the answer goes into EAX, an error as
 * a negative errno. What is not here answers -ENOSYS, and C libraries then try an older call.
 * syscall(2); arch/i386 of the ABI in <asm/unistd_32.h>.
 *
 * A line says two things: who answers the call, and how much of Linux's call that is.
 *
 *     CALL(dup)                                   whole: what Linux's man page says, is so here
 *     PARTLY(reboot, "no kexec")                  whole but for what is named
 *     CALL_AS(fcntl, sys_fcntl64)                 the same, answered by another name's handler
 *     PARTLY_AS(mmap, sys_old_mmap, "no ...")
 *
 * tools/mkcalls makes docs/system-calls.md of these lines; a test wants the page up to date and the
 * numbers in order. To add a call: its line here in the place of its number, its prototype in
 * kernel/sys/sys.h or the header of its room, and `tools/mkcalls`.
 */
#include <asm/unistd_32.h>
#include "kernel/cpu/trap.h"
#include "kernel/fs/anon.h"
#include "kernel/fs/pipe.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/page.h"
#include "kernel/mm/shm.h"
#include "kernel/net/net.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/job.h"
#include "kernel/proc/signal_calls.h"
#include "kernel/proc/usage.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/identity.h"
#include "kernel/sys/lock.h"
#include "kernel/sys/sys.h"

typedef long (*syscall)(u32 a, u32 b, u32 c, u32 d, u32 e, u32 f);

/* Handlers take the arguments they need; cdecl leaves the rest to the caller. What is missing is
 * for tools/mkcalls alone. */
#define CALL_AS(name, handler)            [__NR_##name] = (syscall)handler
#define CALL(name)                        CALL_AS(name, sys_##name)
#define PARTLY_AS(name, handler, missing) CALL_AS(name, handler)
#define PARTLY(name, missing)             CALL(name)

#pragma GCC diagnostic ignored "-Wcast-function-type"
static const syscall table[] = {
    CALL(restart_syscall),
    CALL(exit),
    CALL(fork),
    CALL(read),
    CALL(write),
    CALL(open),
    CALL(close),
    CALL(waitpid),
    CALL(creat),
    CALL(link),
    CALL(unlink),
    CALL(execve),
    CALL(chdir),
    CALL(time),
    CALL(mknod),
    CALL(chmod),
    CALL(lchown),
    CALL(lseek),
    CALL(getpid),
    PARTLY(mount, "no bind mounts, moves or propagation; a disk's file system is mounted once"),
    CALL_AS(umount, sys_oldumount),
    CALL_AS(setuid, sys_setuid16),
    CALL_AS(getuid, sys_getuid16),
    CALL(stime),
    CALL(pause),
    CALL(utime),
    CALL(access),
    CALL(sync),
    CALL(kill),
    CALL(rename),
    CALL(mkdir),
    CALL(rmdir),
    CALL(dup),
    CALL(pipe),
    CALL(times),
    CALL(brk),
    CALL_AS(setgid, sys_setgid16),
    CALL_AS(getgid, sys_getgid16),
    CALL(signal),
    CALL_AS(geteuid, sys_geteuid16),
    CALL_AS(getegid, sys_getegid16),
    PARTLY_AS(umount2, sys_umount,
              "MNT_FORCE and MNT_DETACH do not take away what is in use; no MNT_EXPIRE"),
    CALL(ioctl),
    CALL_AS(fcntl, sys_fcntl64),
    CALL(setpgid),
    CALL(umask),
    CALL(chroot),
    CALL(dup2),
    CALL(getppid),
    CALL(getpgrp),
    CALL(setsid),
    CALL(sigaction),
    CALL(sgetmask),
    CALL(ssetmask),
    CALL_AS(setreuid, sys_setreuid16),
    CALL_AS(setregid, sys_setregid16),
    CALL(sigsuspend),
    CALL(sigpending),
    CALL(sethostname),
    CALL(getrusage),
    CALL(gettimeofday),
    CALL(settimeofday),
    PARTLY_AS(getgroups, sys_getgroups16, "at most 1000 groups"),
    PARTLY_AS(setgroups, sys_setgroups16, "at most 1000 groups"),
    CALL_AS(select, sys_old_select),
    CALL(symlink),
    CALL(readlink),
    PARTLY(reboot, "no kexec, no suspend, no RESTART2 command"),
    CALL_AS(mmap, sys_old_mmap),
    CALL(munmap),
    CALL(truncate),
    CALL(ftruncate),
    CALL(fchmod),
    CALL(fchown),
    CALL(statfs),
    CALL(fstatfs),
    CALL(socketcall),
    CALL(syslog),
    CALL(stat),
    CALL(lstat),
    CALL(fstat),
    CALL(wait4),
    CALL(sysinfo),
    PARTLY(ipc, "shared memory alone: no semaphores, no message queues"),
    CALL(fsync),
    CALL(sigreturn),
    CALL(clone),
    CALL(setdomainname),
    CALL(uname),
    PARTLY(adjtimex, "only to look: the clock is not steered"),
    CALL(mprotect),
    CALL(sigprocmask),
    CALL(getpgid),
    CALL(fchdir),
    PARTLY(personality, "kept and inherited, but without effect"),
    CALL_AS(setfsuid, sys_setfsuid16),
    CALL_AS(setfsgid, sys_setfsgid16),
    CALL_AS(_llseek, sys_llseek),
    CALL(getdents),
    CALL_AS(_newselect, sys_select),
    CALL(flock),
    CALL(msync),
    CALL(readv),
    CALL(writev),
    CALL(getsid),
    CALL_AS(fdatasync, sys_fsync),
    CALL(mlock),
    CALL(munlock),
    CALL(mlockall),
    CALL(munlockall),
    CALL(sched_yield),
    CALL(nanosleep),
    CALL(mremap),
    CALL_AS(setresuid, sys_setresuid16),
    CALL_AS(getresuid, sys_getresuid16),
    CALL(poll),
    CALL_AS(setresgid, sys_setresgid16),
    CALL_AS(getresgid, sys_getresgid16),
    CALL(rt_sigreturn),
    CALL(rt_sigaction),
    CALL(rt_sigprocmask),
    CALL(rt_sigpending),
    CALL(rt_sigtimedwait),
    CALL(rt_sigqueueinfo),
    CALL(rt_sigsuspend),
    CALL(pread64),
    CALL(pwrite64),
    CALL(chown),
    CALL(getcwd),
    PARTLY(capget, "no ambient and no file capabilities"),
    PARTLY(capset, "no ambient and no file capabilities, no bounding set"),
    CALL(sigaltstack),
    CALL(sendfile),
    CALL(vfork),
    CALL(mmap2),
    CALL(truncate64),
    CALL(ftruncate64),
    CALL(stat64),
    CALL(lstat64),
    CALL(fstat64),
    CALL(lchown32),
    CALL_AS(getuid32, sys_getuid),
    CALL_AS(getgid32, sys_getgid),
    CALL_AS(geteuid32, sys_geteuid),
    CALL_AS(getegid32, sys_getegid),
    CALL_AS(setreuid32, sys_setreuid),
    CALL_AS(setregid32, sys_setregid),
    PARTLY_AS(getgroups32, sys_getgroups, "at most 1000 groups"),
    PARTLY_AS(setgroups32, sys_setgroups, "at most 1000 groups"),
    CALL(fchown32),
    CALL_AS(setresuid32, sys_setresuid),
    CALL_AS(getresuid32, sys_getresuid),
    CALL_AS(setresgid32, sys_setresgid),
    CALL_AS(getresgid32, sys_getresgid),
    CALL(chown32),
    CALL_AS(setuid32, sys_setuid),
    CALL_AS(setgid32, sys_setgid),
    CALL_AS(setfsuid32, sys_setfsuid),
    CALL_AS(setfsgid32, sys_setfsgid),
    CALL(mincore),
    CALL(madvise),
    CALL(getdents64),
    CALL(fcntl64),
    CALL(gettid),
    CALL(readahead),
    CALL(tkill),
    CALL(sendfile64),
    CALL(set_thread_area),
    CALL(fadvise64),
    CALL(exit_group),
    CALL(epoll_create),
    CALL(epoll_ctl),
    CALL(epoll_wait),
    CALL(set_tid_address),
    CALL(clock_settime),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(statfs64),
    CALL(fstatfs64),
    CALL(tgkill),
    CALL(utimes),
    CALL(fadvise64_64),
    CALL(waitid),
    CALL(openat),
    CALL(mkdirat),
    CALL(mknodat),
    CALL(fchownat),
    CALL(futimesat),
    CALL(fstatat64),
    CALL(unlinkat),
    CALL(renameat),
    CALL(linkat),
    CALL(symlinkat),
    CALL(readlinkat),
    CALL(fchmodat),
    CALL(faccessat),
    CALL(pselect6),
    CALL(ppoll),
    CALL(sync_file_range),
    CALL(getcpu),
    CALL(epoll_pwait),
    CALL(utimensat),
    CALL(eventfd),
    CALL(fallocate),
    CALL(eventfd2),
    CALL(epoll_create1),
    CALL(dup3),
    CALL(pipe2),
    CALL(preadv),
    CALL(pwritev),
    CALL(rt_tgsigqueueinfo),
    CALL(recvmmsg),
    PARTLY(clock_adjtime, "only to look: the clock is not steered"),
    CALL(syncfs),
    CALL(sendmmsg),
    PARTLY(renameat2, "no RENAME_WHITEOUT"),
    CALL(getrandom),
    CALL(execveat),
    CALL(socket),
    CALL(socketpair),
    CALL(bind),
    CALL(connect),
    CALL(listen),
    CALL(accept4),
    CALL(getsockopt),
    CALL(setsockopt),
    CALL(getsockname),
    CALL(getpeername),
    CALL(sendto),
    CALL(sendmsg),
    CALL(recvfrom),
    CALL(recvmsg),
    CALL(shutdown),
    PARTLY(membarrier, "no private commands"),
    CALL(mlock2),
    CALL(statx),
    CALL(shmget),
    PARTLY(shmctl, "no SHM_INFO, SHM_STAT"),
    CALL(shmat),
    CALL(shmdt),
    CALL_AS(clock_gettime64, sys_clock_gettime64),
    CALL_AS(clock_settime64, sys_clock_settime64),
    CALL_AS(clock_getres_time64, sys_clock_getres64),
    CALL_AS(clock_nanosleep_time64, sys_clock_nanosleep64),
    CALL_AS(utimensat_time64, sys_utimensat64),
    CALL(pselect6_time64),
    CALL(ppoll_time64),
    CALL(recvmmsg_time64),
    CALL(rt_sigtimedwait_time64),
    CALL(close_range),
    CALL(faccessat2),
    CALL(epoll_pwait2),
};

void syscall_dispatch(struct trap_frame *f)
{
    irq_enable();
    frames_refill();
    ledger_entry(current->account, ENTRY_SYSCALL);
    u32 number = f->error = f->eax; /* kept for a call that begins again: signal_deliver.c */
    long ret = -ENOSYS;
    if (number < ARRAY_LEN(table) && table[number])
        ret = table[number](f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp);
    f->eax = (u32)ret;
}
