/* /proc/sys: what can be read and set, with Linux's names where Linux has it. sysctl(8). */
#include <linux/utsname.h>
#include "drivers/ide/ide.h"
#include "kernel/cache/writeback.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/pipe.h"
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/net/net.h"
#include "kernel/proc/fork.h"
#include "kernel/sys/sys.h"

void sys_hostname(struct text *t)
{
    text_printf(t, "%s\n", machine_name.nodename);
}

int sys_hostname_write(const char *value)
{
    strlcpy(machine_name.nodename, value, sizeof(machine_name.nodename));
    return 0;
}

void sys_domainname(struct text *t)
{
    text_printf(t, "%s\n", machine_name.domainname);
}

int sys_domainname_write(const char *value)
{
    strlcpy(machine_name.domainname, value, sizeof(machine_name.domainname));
    return 0;
}

void sys_pid_max(struct text *t)
{
    text_printf(t, "%u\n", PID_MAX + 1);
}

void sys_threads_max(struct text *t)
{
    text_printf(t, "%u\n", TASKS_MAX);
}

void sys_nr_open(struct text *t)
{
    text_printf(t, "%u\n", NR_FDS);
}

void sys_pipe_max_size(struct text *t)
{
    text_printf(t, "%u\n", PIPE_SLOTS_MAX * PAGE_SIZE);
}

/* Open files, free ones (never any), and how many there may be: as many as memory holds. */
void sys_file_nr(struct text *t)
{
    text_printf(t, "%u\t0\t%u\n", nr_open_files, 0x7FFFFFFF);
}

/* RFC 4122, version 4: random but for six bits. */
static void uuid_line(struct text *t, const u32 r[4])
{
    text_printf(t, "%08x-%04x-%04x-%04x-%04x%08x\n", r[0], r[1] >> 16, (r[1] & 0xFFF) | 0x4000,
                (r[2] >> 16 & 0x3FFF) | 0x8000, r[2] & 0xFFFF, r[3]);
}

void sys_uuid(struct text *t)
{
    u32 words[4] = {random_word(), random_word(), random_word(), random_word()};
    uuid_line(t, words);
}

void sys_boot_id(struct text *t)
{
    static u32 words[4];
    for (u32 i = 0; i < 4 && !words[3]; i++)
        words[i] = random_word() | 1;
    uuid_line(t, words);
}

int sys_drop_caches(const char *value)
{
    u32 n;
    if (proc_number(value, &n) < 0 || n < 1 || n > 3)
        return -EINVAL;
    if (n & 1)
        cache_drop_clean();
    if (n & 2)
        while (inode_trim(1, 1)) /* directories after what was in them */
            ;
    slab_trim();
    return 0;
}

/* ---- vm.dirty_*: when write-back begins (kernel/cache/writeback.c) ---- */

/* A share of the memory, or so many bytes: whichever was set last; the other one reads as 0. */
static int set_percent(const char *value, u32 *percent, u32 *bytes)
{
    u32 n;
    if (proc_number(value, &n) < 0 || n > 100)
        return -EINVAL;
    *percent = n;
    *bytes = 0;
    return 0;
}
static int set_bytes(const char *value, u32 least, u32 *percent, u32 *bytes)
{
    u32 n;
    if (proc_number(value, &n) < 0 || n < least)
        return -EINVAL;
    *percent = 0;
    *bytes = n;
    return 0;
}

int sys_set_dirty_ratio(const char *value)
{
    return set_percent(value, &writeback_limits.dirty_ratio, &writeback_limits.dirty_bytes);
}
int sys_set_dirty_background_ratio(const char *value)
{
    return set_percent(value, &writeback_limits.dirty_background_ratio,
                       &writeback_limits.dirty_background_bytes);
}
int sys_set_dirty_bytes(const char *value)
{
    return set_bytes(value, 2 * PAGE_SIZE, &writeback_limits.dirty_ratio,
                     &writeback_limits.dirty_bytes);
}
int sys_set_dirty_background_bytes(const char *value)
{
    return set_bytes(value, 1, &writeback_limits.dirty_background_ratio,
                     &writeback_limits.dirty_background_bytes);
}
int sys_set_dirty_expire(const char *value)
{
    return proc_number(value, &writeback_limits.dirty_expire_centisecs);
}
int sys_set_dirty_writeback(const char *value)
{
    int err = proc_number(value, &writeback_limits.dirty_writeback_centisecs);
    writeback_kick(); /* flushd learns of its new interval */
    return err;
}
void sys_dirty_ratio(struct text *t)
{
    text_printf(t, "%u\n", writeback_limits.dirty_ratio);
}
void sys_dirty_background_ratio(struct text *t)
{
    text_printf(t, "%u\n", writeback_limits.dirty_background_ratio);
}
void sys_dirty_bytes(struct text *t)
{
    text_printf(t, "%u\n", writeback_limits.dirty_bytes);
}
void sys_dirty_background_bytes(struct text *t)
{
    text_printf(t, "%u\n", writeback_limits.dirty_background_bytes);
}
void sys_dirty_expire(struct text *t)
{
    text_printf(t, "%u\n", writeback_limits.dirty_expire_centisecs);
}
void sys_dirty_writeback(struct text *t)
{
    text_printf(t, "%u\n", writeback_limits.dirty_writeback_centisecs);
}

/* Programmed I/O of the disks polls instead of waiting for interrupts (drivers/ide/mode.c). */
void sys_disk_polling(struct text *t)
{
    text_printf(t, "%u\n", ide_polling);
}

int sys_set_disk_polling(const char *value)
{
    u32 n;
    if (proc_number(value, &n) < 0 || n > 1)
        return -EINVAL;
    ide_set_polling(n);
    return 0;
}

/* How many seconds a drive may say nothing. Linux has this at /sys/block/NAME/device/timeout. */
void sys_disk_timeout(struct text *t)
{
    text_printf(t, "%u\n", ide_timeout_seconds);
}

int sys_set_disk_timeout(const char *value)
{
    u32 n;
    if (proc_number(value, &n) < 0 || n < 1 || n > 600)
        return -EINVAL;
    ide_timeout_seconds = n;
    return 0;
}

int sys_drop_nth(const char *value)
{
    u32 n;
    int err = proc_number(value, &n);
    return err ? err : net_set_drop_nth(n);
}
