/*
 * The send queue of a TCP connection: a FIFO of fragments between the program and the peer's ACK.
 *
 *      head                    next                    tail
 *       | given to the stack    | not yet               |
 *       v                       v                       v
 *     [frag][frag][frag][frag][frag][frag][frag][frag]
 *     una          sent        written                  end      (TCP sequence numbers)
 *
 * Each fragment holds its page by one HOLD_SOCK reference, and the account of who wrote it. The
 * payload is not in the queue but in those pages: pages of the page cache that were queued by
 * reference, or pages of the queue's own (PAGE_SOCK) into which bytes were copied, in one of two
 * layouts:
 *
 *   filled   bytes one behind the other; for a card that gathers
 *   slots    two slots of 2 KiB a page, each with headroom and then the payload of exactly one
 *            segment; for a card that cannot gather. The headers are later written into the
 *            headroom, so that a frame is one contiguous range without copying its payload again.
 *
 * Nothing here sleeps. Sequence numbers are compared modulo 2^32 (RFC 9293, 3.4). This file knows
 * neither lwIP nor the card, so that it can be tested on the host.
 */
#ifndef KERNEL_NET_SENDQ_H
#define KERNEL_NET_SENDQ_H

#include "kernel/ledger/ledger.h"
#include "kernel/mm/page.h"

struct send_frag {
    struct page *page;
    struct account *account;
    u32 end; /* sequence number behind its last byte */
    u16 offset, len;
};

#define SENDQ_FRAGS 256u /* 16 bytes each: one page */

struct sendq {
    struct send_frag *ring; /* allocated with the first byte; NULL before */
    u32 head, next, tail;   /* counters that only grow; the place in the ring is their low bits */
    u32 next_done;          /* bytes of fragment `next` that the stack already has */
    u32 una;                /* first byte that is kept: everything before was acknowledged */
    u32 written;            /* first byte that the stack does not have */
    u32 end;                /* behind the last byte */
    u32 sent;               /* high-water mark: bytes before it have been in a frame */
    u32 cursor;             /* a fragment at or before that of `sent` */
    u32 limit;              /* SO_SNDBUF, bytes */
    bool filling;           /* a copy into the last fragment is under way, and may sleep */
};

/* PAGE_SOCK pages carry their layout in page->index. */
enum { SENDQ_FILLED = 1, SENDQ_SLOTS = 2 };
#define SLOT_SIZE     2048u
#define SLOT_HEADROOM 96u /* >= 14 Ethernet + 20 IPv4 + 60 TCP */
#define SLOT_MAX      (SLOT_SIZE - SLOT_HEADROOM)

static inline s32 seq_diff(u32 a, u32 b)
{
    return (s32)(a - b);
}

void sendq_init(struct sendq *q, u32 seq, u32 limit);
/* Allocates the ring when there is none: 0 or -ENOMEM. */
int sendq_prepare(struct sendq *q);
void sendq_free(struct sendq *q); /* releases everything */

static inline u32 sendq_bytes(const struct sendq *q)
{
    return q->end - q->una;
}
static inline bool sendq_empty(const struct sendq *q)
{
    return q->end == q->una;
}
/* Bytes that may be queued now. */
static inline u32 sendq_space(const struct sendq *q)
{
    u32 bytes = sendq_bytes(q);
    if (q->tail - q->head == SENDQ_FRAGS || bytes >= q->limit)
        return 0;
    return q->limit - bytes;
}

/* Appends a fragment and takes over its HOLD_SOCK reference. There must be room. */
void sendq_push(struct sendq *q, struct frag f, struct account *account);
/* Appends bytes that lie right behind the last fragment by making that longer; false when they
 * do not, or when the stack has that fragment already. No reference is taken over. */
bool sendq_extend(struct sendq *q, struct frag f, struct account *account);

/* Where the next bytes of a copy can go without a new page. slot_len 0: layout "filled", else
 * slots of so many payload bytes. *share: the place is in a page that the last fragment already
 * holds, but needs a fragment (and a reference) of its own. False: a new page is needed. */
bool sendq_room(const struct sendq *q, u32 slot_len, struct frag *room, bool *share);

/* The bytes that may be given to the stack: all that are not written, but for a last fragment
 * that is being filled. */
u32 sendq_unwritten(const struct sendq *q);
/* The first unwritten bytes, at most max, that are contiguous in memory (pages that follow one
 * another are); 0 when there are none. */
u32 sendq_run(const struct sendq *q, u32 max, struct frag *start);
void sendq_wrote(struct sendq *q, u32 len);

/* Releases every fragment that ends at or before seq. */
void sendq_release(struct sendq *q, u32 seq);

/* Of payload [seq, seq + len), how many bytes at its end have not been in a frame before. */
static inline u32 sendq_first_sent(const struct sendq *q, u32 seq, u32 len)
{
    s32 old = seq_diff(q->sent, seq);
    return old <= 0 ? len : (u32)old >= len ? 0 : len - (u32)old;
}
/* Whether the stack was given payload [seq, seq + len) and it is still kept. */
static inline bool sendq_has(const struct sendq *q, u32 seq, u32 len)
{
    return seq_diff(seq, q->una) >= 0 && seq_diff(seq + len, q->written) <= 0;
}
/* The account that pays for byte seq, and how many bytes from there on it pays for; for bytes at
 * or behind `sent`. NULL when the queue has no such byte. */
struct account *sendq_payer(struct sendq *q, u32 seq, u32 *len);
void sendq_mark_sent(struct sendq *q, u32 seq);

/* While something is in flight, so much is collected before more is sent: what the card gets at
 * one doorbell. */
#define FEED_BATCH 32768u

/* How much to give to the stack now; 0: wait. See the definition. */
struct feed_state {
    u32 unwritten; /* bytes that wait */
    u32 room;      /* what the peer's window and the congestion window let go */
    u32 in_flight; /* bytes written and not acknowledged */
    u32 mss;       /* payload of one frame */
    u32 window;    /* congestion window, or the largest window the peer has offered if less */
    bool more;     /* the program says that more follows at once */
    bool now;      /* TCP_NODELAY, or the connection is being closed */
    bool override; /* the window has been short for so long that a part of a frame may go */
};
u32 feed_amount(const struct feed_state *f);

#endif
