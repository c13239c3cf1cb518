/*
 * The IDE driver's own surface: registers, drives and channels, and the table of operations by
 * which a transfer mode (one file a mode) plugs into it.
 *
 * Sources: ATA/ATAPI-6 (T13/1410D) for the drive; Programming Interface for Bus Master IDE
 * Controller (Intel, 1994) and the 82371SB (PIIX3) data sheet, section 2.7, for the controller.
 */
#ifndef DRIVERS_IDE_IDE_H
#define DRIVERS_IDE_IDE_H

#include "drivers/block.h"
#include "drivers/ide/prd.h"
#include "kernel/cpu/cpu.h"
#include "kernel/proc/wait.h"

/* Command block registers, from the channel's base (ATA-6, clause 7). */
enum ide_register {
    IDE_DATA = 0,
    IDE_ERROR = 1,    /* read */
    IDE_FEATURES = 1, /* write */
    IDE_SECTOR_COUNT = 2,
    IDE_LBA_LOW = 3,
    IDE_LBA_MID = 4,
    IDE_LBA_HIGH = 5,
    IDE_DEVICE = 6,
    IDE_STATUS = 7,  /* read: acknowledges the drive's interrupt */
    IDE_COMMAND = 7, /* write */
};
enum ide_status {
    STATUS_ERR = 1 << 0,
    STATUS_DRQ = 1 << 3,
    STATUS_DF = 1 << 5,
    STATUS_DRDY = 1 << 6,
    STATUS_BSY = 1 << 7,
};
enum ide_device {
    DEVICE_UNIT1 = 1 << 4,
    DEVICE_LBA = 1 << 6,
    DEVICE_OBSOLETE = 1 << 7 | 1 << 5, /* set to one by hosts since ATA-1 */
};
/* The control block's one register: read, the alternate status, which acknowledges nothing;
 * written, device control. */
enum ide_control {
    CONTROL_NIEN = 1 << 1, /* no interrupts */
    CONTROL_SRST = 1 << 2, /* software reset, both drives */
};
/* Commands (ATA-6, clause 8). */
enum ide_opcode {
    COMMAND_READ_SECTORS = 0x20,
    COMMAND_READ_SECTORS_EXT = 0x24,
    COMMAND_READ_DMA_EXT = 0x25,
    COMMAND_READ_MULTIPLE_EXT = 0x29,
    COMMAND_WRITE_SECTORS = 0x30,
    COMMAND_WRITE_SECTORS_EXT = 0x34,
    COMMAND_WRITE_DMA_EXT = 0x35,
    COMMAND_WRITE_MULTIPLE_EXT = 0x39,
    COMMAND_READ_MULTIPLE = 0xC4,
    COMMAND_WRITE_MULTIPLE = 0xC5,
    COMMAND_SET_MULTIPLE_MODE = 0xC6,
    COMMAND_READ_DMA = 0xC8,
    COMMAND_WRITE_DMA = 0xCA,
    COMMAND_CHECK_POWER_MODE = 0xE5,
    COMMAND_FLUSH_CACHE = 0xE7,
    COMMAND_FLUSH_CACHE_EXT = 0xEA,
    COMMAND_IDENTIFY_DEVICE = 0xEC,
};

/* Bus-master registers, from the channel's base (Intel 1994, 2.0). Command and status take byte
 * accesses only. */
enum bus_master_register { BM_COMMAND = 0, BM_STATUS = 2, BM_PRD_TABLE = 4 };
enum bus_master_command { BM_START = 1 << 0, BM_TO_MEMORY = 1 << 3 };
enum bus_master_status {
    BM_ACTIVE = 1 << 0,
    BM_ERROR = 1 << 1,     /* write one to clear */
    BM_INTERRUPT = 1 << 2, /* write one to clear */
    BM_CAPABLE = 3 << 5,   /* plain bits in which the firmware leaves notes */
};

#define IDE_ID_WORDS    256
#define IDE_MAX_SECTORS 256u /* of one command: the most that LBA28 can say */
/* What LBA28 reaches: a drive says at most this of itself (ATA-6, IDENTIFY DEVICE, words 60 and
 * 61), and some do not find sector FFFFFFFh by it. */
#define IDE_LBA28_SECTORS 0x0FFFFFFFu

struct ide_channel;
struct ide_drive;

/* What start and interrupt report about the channel's current request. */
enum ide_progress {
    IDE_NOT_OURS, /* interrupt: the drive did not ask */
    IDE_BUSY,     /* an interrupt will tell more */
    IDE_DONE,     /* every byte was moved and the drive is satisfied */
    IDE_FAILED,   /* the drive or the controller reports an error */
    IDE_SILENT,   /* the drive does not answer, or does not become ready for a command */
};

/*
 * A transfer mode moves the bytes of channel->request between channel->drive and memory. To
 * write one: start issues the command with ide_issue and does what must come before and after;
 * interrupt is called when the channel's line was raised. Both run with interrupts off and never
 * sleep. A mode that polls has no interrupt: start does it all, never in an interrupt handler, and
 * may let interrupts in while it waits. Errors are reported, not handled: retries, resets, and
 * stopping a bus master that is given up are the channel's.
 */
struct ide_transfer {
    const char *name;
    enum ledger_mover mover; /* who carries the payload */
    enum ide_progress (*start)(struct ide_channel *c);
    enum ide_progress (*interrupt)(struct ide_channel *c);
};
extern const struct ide_transfer ide_dma, ide_pio_irq, ide_pio_poll;

struct ide_stats {
    u32 commands, interrupts, flushes, errors, timeouts, resets;
    u32 lost_interrupts; /* the answer was there, but nobody had called */
    u64 sectors_read, sectors_written;
    u64 pio_blocks; /* moved by the CPU: of one sector, or as many as SET MULTIPLE agreed on */
    u64 reg_reads, reg_writes; /* of the drive's and of the bus master's registers */
};

struct ide_drive {
    struct block_device block;
    struct ide_channel *channel;
    u8 unit;      /* 0: master, 1: slave */
    bool present; /* an ATA disk that we can drive */
    bool failed;  /* stopped answering: every request ends with -EIO */
    u32 timeouts; /* in a row */
    const struct ide_transfer *transfer;
    u32 multiple;     /* sectors of a block in READ and WRITE MULTIPLE; 0: not agreed on */
    u32 max_multiple; /* what the drive can do, of IDENTIFY; 0: nothing */
    bool can_dma;
    u16 *identity;   /* IDE_ID_WORDS of IDENTIFY DEVICE, as they came at boot */
    u8 flush_opcode; /* 0: the drive has no such command, and so no cache that would lose anything
                      */
    struct ide_stats stats;
};

enum ide_state {
    IDE_IDLE,
    IDE_ACTIVE,     /* `request` is with the drive */
    IDE_RECOVERING, /* it failed; ided resets the channel, interrupts change nothing */
};

/* How far programmed I/O has come in the request. */
struct ide_pio {
    u32 frag, offset; /* the next byte */
    u32 sectors_left;
};

struct ide_channel {
    char name[8]; /* "ide0" */
    u16 base, control, bus_master;
    u8 irq;
    u8 bm_capable; /* BM_CAPABLE bits of the status register, kept when it is written */
    struct ide_drive drives[2];
    struct ide_drive *drive;    /* that `request` is for, or that was last spoken to */
    struct ide_drive *selected; /* by the device register; NULL: unknown */
    struct page *prd_page;
    struct wait_queue care; /* where ided sleeps */
    struct wait_queue idle; /* where ide_pause waits for the request under way */
    struct block_request_list queue;

    /* Changed with interrupts off. */
    enum ide_state state;
    struct block_request *request;
    const struct ide_transfer *transfer; /* in which `request` goes */
    struct ide_pio pio;
    bool ending;                /* a request is: what its submitter adds then waits its turn */
    bool paused;                /* start nothing: somebody waits for IDE_IDLE */
    u32 tries;                  /* of this request, with the one under way */
    enum ide_progress failure;  /* of the last try: IDE_FAILED or IDE_SILENT */
    u64 deadline;               /* tick by which the drive must have answered */
    u8 last_status, last_error; /* of the last failure, for people */
};

/* Register access, counted for /proc. */
static inline u8 ide_read(struct ide_channel *c, u16 port)
{
    c->drive->stats.reg_reads++;
    return inb(port);
}
static inline void ide_write(struct ide_channel *c, u16 port, u8 value)
{
    c->drive->stats.reg_writes++;
    outb(port, value);
}

/* channel.c */
struct ide_opcodes {
    u8 read, write;         /* LBA28 */
    u8 read_ext, write_ext; /* LBA48 */
};
/* Selects the drive, waits until it is ready and writes the command for channel->request. False
 * when the drive does not become ready. */
bool ide_issue(struct ide_channel *c, const struct ide_opcodes *opcodes);
/* Selects a drive and gives it the 400 ns it may take to show its own status (ATA-6, 9.2). */
void ide_select(struct ide_channel *c, struct ide_drive *d, u8 device_bits);
/* In an interrupt: has the drive asked? Then reading its status, kept in last_status, has taken
 * its interrupt away, and the bus master's note of it is cleared. */
bool ide_asked(struct ide_channel *c);
/* Polls the alternate status until the masked bits have the value: it waits for something to be
 * true, never for something to be over (a drive in reset shows 0). False after `us`. */
bool ide_poll(struct ide_channel *c, u8 mask, u8 value, u32 us);
/* The same with sleeps in between, until the deadline (a tick): the channel is the caller's. */
bool ide_wait(struct ide_channel *c, u8 mask, u8 value, u64 deadline);
extern bool ide_one_at_a_time; /* ferry.icount: submit waits for the disk */
void ide_submit(struct block_device *d, struct block_request *r);
bool ide_interrupt(void *channel);
/* Between these two the channel is the caller's: no request is under way. The first sleeps. */
void ide_pause(struct ide_channel *c);
void ide_resume(struct ide_channel *c);
/* How long a drive may say nothing before it is reset: /proc/sys/ferry/disk_timeout. */
extern u32 ide_timeout_seconds;
/* SET MULTIPLE MODE (ATA-6, clause 8); the channel is the caller's or ided's. Sleeps. */
bool ide_set_multiple(struct ide_channel *c, struct ide_drive *d, u32 sectors);

/* mode.c: all of these wait for the request under way, and sleep. */
/* hdparm -d: DMA, or programmed I/O in the way that disk_polling says. 0, or -EPERM: the drive has
 * no DMA. */
int ide_set_dma(struct ide_drive *d, bool on);
/* hdparm -m: sectors of a block in programmed I/O (0: one). 0; -EINVAL: more than the drive has
 * room for; -EIO: it refuses. */
int ide_set_multcount(struct ide_drive *d, u32 multiple);
/* /proc/sys/ferry/disk_polling: whether programmed I/O polls. Now, of every drive. */
void ide_set_polling(bool on);
extern bool ide_polling;
const struct ide_transfer *ide_programmed(void); /* the mode that -d0 means */
void ide_mode_of_cmdline(struct ide_drive *d);   /* ferry.disk=MODE: the machine starts in it */

/* channel.c: ided, the kernel thread of a channel: a time-out that has passed, a request that
 * failed, requests that an interrupt left to be polled. */
void ided(void *channel);
/* The bus master moves nothing from here on, and remembers nothing. */
void ide_stop_bus_master(struct ide_channel *c);

/* identify.c: finds what is on the channel and fills in drives[].present and .block. */
void ide_identify(struct ide_channel *c);

/* ioctl.c: what hdparm asks a drive. */
int ide_ioctl(struct block_device *d, u32 request, u32 argument);

/* ide.c: the drives in use, 0 .. 7; NULL: none of this number. */
#define IDE_MAX_DRIVES 8
struct ide_drive *ide_drive_number(u32 n);

/* ide.c: mode and counters of every drive as text, "hda.commands 12" a line; returns the length. */
struct text;
void ide_format(struct text *t);

#endif
