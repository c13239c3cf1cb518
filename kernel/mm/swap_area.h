/* Inside of swap: the areas. swap.c keeps slots, swapon.c makes and ends areas. */
#ifndef KERNEL_MM_SWAP_AREA_H
#define KERNEL_MM_SWAP_AREA_H

#include "kernel/mm/swap.h"

#define SWAP_AREAS       32u
#define SLOTS_MAX        (1u << 20) /* 4 GiB: a slot's number has 20 bits in an entry */
#define SLOTS_PER_PART   (PAGE_SIZE / sizeof(u16))
#define SECTORS_PER_PART (PAGE_SIZE / sizeof(u32))

/* What a slot's 16 bits say: how many entries name it, and this one. */
#define SLOT_CACHED 0x8000u /* its page is in the cache */
#define SLOT_BAD    0x7FFFu /* never used: the header, bad sectors, a page in pieces */
#define SLOT_COUNT  0x7FFFu

struct block_device;
struct inode;

struct swap_area {
    struct mapping mapping; /* its host is the area */
    u32 number;
    s32 priority;        /* the highest goes first */
    struct inode *inode; /* what swapon was given; a reference */
    struct block_device *device;
    bool claimed; /* the device is ours alone: the area is no file on it */
    u32 nr_slots, usable, used;
    u32 next;      /* where the search for a free slot goes on */
    u32 readers;   /* tasks that wait for one of its pages */
    bool closing;  /* swapoff is at work: no new pages */
    u16 **slots;   /* parts of a page each */
    u32 **sectors; /* of a file: where each slot begins on the device. NULL: one after the other */
};

extern struct swap_area *swap_areas[SWAP_AREAS]; /* NULL: free */
extern const struct mapping_ops swap_mapping_ops;

static inline u16 *swap_slot(const struct swap_area *a, u32 slot)
{
    return &a->slots[slot / SLOTS_PER_PART][slot % SLOTS_PER_PART];
}

#endif
