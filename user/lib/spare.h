/*
 * spare.h - a task that counts, and so shows how much of the CPU is left to others.
 *
 * It yields after every step: it has the CPU only while nobody else wants it. What it gets done
 * while something is measured, against what it gets done in the same time alone, is the share of
 * the time in which the CPU was free.
 */
#ifndef FERRY_USER_SPARE_H
#define FERRY_USER_SPARE_H

#include <stdint.h>

/* Starts the task, on the CPU that the caller is on from now on, too, and sees what it gets done
 * alone, for a fifth of a second. 0, or -1 with errno. */
int spare_start(void);

/* Between these two lies what is measured. Rounds of the task, and their share in per cent. */
void spare_begin(void);
uint64_t spare_rounds(void); /* so far */
uint64_t spare_end(double *percent);

void spare_stop(void);

#endif
