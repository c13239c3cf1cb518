/*
 * elfs - programs that are none: execve refuses them, and the caller and the system live on.
 *
 *     elfs [FOLDER]        made by mkbadelf.py; badelf beside this program if there is none
 *
 * mkbadelf.py says what the files are, and what their names mean.
 */
#define _GNU_SOURCE
#include "lib/check.h"
#include "user/lib/ledger.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define RAN     99 /* the exit status of the code in every file */
#define REFUSED 98 /* execve returned, with an errno that makes sense */
#define ODD     97 /* execve returned, with one that does not */

static int try_execve(void *file)
{
    static const int sensible[] = {ENOEXEC, EINVAL, ENOENT, EACCES, ENOMEM, EIO, ELIBBAD, EFAULT};
    char *argv[] = {file, NULL}, *envp[] = {NULL};

    execve(file, argv, envp);
    for (size_t i = 0; i < sizeof(sensible) / sizeof(sensible[0]); i++) {
        if (errno == sensible[i]) {
            return REFUSED;
        }
    }
    fprintf(stderr, "%s: %s\n", (char *)file, strerror(errno));
    return ODD;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static void check_file(char *name)
{
    char sentence[320];
    int status = run_child(try_execve, name), ended;

    ended = status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    bool killed = status >= 0 && WIFSIGNALED(status);

    if (begins(name, "run-")) {
        snprintf(sentence, sizeof(sentence), "%s runs", name);
        check_equal(ended, RAN, sentence);
    } else if (begins(name, "no-")) {
        snprintf(sentence, sizeof(sentence), "%s is refused by execve", name);
        check_equal(ended, REFUSED, sentence);
    } else if (begins(name, "die-")) {
        snprintf(sentence, sizeof(sentence), "%s is refused, or killed", name);
        check_equal(killed ? REFUSED : ended, REFUSED, sentence);
    } else if (begins(name, "any-")) {
        bool forbidden = on_ferry() && strcmp(name, "any-address-of-the-kernel") == 0;

        snprintf(sentence, sizeof(sentence), "%s is survived", name);
        check(killed || ended == REFUSED || (ended == RAN && !forbidden), sentence);
    }
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int main(int argc, char **argv)
{
    char folder[512], *names[100];
    struct dirent *entry;
    DIR *directory;
    char *slash = strrchr(argv[0], '/');
    int nr = 0, survived = 0;

    if (argc > 1) {
        snprintf(folder, sizeof(folder), "%s", argv[1]);
    } else {
        snprintf(folder, sizeof(folder), "%.*s/badelf", slash ? (int)(slash - argv[0]) : 1,
                 slash ? argv[0] : ".");
    }
    check_works(chdir(folder), "the folder of broken programs is there");
    directory = opendir(".");
    while (directory && (entry = readdir(directory)) != NULL && nr < 100) {
        if (entry->d_name[0] != '.') {
            names[nr++] = strdup(entry->d_name);
        }
    }
    check_range(nr, 20, 99, "it has many files");
    qsort(names, nr, sizeof(names[0]), compare);
    for (int i = 0; i < nr; i++) {
        check_file(names[i]);
    }

    /* The same again, many times over: what a failed execve takes, it has to give back. */
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < nr; i++) {
            survived += !begins(names[i], "no-") || run_child(try_execve, names[i]) == REFUSED << 8;
        }
    }
    check_equal(survived, 20 * nr, "20 more times they are refused as well");
    check_exit(try_execve, "run-valid", RAN, "and a valid program still runs");
    return check_done();
}
