/*
 * badcalls - every system call number, 0 to 450, with arguments that make no sense: whatever the
 * call answers, the machine goes on.
 *
 *     badcalls              each number with a few sets of bad arguments, on Linux as on Ferry
 *     badcalls ROUNDS [SEED]  then that many calls with numbers and arguments by chance, from a
 * fixed seed; only on Ferry: it may unlink, bind and kill what it finds
 *
 * The calls are made by children, which may be killed or blocked by them: each has a time limit.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LAST      450
#define PER_CHILD 40    /* calls by chance in one child */
#define LIMIT_MS  100   /* for a child */
#define GIVE_UP   10000 /* ms after which one that was killed must be gone */
#define PAGE      4096

/* On Linux these are left out: they change the machine below us, or other people's programs, if we
 * are root there and a kernel takes an argument for a good one. */
static const short of_the_machine[] = {
    SYS_sync,
    SYS_mount,
    SYS_umount,
    SYS_umount2,
    SYS_stime,
    SYS_kill,
    SYS_tkill,
    SYS_tgkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_acct,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_sethostname,
    SYS_syslog,
    SYS_vhangup,
    SYS_setdomainname,
    SYS_adjtimex,
    SYS_init_module,
    SYS_quotactl,
    SYS_pivot_root,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_finit_module,
    SYS_bpf,
    SYS_clock_adjtime,
    SYS_nfsservctl,
    SYS_settimeofday_time32,
    SYS_clock_settime32,
    SYS_clock_settime64,
    SYS_setns,
    SYS_unshare,
    SYS_prlimit64,
    SYS_pidfd_send_signal,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_ptrace,
    SYS_ipc,
    SYS_semget,
    SYS_semctl,
    SYS_shmget,
    SYS_shmctl,
    SYS_shmat,
    SYS_shmdt,
    SYS_msgget,
    SYS_msgsnd,
    SYS_msgrcv,
    SYS_msgctl,
    SYS_clock_adjtime64,
    SYS_clone,
    SYS_clone3,
};
/* And these are left out of chance on Ferry: they would end the test, or take its files away. */
static const short of_the_test[] = {
    SYS_kill,    SYS_tkill,  SYS_tgkill, SYS_rt_sigqueueinfo, SYS_rt_tgsigqueueinfo, SYS_umount,
    SYS_umount2, SYS_reboot, SYS_mount,  SYS_pivot_root,      SYS_pidfd_send_signal,
};

static bool is_in(const short *list, size_t n, long number)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == number)
            return true;
    return false;
}
#define IS_IN(list, number) is_in(list, sizeof(list) / sizeof(list[0]), number)

static bool on_ferry;
static char *buffer, *edge; /* a page, and the first byte behind it: it is not mapped */

static long call(long number, const long a[6])
{
    return syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void nap(void)
{
    const struct timespec t = {0, 1000000};

    nanosleep(&t, NULL);
}

/* Waits for the child; after its time it is killed. Whether it is gone in the end. */
static bool ended(pid_t child)
{
    long start = now_ms(), killed = 0;

    for (;;) {
        int status;
        pid_t got = waitpid(child, &status, WNOHANG);
        if (got == child || (got < 0 && errno == ECHILD))
            return true;
        if (!killed && now_ms() - start > LIMIT_MS) {
            kill(child, SIGKILL);
            killed = now_ms();
        }
        if (killed && now_ms() - killed > GIVE_UP)
            return false;
        nap();
    }
}

/* A child may have made children that nobody waits for: those that run this program go, too. */
static void end_strays(void)
{
    char mine[64] = "", path[64], target[64];
    DIR *all = opendir("/proc");
    struct dirent *e;

    if (!all)
        return;
    (void)!readlink("/proc/self/exe", mine, sizeof(mine) - 1);
    while ((e = readdir(all))) {
        memset(target, 0, sizeof(target));
        snprintf(path, sizeof(path), "/proc/%.20s/exe", e->d_name);
        if (isdigit((unsigned char)e->d_name[0]) &&
            readlink(path, target, sizeof(target) - 1) > 0 && !strcmp(mine, target) &&
            atoi(e->d_name) != getpid())
            kill(atoi(e->d_name), SIGKILL);
    }
    closedir(all);
}

/* ---- sets of bad arguments ---- */

static void close_all(void)
{
    for (int fd = 0; fd < 64; fd++)
        close(fd);
}

static void one_number(long number)
{
    const long sets[][6] = {
        {-1, -1, -1, -1, -1, -1},
        {0, 0, 0, 0, 0, 0},
        {(long)edge, (long)edge, (long)edge, (long)edge, (long)edge, (long)edge},
        {(long)0xc0100000, (long)0xc0100000, (long)0xc0100000, (long)0xc0100000, (long)0xc0100000,
         (long)0xc0100000},
        {(long)0xfffff000, (long)0xfffff000, (long)0xfffff000, (long)0xfffff000, (long)0xfffff000,
         (long)0xfffff000},
        {(long)0x80000000, 0x7fffffff, (long)0x80000000, 0x7fffffff, (long)0x80000000, 0x7fffffff},
    };

    close_all();
    for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
        call(number, sets[i]);
    _exit(0);
}

static bool survives(long number)
{
    pid_t child = fork();

    if (child == 0)
        one_number(number);
    return child > 0 && ended(child);
}

static void test_each_number(void)
{
    for (int first = 0; first < LAST; first += 50) {
        int last = first + 50 < LAST ? first + 49 : LAST;
        char sentence[100];
        int bad = -1;
        for (int n = first; n <= last && bad < 0; n++) {
            if (!on_ferry && IS_IN(of_the_machine, n))
                continue;
            if (n != SYS_reboot && !survives(n))
                bad = n;
        }
        end_strays();
        snprintf(sentence, sizeof(sentence),
                 "calls %d to %d with bad arguments: who made them can be ended", first,
                 first + 49 < LAST ? first + 49 : LAST);
        check_equal(bad, -1, sentence);
    }
}

static void test_no_calls(void)
{
    static const long none[] = {17,  31,  32,  35,  44,  53,  56,  58,  98,  127,
                                130, 137, 167, 188, 189, 222, 223, 251, 273, 285};
    static const long beyond[] = {1000, 0x7fffffff, -1, (long)0x80000000, 0x1000004};
    const long zeroes[6] = {0};
    long bad = -1;

    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
        if (call(none[i], zeroes) != -1 || errno != ENOSYS)
            bad = none[i];
    check_equal(bad, -1, "numbers that stand for no call answer ENOSYS");
    bad = -1;
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++)
        if (call(beyond[i], zeroes) != -1 || errno != ENOSYS)
            bad = (long)i;
    check_equal(bad, -1, "and so do numbers beyond all calls");
}

/* Address 0 is an address like any other that is not mapped. */
static void test_address_zero(void)
{
    char name[] = "/tmp/badcalls-XXXXXX";
    int file = mkstemp(name);

    check_errno(syscall(SYS_write, file, NULL, 10), EFAULT,
                "write to a file from address 0: EFAULT");
    check_errno(syscall(SYS_pwrite64, file, NULL, 10, 0, 0), EFAULT, "pwrite, too");
    check_equal(lseek(file, 0, SEEK_END), 0, "and the file is as empty as before");
    (void)!write(file, "bytes", 5);
    check_errno(syscall(SYS_pread64, file, NULL, 5, 0, 0), EFAULT, "read to address 0: EFAULT");
    close(file);
    unlink(name);
}

static void test_that_all_is_well(const char *when)
{
    char sentence[100], byte = 0;
    int ends[2] = {-1, -1};

    snprintf(sentence, sizeof(sentence), "%s: a pipe still works", when);
    check(pipe(ends) == 0 && write(ends[1], "x", 1) == 1 && read(ends[0], &byte, 1) == 1 &&
              byte == 'x',
          sentence);
    close(ends[0]);
    close(ends[1]);
    snprintf(sentence, sizeof(sentence), "%s: a child's exit status still arrives", when);
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    int status = 0;
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 7, sentence);
    snprintf(sentence, sizeof(sentence), "%s: memory still comes as zeroes", when);
    char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    check(page != MAP_FAILED && page[100] == 0, sentence);
    munmap(page, PAGE);
}

/* ---- by chance ---- */

static uint32_t seed = 20260731;

static uint32_t chance(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 17;
    seed ^= seed << 5;
    return seed % below;
}

#define FOLDER "/tmp/badcalls"
static const char *const names[] = {
    FOLDER, FOLDER "/a", FOLDER "/b",  FOLDER "/a/b",     ".",    "..",
    "",     "/",         "/proc/self", "/proc/self/fd/3", "/data"};

/* What a fuzzer's argument is like: mostly something that gets past the first test. */
static long argument(void)
{
    static const long values[] = {0,
                                  1,
                                  2,
                                  3,
                                  4,
                                  5,
                                  6,
                                  7,
                                  8,
                                  16,
                                  100,
                                  255,
                                  1024,
                                  4095,
                                  4096,
                                  4097,
                                  0x8000,
                                  0x10000,
                                  0x80000,
                                  0x7fffffff,
                                  -1,
                                  -2,
                                  -100,
                                  -4096,
                                  (long)0x80000000,
                                  (long)0xc0000000,
                                  (long)0xc0100000};

    switch (chance(8)) {
    case 0:
        return (long)buffer + (long)chance(PAGE);
    case 1:
        return (long)edge - (long)chance(16);
    case 2:
        return (long)names[chance(sizeof(names) / sizeof(names[0]))];
    case 3:
        return (long)chance(12); /* a descriptor */
    case 4:
        return (long)(seed ^ chance(0xffffffff));
    case 5:
        return (long)1 << chance(32);
    default:
        return values[chance(sizeof(values) / sizeof(values[0]))];
    }
}

static void some_calls(void)
{
    int ends[2];

    close_all();
    (void)!open("/dev/null", O_RDWR);
    (void)!open("/", O_RDONLY | O_DIRECTORY);
    (void)!open("/data/one", O_RDONLY);
    (void)!open(FOLDER "/file", O_RDWR | O_CREAT, 0600);
    (void)!pipe(ends);
    socket(AF_INET, SOCK_STREAM, 0);
    socket(AF_INET, SOCK_DGRAM, 0);
    (void)!socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    (void)!chdir(FOLDER);
    for (int i = 0; i < PAGE / 4; i++)
        ((uint32_t *)buffer)[i] = chance(4) ? chance(16) : chance(0xffffffff);
    for (int i = 0; i < PER_CHILD; i++) {
        long a[6], number = (long)chance(LAST + 1);
        for (int k = 0; k < 6; k++)
            a[k] = argument();
        if (IS_IN(of_the_test, number))
            continue;
        if (number == SYS_prlimit64 || number == SYS_setpgid || number == SYS_setpriority)
            a[number == SYS_setpriority] = 0; /* itself */
        call(number, a);
    }
    _exit(0);
}

static void test_by_chance(int rounds)
{
    bool good = true;

    mkdir(FOLDER, 0700);
    for (int done = 0; done < rounds && good; done += PER_CHILD) {
        seed = seed * 2654435761u + 1;
        seed += !seed;
        uint32_t start = seed;
        pid_t child = fork();
        if (child == 0)
            some_calls();
        good = child > 0 && ended(child);
        if (!good)
            note("the child that began with this seed cannot be ended:");
        if (!good || done % (PER_CHILD * 50) == 0) {
            char text[40];
            snprintf(text, sizeof(text), "round %d, seed %u", done, start);
            note(text);
        }
        end_strays();
        seed = start;
    }
    check(good, "calls by chance: who made them can be ended");
}

static int remove_one(const char *path, const struct stat *s, int what, struct FTW *f)
{
    (void)s, (void)what, (void)f;
    return remove(path), 0;
}

/* What outlives the programs that made it: files of any name, and segments of shared memory. */
static void clean_up(void)
{
    for (int id = 0; id < 10000; id++)
        shmctl(id, IPC_RMID, NULL);
    nftw(FOLDER, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
    struct utsname name;

    uname(&name);
    on_ferry = strstr(name.version, "Ferry") != NULL;
    signal(SIGCHLD, SIG_DFL);
    buffer = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    edge = buffer + PAGE;
    munmap(edge, PAGE);
    test_no_calls();
    test_address_zero();
    test_each_number();
    test_that_all_is_well("after bad arguments");
    if (argc > 1) {
        if (!on_ferry) {
            fprintf(stderr, "badcalls: calls by chance are for a machine that may be broken\n");
            return 2;
        }
        if (argc > 2)
            seed = (uint32_t)atoi(argv[2]);
        test_by_chance(atoi(argv[1]));
        clean_up();
        test_that_all_is_well("after calls by chance");
    }
    return check_done();
}
