/*
 * index.c - the page that shows a visitor every file and every path.
 */
#define _GNU_SOURCE
#include "index.h"
#include "paths.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_LISTED 200

/* Writes a name so that it is safe in a link and on a page: all but a few characters as %XX. */
static void print_name(FILE *out, const char *name)
{
    for (; *name; name++) {
        if (strchr("-._~", *name) || (*name >= '0' && *name <= '9') ||
            ((*name | 0x20) >= 'a' && (*name | 0x20) <= 'z')) {
            fputc(*name, out);
        } else {
            fprintf(out, "%%%02X", (unsigned char)*name);
        }
    }
}

static void print_files(FILE *out, const char *root)
{
    struct dirent **entries;
    char name[512];
    struct stat st;
    int nr = scandir(root, &entries, NULL, alphasort);

    for (int i = 0; i < nr; i++) {
        snprintf(name, sizeof(name), "%s/%s", root, entries[i]->d_name);
        if (i < MAX_LISTED && stat(name, &st) == 0 && S_ISREG(st.st_mode)) {
            fprintf(out, "<tr><td>");
            print_name(out, entries[i]->d_name);
            fprintf(out, "<td align=right>%" PRIu64, (uint64_t)st.st_size);
            for (int p = 0; p < nr_paths; p++) {
                if (paths[p].sg) {
                    fprintf(out, "<td><a href=\"/%s/", paths[p].name);
                    print_name(out, entries[i]->d_name);
                    fprintf(out, "\">%s</a>", paths[p].name);
                }
            }
            fprintf(out, "\n");
        }
        free(entries[i]);
    }
    if (nr >= 0) {
        free(entries);
    }
}

char *index_page(const char *root)
{
    char *page = NULL;
    size_t len;
    FILE *out = open_memstream(&page, &len);

    if (!out) {
        return NULL;
    }
    fprintf(out, "<!doctype html><meta charset=utf-8><title>Ferry</title><h1>How a file crosses a "
                 "machine</h1>\n<p>The first word of a URL is the path that the file takes.<dl>\n");
    for (int p = 0; p < nr_paths; p++) {
        if (paths[p].sg) {
            fprintf(out, "<dt><b>/%s/</b><dd>%s: %s.\n", paths[p].name, paths[p].title,
                    paths[p].sentence);
        }
    }
    fprintf(out, "<dt><b><a href=/ledger>/ledger</a></b><dd>What the last file sent on this same "
                 "connection cost.\n<dt><b><a href=/ledger/system>/ledger/system</a></b><dd>All "
                 "that has crossed the machine since it started.\n</dl><table cellpadding=4>\n");
    print_files(out, root);
    fprintf(out, "</table>\n");
    if (fclose(out) != 0) {
        free(page);
        return NULL;
    }
    return page;
}
