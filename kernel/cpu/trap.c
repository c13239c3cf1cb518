/*
 * Where every trap arrives: system calls, page faults, other exceptions, interrupts.
 *
 * A program's fault becomes a signal; the kernel's own fault is a panic, unless the
 * instruction is one of uaccess.asm, which may touch a bad user address and has a place to go on.
 */
#include "kernel/cpu/trap.h"
#include "kernel/cpu/fpu_frame.h"
#include "kernel/ledger/ledger.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/mm.h"
#include "kernel/proc/exit.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/signal_internal.h"

/* What a program gets for each: SDM vol. 3, table 6-1; signal and si_code as on Linux, 0 where it
 * is to be found out, or is SI_KERNEL. `at`: si_addr is the instruction. */
static const struct {
    const char *name;
    u8 signal, code;
    bool at;
} exceptions[] = {
    [0] = {"divide error", SIGFPE, FPE_INTDIV, true},
    [1] = {"debug", SIGTRAP, TRAP_TRACE, true},
    [2] = {"non-maskable interrupt", 0, 0, false},
    [3] = {"breakpoint", SIGTRAP, 0, false},
    [4] = {"overflow", SIGSEGV, 0, false},
    [5] = {"bound range exceeded", SIGSEGV, 0, false},
    [6] = {"invalid opcode", SIGILL, ILL_ILLOPN, true},
    [7] = {"device not available", SIGFPE, 0, false},
    [8] = {"double fault", 0, 0, false},
    [9] = {"coprocessor segment overrun", SIGFPE, 0, false},
    [10] = {"invalid TSS", SIGSEGV, 0, false},
    [11] = {"segment not present", SIGBUS, 0, false},
    [12] = {"stack fault", SIGBUS, 0, false},
    [13] = {"general protection fault", SIGSEGV, 0, false},
    [14] = {"page fault", SIGSEGV, 0, false},
    [15] = {"reserved", 0, 0, false},
    [16] = {"x87 floating-point error", SIGFPE, 0, true},
    [17] = {"alignment check", SIGBUS, BUS_ADRALN, false},
    [18] = {"machine check", 0, 0, false},
    [19] = {"SIMD floating-point exception", SIGFPE, 0, true},
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

/* For the sigcontext of a handler. */
static void note_fault(const struct trap_frame *f, u32 address)
{
    current->signals.trap = f->vector;
    current->signals.error = f->error;
    current->signals.address = address;
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
    if (!from_user) {
        f->eip = go_on;
        return;
    }
    if (current->killed) /* there was no memory */
        return;
    note_fault(f, address);
    bool mapped = address < USER_END && vma_find(current->mm, address);
    int code = signal == SIGBUS ? BUS_ADRERR : mapped ? SEGV_ACCERR : SEGV_MAPERR;
    signal_fault(signal, code, address, "%s at %08x, eip %08x (%s of %s page)", exceptions[14].name,
                 address, f->eip,
                 f->error & FAULT_WRITE ? "write" : (f->error & FAULT_FETCH ? "fetch" : "read"),
                 f->error & FAULT_PRESENT ? "a protected" : "an absent");
}

static void exception(struct trap_frame *f)
{
    bool known = f->vector < ARRAY_LEN(exceptions);
    const char *name = known ? exceptions[f->vector].name : "reserved";
    ledger_entry(account_current(), ENTRY_EXCEPTION);
    if (!trap_from_user(f)) {
        u32 go_on = extable_find(f->eip); /* the way back to a program (trap.asm) */
        if (!go_on)
            panic_frame(f, name);
        f->eip = go_on;
        return;
    }
    irq_enable();
    note_fault(f, current->signals.address);
    int signal = known && exceptions[f->vector].signal ? exceptions[f->vector].signal : SIGSEGV;
    int code = known ? exceptions[f->vector].code : 0;
    if (f->vector == TRAP_FPU || f->vector == TRAP_SIMD)
        code = fpu_exception_code(f->vector == TRAP_SIMD);
    signal_fault(signal, code ? code : SI_KERNEL, known && exceptions[f->vector].at ? f->eip : 0,
                 "%s, eip %08x, error %x", name, f->eip, f->error);
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
        task_return_to_user(); /* a signal? time slice used up? */
}
