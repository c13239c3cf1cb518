/*
 * Where every trap arrives: system calls, page faults, other exceptions, interrupts.
 *
 * A program's fault kills the program and says why; the kernel's own fault is a panic, unless the
 * instruction is one of uaccess.asm, which may touch a bad user address and has a place to go on.
 */
#include "kernel/cpu/trap.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/fault.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/task.h"

enum { SIG_ILL = 4, SIG_TRAP = 5, SIG_BUS = 7, SIG_FPE = 8, SIG_SEGV = 11 };

static const struct {
    const char *name;
    u8 signal;
} exceptions[] = {
    [0] = {"divide error", SIG_FPE},
    [1] = {"debug", SIG_TRAP},
    [2] = {"non-maskable interrupt", 0},
    [3] = {"breakpoint", SIG_TRAP},
    [4] = {"overflow", SIG_SEGV},
    [5] = {"bound range exceeded", SIG_SEGV},
    [6] = {"invalid opcode", SIG_ILL},
    [7] = {"device not available", SIG_FPE},
    [8] = {"double fault", 0},
    [9] = {"coprocessor segment overrun", SIG_FPE},
    [10] = {"invalid TSS", SIG_SEGV},
    [11] = {"segment not present", SIG_BUS},
    [12] = {"stack fault", SIG_BUS},
    [13] = {"general protection fault", SIG_SEGV},
    [14] = {"page fault", SIG_SEGV},
    [15] = {"reserved", 0},
    [16] = {"x87 floating-point error", SIG_FPE},
    [17] = {"alignment check", SIG_BUS},
    [18] = {"machine check", 0},
    [19] = {"SIMD floating-point exception", SIG_FPE},
};

struct extable_entry {
    u32 at, go_on;
};
extern const struct extable_entry extable_start[], extable_end[];

/* Where to go on after a fault of the instruction at eip; 0: it must not fault. */
static u32 extable_find(u32 eip)
{
    for (const struct extable_entry *e = extable_start; e < extable_end; e++)
        if (e->at == eip)
            return e->go_on;
    return 0;
}

static u32 read_cr2(void)
{
    u32 address;
    __asm__ volatile("movl %%cr2, %0" : "=r"(address));
    return address;
}

static void page_fault(struct trap_frame *f)
{
    u32 address = read_cr2();
    bool from_user = trap_from_user(f);
    /* Interrupts were on where the fault happened, except in a few places that must not fault. */
    if (f->eflags & EFLAGS_IF)
        irq_enable();

    u32 go_on = from_user ? 0 : extable_find(f->eip);
    if (!from_user && !go_on) { /* nothing else may touch user addresses, and */
        kprintf("page fault at %08x (error %x)\n", address, f->error); /* the rest is mapped */
        panic_frame(f, "page fault in the kernel");
    }
    int signal = fault_handle(address, f->error, from_user);
    if (signal == 0)
        return;
    if (from_user)
        task_die(signal, "%s at %08x, eip %08x (%s of %s page)", exceptions[14].name, address,
                 f->eip,
                 f->error & FAULT_WRITE ? "write" : (f->error & FAULT_FETCH ? "fetch" : "read"),
                 f->error & FAULT_PRESENT ? "a protected" : "an absent");
    f->eip = go_on;
}

static void exception(struct trap_frame *f)
{
    const char *name = f->vector < ARRAY_LEN(exceptions) ? exceptions[f->vector].name : "reserved";
    ledger_entry(account_current(), ENTRY_EXCEPTION);
    if (!trap_from_user(f)) {
        u32 go_on = extable_find(f->eip); /* the way back to a program (trap.asm) */
        if (!go_on)
            panic_frame(f, name);
        f->eip = go_on;
        return;
    }
    int signal = f->vector < ARRAY_LEN(exceptions) ? exceptions[f->vector].signal : 0;
    irq_enable();
    task_die(signal ? signal : SIG_SEGV, "%s, eip %08x, error %x", name, f->eip, f->error);
}

/* iret could not return to the program: its code or stack segment is gone. */
void trap_return_failed(void)
{
    irq_enable();
    task_die(SIG_SEGV, "no way back: a segment register holds no valid selector");
}

void trap_dispatch(struct trap_frame *f)
{
    bool from_user = trap_from_user(f);
    if (from_user)
        current->frame = f;

    if (f->vector == TRAP_SYSCALL) {
        syscall_dispatch(f);
    } else if (f->vector >= TRAP_IRQ_FIRST && f->vector < TRAP_IRQ_FIRST + 16) {
        if (idle_since)
            idle_interrupted();
        irq_from_user = from_user;
        ledger_entry(account_current(), ENTRY_IRQ);
        irq_dispatch(f->vector - TRAP_IRQ_FIRST);
    } else if (f->vector == TRAP_PAGE_FAULT) {
        page_fault(f);
    } else {
        exception(f);
    }

    if (from_user)
        task_return_to_user(); /* killed? time slice used up? */
}
