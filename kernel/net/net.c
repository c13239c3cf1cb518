/*
 * The network's engine: netd, and the batch in which everything is worked off.
 *
 * A card's interrupt handler masks the card and wakes netd; netd polls until the card has
 * nothing more, then allows its interrupts again. A task in a system call may call net_poll, too:
 * it is the same work, done without an interrupt and two switches. One CPU, kernel code is not
 * preempted, and nothing below sleeps: so a batch is never interrupted by another.
 *
 * Where tasks poll, interrupts tell nothing new. So netd leaves the card masked when a task has
 * polled since it looked last, and just goes to the end of the run queue: it comes back when the
 * others sleep or their slices are over, and only then, if nobody has polled meanwhile, it allows
 * interrupts again. A task that is about to sleep for the network's sake calls net_rest, which
 * does so at once: what it waits for wakes it without delay.
 *
 * In a batch the transmit ring is reaped before received frames are looked at. An ACK would
 * otherwise meet a segment whose buffer the card still seems to hold, and a retransmission of it
 * would be put off (tcp_output_segment_busy).
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/net/icmp.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/proc/task.h"
#include "kernel/proc/wait.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/sys.h"
#include "lwip/timeouts.h"

#define RX_BUDGET      256 /* frames of a card in one round: a ring */
#define POLL_ROUNDS    64
#define LATE_MS        300 /* two ticks of TCP's slow clock, and some */
#define NETD_MAX_SLEEP 100 /* ms: a task may have started a timer that netd does not know */

struct netdev *netdevs[MAX_NETDEVS];
u32 nr_netdevs;
static bool ready;     /* net_init has been here */
static bool polling;   /* in poll_batch */
static u32 task_polls; /* calls of net_poll */
static bool woken;
static WAIT_QUEUE(netd_queue);

/* --- For the drivers ----------------------------------------------------------------------- */

void netdev_register(struct netdev *d)
{
    if (nr_netdevs == MAX_NETDEVS)
        return;
    snprintf(d->name, sizeof(d->name), "eth%u", nr_netdevs);
    d->features_wanted = d->features;
    d->drop_nth = cmdline_u32("ferry.drop", 0);
    netdevs[nr_netdevs++] = d;
}

static void netd_wake(void)
{
    woken = true;
    wake_all(&netd_queue);
}

void netdev_schedule(struct netdev *d)
{
    netd_wake();
}

void netdev_link(struct netdev *d, bool up)
{
    interface_link(d, up);
}

struct netdev *netdev_find(const char *name)
{
    for (u32 i = 0; i < nr_netdevs; i++)
        if (!strcmp(netdevs[i]->name, name))
            return netdevs[i];
    return NULL;
}

/* --- The batch ----------------------------------------------------------------------------- */

static bool looped_packets(void)
{
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n))
        if (n->loop_first)
            return true;
    return false;
}

static void kick(void)
{
    for (u32 i = 0; i < nr_netdevs; i++)
        netdevs[i]->ops->tx_kick(netdevs[i]);
}

void net_flush(void)
{
    kick();
    if (!polling && looped_packets())
        netd_wake();
}

void net_reap(void)
{
    for (u32 i = 0; i < nr_netdevs; i++)
        netdevs[i]->ops->tx_reap(netdevs[i]);
}

/* One round; true when there was something to do. */
static bool poll_once(void)
{
    u32 frames = 0;
    net_reap();
    for (u32 i = 0; i < nr_netdevs; i++)
        frames += netdevs[i]->ops->rx_poll(netdevs[i], RX_BUDGET);
    if (frames)
        input_flush();
    bool looped = looped_packets();
    if (looped)
        netif_poll_all();
    connection_service();
    input_relieve();
    kick();
    return frames || looped;
}

static void poll_batch(void)
{
    polling = true;
    for (u32 i = 0; i < POLL_ROUNDS && poll_once(); i++)
        continue;
    polling = false;
}

void net_poll(void)
{
    if (polling || !ready)
        return;
    task_polls++;
    poll_batch();
}

static bool work_pending(void)
{
    for (u32 i = 0; i < nr_netdevs; i++)
        if (netdevs[i]->ops->rx_pending(netdevs[i]))
            return true;
    return looped_packets();
}

static void unmask(void)
{
    for (u32 i = 0; i < nr_netdevs; i++)
        netdevs[i]->ops->irq_unmask(netdevs[i]);
}

void net_rest(void)
{
    if (!ready)
        return;
    unmask();
    if (work_pending())
        poll_batch();
}

/* lwIP's timers. After a time in which netd did not run - a task was long in the kernel - the
 * ticks that were missed are forgotten: caught up with in a row, they would make a time-out of
 * what was sent just now. */
static void timers(void)
{
    static u32 last;
    u32 now = sys_now();
    if (now - last > LATE_MS)
        sys_restart_timeouts();
    last = now;
    sys_check_timeouts();
    connection_service();
}

static void netd(void *unused)
{
    u32 polls_seen = 0;
    for (;;) {
        poll_batch();
        timers();
        net_flush();
        if (work_pending()) { /* much of it: let others run in between */
            schedule();
            continue;
        }
        if (task_polls != polls_seen) {
            polls_seen = task_polls;
            schedule();
            continue;
        }
        woken = false;
        unmask();
        if (work_pending())
            continue;
        u32 ms = MIN(sys_timeouts_sleeptime(), (u32)NETD_MAX_SLEEP);
        u64 deadline = timer_ticks() + 1 + ms / (1000 / TIMER_HZ);
        (void)wait_event_killable(&netd_queue, woken, deadline);
    }
}

void net_init(void)
{
    lwip_init();
    output_init();
    icmp_watch();
    ready = true;
    interfaces_init();
    if (!kthread_create("netd", netd, NULL))
        panic("no memory for netd");
}

int net_set_drop_nth(u32 n)
{
    if (!nr_netdevs)
        return -ENODEV;
    for (u32 i = 0; i < nr_netdevs; i++) {
        netdevs[i]->drop_nth = n;
        netdevs[i]->tx_drop_count = netdevs[i]->rx_drop_count = 0;
    }
    return 0;
}
