/*
 * signals - sending, blocking, handling; what a handler is told; calls that are cut short.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fenv.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

static volatile sig_atomic_t count, last;
static volatile siginfo_t info;
static sigjmp_buf escape;

static void note_signal(int sig)
{
    count++;
    last = sig;
}

static void note_info(int sig, siginfo_t *si, void *context)
{
    count++;
    last = sig;
    *(siginfo_t *)&info = *si;
}

static void leap(int sig, siginfo_t *si, void *context)
{
    note_info(sig, si, context);
    siglongjmp(escape, 1);
}

static void handle(int sig, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};

    sigemptyset(&action.sa_mask);
    sigaction(sig, &action, NULL);
    count = last = 0;
}

static void handle_info(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = flags | SA_SIGINFO};

    sigemptyset(&action.sa_mask);
    sigaction(sig, &action, NULL);
    count = last = 0;
}

static sigset_t set_of(int sig)
{
    sigset_t set;

    sigemptyset(&set);
    if (sig) {
        sigaddset(&set, sig);
    }
    return set;
}

static void block(int sig)
{
    sigset_t set = set_of(sig);

    sigprocmask(SIG_BLOCK, &set, NULL);
}

static void unblock(int sig)
{
    sigset_t set = set_of(sig);

    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

/* A child that sends the parent a signal after a while. Its pid. */
static pid_t send_later(int sig, unsigned ms)
{
    pid_t child = fork();

    if (child == 0) {
        sleep_ms(ms);
        kill(getppid(), sig);
        _exit(0);
    }
    return child;
}

static void test_handlers(void)
{
    struct sigaction old;

    handle(SIGUSR1, note_signal, 0);
    raise(SIGUSR1);
    check_equal(count, 1, "a handler runs before raise returns");
    check_equal(last, SIGUSR1, "and is told the signal's number");
    raise(SIGUSR1);
    check_equal(count, 2, "a handler stays");
    sigaction(SIGUSR1, NULL, &old);
    check(old.sa_handler == note_signal, "sigaction tells the handler that is set");
    handle(SIGUSR1, note_signal, SA_RESETHAND);
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    check(count == 1 && old.sa_handler == SIG_DFL, "SA_RESETHAND: once, then the default again");
    check_errno(sigaction(SIGKILL, &old, NULL), EINVAL, "SIGKILL has no handler: EINVAL");
    check_errno(sigaction(SIGSTOP, &old, NULL), EINVAL, "SIGSTOP neither");
    check_errno(sigaction(65, NULL, &old), EINVAL, "there is no signal 65: EINVAL");
    check_errno(syscall(SYS_rt_sigaction, SIGUSR1, NULL, NULL, 4), EINVAL,
                "rt_sigaction knows masks of 8 bytes only");
    check_errno(syscall(SYS_rt_sigaction, SIGUSR1, (void *)8, NULL, 8), EFAULT,
                "an action that cannot be read: EFAULT");

    handle(SIGUSR1, SIG_IGN, 0);
    check_equal(raise(SIGUSR1), 0, "an ignored signal does nothing");
    handle(SIGUSR1, SIG_DFL, 0);
    check_equal(raise(SIGWINCH), 0, "SIGWINCH does nothing by default");
}

static volatile int depth, deepest;

static void nest(int sig)
{
    depth++;
    if (depth > deepest) {
        deepest = depth;
    }
    if (++count < 3) {
        raise(SIGUSR1);
    }
    depth--;
}

static void raise_other(int sig)
{
    raise(SIGUSR2);
    last = count; /* 0: SIGUSR2 waits until we are through */
}

static void test_masks(void)
{
    sigset_t set, pending;
    struct sigaction action = {.sa_handler = raise_other};

    handle(SIGUSR1, note_signal, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    check_equal(count, 0, "a blocked signal does not arrive");
    sigpending(&pending);
    check(sigismember(&pending, SIGUSR1) == 1, "it is pending");
    unblock(SIGUSR1);
    check_equal(count, 1, "unblocked, it arrives once, however often it was sent");
    sigpending(&pending);
    check(sigismember(&pending, SIGUSR1) == 0, "and pends no more");

    handle(SIGUSR1, nest, 0);
    depth = deepest = 0;
    raise(SIGUSR1);
    check(count == 3 && deepest == 1, "a handler is not interrupted by its own signal");
    handle(SIGUSR1, nest, SA_NODEFER);
    depth = deepest = 0;
    raise(SIGUSR1);
    check(count == 3 && deepest == 3, "but with SA_NODEFER it is");

    handle(SIGUSR2, note_signal, 0);
    action.sa_mask = set_of(SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    last = -1;
    raise(SIGUSR1);
    check_equal(count, 1, "sa_mask: the other signal arrives");
    sigprocmask(SIG_SETMASK, NULL, &set);
    check(!sigismember(&set, SIGUSR1) && !sigismember(&set, SIGUSR2),
          "after the handlers the mask is what it was");

    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigprocmask(SIG_SETMASK, NULL, &set);
    check(!sigismember(&set, SIGKILL) && !sigismember(&set, SIGSTOP) && sigismember(&set, SIGTERM),
          "SIGKILL and SIGSTOP cannot be blocked");
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    check_errno(sigprocmask(77, &set, NULL), EINVAL, "sigprocmask knows three ways: EINVAL");

    block(SIGUSR1);
    raise(SIGUSR1);
    handle(SIGUSR1, SIG_IGN, 0);
    handle(SIGUSR1, note_signal, 0);
    unblock(SIGUSR1);
    check_equal(count, 0, "to ignore a signal throws away what is pending");
}

static void test_siginfo(void)
{
    union sigval value = {.sival_int = 4711};
    pid_t child;
    int status;

    handle_info(SIGUSR1, note_info, 0);
    kill(getpid(), SIGUSR1);
    check(info.si_code == SI_USER && info.si_pid == getpid(), "siginfo of kill: SI_USER, the pid");
    raise(SIGUSR1);
    check_equal(info.si_code, SI_TKILL, "siginfo of raise: SI_TKILL");
    sigqueue(getpid(), SIGUSR1, value);
    check(info.si_code == SI_QUEUE && info.si_value.sival_int == 4711,
          "siginfo of sigqueue: SI_QUEUE and the value");

    handle_info(SIGCHLD, note_info, 0);
    child = fork();
    if (child == 0) {
        _exit(7);
    }
    while (count == 0) {
        sleep_ms(1);
    }
    check(info.si_code == CLD_EXITED && info.si_pid == child && info.si_status == 7,
          "SIGCHLD says which child ended, and how");
    waitpid(child, &status, 0);
    handle(SIGCHLD, SIG_DFL, 0);
}

static volatile int order[16], ordered;

static void note_value(int sig, siginfo_t *si, void *context)
{
    if (ordered < 16) {
        order[ordered++] = si->si_value.sival_int + 100 * (sig - SIGRTMIN);
    }
}

static void test_real_time(void)
{
    sigset_t set, old;

    handle_info(SIGRTMIN, note_value, 0);
    handle_info(SIGRTMIN + 1, note_value, 0);
    set = set_of(SIGRTMIN);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 3; i++) {
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = i});
        sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = i});
    }
    ordered = 0;
    sigprocmask(SIG_SETMASK, &old, NULL);
    check_equal(ordered, 6, "real-time signals arrive as often as they were sent");
    /* Handlers of lower numbers interrupt none of the others here: all frames are set up at once,
     * so that the last one set up, of the highest number, runs first. */
    int falling = 0;

    for (int i = 0; i < 3; i++) {
        for (int j = i + 1; j < 3; j++) {
            falling += order[i] < order[j] ? 0 : 1;
        }
    }
    check(ordered == 6 && (falling == 0 || falling == 3), "those of one number in order");
}

static void test_waiting(void)
{
    sigset_t set = set_of(SIGUSR1), empty;
    siginfo_t si;
    struct timespec no_time = {0, 0}, short_time = {0, 20000000};
    pid_t child;

    handle(SIGUSR1, note_signal, 0);
    block(SIGUSR1);
    check_errno(sigtimedwait(&set, &si, &no_time), EAGAIN, "sigtimedwait without a signal: EAGAIN");
    check_errno(sigtimedwait(&set, &si, &short_time), EAGAIN, "also after a while");
    raise(SIGUSR1);
    check_equal(sigtimedwait(&set, &si, &no_time), SIGUSR1, "sigtimedwait takes what is pending");
    check(count == 0 && si.si_signo == SIGUSR1, "and no handler runs");
    child = send_later(SIGUSR1, 30);
    check_equal(sigwaitinfo(&set, &si), SIGUSR1, "sigwaitinfo waits for a signal");
    check(si.si_pid == child && si.si_code == SI_USER, "and says who has sent it");
    waitpid(child, NULL, 0);
    short_time.tv_nsec = -1;
    check_errno(sigtimedwait(&set, &si, &short_time), EINVAL, "a negative time: EINVAL");

    sigemptyset(&empty);
    raise(SIGUSR1);
    check_errno(sigsuspend(&empty), EINTR, "sigsuspend lets a pending signal in: EINTR");
    check_equal(count, 1, "its handler has run");
    sigprocmask(SIG_SETMASK, NULL, &set);
    check(sigismember(&set, SIGUSR1) == 1, "and the mask is back");
    unblock(SIGUSR1);
    child = send_later(SIGUSR1, 30);
    check_errno(pause(), EINTR, "pause ends with a handler: EINTR");
    waitpid(child, NULL, 0);
}

static void test_interruption(void)
{
    struct timespec second = {5, 0}, left = {0, 0};
    int ends[2];
    char byte;
    pid_t child;

    if (pipe(ends) < 0) {
        check(false, "a pipe can be made");
        return;
    }
    handle(SIGUSR1, note_signal, 0);
    child = send_later(SIGUSR1, 30);
    check_errno(read(ends[0], &byte, 1), EINTR, "a handler ends a read that waits: EINTR");
    waitpid(child, NULL, 0);

    handle(SIGUSR1, note_signal, SA_RESTART);
    child = fork();
    if (child == 0) {
        sleep_ms(30);
        kill(getppid(), SIGUSR1);
        sleep_ms(30);
        byte = 'x';
        _exit(write(ends[1], &byte, 1) == 1 ? 0 : 1);
    }
    check_equal(read(ends[0], &byte, 1), 1, "with SA_RESTART it goes on");
    check(count == 1 && byte == 'x', "behind the handler");
    waitpid(child, NULL, 0);

    handle(SIGUSR1, note_signal, SA_RESTART);
    child = send_later(SIGUSR1, 50);
    check_errno(nanosleep(&second, &left), EINTR, "nanosleep ends also with SA_RESTART: EINTR");
    check_range(left.tv_sec, 3, 4, "and tells the time that is left");
    waitpid(child, NULL, 0);
    child = send_later(SIGUSR1, 30);
    check_errno(poll(NULL, 0, 5000), EINTR, "so does poll");
    waitpid(child, NULL, 0);

    handle(SIGUSR1, SIG_IGN, 0);
    child = send_later(SIGUSR1, 20);
    check_equal(poll(NULL, 0, 60), 0, "an ignored signal does not end poll");
    waitpid(child, NULL, 0);

    handle(SIGUSR1, note_signal, 0);
    child = fork();
    if (child == 0) {
        sleep_ms(30);
        kill(getppid(), SIGUSR1);
        sleep_ms(50);
        _exit(3);
    }
    int status;

    check_errno(waitpid(child, &status, 0), EINTR, "a handler ends waitpid: EINTR");
    check_equal(waitpid(child, &status, 0), child, "which can be called again");

    /* A stop and its end are no reason to break off. */
    child = fork();
    if (child == 0) {
        struct timespec nap = {0, 150000000};

        _exit(nanosleep(&nap, NULL) == 0 ? 5 : 6);
    }
    sleep_ms(30);
    kill(child, SIGSTOP);
    sleep_ms(30);
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 5, "a sleep that was stopped and continued sleeps on");
    close(ends[0]);
    close(ends[1]);
}

static void store_nowhere(void)
{
    __asm__ volatile("movb $1, 16" : : : "memory");
}

static void divide_by_zero(void)
{
    __asm__ volatile("xor %%ecx, %%ecx\n mov $1, %%eax\n cdq\n idiv %%ecx"
                     :
                     :
                     : "eax", "ecx", "edx");
}

static volatile int trap_number;
static volatile uintptr_t trap_address;

static void skip_ud2(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;

    note_info(sig, si, context);
    trap_number = uc->uc_mcontext.gregs[REG_TRAPNO];
    uc->uc_mcontext.gregs[REG_EIP] += 2;
    uc->uc_mcontext.gregs[REG_EBX] = 0x1234;
}

static void note_trap(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;

    note_info(sig, si, context);
    trap_number = uc->uc_mcontext.gregs[REG_TRAPNO];
    trap_address = uc->uc_mcontext.cr2;
    siglongjmp(escape, 1);
}

static void test_faults(void)
{
    volatile char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ebx;

    handle_info(SIGSEGV, note_trap, 0);
    if (sigsetjmp(escape, 1) == 0) {
        store_nowhere();
    }
    check(last == SIGSEGV && info.si_code == SEGV_MAPERR && info.si_addr == (void *)16,
          "a store to nowhere: SIGSEGV, SEGV_MAPERR, the address");
    check(trap_number == 14 && trap_address == 16, "trapno and cr2 are in the context");
    if (sigsetjmp(escape, 1) == 0) {
        *page = 1;
    }
    check(info.si_code == SEGV_ACCERR && info.si_addr == (void *)page,
          "a store to a page that is read-only: SEGV_ACCERR");
    if (sigsetjmp(escape, 1) == 0) {
        __asm__ volatile("hlt");
    }
    check(info.si_code == SI_KERNEL && trap_number == 13, "hlt: SIGSEGV, trap 13, SI_KERNEL");
    handle(SIGSEGV, SIG_DFL, 0);

    handle_info(SIGFPE, leap, 0);
    if (sigsetjmp(escape, 1) == 0) {
        divide_by_zero();
    }
    check(last == SIGFPE && info.si_code == FPE_INTDIV, "a division by zero: SIGFPE, FPE_INTDIV");
    if (sigsetjmp(escape, 1) == 0) {
        double numbers[2] = {1.0, 0.0};
        unsigned short control = 0x37B; /* zero divide unmasked */

        __asm__ volatile("fldcw %0\n fldl %1\n fdivl %2\n fwait\n"
                         :
                         : "m"(control), "m"(numbers[0]), "m"(numbers[1]));
    }
    __asm__ volatile("fninit");
    check(last == SIGFPE && info.si_code == FPE_FLTDIV, "one of the x87: FPE_FLTDIV");
    handle(SIGFPE, SIG_DFL, 0);

    handle_info(SIGILL, skip_ud2, 0);
    __asm__ volatile("movl $1, %%ebx\n ud2\n movl %%ebx, %0" : "=r"(ebx) : : "ebx");
    check(last == SIGILL && info.si_code == ILL_ILLOPN && trap_number == 6,
          "an undefined instruction: SIGILL, ILL_ILLOPN");
    check_equal(ebx, 0x1234, "what a handler changes in the context is so when it returns");
    handle(SIGILL, SIG_DFL, 0);

    handle_info(SIGTRAP, note_info, 0);
    __asm__ volatile("int3");
    check(last == SIGTRAP && info.si_code == SI_KERNEL, "int3: SIGTRAP");
    count = 0;
    __asm__ volatile("pushf\n orl $0x100, (%%esp)\n popf\n nop\n nop\n pushf\n"
                     "andl $~0x100, (%%esp)\n popf"
                     :
                     :
                     : "memory", "cc");
    check(count >= 3 && info.si_code == TRAP_TRACE, "the trap flag: SIGTRAP for each instruction");
    handle(SIGTRAP, SIG_DFL, 0);
}

static int fault_blocked(void *unused)
{
    block(SIGSEGV);
    handle(SIGSEGV, note_signal, 0);
    store_nowhere();
    return 0;
}

static int fault_ignored(void *unused)
{
    handle(SIGFPE, SIG_IGN, 0);
    divide_by_zero();
    return 0;
}

static int no_stack_for_handler(void *unused)
{
    handle(SIGUSR1, note_signal, 0);
    __asm__ volatile("movl $16, %%esp\n int $0x80" : : "a"(SYS_kill), "b"(getpid()), "c"(SIGUSR1));
    return 0;
}

static int bad_sigreturn(void *unused)
{
    __asm__ volatile("movl $16, %%esp\n int $0x80" : : "a"(SYS_rt_sigreturn));
    return 0;
}

static void test_no_way_out(void)
{
    check_killed(fault_blocked, NULL, SIGSEGV, "a fault whose signal is blocked kills");
    check_killed(fault_ignored, NULL, SIGFPE, "a fault whose signal is ignored kills");
    check_killed(no_stack_for_handler, NULL, SIGSEGV, "a handler without a stack: SIGSEGV");
    check_killed(bad_sigreturn, NULL, SIGSEGV, "sigreturn without a frame: SIGSEGV");
}

static void wreck_fpu(int sig)
{
    float ones[4] = {1, 1, 1, 1};

    __asm__ volatile("fninit\n fld1\n fld1\n fldz\n movups %0, %%xmm0" : : "m"(ones));
    count++;
}

static void spoil_frame(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;

    /* IOPL, IF off, NT: not a program's to set; DF is. */
    uc->uc_mcontext.gregs[REG_EFL] = (uc->uc_mcontext.gregs[REG_EFL] | 0x7000) & ~0x200;
    uc->uc_mcontext.gregs[REG_CS] &= ~3;
    uc->uc_mcontext.gregs[REG_SS] &= ~3;
    count++;
}

static void spoil_mxcsr(int sig, siginfo_t *si, void *context)
{
    ucontext_t *uc = context;

    /* Bits that no processor has; behind the old part of the FPU's state. */
    ((uint32_t *)uc->uc_mcontext.fpregs)[28 + 6] |= 0xFFFF0000;
}

static int return_with_bad_mxcsr(void *unused)
{
    handle_info(SIGUSR1, spoil_mxcsr, 0);
    raise(SIGUSR1);
    return 0;
}

static void lose_code_segment(int sig, siginfo_t *si, void *context)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_CS] = 0xFFF8;
}

static void lose_data_segment(int sig, siginfo_t *si, void *context)
{
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_FS] = 0xFFF8;
    count++;
}

static void test_lost_segments(void)
{
    unsigned short fs = 1;

    handle_info(SIGSEGV, leap, 0);
    handle_info(SIGUSR1, lose_code_segment, 0);
    if (sigsetjmp(escape, 1) == 0) {
        raise(SIGUSR1);
    }
    check_equal(last, SIGSEGV, "a context without a code segment: SIGSEGV, which can be handled");
    handle(SIGSEGV, SIG_DFL, 0);
    handle_info(SIGUSR1, lose_data_segment, 0);
    raise(SIGUSR1);
    __asm__ volatile("mov %%fs, %0" : "=r"(fs));
    check(count == 1 && fs == 0, "a data segment that is none becomes the null segment");
}

static void test_context(void)
{
    float in[4] = {1.5f, 2.5f, 3.5f, 4.5f}, out[4] = {0};
    double top = 0;
    unsigned long flags;

    handle(SIGUSR1, wreck_fpu, 0);
    double pi = 3.25;

    __asm__ volatile("fldl %3\n movups %4, %%xmm0\n int $0x80\n movups %%xmm0, %1\n fstpl %0"
                     : "=m"(top), "=m"(out), "+a"((int){SYS_kill})
                     : "m"(pi), "m"(in), "b"(getpid()), "c"(SIGUSR1)
                     : "memory");
    check_equal(count, 1, "a handler may use the FPU");
    check(top == 3.25, "the x87 registers are back behind it");
    check_bytes(out, in, sizeof(in), "the SSE registers, too");

    handle_info(SIGUSR1, spoil_frame, 0);
    raise(SIGUSR1);
    __asm__ volatile("pushf\n pop %0" : "=r"(flags));
    check_equal(count, 1, "a handler may write nonsense into its frame");
    check_equal(flags & 0x7200, 0x200, "sigreturn does not give away the processor's flags");
    check_killed(return_with_bad_mxcsr, NULL, SIGSEGV, "reserved bits of MXCSR: SIGSEGV");
}

static char other_stack[16384];
static volatile char *handler_sp;
static volatile int stack_flags;

static void note_stack(int sig)
{
    char here;
    stack_t now;

    handler_sp = &here;
    sigaltstack(NULL, &now);
    stack_flags = now.ss_flags;
    count++;
}

static void test_stack(void)
{
    stack_t stack = {.ss_sp = other_stack, .ss_size = sizeof(other_stack)}, old;

    sigaltstack(NULL, &old);
    check_equal(old.ss_flags, SS_DISABLE, "at first there is no signal stack");
    check_equal(sigaltstack(&stack, NULL), 0, "sigaltstack sets one");
    handle(SIGUSR1, note_stack, SA_ONSTACK);
    raise(SIGUSR1);
    check(handler_sp > other_stack && handler_sp < other_stack + sizeof(other_stack),
          "with SA_ONSTACK the handler runs there");
    check_equal(stack_flags, SS_ONSTACK, "and sigaltstack says so");
    handle(SIGUSR1, note_stack, 0);
    raise(SIGUSR1);
    check(handler_sp < other_stack || handler_sp >= other_stack + sizeof(other_stack),
          "without it, not");
    stack.ss_size = 100;
    check_errno(sigaltstack(&stack, NULL), ENOMEM, "too small a stack: ENOMEM");
    stack.ss_size = sizeof(other_stack);
    stack.ss_flags = 0x40;
    check_errno(sigaltstack(&stack, NULL), EINVAL, "unknown flags: EINVAL");
    stack.ss_flags = SS_DISABLE;
    sigaltstack(&stack, NULL);
}

static void test_kill(void)
{
    check_errno(kill(getpid(), 65), EINVAL, "kill with a signal that is none: EINVAL");
    check_errno(kill(30000, 0), ESRCH, "kill of nobody: ESRCH");
    check_equal(kill(getpid(), 0), 0, "signal 0 asks only");
    check_errno(syscall(SYS_tgkill, getpid(), 30000, 0), ESRCH, "tgkill of no thread: ESRCH");
    check_errno(syscall(SYS_tgkill, 1, getpid(), 0), ESRCH, "tgkill in another process: ESRCH");
    check_errno(syscall(SYS_tgkill, 0, getpid(), 0), EINVAL, "tgkill in process 0: EINVAL");
    check_errno(syscall(SYS_tkill, -1, 0), EINVAL, "tkill of thread -1: EINVAL");
    siginfo_t forged = {.si_code = SI_USER};

    check_errno(syscall(SYS_rt_sigqueueinfo, getppid(), SIGUSR1, &forged), EPERM,
                "sigqueue does not pretend to be kill: EPERM");
    check_errno(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, (void *)8), EFAULT,
                "a siginfo that cannot be read: EFAULT");
}

static int exec_keeps(void *self)
{
    char *argv[] = {self, "--after-exec", NULL};

    handle(SIGUSR1, note_signal, 0);
    handle(SIGUSR2, SIG_IGN, 0);
    block(SIGTERM);
    raise(SIGTERM);
    execv(self, argv);
    return 99;
}

static int after_exec(void)
{
    struct sigaction one, two;
    sigset_t set, pending;

    sigaction(SIGUSR1, NULL, &one);
    sigaction(SIGUSR2, NULL, &two);
    sigprocmask(SIG_SETMASK, NULL, &set);
    sigpending(&pending);
    return one.sa_handler == SIG_DFL && two.sa_handler == SIG_IGN && sigismember(&set, SIGTERM) &&
                   sigismember(&pending, SIGTERM)
               ? 0
               : 1;
}

static int fork_drops(void *unused)
{
    sigset_t pending;

    sigpending(&pending);
    return sigismember(&pending, SIGUSR1);
}

static void test_inheritance(char *self)
{
    check_exit(exec_keeps, self, 0, "execve: handlers go; ignored, blocked and pending stay");
    handle(SIGUSR1, note_signal, 0);
    block(SIGUSR1);
    raise(SIGUSR1);
    check_exit(fork_drops, NULL, 0, "fork: the child has no pending signals");
    unblock(SIGUSR1);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--after-exec") == 0) {
        return after_exec();
    }
    test_handlers();
    test_masks();
    test_siginfo();
    test_real_time();
    test_waiting();
    test_interruption();
    test_faults();
    test_no_way_out();
    test_context();
    test_lost_segments();
    test_stack();
    test_kill();
    test_inheritance(argv[0]);
    return check_done();
}
