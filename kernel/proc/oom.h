/* When there is no memory left. */
#ifndef KERNEL_PROC_OOM_H
#define KERNEL_PROC_OOM_H

#include "kernel/lib/types.h"

/* Makes room by ending a program, if none is ending already, and waits a moment. False: it was the
 * current one, which now ends instead of getting what it asked for. */
bool out_of_memory(void);

#endif
