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
 *     PARTLY(reboot, "no kexec")                  the rest is whole; what is missing, in a few
 * words CALL_AS(fcntl, sys_fcntl64)                 the same, answered by another name's handler
 *     PARTLY_AS(mmap, sys_old_mmap, "no ...")
 *
 * tools/mkcalls makes docs/system-calls.md of these lines; a test wants the page up to date and the
 * numbers in order. To add a call: its line here in the place of its number, its prototype in
 * kernel/sys/sys.h or the header of its room, and `tools/mkcalls`.
 */
#include <asm/unistd_32.h>
#include "kernel/cpu/trap.h"
#include "kernel/fs/pipe.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/page.h"
#include "kernel/net/net.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/exec.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/task.h"
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
    CALL(exit),
    CALL(fork),
    CALL(read),
    CALL(write),
    CALL(open),
    CALL(close),
    CALL(waitpid),
    CALL(creat),
    CALL(unlink),
    CALL(execve),
    CALL(chdir),
    CALL(time),
    CALL(lseek),
    CALL(getpid),
    CALL(getuid),
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
    CALL_AS(getgid, sys_getuid),
    CALL_AS(geteuid, sys_getuid),
    CALL_AS(getegid, sys_getuid),
    CALL(ioctl),
    CALL_AS(fcntl, sys_fcntl64),
    CALL(setpgid),
    CALL(umask),
    CALL(dup2),
    CALL(getppid),
    CALL(getpgrp),
    CALL(setsid),
    CALL(gettimeofday),
    CALL_AS(select, sys_old_select),
    CALL(readlink),
    PARTLY(reboot, "no kexec, no suspend, no RESTART2 command"),
    CALL_AS(mmap, sys_old_mmap),
    CALL(munmap),
    CALL(socketcall),
    CALL(wait4),
    CALL(fsync),
    CALL(clone),
    CALL(uname),
    CALL(mprotect),
    CALL(getpgid),
    CALL(fchdir),
    CALL_AS(_llseek, sys_llseek),
    CALL_AS(_newselect, sys_select),
    CALL(readv),
    CALL(writev),
    CALL(getsid),
    CALL_AS(fdatasync, sys_fsync),
    CALL(sched_yield),
    CALL(nanosleep),
    CALL(poll),
    CALL(pread64),
    CALL(pwrite64),
    CALL(getcwd),
    CALL(sendfile),
    CALL(vfork),
    CALL(mmap2),
    CALL(stat64),
    CALL(lstat64),
    CALL(fstat64),
    CALL_AS(getuid32, sys_getuid),
    CALL_AS(getgid32, sys_getuid),
    CALL_AS(geteuid32, sys_getuid),
    CALL_AS(getegid32, sys_getuid),
    CALL(madvise),
    CALL(getdents64),
    CALL(fcntl64),
    CALL(gettid),
    CALL(sendfile64),
    CALL(set_thread_area),
    CALL_AS(exit_group, sys_exit),
    CALL(set_tid_address),
    CALL(clock_gettime),
    CALL(clock_getres),
    CALL(clock_nanosleep),
    CALL(openat),
    CALL(fstatat64),
    CALL(readlinkat),
    CALL(faccessat),
    CALL(pselect6),
    CALL(ppoll),
    CALL(dup3),
    CALL(pipe2),
    CALL(preadv),
    CALL(pwritev),
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
    CALL(statx),
    CALL_AS(clock_gettime64, sys_clock_gettime64),
    CALL_AS(clock_nanosleep_time64, sys_clock_nanosleep64),
    CALL(pselect6_time64),
    CALL(ppoll_time64),
};

void syscall_dispatch(struct trap_frame *f)
{
    irq_enable();
    frames_refill();
    ledger_entry(current->account, ENTRY_SYSCALL);
    u32 number = f->eax;
    long ret = -ENOSYS;
    if (number < ARRAY_LEN(table) && table[number])
        ret = table[number](f->ebx, f->ecx, f->edx, f->esi, f->edi, f->ebp);
    f->eax = (u32)(ret == -ERESTARTSYS ? -EINTR : ret);
}
