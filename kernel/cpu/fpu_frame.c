/*
 * The state of the FPU as a signal handler sees it: the old 108 bytes of FNSAVE, a status word and
 * a magic number, and behind them, on 64 bytes, what FXSAVE stores. As on Linux the x87 registers
 * come back from the old part, SSE from the new one.
 *
 * SDM vol. 1, figure 8-9 (FNSAVE, 32-bit protected mode), table 10-2 (FXSAVE), 8.1.7 (tag word),
 * 10.2.3 and 11.6.6 (MXCSR and its mask).
 */
#include "kernel/cpu/fpu_frame.h"
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

#define OLD_PART     offsetof(struct _fpstate_32, _fxsr_env) /* 112 bytes: FNSAVE, status, magic */
#define FXSAVE_ALIGN 64u

struct fxsave {
    u16 control, status;
    u8 tag, reserved;
    u16 opcode;
    u32 ip;
    u16 cs, reserved1;
    u32 data;
    u16 ds, reserved2;
    u32 mxcsr, mxcsr_mask;
    struct _fpxreg st[8];
    struct _xmmreg xmm[8];
    u8 rest[224];
};

u32 fpu_frame_place(u32 sp)
{
    if (!cpu_has_fxsr)
        return (sp - OLD_PART) & ~3u;
    return ((sp - sizeof(struct fxsave)) & ~(FXSAVE_ALIGN - 1)) - OLD_PART;
}

/* FNSAVE has two bits a register: 0 valid, 1 zero, 2 special, 3 empty; FXSAVE one: in use. The
 * tags are by physical number, the registers from the top of the stack. */
static u16 tag_word(const struct fxsave *fx)
{
    u32 top = fx->status >> 11 & 7, tags = 0;
    for (u32 i = 0; i < 8; i++) {
        const struct _fpxreg *st = &fx->st[(i - top) & 7];
        const u16 *s = st->significand;
        u32 tag = 2;
        if (!(fx->tag >> i & 1))
            tag = 3;
        else if ((st->exponent & 0x7FFF) == 0)
            tag = s[0] | s[1] | s[2] | s[3] ? 2 : 1;
        else if ((st->exponent & 0x7FFF) != 0x7FFF)
            tag = s[3] & 0x8000 ? 0 : 2;
        tags |= tag << (2 * i);
    }
    return (u16)tags;
}

static u8 in_use(u32 tags)
{
    u8 bits = 0;
    for (u32 i = 0; i < 8; i++)
        if ((tags >> (2 * i) & 3) != 3)
            bits |= (u8)(1u << i);
    return bits;
}

static void to_old_part(struct _fpstate_32 *old, const struct fxsave *fx)
{
    old->cw = fx->control | 0xFFFF0000u;
    old->sw = fx->status | 0xFFFF0000u;
    old->tag = tag_word(fx) | 0xFFFF0000u;
    old->ipoff = fx->ip;
    old->cssel = fx->cs | (u32)fx->opcode << 16;
    old->dataoff = fx->data;
    old->datasel = fx->ds | 0xFFFF0000u;
    for (u32 i = 0; i < 8; i++)
        memcpy(&old->_st[i], &fx->st[i], sizeof(old->_st[i]));
    old->status = fx->status;
    old->magic = X86_FXSR_MAGIC;
}

static void from_old_part(struct fxsave *fx, const struct _fpstate_32 *old)
{
    fx->control = (u16)old->cw;
    fx->status = (u16)old->sw;
    fx->tag = in_use(old->tag);
    fx->opcode = (u16)(old->cssel >> 16);
    fx->ip = old->ipoff;
    fx->cs = (u16)old->cssel;
    fx->data = old->dataoff;
    fx->ds = (u16)old->datasel;
    for (u32 i = 0; i < 8; i++)
        memcpy(&fx->st[i], &old->_st[i], sizeof(old->_st[i]));
}

int fpu_frame_push(u32 at)
{
    struct fpu_state now;
    struct _fpstate_32 old;
    fpu_save(&now);
    memset(&old, 0, sizeof(old));
    if (!cpu_has_fxsr) {
        memcpy(&old, &now, offsetof(struct _fpstate_32, status));
        old.status = (u16)old.sw;
        old.magic = 0xFFFF;
        return copyout((void __user *)at, &old, OLD_PART);
    }
    to_old_part(&old, (const struct fxsave *)&now);
    if (copyout((void __user *)at, &old, OLD_PART) < 0)
        return -EFAULT;
    return copyout((void __user *)(at + OLD_PART), &now, sizeof(now));
}

int fpu_frame_pop(u32 at)
{
    struct fpu_state next, initial;
    struct _fpstate_32 old;
    fpu_state_init(&initial);
    next = initial;
    if (at) {
        struct fxsave *fx = (struct fxsave *)&next;
        if (copyin(&old, (const void __user *)at, OLD_PART) < 0)
            return -EFAULT;
        if (!cpu_has_fxsr) {
            memcpy(&next, &old, offsetof(struct _fpstate_32, status));
        } else {
            if (copyin(&next, (const void __user *)(at + OLD_PART), sizeof(next)) < 0)
                return -EFAULT;
            u32 mask = ((const struct fxsave *)&initial)->mxcsr_mask;
            if (fx->mxcsr & ~(mask ? mask : 0xFFBFu))
                return -EINVAL; /* FXRSTOR faults on a bit that is not there */
            from_old_part(fx, &old);
        }
    }
    current->fpu = next; /* no sleep from here on: the registers are the program's at once */
    fpu_restore(&current->fpu);
    return 0;
}

int fpu_exception_code(bool simd)
{
    struct fpu_state now;
    fpu_save(&now);
    const struct fxsave *fx = (const struct fxsave *)&now;
    u32 raised;
    if (simd)
        raised = fx->mxcsr & ~(fx->mxcsr >> 7) & 0x3F;
    else if (cpu_has_fxsr)
        raised = fx->status & ~fx->control & 0x3F;
    else
        raised = ((const u32 *)&now)[1] & ~((const u32 *)&now)[0] & 0x3F;
    if (raised & 0x01)
        return FPE_FLTINV;
    if (raised & 0x04)
        return FPE_FLTDIV;
    if (raised & 0x08)
        return FPE_FLTOVF;
    if (raised & 0x12) /* denormal, underflow */
        return FPE_FLTUND;
    if (raised & 0x20)
        return FPE_FLTRES;
    return 0;
}
