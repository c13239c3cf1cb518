/*
 * An IDE channel: the queue of requests, one command at a time, and what happens when one fails.
 *
 *     idle --submit--> active --interrupt: done--> idle
 *                        |  ^
 *      error or time-out |  | retry
 *                        v  |
 *                     recovering (ided resets the channel) --given up: -EIO--> idle
 *
 * Submitters and the interrupt handler start commands; neither sleeps. Whatever has to wait - a
 * reset takes milliseconds to seconds - is done by the channel's kernel thread ided, which also
 * looks whether the drive has exceeded its time. A failing request costs only itself: the queue
 * goes on behind it. Everything that touches a channel's state runs with interrupts off; while the
 * state is IDE_RECOVERING the channel belongs to ided alone.
 *
 * A request is polled by its submitter or by ided, never in an interrupt handler, and with
 * interrupts on. One that did not get through by polling is tried again by interrupt: so a drive
 * that has died holds the machine up for one second in all (pio_poll.c).
 *
 * A drive that says nothing for ide_timeout_seconds, three times in a row, or is not ready ten
 * seconds after a reset, is given up: each request for it, also those that wait, ends with -EIO at
 * once. The pages of a request are let go only when the bus master has been stopped.
 */
#include "drivers/ide/ide.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/task.h"

#define FLUSH_FACTOR   6 /* of the time: there may be much to write (ATA-6, FLUSH CACHE) */
#define TRIES          3 /* of one request */
#define TIMEOUTS_LIMIT 3 /* in a row: then the drive has failed */
#define RESET_TICKS    (10 * TIMER_HZ) /* ATA-6 allows 31 s, for a disk that must spin up */
#define READY_US       1000            /* an idle drive is ready at once */
#define POLL_US        1
#define GLANCE_US      50       /* between two sleeps */
#define COMMAND_TICKS  TIMER_HZ /* of a command that ends at once */
u32 ide_timeout_seconds = 5;

/* --- Commands ------------------------------------------------------------------------------- */

bool ide_poll(struct ide_channel *c, u8 mask, u8 value, u32 us)
{
    for (u32 waited = 0;; waited += POLL_US) {
        if ((ide_read(c, c->control) & mask) == value)
            return true;
        if (waited >= us)
            return false;
        delay_us(POLL_US);
    }
}

bool ide_wait(struct ide_channel *c, u8 mask, u8 value, u64 deadline)
{
    while (!ide_poll(c, mask, value, GLANCE_US)) {
        if (timer_ticks() >= deadline)
            return false;
        task_sleep_ticks(1);
    }
    return true;
}

void ide_select(struct ide_channel *c, struct ide_drive *d, u8 device_bits)
{
    c->drive = d;
    ide_write(c, c->base + IDE_DEVICE,
              DEVICE_OBSOLETE | device_bits | (d->unit ? DEVICE_UNIT1 : 0));
    if (c->selected != d) {
        for (int i = 0; i < 4; i++) /* a read takes at least 100 ns on any bus that it knows */
            ide_read(c, c->control);
        c->selected = d;
    }
}

/* Each address register is a two-deep FIFO: for LBA48 the high bytes go first. */
static void write_address(struct ide_channel *c, u8 count, u8 low, u8 mid, u8 high)
{
    ide_write(c, c->base + IDE_SECTOR_COUNT, count);
    ide_write(c, c->base + IDE_LBA_LOW, low);
    ide_write(c, c->base + IDE_LBA_MID, mid);
    ide_write(c, c->base + IDE_LBA_HIGH, high);
}

bool ide_issue(struct ide_channel *c, const struct ide_opcodes *opcodes)
{
    const struct block_request *r = c->request;
    u64 lba = r->disk_lba;
    u32 count = r->nr_sectors; /* 256 is written as 0 in LBA28, as 1:0 in LBA48 */
    bool ext = lba + count > IDE_LBA28_SECTORS;

    ide_select(c, c->drive, DEVICE_LBA | (ext ? 0 : (lba >> 24 & 0x0F)));
    if (!ide_poll(c, STATUS_BSY | STATUS_DRQ | STATUS_DRDY, STATUS_DRDY, READY_US))
        return false;
    if (ext)
        write_address(c, (u8)(count >> 8), (u8)(lba >> 24), (u8)(lba >> 32), (u8)(lba >> 40));
    write_address(c, (u8)count, (u8)lba, (u8)(lba >> 8), (u8)(lba >> 16));
    u8 opcode = ext ? (r->write ? opcodes->write_ext : opcodes->read_ext)
                    : (r->write ? opcodes->write : opcodes->read);
    ide_write(c, c->base + IDE_COMMAND, opcode);
    return true;
}

/* FLUSH CACHE (ATA-6, clause 8): no data, and the same in every mode. */
static enum ide_progress flush_start(struct ide_channel *c)
{
    if (!c->drive->flush_opcode)
        return IDE_DONE;
    ide_select(c, c->drive, DEVICE_LBA);
    if (!ide_poll(c, STATUS_BSY | STATUS_DRQ | STATUS_DRDY, STATUS_DRDY, READY_US))
        return IDE_SILENT;
    ide_write(c, c->base + IDE_COMMAND, c->drive->flush_opcode);
    return IDE_BUSY;
}

static enum ide_progress flush_interrupt(struct ide_channel *c)
{
    if (!ide_asked(c))
        return IDE_NOT_OURS;
    return c->last_status & (STATUS_BSY | STATUS_DF | STATUS_ERR) ? IDE_FAILED : IDE_DONE;
}

bool ide_set_multiple(struct ide_channel *c, struct ide_drive *d, u32 sectors)
{
    ide_write(c, c->control, CONTROL_NIEN);
    ide_select(c, d, DEVICE_LBA);
    bool ok = ide_poll(c, STATUS_BSY | STATUS_DRDY, STATUS_DRDY, READY_US);
    if (ok) {
        ide_write(c, c->base + IDE_SECTOR_COUNT, (u8)sectors);
        ide_write(c, c->base + IDE_COMMAND, COMMAND_SET_MULTIPLE_MODE);
        ide_read(c, c->control);
        ok = ide_wait(c, STATUS_BSY, 0, timer_ticks() + COMMAND_TICKS) &&
             !(ide_read(c, c->base + IDE_STATUS) & (STATUS_ERR | STATUS_DF));
    }
    ide_write(c, c->control, 0);
    return ok;
}

/* --- The queue (interrupts off) --------------------------------------------------------------- */

/* The controller keeps a reference of its own to each page, whatever the submitter does. */
static void hold_pages(const struct block_request *r)
{
    for (u32 i = 0; i < r->nr_frags; i++)
        page_get(r->frags[i].page, HOLD_PRD);
}

static void release_pages(const struct block_request *r)
{
    for (u32 i = 0; i < r->nr_frags; i++)
        page_put(r->frags[i].page, HOLD_PRD);
}

/* Ends the current request; the caller goes on with the queue, and nobody else: who is told may
 * submit more (gather.c), and each request that ended in turn would take stack. */
static void finish(struct ide_channel *c, int error)
{
    struct block_request *r = c->request;
    struct ide_drive *d = c->drive;
    c->request = NULL;
    c->state = IDE_IDLE;
    if (!error) {
        d->timeouts = 0;
        d->stats.flushes += r->flush;
        *(r->write ? &d->stats.sectors_written : &d->stats.sectors_read) += r->nr_sectors;
    }
    release_pages(r);
    r->mover = c->transfer->mover;
    c->ending = true;
    block_done(r, error);
    c->ending = false;
    if (c->paused)
        wake_all(&c->idle);
}

/* Leaves the current request to ided. */
static void fail(struct ide_channel *c, enum ide_progress how)
{
    c->failure = how;
    c->drive->stats.errors++;
    c->last_status = ide_read(c, c->control);
    c->last_error = ide_read(c, c->base + IDE_ERROR);
    c->state = IDE_RECOVERING;
    wake_all(&c->care);
}

static void progress(struct ide_channel *c, enum ide_progress p)
{
    if (p == IDE_SILENT) {
        c->drive->timeouts++;
        c->drive->stats.timeouts++;
    }
    if (p == IDE_DONE)
        finish(c, 0);
    else if (p == IDE_FAILED || p == IDE_SILENT)
        fail(c, p);
}

/* Each answer gives the drive its time anew: a request in many blocks may take longer in all. */
static void set_deadline(struct ide_channel *c)
{
    u32 seconds = ide_timeout_seconds * (c->request->flush ? FLUSH_FACTOR : 1);
    c->deadline = timer_ticks() + (u64)seconds * TIMER_HZ;
}

static bool is_polled(const struct block_request *r, const struct ide_transfer *t)
{
    return !t->interrupt && !r->flush;
}

/* One more try of the current request. */
static void attempt(struct ide_channel *c)
{
    c->state = IDE_ACTIVE;
    c->tries++;
    if (c->tries > 1 && is_polled(c->request, c->transfer))
        c->transfer = &ide_pio_irq;
    set_deadline(c);
    c->drive->stats.commands++;
    progress(c, c->request->flush ? flush_start(c) : c->transfer->start(c));
}

static struct ide_drive *drive_of(const struct block_request *r)
{
    struct block_device *disk = r->device->disk ? r->device->disk : r->device;
    return disk->driver;
}

static bool can_start(const struct ide_channel *c)
{
    return c->state == IDE_IDLE && !c->paused && !c->ending && !TAILQ_EMPTY(&c->queue);
}

static void start_next(struct ide_channel *c)
{
    struct block_request *r = TAILQ_FIRST(&c->queue);
    TAILQ_REMOVE(&c->queue, r, link);
    c->drive = drive_of(r);
    c->request = r;
    c->transfer = c->drive->transfer;
    c->tries = 0;
    hold_pages(r);
    if (c->drive->failed)
        finish(c, -EIO);
    else
        attempt(c);
}

/* Starts what can be started. `flags` are those that the caller will restore: where interrupts are
 * off in them, as in an interrupt handler, what is to be polled is left to ided. */
static void run_queue(struct ide_channel *c, u32 flags)
{
    while (can_start(c)) {
        const struct block_request *r = TAILQ_FIRST(&c->queue);
        if (is_polled(r, drive_of(r)->transfer) && !(flags & EFLAGS_IF)) {
            wake_all(&c->care);
            return;
        }
        start_next(c);
    }
}

static void enqueue(struct ide_channel *c, struct block_request *r, u32 flags)
{
    TAILQ_INSERT_TAIL(&c->queue, r, link);
    run_queue(c, flags);
}

/* ferry.icount: so that a run is the same every time, neither a task nor the clock runs beside
 * the disk. */
static void submit_and_halt(struct ide_channel *c, struct block_request *r)
{
    u64 left = timer_freeze();
    u32 flags = irq_save();
    enqueue(c, r, flags);
    while (c->state == IDE_ACTIVE)
        sched_halt();
    irq_restore(flags);
    timer_thaw(left);
}

void ide_submit(struct block_device *disk, struct block_request *r)
{
    struct ide_channel *c = ((struct ide_drive *)disk->driver)->channel;
    if (ide_one_at_a_time) {
        submit_and_halt(c, r);
        return;
    }
    u32 flags = irq_save();
    enqueue(c, r, flags);
    irq_restore(flags);
}

/* --- Between two requests --------------------------------------------------------------------- */

void ide_pause(struct ide_channel *c)
{
    wait_event(&c->idle, !c->paused); /* by another task */
    c->paused = true;
    wait_event(&c->idle, c->state == IDE_IDLE);
}

void ide_resume(struct ide_channel *c)
{
    u32 flags = irq_save();
    c->paused = false;
    wake_all(&c->idle);
    run_queue(c, flags);
    irq_restore(flags);
}

/* --- Interrupts ------------------------------------------------------------------------------- */

bool ide_asked(struct ide_channel *c)
{
    if (!(ide_read(c, c->bus_master + BM_STATUS) & BM_INTERRUPT))
        return false;
    c->last_status = ide_read(c, c->base + IDE_STATUS);
    ide_write(c, c->bus_master + BM_STATUS, c->bm_capable | BM_INTERRUPT | BM_ERROR);
    return true;
}

bool ide_interrupt(void *channel)
{
    struct ide_channel *c = channel;
    if (c->state != IDE_ACTIVE || is_polled(c->request, c->transfer))
        return ide_asked(c); /* nobody waits for it: say, of a command that was given up */
    enum ide_progress p = c->request->flush ? flush_interrupt(c) : c->transfer->interrupt(c);
    if (p == IDE_NOT_OURS)
        return false;
    c->drive->stats.interrupts++;
    if (p == IDE_BUSY)
        set_deadline(c);
    progress(c, p);
    run_queue(c, 0);
    return true;
}

/* --- Recovery (ided) -------------------------------------------------------------------------- */

static void mark_failed(struct ide_drive *d, const char *why)
{
    if (d->present && !d->failed)
        kprintf("%s: %s; the drive is given up\n", d->block.name, why);
    d->failed = true;
}

void ide_stop_bus_master(struct ide_channel *c)
{
    ide_write(c, c->bus_master + BM_COMMAND, 0);
    ide_write(c, c->bus_master + BM_STATUS, c->bm_capable | BM_INTERRUPT | BM_ERROR);
}

/* Software reset (ATA-6, 9.2) and the wait until the drives are ready again. A drive that does not
 * come back is given up. */
static void reset(struct ide_channel *c)
{
    u64 deadline = timer_ticks() + RESET_TICKS;
    ide_write(c, c->control, CONTROL_SRST | CONTROL_NIEN);
    delay_us(5);
    ide_write(c, c->control, CONTROL_NIEN);
    task_sleep_ticks(2); /* at least 2 ms: no status means anything before */
    for (int i = 0; i < 2; i++) {
        struct ide_drive *d = &c->drives[i];
        if (!d->present || d->failed)
            continue;
        c->selected = NULL;
        ide_select(c, d, DEVICE_LBA);
        if (!ide_wait(c, STATUS_BSY | STATUS_DRDY, STATUS_DRDY, deadline))
            mark_failed(d, "not ready after a reset");
    }
    for (int i = 0; i < 2; i++) { /* a reset may have undone what was agreed on */
        struct ide_drive *d = &c->drives[i];
        if (d->present && !d->failed && d->multiple && !ide_set_multiple(c, d, d->multiple))
            d->multiple = 0;
    }
    c->selected = NULL;
    ide_write(c, c->control, 0);
    ide_read(c, c->base + IDE_STATUS);
}

static void report(const struct ide_channel *c, const struct ide_drive *d)
{
    const struct block_request *r = c->request;
    if (r->flush) {
        kprintf("%s: flush of its cache failed %u times (status %02x, error %02x)\n", d->block.name,
                c->tries, c->last_status, c->last_error);
        return;
    }
    kprintf("%s: %s of %u sectors at %llu failed %u times (status %02x, error %02x)\n",
            d->block.name, r->write ? "write" : "read", r->nr_sectors,
            (unsigned long long)r->disk_lba, c->tries, c->last_status, c->last_error);
}

static void recover(struct ide_channel *c)
{
    struct ide_drive *d = c->drive;
    ide_stop_bus_master(c); /* before the drive is, and before the pages are let go */
    d->stats.resets++;
    reset(c);
    if (d->timeouts >= TIMEOUTS_LIMIT)
        mark_failed(d, "no answer");

    u32 flags = irq_save();
    c->drive = d;
    /* A flush goes on behind the sector that it could not write: a second one would hide it. */
    bool hopeless = c->request->flush && c->failure == IDE_FAILED;
    if (d->failed || c->tries >= TRIES || hopeless) {
        report(c, d);
        finish(c, -EIO);
    } else {
        attempt(c);
    }
    irq_restore(flags);
}

/* The time has passed. The drive may have answered all the same and only the interrupt got lost:
 * then the handler finds the answer now. */
static void check_timeout(struct ide_channel *c)
{
    u32 flags = irq_save();
    if (c->state == IDE_ACTIVE && timer_ticks() >= c->deadline) {
        struct ide_drive *d = c->drive;
        if (ide_interrupt(c)) {
            kprintf("%s: lost an interrupt\n", d->block.name);
            d->stats.lost_interrupts++;
        } else {
            progress(c, IDE_SILENT);
        }
    }
    irq_restore(flags);
}

void ided(void *channel)
{
    struct ide_channel *c = channel;
    for (;;) {
        u64 next_look = timer_ticks() + TIMER_HZ;
        if (c->state == IDE_ACTIVE)
            next_look = MIN(next_look, c->deadline);
        (void)wait_event_killable(&c->care, c->state == IDE_RECOVERING || can_start(c), next_look);
        check_timeout(c);
        if (c->state == IDE_RECOVERING)
            recover(c);
        u32 flags = irq_save();
        run_queue(c, flags);
        irq_restore(flags);
        sched_yield_if_needed();
    }
}
