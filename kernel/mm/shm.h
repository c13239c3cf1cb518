/* System V shared memory: shmget(2), shmat(2), shmctl(2). */
#ifndef KERNEL_MM_SHM_H
#define KERNEL_MM_SHM_H

#include "kernel/lib/types.h"

struct shm;

/* A region that shows the segment has come, or gone (space.c). The last one out of a segment that
 * was removed takes it along. */
void shm_attached(struct shm *s);
void shm_detached(struct shm *s);

long sys_shmget(s32 key, u32 size, u32 flags);
long sys_shmat(s32 id, u32 address, u32 flags);
long sys_shmdt(u32 address);
long sys_shmctl(s32 id, u32 command, void __user *buf);
/* Old C libraries reach all of System V IPC through this one call. */
long sys_ipc(u32 call, s32 first, u32 second, u32 third, u32 ptr, u32 fifth);

#endif
