/*
 * Finding out what is on an IDE channel, against places where nothing is, packet devices, and disks
 * that say nonsense of themselves. Ports are played here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#define ssize_t          kernel_ssize_t
#define KERNEL_CPU_CPU_H /* not this machine's processor */
#include "kernel/lib/types.h"
#pragma GCC diagnostic ignored "-Wint-to-pointer-cast"
static u32 irq_save(void);
static void irq_restore(u32 flags);
static u8 inb(u16 port);
static u16 inw(u16 port);
static void outb(u16 port, u8 value);
#include "drivers/ide/identify.c"

static u32 irq_save(void)
{
    return 0;
}
static void irq_restore(u32 flags) {}

/* --- The channel --------------------------------------------------------------------------------
 */

enum { BASE = 0x1F0, CONTROL = 0x3F6 };
enum unit_kind { FLOATING, ABSENT, PACKET, DISK, MUTE };
static struct {
    enum unit_kind kind;
    u16 id[IDE_ID_WORDS];
} units[2];
static u8 registers[8], status;
static u32 selected, word;

static u8 inb(u16 port)
{
    enum unit_kind kind = units[selected].kind;
    if (kind == FLOATING)
        return 0xFF;
    if (port == CONTROL || port == BASE + IDE_STATUS)
        return kind == ABSENT ? 0 : status;
    return registers[port - BASE];
}

static void outb(u16 port, u8 value)
{
    if (port == CONTROL)
        return;
    if (port == BASE + IDE_DEVICE) {
        selected = !!(value & DEVICE_UNIT1);
        status = STATUS_DRDY;
        word = 0;
    } else if (port == BASE + IDE_COMMAND) {
        assert_int_equal(value, COMMAND_IDENTIFY_DEVICE);
        enum unit_kind kind = units[selected].kind;
        status = kind == DISK ? STATUS_DRDY | STATUS_DRQ : kind == MUTE ? STATUS_BSY : STATUS_ERR;
        registers[IDE_LBA_MID] = ATAPI_LBA_MID;
        registers[IDE_LBA_HIGH] = ATAPI_LBA_HIGH;
    } else {
        registers[port - BASE] = value;
    }
}

static u16 inw(u16 port)
{
    assert_true(port == BASE + IDE_DATA && word < IDE_ID_WORDS);
    u16 value = units[selected].id[word++];
    status = word == IDE_ID_WORDS ? STATUS_DRDY : status;
    return value;
}

/* --- What the driver needs beside ----------------------------------------------------------------
 */

static char said[1024];
void kprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    size_t len = strlen(said);
    vsnprintf(said + len, sizeof(said) - len, fmt, ap);
    va_end(ap);
}
void *kmalloc(size_t size)
{
    return malloc(size);
}
const struct ide_transfer ide_dma = {.name = "dma"}, ide_pio_irq = {.name = "pio-irq"};
const struct ide_transfer *ide_programmed(void)
{
    return &ide_pio_irq;
}
void ide_select(struct ide_channel *c, struct ide_drive *d, u8 device_bits)
{
    c->drive = d;
    ide_write(c, c->base + IDE_DEVICE, device_bits | (d->unit ? DEVICE_UNIT1 : 0));
}
bool ide_poll(struct ide_channel *c, u8 mask, u8 value, u32 us)
{
    return (ide_read(c, c->control) & mask) == value;
}

static struct ide_channel channel;

static void identify_all(void)
{
    memset(&channel, 0, sizeof(channel));
    said[0] = 0;
    channel.base = BASE, channel.control = CONTROL, channel.drive = &channel.drives[0];
    strcpy(channel.name, "ide0");
    for (u8 i = 0; i < 2; i++)
        channel.drives[i].unit = i;
    ide_identify(&channel);
}

static void forget(void)
{
    free(channel.drives[0].identity);
    free(channel.drives[1].identity);
}

/* A disk as they are: 1000000 sectors, LBA, DMA. */
static u16 *disk(u32 unit)
{
    units[unit].kind = DISK;
    u16 *id = memset(units[unit].id, 0, sizeof(units[unit].id));
    id[ID_CAPABILITIES] = CAPABILITY_DMA | CAPABILITY_LBA;
    id[ID_LBA28_SECTORS] = 1000000 & 0xFFFF;
    id[ID_LBA28_SECTORS + 1] = 1000000 >> 16;
    id[ID_MULTIPLE] = 0x8010;
    id[ID_FEATURES2] = FEATURES2_VALID | FEATURES2_FLUSH;
    for (u32 i = 0; i < 20; i++)
        id[ID_MODEL + i] = 'A' << 8 | ' ';
    return id;
}

static void has_lba48(u16 *id, u64 sectors)
{
    id[ID_FEATURES2] |= FEATURES2_LBA48;
    for (u32 i = 0; i < 4; i++)
        id[ID_LBA48_SECTORS + i] = (u16)(sectors >> 16 * i);
}

static u64 sectors_found(void)
{
    identify_all();
    u64 found = channel.drives[0].present ? channel.drives[0].block.nr_sectors : 0;
    forget();
    return found;
}

/* --- The tests -----------------------------------------------------------------------------------
 */

static void where_nothing_is_nothing_is_found(void **state)
{
    for (enum unit_kind kind = FLOATING; kind <= ABSENT; kind++) {
        units[0].kind = units[1].kind = kind;
        identify_all();
        assert_false(channel.drives[0].present || channel.drives[1].present);
        assert_string_equal(said, "");
    }
}

static void a_packet_device_and_a_mute_one_are_left_alone(void **state)
{
    units[0].kind = PACKET, units[1].kind = MUTE;
    identify_all();
    assert_false(channel.drives[0].present || channel.drives[1].present);
    assert_non_null(strstr(said, "unit 0 is a packet device (ATAPI), left alone"));
    assert_non_null(strstr(said, "unit 1 does not answer IDENTIFY"));
}

static void a_disk_is_what_it_says(void **state)
{
    units[0].kind = ABSENT;
    disk(1);
    identify_all();
    const struct ide_drive *d = &channel.drives[1];
    assert_true(d->present && !channel.drives[0].present && d->can_dma);
    assert_int_equal(d->block.nr_sectors, 1000000);
    assert_int_equal(d->max_multiple, 16);
    assert_int_equal(d->multiple, 0);
    assert_int_equal(d->flush_opcode, COMMAND_FLUSH_CACHE);
    assert_ptr_equal(d->transfer, &ide_dma);
    assert_string_equal(d->block.model, "A A A A A A A A A A A A A A A A A A A A");
    forget();
}

static void what_a_disk_has_not_is_not_used(void **state)
{
    u16 *id = disk(0);
    units[1].kind = ABSENT;
    id[ID_CAPABILITIES] = CAPABILITY_LBA;
    id[ID_MULTIPLE] = 0x8000;
    id[ID_FEATURES2] = FEATURES2_FLUSH | FEATURES2_LBA48; /* without the mark that they are valid */
    has_lba48(id, 1ull << 40);
    identify_all();
    const struct ide_drive *d = &channel.drives[0];
    assert_true(d->present && !d->can_dma);
    assert_ptr_equal(d->transfer, &ide_pio_irq);
    assert_int_equal(d->max_multiple, 0);
    assert_int_equal(d->flush_opcode, 0);
    assert_int_equal(d->block.nr_sectors, 1000000);
    forget();
}

static void sizes_are_believed_within_reason(void **state)
{
    u16 *id = disk(0);
    units[1].kind = ABSENT;
    has_lba48(id, 1ull << 28);
    assert_int_equal(sectors_found(), 1ull << 28);
    has_lba48(id, (1ull << 48) - 1);
    assert_int_equal(sectors_found(), (1ull << 48) - 1);
    has_lba48(id, 1ull << 48); /* no command could say them */
    assert_int_equal(sectors_found(), 1000000);
    has_lba48(id, 5); /* fewer than the short commands reach */
    assert_int_equal(sectors_found(), 1000000);
    has_lba48(id, 0);
    id[ID_LBA28_SECTORS] = id[ID_LBA28_SECTORS + 1] = 0xFFFF; /* more than 28 bits */
    assert_int_equal(sectors_found(), IDE_LBA28_SECTORS);
    id[ID_LBA28_SECTORS] = id[ID_LBA28_SECTORS + 1] = 0;
    assert_int_equal(sectors_found(), 0);
    assert_non_null(strstr(said, "has no sectors"));
}

static void what_cannot_be_driven_is_said(void **state)
{
    units[1].kind = ABSENT;
    disk(0)[ID_CAPABILITIES] = CAPABILITY_DMA;
    assert_int_equal(sectors_found(), 0);
    assert_non_null(strstr(said, "knows no LBA"));
    u16 *id = disk(0);
    id[ID_SECTOR_LOGICAL] = SECTOR_VALID | SECTOR_LONG;
    id[ID_SECTOR_WORDS] = 2048;
    assert_int_equal(sectors_found(), 0);
    assert_non_null(strstr(said, "sectors of another size"));
    id[ID_SECTOR_WORDS] = 256;
    assert_int_equal(sectors_found(), 1000000);
}

static void nonsense_harms_nobody(void **state)
{
    u32 seed = 1;
    for (u32 n = 0; n < 5000; n++) {
        for (u32 unit = 0; unit < 2; unit++) {
            u16 *id = disk(unit);
            for (u32 i = 0; i < IDE_ID_WORDS; i++, seed = seed * 1664525 + 1013904223)
                id[i] = (u16)(seed >> 16);
            id[ID_CAPABILITIES] |= CAPABILITY_LBA;
        }
        identify_all();
        for (u32 unit = 0; unit < 2; unit++) {
            const struct ide_drive *d = &channel.drives[unit];
            if (!d->present)
                continue;
            assert_true(d->block.nr_sectors > 0 && d->block.nr_sectors < 1ull << 48);
            assert_true(d->max_multiple <= 255 && strlen(d->block.model) <= 40);
            for (const char *c = d->block.model; *c; c++)
                assert_in_range(*c, ' ', '~');
        }
        forget();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nothing_is_nothing_is_found),
        cmocka_unit_test(a_packet_device_and_a_mute_one_are_left_alone),
        cmocka_unit_test(a_disk_is_what_it_says),
        cmocka_unit_test(what_a_disk_has_not_is_not_used),
        cmocka_unit_test(sizes_are_believed_within_reason),
        cmocka_unit_test(what_cannot_be_driven_is_said),
        cmocka_unit_test(nonsense_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
