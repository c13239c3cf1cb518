/*
 * diskmode.h - the ways in which a disk's sectors come into memory, switched as hdparm does.
 */
#ifndef FERRY_USER_DISKMODE_H
#define FERRY_USER_DISKMODE_H

#include <stdbool.h>
#include <stdint.h>

#define DISK_POLLING "/proc/sys/ferry/disk_polling"

struct diskmode {
    bool dma;      /* hdparm -d */
    bool polling;  /* DISK_POLLING: of all drives */
    long multiple; /* hdparm -m: sectors of a block in programmed I/O; 0 and 1: one */
};

/* What the drive is in, or shall be in. 0, or -1 with errno: ENOTTY and EINVAL where the driver
 * offers no such choice (Linux's, today). */
int diskmode_get(const char *device, struct diskmode *mode);
int diskmode_set(const char *device, const struct diskmode *mode);

/* What the drive has done since it was found, of /proc/ferry/disk. */
struct diskwork {
    uint64_t commands, interrupts, blocks, sectors;
};

/* 0, or -1 with errno. */
int diskwork_read(const char *device, struct diskwork *work);

#endif
