/*
 * The kernel command line: what the boot loader passed, then what QEMU's fw_cfg device adds
 * under opt/org.ferry/cmdline, so that a test chooses what runs without another image.
 * Words are separated by blanks; behind "--" they belong to init.
 */
#include "drivers/fw_cfg.h"
#include "kernel/lib/lib.h"

static char line[1024];

const char *cmdline(void)
{
    return line;
}

void cmdline_init(const char *from_loader)
{
    strlcpy(line, from_loader ? from_loader : "", sizeof(line));
    size_t n = strlen(line);
    if (n + 2 < sizeof(line)) {
        int got = fw_cfg_read("opt/org.ferry/cmdline", line + n + 1, sizeof(line) - n - 2);
        if (got > 0) {
            line[n] = ' ';
            line[n + 1 + got] = 0;
        }
    }
}

/* The text behind "name" in a word that is "name" or starts with "name=": the one that stands
 * behind `nth` others, or the last of all if there are not so many. *count: how many there are. */
static const char *find_nth(const char *name, u32 nth, u32 *count)
{
    size_t n = strlen(name);
    const char *found = NULL;
    *count = 0;
    for (const char *p = line; *p;) {
        while (*p == ' ')
            p++;
        if (!strncmp(p, "-- ", 3))
            break;
        if (!strncmp(p, name, n) && (p[n] == '=' || p[n] == ' ' || !p[n]) && (*count)++ <= nth)
            found = p + n;
        while (*p && *p != ' ')
            p++;
    }
    return found;
}

static const char *find(const char *name)
{
    u32 count;
    return find_nth(name, -1, &count);
}

bool cmdline_has(const char *name)
{
    return find(name) != NULL;
}

static bool get(const char *p, char *value, size_t size)
{
    if (!p)
        return false;
    if (*p == '=')
        p++;
    size_t n = 0;
    while (p[n] && p[n] != ' ')
        n++;
    strlcpy(value, p, MIN(n + 1, size));
    return true;
}

bool cmdline_get(const char *name, char *value, size_t size)
{
    return get(find(name), value, size);
}

bool cmdline_get_nth(const char *name, u32 nth, char *value, size_t size)
{
    u32 count;
    const char *p = find_nth(name, nth, &count);
    return nth < count && get(p, value, size);
}

u32 cmdline_u32(const char *name, u32 otherwise)
{
    const char *p = find(name);
    if (!p || *p != '=')
        return otherwise;
    const char *end;
    u32 value = strtou32(p + 1, &end);
    return end == p + 1 ? otherwise : value;
}

const char *cmdline_init_arguments(void)
{
    const char *p = strstr(line, "-- ");
    return p && (p == line || p[-1] == ' ') ? p + 3 : "";
}
