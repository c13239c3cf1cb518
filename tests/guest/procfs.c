/*
 * procfs - what /proc says, in the formats that programs parse: the same on Linux and on Ferry.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 20];

/* The file whole, terminated; its length, or -1. */
static int read_file(const char *path)
{
    int fd = open(path, O_RDONLY), len = 0, n;

    text[0] = 0;
    if (fd < 0)
        return -1;
    while ((n = read(fd, text + len, sizeof(text) - 1 - len)) > 0)
        len += n;
    close(fd);
    text[len] = 0;
    return n < 0 ? -1 : len;
}

/* The number behind "name:" or "name " at the start of a line of the text; -1 where there is none.
 */
static long long value(const char *name)
{
    size_t n = strlen(name);

    for (char *line = text; line && *line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (!strncmp(line, name, n))
            return strtoll(line + n, NULL, 0);
    }
    return -1;
}

/* A line of the text that begins so, terminated; "" where there is none. */
static const char *line_of(const char *start)
{
    static char line[1024];
    char *at = text;

    while (at && *at) {
        if (!strncmp(at, start, strlen(start))) {
            snprintf(line, sizeof(line), "%.*s", (int)strcspn(at, "\n"), at);
            return line;
        }
        at = strchr(at, '\n');
        at += at != NULL;
    }
    return "";
}

static long long stat_field(int number) /* 1 is the pid, as in proc(5) */
{
    char *at = strrchr(text, ')') + 2;

    for (int i = 3; i < number && at; i++)
        at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
    return at ? strtoll(at, NULL, 10) : -1;
}

static void test_stat(void)
{
    check(read_file("/proc/self/stat") > 0, "/proc/self/stat can be read");
    check_equal(atoi(text), getpid(), "its first field is the pid");
    check(!strncmp(strchr(text, '('), "(procfs) R ", 11),
          "then the name in parentheses, then the state: it runs");
    check_equal(stat_field(4), getppid(), "field 4 is the parent");
    check_equal(stat_field(5), getpgrp(), "field 5 is the process group");
    check_equal(stat_field(6), getsid(0), "field 6 is the session");
    check_equal(stat_field(18), 20 + getpriority(PRIO_PROCESS, 0), "field 18 is the priority");
    check_equal(stat_field(20), 1, "field 20 counts the threads");
    check(stat_field(22) > 0, "field 22 is when it started");
    check(stat_field(23) >= 4096 && stat_field(23) % 4096 == 0, "field 23 is the size in bytes");
    check(stat_field(24) >= 0 && stat_field(24) <= stat_field(23) / 4096,
          "field 24 is what is resident, in pages");
    check_equal(stat_field(38), SIGCHLD, "field 38 is the signal at the end");
    int fields = 2;
    for (char *at = strrchr(text, ')') + 1; *at; at++)
        fields += *at == ' ';
    check_equal(fields, 52, "there are 52 fields");
    check(text[strlen(text) - 1] == '\n', "and a newline");
}

static void test_status(void)
{
    static const char *const names[] = {"Umask:",
                                        "State:",
                                        "FDSize:",
                                        "VmSize:",
                                        "VmRSS:",
                                        "VmData:",
                                        "VmStk:",
                                        "VmExe:",
                                        "VmPTE:",
                                        "SigQ:",
                                        "SigPnd:",
                                        "ShdPnd:",
                                        "CapInh:",
                                        "CapPrm:",
                                        "CapEff:",
                                        "CapBnd:",
                                        "voluntary_ctxt_switches:",
                                        "nonvoluntary_ctxt_switches:"};
    const char *missing = "";
    sigset_t set;

    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, (void (*)(int))test_stat);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    read_file("/proc/self/status");
    check_text(line_of("Name:"), "Name:\tprocfs", "status: the name");
    check_equal(value("Tgid:"), getpid(), "status: Tgid is the process");
    check_equal(value("Pid:"), getpid(), "status: Pid");
    check_equal(value("PPid:"), getppid(), "status: PPid");
    check_equal(value("TracerPid:"), 0, "status: nobody traces");
    check_equal(value("Threads:"), 1, "status: one thread");
    check_equal(value("Uid:"), getuid(), "status: the user");
    check_equal(value("Gid:"), getgid(), "status: the group");
    unsigned long long blocked = strtoull(line_of("SigBlk:") + 8, NULL, 16);
    unsigned long long ignored = strtoull(line_of("SigIgn:") + 8, NULL, 16);
    unsigned long long caught = strtoull(line_of("SigCgt:") + 8, NULL, 16);
    check_equal(blocked, 1ull << (SIGHUP - 1), "status: SigBlk has the blocked signal");
    check(ignored & 1ull << (SIGUSR1 - 1), "status: SigIgn has the ignored signal");
    check(caught & 1ull << (SIGUSR2 - 1) && !(caught & 1ull << (SIGUSR1 - 1)),
          "status: SigCgt has the caught one");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (!*line_of(names[i]))
            missing = names[i];
    check_text(missing, "", "status: no line is missing");
    check(strstr(line_of("VmRSS:"), " kB") != NULL, "status: sizes are in kB");
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void test_memory(void)
{
    char *page = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned long start, end;
    char want[64], mine[256] = "", line[512];
    long size = 0, resident = 0, shared = 0;
    int fields;

    mprotect(page + 4096, 4096, PROT_READ);
    check(read_file("/proc/self/maps") > 0, "/proc/self/maps can be read");
    fields = sscanf(text, "%lx-%lx %*4s %*x %*x:%*x %*u %255s", &start, &end, mine);
    check(fields == 3 && start < end && start % 4096 == 0,
          "maps: begin, end, rights, offset, device, inode, name");
    (void)!readlink("/proc/self/exe", line, sizeof(line));
    check(!strncmp(mine, line, strlen(mine)),
          "maps: the first region is this program's file, as /proc/self/exe says");
    snprintf(want, sizeof(want), "%08lx-%08lx r--p", (unsigned long)page + 4096,
             (unsigned long)page + 8192);
    check(strstr(text, want) != NULL, "maps: mprotect has cut a region in three");
    check(strstr(text, "[stack]") != NULL, "maps: the stack is named");
    check(read_file("/proc/self/statm") > 0 &&
              sscanf(text, "%ld %ld %ld", &size, &resident, &shared) == 3 && size >= resident &&
              resident >= shared && shared >= 0,
          "statm: size, resident, shared");
    munmap(page, 3 * 4096);
}

static void test_names_and_arguments(const char *self)
{
    char cwd[256], link[256] = "";

    int n = read_file("/proc/self/cmdline");
    check(n == (int)strlen(self) + 1 && !strcmp(text, self),
          "cmdline: the arguments, each with its end");
    check(read_file("/proc/self/environ") >= 0, "environ can be read");
    read_file("/proc/self/comm");
    check_text(text, "procfs\n", "comm: the name");
    int fd = open("/proc/self/comm", O_WRONLY);
    check(write(fd, "renamed", 7) == 7, "comm can be written");
    close(fd);
    read_file("/proc/self/comm");
    check_text(text, "renamed\n", "and says then what was written");
    read_file("/proc/self/stat");
    check(strstr(text, "(renamed)") != NULL, "and so does stat");
    fd = open("/proc/self/comm", O_WRONLY);
    (void)!write(fd, "procfs", 6);
    close(fd);
    (void)!getcwd(cwd, sizeof(cwd));
    (void)!readlink("/proc/self/cwd", link, sizeof(link) - 1);
    check_text(link, cwd, "cwd: leads to the directory");
    memset(link, 0, sizeof(link));
    (void)!readlink("/proc/self/root", link, sizeof(link) - 1);
    check_text(link, "/", "root: leads to the root");
    memset(link, 0, sizeof(link));
    (void)!readlink("/proc/self", link, sizeof(link) - 1);
    check_equal(atoi(link), getpid(), "/proc/self: leads to the own directory");
    snprintf(cwd, sizeof(cwd), "%d/task/%d", getpid(), getpid());
    memset(link, 0, sizeof(link));
    (void)!readlink("/proc/thread-self", link, sizeof(link) - 1);
    check_text(link, cwd, "/proc/thread-self: leads to the own thread");
}

static const char *fd_link(int fd)
{
    static char link[256];
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    memset(link, 0, sizeof(link));
    if (readlink(path, link, sizeof(link) - 1) < 0)
        snprintf(link, sizeof(link), "%s", strerror(errno));
    return link;
}

static void test_descriptors(void)
{
    char path[64], byte = 0, want[64];
    int ends[2], null = open("/dev/null", O_RDWR), s = socket(AF_UNIX, SOCK_STREAM, 0);
    struct stat info;

    check_text(fd_link(null), "/dev/null", "fd: the link of a device is its path");
    (void)!pipe(ends);
    fstat(ends[0], &info);
    snprintf(want, sizeof(want), "pipe:[%lu]", (unsigned long)info.st_ino);
    check_text(fd_link(ends[0]), want, "fd: the link of a pipe shows its inode's number");
    fstat(s, &info);
    snprintf(want, sizeof(want), "socket:[%lu]", (unsigned long)info.st_ino);
    check_text(fd_link(s), want, "fd: the link of a socket shows its inode's number");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[1]);
    int again = open(path, O_WRONLY);
    check(again >= 0 && write(again, "x", 1) == 1 && read(ends[0], &byte, 1) == 1 && byte == 'x',
          "fd: a pipe can be opened by its link");
    lstat(path, &info);
    check(S_ISLNK(info.st_mode) && (info.st_mode & 0700) == 0300,
          "fd: the link's rights say: open for writing");
    close(again);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", s);
    check_errno(open(path, O_RDWR), ENXIO, "fd: a socket cannot: ENXIO");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", 200);
    check_errno(open(path, O_RDONLY), ENOENT,
                "fd: a descriptor that is not open is not there: ENOENT");
    int here = open("/proc/self/exe", O_RDONLY);
    lseek(here, 123, SEEK_SET);
    snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", here);
    read_file(path);
    check_equal(value("pos:"), 123, "fdinfo: the position");
    check(*line_of("flags:\t0") != 0, "fdinfo: the flags, octal");
    DIR *dir = opendir("/proc/self/fd");
    int found = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir))
        found += atoi(e->d_name) == here && isdigit((unsigned char)e->d_name[0]);
    closedir(dir);
    check_equal(found, 1, "fd: the directory lists what is open");
    close(here);
    close(ends[0]);
    close(ends[1]);
    close(null);
    close(s);
}

static void test_limits_and_threads(void)
{
    struct rlimit limit;
    char want[64];

    getrlimit(RLIMIT_NOFILE, &limit);
    read_file("/proc/self/limits");
    snprintf(want, sizeof(want), "Max open files            %-20lu ",
             (unsigned long)limit.rlim_cur);
    check(!strncmp(line_of("Max open files"), want, strlen(want)),
          "limits: open files as getrlimit says");
    check(*line_of("Limit                     Soft Limit           Hard Limit           Units") !=
              0,
          "limits: the columns");
    snprintf(want, sizeof(want), "/proc/self/task/%d/status", getpid());
    check(read_file(want) > 0 && value("Pid:") == getpid(), "task: a directory for each thread");
    check_errno(open("/proc/self/task/1", O_RDONLY), ENOENT, "task: no other's thread: ENOENT");
    check(read_file("/proc/self/mounts") > 0 && *line_of("") != 0, "mounts can be read");
    int id = 0, above = 0; /* in a chroot the root need not be a mount: any line will do */
    check(read_file("/proc/self/mountinfo") > 0 && sscanf(text, "%d %d ", &id, &above) == 2 &&
              id > 0 && strstr(text, " /proc ") && strstr(text, " - proc "),
          "mountinfo has /proc");
}

static int child_of_the_chosen(void *argument)
{
    (void)argument;
    read_file("/proc/self/oom_score_adj");
    return atoi(text) == 300 ? 0 : 1;
}

static void test_out_of_memory(void)
{
    int fd = open("/proc/self/oom_score_adj", O_RDWR);

    check_equal(write(fd, "300\n", 4), 4, "oom_score_adj can be raised");
    read_file("/proc/self/oom_score_adj");
    check_text(text, "300\n", "and says then what was written");
    check_exit(child_of_the_chosen, NULL, 0, "a child inherits it");
    check_errno(write(fd, "1001", 4), EINVAL, "above 1000: EINVAL");
    check_errno(write(fd, "much", 4), EINVAL, "what is no number: EINVAL");
    check(read_file("/proc/self/oom_score") > 0 && atoi(text) >= 300, "oom_score follows");
    close(fd);
}

static int wait_for_end(void *argument)
{
    (void)argument;
    return 3;
}

static void test_other_processes(void)
{
    char path[64];
    int ends[2];

    (void)!pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        char c;
        close(ends[1]);
        _exit(read(ends[0], &c, 1) + wait_for_end(NULL));
    }
    close(ends[0]);
    snprintf(path, sizeof(path), "/proc/%d/stat", child);
    for (int i = 0; i < 1000; i++) {
        read_file(path);
        if (strstr(text, ") S "))
            break;
        usleep(1000);
    }
    check(strstr(text, ") S ") != NULL, "a child that waits sleeps: S");
    check_equal(stat_field(4), getpid(), "and its parent is this process");
    kill(child, SIGSTOP);
    waitpid(child, NULL, WUNTRACED);
    read_file(path);
    check(strstr(text, ") T ") != NULL, "a stopped one: T");
    kill(child, SIGCONT);
    kill(child, SIGKILL);
    for (int i = 0; i < 1000; i++) {
        read_file(path);
        if (strstr(text, ") Z "))
            break;
        usleep(1000);
    }
    check(strstr(text, ") Z ") != NULL, "one that has ended and was not waited for: Z");
    int fd = open(path, O_RDONLY);
    waitpid(child, NULL, 0);
    check_errno(read(fd, text, 100), ESRCH, "and when it is gone, its file says so: ESRCH");
    check_errno(open(path, O_RDONLY), ENOENT, "and cannot be opened any more: ENOENT");
    close(fd);
    close(ends[1]);
}

static void test_machine(void)
{
    struct sysinfo info;
    float one = -1, five = -1, fifteen = -1, up = -1, idle = -1;
    int running = 0, all = 0;

    sysinfo(&info);
    read_file("/proc/meminfo");
    check_equal(value("MemTotal:"), (long long)info.totalram * info.mem_unit / 1024,
                "meminfo: MemTotal as sysinfo says");
    check(value("MemFree:") > 0 && value("MemFree:") < value("MemTotal:"), "meminfo: MemFree");
    check(value("MemAvailable:") > 0 && value("MemAvailable:") <= value("MemTotal:"),
          "meminfo: MemAvailable");
    check(value("Cached:") >= 0 && value("Buffers:") >= 0 && value("AnonPages:") > 0 &&
              value("Slab:") > 0 && value("PageTables:") > 0 && value("KernelStack:") > 0 &&
              value("Dirty:") >= 0 && value("Shmem:") >= 0,
          "meminfo: what memory is used for");
    read_file("/proc/stat");
    check(!strncmp(text, "cpu  ", 5) && *line_of("cpu0 ") != 0,
          "stat: the processors together, then each");
    check(value("ctxt ") > 0 && value("intr ") > 0 && value("processes ") > 0 &&
              value("procs_running ") >= 1,
          "stat: switches, interrupts, processes");
    check(value("btime ") > 1500000000, "stat: when the machine started");
    read_file("/proc/loadavg");
    check(sscanf(text, "%f %f %f %d/%d", &one, &five, &fifteen, &running, &all) == 5 && one >= 0 &&
              running >= 1 && all >= running,
          "loadavg: three averages, running and all");
    read_file("/proc/uptime");
    check(sscanf(text, "%f %f", &up, &idle) == 2 && up > 0 && idle >= 0, "uptime: two numbers");
    check(read_file("/proc/version") > 0 && !strncmp(text, "Linux version ", 14), "version");
    check(read_file("/proc/cpuinfo") > 0 && value("processor\t:") == 0 &&
              *line_of("flags\t\t:") != 0,
          "cpuinfo");
    check(read_file("/proc/filesystems") > 0 && *line_of("nodev\tproc") != 0,
          "filesystems: proc is one");
    check(read_file("/proc/sys/kernel/ostype") > 0 && !strcmp(text, "Linux\n"),
          "sys/kernel/ostype");
    char name[65];
    gethostname(name, sizeof(name));
    read_file("/proc/sys/kernel/hostname");
    check(!strncmp(text, name, strlen(name)) && text[strlen(name)] == '\n',
          "sys/kernel/hostname as gethostname says");
    check(read_file("/proc/sys/kernel/random/uuid") == 37 && text[14] == '4' && text[8] == '-',
          "random/uuid");
    check(read_file("/proc/sys/kernel/pid_max") > 0 && atoi(text) >= 32768, "sys/kernel/pid_max");
}

static void test_reading(void)
{
    char whole[4096], again[4096];
    int fd = open("/proc/version", O_RDONLY), n = read(fd, whole, sizeof(whole)), m = 0;
    struct stat info;

    fstat(fd, &info);
    check(S_ISREG(info.st_mode) && info.st_size == 0, "a text is a file of no size");
    check_equal(read(fd, again, 1), 0, "behind its end there is nothing");
    lseek(fd, 0, SEEK_SET);
    while (m < (int)sizeof(again) && read(fd, again + m, 1) == 1)
        m++;
    check(m == n && !memcmp(whole, again, n), "read byte by byte it is the same text");
    check_equal(pread(fd, again, 5, 6), 5, "and from the middle");
    check_bytes(again, whole + 6, 5, "the middle of it");
    lseek(fd, 0, SEEK_SET);
    check_errno(read(fd, (void *)16, 10), EFAULT, "to nowhere: EFAULT");
    close(fd);
    check_errno(open("/proc/nothing", O_RDONLY), ENOENT, "what is not there: ENOENT");
    check_errno(open("/proc/version/x", O_RDONLY), ENOTDIR, "a text is no directory: ENOTDIR");
    check(mkdir("/proc/new", 0777) == -1 && errno != ENOSYS, "no directory can be made there");
    check_errno(unlink("/proc/version"), EPERM, "and nothing removed: EPERM");
}

int main(int argc, char **argv)
{
    (void)argc;
    test_stat();
    test_status();
    test_memory();
    test_names_and_arguments(argv[0]);
    test_descriptors();
    test_limits_and_threads();
    test_out_of_memory();
    test_other_processes();
    test_machine();
    test_reading();
    return check_done();
}
