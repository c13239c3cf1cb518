/* The layout of the GDT. Linux programs know two of its places: user code is 0x23 or 0x73 to
 * nobody, but set_thread_area(2) hands out entry numbers from GDT_TLS_FIRST (6, as on Linux). */
#ifndef KERNEL_CPU_SEGMENTS_H
#define KERNEL_CPU_SEGMENTS_H

#define KERNEL_CS        0x08
#define KERNEL_DS        0x10
#define USER_CS          0x1B /* 0x18, ring 3 */
#define USER_DS          0x23 /* 0x20, ring 3 */
#define TSS_SELECTOR     0x28
#define DOUBLE_FAULT_TSS 0x48 /* behind the three thread-local entries 0x30 0x38 0x40 */
#define GDT_ENTRIES      10

#define virt_to_phys_boot(p) ((u32)(p)-0xC0000000u)

#endif
