/*
 * badargs - system calls with arguments that no program should give: each says what is wrong with
 * them, nothing is harmed, and the next call works as ever.
 *
 * Calls go to the kernel directly where the C library would touch the pointer itself.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/ledger.h"
#include "user/lib/net.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/net.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
#define SIZE (1 << 20)

static const char *self;
static int file, folder, sock; /* this program, "/", one end of a connection that does not block */
static char *buffer, *edge;    /* much memory, and the first byte behind it: it is not mapped */

/* Where nothing is: low, unmapped, in the kernel, at the top. The last one can only be read. */
static void *bad_pointers[6];
static const int bad_fds[] = {-1, 999, 100000, INT_MAX, INT_MIN};

static void report(long result, int error, const char *sentence, unsigned long with)
{
    char text[160];

    snprintf(text, sizeof(text), "%s (with 0x%lx)", sentence, with);
    check_errno(result, error, text);
}

/* Makes the call, an expression in `bad`, for each of nr values; one verdict for all of them. */
#define WITH_EACH(type, values, nr, error, sentence, call)           \
    do {                                                             \
        long result = -1;                                            \
        int each;                                                    \
        for (each = 0; each < (nr); each++) {                        \
            type bad = (type)(values)[each];                         \
            result = (call);                                         \
            if (result != -1 || errno != (error)) {                  \
                report(result, error, sentence, (unsigned long)bad); \
                break;                                               \
            }                                                        \
        }                                                            \
        if (each == (nr)) {                                          \
            check(true, sentence);                                   \
        }                                                            \
    } while (0)

/* The kernel reads there; the kernel writes there; a descriptor that is none. */
#define BAD_FROM(sentence, call) WITH_EACH(char *, bad_pointers, 5, EFAULT, sentence, call)
#define BAD_TO(sentence, call)   WITH_EACH(char *, bad_pointers, 6, EFAULT, sentence, call)
#define BAD_FD(sentence, call)   WITH_EACH(int, bad_fds, 5, EBADF, sentence, call)

static void prepare(void)
{
    static int ends[2];
    const int kind = MAP_PRIVATE | MAP_ANONYMOUS;
    char *readable = mmap(NULL, PAGE, PROT_READ, kind, -1, 0);

    buffer = mmap(NULL, SIZE + PAGE, PROT_READ | PROT_WRITE, kind, -1, 0);
    edge = buffer + SIZE;
    munmap(edge, PAGE);
    memset(buffer, 'x', SIZE);
    bad_pointers[0] = (void *)0x10;
    bad_pointers[1] = edge;
    bad_pointers[2] = (void *)0xc0100000;
    bad_pointers[3] = (void *)0xfffff000;
    bad_pointers[4] = (void *)0xffffffff;
    bad_pointers[5] = readable;
    file = open(self, O_RDONLY);
    folder = open("/", O_RDONLY | O_DIRECTORY);
    check_works(tcp_pair(ends), "there is a connection to test with");
    sock = ends[0];
    fcntl(sock, F_SETFL, O_NONBLOCK);
    check_equal(write(ends[1], "waiting", 7), 7, "and something to read from it");
}

static void test_descriptors(void)
{
    struct iovec part = {buffer, 10};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    long long place;

    BAD_FD("read of no descriptor: EBADF", read(bad, buffer, 1));
    BAD_FD("write to no descriptor: EBADF", write(bad, buffer, 1));
    BAD_FD("pread of no descriptor: EBADF", pread(bad, buffer, 1, 0));
    BAD_FD("readv of no descriptor: EBADF", readv(bad, &part, 1));
    BAD_FD("writev to no descriptor: EBADF", writev(bad, &part, 1));
    BAD_FD("close of no descriptor: EBADF", close(bad));
    BAD_FD("lseek of no descriptor: EBADF", syscall(SYS_lseek, bad, 0, SEEK_SET));
    BAD_FD("_llseek of no descriptor: EBADF", syscall(SYS__llseek, bad, 0, 0, &place, SEEK_SET));
    BAD_FD("fstat64 of no descriptor: EBADF", syscall(SYS_fstat64, bad, buffer));
    BAD_FD("dup of no descriptor: EBADF", dup(bad));
    BAD_FD("dup2 of no descriptor: EBADF", dup2(bad, 7));
    BAD_FD("dup2 to no descriptor: EBADF", bad == 999 ? (errno = EBADF, -1) : dup2(file, bad));
    BAD_FD("fcntl of no descriptor: EBADF", fcntl(bad, F_GETFD));
    BAD_FD("ioctl of no descriptor: EBADF", ioctl(bad, FIONREAD, buffer));
    BAD_FD("getdents64 of no descriptor: EBADF", syscall(SYS_getdents64, bad, buffer, 4096));
    BAD_FD("fchdir to no descriptor: EBADF", fchdir(bad));
    BAD_FD("mmap of no descriptor: EBADF",
           syscall(SYS_mmap2, 0, PAGE, PROT_READ, MAP_PRIVATE, bad, 0));
    BAD_FD("sendfile to no descriptor: EBADF", syscall(SYS_sendfile64, bad, file, 0, 10));
    BAD_FD("sendfile from no descriptor: EBADF", syscall(SYS_sendfile64, sock, bad, 0, 10));
    BAD_FD("listen on no descriptor: EBADF", listen(bad, 1));
    BAD_FD("accept on no descriptor: EBADF", accept(bad, NULL, NULL));
    BAD_FD("bind of no descriptor: EBADF", bind(bad, (void *)&address, sizeof(address)));
    BAD_FD("connect of no descriptor: EBADF", connect(bad, (void *)&address, sizeof(address)));
    BAD_FD("getsockname of no descriptor: EBADF", getsockname(bad, (void *)&address, &len));
    BAD_FD("setsockopt of no descriptor: EBADF",
           setsockopt(bad, SOL_SOCKET, SO_REUSEADDR, buffer, 4));
    BAD_FD("send to no descriptor: EBADF", send(bad, buffer, 1, 0));
    BAD_FD("recv of no descriptor: EBADF", recv(bad, buffer, 1, 0));
    BAD_FD("shutdown of no descriptor: EBADF", shutdown(bad, SHUT_WR));
}

static void test_file_pointers(void)
{
    struct iovec part = {buffer, 10};
    int on = 1;

    BAD_TO("read to nowhere: EFAULT", read(file, bad, 16));
    check_equal(lseek(file, 0, SEEK_CUR), 0, "after which the offset is where it was");
    BAD_TO("read of a MiB to nowhere: EFAULT", read(file, bad, 1 << 20));
    BAD_TO("pread to nowhere: EFAULT", pread(file, bad, 16, 3));
    BAD_TO("read of a socket to nowhere: EFAULT", read(sock, bad, 4));
    BAD_TO("readv to nowhere: EFAULT", (part.iov_base = bad, readv(file, &part, 1)));
    BAD_FROM("readv with a list that is nowhere: EFAULT", readv(file, (void *)bad, 1));
    BAD_FROM("write from nowhere to a socket: EFAULT", write(sock, bad, 16));
    BAD_FROM("writev from nowhere: EFAULT", (part.iov_base = bad, writev(sock, &part, 1)));
    BAD_FROM("writev with a list that is nowhere: EFAULT", writev(sock, (void *)bad, 1));
    BAD_TO("fstat64 to nowhere: EFAULT", syscall(SYS_fstat64, file, bad));
    BAD_TO("stat64 to nowhere: EFAULT", syscall(SYS_stat64, "/", bad));
    BAD_TO("getdents64 to nowhere: EFAULT", syscall(SYS_getdents64, folder, bad, 4096));
    BAD_TO("_llseek to nowhere: EFAULT", syscall(SYS__llseek, file, 0, 0, bad, SEEK_SET));
    BAD_FROM("sendfile with an offset from nowhere: EFAULT",
             syscall(SYS_sendfile64, sock, file, bad, 10));
    BAD_TO("FIONREAD to nowhere: EFAULT", ioctl(sock, FIONREAD, bad));
    BAD_TO("SIOCOUTQ to nowhere: EFAULT", ioctl(sock, SIOCOUTQ, bad));
    BAD_FROM("SIOCETHTOOL from nowhere: EFAULT", ioctl(sock, SIOCETHTOOL, bad));
    check_errno(ioctl(file, 0xdead, &on), ENOTTY, "an unknown ioctl of a file: ENOTTY");
}

static void test_names(void)
{
    char *argv[] = {"x", NULL}, *bad_list[] = {NULL, NULL};

    BAD_FROM("open of a name that is nowhere: EFAULT", open(bad, O_RDONLY));
    BAD_FROM("stat64 of a name that is nowhere: EFAULT", syscall(SYS_stat64, bad, buffer));
    BAD_FROM("lstat64 of a name that is nowhere: EFAULT", syscall(SYS_lstat64, bad, buffer));
    BAD_FROM("access of a name that is nowhere: EFAULT", access(bad, F_OK));
    BAD_FROM("readlink of a name that is nowhere: EFAULT", readlink(bad, buffer, 100));
    BAD_FROM("chdir to a name that is nowhere: EFAULT", chdir(bad));
    BAD_FROM("execve of a name that is nowhere: EFAULT", execve(bad, argv, argv + 1));
    BAD_FROM("execve with a list that is nowhere: EFAULT", execve(self, (char **)bad, argv + 1));
    BAD_FROM("execve with variables that are nowhere: EFAULT", execve(self, argv, (char **)bad));
    BAD_FROM("execve with an argument that is nowhere: EFAULT",
             (bad_list[0] = bad, execve(self, bad_list, argv + 1)));
    check_errno(open(edge - 10, O_RDONLY), EFAULT, "a name that runs out of its page: EFAULT");
    check_errno(open(NULL, O_RDONLY), EFAULT, "a name that is NULL: EFAULT");
}

static int return_five(void *unused)
{
    return 5;
}

static void test_other_pointers(void)
{
    struct timespec now;
    pid_t child;

    BAD_TO("uname to nowhere: EFAULT", syscall(SYS_uname, bad));
    BAD_TO("getcwd to nowhere: EFAULT", syscall(SYS_getcwd, bad, 100));
    BAD_TO("time to nowhere: EFAULT", syscall(SYS_time, bad));
    BAD_TO("times to nowhere: EFAULT", syscall(SYS_times, bad));
    BAD_TO("gettimeofday to nowhere: EFAULT", syscall(SYS_gettimeofday_time32, bad, NULL));
    BAD_TO("clock_gettime to nowhere: EFAULT", syscall(SYS_clock_gettime32, CLOCK_MONOTONIC, bad));
    BAD_FROM("nanosleep from nowhere: EFAULT", syscall(SYS_nanosleep, bad, NULL));
    BAD_FROM("set_thread_area from nowhere: EFAULT", syscall(SYS_set_thread_area, bad));
    check_errno(syscall(SYS_clock_gettime32, -5000, &now), EINVAL, "no such clock: EINVAL");

    child = fork();
    if (child == 0) {
        _exit(return_five(NULL));
    }
    check_errno(syscall(SYS_wait4, child, 0xc0100000, 0, NULL), EFAULT,
                "wait4 with a status to nowhere: EFAULT");
    while (wait(NULL) > 0) {
        continue;
    }
}

static void test_socket_pointers(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    struct msghdr message = {0};
    long args[3] = {sock, 0, 0};
    socklen_t len = sizeof(address), negative = -1;
    int listener = socket(AF_INET, SOCK_STREAM, 0), client = socket(AF_INET, SOCK_STREAM, 0);

    BAD_FROM("bind to an address from nowhere: EFAULT", bind(listener, (void *)bad, 16));
    BAD_FROM("connect to an address from nowhere: EFAULT", connect(listener, (void *)bad, 16));
    BAD_TO("getsockname to nowhere: EFAULT", getsockname(sock, (void *)bad, &len));
    BAD_TO("getpeername to nowhere: EFAULT", getpeername(sock, (void *)bad, &len));
    BAD_FROM("getsockname with a length from nowhere: EFAULT",
             getsockname(sock, (void *)&address, (void *)bad));
    check_errno(getsockname(sock, (void *)&address, &negative), EINVAL,
                "getsockname with a negative length: EINVAL");
    BAD_FROM("setsockopt from nowhere: EFAULT", setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, bad, 4));
    check_errno(setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, buffer, 1), EINVAL,
                "setsockopt with too little: EINVAL");
    BAD_TO("getsockopt to nowhere: EFAULT", getsockopt(sock, SOL_SOCKET, SO_ERROR, bad, &len));
    BAD_FROM("send from nowhere: EFAULT", send(sock, bad, 4, 0));
    BAD_TO("recv to nowhere: EFAULT", recv(sock, bad, 4, 0));
    BAD_FROM("sendmsg from nowhere: EFAULT",
             (args[1] = (long)bad, syscall(SYS_socketcall, SYS_SENDMSG, args)));
    BAD_FROM("recvmsg with a message from nowhere: EFAULT",
             (args[1] = (long)bad, syscall(SYS_socketcall, SYS_RECVMSG, args)));
    BAD_FROM("sendmsg with a list from nowhere: EFAULT",
             (message.msg_iov = (void *)bad, message.msg_iovlen = 1, sendmsg(sock, &message, 0)));
    BAD_FROM("socketcall with arguments from nowhere: EFAULT",
             syscall(SYS_socketcall, SYS_SOCKET, bad));
    check_errno(syscall(SYS_socketcall, 0, buffer), EINVAL, "socketcall of no call: EINVAL");
    check_errno(syscall(SYS_socketcall, 9999, buffer), EINVAL, "socketcall too high: EINVAL");

    listen(listener, 1);
    len = sizeof(address);
    getsockname(listener, (void *)&address, &len);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_works(connect(client, (void *)&address, sizeof(address)), "a connection comes in");
    check_errno(accept(listener, (void *)0xc0100000, &len), EFAULT,
                "accept with an address to nowhere: EFAULT");
    close(client);
    close(listener);
}

static void test_lengths(void)
{
    struct iovec parts[2] = {{buffer, 10}, {buffer, -1}};
    long got;

    lseek(file, -10, SEEK_END);
    got = read(file, buffer, SIZE_MAX);
    check(got == 10 || (got == -1 && (errno == EINVAL || errno == EFAULT)),
          "read of all that an integer can say reads to the end, or is refused");
    lseek(file, 0, SEEK_SET);
    got = write(sock, buffer, 0x80000000);
    check(got > 0 || (got == -1 && (errno == EINVAL || errno == EFAULT)),
          "write of 2 GiB writes what there is, or is refused");
    check_errno(readv(file, parts, 2), EINVAL, "readv of a negative length: EINVAL");
    check_errno(readv(file, parts, 1025), EINVAL, "readv of 1025 buffers: EINVAL");
    check_errno(syscall(SYS_pread64, file, buffer, 1, 0, 0x80000000), EINVAL,
                "pread64 at a negative place: EINVAL");

    got = read(file, edge - 8, 16);
    check(got == 8 || (got == -1 && errno == EFAULT), "read over an edge is short, or EFAULT");
    check_equal(lseek(file, 0, SEEK_CUR), got == 8 ? 8 : 0, "and the offset says the same");
    lseek(file, 0, SEEK_SET);
    got = write(sock, edge - 8, 16);
    check(got == 8 || (got == -1 && errno == EFAULT), "write over an edge is short, or EFAULT");
    check_errno(syscall(SYS_fstat64, file, edge - 8), EFAULT, "fstat64 over an edge: EFAULT");
    check_errno(syscall(SYS_uname, edge - 8), EFAULT, "uname over an edge: EFAULT");
    got = syscall(SYS_getdents64, folder, edge - 30, 4096);
    check(got > 0 || (got == -1 && errno == EFAULT), "getdents64 over an edge, likewise");
}

static void test_addresses(void)
{
    const int fixed = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

    check_errno(syscall(SYS_munmap, 0xfffff000, PAGE), EINVAL, "munmap of the last page: EINVAL");
    check_errno(syscall(SYS_munmap, PAGE, 0xfffff000), EINVAL, "munmap of everything: EINVAL");
    check_errno(syscall(SYS_mprotect, 0xfffff000, PAGE, 7), ENOMEM,
                "mprotect of the last page: ENOMEM");
    check_errno(syscall(SYS_mmap2, 0xfffff000, PAGE, PROT_READ, fixed, -1, 0), ENOMEM,
                "mmap of the last page: ENOMEM");
    syscall(SYS_munmap, 0xc0000000, 0x10000);
    syscall(SYS_mprotect, 0xc0000000, PAGE, PROT_READ | PROT_WRITE);
    if (on_ferry()) {
        check_errno(syscall(SYS_mmap2, 0xc0000000, PAGE, PROT_READ, fixed, -1, 0), ENOMEM,
                    "mmap in the kernel's part: ENOMEM");
    }
    check_errno(syscall(9999), ENOSYS, "system call 9999 is unknown: ENOSYS");
    check_errno(syscall(-1), ENOSYS, "and so is -1");
    check_errno(syscall(INT_MIN), ENOSYS, "and the lowest number");
}

/*
 * Many calls with arguments drawn by lot. None of them can block, harm a file, or end the process;
 * on a kernel that believes everything, some of them will.
 */
static int draw_lots(void *unused)
{
    static const short calls[] = {SYS_read,       SYS_readv,   SYS_pread64,    SYS_lseek,
                                  SYS__llseek,    SYS_fstat64, SYS_stat64,     SYS_lstat64,
                                  SYS_getdents64, SYS_write,   SYS_writev,     SYS_readlink,
                                  SYS_access,     SYS_fcntl64, SYS_sendfile64, SYS_uname,
                                  SYS_times,      SYS_open,    SYS_getcwd,     SYS_chdir};
    unsigned seed = 4711;

    for (int i = 0; i < 60000; i++) {
        long values[] = {0,
                         1,
                         -1,
                         3,
                         16,
                         4095,
                         4096,
                         0x7fffffff,
                         0x80000000,
                         file,
                         sock,
                         folder,
                         999,
                         (long)buffer,
                         (long)(edge - 8),
                         (long)bad_pointers[i % 6]};
        long arg[6], call;

        for (int a = 0; a < 6; a++) {
            seed = seed * 1664525 + 1013904223;
            arg[a] = values[seed >> 28];
        }
        call = calls[(seed >> 8) % (sizeof(calls) / sizeof(calls[0]))];
        /* Our own output stays ours, and no file is made, locked or waited for. */
        arg[0] = arg[0] == 1 || arg[0] == 0 || arg[0] == 3 ? file : arg[0];
        if (call == SYS_open) {
            arg[1] = O_RDONLY;
        } else if (call == SYS_fcntl64) {
            arg[1] = F_GETFL;
        }
        long got = syscall(call, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);

        if (call == SYS_open && got >= 0) {
            close((int)got);
        }
    }
    return lseek(file, 0, SEEK_SET) == 0 && read(file, buffer, 4) == 4 && buffer[1] == 'E' ? 0 : 1;
}

int main(int argc, char **argv)
{
    self = argv[0];
    signal(SIGPIPE, SIG_IGN);
    prepare();
    test_descriptors();
    test_file_pointers();
    test_names();
    test_other_pointers();
    test_socket_pointers();
    test_lengths();
    test_addresses();
    check_exit(draw_lots, NULL, 0, "60000 calls drawn by lot do no harm");
    check_exit(return_five, NULL, 5, "and everything still works");
    return check_done();
}
