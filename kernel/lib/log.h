/*
 * The kernel's log: what kprintf said, each line with its level and time, the last LOG_SIZE bytes.
 *
 * A position counts the bytes since boot; what lies further back than the ring is long is lost.
 */
#ifndef KERNEL_LIB_LOG_H
#define KERNEL_LIB_LOG_H

#include "kernel/lib/types.h"
#include "kernel/proc/wait.h"

#define LOG_SIZE (32u << 10)

extern u32 log_end;           /* the position behind the last byte */
extern u32 log_console_level; /* kprintf speaks with level 6; consoles show what is below */
extern struct wait_queue log_grows;

u32 log_start(void); /* the oldest position that is still there, at a line's start */
/* Copies from a position on; how many bytes there were, at most len. Moves *position. */
u32 log_copy(u32 *position, char *to, u32 len);

#endif
