/*
 * What hdparm(8) asks of a drive and what it can set: the ioctls of Linux's own IDE driver
 * (linux/hdreg.h, and Documentation/ioctl/hdio.rst of kernels that had it).
 *
 * Answers tell what the driver does. What it cannot do is refused: it moves 16 bits at a time,
 * leaves other interrupts off while it does, keeps no settings over a reset, and never ignores an
 * error.
 */
#include "drivers/ide/ide.h"
#include <linux/capability.h>
#include <linux/hdreg.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/cred.h"

#define COMMAND_TICKS TIMER_HZ

static int give(u32 argument, u32 value)
{
    return copyout((void __user *)argument, &value, sizeof(value));
}

/* A setting that has one value only. */
static int only(u32 argument, u32 value)
{
    return argument == value ? 0 : -EINVAL;
}

/* Text in IDENTIFY data has the first character of each pair in the high byte; programs get it in
 * the order of reading. */
static void swap_text(u16 *words, u32 nr)
{
    for (u32 i = 0; i < nr; i++)
        words[i] = (u16)(words[i] << 8 | words[i] >> 8);
}

static int give_identity(const struct ide_drive *d, u32 argument)
{
    u16 *id = kmalloc(IDE_ID_WORDS * sizeof(u16));
    if (!id)
        return -ENOMEM;
    memcpy(id, d->identity, IDE_ID_WORDS * sizeof(u16));
    struct hd_driveid *text = (struct hd_driveid *)id;
    swap_text((u16 *)text->serial_no, sizeof(text->serial_no) / 2);
    swap_text((u16 *)text->fw_rev, sizeof(text->fw_rev) / 2);
    swap_text((u16 *)text->model, sizeof(text->model) / 2);
    text->multsect = (u8)d->multiple;
    text->multsect_valid = d->multiple ? 1 : 0;
    int err = copyout((void __user *)argument, id, sizeof(*text));
    kfree(id);
    return err;
}

/* As the drive translates; of the partition, with where it begins. */
static int give_geometry(const struct ide_drive *d, const struct block_device *b, u32 argument)
{
    const struct hd_driveid *id = (const struct hd_driveid *)d->identity;
    struct hd_geometry g = {.heads = 255, .sectors = 63, .start = (u32)b->first_lba};
    if ((id->field_valid & 1) && id->cur_heads && id->cur_sectors) {
        g.heads = (u8)id->cur_heads;
        g.sectors = (u8)id->cur_sectors;
    }
    u64 cylinders = d->block.nr_sectors / ((u32)g.heads * g.sectors);
    g.cylinders = (u16)MIN(cylinders, (u64)0xFFFF);
    return copyout((void __user *)argument, &g, sizeof(g));
}

static int set_dma(struct ide_drive *d, u32 on)
{
    if (on > 1)
        return -EINVAL;
    return d->can_dma ? ide_set_dma(d, on) : -EPERM; /* -d0, too, as on Linux */
}

/* A command without data, or with one sector to read, without interrupts; registers as
 * HDIO_DRIVE_CMD has them: command, sector number, feature, sector count. They come back as status,
 * error, count. */
static bool run_command(struct ide_drive *d, u8 regs[4], u16 *data)
{
    struct ide_channel *c = d->channel;
    ide_write(c, c->control, CONTROL_NIEN);
    ide_select(c, d, DEVICE_LBA);
    u64 deadline = timer_ticks() + COMMAND_TICKS;
    bool ok = ide_wait(c, STATUS_BSY | STATUS_DRDY, STATUS_DRDY, deadline);
    if (ok) {
        ide_write(c, c->base + IDE_FEATURES, regs[2]);
        ide_write(c, c->base + IDE_SECTOR_COUNT, regs[3]);
        ide_write(c, c->base + IDE_LBA_LOW, regs[1]);
        ide_write(c, c->base + IDE_COMMAND, regs[0]);
        ide_read(c, c->control);
        ok = ide_wait(c, STATUS_BSY, 0, deadline);
    }
    regs[0] = ide_read(c, c->base + IDE_STATUS);
    regs[1] = ide_read(c, c->base + IDE_ERROR);
    regs[2] = ide_read(c, c->base + IDE_SECTOR_COUNT);
    if (ok && data && (regs[0] & (STATUS_DRQ | STATUS_ERR)) == STATUS_DRQ) {
        for (u32 i = 0; i < IDE_ID_WORDS; i++)
            data[i] = inw(c->base + IDE_DATA);
        d->stats.reg_reads += IDE_ID_WORDS;
        regs[0] = ide_read(c, c->base + IDE_STATUS);
    }
    ide_write(c, c->control, 0);
    return ok && !(regs[0] & (STATUS_ERR | STATUS_DF));
}

/* HDIO_DRIVE_CMD of the commands that ask and change nothing. */
static int drive_command(struct ide_drive *d, u32 argument)
{
    u8 regs[HDIO_DRIVE_CMD_HDR_SIZE];
    if (!argument)
        return 0; /* Linux: may commands be sent at all? */
    if (copyin(regs, (void __user *)argument, sizeof(regs)) < 0)
        return -EFAULT;
    bool identify = regs[0] == COMMAND_IDENTIFY_DEVICE;
    if ((!identify || regs[3] != 1) && regs[0] != COMMAND_CHECK_POWER_MODE)
        return -EINVAL;
    u16 *data = kzalloc(IDE_ID_WORDS * sizeof(u16));
    if (!data)
        return -ENOMEM;
    ide_pause(d->channel);
    int err = !d->failed && run_command(d, regs, identify ? data : NULL) ? 0 : -EIO;
    ide_resume(d->channel);
    if (copyout((void __user *)argument, regs, sizeof(regs)) < 0 ||
        (identify && copyout((char __user *)argument + sizeof(regs), data, SECTOR_SIZE) < 0))
        err = -EFAULT;
    kfree(data);
    return err;
}

/* What changes how the drive works, or speaks to it directly. */
static bool privileged(u32 request)
{
    switch (request) {
    case HDIO_SET_DMA:
    case HDIO_SET_MULTCOUNT:
    case HDIO_SET_UNMASKINTR:
    case HDIO_SET_KEEPSETTINGS:
    case HDIO_SET_NOWERR:
    case HDIO_SET_32BIT:
        return !capable(CAP_SYS_ADMIN);
    case HDIO_DRIVE_CMD:
        return !capable(CAP_SYS_RAWIO);
    default:
        return false;
    }
}

int ide_ioctl(struct block_device *b, u32 request, u32 argument)
{
    struct ide_drive *d = b->driver;
    if (privileged(request))
        return -EACCES;
    switch (request) {
    case HDIO_GETGEO:
        return give_geometry(d, b, argument);
    case HDIO_GET_IDENTITY:
        return give_identity(d, argument);
    case HDIO_GET_DMA:
        return give(argument, d->transfer->mover == MOVER_DMA);
    case HDIO_SET_DMA:
        return set_dma(d, argument);
    case HDIO_GET_MULTCOUNT:
        return give(argument, d->multiple);
    case HDIO_SET_MULTCOUNT:
        return ide_set_multcount(d, argument);
    case HDIO_GET_BUSSTATE:
        return give(argument, BUSSTATE_ON);
    case HDIO_GET_UNMASKINTR:
    case HDIO_GET_KEEPSETTINGS:
    case HDIO_GET_NOWERR:
    case HDIO_GET_32BIT:
        return give(argument, 0);
    case HDIO_SET_UNMASKINTR:
    case HDIO_SET_KEEPSETTINGS:
    case HDIO_SET_NOWERR:
    case HDIO_SET_32BIT:
        return only(argument, 0);
    case HDIO_DRIVE_CMD:
        return drive_command(d, argument);
    default:
        return -EINVAL; /* also SG_IO: hdparm then takes HDIO_DRIVE_CMD */
    }
}
