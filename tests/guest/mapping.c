/*
 * mapping - what ld.so, malloc and threads ask of mmap and its family: mremap, MAP_FIXED in all its
 * forms, regions cut into pieces, regions that grow down, advice, locking, System V segments.
 */
#define _GNU_SOURCE
#include "lib/check.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE  4096
#define NONE  ((char *)MAP_FAILED)
#define PLAIN (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW    (PROT_READ | PROT_WRITE)

static const char *self;

static char *map(void *at, size_t pages, int flags)
{
    return mmap(at, pages * PAGE, RW, flags, -1, 0);
}

/* A place for so many pages, nothing mapped there. */
static char *free_place(size_t pages)
{
    char *place = map(NULL, pages, PLAIN);

    munmap(place, pages * PAGE);
    return place;
}

static void number(char *at, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        at[i * PAGE] = (char)('a' + i);
    }
}

static bool numbered(const char *at, size_t pages, char from)
{
    for (size_t i = 0; i < pages; i++) {
        if (at[i * PAGE] != (char)(from + i)) {
            return false;
        }
    }
    return true;
}

static int touch(void *at)
{
    return *(volatile char *)at & 0;
}

static int write_byte(void *at)
{
    *(volatile char *)at = 1;
    return 0;
}

static void *raw_mremap(void *at, size_t old, size_t new, int flags, void *to)
{
    return (void *)syscall(SYS_mremap, at, old, new, flags, to);
}

static void test_mremap(void)
{
    char *place = mmap(NULL, 16 * PAGE, PROT_NONE, PLAIN, -1, 0);
    char *m = map(place, 4, PLAIN | MAP_FIXED);

    number(m, 4);
    munmap(m + 4 * PAGE, 4 * PAGE);
    check(mremap(m, 4 * PAGE, 8 * PAGE, 0) == m, "mremap makes a region longer where it is");
    check(numbered(m, 4, 'a') && m[7 * PAGE] == 0, "what was there stays, what is new is zero");
    check(mremap(m, 8 * PAGE, 2 * PAGE, 0) == m, "and shorter");
    check_killed(touch, m + 2 * PAGE, SIGSEGV, "what is given up is not readable");

    map(m + 2 * PAGE, 1, PLAIN | MAP_FIXED);
    mprotect(m + 2 * PAGE, PAGE, PROT_READ);
    check_errno((long)mremap(m, 2 * PAGE, 4 * PAGE, 0), ENOMEM,
                "without room it does not grow: ENOMEM");

    char *moved = mremap(m, 2 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);

    check(moved != NONE && moved != m && numbered(moved, 2, 'a'), "unless it may move");
    check_killed(touch, m, SIGSEGV, "the old place is empty then");
    check_equal(moved[5 * PAGE], 0, "the new pages are zero");

    char *fixed = place + 8 * PAGE;

    number(moved, 6);
    check(mremap(moved, 6 * PAGE, 6 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, fixed) == fixed &&
              numbered(fixed, 6, 'a'),
          "MREMAP_FIXED moves it where one says");
    map(place, 1, PLAIN | MAP_FIXED);
    place[0] = 'x';
    check(mremap(fixed + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place &&
              place[0] == 'b',
          "a part of a region replaces what is there");
    check(fixed[0] == 'a' && fixed[2 * PAGE] == 'c', "and the other parts stay");
    munmap(place, 16 * PAGE);
}

static void test_mremap_errors(void)
{
    char *place = free_place(16);
    char *m = map(place, 4, PLAIN | MAP_FIXED);

    check_errno((long)raw_mremap(m + 1, PAGE, PAGE, 0, NULL), EINVAL,
                "mremap inside a page: EINVAL");
    check_errno((long)raw_mremap(m, PAGE, 0, 0, NULL), EINVAL, "to no length: EINVAL");
    check_errno((long)raw_mremap(m, PAGE, PAGE, 64, NULL), EINVAL, "with an odd flag: EINVAL");
    check_errno((long)raw_mremap(m, PAGE, PAGE, MREMAP_FIXED, place), EINVAL,
                "MREMAP_FIXED without MREMAP_MAYMOVE: EINVAL");
    check_errno(
        (long)raw_mremap(m, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, m + 2 * PAGE),
        EINVAL, "to a place that overlaps: EINVAL");
    check_errno((long)raw_mremap(m, 8 * PAGE, 9 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT,
                "longer than the region is: EFAULT");
    check_errno((long)raw_mremap(place + 8 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL), EFAULT,
                "of what is not mapped: EFAULT");
    check_errno((long)raw_mremap(m, 0, PAGE, MREMAP_MAYMOVE, NULL), EINVAL,
                "private memory has no second place: EINVAL");
    munmap(m, 4 * PAGE);

    char *shared = map(NULL, 2, MAP_SHARED | MAP_ANONYMOUS);
    char *again = mremap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE);

    shared[PAGE] = 7;
    check(again != NONE && again != shared && again[PAGE] == 7, "but shared memory may have one");
    munmap(shared, 2 * PAGE);
    munmap(again, 2 * PAGE);
}

static void test_fixed(void)
{
    int file = open(self, O_RDONLY);
    char *m = map(NULL, 4, PLAIN);

    number(m, 4);
    check(mmap(m + PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED, file, 0) == m + PAGE &&
              memcmp(m + PAGE, "\177ELF", 4) == 0,
          "MAP_FIXED puts a file's page between others");
    check(m[0] == 'a' && m[2 * PAGE] == 'c', "which stay as they are");
    check_errno((long)map(m, 1, PLAIN | MAP_FIXED_NOREPLACE), EEXIST,
                "MAP_FIXED_NOREPLACE replaces nothing: EEXIST");
    check_equal(m[0], 'a', "really nothing");
    munmap(m + 3 * PAGE, PAGE);
    check(map(m + 3 * PAGE, 1, PLAIN | MAP_FIXED_NOREPLACE) == m + 3 * PAGE,
          "it takes a place that is free");
    check(map(m, 1, PLAIN) != m, "without MAP_FIXED an address is a wish, and nothing is replaced");
    munmap(m, 4 * PAGE);
    check(map(m, 4, PLAIN) == m, "that is granted where the place is free");
    munmap(m, 4 * PAGE);
    check_errno((long)mmap((void *)0xfffff000, 2 * PAGE, RW, PLAIN | MAP_FIXED, -1, 0), ENOMEM,
                "MAP_FIXED beyond all addresses: ENOMEM");
    check_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x200000, file, 0),
                EOPNOTSUPP, "MAP_SHARED_VALIDATE with an unknown flag: EOPNOTSUPP");
    close(file);
}

static void test_files(void)
{
    int folder = open("/", O_RDONLY), zero = open("/dev/zero", O_RDWR), ends[2];
    char *m = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, zero, 0);

    check_works((long)m, "/dev/zero can be mapped");
    check(m != NONE && m[PAGE] == 0 && (m[PAGE] = 1), "as memory to write to");
    munmap(m, 2 * PAGE);
    check_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, folder, 0), ENODEV,
                "a directory cannot: ENODEV");
    pipe(ends);
    check_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[0], 0), ENODEV,
                "nor can a pipe: ENODEV");
    check_errno((long)mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ends[1], 0), EACCES,
                "nor what is open for writing alone: EACCES");
    close(ends[0]);
    close(ends[1]);
    close(folder);
    close(zero);
}

static void test_pieces(void)
{
    char *m = map(NULL, 9, PLAIN);

    number(m, 9);
    for (int i = 1; i < 9; i += 2) {
        munmap(m + i * PAGE, PAGE);
    }
    check(m[0] == 'a' && m[4 * PAGE] == 'e' && m[8 * PAGE] == 'i',
          "a region with holes keeps the rest");
    check_errno(mprotect(m, 9 * PAGE, PROT_READ), ENOMEM, "mprotect over holes: ENOMEM");
    check_equal(munmap(m + PAGE, 7 * PAGE), 0, "munmap over holes is fine");
    check(m[0] == 'a' && m[8 * PAGE] == 'i', "and takes what lies between, no more");
    munmap(m, 9 * PAGE);
}

static int grow_down(void *top)
{
    char *page = top;

    for (int i = 1; i < 100; i++) {
        page -= PAGE;
        *(volatile char *)page = 1;
    }
    return 0;
}

static void test_growing(void)
{
    char *place = free_place(1024);
    char *stack = map(place + 900 * PAGE, 1, PLAIN | MAP_GROWSDOWN | MAP_FIXED);

    check_works((long)stack, "MAP_GROWSDOWN makes a region");
    check_exit(grow_down, stack, 0, "that grows where it is touched below");
    check_errno(mprotect(place + 890 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN), ENOMEM,
                "PROT_GROWSDOWN of what is not there: ENOMEM");
    check_equal(mprotect(stack, PAGE, RW | PROT_GROWSDOWN), 0, "PROT_GROWSDOWN of that region");

    char *plain = map(NULL, 2, PLAIN);

    check_errno(mprotect(plain, PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL,
                "PROT_GROWSDOWN of another one: EINVAL");
    check_errno(mprotect(plain, PAGE, 64), EINVAL, "an unknown protection: EINVAL");
    munmap(plain, 2 * PAGE);
    munmap(stack, PAGE);
}

static int child_of_advice(void *arg)
{
    char *m = arg;

    return m[0] == 'a' && m[PAGE] == 0 ? 0 : 1;
}

static void test_advice(void)
{
    char *m = map(NULL, 4, PLAIN);

    number(m, 4);
    check_equal(madvise(m + PAGE, PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED drops a page");
    check(m[PAGE] == 0 && m[0] == 'a' && m[2 * PAGE] == 'c', "that one alone, which is zero then");
    check_equal(madvise(m, 4 * PAGE, MADV_WILLNEED), 0, "MADV_WILLNEED is taken");
    check_errno(madvise(m, PAGE, 77), EINVAL, "unknown advice: EINVAL");
    check_errno(madvise(m + 1, PAGE, MADV_NORMAL), EINVAL, "advice inside a page: EINVAL");
    number(m, 4);
    check_equal(madvise(m + PAGE, PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK is taken");
    check_exit(child_of_advice, m, 0, "and a child finds that page empty");
    check_equal(m[PAGE], 'b', "its parent does not");
    check_equal(madvise(m + 2 * PAGE, PAGE, MADV_DONTFORK), 0, "MADV_DONTFORK is taken");
    check_killed(touch, m + 2 * PAGE, SIGSEGV, "and a child does not have that page");
    munmap(m + PAGE, PAGE);
    check_errno(madvise(m, 4 * PAGE, MADV_DONTNEED), ENOMEM, "advice over a hole: ENOMEM");
    check(m[0] == 0 && m[3 * PAGE] == 0, "but what lies around it has heard");
    munmap(m, 4 * PAGE);
}

static void test_present(void)
{
    unsigned char seen[4] = {9, 9, 9, 9};
    char *m = map(NULL, 4, PLAIN);

    m[PAGE] = 1;
    check_equal(mincore(m, 4 * PAGE, seen), 0, "mincore tells what is present");
    check(!(seen[0] & 1) && (seen[1] & 1) && !(seen[2] & 1),
          "what was touched is, the rest is not");
    check_errno(mincore(m, 4 * PAGE, (unsigned char *)16), EFAULT,
                "mincore into bad memory: EFAULT");
    check_errno(mincore(m + 1, PAGE, seen), EINVAL, "mincore inside a page: EINVAL");
    check_equal(mlock(m + 2 * PAGE + 5, 10), 0, "mlock takes any bytes");
    mincore(m, 4 * PAGE, seen);
    check(seen[2] & 1, "and their page is present");
    check_equal(munlock(m, 4 * PAGE), 0, "munlock takes pages that were not locked");
    check_errno(mlockall(0), EINVAL, "mlockall of nothing: EINVAL");
    check_equal(munlockall(), 0, "munlockall always works");
    check_equal(msync(m, 4 * PAGE, MS_SYNC), 0, "msync of anonymous memory is no error");
    check_errno(msync(m, PAGE, MS_SYNC | MS_ASYNC), EINVAL, "msync both ways at once: EINVAL");
    munmap(m + PAGE, PAGE);
    check_errno(mincore(m, 4 * PAGE, seen), ENOMEM, "mincore over a hole: ENOMEM");
    check_errno(mlock(m, 4 * PAGE), ENOMEM, "mlock over a hole: ENOMEM");
    check_errno(msync(m, 4 * PAGE, MS_SYNC), ENOMEM, "msync over a hole: ENOMEM");
    munmap(m, 4 * PAGE);
    check_equal(map(NULL, 2, PLAIN | MAP_POPULATE)[PAGE], 0, "MAP_POPULATE is taken");
}

static sigjmp_buf caught;
static siginfo_t fault;

static void on_fault(int signal, siginfo_t *info, void *context)
{
    fault = *info;
    siglongjmp(caught, 1);
}

/* The signal that touching it brings; 0 when it is there. What is known of it is in `fault`. */
static int signal_of(char *at, bool write)
{
    memset(&fault, 0, sizeof(fault));
    if (sigsetjmp(caught, 1) == 0) {
        if (write) {
            *(volatile char *)at = 1;
        } else {
            touch(at);
        }
    }
    return fault.si_signo;
}

static void test_signals(void)
{
    const struct sigaction handler = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    char *m = mmap(NULL, 2 * PAGE, PROT_READ, PLAIN, -1, 0);

    sigaction(SIGSEGV, &handler, NULL);
    sigaction(SIGBUS, &handler, NULL);
    check(signal_of(m + 5, true) == SIGSEGV && fault.si_code == SEGV_ACCERR &&
              fault.si_addr == m + 5,
          "writing where one may only read: SIGSEGV, SEGV_ACCERR, and the address");
    munmap(m + PAGE, PAGE);
    check(signal_of(m + PAGE + 7, false) == SIGSEGV && fault.si_code == SEGV_MAPERR &&
              fault.si_addr == m + PAGE + 7,
          "reading where nothing is: SIGSEGV, SEGV_MAPERR, and the address");
    mprotect(m, PAGE, PROT_NONE);
    check(signal_of(m, false) == SIGSEGV && fault.si_code == SEGV_ACCERR,
          "PROT_NONE: SIGSEGV, SEGV_ACCERR");
    munmap(m, PAGE);
}

static int write_shared(void *m)
{
    *(char *)m = 'c';
    return 0;
}

static void test_shared_files(void)
{
    char name[] = "/tmp/mapping-XXXXXX", byte = 0;
    int fd = mkstemp(name);

    unlink(name);
    ftruncate(fd, 2 * PAGE + 10);

    char *shared = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    char *private = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);

    if (!check_works((long)shared, "a file can be mapped to be shared and written")) {
        return;
    }
    check(shared[0] == 0 && shared[2 * PAGE + 9] == 0, "a hole in it is zero");
    shared[PAGE] = 's';
    pread(fd, &byte, 1, PAGE);
    check_equal(byte, 's', "read sees what is written through the mapping");
    pwrite(fd, "w", 1, PAGE + 1);
    check_equal(shared[PAGE + 1], 'w', "the mapping shows what write has written");
    check_equal(private[PAGE], 's', "so does a private one that was not written");
    private[PAGE] = 'p';
    check(shared[PAGE] == 's' && private[PAGE + 1] == 'w', "its first write makes a copy");
    pwrite(fd, "x", 1, PAGE + 1);
    check_equal(private[PAGE + 1], 'w', "which no write changes any more");
    check_exit(write_shared, shared, 0, "a child writes to it");
    check_equal(shared[0], 'c', "and its parent sees that");
    check_equal(msync(shared, 3 * PAGE, MS_SYNC), 0, "msync works");
    shared[2 * PAGE + 100] = 'z';
    pread(fd, &byte, 1, 2 * PAGE + 9);
    check_equal(lseek(fd, 0, SEEK_END), 2 * PAGE + 10, "the mapping does not make the file longer");

    check(signal_of(shared + 3 * PAGE + 3, false) == SIGBUS && fault.si_code == BUS_ADRERR &&
              fault.si_addr == shared + 3 * PAGE + 3,
          "a page behind its end: SIGBUS, BUS_ADRERR, and the address");
    check_equal(signal_of(shared + 3 * PAGE, true), SIGBUS, "for writing, too");
    ftruncate(fd, 10);
    check_equal(signal_of(shared + PAGE, false), SIGBUS, "as is one that was cut off");
    check_equal(signal_of(private + PAGE, false), SIGBUS, "a private copy goes with it");
    check_equal(shared[0], 'c', "what is left stays");
    ftruncate(fd, 2 * PAGE);
    check(signal_of(shared + PAGE, false) == 0 && shared[PAGE] == 0,
          "when the file grows again it is there, and zero");
    check_errno(pread(fd, shared + 3 * PAGE, 10, 0), EFAULT,
                "a call that would touch a page behind the end: EFAULT");
    munmap(shared, 4 * PAGE);
    munmap(private, 4 * PAGE);
    close(fd);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGBUS, SIG_DFL);
}

static int limited(void *unused)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_DATA, &none);
    if (map(NULL, 1, PLAIN) != NONE || errno != ENOMEM) {
        return 1;
    }
    return mmap(NULL, PAGE, PROT_READ, PLAIN, -1, 0) == MAP_FAILED ? 2 : 0;
}

static int write_segment(void *arg)
{
    int id = *(int *)arg;
    char *m = shmat(id, NULL, 0);

    if (m == NONE) {
        return 1;
    }
    m[PAGE] = 'c';
    return 0;
}

static void test_segments(void)
{
    struct shmid_ds info;
    int id = shmget(IPC_PRIVATE, 2 * PAGE - 10, IPC_CREAT | 0600);

    if (!check_works(id, "shmget makes a segment")) {
        return;
    }

    char *m = shmat(id, NULL, 0), *read_only = shmat(id, NULL, SHM_RDONLY);

    check_works((long)m, "shmat attaches it");
    check(m[0] == 0 && m[PAGE] == 0, "it is zero");
    check_exit(write_segment, &id, 0, "another process attaches it, too");
    check(m[PAGE] == 'c' && read_only[PAGE] == 'c', "and all see what it writes");
    check_killed(write_byte, read_only, SIGSEGV, "SHM_RDONLY: it is not writable there");
    check_errno(mprotect(read_only, PAGE, RW), EACCES, "and does not become so: EACCES");
    shmctl(id, IPC_STAT, &info);
    check_equal(info.shm_nattch, 2, "IPC_STAT counts the places where it is attached");
    check_equal(info.shm_segsz, 2 * PAGE - 10, "and knows its size");
    check_errno((long)shmat(id, m, 0), EINVAL, "shmat where something is: EINVAL");
    check_errno((long)shmat(id, m + 1, 0), EINVAL, "shmat inside a page: EINVAL");
    check_equal(shmctl(id, IPC_RMID, NULL), 0, "IPC_RMID removes it");
    check_equal(m[PAGE], 'c', "but not from those who have it");
    check_equal(shmdt(read_only), 0, "shmdt detaches it");
    check_errno(shmdt(read_only), EINVAL, "twice: EINVAL");
    shmdt(m);
    check_errno(shmctl(id, IPC_STAT, &info), EINVAL, "with the last of them it is gone: EINVAL");
    check_errno((long)shmat(id, NULL, 0), EINVAL, "and is not attached any more: EINVAL");
    check_errno(shmget(IPC_PRIVATE, 0, 0600), EINVAL, "a segment of no bytes: EINVAL");
    check_errno(shmget(0x46455252, PAGE, 0600), ENOENT, "a key that nobody uses: ENOENT");
    id = shmget(0x46455252, PAGE, IPC_CREAT | 0600);
    check_equal(shmget(0x46455252, PAGE, 0600), id, "one that somebody uses finds his");
    check_errno(shmget(0x46455252, PAGE, IPC_CREAT | IPC_EXCL | 0600), EEXIST,
                "IPC_EXCL wants a new one: EEXIST");
    check_errno(shmget(0x46455252, 2 * PAGE, 0600), EINVAL, "larger than it is: EINVAL");
    shmctl(id, IPC_RMID, NULL);
}

static int stranger(void *arg)
{
    int id = *(int *)arg;
    struct shmid_ds info;

    if (setuid(4711) < 0) {
        return 1;
    }
    if (shmat(id, NULL, 0) != NONE || errno != EACCES) {
        return 2;
    }
    if (shmat(id, NULL, SHM_RDONLY) == NONE) {
        return 3;
    }
    if (shmctl(id, IPC_STAT, &info) < 0) {
        return 4;
    }
    return shmctl(id, IPC_RMID, NULL) == -1 && errno == EPERM ? 0 : 5;
}

static void test_strangers(void)
{
    int id = shmget(IPC_PRIVATE, PAGE, IPC_CREAT | 0644);

    if (getuid() == 0) {
        check_exit(stranger, &id, 0, "another user may do what the mode says, and not remove it");
    }
    shmctl(id, IPC_RMID, NULL);
}

int main(int argc, char **argv)
{
    self = argv[0];
    test_mremap();
    test_mremap_errors();
    test_fixed();
    test_files();
    test_pieces();
    test_growing();
    test_advice();
    test_present();
    test_signals();
    test_shared_files();
    check_exit(limited, NULL, 0, "RLIMIT_DATA limits writable memory, and no other");
    test_segments();
    test_strangers();
    return check_done();
}
