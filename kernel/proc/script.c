/*
 * "#!": the first line of a script names the program that is to read it, with at most one
 * argument, which may have blanks inside. execve(2), "Interpreter scripts".
 */
#include "kernel/lib/lib.h"
#include "kernel/proc/program.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Cuts the line out of the head; NULL when the name in it cannot be known to be whole. */
static char *cut_line(struct program *p, char line[PROGRAM_HEAD])
{
    memset(line, 0, PROGRAM_HEAD);
    memcpy(line, p->head + 2, p->head_len - 2);
    char *end = strchr(line, '\n'), *name = line;
    if (end)
        *end = 0;
    else
        line[PROGRAM_HEAD - 3] = 0; /* the last byte is never looked at */
    while (is_blank(*name))
        name++;
    if (!*name)
        return NULL;
    if (!end && p->head_len == PROGRAM_HEAD) { /* too long: an argument may be cut, the name not */
        const char *s = name;
        while (*s && !is_blank(*s))
            s++;
        if (!*s)
            return NULL;
    }
    for (char *last = name + strlen(name); is_blank(last[-1]);)
        *--last = 0;
    return name;
}

int script_parse(struct program *p)
{
    if (p->head_len < 3 || p->head[0] != '#' || p->head[1] != '!')
        return 0;
    char line[PROGRAM_HEAD];
    char *name = cut_line(p, line), *argument;
    if (!name)
        return -ENOEXEC;
    if (p->closed_by_exec) /* the interpreter could not open it */
        return -ENOENT;
    for (argument = name; *argument && !is_blank(*argument);)
        argument++;
    while (is_blank(*argument))
        *argument++ = 0;

    struct arguments *a = p->arguments;
    arguments_drop_first(a);
    int err = arguments_push(a, *p->interpreter ? p->interpreter : p->path);
    if (!err && *argument) {
        a->argc++;
        err = arguments_push(a, argument);
    }
    if (!err) {
        a->argc++;
        err = arguments_push(a, name);
    }
    strlcpy(p->interpreter, name, PROGRAM_HEAD);
    return err ? err : 1;
}
