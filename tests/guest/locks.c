/* locks - record locks, the locks of open files, and flock. */
#define _GNU_SOURCE
#include "lib/check.h"
#include "lib/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static int fd;

static int lock(int file, int command, int type, long start, long len)
{
    struct flock l = {.l_type = (short)type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

    return fcntl(file, command, &l);
}

/* In a child: 0 if the bytes can be locked like this, else the error. */
static int try(int type, long start, long len)
{
    return lock(fd, F_SETLK, type, start, len) == 0 ? 0 : errno;
}
static int try_write_0(void *unused)
{
    (void)unused;
    return try(F_WRLCK, 0, 10);
}
static int try_read_0(void *unused)
{
    (void)unused;
    return try(F_RDLCK, 0, 10);
}
static int try_write_10(void *unused)
{
    (void)unused;
    return try(F_WRLCK, 10, 10);
}
static int try_far(void *unused)
{
    (void)unused;
    return try(F_WRLCK, 1000000, 1);
}
static int ask(void *parent)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 100};

    return fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_RDLCK && l.l_start == 0 && l.l_len == 10 &&
                   l.l_pid == (pid_t)(intptr_t)parent
               ? 5
               : 1;
}
static int close_another(void *unused)
{
    int other = open("file", O_RDWR);

    (void)unused;
    if (lock(fd, F_SETLK, F_WRLCK, 500, 10) < 0) {
        return 1;
    }
    close(other);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 500, .l_len = 10};
    pid_t child = fork();

    if (child == 0) {
        _exit(fcntl(fd, F_GETLK, &l) == 0 && l.l_type == F_UNLCK ? 6 : 2);
    }
    int status = 0;

    waitpid(child, &status, 0);
    return WEXITSTATUS(status);
}

static void test_records(void)
{
    check_works(lock(fd, F_SETLK, F_WRLCK, 0, 10), "a record lock");
    check_works(lock(fd, F_SETLK, F_WRLCK, 5, 10), "does not hinder who has it");
    check_exit(try_write_0, NULL, EAGAIN, "but another process: EAGAIN");
    check_exit(try_read_0, NULL, EAGAIN, "that only wants to read, too");
    check_works(lock(fd, F_SETLK, F_RDLCK, 0, 10), "it can be made a shared one");
    check_exit(try_read_0, NULL, 0, "which two may have");
    check_exit(try_write_0, NULL, EAGAIN, "with no writer");
    check_exit(try_write_10, NULL, EAGAIN, "the rest is still locked");
    check_exit(ask, (void *)(intptr_t)getpid(), 5, "F_GETLK says who has what");
    check_works(lock(fd, F_SETLK, F_UNLCK, 4, 100), "a part can be unlocked");
    check_exit(try_write_10, NULL, 0, "then that is free");
    check_exit(try_write_0, NULL, EAGAIN, "and the rest is not");
    check_works(lock(fd, F_SETLK, F_WRLCK, 100, 0), "a lock to the end");
    check_exit(try_far, NULL, EAGAIN, "goes beyond every length");
    check_works(lock(fd, F_SETLK, F_UNLCK, 0, 0), "all is unlocked");
    check_exit(try_far, NULL, 0, "and free");
    check_exit(close_another, NULL, 6,
               "closing any descriptor of the file lets go of all its locks");
    check_errno(lock(fd, F_SETLK, 17, 0, 1), EINVAL, "a lock of no type: EINVAL");
    check_errno(lock(fd, F_SETLK, F_WRLCK, -5, 1), EINVAL, "before the start: EINVAL");
    check_errno(fcntl(fd, F_SETLK, (void *)8), EFAULT, "from memory that is none: EFAULT");
    check_errno(lock(-1, F_SETLK, F_WRLCK, 0, 1), EBADF, "of no descriptor: EBADF");

    int reader = open("file", O_RDONLY);

    check_errno(lock(reader, F_SETLK, F_WRLCK, 0, 1), EBADF,
                "to lock for writing needs to be able to write: EBADF");
    close(reader);
}

static void test_waiting(void)
{
    int pipe_ends[2], status = 0;
    char text[2] = "";

    if (pipe(pipe_ends) < 0) {
        return;
    }
    lock(fd, F_SETLK, F_WRLCK, 0, 10);
    pid_t child = fork();

    if (child == 0) {
        write(pipe_ends[1], "1", 1);
        int result = lock(fd, F_SETLKW, F_WRLCK, 5, 1);

        write(pipe_ends[1], "3", 1);
        _exit(result == 0 ? 9 : 1);
    }
    read(pipe_ends[0], text, 1);
    usleep(20000);
    write(pipe_ends[1], "2", 1);
    lock(fd, F_SETLK, F_UNLCK, 0, 10);
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 9, "F_SETLKW waits until the lock is free");
    read(pipe_ends[0], text, 2);
    check_bytes(text, "23", 2, "and not longer");

    /* A circle: we have 0 and want 1, the child has 1 and wants 0. */
    lock(fd, F_SETLK, F_WRLCK, 0, 1);
    child = fork();
    if (child == 0) {
        lock(fd, F_SETLK, F_WRLCK, 1, 1);
        write(pipe_ends[1], "4", 1);
        _exit(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0 ? 8 : 1);
    }
    read(pipe_ends[0], text, 1);
    usleep(50000);
    check_errno(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK,
                "two that wait for each other: EDEADLK");
    lock(fd, F_SETLK, F_UNLCK, 0, 0);
    waitpid(child, &status, 0);
    check_equal(WEXITSTATUS(status), 8, "and the other goes on");
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static void test_open_files(void)
{
    int other = open("file", O_RDWR), copy = dup(other);
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 10};

    check_works(fcntl(fd, F_OFD_SETLK, &l), "an open file can have a lock");
    check_errno(fcntl(other, F_OFD_SETLK, &l), EAGAIN, "which another of the same process has not");
    check_errno(lock(other, F_SETLK, F_WRLCK, 0, 10), EAGAIN, "nor the process itself");
    l.l_pid = 1;
    check_errno(fcntl(fd, F_OFD_SETLK, &l), EINVAL, "it belongs to no process: EINVAL");
    l.l_pid = 0;
    check_equal(fcntl(other, F_OFD_GETLK, &l) == 0 ? l.l_pid : 0, -1, "so F_OFD_GETLK says -1");
    l.l_type = F_UNLCK;
    l.l_start = 0, l.l_len = 0, l.l_pid = 0;
    fcntl(fd, F_OFD_SETLK, &l);

    check_works(flock(fd, LOCK_EX), "flock works");
    check_errno(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK,
                "another open file waits: EWOULDBLOCK");
    check_works(flock(fd, LOCK_SH), "it can become a shared one");
    check_works(flock(other, LOCK_SH | LOCK_NB), "which two may have");
    check_errno(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK, "then none becomes the only one");
    check_works(flock(copy, LOCK_UN), "a copy of the descriptor unlocks");
    check_works(flock(fd, LOCK_EX | LOCK_NB), "for all");
    close(fd);
    check_works(flock(other, LOCK_EX | LOCK_NB), "close lets go of it");
    check_errno(flock(other, 77), EINVAL, "flock of no kind: EINVAL");
    check_errno(flock(-1, LOCK_EX), EBADF, "of no descriptor: EBADF");
    close(other);
    close(copy);
}

int main(void)
{
    scratch_enter();
    fd = open("file", O_RDWR | O_CREAT, 0644);
    test_records();
    test_waiting();
    test_open_files();
    scratch_leave();
    return check_done();
}
