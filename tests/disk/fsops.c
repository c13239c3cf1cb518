/*
 * fsops - random operations on files, the same ones for the same seed on every system.
 *
 *     fsops [-c] FOLDER SEED COUNT   makes COUNT operations in the (empty) folder
 *     fsops -d FOLDER                prints the digest of what is in the folder
 *
 * What each operation gave (result, errno, bytes read, sizes) goes into one running number, printed
 * now and then and at the end with the digest of the tree: two systems that print the same lines
 * have behaved the same. -c has the kernel forget its caches now and then, so that what is read
 * comes from the disk.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE   20000   /* bytes of one read or write, at most */
#define REACH   120000  /* where they begin, at most */
#define FAR     6000000 /* where one begins now and then: a sparse file with a deep tree */
#define NR_OPEN 6
#define PATHMAX 600

static uint64_t running = 14695981039346656037ull, state;
static unsigned char buffer[PIECE];
static int open_files[NR_OPEN];

static uint64_t mix(uint64_t hash, const void *data, size_t len)
{
    const unsigned char *bytes = data;
    for (; len >= 8; len -= 8, bytes += 8) {
        uint64_t word;
        memcpy(&word, bytes, 8);
        hash = (hash ^ word) * 1099511628211ull;
        hash ^= hash >> 29;
    }
    while (len--)
        hash = (hash ^ *bytes++) * 1099511628211ull;
    return hash;
}

static void note(int64_t value)
{
    running = mix(running, &value, sizeof(value));
}

/* The result of a call: what it gave, or why it failed. */
static bool done(long result)
{
    note(result < 0 ? -errno : result);
    return result >= 0;
}

static uint32_t random_below(uint32_t limit)
{
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((state >> 33) % limit);
}

/* Bytes to be written: every write has others, and one in eight is zeroes. */
static size_t fill(void)
{
    size_t len = random_below(4) ? 1 + random_below(3000) : 1 + random_below(PIECE);
    uint32_t seed = random_below(8) ? random_below(1u << 30) | 1 : 0;
    for (size_t i = 0; i < len; i++)
        buffer[i] = seed ? (seed = seed * 1664525u + 1013904223u) >> 24 : 0;
    return len;
}

/* ---- names ---- */

static char *path_in(char *path, bool of_dir)
{
    static const char long_part[] =
        "-a-name-that-is-long-enough-to-fill-a-block-of-a-directory-soon";
    int n = 0;
    path[0] = 0;
    for (uint32_t depth = random_below(3); depth--;)
        n += sprintf(path + n, "d%u/", random_below(4));
    if (of_dir) {
        sprintf(path + n, "d%u", random_below(4));
    } else if (random_below(4) == 0) { /* many names in one directory */
        sprintf(path, "many/%u%.*s", random_below(300), (int)random_below(sizeof(long_part)),
                long_part);
    } else {
        sprintf(path + n, "f%u", random_below(8));
    }
    return path;
}

static char *path_any(char *path)
{
    return path_in(path, random_below(5) == 0);
}

static off_t place(void)
{
    return random_below(40) ? (off_t)random_below(REACH) : (off_t)random_below(FAR);
}

/* ---- operations ---- */

static void look_at(int fd)
{
    struct stat st;
    if (done(fstat(fd, &st))) {
        note(st.st_mode & S_IFMT);
        if (!S_ISDIR(st.st_mode)) {
            note(st.st_size);
            note(st.st_nlink);
        }
    }
}

static void read_some(int fd, off_t at)
{
    ssize_t n = pread(fd, buffer, 1 + random_below(PIECE), at);
    if (done(n))
        running = mix(running, buffer, n);
}

static void map_write(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0 || st.st_size == 0)
        return;
    char *map = mmap(NULL, st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        note(-errno);
        return;
    }
    for (int i = random_below(6); i >= 0; i--) {
        size_t at = random_below(st.st_size), len = fill();
        if (len > st.st_size - at)
            len = st.st_size - at;
        memcpy(map + at, buffer, len);
    }
    if (random_below(3) == 0) { /* the file grows below the mapping, and is written there */
        off_t more = st.st_size + 1 + random_below(5000);
        off_t end = (st.st_size + 4095) & ~4095;
        done(ftruncate(fd, more));
        for (off_t at = st.st_size; at < end && at < more; at += 1 + random_below(700))
            map[at] = (char)(at | 1);
    }
    if (random_below(4) == 0)
        done(msync(map, st.st_size, MS_SYNC));
    munmap(map, st.st_size);
}

static void change_file(int fd)
{
    off_t at = place();
    size_t len;
    switch (random_below(9)) {
    case 0:
    case 1:
        len = fill();
        done(pwrite(fd, buffer, len, at));
        break;
    case 2:
        len = fill();
        done(lseek(fd, 0, SEEK_END));
        done(write(fd, buffer, len));
        break;
    case 3:
        done(ftruncate(fd, at));
        break;
    case 4:
        map_write(fd);
        break;
    case 5:
        if (random_below(6) == 0)
            done(fsync(fd));
        break;
    default:
        read_some(fd, at);
        look_at(fd);
    }
}

static void work_on_file(void)
{
    char path[PATHMAX];
    static const int flags[] = {0, O_CREAT, O_CREAT | O_EXCL, O_TRUNC, O_CREAT | O_TRUNC, O_APPEND};
    int slot = random_below(2 * NR_OPEN);
    if (slot < NR_OPEN && open_files[slot] >= 0) { /* perhaps without a name by now */
        change_file(open_files[slot]);
        if (random_below(10) == 0) {
            close(open_files[slot]);
            open_files[slot] = -1;
        }
        return;
    }
    int fd = open(path_in(path, false), O_RDWR | flags[random_below(6)], 0644);
    note(fd < 0 ? -errno : 0);
    if (fd < 0)
        return;
    for (int i = random_below(3); i >= 0; i--)
        change_file(fd);
    if (slot < NR_OPEN)
        open_files[slot] = fd;
    else
        close(fd);
}

static void make_link(void)
{
    char path[PATHMAX], target[PATHMAX] = "";
    int dots = random_below(3) ? 0 : random_below(200);
    for (int i = 0; i < dots; i++)
        strcat(target, "./");
    sprintf(target + strlen(target), "%c%u", random_below(2) ? 'f' : 'd', random_below(8));
    done(symlink(target, path_in(path, false)));
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void list(const char *path)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, by_name);
    if (!done(n))
        return;
    for (int i = 0; i < n; i++) {
        running = mix(running, names[i]->d_name, strlen(names[i]->d_name));
        free(names[i]);
    }
    free(names);
}

static void operation(void)
{
    char a[PATHMAX], b[PATHMAX];
    ssize_t n;
    switch (random_below(20)) {
    case 0:
        done(mkdir(path_in(a, true), 0755));
        break;
    case 1:
        done(random_below(4) ? unlink(path_in(a, false)) : rmdir(path_in(a, true)));
        break;
    case 2:
        done(unlink(path_in(a, false)));
        break;
    case 3:
        path_any(a);
        done(rename(a, path_any(b)));
        break;
    case 4:
        path_in(a, false);
        done(link(a, path_in(b, false)));
        break;
    case 5:
        make_link();
        break;
    case 6:
        n = readlink(path_in(a, false), (char *)buffer, PIECE);
        if (done(n))
            running = mix(running, buffer, n);
        break;
    case 7:
        list(path_in(a, true));
        break;
    case 8:
        done(truncate(path_in(a, false), place()));
        break;
    case 9:
        done(chmod(path_in(a, false), 0600 + random_below(64)));
        break;
    default:
        work_on_file();
    }
}

/* ---- the tree ---- */

static uint64_t digest_file(uint64_t hash, const char *path)
{
    static unsigned char block[65536];
    int fd = open(path, O_RDONLY);
    ssize_t n;
    if (fd < 0)
        return mix(hash, "unreadable", 10);
    while ((n = read(fd, block, sizeof(block))) > 0)
        hash = mix(hash, block, n);
    close(fd);
    return n < 0 ? mix(hash, "error", 5) : hash;
}

static uint64_t digest_tree(uint64_t hash, const char *path, unsigned *count)
{
    struct dirent **names;
    int n = scandir(path, &names, NULL, by_name);
    for (int i = 0; i < n; free(names[i++])) {
        char below[4 * PATHMAX];
        struct stat st;
        if (names[i]->d_name[0] == '.')
            continue;
        snprintf(below, sizeof(below), "%s/%s", path, names[i]->d_name);
        uint32_t mode = lstat(below, &st) < 0 ? 0 : st.st_mode;
        hash = mix(hash, names[i]->d_name, strlen(names[i]->d_name));
        hash = mix(hash, &mode, S_ISLNK(mode) ? 0 : sizeof(mode));
        ++*count;
        if (S_ISDIR(mode)) {
            hash = digest_tree(hash, below, count);
        } else if (S_ISLNK(mode)) {
            ssize_t len = readlink(below, (char *)buffer, PIECE);
            hash = mix(hash, buffer, len < 0 ? 0 : len);
        } else {
            hash = digest_file(mix(hash, &st.st_size, 4), below);
        }
    }
    if (n >= 0)
        free(names);
    return hash;
}

static void print_digest(void)
{
    unsigned count = 0;
    uint64_t hash = digest_tree(14695981039346656037ull, ".", &count);
    printf("tree %016llx, %u names\n", (unsigned long long)hash, count);
}

static void forget_caches(void)
{
    int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
    if (fd >= 0 && write(fd, "3\n", 2) < 0)
        perror("drop_caches");
    close(fd);
}

int main(int argc, char **argv)
{
    bool drop = argc > 1 && strcmp(argv[1], "-c") == 0;
    if (drop)
        argv++, argc--;
    if (argc == 3 && strcmp(argv[1], "-d") == 0) {
        if (chdir(argv[2]) < 0)
            return 1;
        print_digest();
        return 0;
    }
    if (argc < 4 || chdir(argv[1]) < 0) {
        fprintf(stderr, "fsops [-c] FOLDER SEED COUNT, or fsops -d FOLDER\n");
        return 1;
    }
    state = strtoul(argv[2], NULL, 10) * 2654435761u;
    unsigned count = strtoul(argv[3], NULL, 10),
             every = argc > 4 ? strtoul(argv[4], NULL, 10) : 1000;
    for (int i = 0; i < NR_OPEN; i++)
        open_files[i] = -1;
    umask(022);
    mkdir("many", 0755);
    for (unsigned i = 1; i <= count; i++) {
        operation();
        if (i % every == 0)
            printf("%u %016llx\n", i, (unsigned long long)running);
        if (drop && i % 2048 == 0)
            forget_caches();
        if (i % 5000 == 0)
            sync();
    }
    for (int i = 0; i < NR_OPEN; i++)
        if (open_files[i] >= 0)
            close(open_files[i]);
    print_digest();
    return 0;
}
