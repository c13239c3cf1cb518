/* The state of the FPU on a program's stack, for signal handlers: struct _fpstate of
 * <asm/sigcontext.h>. For the current task; both copies may sleep. */
#ifndef KERNEL_CPU_FPU_FRAME_H
#define KERNEL_CPU_FPU_FRAME_H

#include "kernel/cpu/cpu.h"

#define FPU_FRAME_MAX 704u /* with what the alignment costs */

u32 fpu_frame_place(u32 sp); /* the address, below sp, that fpu_frame_push wants */
int fpu_frame_push(u32 at);  /* 0 or -EFAULT */
int fpu_frame_pop(u32 at);   /* 0: a fresh state; 0, -EFAULT, or -EINVAL: not a state of this FPU */
int fpu_exception_code(bool simd); /* FPE_* of the exception that is pending */

#endif
