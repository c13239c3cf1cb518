/* Calls about the machine: its names, what it has, and small questions about where one runs. */
#include <linux/capability.h>
#include <linux/membarrier.h>
#include <linux/random.h>
#include <linux/sysinfo.h>
#include <linux/utsname.h>
#include "kernel/fs/dev.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/swap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/usage.h"
#include "kernel/proc/fork.h"
#include "kernel/proc/load.h"
#include "kernel/proc/process.h"
#include "kernel/sys/sys.h"

struct new_utsname machine_name = {
    .sysname = UTS_SYSNAME,
    .nodename = "ferry",
    .release = UTS_RELEASE,
    .version = UTS_VERSION,
    .machine = "i686",
    .domainname = "(none)",
};

long sys_uname(void __user *to)
{
    return copyout(to, &machine_name, sizeof(machine_name));
}

static long name_set(char *name, const char __user *from, s32 len)
{
    char copy[__NEW_UTS_LEN + 1] = {0};
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (len < 0 || len > __NEW_UTS_LEN)
        return -EINVAL;
    if (copyin(copy, from, (u32)len) < 0)
        return -EFAULT;
    memcpy(name, copy, sizeof(copy));
    return 0;
}

long sys_sethostname(const char __user *name, s32 len)
{
    return name_set(machine_name.nodename, name, len);
}

long sys_setdomainname(const char __user *name, s32 len)
{
    return name_set(machine_name.domainname, name, len);
}

long sys_sysinfo(void __user *to)
{
    struct memory_usage m = memory_usage();
    struct sysinfo info;
    memset(&info, 0, sizeof(info));
    load_catch_up();
    for (u32 i = 0; i < 3; i++)
        info.loads[i] = load_average[i] << (SI_LOAD_SHIFT - LOAD_SHIFT);
    info.uptime = (s32)((u32)timer_ticks() / TIMER_HZ);
    info.totalram = total_frames * PAGE_SIZE;
    info.freeram = nr_free_frames * PAGE_SIZE;
    info.sharedram = m.shared * PAGE_SIZE;
    info.bufferram = m.buffers * PAGE_SIZE;
    struct swap_totals swap = swap_totals();
    info.totalswap = swap.total * PAGE_SIZE;
    info.freeswap = (swap.total - swap.used) * PAGE_SIZE;
    info.procs = (u16)task_count;
    info.mem_unit = 1;
    return copyout(to, &info, sizeof(info));
}

long sys_getcpu(u32 __user *cpu, u32 __user *node, void __user *unused)
{
    if ((cpu && zero_user(cpu, sizeof(*cpu)) < 0) || (node && zero_user(node, sizeof(*node)) < 0))
        return -EFAULT;
    return 0;
}

/* With one processor every thread sees memory in one order: there is nothing to wait for. */
long sys_membarrier(s32 command, u32 flags, s32 cpu)
{
    if (flags)
        return -EINVAL;
    switch (command) {
    case MEMBARRIER_CMD_QUERY:
        return MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
               MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
    case MEMBARRIER_CMD_GLOBAL:
    case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
    case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
        return 0;
    default:
        return -EINVAL;
    }
}

/* Not for keys: see random_word in kernel/fs/dev.c. */
long sys_getrandom(void __user *buf, u32 len, u32 flags)
{
    if (flags & ~(u32)(GRND_NONBLOCK | GRND_RANDOM | GRND_INSECURE) ||
        (flags & (GRND_RANDOM | GRND_INSECURE)) == (GRND_RANDOM | GRND_INSECURE))
        return -EINVAL;
    return random_read(NULL, buf, MIN(len, 33554431u), NULL); /* cut as on Linux */
}

/* Kept and inherited, as programs expect that ask whether it took. */
long sys_personality(u32 persona)
{
    u32 before = current->process->personality;
    if (persona != 0xFFFFFFFF)
        current->process->personality = persona;
    return (long)before;
}
