/*
 * threads - clone, futex, and what the threads of a process have in common: pthreads as the C
 * library makes them, and the calls beneath.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long futex(volatile int *word, int op, int value, const void *timeout, volatile int *word2,
                  int value3)
{
    return syscall(SYS_futex, word, op, value, timeout, word2, value3);
}

static volatile int shared, ready;
static __thread int own = 1;

struct answers {
    pid_t pid, tid, ppid;
};

static void *who(void *to)
{
    struct answers *a = to;

    a->pid = getpid();
    a->tid = syscall(SYS_gettid);
    a->ppid = getppid();
    shared = 17;
    own = 5;
    return (void *)(intptr_t)own;
}

static void test_create(void)
{
    struct answers a = {0};
    pthread_t thread;
    void *result = NULL;

    check_equal(pthread_create(&thread, NULL, who, &a), 0, "a thread can be created");
    check_equal(pthread_join(thread, &result), 0, "and joined");
    check_equal((intptr_t)result, 5, "which gives its result");
    check_equal(a.pid, getpid(), "a thread has the pid of its process");
    check(a.tid != getpid() && a.tid > 0, "and a number of its own");
    check_equal(a.ppid, getppid(), "and the parent of its process");
    check_equal(shared, 17, "threads share memory");
    check_equal(own, 1, "but for what is thread-local");
    check_errno(waitpid(a.tid, NULL, __WALL), ECHILD, "a thread is no child: ECHILD");
}

enum { WORKERS = 8, ROUNDS = 2000 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int counter, turn;

static void *count(void *unused)
{
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        int seen = counter;

        if (i % 100 == 0) {
            sched_yield();
        }
        counter = seen + 1;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void *take_turns(void *number)
{
    int mine = (int)(intptr_t)number;

    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % WORKERS != mine) {
            pthread_cond_wait(&changed, &mutex);
        }
        turn++;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

static void run_workers(void *(*work)(void *))
{
    pthread_t threads[WORKERS];

    for (int i = 0; i < WORKERS; i++) {
        pthread_create(&threads[i], NULL, work, (void *)(intptr_t)i);
    }
    for (int i = 0; i < WORKERS; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void *hold_for_ever(void *robust)
{
    pthread_mutex_lock(robust);
    return NULL;
}

static void test_locks(void)
{
    struct timespec soon;
    pthread_mutex_t robust;
    pthread_mutexattr_t attributes;
    pthread_t thread;

    run_workers(count);
    check_equal(counter, WORKERS * ROUNDS, "a mutex keeps eight threads apart");
    run_workers(take_turns);
    check_equal(turn, WORKERS * 100, "a condition variable lets them take turns");

    pthread_mutex_lock(&mutex);
    clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 20000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    check_equal(pthread_cond_timedwait(&changed, &mutex, &soon), ETIMEDOUT,
                "to wait for a condition can end by time: ETIMEDOUT");
    pthread_mutex_unlock(&mutex);

    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&robust, &attributes);
    pthread_create(&thread, NULL, hold_for_ever, &robust);
    pthread_join(thread, NULL);
    check_equal(pthread_mutex_lock(&robust), EOWNERDEAD,
                "a robust mutex tells that its owner has died: EOWNERDEAD");
}

static volatile int word, word2;

static void *wait_for_word(void *result)
{
    ready = 1;
    *(long *)result = futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0);
    return NULL;
}

static void *wait_with_bit(void *bit)
{
    ready++;
    return (void *)futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, (int)(intptr_t)bit);
}

static void test_futex(void)
{
    struct timespec no_time = {0, 0}, some_time = {0, 20000000};
    pthread_t threads[4];
    long result = -1;

    word = 1;
    check_errno(futex(&word, FUTEX_WAIT, 0, NULL, NULL, 0), EAGAIN,
                "FUTEX_WAIT for a word that is another one: EAGAIN");
    word = 0;
    check_errno(futex(&word, FUTEX_WAIT, 0, &no_time, NULL, 0), ETIMEDOUT,
                "FUTEX_WAIT for no time: ETIMEDOUT");
    check_errno(futex(&word, FUTEX_WAIT, 0, &some_time, NULL, 0), ETIMEDOUT, "for some: the same");
    check_errno(futex((int *)((char *)&word + 1), FUTEX_WAIT, 0, NULL, NULL, 0), EINVAL,
                "a word that is not aligned: EINVAL");
    check_errno(futex((int *)8, FUTEX_WAIT, 0, NULL, NULL, 0), EFAULT, "none at all: EFAULT");
    check_errno(futex(&word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0), EINVAL, "an empty set: EINVAL");
    check_errno(futex(&word, 77, 0, NULL, NULL, 0), ENOSYS, "an unknown operation: ENOSYS");
    check_equal(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0), 0, "FUTEX_WAKE says how many: none");

    ready = 0;
    pthread_create(&threads[0], NULL, wait_for_word, &result);
    while (!ready || futex(&word, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) {
        sleep_ms(1);
    }
    pthread_join(threads[0], NULL);
    check_equal(result, 0, "FUTEX_WAKE wakes who waits");

    /* Four wait, with four bits: one is woken by its bit, one by number, two change over. */
    ready = 0;
    for (int i = 0; i < 4; i++) {
        pthread_create(&threads[i], NULL, wait_with_bit, (void *)(intptr_t)(1 << i));
    }
    while (ready < 4) {
        sleep_ms(1);
    }
    sleep_ms(50);
    check_equal(futex(&word, FUTEX_WAKE_BITSET, 10, NULL, NULL, 4), 1,
                "FUTEX_WAKE_BITSET wakes those with the bit");
    pthread_join(threads[2], NULL);
    check_errno(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &word2, 5), EAGAIN,
                "FUTEX_CMP_REQUEUE compares: EAGAIN");
    check_equal(futex(&word, FUTEX_CMP_REQUEUE, 1, (void *)2, &word2, 0), 3,
                "and lets one go, and two wait elsewhere");
    check_equal(futex(&word, FUTEX_WAKE, 10, NULL, NULL, 0), 0, "where they were, nobody is left");
    word2 = 7;
    check_equal(futex(&word, FUTEX_WAKE_OP, 1, (void *)10, &word2,
                      FUTEX_OP(FUTEX_OP_ADD, 3, FUTEX_OP_CMP_EQ, 7)),
                2, "FUTEX_WAKE_OP wakes them there, as the comparison holds");
    check_equal(word2, 10, "and has added");
    for (int i = 0; i < 4; i++) {
        if (i != 2) {
            pthread_join(threads[i], NULL);
        }
    }

    volatile int *common = shared_memory(4096);
    pid_t child = fork();

    if (child == 0) {
        _exit(futex(common, FUTEX_WAIT, 0, NULL, NULL, 0) == 0 ? 0 : 1);
    }
    while (futex(common, FUTEX_WAKE, 1, NULL, NULL, 0) == 0) {
        sleep_ms(1);
    }
    int status = -1;

    waitpid(child, &status, 0);
    check_equal(status, 0, "in shared memory a futex works between processes");
    check_errno(syscall(SYS_set_robust_list, NULL, 5), EINVAL, "a robust list has a size: EINVAL");
}

static volatile pid_t handled_by;

static void note_thread(int sig)
{
    handled_by = syscall(SYS_gettid);
}

static void *sleep_long(void *unused)
{
    struct timespec long_time = {20, 0};

    ready = 1;
    nanosleep(&long_time, NULL);
    return (void *)1;
}

static void *wait_for_signal(void *tid)
{
    sigset_t set;
    int sig = 0;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    *(volatile pid_t *)tid = syscall(SYS_gettid);
    sigwait(&set, &sig);
    return (void *)(intptr_t)sig;
}

static void test_signals(void)
{
    struct sigaction action = {.sa_handler = note_thread};
    volatile pid_t tid = 0;
    pthread_t thread;
    sigset_t set, old;
    void *result;

    sigaction(SIGUSR1, &action, NULL);
    ready = 0;
    handled_by = 0;
    pthread_create(&thread, NULL, sleep_long, NULL);
    while (!ready) {
        sleep_ms(1);
    }
    pthread_kill(thread, SIGUSR1);
    pthread_join(thread, NULL);
    check(handled_by != 0 && handled_by != getpid(), "pthread_kill reaches the thread it names");

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    ready = 0;
    handled_by = 0;
    pthread_create(&thread, NULL, sleep_long, NULL);
    while (!ready) {
        sleep_ms(1);
    }
    pthread_sigmask(SIG_BLOCK, &set, &old);
    kill(getpid(), SIGUSR1);
    pthread_join(thread, NULL);
    check(handled_by != 0 && handled_by != getpid(),
          "a signal to the process goes to a thread that does not block it");
    pthread_sigmask(SIG_SETMASK, &old, NULL);

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, &old);
    pthread_create(&thread, NULL, wait_for_signal, (void *)&tid);
    while (!tid) {
        sleep_ms(1);
    }
    kill(getpid(), SIGUSR2);
    pthread_join(thread, &result);
    check_equal((intptr_t)result, SIGUSR2, "sigwait in one thread takes the process's signal");
    pthread_sigmask(SIG_SETMASK, &old, NULL);

    ready = 0;
    pthread_create(&thread, NULL, sleep_long, NULL);
    while (!ready) {
        sleep_ms(1);
    }
    pthread_cancel(thread);
    pthread_join(thread, &result);
    check(result == PTHREAD_CANCELED, "a thread that sleeps can be cancelled");
}

static void start(void *(*work)(void *), void *argument)
{
    pthread_t thread;

    pthread_create(&thread, NULL, work, argument);
    while (!ready) {
        sleep_ms(1);
    }
}

static int exit_with_sleepers(void *unused)
{
    ready = 0;
    start(sleep_long, NULL);
    start(sleep_long, NULL);
    exit(4);
}

static void *exit_process(void *unused)
{
    ready = 1;
    exit(6);
}

static int exit_in_thread(void *unused)
{
    ready = 0;
    start(exit_process, NULL);
    pause();
    return 1;
}

static void *exit_last(void *unused)
{
    ready = 1;
    sleep_ms(30);
    syscall(SYS_exit, 9); /* the last thread, but not the first */
    return NULL;
}

static int first_thread_leaves(void *unused)
{
    ready = 0;
    start(exit_last, NULL);
    syscall(SYS_exit, 8);
    return 1;
}

static void *fault(void *unused)
{
    ready = 1;
    __asm__ volatile("ud2");
    return NULL;
}

static int fault_in_thread(void *unused)
{
    ready = 0;
    start(fault, NULL);
    pause();
    return 1;
}

static char *self;

static void *exec_self(void *unused)
{
    char pid[16];
    char *argv[] = {self, "--after-exec", pid, NULL};

    snprintf(pid, sizeof(pid), "%d", getpid());
    ready = 1;
    execv(self, argv);
    return NULL;
}

static int exec_in_thread(void *unused)
{
    ready = 0;
    start(sleep_long, NULL);
    start(exec_self, NULL);
    pause();
    return 1;
}

static int stop_all(void *unused)
{
    ready = 0;
    start(sleep_long, NULL);
    raise(SIGSTOP);
    return 3;
}

static void test_end(void)
{
    int status;

    check_exit(exit_with_sleepers, NULL, 4, "exit ends threads that sleep");
    check_exit(exit_in_thread, NULL, 6, "exit in any thread ends the process");
    check_exit(first_thread_leaves, NULL, 9, "the first thread may leave before the others");
    check_killed(fault_in_thread, NULL, SIGILL, "a fault in a thread kills the process");
    check_exit(exec_in_thread, NULL, 0, "execve in a thread: the others end, the pid stays");

    pid_t child = fork();

    if (child == 0) {
        _exit(stop_all(NULL));
    }
    check_equal(waitpid(child, &status, WUNTRACED), child, "a stop stops all threads");
    check_equal(status, SIGSTOP << 8 | 0x7F, "as the status says");
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    check_equal(status, SIGKILL, "SIGKILL ends a process that is stopped, threads and all");
}

/* ---- clone itself ---- */

static char stack[65536] __attribute__((aligned(16)));
static int a_file;

static int change_things(void *unused)
{
    shared = 99;
    if (chdir("/dev") < 0) {
        return 1;
    }
    umask(077);
    close(a_file);
    return 0;
}

static int clone_and_wait(int flags)
{
    int status = -1;
    pid_t child = clone(change_things, stack + sizeof(stack), flags, NULL);

    return child > 0 && waitpid(child, &status, __WALL) == child ? status : -1;
}

static void test_clone(void)
{
    char where[64] = "";
    int parent_tid = 0, child_tid = 0;

    umask(022);
    a_file = dup(1);
    shared = 1;
    check_equal(clone_and_wait(SIGCHLD), 0, "clone makes a process");
    check(shared == 1 && umask(022) == 022 && fcntl(a_file, F_GETFD) == 0,
          "which shares nothing that it is not told to");
    check_equal(clone_and_wait(CLONE_VM | CLONE_FS | CLONE_FILES | SIGCHLD), 0,
                "clone with shared memory, directory, files");
    check_equal(shared, 99, "CLONE_VM: the memory is one");
    check_text(getcwd(where, sizeof(where)), "/dev", "CLONE_FS: the directory is one");
    check_equal(umask(022), 077, "and the umask");
    check_errno(fcntl(a_file, F_GETFD), EBADF, "CLONE_FILES: the descriptors are one");
    if (chdir("/") < 0) {
        check(false, "chdir works");
    }
    shared = 1;
    check_equal(clone_and_wait(CLONE_VM | CLONE_VFORK), 0, "a child without a signal: __WALL");
    pid_t child = syscall(SYS_clone, SIGCHLD | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID, 0,
                          &parent_tid, 0, &child_tid);

    if (child == 0) {
        _exit(child_tid == getpid() ? 0 : 1);
    }
    int status = -1;

    waitpid(child, &status, 0);
    check(parent_tid == child && status == 0 && child_tid == 0,
          "CLONE_PARENT_SETTID and CHILD_SETTID write the number, each in its own memory");
    check_errno(syscall(SYS_clone, CLONE_THREAD | SIGCHLD, 0, 0, 0, 0), EINVAL,
                "a thread must share signal handlers: EINVAL");
    check_errno(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL,
                "who shares handlers must share memory: EINVAL");

    shared = 1;
    child = vfork();
    if (child == 0) {
        shared = 55;
        _exit(0);
    }
    waitpid(child, NULL, 0);
    check_equal(shared, 55, "the child of vfork runs in its parent's memory");
}

static void test_calls(void)
{
    char name[16] = "";
    cpu_set_t cpus;
    struct sched_param param = {.sched_priority = 0};
    int reaper = -1;

    check_equal(prctl(PR_SET_NAME, "a name of more than 15", 0, 0, 0), 0, "PR_SET_NAME");
    prctl(PR_GET_NAME, name, 0, 0, 0);
    check_text(name, "a name of more ", "PR_GET_NAME gives 15 characters of it");
    check_errno(prctl(PR_SET_PDEATHSIG, 100, 0, 0, 0), EINVAL, "PR_SET_PDEATHSIG 100: EINVAL");
    check_errno(prctl(99999, 0, 0, 0, 0), EINVAL, "an unknown prctl: EINVAL");
    check_equal(prctl(PR_GET_CHILD_SUBREAPER, &reaper, 0, 0, 0) + reaper, 0, "we are no subreaper");
    CPU_ZERO(&cpus);
    check(sched_getaffinity(0, sizeof(cpus), &cpus) == 0 && CPU_COUNT(&cpus) >= 1,
          "sched_getaffinity names a processor");
    check_errno(sched_getaffinity(30000, sizeof(cpus), &cpus), ESRCH, "that of nobody: ESRCH");
    check_errno(syscall(SYS_sched_getaffinity, 0, 1, &cpus), EINVAL, "into one byte: EINVAL");
    CPU_ZERO(&cpus);
    check_errno(sched_setaffinity(0, sizeof(cpus), &cpus), EINVAL, "to no processor: EINVAL");
    check_equal(syscall(SYS_sched_getscheduler, 0), SCHED_OTHER, "sched_getscheduler");
    check_equal(syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, &param), 0, "SCHED_BATCH");
    check_equal(syscall(SYS_sched_getscheduler, 0), SCHED_BATCH, "is kept");
    syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param);
    param.sched_priority = 5;
    check_errno(syscall(SYS_sched_setscheduler, 0, SCHED_OTHER, &param), EINVAL,
                "SCHED_OTHER has no priorities: EINVAL");
    check_equal(sched_get_priority_max(SCHED_FIFO), 99, "sched_get_priority_max");
    check_equal(sched_get_priority_min(SCHED_RR), 1, "sched_get_priority_min");
    check_errno(sched_get_priority_max(77), EINVAL, "of no policy: EINVAL");
}

static int leave_to_reaper(void *pipe_end)
{
    if (fork() == 0) {
        sleep_ms(30);
        pid_t parent = getppid();

        _exit(write((int)(intptr_t)pipe_end, &parent, sizeof(parent)) != sizeof(parent));
    }
    return 0;
}

static int death_signal(void *unused)
{
    int ends[2], status;
    char byte;

    if (pipe(ends) < 0) {
        return 1;
    }
    if (fork() == 0) {
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
            if (write(ends[1], "x", 1) != 1) {
                _exit(1);
            }
            close(ends[1]);
            pause();
        }
        if (read(ends[0], &byte, 1) != 1) {
            _exit(1);
        }
        _exit(0);
    }
    close(ends[1]);
    wait(&status);
    return read(ends[0], &byte, 1) == 0 ? 0 : 2; /* the last writer is dead */
}

static int subreaper(void *unused)
{
    int ends[2];
    pid_t parent = 0;

    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    if (pipe(ends) < 0 || run_child(leave_to_reaper, (void *)(intptr_t)ends[1]) != 0 ||
        read(ends[0], &parent, sizeof(parent)) != sizeof(parent)) {
        return 1;
    }
    return parent == getpid() && wait(NULL) > 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--after-exec") == 0) {
        return atoi(argv[2]) == getpid() && syscall(SYS_gettid) == getpid() ? 0 : 1;
    }
    self = argv[0];
    test_create();
    test_locks();
    test_futex();
    test_signals();
    test_end();
    test_clone();
    test_calls();
    check_exit(death_signal, NULL, 0, "PR_SET_PDEATHSIG: a signal when the parent ends");
    check_exit(subreaper, NULL, 0, "PR_SET_CHILD_SUBREAPER: orphans come to it");
    return check_done();
}
