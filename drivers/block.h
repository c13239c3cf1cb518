/*
 * Block devices: the small table of operations a disk driver offers, and the request it carries.
 *
 * A request moves whole 512-byte sectors between consecutive sectors of the disk and a list of
 * fragments, which need not be contiguous. The submitter allocates it (request_new), holds its
 * pages, and gets them back in `done`, which runs in interrupt context (or straight out of
 * submit when the device refuses).
 */
#ifndef DRIVERS_BLOCK_H
#define DRIVERS_BLOCK_H

#include <bsd/sys/queue.h>
#include "kernel/cache/errors.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/types.h"
#include "kernel/mm/page.h"

#define SECTOR_SIZE  512u
#define SECTOR_SHIFT 9
/* Page numbers of the cache have 32 bits: 16 TiB less a page of a device can be reached. */
#define BLOCK_MAX_SECTORS ((u64)UINT32_MAX * (PAGE_SIZE / SECTOR_SIZE))

struct block_request {
    struct block_device *device;
    u64 lba;        /* on the device the request was submitted to */
    u64 disk_lba;   /* the same on the whole disk: set by block_submit, for the driver */
    u32 nr_sectors; /* = sum of the fragments' lengths / 512 */
    bool write;
    bool flush; /* no sectors: what the drive keeps in its own cache goes to the medium */
    enum ledger_mover mover; /* who moved the bytes: set by the driver before `done` */
    struct account *account; /* who pays; a reference is held */
    void (*done)(struct block_request *r, int error); /* 0, or negative errno; must not sleep */
    void *context;                                    /* the submitter's */
    TAILQ_ENTRY(block_request) link;                  /* the driver's queue */
    u32 nr_frags, max_frags;
    struct frag frags[]; /* each a multiple of 512 bytes, at an even address */
};
TAILQ_HEAD(block_request_list, block_request);

struct block_ops {
    /* Queues the request for sectors disk_lba ...; completion is reported through r->done, with
     * interrupts off. `d` is the disk, never a partition. Never sleeps. */
    void (*submit)(struct block_device *d, struct block_request *r);
    /* What a program asks of the driver itself (ioctl(2)); `d` may be a partition. 0 or a negative
     * errno. May sleep. May be NULL. */
    int (*ioctl)(struct block_device *d, u32 request, u32 argument);
};

struct block_device {
    char name[8]; /* "hda", "hda1" */
    u32 rdev;     /* Linux device number: major << 8 | minor (3,0 for hda) */
    u64 nr_sectors;
    u32 max_sectors;           /* the longest request */
    u64 first_lba;             /* of a partition on its disk; 0 for a disk */
    struct block_device *disk; /* of a partition; NULL for a disk */
    const struct block_ops *ops;
    void *driver;         /* the driver's own */
    char model[41];       /* of IDENTIFY, for people */
    bool read_only;       /* see block_read_only */
    bool claimed;         /* a mounted file system, or swap: nobody else may write to it */
    u32 openers, writers; /* open files of it; those of them that may write */
    u32 in_flight;        /* requests that the driver has */
    u32 reads, writes;    /* requests, and their sectors: for /proc/diskstats */
    u64 sectors_read, sectors_written;
    struct write_errors errors; /* of its two mappings */
    struct mapping *metadata;   /* of block_mapping(), NULL until first asked for */
    struct mapping *buffers;    /* the same of block_buffers() */
    TAILQ_ENTRY(block_device) link;
};

/* Makes the device known by its name, and its MBR partitions (hda1 ...); reads the partition
 * table, so it may sleep. */
void block_register(struct block_device *d);
void block_add(struct block_device *d); /* the device alone */
/* Reads a disk's partition table, and registers what is in it. 0 or a negative errno. Sleeps. */
int block_read_partitions(struct block_device *disk);
/* One of the disk's partitions, if it has any. Nobody finds it by name or number once it has been
 * forgotten; it is the caller's then, to be freed. */
struct block_device *block_partition(const struct block_device *disk);
void block_forget(struct block_device *partition);
bool block_partitions_used(const struct block_device *disk); /* open, or claimed */
struct block_device *block_find(const char *name); /* "hda1" or "/dev/hda1"; NULL when unknown */
struct block_device *block_by_number(u32 rdev);    /* NULL when unknown */
struct block_device *block_next(struct block_device *after); /* NULL: the first */
static inline bool block_read_only(const struct block_device *d)
{
    return d->read_only || (d->disk && d->disk->read_only);
}

/* A file system or swap takes the device for itself: -EBUSY when it, its disk or one of its
 * partitions is somebody's, or open for writing. And gives it back. */
int block_claim(struct block_device *d);
void block_unclaim(struct block_device *d);
/* A program opens it: for writing not while any of these is claimed (-EBUSY). As Linux does without
 * CONFIG_BLK_DEV_WRITE_MOUNTED: what is written there would go past the file system. */
int block_open(struct block_device *d, bool write);
void block_close(struct block_device *d, bool write);

/* Room for max_frags fragments (1 .. REQUEST_MAX_FRAGS); NULL without memory. */
struct block_request *request_new(struct block_device *d, u32 max_frags);
#define REQUEST_MAX_FRAGS 256
/* Appends a fragment, merging it with the last one where they touch physically in one page.
 * False when the request is full (fragments or the device's max_sectors). */
bool request_add(struct block_request *r, struct frag f);
void request_free(struct block_request *r);

/* Checks the range against the device (-EIO through done when it is outside), translates a
 * partition's sectors, takes the current task's account when none is set, and submits. */
void block_submit(struct block_request *r);
/* The driver's part: the request has ended. Calls r->done; interrupts are off. */
void block_done(struct block_request *r, int error);
/* Submits and waits; returns 0 or a negative errno. The caller frees the request. Sleeps. */
int block_submit_wait(struct block_request *r);
/* What was written before survives a loss of power once this has returned 0. Sleeps. */
int block_flush(struct block_device *d);

#endif
