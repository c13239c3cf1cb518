/* See places.h. */
#define _GNU_SOURCE
#include "places.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static int data = 1;
static char bss[3 * PAGE];
static char *stack;

static const void *code_place(void)
{
    return (const void *)&place_of;
}

static const void *data_place(void)
{
    data++; /* the page is the program's own from now on */
    return &data;
}

/* A whole page that nobody has touched. */
static const void *bss_place(void)
{
    return bss + 2 * PAGE - (size_t)bss % PAGE;
}

static const void *heap_place(void)
{
    return calloc(1, 100);
}

static const void *stack_place(void)
{
    return stack;
}

static char *map(int flags, int fd)
{
    char *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, flags, fd, 0);

    return at == MAP_FAILED ? NULL : at;
}

/* A page of a file that was read, of which a write makes a copy. */
static const void *file_place(void)
{
    int fd = open("/proc/self/exe", O_RDONLY);
    char *at = fd < 0 ? NULL : map(MAP_PRIVATE, fd);

    if (at)
        (void)*(volatile char *)at;
    if (fd >= 0)
        close(fd);
    return at;
}

static const void *written(char *at)
{
    if (at)
        *(volatile char *)at = 1;
    return at;
}

static const void *copy_place(void)
{
    return written((char *)file_place());
}

static const void *shared_place(void)
{
    return written(map(MAP_SHARED | MAP_ANONYMOUS, -1));
}

/* A page that a child has as well, until one of them writes. It lives as long as we do. */
static const void *fork_place(void)
{
    const void *at = written(map(MAP_PRIVATE | MAP_ANONYMOUS, -1));
    int ends[2];

    if (!at || pipe(ends) < 0)
        return NULL;

    pid_t child = fork();

    if (child == 0) {
        char end;

        close(ends[1]);
        _exit((int)read(ends[0], &end, 1));
    }
    close(ends[0]); /* the other end stays open for the child's sake */
    return child < 0 ? NULL : at;
}

/* A page that is sent to swap, where there is some. */
static const void *swap_place(void)
{
    char *at = (char *)written(map(MAP_PRIVATE | MAP_ANONYMOUS, -1));

    return at && madvise(at, PAGE, MADV_PAGEOUT) == 0 ? at : NULL;
}

static const struct {
    const char *name;
    const void *(*make)(void);
} places[] = {{"code", code_place}, {"data", data_place},     {"bss", bss_place},
              {"heap", heap_place}, {"stack", stack_place},   {"file", file_place},
              {"copy", copy_place}, {"shared", shared_place}, {"fork", fork_place},
              {"swap", swap_place}};

const char place_names[] = "code|data|bss|heap|stack|file|copy|shared|fork|swap";

const void *place_of(const char *name)
{
    char here;

    stack = &here;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        if (strcmp(name, places[i].name) == 0)
            return places[i].make();
    errno = EINVAL;
    return NULL;
}
