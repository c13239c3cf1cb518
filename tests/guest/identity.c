/*
 * identity - users, groups and capabilities, clocks, and what the machine is: the calls and their
 * rules, the same on Linux and on Ferry. Each test that changes who it is does so in a child.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Raw calls: the C library would change all threads, and checks arguments itself. */
#define call(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

struct header {
    uint32_t version;
    int pid;
};
struct data {
    uint32_t effective, permitted, inheritable;
};

static uint64_t capabilities(void)
{
    struct header h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct data d[2] = {{0, 0, 0}, {0, 0, 0}};

    call(capget, &h, d);
    return d[0].effective | (uint64_t)d[1].effective << 32;
}

/* In a child: 0, or the number of the first expectation that was not met. */
#define EXPECT(number, what) \
    do {                     \
        if (!(what))         \
            return number;   \
    } while (0)
#define EPERM_FROM(what) ((what) == -1 && errno == EPERM)

static bool has_ids(uid_t r, uid_t e, uid_t s)
{
    uid_t a = 1, b = 2, c = 3;

    return getresuid(&a, &b, &c) == 0 && a == r && b == e && c == s && getuid() == r &&
           geteuid() == e;
}

static int setuid_by_root(void *unused)
{
    (void)unused;
    EXPECT(1, call(setuid32, 1000) == 0);
    EXPECT(2, has_ids(1000, 1000, 1000));
    EXPECT(3, EPERM_FROM(call(setuid32, 0)));
    EXPECT(4, EPERM_FROM(call(setuid32, 1001)));
    EXPECT(5, call(setuid32, 1000) == 0);
    return 0;
}

static int saved_uid(void *unused)
{
    (void)unused;
    EXPECT(1, call(setresuid32, 1000, 1001, 1002) == 0);
    EXPECT(2, has_ids(1000, 1001, 1002));
    EXPECT(3, call(setresuid32, -1, 1002, -1) == 0 && has_ids(1000, 1002, 1002));
    EXPECT(4, call(setresuid32, -1, 1000, 1000) == 0 && has_ids(1000, 1000, 1000));
    EXPECT(5, EPERM_FROM(call(setresuid32, 1001, -1, -1)));
    EXPECT(6, EPERM_FROM(call(setresuid32, 1000, 1000, 0)));
    EXPECT(7, call(setresuid32, -1, -1, -1) == 0 && has_ids(1000, 1000, 1000));
    return 0;
}

static int setreuid_rules(void *unused)
{
    (void)unused;
    EXPECT(1, call(setreuid32, 1000, 1001) == 0 && has_ids(1000, 1001, 1001));
    EXPECT(2, call(setreuid32, 1001, 1000) == 0 && has_ids(1001, 1000, 1000));
    EXPECT(3, call(setreuid32, -1, 1001) == 0 && has_ids(1001, 1001, 1000));
    EXPECT(4, call(setreuid32, -1, 1000) == 0); /* the saved one */
    EXPECT(5, EPERM_FROM(call(setreuid32, 5, -1)));
    EXPECT(6, EPERM_FROM(call(setreuid32, -1, 5)));
    return 0;
}

static int setfsuid_answers(void *unused)
{
    (void)unused;
    EXPECT(1, setfsuid(1000) == 0);
    EXPECT(2, setfsuid(-1) == 1000 && setfsuid(-1) == 1000);
    EXPECT(3, setfsgid(1000) == 0 && setfsgid(-1) == 1000);
    EXPECT(4, call(setresuid32, 1000, 1000, 1000) == 0);
    EXPECT(5, setfsuid(7) == 1000 && setfsuid(-1) == 1000);
    return 0;
}

static int group_rules(void *unused)
{
    gid_t a = 1, b = 2, c = 3;

    (void)unused;
    EXPECT(1, call(setresgid32, 10, 11, 12) == 0);
    EXPECT(2, getresgid(&a, &b, &c) == 0 && a == 10 && b == 11 && c == 12);
    EXPECT(3, getgid() == 10 && getegid() == 11);
    EXPECT(4, call(setresuid32, 1000, 1000, 1000) == 0);
    EXPECT(5, EPERM_FROM(call(setgid32, 77)));
    EXPECT(6, call(setgid32, 12) == 0 && getegid() == 12 && getgid() == 10);
    EXPECT(7, EPERM_FROM(call(setregid32, 77, -1)));
    EXPECT(8, EPERM_FROM(call(setresgid32, -1, -1, 77)));
    return 0;
}

static int supplementary_groups(void *unused)
{
    gid_t set[3] = {5, 70000, 9}, got[3] = {0, 0, 0};
    uint16_t narrow[3] = {0, 0, 0};

    (void)unused;
    EXPECT(1, call(setgroups32, 3, set) == 0);
    EXPECT(2, call(getgroups32, 0, NULL) == 3);
    EXPECT(3, call(getgroups32, 3, got) == 3 && (got[0] == 5 || got[1] == 5 || got[2] == 5));
    EXPECT(4, call(getgroups32, 2, got) == -1 && errno == EINVAL);
    EXPECT(5, call(getgroups32, -1, got) == -1 && errno == EINVAL);
    EXPECT(6, call(getgroups, 3, narrow) == 3);
    EXPECT(7, narrow[0] == 65534 || narrow[1] == 65534 || narrow[2] == 65534);
    EXPECT(8, call(getgroups32, 3, (void *)16) == -1 && errno == EFAULT);
    EXPECT(9, call(setgroups32, 3, (void *)16) == -1 && errno == EFAULT);
    EXPECT(10, call(setgroups32, 70000, set) == -1 && errno == EINVAL);
    EXPECT(11, call(setgroups32, 0, NULL) == 0 && call(getgroups32, 0, NULL) == 0);
    EXPECT(12, call(setresuid32, 1000, 1000, 1000) == 0);
    EXPECT(13, EPERM_FROM(call(setgroups32, 0, NULL)));
    return 0;
}

static int narrow_numbers(void *unused)
{
    uint16_t r, e, s;

    (void)unused;
    EXPECT(1, call(setresuid32, 70000, 70001, 5) == 0);
    EXPECT(2, call(getuid) == 65534 && call(geteuid) == 65534);
    EXPECT(3, call(getresuid, &r, &e, &s) == 0 && r == 65534 && e == 65534 && s == 5);
    EXPECT(4, call(setreuid, 0xffff, 5) == 0 && call(geteuid32) == 5 && call(getuid32) == 70000);
    EXPECT(5, call(getresuid, (void *)16, &e, &s) == -1 && errno == EFAULT);
    return 0;
}

static int capabilities_follow_the_user(void *unused)
{
    uint64_t all = capabilities();

    (void)unused;
    EXPECT(1, all != 0);
    EXPECT(2, call(setresuid32, -1, 1000, -1) == 0 && capabilities() == 0);
    EXPECT(3, call(setresuid32, -1, 0, -1) == 0 && capabilities() == all);
    EXPECT(4, call(setresuid32, 1000, 1000, 1000) == 0 && capabilities() == 0);
    return 0;
}

static int capabilities_are_given_up(void *unused)
{
    struct header h = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct data d[2] = {{0, 0, 0}, {0, 0, 0}};

    (void)unused;
    EXPECT(1, call(capget, &h, d) == 0);
    d[0].effective &= ~(1u << CAP_SETUID);
    EXPECT(2, call(capset, &h, d) == 0);
    EXPECT(3, EPERM_FROM(call(setresuid32, 5, 5, 5)));
    d[0].effective |= 1u << CAP_SETUID;
    EXPECT(4, call(capset, &h, d) == 0); /* still permitted */
    d[0].effective &= ~(1u << CAP_SETUID);
    d[0].permitted &= ~(1u << CAP_SETUID);
    EXPECT(5, call(capset, &h, d) == 0);
    d[0].permitted |= 1u << CAP_SETUID;
    EXPECT(6, EPERM_FROM(call(capset, &h, d)));
    return 0;
}

static int others_may_not(void *unused)
{
    struct timeval now;

    (void)unused;
    EXPECT(1, call(setresuid32, 1000, 1000, 1000) == 0);
    EXPECT(2, EPERM_FROM(call(sethostname, "x", 1)));
    EXPECT(3, EPERM_FROM(call(setdomainname, "x", 1)));
    gettimeofday(&now, NULL);
    EXPECT(4, EPERM_FROM(call(settimeofday_time32, &(int[2]){(int)now.tv_sec, 0}, NULL)));
    EXPECT(5, EPERM_FROM(call(stime, &(int){5})));
    EXPECT(6, EPERM_FROM(call(clock_settime32, CLOCK_REALTIME, &(int[2]){5, 0})));
    return 0;
}

static void test_identity(void)
{
    if (getuid() != 0)
        note("not root: most of this says what is so for others");
    check_exit(setuid_by_root, NULL, 0,
               "setuid by root sets all three; then there is no way back: EPERM");
    check_exit(saved_uid, NULL, 0, "setresuid: others may only take one of the three they have");
    check_exit(setreuid_rules, NULL, 0, "setreuid: and the saved number follows the effective one");
    check_exit(setfsuid_answers, NULL, 0, "setfsuid answers what was before, changed or not");
    check_exit(group_rules, NULL, 0, "setresgid, setgid, setregid: the same rules for groups");
    check_exit(supplementary_groups, NULL, 0,
               "setgroups and getgroups: sizes, EINVAL, EFAULT, EPERM");
    check_exit(narrow_numbers, NULL, 0,
               "the 16-bit calls: 65534 for what does not fit, 65535 for no change");
    check_exit(capabilities_follow_the_user, NULL, 0,
               "capabilities go and come with the effective user");
    check_exit(capabilities_are_given_up, NULL, 0,
               "capset gives up what it takes away: EPERM then");
    check_exit(others_may_not, NULL, 0, "others may not set names and clocks: EPERM");
    check_errno(call(setuid32, -1), EINVAL, "setuid(-1): EINVAL");
    check_errno(call(setgid32, -1), EINVAL, "setgid(-1): EINVAL");
    check_errno(call(getresuid32, (void *)16, (void *)16, (void *)16), EFAULT,
                "getresuid to nowhere: EFAULT");
}

static void test_capget(void)
{
    struct header h = {0x12345678, 0};
    struct data d[2];

    check_errno(call(capget, &h, d), EINVAL, "capget of an unknown version: EINVAL");
    check_equal(h.version, _LINUX_CAPABILITY_VERSION_3, "and the version is said");
    h.version = 1;
    check_equal(call(capget, &h, NULL), 0, "capget without data only asks for the version");
    check_errno(call(capget, NULL, d), EFAULT, "capget without a header: EFAULT");
    h = (struct header){_LINUX_CAPABILITY_VERSION_3, -1};
    check_errno(call(capget, &h, d), EINVAL, "capget of pid -1: EINVAL");
    h = (struct header){_LINUX_CAPABILITY_VERSION_3, 0x7ffffff};
    check_errno(call(capget, &h, d), ESRCH, "capget of nobody: ESRCH");
    h = (struct header){_LINUX_CAPABILITY_VERSION_3, 1};
    check_errno(call(capset, &h, d), EPERM, "capset of another process: EPERM");
}

static void test_clocks(void)
{
    static const clockid_t clocks[] = {CLOCK_REALTIME,           CLOCK_MONOTONIC,
                                       CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
                                       CLOCK_MONOTONIC_RAW,      CLOCK_REALTIME_COARSE,
                                       CLOCK_MONOTONIC_COARSE,   CLOCK_BOOTTIME};
    int bad = -1, now32[2], res[2] = {9, 9};
    struct timespec t, later;
    struct timeval tv;
    clockid_t mine;

    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++)
        if (clock_gettime(clocks[i], &t) || t.tv_nsec < 0 || t.tv_nsec > 999999999 ||
            clock_getres(clocks[i], &later))
            bad = (int)i;
    check_equal(bad, -1, "all clocks can be read, and have a resolution");
    clock_gettime(CLOCK_MONOTONIC, &t);
    clock_gettime(CLOCK_MONOTONIC, &later);
    check(later.tv_sec > t.tv_sec || (later.tv_sec == t.tv_sec && later.tv_nsec >= t.tv_nsec),
          "the monotonic clock does not go back");
    gettimeofday(&tv, NULL);
    clock_gettime(CLOCK_REALTIME, &t);
    check(t.tv_sec - tv.tv_sec <= 1 && time(NULL) - tv.tv_sec <= 2,
          "gettimeofday, time and CLOCK_REALTIME agree");
    check(call(clock_gettime32, CLOCK_REALTIME, now32) == 0 && now32[0] - t.tv_sec <= 1,
          "and the 32-bit call");
    check(call(clock_getres_time32, CLOCK_MONOTONIC, res) == 0 && res[0] == 0,
          "clock_getres, 32-bit");
    check_equal(call(clock_getres_time32, CLOCK_MONOTONIC, NULL), 0,
                "clock_getres may answer to nowhere");
    check(clock_getcpuclockid(getpid(), &mine) == 0 && clock_gettime(mine, &t) == 0,
          "a process's clock by its number");
    check_errno(call(clock_gettime32, 77, now32), EINVAL, "no such clock: EINVAL");
    check_errno(call(clock_gettime32, ~0x7ffffffu << 3 | 2, now32), EINVAL,
                "the clock of no process: EINVAL");
    check_errno(call(clock_gettime32, CLOCK_REALTIME, (void *)16), EFAULT,
                "clock_gettime to nowhere: EFAULT");
    check_errno(call(clock_settime32, CLOCK_MONOTONIC, now32), EINVAL,
                "the monotonic clock cannot be set: EINVAL");
    check_errno(call(clock_settime32, CLOCK_REALTIME, (void *)16), EFAULT,
                "clock_settime from nowhere: EFAULT");
    now32[1] = 1000000000;
    check_errno(call(clock_settime32, CLOCK_REALTIME, now32), EINVAL,
                "too many nanoseconds: EINVAL");
    check_errno(call(settimeofday_time32, (void *)16, NULL), EFAULT,
                "settimeofday from nowhere: EFAULT");
    struct timex tx = {.modes = 0};
    check(adjtimex(&tx) >= 0 && tx.tick == 10000, "adjtimex tells how the clock is kept");
    check_errno(call(adjtimex, (void *)16), EFAULT, "adjtimex of nowhere: EFAULT");
}

static void test_machine(void)
{
    struct utsname name;
    struct sysinfo info;
    unsigned cpu = 99, node = 99;
    char bytes[32] = {0}, none[32] = {0};

    check(uname(&name) == 0 && !strcmp(name.sysname, "Linux") && *name.machine && *name.release,
          "uname: Linux");
    check_errno(call(uname, (void *)16), EFAULT, "uname to nowhere: EFAULT");
    check_errno(call(sethostname, "x", -1), EINVAL, "sethostname of a negative length: EINVAL");
    check_errno(call(sethostname, "x", 65), EINVAL, "sethostname of 65 characters: EINVAL");
    check_errno(call(sethostname, (void *)16, 5), EFAULT, "sethostname from nowhere: EFAULT");
    check(sysinfo(&info) == 0 && info.totalram > info.freeram && info.procs > 0 && info.mem_unit,
          "sysinfo: memory, processes, time");
    check_errno(call(sysinfo, (void *)16), EFAULT, "sysinfo to nowhere: EFAULT");
    check(call(getcpu, &cpu, &node, NULL) == 0 && cpu < 4096 && node < 1024, "getcpu");
    check_errno(call(getcpu, (void *)16, NULL, NULL), EFAULT, "getcpu to nowhere: EFAULT");
    check(getrandom(bytes, sizeof(bytes), 0) == 32 && memcmp(bytes, none, 32) != 0, "getrandom");
    check_errno(call(getrandom, bytes, 8, 0x80), EINVAL,
                "getrandom with a flag that is none: EINVAL");
    check_errno(call(getrandom, (void *)16, 8, 0), EFAULT, "getrandom to nowhere: EFAULT");
    check_equal(call(sched_yield), 0, "sched_yield");
    check(call(membarrier, 0, 0, 0) > 0, "membarrier tells what it can");
    check_errno(call(membarrier, 0, 5, 0), EINVAL, "membarrier with flags: EINVAL");
    int before = personality(0xffffffff);
    check(personality(before | ADDR_NO_RANDOMIZE) == before, "personality answers what was before");
    check_equal(personality(before), before | ADDR_NO_RANDOMIZE, "and keeps what it was given");
    check_errno(call(syslog, 77, bytes, 1), EINVAL, "syslog of no such action: EINVAL");
    check_errno(call(syslog, 3, NULL, 10), EINVAL, "syslog to NULL: EINVAL");
    check_errno(call(syslog, 3, bytes, -1), EINVAL, "syslog of a negative length: EINVAL");
    check_equal(call(syslog, 3, bytes, 0), 0, "syslog of no bytes");
    check(call(syslog, 10, NULL, 0) > 1000, "syslog tells the size of the log");
}

int main(void)
{
    test_identity();
    test_capget();
    test_clocks();
    test_machine();
    return check_done();
}
