/*
 * Reclaim: free frames are made before they are missing.
 *
 *     2 * frames_low      kswapd sleeps again
 *     frames_low          kswapd begins: drops clean pages of the cache, takes pages from programs
 *                         that do not use them (scan.c), has written what has to be written, and
 *                         forgets inodes that nobody holds, as large a part of them as of the pages
 *     2 * ATOMIC_RESERVE  who enters the kernel, or faults, waits for it
 *     ATOMIC_RESERVE      page_alloc drops clean pages by itself; below only interrupts get any
 *
 * page_alloc never sleeps: between two lines that look at a page table nothing may vanish. Who can
 * wait does so at the start of a system call or a fault, and where the cache needs a page, by
 * frames_refill and frames_wait; all the work that sleeps is kswapd's. It never waits for a lock,
 * only for disks, and nobody waits for it without a limit. Kernel threads do not wait at all: they
 * are who writes pages and takes packets, by which memory becomes free.
 */
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/scan.h"
#include "kernel/mm/usage.h"
#include "kernel/proc/task.h"

#define BATCH      64u
#define TEXT_KEPT  512u           /* pages */
#define WAIT_TICKS (2 * TIMER_HZ) /* the longest that somebody waits for kswapd */
/* Turns without one page, until it is said that there are none. The first two leave alone what is
 * dear (text, pages just read ahead); flushd needs its time. */
#define TRIES       5u
#define TRIES_DIRTY 50u

static WAIT_QUEUE(kswapd_queue); /* where it sleeps */
static WAIT_QUEUE(done_queue);   /* where others wait for it */
static bool wanted, running;
static u32 runs; /* how often it has come to an end, whatever the end was */

void reclaim_kick(void)
{
    if (wanted)
        return;
    wanted = true;
    wake_all(&kswapd_queue);
}

/* The last pages of files are what programs run from: to take these, too, would be to read them
 * again and again, for ever. A machine that has nothing else left is out of memory, and says so. */
static bool text_to_spare(void)
{
    struct memory_usage use = memory_usage();
    return use.cached - use.shared > MAX(total_frames / 16, TEXT_KEPT);
}

/* Until there are enough free frames, or no more can be had. */
static void balance(void)
{
    u32 tries = 0;
    while (nr_free_frames < 2 * frames_low &&
           tries < (writeback_stats.dirty ? TRIES_DIRTY : TRIES)) {
        u32 dropped = cache_reclaim(BATCH);
        u32 forgotten = inode_trim(BATCH, MAX(cache_stats.pages, BATCH));
        if (dropped < BATCH / 2) {
            bool hard = tries > 1;
            u32 out = mm_scan(BATCH, hard && text_to_spare()) + cache_swap_out(BATCH);
            if (!out && !dropped && hard)
                dropped = cache_reclaim_hard(BATCH);
            if (writeback_stats.dirty)
                writeback_kick();
            if (writeback_stats.dirty || writeback_stats.in_flight)
                writeback_wait(timer_ticks() + 2); /* what arrives can be dropped */
            else if (!dropped)
                slab_trim();
        }
        tries = dropped || forgotten || writeback_stats.in_flight ? 0 : tries + 1;
        (void)task_pause();
    }
}

static void kswapd(void *unused)
{
    for (;;) {
        (void)wait_event_killable(&kswapd_queue, wanted, timer_ticks() + TIMER_HZ);
        wanted = false;
        running = true;
        if (nr_free_frames < 2 * frames_low)
            balance();
        running = false;
        runs++;
        wake_all(&done_queue);
    }
}

void reclaim_init(void)
{
    if (!kthread_create("kswapd", kswapd, NULL))
        panic("no memory for kswapd");
}

/* One run under way may have passed by already what can be had now. */
static void wait_for_kswapd(void)
{
    u32 first = runs, more = running ? 2 : 1;
    reclaim_kick();
    (void)wait_event_killable(&done_queue,
                              nr_free_frames >= 2 * ATOMIC_RESERVE || runs - first >= more,
                              timer_ticks() + WAIT_TICKS);
}

void reclaim_refill(void)
{
    cache_reclaim(ATOMIC_RESERVE);
    reclaim_kick();
    if (nr_free_frames < 2 * ATOMIC_RESERVE && current->mm)
        wait_for_kswapd();
}

bool frames_wait(void)
{
    if (cache_reclaim(ATOMIC_RESERVE))
        return true;
    if (!current->mm) {
        reclaim_kick();
        return cache_reclaim_hard(ATOMIC_RESERVE) > 0;
    }
    wait_for_kswapd();
    return !current->killed && (nr_free_frames > ATOMIC_RESERVE || writeback_stats.in_flight);
}
