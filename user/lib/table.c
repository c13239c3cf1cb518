/*
 * table.c - cells, numbers and colours.
 */
#include "table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool colours;

void table_colours(void)
{
    colours = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
}

const char *style(const char *code)
{
    return colours ? code : "";
}

void cell(int width, const char *text)
{
    for (const char *at = text; *at; at++) {
        width -= (*at & 0xc0) != 0x80;
    }
    printf("%*s%s", width > 1 ? width : 1, "", text);
}

void ratio_cell(int width, uint64_t bytes, uint64_t n)
{
    char text[32];

    if (bytes == 0) {
        snprintf(text, sizeof(text), "·");
    } else if (bytes % n == 0) {
        snprintf(text, sizeof(text), "%" PRIu64, bytes / n);
    } else {
        uint64_t hundredths = bytes * 100 / n;

        snprintf(text, sizeof(text), "%" PRIu64 ".%02u%s", hundredths / 100,
                 (unsigned)(hundredths % 100), bytes * 100 % n ? "+" : "");
    }
    cell(width, text);
}

void number_cell(int width, uint64_t number)
{
    char text[32];

    snprintf(text, sizeof(text), "%" PRIu64, number);
    cell(width, text);
}
