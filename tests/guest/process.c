/*
 * process - fork, execve, exit, wait, and how a process that does wrong ends.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define EXEC_WORKED 77

static const char *self;
static int written = 1; /* in the data segment: each process has its own */

static int return_number(void *number)
{
    return (int)(intptr_t)number;
}

static int sleep_then_return(void *number)
{
    sleep_ms(200);
    return (int)(intptr_t)number;
}

static int parent_is(void *pid)
{
    return getppid() == (pid_t)(intptr_t)pid && getpid() != getppid() ? 0 : 1;
}

static int write_data(void *unused)
{
    written = 2;
    return written == 2 ? 0 : 1;
}

static int nest(void *depth)
{
    int status, left = (int)(intptr_t)depth;

    if (left == 0) {
        return 0;
    }
    status = run_child(nest, (void *)(intptr_t)(left - 1));
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) + 1 : 100;
}

static void test_fork_and_wait(void)
{
    check_errno(waitpid(-1, NULL, 0), ECHILD, "wait without a child says ECHILD");
    check_errno(waitpid(getpid(), NULL, 0), ECHILD, "wait for a process that is no child: ECHILD");
    check_equal(getpid(), getpid(), "getpid always says the same");
    check_exit(parent_is, (void *)(intptr_t)getpid(), 0, "a child knows its parent");
    check_exit(return_number, (void *)42, 42, "a child's exit status arrives at its parent");
    check_exit(return_number, (void *)(256 + 3), 3, "of an exit status, 8 bits count");
    check_exit(write_data, NULL, 0, "a child can write its data");
    check_equal(written, 1, "what a child writes does not change its parent");
    check_exit(nest, (void *)20, 20, "children have children, 20 deep");
}

static void test_wait_options(void)
{
    int status = -1;
    pid_t child = fork();

    if (child == 0) {
        _exit(sleep_then_return((void *)9));
    }
    check_equal(waitpid(child, &status, WNOHANG), 0, "WNOHANG says 0 while the child runs");
    check_equal(waitpid(child, &status, 0), child, "waitpid waits for the child that it is told");
    check_equal(WEXITSTATUS(status), 9, "waitpid gives that child's status");
    check_errno(waitpid(child, &status, WNOHANG), ECHILD, "a child is collected only once");
    check_errno(waitpid(-1, &status, 0x40000), EINVAL, "unknown options of wait4 are refused");

    child = fork();
    if (child == 0) {
        _exit(5);
    }
    sleep_ms(100);
    check_equal(waitpid(-1, &status, WNOHANG), child, "a dead child waits until it is collected");
    check_equal(WEXITSTATUS(status), 5, "and keeps its exit status");
}

static void test_many_children(void)
{
    enum { NR = 40 };
    int seen[NR] = {0}, started = 0, collected = 0, each_once = 1, status;

    for (int i = 0; i < NR; i++) {
        pid_t child = fork();

        if (child == 0) {
            sleep_ms(i % 5);
            _exit(i);
        }
        started += child > 0;
    }
    while (wait(&status) > 0) {
        collected++;
        if (WIFEXITED(status) && WEXITSTATUS(status) < NR) {
            seen[WEXITSTATUS(status)]++;
        }
    }
    check_equal(started, NR, "40 children can run at once");
    check_equal(collected, NR, "all of them are collected");
    for (int i = 0; i < NR; i++) {
        each_once &= seen[i] == 1;
    }
    check(each_once, "each with its own exit status");

    int good = 1;

    for (int i = 0; i < 300 && good; i++) {
        status = run_child(return_number, (void *)(intptr_t)(i & 127));
        good = status == (i & 127) << 8;
    }
    check(good, "300 children one after the other leave nothing behind that hinders the next");
}

/* A middle process dies and leaves its own child, which then has another parent. */
static int leave_orphan(void *shared)
{
    volatile int *state = shared;
    pid_t middle = getpid();

    if (fork() == 0) {
        sleep_ms(100);
        state[1] = getppid() != middle && getppid() > 0;
        state[0] = 1;
        _exit(0);
    }
    return 0;
}

static void test_orphans(void)
{
    volatile int *state = shared_memory(4096);

    check_exit(leave_orphan, (void *)state, 0, "a parent may end before its child");
    check(wait_change(&state[0], 0, 5000), "the orphan runs on");
    check(state[1] == 1, "and has got another parent");
    check_errno(waitpid(-1, NULL, WNOHANG), ECHILD, "a grandchild is nobody's child here");
}

/* What the program does when execve has started it from a test below. */
static int exec_target(int argc, char **argv)
{
    const char *value = getenv("FERRY_TEST");

    if (argc != 6 || strcmp(argv[2], "two words") != 0 || argv[3][0] != '\0' || !value ||
        strcmp(value, "yes") != 0) {
        return 1;
    }
    if (fcntl(atoi(argv[4]), F_GETFD) != 0) {
        return 2; /* a descriptor that should have stayed open is not */
    }
    if (fcntl(atoi(argv[5]), F_GETFD) != -1 || errno != EBADF) {
        return 3; /* one that should have been closed is not */
    }
    return written == 1 ? EXEC_WORKED : 4;
}

static int exec_self(void *unused)
{
    char stays[16], closes[16];
    char *argv[] = {(char *)self, "--exec-target", "two words", "", stays, closes, NULL};
    char *envp[] = {"OTHER=x", "FERRY_TEST=yes", NULL};

    written = 3;
    snprintf(stays, sizeof(stays), "%d", dup(1));
    snprintf(closes, sizeof(closes), "%d", fcntl(1, F_DUPFD_CLOEXEC, 20));
    execve(self, argv, envp);
    return 99;
}

static int count_arguments(void *count)
{
    int nr = (int)(intptr_t)count;
    char **argv = calloc(nr + 1, sizeof(char *)), *envp[] = {NULL}, number[16];

    snprintf(number, sizeof(number), "%d", nr);
    for (int i = 0; i < nr; i++) {
        argv[i] = "an argument of some length, as there are many";
    }
    argv[0] = (char *)self;
    argv[1] = "--count";
    argv[2] = number;
    execve(self, argv, envp);
    return 99;
}

static int exec_huge_argument(void *unused)
{
    char *huge = malloc(256 * 1024), *argv[] = {(char *)self, huge, NULL}, *envp[] = {NULL};

    memset(huge, 'x', 256 * 1024 - 1);
    huge[256 * 1024 - 1] = '\0';
    return execve(self, argv, envp) == -1 && errno == E2BIG ? 0 : 1;
}

static void test_execve(void)
{
    char *argv[] = {"x", NULL};

    check_exit(exec_self, NULL, EXEC_WORKED,
               "execve passes arguments, environment and descriptors but for close-on-exec");
    check_exit(count_arguments, (void *)500, EXEC_WORKED, "execve passes 500 arguments");
    check_exit(exec_huge_argument, NULL, 0, "execve of an argument too long says E2BIG");
    check_errno(execve("/no/such/program", argv, argv + 1), ENOENT, "execve of nothing: ENOENT");
    check_errno(execve("/", argv, argv + 1), EACCES, "execve of a directory: EACCES");
    check_errno(execve("", argv, argv + 1), ENOENT, "execve of an empty name: ENOENT");
}

/* Things that no process may do. In assembly language, since a compiler would know better. */
#define WRONG(name, code)         \
    static int name(void *unused) \
    {                             \
        __asm__ volatile(code);   \
        return 0;                 \
    }

WRONG(read_null, "mov 0, %eax")
WRONG(write_null, "movl $1, 0")
WRONG(call_null, "xor %eax, %eax\n call *%eax")
WRONG(read_kernel, "mov 0xc0100000, %eax")
WRONG(write_kernel, "movl $1, 0xc0100000")
WRONG(read_top, "mov 0xfffff000, %eax")
WRONG(write_text, "movb $0, main")
WRONG(divide, "xor %ecx, %ecx\n mov $1, %eax\n cdq\n idiv %ecx")
WRONG(overflow, "mov $0x80000000, %eax\n cdq\n mov $-1, %ecx\n idiv %ecx")
WRONG(undefined, "ud2")
WRONG(clear_interrupts, "cli")
WRONG(halt, "hlt")
WRONG(port_in, "inb $0x64, %al")
WRONG(load_cr3, "mov %eax, %cr3")
WRONG(interrupt_20, "int $0x20")
WRONG(interrupt_0e, "int $0x0e")
WRONG(no_stack, "mov $0x10, %esp\n push %eax")
WRONG(kernel_segment, "mov $0x10, %eax\n mov %eax, %ds\n mov (%esp), %eax")

static void test_faults(void)
{
    static const struct {
        int (*wrong)(void *);
        int signal;
        const char *sentence;
    } faults[] = {
        {read_null, SIGSEGV, "to read through NULL kills with SIGSEGV"},
        {write_null, SIGSEGV, "to write through NULL kills with SIGSEGV"},
        {call_null, SIGSEGV, "to call NULL kills with SIGSEGV"},
        {read_kernel, SIGSEGV, "to read at 0xc0100000 kills with SIGSEGV"},
        {write_kernel, SIGSEGV, "to write at 0xc0100000 kills with SIGSEGV"},
        {read_top, SIGSEGV, "to read the last page of all kills with SIGSEGV"},
        {write_text, SIGSEGV, "to write to program text kills with SIGSEGV"},
        {divide, SIGFPE, "to divide by zero kills with SIGFPE"},
        {overflow, SIGFPE, "a quotient that does not fit kills with SIGFPE"},
        {undefined, SIGILL, "an undefined instruction kills with SIGILL"},
        {clear_interrupts, SIGSEGV, "cli is not for programs: SIGSEGV"},
        {halt, SIGSEGV, "hlt is not for programs: SIGSEGV"},
        {port_in, SIGSEGV, "ports are not for programs: SIGSEGV"},
        {load_cr3, SIGSEGV, "cr3 is not for programs: SIGSEGV"},
        {interrupt_20, SIGSEGV, "int 0x20 is no way into the kernel: SIGSEGV"},
        {interrupt_0e, SIGSEGV, "int 0x0e does not feign a page fault: SIGSEGV"},
        {no_stack, SIGSEGV, "a stack pointer that points nowhere kills with SIGSEGV"},
        {kernel_segment, SIGSEGV, "a kernel segment is not for programs: SIGSEGV"},
    };

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        check_killed(faults[i].wrong, NULL, faults[i].signal, faults[i].sentence);
    }
    check_exit(return_number, NULL, 0, "after all of that, processes still run");
}

static void test_vfork_and_kill(void)
{
    int status;
    pid_t pid = vfork();

    if (pid == 0) {
        usleep(50000);
        _exit(9);
    }
    check_equal(waitpid(pid, &status, WNOHANG), pid, "vfork goes on when the child has ended");
    check_equal(WEXITSTATUS(status), 9, "with the child's status");

    pid = fork();
    if (pid == 0) {
        for (;;) {
            usleep(1000000);
        }
    }
    check_equal(kill(pid, SIGCONT), 0, "SIGCONT can be sent");
    check_equal(kill(pid, SIGWINCH), 0, "SIGWINCH, too");
    usleep(50000);
    check_equal(waitpid(pid, &status, WNOHANG), 0, "and neither ends a program");
    check_equal(kill(pid, SIGTERM), 0, "SIGTERM can be sent");
    check_equal(waitpid(pid, &status, 0), pid, "and does");
    check_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, SIGTERM, "as the status says");
    check_errno(kill(pid, 0), ESRCH, "then there is no such process: ESRCH");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--exec-target") == 0) {
        return exec_target(argc, argv);
    }
    if (argc > 2 && strcmp(argv[1], "--count") == 0) {
        return argc == atoi(argv[2]) && strlen(argv[argc - 1]) == 45 ? EXEC_WORKED : 1;
    }
    self = argv[0];
    test_fork_and_wait();
    test_wait_options();
    test_many_children();
    test_orphans();
    test_execve();
    test_faults();
    test_vfork_and_kill();
    return check_done();
}
