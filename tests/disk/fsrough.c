/*
 * fsrough - uses a file system of which nothing can be trusted: fsrough DEVICE ... mounts each,
 * reads what is there, changes what can be changed, and says "DEVICE: done". No call need succeed;
 * each has to return, and the machine has to live.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ON        "/tmp/rough"
#define DEPTH_MAX 12
#define NAMES_MAX 400 /* in one walk: a damaged tree has no end */

static char buffer[20000];
static int names_left;
static sigjmp_buf beyond;

static void no_page(int signal)
{
    siglongjmp(beyond, signal);
}

static void map(int fd, off_t size)
{
    char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, size & ~4095);
    if (at == MAP_FAILED)
        return;
    if (!sigsetjmp(beyond, 1))
        at[0]++;
    munmap(at, 8192);
}

static void change_file(const char *name, off_t size, int kind)
{
    int fd = open(name, O_RDWR | O_NONBLOCK);
    if (fd < 0)
        return;
    switch (kind) {
    case 0:
        pwrite(fd, buffer, 5000, size);
        fsync(fd);
        break;
    case 1:
        pwrite(fd, buffer, 5000, size / 2);
        ftruncate(fd, size / 3);
        break;
    case 2:
        ftruncate(fd, size + 100000);
        map(fd, size);
        pwrite(fd, buffer, 100, 70000000); /* where 1 KiB blocks need the whole tree */
        break;
    case 3:
        ftruncate(fd, 0);
        pwrite(fd, buffer, sizeof(buffer), 0);
        break;
    default:
        map(fd, size / 2);
        unlink(name);
        pwrite(fd, buffer, sizeof(buffer), size);
    }
    close(fd);
}

static void read_file(const char *name, off_t size)
{
    int fd = open(name, O_RDONLY | O_NONBLOCK);
    if (fd < 0)
        return;
    pread(fd, buffer, sizeof(buffer), 0);
    pread(fd, buffer, sizeof(buffer), size / 2);
    pread(fd, buffer, sizeof(buffer), size - 5000);
    pread(fd, buffer, sizeof(buffer), 70000000);
    close(fd);
}

static void walk(int depth, int changing);

static void visit(const char *name, int depth, int changing)
{
    struct stat st;
    char other[300];
    if (lstat(name, &st) < 0)
        return;
    if (S_ISLNK(st.st_mode))
        readlink(name, buffer, sizeof(buffer));
    if (S_ISREG(st.st_mode))
        read_file(name, st.st_size);
    if (S_ISREG(st.st_mode) && changing)
        change_file(name, st.st_size, names_left % 6);
    if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX && chdir(name) == 0) {
        walk(depth + 1, changing);
        if (chdir("..") < 0) /* which may lead anywhere */
            chdir(ON);
    }
    if (!changing)
        return;
    snprintf(other, sizeof(other), "%.200s+", name);
    switch (names_left % 7) {
    case 0:
        rename(name, other);
        break;
    case 1:
        link(name, other);
        break;
    case 2:
        rename(name, ON "/moved");
        break;
    case 3:
        unlink(name);
        rmdir(name);
        break;
    case 4:
        syscall(SYS_renameat2, AT_FDCWD, name, AT_FDCWD, ON "/moved", 2 /* RENAME_EXCHANGE */);
        break;
    case 5:
        chown(name, 1000, 70000);
    }
}

static void make_names(void)
{
    char name[32];
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof(name), "new-%d", i);
        close(open(name, O_WRONLY | O_CREAT | O_NONBLOCK, 0644)); /* it may be a FIFO by now */
    }
    mkdir("new", 0755);
    mkdir("new/er", 0755);
    rename("new/er", "newer");
    memset(buffer, 'l', 500);
    buffer[500] = 0;
    symlink(buffer, "long");
    symlink("short", "short");
    mknod("pipe", S_IFIFO | 0644, 0);
    mknod("null", S_IFCHR | 0644, 0x103);
    rmdir("new");
    unlink("new-3");
}

static void walk(int depth, int changing)
{
    DIR *dir = opendir(".");
    struct dirent *e;
    if (!dir)
        return;
    while (names_left > 0 && (e = readdir(dir))) {
        names_left--;
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            visit(e->d_name, depth, changing);
    }
    closedir(dir);
    if (changing && depth < 3)
        make_names();
}

static void look_around(int changing)
{
    struct statfs fs;
    if (chdir(ON) < 0)
        return;
    names_left = NAMES_MAX;
    walk(0, changing);
    chdir(ON);
    if (changing)
        make_names();
    statfs(".", &fs);
    chdir("/");
}

static void drop_caches(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    write(fd, "3", 1);
    close(fd);
}

int main(int argc, char **argv)
{
    struct sigaction action = {.sa_handler = no_page};
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    mkdir(ON, 0755);
    for (int i = 1; i < argc; i++) {
        if (mount(argv[i], ON, "ext2", 0, "") == 0) {
            look_around(0);
            look_around(1);
            sync();
            drop_caches();
            look_around(1);
            mount(NULL, ON, NULL, MS_REMOUNT | MS_RDONLY, "");
            drop_caches();
            look_around(0);
            if (umount(ON) < 0) {
                perror("umount");
                return 1;
            }
        }
        printf("%s: done\n", argv[i]);
        fflush(stdout);
    }
    return 0;
}
