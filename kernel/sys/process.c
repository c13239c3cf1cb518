/* Calls on the calling task itself and on the machine. */
#include <linux/reboot.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/sys.h"

long sys_getpid(void)
{
    return current->process->pid;
}
long sys_gettid(void)
{
    return current->tid;
}
long sys_getppid(void)
{
    return current->process->parent ? current->process->parent->pid : 0;
}

long sys_set_tid_address(u32 __user *tid)
{
    current->clear_child_tid = (u32)tid;
    return current->tid;
}

long sys_reboot(u32 magic1, u32 magic2, u32 command, void __user *argument)
{
    if (magic1 != LINUX_REBOOT_MAGIC1 ||
        (magic2 != LINUX_REBOOT_MAGIC2 && magic2 != LINUX_REBOOT_MAGIC2A &&
         magic2 != LINUX_REBOOT_MAGIC2B && magic2 != LINUX_REBOOT_MAGIC2C))
        return -EINVAL;
    switch (command) {
    case LINUX_REBOOT_CMD_POWER_OFF:
    case LINUX_REBOOT_CMD_HALT:
        vfs_sync_all(true);
        kprintf("ferry: power off\n");
        power_off();
    case LINUX_REBOOT_CMD_RESTART:
        vfs_sync_all(true);
        power_reboot();
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}
