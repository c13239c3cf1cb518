/*
 * Bitmaps: which blocks of a group, which inodes of a group are taken. Bit n of a map is bit
 * n % 8 of byte n / 8. Nothing here needs the kernel; callers have checked the limits.
 */
#include "kernel/fs/ext2/layout.h"

bool ext2_bit(const void *map, u32 n)
{
    return ((const u8 *)map)[n / 8] >> n % 8 & 1;
}

void ext2_bits_set(void *map, u32 first, u32 count, bool value)
{
    u8 *bytes = map;
    for (u32 n = first; n < first + count; n++)
        bytes[n / 8] = value ? bytes[n / 8] | 1u << n % 8 : bytes[n / 8] & ~(1u << n % 8);
}

u32 ext2_bits_clear_run(const void *map, u32 first, u32 max)
{
    u32 n = 0;
    while (n < max && !ext2_bit(map, first + n))
        n++;
    return n;
}

u32 ext2_bits_set_run(const void *map, u32 first, u32 max)
{
    u32 n = 0;
    while (n < max && ext2_bit(map, first + n))
        n++;
    return n;
}

/* Full words are passed over whole: a nearly full group costs a thousand steps, not 32 thousand. */
u32 ext2_bits_find_clear(const void *map, u32 from, u32 end)
{
    const u32 *words = map;
    while (from < end) {
        if (from % 32 == 0 && words[from / 32] == ~0u)
            from += 32;
        else if (ext2_bit(map, from))
            from++;
        else
            return from;
    }
    return end;
}
