/*
 * table.h - figures in columns on a terminal, as copypath and iomodes print them.
 */
#ifndef FERRY_USER_TABLE_H
#define FERRY_USER_TABLE_H

#include <stdint.h>

/* Colours from now on, if the output is a terminal and NO_COLOR is not set. */
void table_colours(void);
const char *style(const char *code);

#define BOLD  style("\033[1m")
#define DIM   style("\033[2m")
#define RED   style("\033[31m")
#define GREEN style("\033[32m")
#define PLAIN style("\033[0m")

/*
 * Right-aligned in so many columns of the screen, of which the first stays free; a UTF-8
 * continuation byte takes none.
 */
void cell(int width, const char *text);

/*
 * bytes / n: a whole number only if it is exactly that. What lies between is cut after two digits
 * and marked with a plus, so 1.00+ is "one, and something more".
 */
void ratio_cell(int width, uint64_t bytes, uint64_t n);

void number_cell(int width, uint64_t number);

#endif
