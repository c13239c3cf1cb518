/* The MC146818 real-time clock (data sheet, table 5 and registers A, B), taken as UTC. */
#include "drivers/rtc.h"
#include "kernel/cpu/cpu.h"

enum { PORT_INDEX = 0x70, PORT_DATA = 0x71 };
enum { SECONDS = 0, MINUTES = 2, HOURS = 4, DAY = 7, MONTH = 8, YEAR = 9, REG_A = 10, REG_B = 11 };
enum { A_UPDATING = 0x80, B_BINARY = 0x04, B_24_HOURS = 0x02, HOURS_PM = 0x80 };

static u32 boot_time;

static u8 cmos(u8 reg)
{
    outb(PORT_INDEX, reg);
    return inb(PORT_DATA);
}

static u32 number(u8 v, bool binary)
{
    return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 by counting leap years; the century is 20xx. */
static u32 days(u32 year, u32 month, u32 day)
{
    static const u16 before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    u32 leaps = (year - 1969) / 4; /* right until 2099 */
    bool leap_now = year % 4 == 0 && month > 2;
    return (year - 1970) * 365 + leaps + before[(month - 1) % 12] + leap_now + day - 1;
}

void rtc_init(void)
{
    u8 r[10], again[10];
    for (int tries = 0; tries < 10; tries++) { /* two equal readings: no update in between */
        for (int i = 0; i < 100000 && (cmos(REG_A) & A_UPDATING); i++)
            ;
        for (int i = 0; i < 10; i++)
            r[i] = cmos(i);
        for (int i = 0; i < 10; i++)
            again[i] = cmos(i);
        if (r[SECONDS] == again[SECONDS])
            break;
    }
    u8 b = cmos(REG_B);
    bool binary = b & B_BINARY;
    u32 hours = number(r[HOURS] & ~HOURS_PM, binary);
    if (!(b & B_24_HOURS))
        hours = hours % 12 + (r[HOURS] & HOURS_PM ? 12 : 0);
    boot_time =
        days(2000 + number(r[YEAR], binary), number(r[MONTH], binary), number(r[DAY], binary)) *
            86400 +
        hours * 3600 + number(r[MINUTES], binary) * 60 + number(r[SECONDS], binary);
}

u32 rtc_boot_time(void)
{
    return boot_time;
}
