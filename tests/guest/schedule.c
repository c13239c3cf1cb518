/*
 * schedule - who computes is interrupted, who waits gets his turn, and nobody's registers change.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/file.h"
#include "user/lib/ledger.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_SPINNERS 4

struct shared {
    volatile int stop;
    volatile unsigned turns[MAX_SPINNERS];
    volatile int turn; /* whose it is, for those that yield */
    volatile int handovers;
};

static struct shared *shared;

static unsigned long now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000UL + now.tv_nsec / 1000000;
}

/* Makes no system call: only an interrupt can take the CPU from it. */
static void spin(int number)
{
    while (!shared->stop) {
        shared->turns[number]++;
    }
    _exit(0);
}

static void start_spinners(int nr)
{
    shared->stop = 0;
    for (int i = 0; i < nr; i++) {
        shared->turns[i] = 0;
        if (fork() == 0) {
            spin(i);
        }
    }
}

static int stop_spinners(void)
{
    int ended = 0, status;

    shared->stop = 1;
    while (wait(&status) > 0) {
        ended += status == 0;
    }
    return ended;
}

static void test_preemption(void)
{
    unsigned least = -1, most = 0;
    unsigned long longest = 0;

    start_spinners(2);
    for (int i = 0; i < 20; i++) {
        unsigned long before = now_ms();

        sleep_ms(5);
        longest = now_ms() - before > longest ? now_ms() - before : longest;
    }
    check_range(longest, 5, 2000, "who sleeps 5 ms gets the CPU back though two others compute");
    check(shared->turns[0] > 0 && shared->turns[1] > 0, "both of these get on");
    check_equal(stop_spinners(), 2, "and end when they are told to");

    start_spinners(MAX_SPINNERS);
    sleep_ms(1500);
    for (int i = 0; i < MAX_SPINNERS; i++) {
        unsigned turns = shared->turns[i];

        least = turns < least ? turns : least;
        most = turns > most ? turns : most;
    }
    check(least > most / 10, "four that compute get about the same");
    check_equal(stop_spinners(), MAX_SPINNERS, "and all of them end");
}

/* On Ferry the kernel says how often the CPU was taken away. */
static int spin_and_look(void *unused)
{
    struct ledger ledger;
    unsigned long until = now_ms() + 500;

    start_spinners(1);
    while (now_ms() < until) {
        continue;
    }
    shared->stop = 1;
    wait(NULL);
    if (ledger_read(LEDGER_SELF, &ledger) < 0) {
        return 2;
    }
    return ledger.switches[INVOLUNTARY] > 0 && ledger.entry[IRQ] > 0 ? 0 : 1;
}

static void yield_until(int me, int handovers)
{
    while (shared->handovers < handovers) {
        if (shared->turn == me) {
            shared->handovers++;
            shared->turn = !me;
        } else {
            sched_yield();
        }
    }
}

static void test_yield(void)
{
    int status = -1;

    if (fork() == 0) {
        yield_until(1, 2000);
        _exit(0);
    }
    yield_until(0, 2000);
    check(wait(&status) > 0 && status == 0, "two processes hand over 2000 times by sched_yield");
}

/*
 * Fills every general register, spins until interrupts must have come, and adds up what is in them
 * afterwards. All but eax and ecx, which count, have to be as they were.
 */
static int registers_stay(void *seed)
{
    uint32_t out[5], in[5], base = (uint32_t)(uintptr_t)seed, *from = in, *to = out;

    for (int i = 0; i < 5; i++) {
        in[i] = base * (2 * i + 3);
    }
    __asm__ volatile("push %%ebp\n push %%ebx\n push %1\n"
                     "mov 0(%0), %%ebx\n mov 4(%0), %%edx\n mov 8(%0), %%esi\n"
                     "mov 12(%0), %%edi\n mov 16(%0), %%ebp\n"
                     "mov $200000000, %%ecx\n"
                     "1: dec %%ecx\n jnz 1b\n"
                     "pop %%eax\n" /* out */
                     "mov %%ebx, 0(%%eax)\n mov %%edx, 4(%%eax)\n mov %%esi, 8(%%eax)\n"
                     "mov %%edi, 12(%%eax)\n mov %%ebp, 16(%%eax)\n"
                     "pop %%ebx\n pop %%ebp\n"
                     : "+a"(from), "+c"(to)
                     :
                     : "edx", "esi", "edi", "memory", "cc");
    for (int i = 0; i < 5; i++) {
        if (in[i] != out[i]) {
            return 1 + i;
        }
    }
    return 0;
}

static void test_registers(void)
{
    int good = 0, status;

    for (int i = 1; i <= 3; i++) {
        if (fork() == 0) {
            _exit(registers_stay((void *)(uintptr_t)(0x10203 * i)));
        }
    }
    for (int i = 0; i < 3; i++) {
        good += wait(&status) > 0 && status == 0;
    }
    check_equal(good, 3, "three processes keep their registers while they take turns");
}

/* A stack pointer that points nowhere is a program's own affair, as long as it pushes nothing. */
static int spin_without_stack(void *unused)
{
    __asm__ volatile("mov %%esp, %%esi\n mov $0x10, %%esp\n"
                     "mov $100000000, %%ecx\n"
                     "1: dec %%ecx\n jnz 1b\n"
                     "mov %0, %%eax\n int $0x80\n" /* getpid */
                     "mov %%esi, %%esp\n"
                     :
                     : "i"(SYS_getpid)
                     : "eax", "ecx", "esi", "memory", "cc");
    return 0;
}

/* Flags that a program may set, and that must not follow it into the kernel or be lost there. */
static int call_with_flags(void *flags)
{
    uint32_t result, after, set = (uint32_t)(uintptr_t)flags;

    __asm__ volatile("pushf\n pop %%ecx\n or %3, %%ecx\n push %%ecx\n popf\n"
                     "mov %2, %%eax\n int $0x80\n"
                     "pushf\n pop %1\n"
                     "push $0x202\n popf\n"
                     : "=&a"(result), "=&r"(after)
                     : "i"(SYS_getpid), "r"(set)
                     : "ecx", "memory", "cc");
    if (result != (uint32_t)syscall(SYS_getpid)) {
        return 1;
    }
    return (after & set & 0xc00) == (set & 0xc00) ? 0 : 2;
}

static int call_with_segments(void *unused)
{
    uint32_t result;

    __asm__ volatile("push %%ds\n push %%es\n push %%fs\n"
                     "xor %%ecx, %%ecx\n mov %%ecx, %%ds\n mov %%ecx, %%es\n mov %%ecx, %%fs\n"
                     "mov %1, %%eax\n int $0x80\n"
                     "mov $50000000, %%ecx\n"
                     "1: dec %%ecx\n jnz 1b\n"
                     "pop %%fs\n pop %%es\n pop %%ds\n"
                     : "=&a"(result)
                     : "i"(SYS_getpid)
                     : "ecx", "memory", "cc");
    return result == (uint32_t)syscall(SYS_getpid) ? 0 : 1;
}

static void test_odd_states(void)
{
    check_exit(spin_without_stack, NULL, 0, "a process without a stack is interrupted unharmed");
    check_exit(call_with_flags, (void *)0x400, 0, "the kernel does not mind the direction flag");
    check_exit(call_with_flags, (void *)0x4000, 0, "nor the flag for nested tasks");
    check_exit(call_with_flags, (void *)0x40000, 0, "nor the flag for alignment checks");
    check_exit(call_with_segments, NULL, 0, "nor empty segment registers");
}

int main(void)
{
    shared = shared_memory(sizeof(*shared));
    test_preemption();
    test_yield();
    test_registers();
    test_odd_states();
    if (on_ferry()) {
        check_exit(spin_and_look, NULL, 0, "the ledger counts interrupts and lost turns");
    }
    return check_done();
}
