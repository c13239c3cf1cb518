/* Page faults: what turns a region (VMA) into pages, one touch at a time. */
#ifndef KERNEL_MM_FAULT_H
#define KERNEL_MM_FAULT_H

#include "kernel/lib/types.h"

enum fault_error { /* SDM vol. 3, 4.7 */
                   FAULT_PRESENT = 1 << 0,
                   FAULT_WRITE = 1 << 1,
                   FAULT_USER = 1 << 2,
                   FAULT_FETCH = 1 << 4,
};

/* Makes the page of the current task's address present as the error code asks. Returns 0, or the
 * signal that a program would get (SIGSEGV, SIGBUS). May sleep. Enters the fault in the ledger as
 * minor or major. */
int fault_handle(u32 address, u32 error, bool from_user);

/* The same for the kernel, which is going to use the page without touching the address: no fault
 * has happened, and none is counted. 0, -EFAULT or -ENOMEM; what it did may be undone again when
 * the caller looks. Sleeps. */
int mm_touch(virt_t address, bool write);

#endif
