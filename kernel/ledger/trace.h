/*
 * The trace ring: the last events of the machine, small and always on. It costs a few
 * instructions an event and explains a hang or a panic; /proc/ferry/trace prints it.
 * Safe anywhere, in interrupts too.
 */
#ifndef KERNEL_LEDGER_TRACE_H
#define KERNEL_LEDGER_TRACE_H

#include "kernel/lib/types.h"

#define TRACE_EVENTS(X)         \
    X(SWITCH, "switch to task") \
    X(EXEC, "exec in task")     \
    X(EXIT, "exit with status") \
    X(TX, "packet sent, length")

enum trace_event {
#define X(name, text) TRACE_##name,
    TRACE_EVENTS(X)
#undef X
};

void trace(enum trace_event event, u32 a, u32 b);
void trace_print_last(u32 count); /* with kprintf, newest last */
struct text;
void trace_format(struct text *t); /* text of /proc/ferry/trace */

#endif
