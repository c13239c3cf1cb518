/*
 * ls - lists files: type and rights, links, size, name.
 *
 *     ls [-al] [FILE]...
 *
 * -a shows hidden files too; -l is allowed, the listing is long in any case.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool all;

static void list_one(const char *name, const char *shown)
{
    static const char rights[] = "rwxrwxrwx";
    char mode[11] = "?---------", target[256];
    struct stat st;

    if (lstat(name, &st) < 0) {
        printf("%-10s %3s %10s %s: %s\n", mode, "", "", shown, strerror(errno));
        return;
    }
    mode[0] = S_ISDIR(st.st_mode)    ? 'd'
              : S_ISLNK(st.st_mode)  ? 'l'
              : S_ISCHR(st.st_mode)  ? 'c'
              : S_ISBLK(st.st_mode)  ? 'b'
              : S_ISFIFO(st.st_mode) ? 'p'
              : S_ISSOCK(st.st_mode) ? 's'
                                     : '-';
    for (int i = 0; i < 9; i++) {
        mode[1 + i] = st.st_mode & (0400 >> i) ? rights[i] : '-';
    }
    printf("%s %3u %10" PRIu64 " %s", mode, (unsigned)st.st_nlink, (uint64_t)st.st_size, shown);

    ssize_t len = S_ISLNK(st.st_mode) ? readlink(name, target, sizeof(target)) : -1;

    if (len > 0) {
        printf(" -> %.*s", (int)len, target);
    }
    printf("\n");
}

static int visible(const struct dirent *entry)
{
    return all || entry->d_name[0] != '.';
}

static int list(const char *name)
{
    struct dirent **entries;
    struct stat st;
    char path[1024];

    if (lstat(name, &st) < 0) {
        fprintf(stderr, "ls: %s: %s\n", name, strerror(errno));
        return 1;
    }
    if (!S_ISDIR(st.st_mode)) {
        list_one(name, name);
        return 0;
    }

    int nr = scandir(name, &entries, visible, alphasort);

    if (nr < 0) {
        fprintf(stderr, "ls: %s: %s\n", name, strerror(errno));
        return 1;
    }
    for (int i = 0; i < nr; i++) {
        snprintf(path, sizeof(path), "%s/%s", name, entries[i]->d_name);
        list_one(path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

int main(int argc, char **argv)
{
    int option, failed;

    while ((option = getopt(argc, argv, "al")) != -1) {
        if (option == '?') {
            return 2;
        }
        all = all || option == 'a';
    }
    failed = optind == argc ? list(".") : 0;
    for (int i = optind; i < argc; i++) {
        if (argc - optind > 1) {
            printf("%s:\n", argv[i]);
        }
        failed |= list(argv[i]);
    }
    return failed;
}
