/*
 * IDE controllers with bus mastering, as every PC chip set had one: two channels of two drives.
 *
 * This file attaches a controller (by its PCI class, so any make), names its drives as Linux does
 * (hda ... hdd) and makes them block devices. The work is in channel.c (the queue, errors),
 * identify.c (what is there), mode.c (which mode) and one file for each transfer mode.
 */
#include "drivers/ide/ide.h"
#include "drivers/pci.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/task.h"

/* PCI IDE Controller Specification 1.0: programming interface, and the ports of compatibility
 * mode. */
enum { PROG_IF_NATIVE0 = 1 << 0, PROG_IF_NATIVE1 = 1 << 2, PROG_IF_MASTER = 1 << 7 };
enum { CLASS_STORAGE = 1, SUBCLASS_IDE = 1 };
static const u16 compat_base[2] = {0x1F0, 0x170};
static const u16 compat_control[2] = {0x3F6, 0x376};
static const u8 compat_irq[2] = {14, 15};
enum { BAR_BUS_MASTER = 4, BUS_MASTER_STRIDE = 8 };
enum { NATIVE_CONTROL_OFFSET = 2 };

#define MAX_CONTROLLERS (IDE_MAX_DRIVES / 4)
static const u8 majors[2 * MAX_CONTROLLERS] = {3, 22, 33, 34}; /* Linux's, by channel */
#define MINORS_PER_DRIVE 64

struct ide_controller {
    struct ide_channel channels[2];
};
static struct ide_controller *controllers[MAX_CONTROLLERS];
static u32 nr_controllers;
bool ide_one_at_a_time;

static const struct block_ops ide_block_ops = {.submit = ide_submit, .ioctl = ide_ioctl};

static void channel_init(struct ide_controller *k, const struct pci_device *pci, u32 i)
{
    struct ide_channel *c = &k->channels[i];
    u32 number = nr_controllers * 2 + i;
    bool native = pci->prog_if & (i ? PROG_IF_NATIVE1 : PROG_IF_NATIVE0);

    snprintf(c->name, sizeof(c->name), "ide%u", number);
    c->base = native ? (u16)pci->bar[2 * i] : compat_base[i];
    c->control = native ? (u16)(pci->bar[2 * i + 1] + NATIVE_CONTROL_OFFSET) : compat_control[i];
    c->irq = native ? pci->irq : compat_irq[i];
    c->bus_master = (u16)(pci->bar[BAR_BUS_MASTER] + i * BUS_MASTER_STRIDE);
    wait_init(&c->care);
    wait_init(&c->idle);
    c->drive = &c->drives[0];
    c->bm_capable = inb(c->bus_master + BM_STATUS) & BM_CAPABLE;
    TAILQ_INIT(&c->queue);
    for (u32 unit = 0; unit < 2; unit++) {
        struct ide_drive *d = &c->drives[unit];
        d->channel = c;
        d->unit = (u8)unit;
        d->transfer = &ide_dma;
        d->block.driver = d;
        d->block.ops = &ide_block_ops;
        d->block.max_sectors = IDE_MAX_SECTORS;
        d->block.rdev = (u32)majors[number] << 8 | unit * MINORS_PER_DRIVE;
        snprintf(d->block.name, sizeof(d->block.name), "hd%c", 'a' + (char)(number * 2 + unit));
    }
}

static bool in_use(const struct ide_channel *c)
{
    return c->drives[0].present || c->drives[1].present;
}

/* Looks for drives; where there are any, the channel gets its PRD page, its thread and its
 * interrupt. */
static int channel_start(struct ide_channel *c)
{
    ide_identify(c);
    if (!in_use(c))
        return 0;
    c->prd_page = page_alloc(PAGE_KERNEL, HOLD_KERNEL);
    if (!c->prd_page || !kthread_create("ided", ided, c))
        return -ENOMEM;
    ide_stop_bus_master(c); /* whatever the firmware left behind */
    return irq_register(c->irq, c->name, ide_interrupt, c);
}

static void register_drive(struct ide_drive *d)
{
    ide_mode_of_cmdline(d);
    kprintf("%s: %s, %llu MiB, %s\n", d->block.name, d->block.model,
            (unsigned long long)(d->block.nr_sectors >> 11), d->transfer->name);
    block_register(&d->block);
}

static int ide_probe(const struct pci_device *pci)
{
    if (nr_controllers == MAX_CONTROLLERS)
        return -ENOSPC;
    ide_one_at_a_time = cmdline_has("ferry.icount");
    if (!(pci->prog_if & PROG_IF_MASTER) || !pci->bar[BAR_BUS_MASTER] ||
        !pci->bar_is_io[BAR_BUS_MASTER])
        return -ENODEV; /* no bus master */
    struct ide_controller *k = kzalloc(sizeof(*k));
    if (!k)
        return -ENOMEM;
    pci_enable(pci, PCI_COMMAND_IO | PCI_COMMAND_MASTER);

    for (u32 i = 0; i < 2; i++) {
        struct ide_channel *c = &k->channels[i];
        channel_init(k, pci, i);
        int error = channel_start(c);
        if (error) {
            kprintf("%s: cannot be used (error %d)\n", c->name, -error);
            c->drives[0].present = c->drives[1].present = false;
        }
    }
    /* From here on the controller stays: its interrupts name it. */
    controllers[nr_controllers++] = k;
    for (u32 i = 0; i < 4; i++) {
        struct ide_drive *d = &k->channels[i / 2].drives[i % 2];
        if (d->present)
            register_drive(d);
    }
    return 0;
}

struct ide_drive *ide_drive_number(u32 n)
{
    if (n / 4 >= nr_controllers)
        return NULL;
    struct ide_drive *d = &controllers[n / 4]->channels[n / 2 % 2].drives[n % 2];
    return d->present ? d : NULL;
}

static void format_drive(const struct ide_drive *d, struct text *t)
{
    const struct ide_stats *s = &d->stats;
    const struct {
        const char *name;
        u64 value;
    } lines[] = {
        {"commands", s->commands},
        {"interrupts", s->interrupts},
        {"lost_interrupts", s->lost_interrupts},
        {"flushes", s->flushes},
        {"sectors_read", s->sectors_read},
        {"sectors_written", s->sectors_written},
        {"pio_blocks", s->pio_blocks},
        {"errors", s->errors},
        {"timeouts", s->timeouts},
        {"resets", s->resets},
        {"reg_reads", s->reg_reads},
        {"reg_writes", s->reg_writes},
        {"failed", d->failed},
    };
    text_printf(t, "%s.mode %s\n%s.multiple %u\n", d->block.name, d->transfer->name, d->block.name,
                d->multiple);
    for (u32 i = 0; i < ARRAY_LEN(lines); i++)
        text_printf(t, "%s.%s %llu\n", d->block.name, lines[i].name, lines[i].value);
}

void ide_format(struct text *t)
{
    for (u32 i = 0; i < IDE_MAX_DRIVES; i++) {
        const struct ide_drive *d = ide_drive_number(i);
        if (d)
            format_drive(d, t);
    }
}

static const struct pci_id ide_ids[] = {
    {.class = CLASS_STORAGE, .subclass = SUBCLASS_IDE},
    {0},
};

extern const struct pci_driver ide_driver;
const struct pci_driver ide_driver = {.name = "ide", .ids = ide_ids, .probe = ide_probe};
