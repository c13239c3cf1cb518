/* See fw_cfg.h: a selector port, a data port, and a directory of named files. */
#include "drivers/fw_cfg.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"

enum { PORT_SELECT = 0x510, PORT_DATA = 0x511, KEY_SIGNATURE = 0x00, KEY_DIRECTORY = 0x19 };
enum { MAX_FILES = 4096 }; /* a directory longer than this is nonsense */

struct fw_cfg_file { /* big endian */
    u32 size;
    u16 select, reserved;
    char name[56];
};

static void read_bytes(void *to, u32 len)
{
    for (u8 *p = to; len--; p++)
        *p = inb(PORT_DATA);
}

int fw_cfg_read(const char *name, void *buf, u32 size)
{
    char signature[4];
    outw(PORT_SELECT, KEY_SIGNATURE);
    read_bytes(signature, 4);
    if (memcmp(signature, "QEMU", 4))
        return -ENOENT;

    u32 count;
    outw(PORT_SELECT, KEY_DIRECTORY);
    read_bytes(&count, 4);
    count = MIN(__builtin_bswap32(count), (u32)MAX_FILES);
    while (count--) {
        struct fw_cfg_file f;
        read_bytes(&f, sizeof(f));
        if (strncmp(f.name, name, sizeof(f.name)))
            continue;
        u32 len = MIN(__builtin_bswap32(f.size), size);
        outw(PORT_SELECT, __builtin_bswap16(f.select));
        read_bytes(buf, len);
        return (int)len;
    }
    return -ENOENT;
}
