/* What a multiboot 1 loader tells us (Multiboot Specification 0.6.96, 3.3). */
#ifndef BOOT_MULTIBOOT_H
#define BOOT_MULTIBOOT_H

#include "kernel/lib/types.h"

#define MULTIBOOT_LOADER_MAGIC 0x2BADB002u

enum { MULTIBOOT_HAS_CMDLINE = 1 << 2, MULTIBOOT_HAS_MMAP = 1 << 6 };
enum { MULTIBOOT_AVAILABLE = 1 };

struct multiboot_info {
    u32 flags, mem_lower, mem_upper, boot_device;
    phys_t cmdline;
    u32 mods_count, mods_addr, syms[4];
    u32 mmap_length;
    phys_t mmap_addr;
};

struct multiboot_mmap {
    u32 size; /* of this entry without this field */
    u64 base, length;
    u32 type;
} __packed;

#endif
