/* Calls on the calling task itself and on the machine. */
#include <asm/ldt.h>
#include <linux/reboot.h>
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

/* set_thread_area(2): a thread-local segment in one of the three GDT entries kept for it. */
long sys_set_thread_area(void __user *descriptor)
{
    struct user_desc d;
    if (copyin(&d, descriptor, sizeof(d)) < 0)
        return -EFAULT;
    u32 slot = d.entry_number - GDT_TLS_FIRST;
    if (d.entry_number == (u32)-1) {
        for (slot = 0; slot < NR_TLS_ENTRIES && current->tls[slot]; slot++)
            ;
        if (slot == NR_TLS_ENTRIES)
            return -ESRCH;
        d.entry_number = GDT_TLS_FIRST + slot;
        if (copyout(descriptor, &d, sizeof(d)) < 0)
            return -EFAULT;
    }
    if (slot >= NR_TLS_ENTRIES)
        return -EINVAL;
    bool empty = !d.base_addr && !d.limit && !d.seg_32bit && d.read_exec_only && d.seg_not_present;
    /* As Linux: only 32-bit data. (A 16-bit stack would show half of the kernel's ESP at iret.) */
    if (!empty && (!d.seg_32bit || d.contents > 1 || d.seg_not_present))
        return -EINVAL;
    u64 type = 0x10 | (u64)(d.contents & 2) << 2 | (u64)(d.contents & 1) << 2 |
               (d.read_exec_only ? 0 : 2) | 1; /* system bit, code or data, writable, accessed */
    current->tls[slot] = empty ? 0
                               : (u64)(d.limit & 0xFFFF) | (u64)(d.base_addr & 0xFFFFFF) << 16 |
                                     type << 40 | (u64)3 << 45 | (u64)!d.seg_not_present << 47 |
                                     (u64)(d.limit >> 16 & 0xF) << 48 | (u64)d.useable << 52 |
                                     (u64)d.seg_32bit << 54 | (u64)d.limit_in_pages << 55 |
                                     (u64)(d.base_addr >> 24) << 56;
    gdt_set_tls(current->tls);
    return 0;
}

long sys_set_tid_address(u32 __user *tid)
{
    current->clear_child_tid = (u32)tid;
    return current->tid;
}

long sys_sched_yield(void)
{
    schedule();
    return 0;
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
        kprintf("ferry: power off\n");
        power_off();
    case LINUX_REBOOT_CMD_RESTART:
        power_reboot();
    case LINUX_REBOOT_CMD_CAD_ON:
    case LINUX_REBOOT_CMD_CAD_OFF:
        return 0;
    default:
        return -EINVAL;
    }
}
