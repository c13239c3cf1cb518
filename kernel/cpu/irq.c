/*
 * The two 8259A interrupt controllers and the handlers of their 16 lines.
 *
 * Lines appear as vectors 32..47. A spurious line 7 or 15 is recognised by its missing in-service
 * bit (8259A data sheet, "interrupt sequence") and not answered with an end of interrupt.
 */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"

enum { PIC1 = 0x20, PIC2 = 0xA0, PIC_DATA = 1, PIC_EOI = 0x20, PIC_READ_ISR = 0x0B };
enum { ICW1_INIT_ICW4 = 0x11, ICW4_8086 = 0x01, CASCADE_LINE = 2 };

struct irq_action {
    const char *name;
    irq_handler handler;
    void *device;
    struct irq_action *next;
};

static struct irq_action *actions[16];
static u32 counts[16], spurious;
static u16 masked = 0xFFFF;
bool irq_from_user;

static void mask_write(void)
{
    outb(PIC1 + PIC_DATA, masked & 0xFF);
    outb(PIC2 + PIC_DATA, masked >> 8);
}

void pic_mask(u8 line)
{
    masked |= 1u << line;
    mask_write();
}

void pic_unmask(u8 line)
{
    masked &= ~(1u << line);
    if (line >= 8)
        masked &= ~(1u << CASCADE_LINE);
    mask_write();
}

void pic_init(void)
{
    outb(PIC1, ICW1_INIT_ICW4);
    outb(PIC2, ICW1_INIT_ICW4);
    outb(PIC1 + PIC_DATA, TRAP_IRQ_FIRST);
    outb(PIC2 + PIC_DATA, TRAP_IRQ_FIRST + 8);
    outb(PIC1 + PIC_DATA, 1 << CASCADE_LINE);
    outb(PIC2 + PIC_DATA, CASCADE_LINE);
    outb(PIC1 + PIC_DATA, ICW4_8086);
    outb(PIC2 + PIC_DATA, ICW4_8086);
    mask_write();
}

int irq_register(u8 line, const char *name, irq_handler handler, void *device)
{
    if (line >= 16)
        return -EINVAL;
    struct irq_action *a = kmalloc(sizeof(*a));
    if (!a)
        return -ENOMEM;
    *a = (struct irq_action){name, handler, device, actions[line]};
    u32 flags = irq_save();
    actions[line] = a;
    pic_unmask(line);
    irq_restore(flags);
    return 0;
}

static bool is_spurious(u8 line)
{
    if (line != 7 && line != 15)
        return false;
    u16 pic = line == 7 ? PIC1 : PIC2;
    outb(pic, PIC_READ_ISR);
    if (inb(pic) & 0x80)
        return false;
    if (line == 15)
        outb(PIC1, PIC_EOI); /* the first controller did see its cascade line */
    spurious++;
    return true;
}

void irq_dispatch(u8 line)
{
    if (is_spurious(line))
        return;
    counts[line]++;
    for (struct irq_action *a = actions[line]; a; a = a->next)
        a->handler(a->device);
    if (line >= 8)
        outb(PIC2, PIC_EOI);
    outb(PIC1, PIC_EOI);
}

u32 irq_count(u32 line)
{
    return counts[line];
}

void irq_format(struct text *t)
{
    text_printf(t, "           CPU0\n");
    for (int line = 0; line < 16; line++) {
        if (!actions[line])
            continue;
        text_printf(t, "%3d: %10u  XT-PIC  ", line, counts[line]);
        for (struct irq_action *a = actions[line]; a; a = a->next)
            text_printf(t, "%s%s", a->name, a->next ? ", " : "\n");
    }
    text_printf(t, "ERR: %10u\n", spurious);
}
