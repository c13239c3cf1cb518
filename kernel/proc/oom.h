/* When there is no memory left. */
#ifndef KERNEL_PROC_OOM_H
#define KERNEL_PROC_OOM_H

#include "kernel/lib/types.h"

/* Makes room by ending a program, if none is ending already, and waits a moment. False: it was the
 * current one, which now ends instead of getting what it asked for. */
bool out_of_memory(void);

struct process;
#define OOM_NEVER (-1000) /* an oom_score_adj */
/* In pages: the process with the most goes; 0: never. */
u32 oom_points(const struct process *p);

extern u32 oom_kills; /* programs killed since boot */

#endif
