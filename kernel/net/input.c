/*
 * Received frames: from the card's buffers into the stack, without a copy.
 *
 * A buffer is half a PAGE_RX page. It goes into the card's ring, comes up with a frame, becomes
 * lwIP's pbuf as it is (a "custom pbuf"), waits on a socket if it carries data, and returns to
 * the pool when the last reference to the pbuf is dropped.
 *
 * Bare ACKs are the bulk of what a sender receives (QEMU's user networking sends one for each
 * frame). An ACK is cumulative (RFC 9293, 3.4): when the next frame of the same connection
 * acknowledges strictly more, the earlier one says nothing that the later one does not, and to
 * drop it here is no different from losing it on the wire. So within a batch one ACK is held
 * back until the next frame is seen. It is delivered unless it advanced over the frame before it
 * and is itself superseded: a duplicate ACK, which TCP counts, is never dropped.
 */
#include "kernel/net/stack.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/net/wire.h"
#include "lwip/pbuf.h"
#include "lwip/netif.h"

#define RX_BUFFERS_MAX  4096 /* 8 MiB */
#define RX_BUFFERS_KEEP 320  /* free ones above which pages go back */
#define RX_RESERVED     8 /* an eighth is not for payload, which may wait for its reader for ever */

struct rx_buffer {
    struct pbuf_custom pbuf; /* first */
    u8 *data;                /* NULL: has no page now */
    bool free;
    LIST_ENTRY(rx_buffer) link; /* of the free ones, or of those without a page */
};

static struct rx_buffer buffers[RX_BUFFERS_MAX]; /* 2i and 2i+1 share a page */
LIST_HEAD(rx_buffer_list, rx_buffer);
static struct rx_buffer_list pool, bare;
static u32 nr_free;
struct input_stats input_stats;

static struct {
    struct rx_buffer *buffer; /* held back, or NULL */
    struct netdev *dev;
    u32 len;
    bool droppable; /* it acknowledged more than the frame before it */
    bool known;     /* `last` is the frame before this one */
    struct bare_ack last;
} held;

static u32 header_bytes; /* of this batch, not yet in the ledger */

static void pool_setup(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    /* Not more than an eighth of the memory, whoever sends to us. */
    input_stats.limit = MIN(RX_BUFFERS_MAX, nr_frames / 8 * 2) & ~1u;
    for (u32 i = input_stats.limit; i > 0; i -= 2)
        LIST_INSERT_HEAD(&bare, &buffers[i - 2], link);
}

static void put_free(struct rx_buffer *b)
{
    b->free = true;
    LIST_INSERT_HEAD(&pool, b, link);
    nr_free++;
}

static void take_free(struct rx_buffer *b)
{
    b->free = false;
    LIST_REMOVE(b, link);
    nr_free--;
}

static bool pool_grow(void)
{
    struct rx_buffer *b = LIST_FIRST(&bare);
    struct page *page = b ? page_alloc_atomic(PAGE_RX, HOLD_RX) : NULL;
    if (!page)
        return false;
    LIST_REMOVE(b, link);
    b[0].data = page_virt(page);
    b[1].data = b[0].data + RX_BUFFER_SIZE;
    put_free(&b[1]);
    put_free(&b[0]);
    input_stats.buffers += 2;
    input_stats.pages++;
    return true;
}

struct rx_buffer *rx_buffer_get(void)
{
    struct rx_buffer *b = LIST_FIRST(&pool);
    if (unlikely(!b)) {
        pool_setup();
        if (!pool_grow()) {
            input_stats.dropped++;
            return NULL;
        }
        b = LIST_FIRST(&pool);
    }
    take_free(b);
    input_stats.outstanding++;
    return b;
}

void rx_buffer_put(struct rx_buffer *b)
{
    input_stats.outstanding--;
    put_free(b);
    if (likely(nr_free <= RX_BUFFERS_KEEP))
        return;
    struct rx_buffer *pair = &buffers[(b - buffers) & ~1];
    if (!pair[0].free || !pair[1].free)
        return;
    take_free(&pair[0]);
    take_free(&pair[1]);
    page_put(virt_page(pair[0].data), HOLD_RX);
    pair[0].data = pair[1].data = NULL;
    LIST_INSERT_HEAD(&bare, pair, link);
    input_stats.buffers -= 2;
    input_stats.pages--;
}

phys_t rx_buffer_phys(const struct rx_buffer *b)
{
    return virt_to_phys(b->data);
}

static void pbuf_done(struct pbuf *p)
{
    rx_buffer_put((struct rx_buffer *)p);
}

static void deliver(struct netdev *d, struct rx_buffer *b, u32 len)
{
    struct netif *netif = d->stack;
    header_bytes += frame_header_bytes(b->data, len);
    b->pbuf.custom_free_function = pbuf_done;
    struct pbuf *p =
        pbuf_alloced_custom(PBUF_RAW, len, PBUF_REF, &b->pbuf, b->data, RX_BUFFER_SIZE);
    if (!p || !netif)
        rx_buffer_put(b);
    else if (netif->input(p, netif) != ERR_OK)
        pbuf_free(p);
}

static void deliver_held(void)
{
    struct rx_buffer *b = held.buffer;
    held.buffer = NULL;
    if (b)
        deliver(held.dev, b, held.len);
}

void netdev_rx(struct netdev *d, struct rx_buffer *b, u32 len)
{
    struct bare_ack ack;
    if (unlikely(input_stats.outstanding > input_stats.limit - input_stats.limit / RX_RESERVED) &&
        frame_header_bytes(b->data, len) < len) {
        input_stats.refused++; /* programs do not read: their peers have to send it again */
        rx_buffer_put(b);
        return;
    }
    if (!bare_ack_parse(b->data, len, &ack)) {
        deliver_held();
        held.known = false;
        deliver(d, b, len);
        return;
    }
    bool advances = held.known && bare_ack_supersedes(&ack, &held.last);
    if (held.buffer && advances && held.droppable) {
        header_bytes += held.len;
        rx_buffer_put(held.buffer);
        input_stats.acks_merged++;
    } else {
        deliver_held();
    }
    held.buffer = b;
    held.dev = d;
    held.len = len;
    held.droppable = advances;
    held.last = ack;
    held.known = true;
}

void input_relieve(void)
{
    static u32 seen;
    if (likely(input_stats.refused + input_stats.dropped == seen))
        return;
    seen = input_stats.refused + input_stats.dropped;
    pbuf_free_ooseq(); /* of one connection; the peer has kept it */
}

void input_flush(void)
{
    deliver_held();
    if (header_bytes)
        ledger_add_apart(NULL, APART_RX_HEADERS, header_bytes);
    header_bytes = 0;
}
