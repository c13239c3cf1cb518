/*
 * fskeep - writes files for ever, and says which of them are safe: the machine is going to be
 * killed.
 *
 *     fskeep FOLDER SEED
 *
 * Each line on the terminal is a promise, or takes one back before it is broken:
 *
 *     + NAME VERSION LINES   fsync has returned: the file has these lines
 *     - NAME                 it is going to be changed or removed
 *     > NAME LINES           it is going to grow to so many lines; what was promised stays
 *     ? OLD NEW              it is going to be renamed, over what stands there: it is at one of
 * both places until the next fsync, and then at the new one
 *
 * Line N of a file is its version and N. Beside it, a child makes, cuts, renames and
 * removes other files, and gives no promise.
 *
 * Before the N-th promise is given, "fskeep promise N" is written to the disk, past the cache:
 * who watches the disk knows by that when fsync had returned.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NR_FILES 24
#define LINE     32

static struct file {
    char name[16]; /* "" : it does not exist */
    unsigned version, lines;
} files[NR_FILES];
static unsigned next_version = 1;
static uint64_t state;

static unsigned random_below(unsigned limit)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((state >> 33) % limit);
}

static void say(const char *fmt, ...)
{
    char line[100];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    if (write(1, line, n) != n)
        _exit(2);
}

static void die(const char *what)
{
    perror(what);
    _exit(1);
}

/* Lines [from, to) of a version. */
static void write_lines(int fd, unsigned version, unsigned from, unsigned to)
{
    static char text[256 * LINE + 1];
    while (from < to) {
        int n = 0;
        for (; from < to && n < 256 * LINE; from++)
            n += sprintf(text + n, "version %7u %15u\n", version, from);
        if (write(fd, text, n) != n)
            die("write");
    }
}

static void mark(unsigned promise)
{
    static _Alignas(512) char sector[512];
    static int fd = -1;
    if (fd < 0)
        fd = open("mark", O_WRONLY | O_CREAT | O_DIRECT, 0644);
    snprintf(sector, sizeof(sector), "fskeep promise %u\n", promise);
    if (pwrite(fd, sector, sizeof(sector), 0) != sizeof(sector))
        die("mark");
    if (promise == 0 && fsync(fd) < 0)
        die("mark");
}

static void keep(struct file *f, int fd)
{
    static unsigned promises;
    if (fsync(fd) < 0)
        die("fsync");
    close(fd);
    mark(++promises);
    say("+ %s %u %u\n", f->name, f->version, f->lines);
}

static void write_new(struct file *f, const char *name)
{
    if (f->name[0])
        say("- %s\n", f->name);
    strcpy(f->name, name);
    f->version = next_version++;
    f->lines = random_below(4) ? 1 + random_below(300) : 1 + random_below(3000);
    int fd = open(f->name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        die(f->name);
    write_lines(fd, f->version, 0, f->lines);
    keep(f, fd);
}

static void append(struct file *f)
{
    unsigned lines = f->lines + 1 + random_below(400);
    say("> %s %u\n", f->name, lines);
    int fd = open(f->name, O_WRONLY | O_APPEND);
    if (fd < 0)
        die(f->name);
    write_lines(fd, f->version, f->lines, lines);
    f->lines = lines;
    keep(f, fd);
}

static void move(struct file *f, const char *name)
{
    say("? %s %s\n", f->name, name);
    if (rename(f->name, name) < 0)
        die("rename");
    strcpy(f->name, name);
}

/* The way of editors: the new one beside it, then over it. */
static void replace(struct file *f)
{
    struct file with = {.name = ""};
    char name[16];
    strcpy(name, f->name);
    write_new(&with, "new");
    move(&with, name);
    *f = with;
}

static void promise(void)
{
    char name[16];
    unsigned i = random_below(NR_FILES);
    struct file *f = &files[i];
    sprintf(name, "%c/%u", 'a' + random_below(3), i);
    if (!f->name[0]) {
        write_new(f, name);
        return;
    }
    switch (random_below(6)) {
    case 0:
        write_new(f, f->name);
        break;
    case 1:
        append(f);
        break;
    case 2:
    case 3:
        replace(f);
        break;
    case 4:
        if (strcmp(name, f->name) != 0)
            move(f, name);
        break;
    default:
        say("- %s\n", f->name);
        if (unlink(f->name) < 0)
            die("unlink");
        f->name[0] = 0;
    }
}

static void noise(void)
{
    static char data[60000];
    char a[60], b[60];
    memset(data, 0xA5, sizeof(data)); /* no number of a block */
    for (;;) {
        sprintf(a, "noise/%u/%u", random_below(3), random_below(60));
        sprintf(b, "noise/%u/%u", random_below(3), random_below(60));
        switch (random_below(6)) {
        case 0:
            unlink(a);
            break;
        case 1:
            if (rename(a, b) < 0)
                rmdir(a);
            break;
        case 2:
            if (truncate(a, random_below(sizeof(data))) < 0)
                mkdir(a, 0755);
            break;
        default: {
            int fd = open(a, O_WRONLY | O_CREAT, 0644);
            if (fd >= 0 && pwrite(fd, data, random_below(sizeof(data)), random_below(300000)) < 0)
                perror(a);
            close(fd);
        }
        }
        usleep(1000);
    }
}

static void set(const char *knob, const char *value)
{
    int fd = open(knob, O_WRONLY);
    if (fd < 0 || write(fd, value, strlen(value)) < 0)
        perror(knob);
    close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 3 || chdir(argv[1]) < 0)
        return 1;
    state = strtoul(argv[2], NULL, 10) * 2654435761u;
    static const char *const folders[] = {"a", "b", "c", "noise", "noise/0", "noise/1", "noise/2"};
    for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
        mkdir(folders[i], 0755);
    set("/proc/sys/vm/dirty_writeback_centisecs", "5"); /* much goes to the disk by itself */
    set("/proc/sys/vm/dirty_expire_centisecs", "5");
    mark(0);
    if (fork() == 0)
        noise();
    for (;;)
        promise();
}
