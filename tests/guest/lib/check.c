/*
 * check.c - what a guest test says, and how.
 */
#define _GNU_SOURCE
#include "check.h"
#include "user/lib/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int passed, failed;

/* Prints one verdict. Flushed at once: a later child must not print it again. */
static void __attribute__((format(printf, 3, 4)))
verdict(bool good, const char *sentence, const char *format, ...)
{
    va_list args;

    if (good) {
        passed++;
        printf("ok - %s\n", sentence);
    } else {
        failed++;
        printf("not ok - %s: ", sentence);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        printf("\n");
    }
    fflush(stdout);
}

void check(bool good, const char *sentence)
{
    verdict(good, sentence, "expected true, got false (errno %d, %s)", errno, strerror(errno));
}

void check_equal(long long got, long long expected, const char *sentence)
{
    verdict(got == expected, sentence, "expected %lld, got %lld", expected, got);
}

void check_range(long long got, long long low, long long high, const char *sentence)
{
    verdict(got >= low && got <= high, sentence, "expected %lld to %lld, got %lld", low, high, got);
}

void check_text(const char *got, const char *expected, const char *sentence)
{
    verdict(strcmp(got, expected) == 0, sentence, "expected \"%s\", got \"%s\"", expected, got);
}

void check_bytes(const void *got, const void *expected, size_t len, const char *sentence)
{
    const unsigned char *a = got, *b = expected;
    size_t at = 0;

    while (at < len && a[at] == b[at]) {
        at++;
    }
    verdict(at == len, sentence, "expected 0x%02x at byte %zu of %zu, got 0x%02x",
            at < len ? b[at] : 0, at, len, at < len ? a[at] : 0);
}

void check_errno(long result, int expected, const char *sentence)
{
    int error = errno;

    if (result == -1) {
        verdict(error == expected, sentence, "expected errno %d (%s), got %d (%s)", expected,
                strerror(expected), error, strerror(error));
    } else {
        verdict(false, sentence, "expected errno %d (%s), got result %ld", expected,
                strerror(expected), result);
    }
}

bool check_works(long result, const char *sentence)
{
    verdict(result != -1, sentence, "expected no error, got errno %d (%s)", errno, strerror(errno));
    return result != -1;
}

void note(const char *text)
{
    printf("# %s\n", text);
    fflush(stdout);
}

int check_done(void)
{
    printf("%d passed, %d failed\n", passed, failed);
    fflush(stdout);
    return failed == 0 ? 0 : 1;
}

int run_child(int (*function)(void *), void *argument)
{
    const struct rlimit none = {0, 0};
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_CORE, &none); /* a child that dies on purpose leaves no core file */
        _exit(function(argument));
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        return -1;
    }
    return status;
}

static void check_status(int got, int expected, const char *sentence)
{
    char text[2][48];
    int status[2] = {expected, got};

    for (int i = 0; i < 2; i++) {
        if (status[i] == -1) {
            snprintf(text[i], sizeof(text[i]), "no child (errno %d)", errno);
        } else if (WIFEXITED(status[i])) {
            snprintf(text[i], sizeof(text[i]), "exit status %d", WEXITSTATUS(status[i]));
        } else {
            snprintf(text[i], sizeof(text[i]), "killed by signal %d", WTERMSIG(status[i]));
        }
    }
    /* 0x80 says that there is a core file, which is not our business. */
    verdict((got & ~0x80) == expected, sentence, "expected %s, got %s", text[0], text[1]);
}

void check_exit(int (*function)(void *), void *argument, int expected, const char *sentence)
{
    check_status(run_child(function, argument), expected << 8, sentence);
}

void check_killed(int (*function)(void *), void *argument, int signal, const char *sentence)
{
    check_status(run_child(function, argument), signal, sentence);
}

void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED) {
        verdict(false, "memory can be shared with children", "errno %d (%s)", errno,
                strerror(errno));
        exit(check_done());
    }
    return memory;
}

bool wait_change(const volatile int *value, int from, unsigned ms)
{
    for (unsigned waited = 0; *value == from && waited < ms; waited += 5) {
        sleep_ms(5);
    }
    return *value != from;
}

int tcp_pair(int ends[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (listener < 0 || ends[0] < 0 ||
        bind(listener, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(listener, 1) < 0 || getsockname(listener, (struct sockaddr *)&address, &len) < 0 ||
        connect(ends[0], (struct sockaddr *)&address, sizeof(address)) < 0) {
        return -1;
    }
    ends[1] = accept(listener, NULL, NULL);
    close(listener);
    return ends[1] < 0 ? -1 : 0;
}
