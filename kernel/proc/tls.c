/* Thread-local segments, in the three GDT entries kept for them. SDM vol. 3, 3.4.5. */
#include "kernel/proc/tls.h"
#include <asm/ldt.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"

static u64 descriptor_of(const struct user_desc *d)
{
    u64 type = 0x10 | (u64)(d->contents & 1) << 2 | (d->read_exec_only ? 0 : 2) |
               1; /* system bit, data, which way it grows, writable, accessed */
    return (u64)(d->limit & 0xFFFF) | (u64)(d->base_addr & 0xFFFFFF) << 16 | type << 40 |
           (u64)3 << 45 | (u64)1 << 47 | (u64)(d->limit >> 16 & 0xF) << 48 | (u64)d->useable << 52 |
           (u64)1 << 54 | (u64)d->limit_in_pages << 55 | (u64)(d->base_addr >> 24) << 56;
}

static bool is_empty(const struct user_desc *d)
{
    bool zero = !d->base_addr && !d->limit && !d->contents && !d->seg_32bit && !d->limit_in_pages &&
                !d->useable;
    return zero && d->read_exec_only == d->seg_not_present;
}

/* `slot` is the entry's number in our own array. */
static int set_slot(struct task *t, u32 slot, const struct user_desc *d)
{
    if (slot >= NR_TLS_ENTRIES)
        return -EINVAL;
    /* As Linux: only 32-bit data. (A 16-bit stack would show half of the kernel's ESP at iret.) */
    if (!is_empty(d) && (!d->seg_32bit || d->contents > 1 || d->seg_not_present))
        return -EINVAL;
    t->tls[slot] = is_empty(d) ? 0 : descriptor_of(d);
    if (t == current)
        gdt_set_tls(t->tls);
    return 0;
}

int tls_set(struct task *t, const void __user *descriptor)
{
    struct user_desc d;
    if (copyin(&d, descriptor, sizeof(d)) < 0)
        return -EFAULT;
    return set_slot(t, d.entry_number - GDT_TLS_FIRST, &d);
}

long sys_set_thread_area(void __user *descriptor)
{
    struct user_desc d;
    if (copyin(&d, descriptor, sizeof(d)) < 0)
        return -EFAULT;
    if (d.entry_number != (u32)-1)
        return set_slot(current, d.entry_number - GDT_TLS_FIRST, &d);
    u32 slot = 0;
    while (slot < NR_TLS_ENTRIES && current->tls[slot])
        slot++;
    if (slot == NR_TLS_ENTRIES)
        return -ESRCH;
    d.entry_number = GDT_TLS_FIRST + slot;
    if (copyout(descriptor, &d, sizeof(d)) < 0)
        return -EFAULT;
    return set_slot(current, slot, &d);
}

long sys_get_thread_area(void __user *descriptor)
{
    struct user_desc d;
    u32 number;
    if (copyin(&number, descriptor, sizeof(number)) < 0)
        return -EFAULT;
    if (number - GDT_TLS_FIRST >= NR_TLS_ENTRIES)
        return -EINVAL;
    u64 e = current->tls[number - GDT_TLS_FIRST];
    memset(&d, 0, sizeof(d));
    d.entry_number = number;
    d.base_addr = (u32)(e >> 16 & 0xFFFFFF) | (u32)(e >> 56) << 24;
    d.limit = (u32)(e & 0xFFFF) | (u32)(e >> 48 & 0xF) << 16;
    d.contents = e >> 42 & 3;
    d.read_exec_only = !(e >> 41 & 1);
    d.seg_not_present = !(e >> 47 & 1);
    d.useable = e >> 52 & 1;
    d.seg_32bit = e >> 54 & 1;
    d.limit_in_pages = e >> 55 & 1;
    return copyout(descriptor, &d, sizeof(d));
}
