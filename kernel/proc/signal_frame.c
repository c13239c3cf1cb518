/*
 * The frame that a signal handler finds on its stack, and sigreturn(2), which takes it back.
 *
 * Byte for byte Linux's i386 frames (arch/x86/include/asm/sigframe.h): the old one for handlers of
 * one argument, the other for SA_SIGINFO. Above the frame lies the state of the FPU, on a boundary
 * of 64 bytes for FXSAVE's part. The program may have written anything there meanwhile: nothing of
 * a frame is believed that could reach beyond the program itself.
 */
#include <asm/sigcontext.h>
#include <asm/unistd_32.h>
#include "kernel/cpu/fpu_frame.h"
#include "kernel/cpu/segments.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/signal_calls.h"
#include "kernel/proc/signal_internal.h"

struct frame {
    u32 return_to;
    s32 sig;
    struct sigcontext context;
    struct _fpstate_32 unused; /* where the FPU's state once was */
    u32 mask_high;
    u8 code[8];
};

struct user_context { /* struct ucontext with the kernel's 64-bit mask */
    u32 flags, link;
    struct signal_stack_abi {
        u32 base;
        s32 flags;
        u32 size;
    } stack;
    struct sigcontext context;
    u32 mask[2];
};

struct rt_frame {
    u32 return_to;
    s32 sig;
    u32 info_at, context_at;
    siginfo_t info;
    struct user_context uc;
    u8 code[8];
};

/* The way back for programs without SA_RESTORER. gdb and unwinders know these very bytes. */
static const u8 return_code[8] = {
    0x58,                          /* pop %eax: the signal number */
    0xB8, __NR_sigreturn, 0, 0, 0, /* mov $.., %eax */
    0xCD, 0x80,                    /* int $0x80 */
};
static const u8 rt_return_code[8] = {
    0xB8, __NR_rt_sigreturn,
    0,    0,
    0,          /* mov $.., %eax */
    0xCD, 0x80, /* int $0x80 */
    0,
};

/* What a program may set of EFLAGS: AC OF DF TF SF ZF AF PF CF, and RF. SDM vol. 1, 3.4.3. */
#define EFLAGS_USER 0x50DD5u
enum { EFLAGS_TF = 1 << 8, EFLAGS_DF = 1 << 10, EFLAGS_RF = 1 << 16 };

bool on_signal_stack(u32 esp)
{
    const struct signal_stack *s = &current->signals.stack;
    return !(s->flags & SS_AUTODISARM) && esp > s->base && esp - s->base <= s->size;
}

/* ---- onto the stack ---- */

/* Where the frame goes: *fpu_at above, the frame's own address is the result; 0: no room. */
static u32 place(const struct trap_frame *f, const struct signal_action *action, u32 frame_size,
                 u32 *fpu_at)
{
    const struct signal_stack *s = &current->signals.stack;
    u32 sp = f->esp;
    bool was_on = on_signal_stack(sp);
    if (action->flags & SA_ONSTACK && s->size && !was_on) {
        sp = s->base + s->size;
        was_on = true;
    }
    if (sp < frame_size + FPU_FRAME_MAX + 128)
        return 0;
    sp = *fpu_at = fpu_frame_place(sp);
    sp = ((sp - frame_size + 4) & ~15u) - 4; /* the ABI's alignment behind the return address */
    if (was_on && s->size && !on_signal_stack(sp) && on_signal_stack(f->esp))
        return 0; /* it would run out of the signal stack's lower end */
    return sp;
}

static struct sigcontext context_of(const struct trap_frame *f, u32 fpu_at, u64 mask)
{
    const struct task_signals *s = &current->signals;
    return (struct sigcontext){
        .gs = f->gs,
        .fs = f->fs,
        .es = f->es,
        .ds = f->ds,
        .edi = f->edi,
        .esi = f->esi,
        .ebp = f->ebp,
        .esp = f->esp,
        .ebx = f->ebx,
        .edx = f->edx,
        .ecx = f->ecx,
        .eax = f->eax,
        .trapno = s->trap,
        .err = s->error,
        .eip = f->eip,
        .cs = f->cs,
        .eflags = f->eflags,
        .esp_at_signal = f->esp,
        .ss = f->ss,
        .fpstate = (struct _fpstate *)fpu_at,
        .oldmask = (u32)mask,
        .cr2 = s->address,
    };
}

static int push_frame(u32 at, u32 fpu_at, const struct trap_frame *f, int sig,
                      const struct signal_action *action, u64 mask)
{
    struct frame frame;
    memset(&frame, 0, sizeof(frame));
    frame.return_to =
        action->flags & SA_RESTORER ? action->restorer : at + offsetof(struct frame, code);
    frame.sig = sig;
    frame.context = context_of(f, fpu_at, mask);
    frame.mask_high = (u32)(mask >> 32);
    memcpy(frame.code, return_code, sizeof(frame.code));
    return copyout((void __user *)at, &frame, sizeof(frame));
}

static int push_rt_frame(u32 at, u32 fpu_at, const struct trap_frame *f, int sig,
                         const siginfo_t *info, const struct signal_action *action, u64 mask)
{
    const struct signal_stack *s = &current->signals.stack;
    struct rt_frame frame;
    memset(&frame, 0, sizeof(frame));
    frame.return_to =
        action->flags & SA_RESTORER ? action->restorer : at + offsetof(struct rt_frame, code);
    frame.sig = sig;
    frame.info_at = at + offsetof(struct rt_frame, info);
    frame.context_at = at + offsetof(struct rt_frame, uc);
    frame.info = *info;
    frame.uc.stack = (struct signal_stack_abi){s->base, (s32)s->flags, s->size};
    frame.uc.context = context_of(f, fpu_at, mask);
    frame.uc.mask[0] = (u32)mask;
    frame.uc.mask[1] = (u32)(mask >> 32);
    memcpy(frame.code, rt_return_code, sizeof(frame.code));
    return copyout((void __user *)at, &frame, sizeof(frame));
}

int signal_frame_push(struct trap_frame *f, int sig, const siginfo_t *info,
                      const struct signal_action *action, u64 old_mask)
{
    bool rt = action->flags & SA_SIGINFO;
    u32 fpu_at, at = place(f, action, rt ? sizeof(struct rt_frame) : sizeof(struct frame), &fpu_at);
    if (!at || fpu_frame_push(fpu_at) < 0)
        return -EFAULT;
    if (rt ? push_rt_frame(at, fpu_at, f, sig, info, action, old_mask)
           : push_frame(at, fpu_at, f, sig, action, old_mask))
        return -EFAULT;
    if (current->signals.stack.flags & SS_AUTODISARM)
        current->signals.stack = (struct signal_stack){.flags = SS_DISABLE};

    fpu_state_init(&current->fpu); /* a handler starts with a fresh FPU */
    fpu_restore(&current->fpu);
    f->eip = action->handler;
    f->esp = at;
    f->eax = sig;
    f->edx = rt ? at + offsetof(struct rt_frame, info) : 0;
    f->ecx = rt ? at + offsetof(struct rt_frame, uc) : 0;
    f->ds = f->es = f->ss = USER_DS;
    f->cs = USER_CS;
    f->eflags &= ~(u32)(EFLAGS_DF | EFLAGS_RF | EFLAGS_TF);
    return 0;
}

/* ---- and back ---- */

/* A data segment for the way back: null, or one of ring 3. What is no segment becomes null there
 * (trap.asm). */
static u32 data_selector(u16 selector)
{
    return selector & ~3u ? selector | 3u : selector;
}

/* The program goes on with these registers; its EAX becomes the call's answer. */
static int context_restore(struct trap_frame *f, const struct sigcontext *c, u64 mask)
{
    if (fpu_frame_pop((u32)c->fpstate) < 0)
        return -EFAULT;
    f->gs = data_selector(c->gs);
    f->fs = data_selector(c->fs);
    f->es = data_selector(c->es);
    f->ds = data_selector(c->ds);
    f->edi = c->edi;
    f->esi = c->esi;
    f->ebp = c->ebp;
    f->ebx = c->ebx;
    f->edx = c->edx;
    f->ecx = c->ecx;
    f->eax = c->eax;
    f->eip = c->eip;
    f->esp = c->esp;
    f->cs = c->cs | 3u;
    f->ss = c->ss | 3u;
    f->eflags = (f->eflags & ~EFLAGS_USER) | (c->eflags & EFLAGS_USER);
    f->error = (u32)-1;                    /* no call to begin again: see signal_deliver.c */
    current->signals.restart.again = NULL; /* nor one to go on with */
    signal_set_blocked(mask);
    return 0;
}

static long bad_frame(const struct trap_frame *f, const char *call)
{
    signal_fault(SIGSEGV, SI_KERNEL, 0, "%s with a bad frame, esp %08x", call, f->esp);
    return 0;
}

/* The handler's "ret" has taken return_to from the stack, and "pop %eax" the number. */
long sys_sigreturn(void)
{
    struct trap_frame *f = current->frame;
    const struct frame __user *at = (const struct frame *)(f->esp - 8);
    struct sigcontext context;
    u32 mask_high;
    if (copyin(&context, &at->context, sizeof(context)) < 0 ||
        copyin(&mask_high, &at->mask_high, sizeof(mask_high)) < 0 ||
        context_restore(f, &context, (u64)mask_high << 32 | context.oldmask) < 0)
        return bad_frame(f, "sigreturn");
    return (long)f->eax;
}

long sys_rt_sigreturn(void)
{
    struct trap_frame *f = current->frame;
    const struct rt_frame __user *at = (const struct rt_frame *)(f->esp - 4);
    struct user_context uc;
    if (copyin(&uc, &at->uc, sizeof(uc)) < 0 ||
        context_restore(f, &uc.context, (u64)uc.mask[1] << 32 | uc.mask[0]) < 0)
        return bad_frame(f, "rt_sigreturn");
    (void)signal_stack_set(uc.stack.base, (u32)uc.stack.flags, uc.stack.size, f->esp);
    return (long)f->eax;
}
