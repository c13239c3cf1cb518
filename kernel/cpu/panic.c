/*
 * A panic explains itself: why, the registers, a symbolised backtrace, the task, the last events
 * of the trace ring; then QEMU exits with a failing status where its debug-exit device is present.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/trap.h"
#include "kernel/ledger/trace.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/log.h"
#include "kernel/proc/task.h"

/* Made by tools/mksyms from a first link: functions in the order of their addresses. */
struct ksym {
    u32 address, name; /* offset into ksyms_names */
};
extern const struct ksym ksyms_start[];
extern const u32 ksyms_count;
extern const char ksyms_names[];
extern const u8 kernel_start[], kernel_text_end[];

const char *ksym_lookup(u32 address, u32 *offset)
{
    if (address < (u32)kernel_start || address >= (u32)kernel_text_end || !ksyms_count ||
        address < ksyms_start[0].address)
        return NULL;
    u32 low = 0, high = ksyms_count;
    while (high - low > 1) {
        u32 middle = (low + high) / 2;
        if (ksyms_start[middle].address <= address)
            low = middle;
        else
            high = middle;
    }
    *offset = address - ksyms_start[low].address;
    return ksyms_names + ksyms_start[low].name;
}

static void print_address(u32 address)
{
    u32 offset;
    const char *name = ksym_lookup(address, &offset);
    if (name)
        kprintf("  %08x  %s+0x%x\n", address, name, offset);
    else
        kprintf("  %08x\n", address);
}

/* A frame pointer is believed only while it stays in the stack it started in. */
void backtrace_print(u32 eip, u32 ebp)
{
    kprintf("backtrace:\n");
    print_address(eip);
    u32 lowest = ebp;
    for (int depth = 0; depth < 24; depth++) {
        if (ebp < KERNEL_BASE || ebp % 4 || ebp < lowest || ebp - lowest > 16384)
            break;
        const u32 *frame = (const u32 *)ebp;
        if (!frame[1])
            break;
        print_address(frame[1]);
        if (frame[0] <= ebp)
            break;
        ebp = frame[0];
    }
}

void registers_print(const struct trap_frame *f)
{
    bool user = trap_from_user(f);
    u32 cr2, cr3;
    __asm__ volatile("movl %%cr2, %0" : "=r"(cr2));
    __asm__ volatile("movl %%cr3, %0" : "=r"(cr3));
    kprintf("eax %08x  ebx %08x  ecx %08x  edx %08x\n", f->eax, f->ebx, f->ecx, f->edx);
    kprintf("esi %08x  edi %08x  ebp %08x  esp %08x\n", f->esi, f->edi, f->ebp,
            user ? f->esp : f->esp_kernel + 20);
    kprintf("eip %08x  cs %04x  eflags %08x  cr2 %08x  cr3 %08x\n", f->eip, f->cs, f->eflags, cr2,
            cr3);
}

static void __noreturn finish(void)
{
    if (current)
        kprintf("task %u (%s)\n", current->tid, current->name);
    trace_print_last(16);
    kprintf("-- end of panic --\n");
    power_fail();
}

static bool panicking;

static void begin(void)
{
    irq_disable();
    if (panicking) /* a fault while explaining one: the explanation ends here */
        power_fail();
    panicking = true;
    kprintf("\npanic: ");
}

void panic(const char *fmt, ...)
{
    log_console_level = 8; /* whatever klogd(8) wanted */
    begin();
    char why[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    kprintf("%s\n", why);
    /* The registers as they are here: what the callee may change has changed since the cause. */
    struct trap_frame here = {.eip = (u32)__builtin_return_address(0)};
    __asm__ volatile("movl %%eax, %0; movl %%ecx, %1; movl %%edx, %2"
                     : "=m"(here.eax), "=m"(here.ecx), "=m"(here.edx));
    __asm__ volatile("movl %%ebx, %0; movl %%esi, %1; movl %%edi, %2; movl %%cs, %%eax; "
                     "movl %%eax, %3; pushfl; popl %4"
                     : "=m"(here.ebx), "=m"(here.esi), "=m"(here.edi), "=m"(here.cs),
                       "=r"(here.eflags)::"eax");
    here.ebp = *(u32 *)__builtin_frame_address(0);
    here.esp_kernel = (u32)__builtin_frame_address(0) - 20;
    registers_print(&here);
    backtrace_print(here.eip, here.ebp);
    finish();
}

void panic_frame(const struct trap_frame *f, const char *why)
{
    begin();
    kprintf("%s (vector %u, error %x)\n", why, f->vector, f->error);
    registers_print(f);
    backtrace_print(f->eip, f->ebp);
    finish();
}

static u32 overflow_stack(u32 depth)
{
    volatile u32 room[64];
    room[0] = depth;
    return depth == ~0u ? 0 : overflow_stack(depth + 1) + room[0];
}

/* ferry.panic=KIND on the command line: one of each, to see (and to test) what it looks like. */
void panic_on_request(void)
{
    volatile u32 *volatile nowhere = (u32 *)0x10;
    char kind[16];
    if (!cmdline_get("ferry.panic", kind, sizeof(kind)))
        return;
    if (!strcmp(kind, "assert"))
        ASSERT(!"asked for by ferry.panic=assert");
    if (!strcmp(kind, "fault"))
        *nowhere = 1; /* the first page is never mapped */
    if (!strcmp(kind, "text"))
        *(volatile u8 *)kernel_start = 0; /* kernel text is read-only for the kernel too */
    if (!strcmp(kind, "stack"))
        overflow_stack(0);
    panic("ferry.panic=%s: not one of assert, fault, text, stack", kind);
}
