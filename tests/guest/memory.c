/*
 * memory - brk, mmap, copy-on-write, file mappings, the stack, and what is not to be touched.
 *
 * The file that is mapped is this program itself: any file whose length is no multiple of a page.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096
#define MIB  (1 << 20)

static const char *self;

static char *map_anonymous(size_t len, int kind)
{
    return mmap(NULL, len, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS, -1, 0);
}

static bool all_zero(const char *memory, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (memory[i] != 0) {
            return false;
        }
    }
    return true;
}

static void fill(char *memory, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        memory[i] = pattern(i);
    }
}

static bool is_filled(const char *memory, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)memory[i] != pattern(i)) {
            return false;
        }
    }
    return true;
}

static int read_byte(void *address)
{
    return *(volatile char *)address & 0;
}

static int write_byte(void *address)
{
    *(volatile char *)address = 1;
    return 0;
}

/* No malloc in here: the C library's allocator moves the break too. */
static void test_break(void)
{
    char *old = (char *)syscall(SYS_brk, 0);
    char *new = (char *)syscall(SYS_brk, old + MIB);

    check_equal(new - old, MIB, "brk makes the heap larger");
    check(all_zero(old, MIB), "fresh heap is zero");
    memset(old, 0x55, MIB);
    check_equal(syscall(SYS_brk, old) - (long)old, 0, "brk makes the heap smaller");
    check_killed(read_byte, old + 64 * 1024, SIGSEGV, "what the heap gave back is not readable");
    new = (char *)syscall(SYS_brk, old + MIB);
    check(new == old + MIB &&all_zero(old, MIB), "heap that comes back is zero again");
    check_equal(syscall(SYS_brk, PAGE) - (long)new, 0,
                "brk below the heap's start changes nothing");
    check_equal(syscall(SYS_brk, 0xfffff000) - (long)new, 0, "nor does brk beyond all memory");
    syscall(SYS_brk, old);
}

static void test_anonymous(void)
{
    char *map = map_anonymous(4 * MIB, MAP_PRIVATE);

    if (!check_works((long)map, "mmap gives anonymous memory")) {
        return;
    }
    check_equal((uintptr_t)map % PAGE, 0, "it begins with a page");
    check(all_zero(map, 4 * MIB), "it is zero");
    fill(map, 4 * MIB);
    check(is_filled(map, 4 * MIB), "it keeps what is written");

    check_equal(munmap(map + MIB, PAGE), 0, "munmap takes a page out of the middle");
    check_killed(read_byte, map + MIB, SIGSEGV, "the hole is not readable");
    check(is_filled(map, MIB), "what lies before the hole is still there");
    check(map[MIB + PAGE] == (char)pattern(MIB + PAGE) &&
              map[4 * MIB - 1] == (char)pattern(4 * MIB - 1),
          "and what lies behind it");
    check_equal(munmap(map + MIB, PAGE), 0, "munmap of what is not mapped is no error");

    char *fixed = mmap(map + MIB, PAGE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    check(fixed == map + MIB && all_zero(fixed, PAGE), "MAP_FIXED fills the hole with zeroes");
    fixed = mmap(map, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    check(fixed == map && all_zero(map, PAGE), "MAP_FIXED replaces what is there");
    check_equal(munmap(map, 4 * MIB), 0, "munmap takes all of it");
    check_killed(write_byte, map, SIGSEGV, "unmapped memory is not writable");

    int good = 1;

    for (int round = 0; round < 40 && good; round++) {
        map = map_anonymous(32 * MIB, MAP_PRIVATE);
        good = map != MAP_FAILED;
        for (int at = 0; good && at < 8 * MIB; at += PAGE) {
            map[at] = 1;
        }
        good = good && munmap(map, 32 * MIB) == 0;
    }
    check(good, "memory that was unmapped is free again: 40 times 8 MiB");
}

static void test_mmap_errors(void)
{
    int file = open(self, O_RDONLY);
    const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS;

    check_errno((long)mmap(NULL, 0, PROT_READ, anonymous, -1, 0), EINVAL,
                "mmap of nothing: EINVAL");
    check_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL,
                "mmap neither shared nor private: EINVAL");
    check_errno(syscall(SYS_mmap2, 0, 0xf0000000, PROT_READ, anonymous, -1, 0), ENOMEM,
                "mmap of more than there are addresses: ENOMEM");
    check_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, -1, 0), EBADF,
                "mmap of a descriptor that is none: EBADF");
    check_errno((long)mmap((void *)(PAGE + 1), PAGE, PROT_READ, anonymous | MAP_FIXED, -1, 0),
                EINVAL, "MAP_FIXED inside a page: EINVAL");
    check_errno((long)mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0), EACCES,
                "to share a file writable that is open for reading: EACCES");
    check_errno(munmap((void *)1, PAGE), EINVAL, "munmap inside a page: EINVAL");
    check_errno(munmap((void *)0x10000000, 0), EINVAL, "munmap of nothing: EINVAL");
    close(file);
}

static void test_protection(void)
{
    char *map = map_anonymous(3 * PAGE, MAP_PRIVATE);

    fill(map, 3 * PAGE);
    check_equal(mprotect(map + PAGE, PAGE, PROT_READ), 0, "mprotect makes a page read-only");
    check_exit(read_byte, map + PAGE, 0, "it is still readable");
    check_killed(write_byte, map + PAGE, SIGSEGV, "but not writable");
    check_exit(write_byte, map, 0, "the page before it still is");
    check_exit(write_byte, map + 2 * PAGE, 0, "and the page behind it");
    check_equal(mprotect(map + PAGE, PAGE, PROT_NONE), 0, "mprotect closes a page");
    check_killed(read_byte, map + PAGE, SIGSEGV, "which is not readable then");
    check_equal(mprotect(map, 3 * PAGE, PROT_READ | PROT_WRITE), 0, "mprotect opens it again");
    check(is_filled(map, 3 * PAGE), "nothing was lost meanwhile");
    munmap(map + PAGE, PAGE);
    check_errno(mprotect(map, 3 * PAGE, PROT_READ), ENOMEM, "mprotect over a hole: ENOMEM");
    check_errno(syscall(SYS_mprotect, map + 1, PAGE, PROT_READ), EINVAL,
                "mprotect inside a page: EINVAL");
    munmap(map, 3 * PAGE);
    check_killed(write_byte, (void *)(uintptr_t) "constant", SIGSEGV, "constants are not writable");
}

struct regions {
    char *private, *shared;
};

static int change_regions(void *argument)
{
    struct regions *r = argument;

    if (!is_filled(r->private, MIB) || !is_filled(r->shared, PAGE)) {
        return 1;
    }
    memset(r->private, 0, MIB);
    memset(r->shared, 7, PAGE);
    return all_zero(r->private, MIB) ? 0 : 2;
}

/* The kernel writes to a page that two processes share for now: that must make a copy, too. */
static int read_into_region(void *argument)
{
    struct regions *r = argument;
    int file = open(self, O_RDONLY);

    return read(file, r->private + 100, 2 * PAGE) == 2 * PAGE && r->private[101] == 'E' ? 0 : 1;
}

static void test_copy_on_write(void)
{
    struct regions r = {map_anonymous(MIB, MAP_PRIVATE), map_anonymous(MIB, MAP_SHARED)};

    fill(r.private, MIB);
    fill(r.shared, MIB);
    check_exit(change_regions, &r, 0, "a child has its parent's memory, and may change it");
    check(is_filled(r.private, MIB), "private memory of the parent stays as it was");
    check(r.shared[0] == 7 && r.shared[PAGE - 1] == 7, "shared memory is changed for both");
    check(is_filled(r.private, MIB), "a second look finds the same");
    check_exit(read_into_region, &r, 0, "a child can read a file into its copy");
    check(is_filled(r.private, MIB), "which does not change the parent's");

    pid_t child = fork();

    if (child == 0) {
        for (int i = 0; i < 400 && r.shared[MIB - 1] != 1; i++) {
            usleep(5000);
        }
        _exit(is_filled(r.private, MIB) ? 3 : 4);
    }
    memset(r.private, 1, MIB);
    r.shared[MIB - 1] = 1;

    int status = -1;

    check(waitpid(child, &status, 0) == child && status == 3 << 8,
          "what the parent writes after fork does not change its child");
    munmap(r.private, MIB);
    munmap(r.shared, MIB);
}

static void test_file_mapping(void)
{
    struct stat st;
    int file = open(self, O_RDONLY);

    fstat(file, &st);

    size_t len = st.st_size, pages = (len + PAGE - 1) / PAGE;
    char *copy = malloc(len), *private, *shared, *second;

    check_equal(pread(file, copy, len, 0), len, "a file can be read whole");
    private = mmap(NULL, (pages + 2) * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    shared = mmap(NULL, len, PROT_READ, MAP_SHARED, file, 0);
    second = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, PAGE);
    if (private == MAP_FAILED || shared == MAP_FAILED || second == MAP_FAILED) {
        check(false, "a file can be mapped");
        return;
    }
    close(file);
    check_bytes(shared, copy, len, "a shared mapping shows the file, though it is closed");
    check_bytes(private, copy, len, "so does a private one");
    check_bytes(second, copy + PAGE, PAGE, "a mapping can begin at a later page");
    check(len % PAGE == 0 || all_zero(private + len, pages * PAGE - len),
          "behind the file's end its last page is zero");
    check_killed(read_byte, private + (pages + 1) * PAGE, SIGBUS,
                 "to read a page behind the file's end kills with SIGBUS");
    check_killed(write_byte, shared, SIGSEGV, "a read-only mapping is not writable");

    memset(private, 0x5a, PAGE);
    check_bytes(shared, copy, PAGE, "writing to a private mapping does not change the file");
    check(private[PAGE] == copy[PAGE] && private[0] == 0x5a, "it changes that one page only");

    file = open(self, O_RDONLY);
    check_equal(pread(file, private + PAGE + 10, 100, 0), 100, "read can fill a private mapping");
    check_bytes(private + PAGE + 10, copy, 100, "with what the file says");
    check_bytes(shared + PAGE, copy + PAGE, PAGE, "and the file stays as it was");
    close(file);
    munmap(private, (pages + 2) * PAGE);
    munmap(shared, len);
    munmap(second, PAGE);
    free(copy);
}

/* Each level takes a page of stack and finds it again on the way back. */
static int __attribute__((noinline)) use_stack(int depth)
{
    volatile char frame[PAGE];

    frame[0] = frame[PAGE - 1] = (char)depth;
    if (depth > 0 && use_stack(depth - 1) != depth - 1) {
        return -1;
    }
    return frame[0] == (char)depth && frame[PAGE - 1] == (char)depth ? depth : -1;
}

static int overflow_stack(void *unused)
{
    return use_stack(1 << 30) & 1;
}

static void test_stack(void)
{
    check_equal(use_stack(512), 512, "the stack grows by 2 MiB");
    check_killed(overflow_stack, NULL, SIGSEGV, "a stack without end kills with SIGSEGV");
    check_equal(use_stack(256), 256, "which is no harm to others");
}

/* What the file's descriptor did not allow, mprotect does not give. */
static void test_shared_read_only(void)
{
    int fd = open(self, O_RDONLY);
    char *map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

    check_errno(mprotect(map, PAGE, PROT_READ | PROT_WRITE), EACCES,
                "a shared mapping of a file open for reading does not become writable: EACCES");
    check_equal(mprotect(map, PAGE, PROT_NONE), 0, "but it can be closed");
    check_equal(mprotect(map, PAGE, PROT_READ), 0, "and opened for reading again");
    check_bytes(map, "\177ELF", 4, "with what is in the file");
    munmap(map, PAGE);
    close(fd);
}

static void test_closed_to_system_calls(void)
{
    char *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];

    strcpy(map, "secret");
    check_equal(mprotect(map, PAGE, PROT_NONE), 0, "a page with something in it is closed");
    if (tcp_pair(ends) == 0) {
        check_errno(write(ends[0], map, 7), EFAULT, "system calls cannot read it either: EFAULT");
        close(ends[0]);
        close(ends[1]);
    }
    mprotect(map, PAGE, PROT_READ);
    check_text(map, "secret", "opened again, it is all there");
    munmap(map, PAGE);
}

int main(int argc, char **argv)
{
    self = argv[0];
    test_break();
    test_anonymous();
    test_mmap_errors();
    test_protection();
    test_copy_on_write();
    test_file_mapping();
    test_shared_read_only();
    test_closed_to_system_calls();
    test_stack();
    return check_done();
}
