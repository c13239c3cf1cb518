/*
 * The IDE driver against a drive that misbehaves in every way that QEMU's cannot: silent for ever,
 * not ready after a reset, speaking when nobody listens any more. The channel and the three modes
 * are the kernel's own; ports, clock and interrupts are played here, so that a time-out takes no
 * time. ided is called where the kernel's would run, and left when nothing is under way.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#undef fail /* the channel has a function of this name */
#define ssize_t          kernel_ssize_t
#define KERNEL_CPU_CPU_H /* not this machine's processor */
#include "kernel/lib/types.h"
#pragma GCC diagnostic ignored "-Wint-to-pointer-cast"
#pragma GCC diagnostic ignored "-Wpointer-to-int-cast"

/* --- The machine: a clock, and interrupts ------------------------------------------------------
 */

#define TIMER_HZ       100
#define EFLAGS_IF      (1u << 9)
#define NR_TLS_ENTRIES 3 /* for struct task, which nobody here looks into */
struct fpu_state {
    u8 state[1];
};
#define SECOND 1000000ull

static u64 now, busy; /* microseconds: since boot; of these, with the CPU held */
static u32 eflags = EFLAGS_IF;
static bool line;              /* the drives' interrupt */
static bool in_handler, noise; /* noise: somebody else shares the line, and asks all the time */
static u32 noises;             /* heard while a drive was polled */
static bool ide_line(void);
static void hardware(void);

static void deliver(void)
{
    if (eflags && line) {
        line = false;
        eflags = 0;
        in_handler = true;
        ide_line();
        in_handler = false;
        eflags = EFLAGS_IF;
    }
}
static u32 irq_save(void)
{
    u32 old = eflags;
    eflags = 0;
    return old;
}
static void irq_restore(u32 flags)
{
    eflags = flags;
    deliver();
}
static void irq_enable(void)
{
    assert_false(in_handler);
    irq_restore(EFLAGS_IF);
}
static void irq_disable(void)
{
    eflags = 0;
}
static void pass(u64 us, bool held)
{
    now += us;
    busy += held ? us : 0;
    hardware();
    deliver();
}
static void delay_us(u32 us)
{
    pass(us, true);
}
static u64 timer_ticks(void)
{
    return now / 10000;
}
static u64 timer_ms(void)
{
    return now / 1000;
}
static u64 timer_freeze(void)
{
    return 0;
}
static void timer_thaw(u64 left) {}
static void compiler_barrier(void) {}
typedef bool (*irq_handler)(void *device);
static u8 inb(u16 port);
static void outb(u16 port, u8 value);
static void outl(u16 port, u32 value);

#define page_virt page_virt_of_the_kernel
#include "kernel/mm/page.h"
#undef page_virt
static u8 memory[64][PAGE_SIZE];
static struct page page_structs[64];
struct page *pages = page_structs;
static void *page_virt(const struct page *p)
{
    return memory[p - pages];
}
void page_get(struct page *p, enum holder holder)
{
    p->refs++;
}
void page_put(struct page *p, enum holder holder)
{
    assert_true(p->refs-- > 0);
}

#include "drivers/ide/channel.c"
#include "drivers/ide/dma.c"
#include "drivers/ide/pio.c"
#include "drivers/ide/pio_irq.c"
#include "drivers/ide/pio_poll.c"
#include "drivers/ide/prd.c"

/* --- The channel's two drives, and its bus master ----------------------------------------------
 */

enum { BASE = 0x1F0, CONTROL = 0x3F6, MASTER = 0xC000, ANSWER_US = 500 };
enum drive_kind {
    SOUND,
    SILENT,      /* says nothing to a command; is ready again after a reset */
    SILENT_ONCE, /* to the next command only */
    DEAD,        /* says nothing, also after a reset */
    TALKATIVE,   /* never ends a command, but now and then interrupts, and moves all bytes by DMA */
    FAILING,     /* each command ends with an error */
};
static struct drive {
    enum drive_kind kind;
    u8 status, opcode, multiple;
    u8 disk[16 * SECTOR_SIZE];
    u64 due;  /* when it will be ready for the next step; 0: nothing to wait for */
    u32 left; /* sectors of the command */
    u32 at, block_end;
    u32 commands;
} drives[2];
static u8 selected, count, control, bm_command, bm_status;
static u32 prd_table;

static struct ide_channel channel;

static bool ide_line(void)
{
    noises += control & CONTROL_NIEN;
    return ide_interrupt(&channel);
}

static void interrupt(void)
{
    if (!(control & CONTROL_NIEN)) {
        bm_status |= BM_INTERRUPT;
        line = true;
    }
}

static bool writes(const struct drive *d)
{
    return (d->opcode & 0xF0) == 0x30 || d->opcode == COMMAND_WRITE_MULTIPLE ||
           d->opcode == COMMAND_WRITE_DMA;
}

static u32 in_block(const struct drive *d)
{
    bool multiple = d->opcode == COMMAND_READ_MULTIPLE || d->opcode == COMMAND_WRITE_MULTIPLE;
    return MIN(multiple ? d->multiple : 1u, d->left) * SECTOR_SIZE;
}

/* The bus master carries what its table says. */
static void carry(struct drive *d)
{
    const struct prd *p = page_virt(&pages[prd_table >> PAGE_SHIFT]);
    u8 *disk = d->disk;
    for (;; p++) {
        assert_true(p->base + p->count <= sizeof(memory));
        u8 *there = &memory[0][0] + p->base;
        memcpy(writes(d) ? disk : there, writes(d) ? there : disk, p->count);
        disk += p->count;
        if (p->flags & PRD_END_OF_TABLE)
            return;
    }
}

static void answer(struct drive *d)
{
    d->due = 0;
    d->status = STATUS_DRDY;
    if (d->kind == FAILING) {
        d->status |= STATUS_ERR;
        bm_status &= ~BM_ACTIVE;
        interrupt();
        return;
    }
    switch (d->opcode) {
    case COMMAND_READ_DMA:
    case COMMAND_WRITE_DMA:
        if (bm_command & BM_START) {
            carry(d);
            bm_status &= ~BM_ACTIVE;
            interrupt();
        }
        return;
    case COMMAND_FLUSH_CACHE:
        interrupt();
        return;
    case COMMAND_SET_MULTIPLE_MODE:
        d->multiple = count;
        return;
    }
    bool first = d->at == 0;
    if (d->left) {
        d->status |= STATUS_DRQ;
        d->block_end = d->at + in_block(d);
    }
    if (!first || !writes(d))
        interrupt();
}

static void hardware(void)
{
    line = line || (noise && now % 50 == 0);
    for (int i = 0; i < 2; i++) {
        struct drive *d = &drives[i];
        if (d->due && now >= d->due && !(control & CONTROL_SRST))
            answer(d);
        if (d->kind == TALKATIVE && d->status & STATUS_BSY && now / 100000 % 7 == 3) {
            interrupt();
            if (bm_command & BM_START)
                carry(d);
        }
    }
}

static void command(struct drive *d, u8 opcode)
{
    d->commands++;
    d->opcode = opcode;
    d->status = STATUS_BSY;
    d->left = count;
    d->at = 0;
    d->due = now + ANSWER_US;
    if (d->kind == SILENT || d->kind == DEAD || d->kind == TALKATIVE || d->kind == SILENT_ONCE)
        d->due = 0;
    if (d->kind == SILENT_ONCE)
        d->kind = SOUND;
}

static void reset_drives(void)
{
    for (int i = 0; i < 2; i++) {
        struct drive *d = &drives[i];
        d->multiple = 0;
        d->due = 0;
        d->status = d->kind == DEAD ? STATUS_BSY : STATUS_DRDY;
    }
    selected = 0;
}

static u8 inb(u16 port)
{
    pass(1, true);
    struct drive *d = &drives[selected];
    switch (port) {
    case BASE + IDE_STATUS:
        line = false;
        return d->status;
    case CONTROL:
        return control & CONTROL_SRST ? STATUS_BSY : d->status;
    case MASTER + BM_STATUS:
        return bm_status;
    }
    return 0;
}

static void outb(u16 port, u8 value)
{
    struct drive *d = &drives[selected];
    switch (port) {
    case BASE + IDE_SECTOR_COUNT:
        count = value;
        break;
    case BASE + IDE_DEVICE:
        selected = !!(value & DEVICE_UNIT1);
        break;
    case BASE + IDE_COMMAND:
        assert_int_equal(d->status & (STATUS_BSY | STATUS_DRQ), 0);
        command(d, value);
        break;
    case CONTROL:
        if (value & CONTROL_SRST)
            reset_drives();
        control = value;
        break;
    case MASTER + BM_COMMAND:
        bm_command = value;
        bm_status = value & BM_START ? bm_status | BM_ACTIVE : bm_status & ~BM_ACTIVE;
        break;
    case MASTER + BM_STATUS:
        bm_status &= ~(value & (BM_INTERRUPT | BM_ERROR));
        break;
    }
}

static void outl(u16 port, u32 value)
{
    assert_int_equal(port, MASTER + BM_PRD_TABLE);
    prd_table = value;
}

/* One step through the data port; a block's last word makes the drive busy with the next. */
static void data_port(u8 *there, bool write)
{
    struct drive *d = &drives[selected];
    assert_true(d->status & STATUS_DRQ);
    memcpy(write ? d->disk + d->at : there, write ? there : d->disk + d->at, 2);
    d->at += 2;
    if (d->at < d->block_end)
        return;
    d->left -= MIN(d->left, (d->block_end - (d->at - in_block(d))) / SECTOR_SIZE);
    d->status = d->left || write ? STATUS_BSY : STATUS_DRDY;
    d->due = d->left || write ? now + ANSWER_US : 0;
}
void copy_port_to_page(struct frag dst, u16 port)
{
    for (u32 i = 0; i < dst.len; i += 2)
        data_port((u8 *)page_virt(dst.page) + dst.offset + i, false);
}
void copy_page_to_port(u16 port, struct frag src)
{
    for (u32 i = 0; i < src.len; i += 2)
        data_port((u8 *)page_virt(src.page) + src.offset + i, true);
}

/* --- The rest of the kernel --------------------------------------------------------------------
 */

bool ide_one_at_a_time;
static char said[4096];
void kprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof(said), fmt, ap);
    va_end(ap);
}
void wake_all(struct wait_queue *q) {}
void sched_halt(void) {}
void sched_yield_if_needed(void) {}
bool task_killed(void)
{
    return false;
}
void task_sleep_ticks(u64 ticks)
{
    for (u64 i = 0; i < ticks * 10; i++)
        pass(1000, false);
}

static jmp_buf out;
static u64 limit;
/* ided sleeps: time passes until it has something to do or to look at, or nobody needs it. */
bool wait_sleep(struct wait_queue *q, u64 deadline)
{
    assert_true(now < limit);
    if (channel.state == IDE_IDLE && TAILQ_EMPTY(&channel.queue))
        longjmp(out, 1);
    while (timer_ticks() < deadline && channel.state == IDE_ACTIVE) {
        eflags = EFLAGS_IF;
        pass(1000, false);
        eflags = 0;
    }
    return channel.state != IDE_ACTIVE;
}
void wait_sleep_disk(struct wait_queue *q)
{
    wait_sleep(q, 0);
}

/* --- Requests ----------------------------------------------------------------------------------
 */

enum what { READ, WRITE, FLUSH };
enum { SECTORS = 12 };

static struct tested {
    struct block_request *r;
    bool ended;
    int error;
    u32 bm_running;
} tested[3];

void block_done(struct block_request *r, int error)
{
    struct tested *t = r->context;
    assert_false(t->ended);
    t->ended = true;
    t->error = error;
    t->bm_running = bm_command & BM_START;
    assert_true(eflags == 0);
}

static void set_up(const struct ide_transfer *mode, enum drive_kind kind)
{
    now = 10 * SECOND, busy = 0, limit = now + 300 * SECOND;
    line = noise = false, noises = 0, eflags = EFLAGS_IF, said[0] = 0;
    control = selected = bm_command = bm_status = 0;
    memset(drives, 0, sizeof(drives));
    memset(memory, 0, sizeof(memory));
    memset(page_structs, 0, sizeof(page_structs));
    memset(&channel, 0, sizeof(channel));
    channel.base = BASE, channel.control = CONTROL, channel.bus_master = MASTER;
    channel.prd_page = &pages[63];
    wait_init(&channel.care), wait_init(&channel.idle);
    TAILQ_INIT(&channel.queue);
    for (u8 i = 0; i < 2; i++) {
        struct ide_drive *d = &channel.drives[i];
        d->channel = &channel, d->unit = i, d->present = true, d->transfer = mode;
        d->flush_opcode = COMMAND_FLUSH_CACHE;
        d->block.driver = d;
        d->multiple = drives[i].multiple = 4;
        drives[i].status = STATUS_DRDY;
        for (u32 n = 0; n < sizeof(drives[i].disk); n++)
            drives[i].disk[n] = (u8)(n * 7 + n / 512 + i);
    }
    channel.drive = &channel.drives[0];
    drives[0].kind = kind;
}

/* Request `n` has eight pages of its own. */
static u8 *pages_of(u32 n)
{
    return &memory[0][0] + n * 8 * PAGE_SIZE;
}
static void fill(u32 n, u8 byte)
{
    memset(pages_of(n), byte, 8 * PAGE_SIZE);
}
static void expect_filled(u32 n, u8 byte)
{
    for (u32 i = 0; i < 8 * PAGE_SIZE; i++)
        assert_int_equal(pages_of(n)[i], byte);
}

static void ask(u32 n, u32 unit, enum what what)
{
    struct tested *t = &tested[n];
    free(t->r);
    *t = (struct tested){.r = calloc(1, sizeof(*t->r) + 2 * sizeof(t->r->frags[0]))};
    struct block_request *r = t->r;
    r->device = &channel.drives[unit].block;
    r->context = t;
    r->write = what != READ, r->flush = what == FLUSH;
    if (what != FLUSH) { /* in two pieces, of which neither is a whole number of blocks */
        r->nr_sectors = SECTORS, r->nr_frags = 2;
        r->frags[0] = (struct frag){&pages[n * 8], 1024, 5 * SECTOR_SIZE};
        r->frags[1] = (struct frag){&pages[n * 8 + 3], 0, 7 * SECTOR_SIZE};
        fill(n, (u8)(0x5A + n));
    }
    for (u32 i = 0; i < 2; i++)
        pages[n * 8 + i * 3].refs = 1;
    ide_submit(&channel.drives[unit].block, r);
    assert_int_equal(eflags, EFLAGS_IF);
}

static void run(void)
{
    if (!setjmp(out))
        ided(&channel);
    eflags = EFLAGS_IF;
}

static void expect(u32 n, int error)
{
    assert_true(tested[n].ended);
    assert_int_equal(tested[n].error, error);
    assert_int_equal(tested[n].bm_running, 0);
    assert_int_equal(pages[n * 8].refs, 1);
    assert_int_equal(pages[n * 8 + 3].refs, 1);
}

static void expect_data(u32 n, u32 unit, enum what what)
{
    u8 *disk = drives[unit].disk;
    if (what == FLUSH)
        return;
    assert_memory_equal(memory[n * 8] + 1024, disk, 5 * SECTOR_SIZE);
    assert_memory_equal(memory[n * 8 + 3], disk + 5 * SECTOR_SIZE, 7 * SECTOR_SIZE);
    if (what == READ)
        assert_int_equal(disk[9], 9 * 7 + unit);
    else
        assert_int_equal(disk[9], 0x5A + n);
}

/* --- The tests ---------------------------------------------------------------------------------
 */

static const struct ide_transfer *const modes[] = {&ide_pio_poll, &ide_pio_irq, &ide_dma};
#define FOR_EACH_CASE           \
    for (u32 m = 0; m < 3; m++) \
        for (enum what w = READ; w <= FLUSH; w++)

/* What the CPU is held for: a second where it polls, and next to nothing otherwise. */
static void expect_held(const struct ide_transfer *mode, enum what what)
{
    bool polls = mode == &ide_pio_poll && what != FLUSH;
    assert_true(busy < (polls ? SECOND : 0) + SECOND / 4);
}

static void a_sound_drive_moves_every_byte(void **state)
{
    FOR_EACH_CASE
    {
        set_up(modes[m], SOUND);
        ask(0, 0, w);
        ask(1, 1, w);
        run();
        for (u32 n = 0; n < 2; n++) {
            expect(n, 0);
            expect_data(n, n, w);
        }
        assert_int_equal(channel.drives[0].stats.errors + channel.drives[1].stats.errors, 0);
        assert_int_equal(drives[0].commands, 1);
    }
}

static void a_drive_that_was_silent_once_is_asked_again(void **state)
{
    FOR_EACH_CASE
    {
        set_up(modes[m], SILENT_ONCE);
        ask(0, 0, w);
        ask(1, 1, w); /* waits behind it */
        run();
        for (u32 n = 0; n < 2; n++) {
            expect(n, 0);
            expect_data(n, n, w);
        }
        const struct ide_drive *d = &channel.drives[0];
        assert_int_equal(d->stats.timeouts, 1);
        assert_int_equal(d->stats.resets, 1);
        assert_false(d->failed);
        assert_int_equal(d->timeouts, 0);
        assert_int_equal(drives[0].multiple, 4); /* agreed on again */
        expect_held(modes[m], w);
    }
}

static void given_up(enum drive_kind kind, u32 timeouts)
{
    FOR_EACH_CASE
    {
        set_up(modes[m], kind);
        ask(0, 0, w);
        ask(1, 1, w);
        ask(2, 0, w);
        u64 began = now;
        run();
        expect(0, -EIO);
        expect(1, 0); /* the other drive of the channel */
        expect(2, -EIO);
        expect_data(1, 1, w);
        if (w != FLUSH) {
            expect_filled(0, 0x5A); /* nothing was moved */
            expect_filled(2, 0x5A + 2);
        }
        const struct ide_drive *d = &channel.drives[0];
        assert_true(d->failed);
        assert_int_equal(d->stats.timeouts, timeouts);
        assert_int_equal(d->stats.resets, timeouts);
        expect_held(modes[m], w);
        assert_true(now - began < (w == FLUSH ? 31 : 6) * timeouts * SECOND + 11 * SECOND);

        u32 commands = drives[0].commands;
        u64 reads = d->stats.reg_reads;
        ask(0, 0, w);
        run();
        expect(0, -EIO); /* at once, and the drive hears nothing of it */
        assert_int_equal(drives[0].commands, commands);
        assert_int_equal(d->stats.reg_reads, reads);
    }
}

static void a_drive_that_stays_silent_is_given_up(void **state)
{
    given_up(SILENT, TRIES);
}

static void a_drive_that_does_not_come_back_from_a_reset_is_given_up(void **state)
{
    given_up(DEAD, 1);
}

static void an_error_is_no_silence(void **state)
{
    FOR_EACH_CASE
    {
        set_up(modes[m], FAILING);
        ask(0, 0, w);
        ask(1, 1, w);
        run();
        expect(0, -EIO);
        expect(1, 0);
        expect_data(1, 1, w);
        assert_false(channel.drives[0].failed);
        /* A flush is not tried again: the drive would go on behind what it lost. */
        assert_int_equal(channel.drives[0].stats.commands, w == FLUSH ? 1 : TRIES);
        drives[0].kind = SOUND;
        ask(2, 0, w);
        run();
        expect(2, 0);
        expect_data(2, 0, w);
    }
}

/* Behind another drive's request, whose end is an interrupt, and with a line that is never quiet.
 */
static void polling_lets_interrupts_in_and_is_done_by_no_handler(void **state)
{
    set_up(&ide_dma, SOUND);
    channel.drives[1].transfer = &ide_pio_poll;
    noise = true;
    ask(0, 0, READ);
    ask(1, 1, READ);
    ask(2, 1, WRITE);
    run();
    for (u32 n = 0; n < 3; n++)
        expect(n, 0);
    expect_data(0, 0, READ);
    expect_data(2, 1, WRITE);
    assert_true(noises > 0);
    assert_int_equal(channel.drives[1].stats.interrupts + channel.drives[0].stats.errors, 0);
}

/* A bus master that was not stopped before its pages were let go would write into them. */
static void no_byte_comes_after_the_end(void **state)
{
    for (enum what w = READ; w <= WRITE; w++) {
        set_up(&ide_dma, TALKATIVE);
        ask(0, 0, w);
        run();
        assert_true(tested[0].ended);
        assert_int_equal(tested[0].bm_running, 0);
        fill(0, 0x77); /* they are somebody else's now */
        task_sleep_ticks(300);
        expect_filled(0, 0x77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_drive_moves_every_byte),
        cmocka_unit_test(a_drive_that_was_silent_once_is_asked_again),
        cmocka_unit_test(a_drive_that_stays_silent_is_given_up),
        cmocka_unit_test(a_drive_that_does_not_come_back_from_a_reset_is_given_up),
        cmocka_unit_test(an_error_is_no_silence),
        cmocka_unit_test(polling_lets_interrupts_in_and_is_done_by_no_handler),
        cmocka_unit_test(no_byte_comes_after_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
