/*
 * programs - execve and execveat: arguments, environment, scripts, interpreters, and each error.
 *
 *     programs --report...     prints how it was started: what the tests start
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NONE 250 /* the exit status of a child that could not be started: plus nothing else */

static char self[4096], folder[64] = "/tmp/programs-XXXXXX";
static char text[4 << 20];

static const char *path(const char *name)
{
    static char room[4][256];
    static int next;
    char *p = room[next++ % 4];

    snprintf(p, sizeof(room[0]), "%s/%s", folder, name);
    return p;
}

static void write_file(const char *name, const void *data, size_t len, int mode)
{
    int fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0700);

    if (fd < 0 || write(fd, data, len) != (ssize_t)len) {
        perror(name);
    }
    close(fd);
    chmod(path(name), mode);
}

/* A script: the first line is made as printf does. */
static void __attribute__((format(printf, 2, 3))) script(const char *name, const char *format, ...)
{
    char line[4096];
    va_list args;

    va_start(args, format);

    int len = vsnprintf(line, sizeof(line), format, args);

    va_end(args);
    write_file(name, line, len, 0755);
}

/* What is printed with --report: arguments, then the name that the kernel says it was started by.
 */
static int report(int argc, char **argv, char **envp)
{
    char comm[16] = "";
    int fd = open("/proc/self/comm", O_RDONLY);

    printf("%d", argc);
    for (int i = 0; i < argc; i++) {
        printf("|%s", argv[i]);
    }
    for (; *envp; envp++) {
        printf("|%s", *envp);
    }
    comm[read(fd, comm, sizeof(comm)) - 1] = 0;
    printf("|%s|%s", (char *)getauxval(AT_EXECFN), comm);
    return 0;
}

/* Runs it in a child, with what it prints in `text`; 0, or the errno of execveat. */
static int start_at(int dirfd, const char *name, char **argv, char **envp, int flags)
{
    int ends[2], status, error = 0;
    size_t got = 0;
    ssize_t n;

    pipe(ends);
    fflush(stdout);

    pid_t child = fork();

    if (child == 0) {
        dup2(ends[1], 1);
        close(ends[0]);
        close(ends[1]);
        if (dirfd == AT_FDCWD && !flags) {
            execve(name, argv, envp);
        } else {
            syscall(SYS_execveat, dirfd, name, argv, envp, flags);
        }
        error = errno;
        write(1, &error, sizeof(error));
        _exit(NONE);
    }
    close(ends[1]);
    while (got < sizeof(text) - 1 && (n = read(ends[0], text + got, sizeof(text) - 1 - got)) > 0) {
        got += n;
    }
    text[got] = 0;
    close(ends[0]);
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NONE) {
        memcpy(&error, text, sizeof(error));
        return error;
    }
    return status == 0 ? 0 : -1;
}

static int start(const char *name, const char *argument)
{
    char *argv[] = {"zero", (char *)argument, NULL}, *envp[] = {NULL};

    return start_at(AT_FDCWD, name, argv, envp, 0);
}

static void check_report(const char *expected, const char *sentence)
{
    check_text(text, expected, sentence);
}

static void check_refused(int got, int expected, const char *sentence)
{
    check_equal(got, expected, sentence);
}

static void test_arguments(void)
{
    char *argv[] = {"name", "--report", "", "a b", NULL}, *envp[] = {"A=1", "B=", NULL};
    char expected[8192];

    start_at(AT_FDCWD, self, argv, envp, 0);
    snprintf(expected, sizeof(expected), "4|name|--report||a b|A=1|B=|%s|programs", self);
    check_report(expected, "a program gets its arguments, its environment and its name");
    symlink(self, path("a-link-with-a-long-name"));
    argv[2] = NULL;
    start_at(AT_FDCWD, path("a-link-with-a-long-name"), argv, envp, 0);
    snprintf(expected, sizeof(expected), "2|name|--report|A=1|B=|%s|a-link-with-a-l",
             path("a-link-with-a-long-name"));
    check_report(expected, "by a link it has the link's name, as much as there is room for");
    start_at(AT_FDCWD, self, argv, NULL, 0);
    snprintf(expected, sizeof(expected), "2|name|--report|%s|programs", self);
    check_report(expected, "no environment is an empty one");
}

static void test_scripts(void)
{
    char expected[8192];
    char s[256];

    snprintf(s, sizeof(s), "%s", path("script"));

    script("script", "#!%s --report\nrest\n", self);
    start(s, "one");
    snprintf(expected, sizeof(expected), "4|%s|--report|%s|one|%s|script", self, s, s);
    check_report(expected, "a script's interpreter gets its argument, the script, its arguments");

    script("script", "#! \t %s  --report two  words \t\n", self);
    start(s, "one");
    snprintf(expected, sizeof(expected), "4|%s|--report two  words|%s|one|%s|script", self, s, s);
    check_report(expected, "blanks around are no part of it, those inside make no second one");

    script("script", "#!%s --report", self);
    start(s, NULL);
    snprintf(expected, sizeof(expected), "3|%s|--report|%s|%s|script", self, s, s);
    check_report(expected, "the line may be the last one, and not ended");

    script("script", "#!%s\n", self);
    start(s, "--report");
    snprintf(expected, sizeof(expected), "3|%s|%s|--report|%s|script", self, s, s);
    check_report(expected, "without an argument there is none");

    char long_line[400];

    memset(long_line, 'x', sizeof(long_line));
    long_line[sizeof(long_line) - 1] = 0;
    script("script", "#!%s --report%s\n", self, long_line);
    start(s, NULL);
    snprintf(expected, sizeof(expected), "3|%s|--report%.*s|%s|%s|script", self,
             (int)(253 - strlen(self) - strlen(" --report")), long_line, s, s);
    check_report(expected, "of a line that is too long the argument is cut");

    script("script", "#!%s\n", long_line);
    check_refused(start(s, NULL), ENOEXEC, "but never the interpreter's name: ENOEXEC");
    script("script", "#!\n");
    check_refused(start(s, NULL), ENOEXEC, "a line that names none: ENOEXEC");
    script("script", "#!  \t \n");
    check_refused(start(s, NULL), ENOEXEC, "nor with blanks alone: ENOEXEC");
    script("script", "echo hello\n");
    check_refused(start(s, NULL), ENOEXEC, "a text without such a line: ENOEXEC");
    script("script", "#!/no/such/thing\n");
    check_refused(start(s, NULL), ENOENT, "an interpreter that is not there: ENOENT");
    script("script", "#!/tmp\n");
    check_refused(start(s, NULL), EACCES, "that is a directory: EACCES");
    write_file("plain", "text", 4, 0644);
    script("script", "#!%s\n", path("plain"));
    check_refused(start(s, NULL), EACCES, "that may not be executed: EACCES");
    chmod(path("plain"), 0755);
    check_refused(start(s, NULL), ENOEXEC, "that is no program: ENOEXEC");
}

static void test_nested_scripts(void)
{
    char name[3][16] = {"nest0", "nest1", "nest2"}, expected[8192];

    script(name[0], "#!%s --report\n", self);
    script(name[1], "#!%s x\n", path(name[0]));
    start(path(name[1]), "arg");
    snprintf(expected, sizeof(expected), "6|%s|--report|%s|x|%s|arg|%s|nest1", self, path(name[0]),
             path(name[1]), path(name[1]));
    check_report(expected, "a script's interpreter may be a script");
    for (int i = 1; i < 6; i++) {
        char this[16], before[16];

        snprintf(this, sizeof(this), "nest%d", i);
        snprintf(before, sizeof(before), "nest%d", i - 1);
        script(this, "#!%s\n", path(before));
    }
    check_equal(start(path("nest4"), NULL), 0, "five deep they may be");
    check_refused(start(path("nest5"), NULL), ELOOP, "six deep they may not: ELOOP");
    script("nest0", "#!%s\n", path("nest0"));
    check_refused(start(path("nest0"), NULL), ELOOP, "nor its own interpreter: ELOOP");
}

static void test_errors(void)
{
    char long_name[300];

    memset(long_name, 'n', sizeof(long_name));
    long_name[sizeof(long_name) - 1] = 0;
    check_refused(start("/no/such/program", NULL), ENOENT, "no such program: ENOENT");
    check_refused(start("", NULL), ENOENT, "no name at all: ENOENT");
    check_refused(start("/tmp", NULL), EACCES, "a directory: EACCES");
    check_refused(start("/dev/null", NULL), EACCES, "a device: EACCES");
    check_refused(start(path("plain/x"), NULL), ENOTDIR, "below a file: ENOTDIR");
    check_refused(start(long_name, NULL), ENAMETOOLONG, "a name of 299 characters: ENAMETOOLONG");
    write_file("plain", "#!/bin/sh\n", 10, 0644);
    check_refused(start(path("plain"), NULL), EACCES, "a file that may not be executed: EACCES");
    write_file("plain", "", 0, 0755);
    check_refused(start(path("plain"), NULL), ENOEXEC, "an empty file: ENOEXEC");
    check_errno(syscall(SYS_execve, (char *)16, NULL, NULL), EFAULT, "a bad name: EFAULT");
    check_errno(syscall(SYS_execve, self, (char *)16, NULL), EFAULT, "bad arguments: EFAULT");

    char *argv[] = {"x", (char *)16, NULL};

    check_errno(syscall(SYS_execve, self, argv, NULL), EFAULT, "one bad argument: EFAULT");
    argv[1] = NULL;
    check_errno(syscall(SYS_execve, self, argv, (char *)16), EFAULT, "bad environment: EFAULT");
}

static void test_sizes(void)
{
    const struct rlimit usual = {8 << 20, 8 << 20};
    char *argv[32] = {"x", "--report"}, *envp[] = {NULL};
    static char large[128 << 10];

    setrlimit(RLIMIT_STACK, &usual);
    memset(large, 'l', sizeof(large));
    argv[2] = large; /* not terminated: it goes on until zeroes come */
    large[sizeof(large) - 1] = 0;
    check_equal(start_at(AT_FDCWD, self, argv, envp, 0), 0, "an argument of 128 KiB arrives");
    check_equal(strspn(strchr(text, 'l'), "l"), sizeof(large) - 1, "as it is");

    static char larger[(128 << 10) + 1];

    memset(larger, 'l', sizeof(larger) - 1);
    argv[2] = larger;
    check_refused(start_at(AT_FDCWD, self, argv, envp, 0), E2BIG, "one byte more: E2BIG");
    for (int i = 2; i < 17; i++) {
        argv[i] = large;
    }
    check_equal(start_at(AT_FDCWD, self, argv, envp, 0), 0, "15 of 128 KiB are fine");
    argv[17] = argv[18] = large;
    check_refused(start_at(AT_FDCWD, self, argv, envp, 0), E2BIG,
                  "17 are more than a quarter of the stack's limit: E2BIG");
}

/* A program that asks for this interpreter. */
static void make_elf(const char *name, const char *interpreter, size_t len)
{
    struct {
        Elf32_Ehdr header;
        Elf32_Phdr segment[2];
        char name[256];
    } e = {.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
                      .e_type = ET_EXEC,
                      .e_machine = EM_386,
                      .e_version = EV_CURRENT,
                      .e_entry = 0x10000000,
                      .e_phoff = sizeof(Elf32_Ehdr),
                      .e_ehsize = sizeof(Elf32_Ehdr),
                      .e_phentsize = sizeof(Elf32_Phdr),
                      .e_phnum = 2},
           .segment = {{PT_INTERP, sizeof(Elf32_Ehdr) + 2 * sizeof(Elf32_Phdr), 0x10000000,
                        0x10000000, len, len, PF_R, 1},
                       {PT_LOAD, 0, 0x10000000, 0x10000000, 512, 512, PF_R | PF_X, 4096}}};
    char file[512] = {0};

    memcpy(e.name, interpreter, len);
    memcpy(file, &e, sizeof(e));
    write_file(name, file, sizeof(file), 0755);
}

static void test_interpreters(void)
{
    char expected[8192];
    char elf[256], other[256];

    snprintf(elf, sizeof(elf), "%s", path("elf"));
    snprintf(other, sizeof(other), "%s", path("other"));

    make_elf("elf", self, strlen(self) + 1);
    start(elf, "--report");
    snprintf(expected, sizeof(expected), "2|zero|--report|%s|elf", elf);
    check_report(expected, "an interpreter is started instead, and gets the same arguments");
    make_elf("elf", "/no/such/ld.so", 15);
    check_refused(start(elf, NULL), ENOENT, "an interpreter that is missing: ENOENT");
    make_elf("elf", "/tmp", 5);
    check_refused(start(elf, NULL), EACCES, "that is a directory: EACCES");
    make_elf("elf", "/bin/unterminated", 17);
    check_refused(start(elf, NULL), ENOEXEC, "whose name has no end: ENOEXEC");
    make_elf("elf", "", 1);
    check_refused(start(elf, NULL), ENOEXEC, "that has no name: ENOEXEC");
    make_elf("elf", other, strlen(other) + 1);
    write_file("other", expected, 400, 0644);
    check_refused(start(elf, NULL), EACCES, "that may not be executed: EACCES");
    chmod(other, 0755);
    check_refused(start(elf, NULL), ELIBBAD, "that is no ELF file: ELIBBAD");
    write_file("other", expected, 10, 0755);
    check_refused(start(elf, NULL), EIO, "that is shorter than a header: EIO");
}

static void test_execveat(void)
{
    char *argv[] = {"zero", "--report", NULL}, *envp[] = {NULL}, expected[8192];
    int dir = open(folder, O_RDONLY | O_DIRECTORY), file = open(self, O_RDONLY | O_CLOEXEC);
    int plain = open(path("plain"), O_RDONLY);

    symlink(self, path("link"));
    start_at(dir, "link", argv, envp, 0);
    snprintf(expected, sizeof(expected), "2|zero|--report|/dev/fd/%d/link|link", dir);
    check_report(expected, "execveat finds a name in a directory");
    start_at(file, "", argv, envp, AT_EMPTY_PATH);
    snprintf(expected, sizeof(expected), "2|zero|--report|/dev/fd/%d|", file);
    check_bytes(text, expected, strlen(expected), "or takes an open file itself");
    check_refused(start_at(dir, "link", argv, envp, AT_SYMLINK_NOFOLLOW), ELOOP,
                  "AT_SYMLINK_NOFOLLOW: a link is no program: ELOOP");
    check_refused(start_at(dir, "", argv, envp, 0), ENOENT, "without AT_EMPTY_PATH: ENOENT");
    check_refused(start_at(dir, "", argv, envp, AT_EMPTY_PATH), EACCES, "a directory: EACCES");
    check_refused(start_at(77, "x", argv, envp, 0), EBADF, "no such descriptor: EBADF");
    check_refused(start_at(plain, "x", argv, envp, 0), ENOTDIR, "of a file: ENOTDIR");
    check_refused(start_at(dir, "link", argv, envp, 0x8000), EINVAL, "an odd flag: EINVAL");

    script("script", "#!%s --report\n", self);

    int kept = open(path("script"), O_RDONLY), closed = open(path("script"), O_RDONLY | O_CLOEXEC);

    start_at(kept, "", argv, envp, AT_EMPTY_PATH);
    snprintf(expected, sizeof(expected), "4|%s|--report|/dev/fd/%d|--report|", self, kept);
    check_bytes(text, expected, strlen(expected), "a script is named by its descriptor");
    check_refused(start_at(closed, "", argv, envp, AT_EMPTY_PATH), ENOENT,
                  "which must not close on exec: ENOENT");
    close(dir);
    close(file);
    close(plain);
    close(kept);
    close(closed);
}

static void remove_folder(void)
{
    static const char *const names[] = {"a-link-with-a-long-name",
                                        "script",
                                        "plain",
                                        "elf",
                                        "other",
                                        "link",
                                        "nest0",
                                        "nest1",
                                        "nest2",
                                        "nest3",
                                        "nest4",
                                        "nest5"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unlink(path(names[i]));
    }
    rmdir(folder);
}

int main(int argc, char **argv, char **envp)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--report", 8) == 0) {
            return report(argc, argv, envp);
        }
    }
    if (argc > 1 || !realpath(argv[0], self) || !mkdtemp(folder)) {
        return 1;
    }
    test_arguments();
    test_scripts();
    test_nested_scripts();
    test_errors();
    test_sizes();
    test_interpreters();
    test_execveat();
    remove_folder();
    return check_done();
}
