/* The partition table: real ones are read, and what only ends in 55 AA is no partition table. */
// units: drivers/mbr.c
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "drivers/mbr.h"

#define DISK 100000
static u8 sector[512];
static struct mbr_partition part[MBR_PARTITIONS];

static int blank(void **state)
{
    memset(sector, 0, sizeof(sector));
    sector[510] = 0x55;
    sector[511] = 0xAA;
    return 0;
}

static void put(u32 i, u8 status, u8 type, u32 first, u32 count)
{
    u8 *e = sector + 446 + 16 * i;
    e[0] = status;
    e[4] = type;
    memcpy(e + 8, &first, 4);
    memcpy(e + 12, &count, 4);
}

static void partitions_keep_their_numbers(void **state)
{
    put(0, 0x80, 0x83, 2048, 4096);
    put(2, 0x00, 0x83, 8192, DISK - 8192);
    assert_int_equal(mbr_parse(sector, DISK, part), 2);
    assert_int_equal(part[0].first_lba, 2048);
    assert_int_equal(part[0].nr_sectors, 4096);
    assert_int_equal(part[1].nr_sectors, 0);
    assert_int_equal(part[2].first_lba, 8192);
}

static void without_the_signature_there_is_no_table(void **state)
{
    put(0, 0x80, 0x83, 2048, 4096);
    sector[511] = 0;
    assert_int_equal(mbr_parse(sector, DISK, part), 0);
    assert_int_equal(part[0].nr_sectors, 0);
}

static void boot_code_is_no_table(void **state)
{
    put(0, 0x80, 0x83, 2048, 4096);
    put(1, 'N', 'O', 0x4E4F4E, 100); /* "Non-system disk" of a FAT boot sector */
    assert_int_equal(mbr_parse(sector, DISK, part), 0);
}

static void partitions_outside_the_disk_are_ignored(void **state)
{
    put(0, 0, 0x83, DISK - 10, 11);
    put(1, 0, 0x83, 0xFFFFFFFF, 0xFFFFFFFF);
    put(2, 0, 0x83, 0, 100); /* over the table itself */
    put(3, 0, 0x83, DISK - 10, 10);
    assert_int_equal(mbr_parse(sector, DISK, part), 1);
    assert_int_equal(part[3].nr_sectors, 10);
}

static void the_second_of_two_that_overlap_is_ignored(void **state)
{
    put(0, 0, 0x83, 100, 100);
    put(1, 0, 0x83, 199, 100);
    put(2, 0, 0x83, 200, 100);
    assert_int_equal(mbr_parse(sector, DISK, part), 2);
    assert_int_equal(part[1].nr_sectors, 0);
}

static void containers_are_no_partitions(void **state)
{
    put(0, 0, 0x05, 100, 100);
    put(1, 0, 0x0F, 300, 100);
    put(2, 0, 0xEE, 1, DISK - 1);
    put(3, 0, 0x00, 500, 100);
    assert_int_equal(mbr_parse(sector, DISK, part), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(partitions_keep_their_numbers, blank),
        cmocka_unit_test_setup(without_the_signature_there_is_no_table, blank),
        cmocka_unit_test_setup(boot_code_is_no_table, blank),
        cmocka_unit_test_setup(partitions_outside_the_disk_are_ignored, blank),
        cmocka_unit_test_setup(the_second_of_two_that_overlap_is_ignored, blank),
        cmocka_unit_test_setup(containers_are_no_partitions, blank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
