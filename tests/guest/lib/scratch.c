/* scratch.c - a directory for a guest test that makes files. */
#define _GNU_SOURCE
#include "scratch.h"
#include "check.h"

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[PATH_MAX];

void scratch_enter(void)
{
    const char *top = getenv("TMPDIR");

    snprintf(path, sizeof(path), "%s/ferry-XXXXXX", top ? top : "/tmp");
    umask(022);
    if (!mkdtemp(path) || chdir(path) < 0) {
        check_works(-1, "a directory can be made in /tmp");
        exit(check_done());
    }
}

static int take(const char *name, const struct stat *st, int type, struct FTW *where)
{
    (void)st, (void)type, (void)where;
    return remove(name);
}

void scratch_leave(void)
{
    if (chdir("/") == 0) {
        nftw(path, take, 16, FTW_DEPTH | FTW_PHYS);
    }
}
