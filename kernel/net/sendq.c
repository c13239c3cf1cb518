/* The send queue: fragments from the program to the peer's ACK. See sendq.h. */
#include "kernel/net/sendq.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

#ifndef FERRY_UNIT
_Static_assert(SENDQ_FRAGS * sizeof(struct send_frag) == PAGE_SIZE, "the ring is a heap object");
#endif

static inline struct send_frag *at(const struct sendq *q, u32 i)
{
    return &q->ring[i % SENDQ_FRAGS];
}

void sendq_init(struct sendq *q, u32 seq, u32 limit)
{
    *q = (struct sendq){.una = seq, .written = seq, .end = seq, .sent = seq, .limit = limit};
}

int sendq_prepare(struct sendq *q)
{
    if (!q->ring)
        q->ring = kmalloc(SENDQ_FRAGS * sizeof(struct send_frag));
    return q->ring ? 0 : -ENOMEM;
}

static void drop_head(struct sendq *q)
{
    struct send_frag *f = at(q, q->head++);
    q->una = f->end;
    page_put(f->page, HOLD_SOCK);
    account_put(f->account);
}

void sendq_free(struct sendq *q)
{
    while (q->head != q->tail)
        drop_head(q);
    kfree(q->ring);
    sendq_init(q, q->end, q->limit);
}

void sendq_push(struct sendq *q, struct frag f, struct account *account)
{
    struct send_frag *last = at(q, q->tail++);
    q->end += f.len;
    *last = (struct send_frag){.page = f.page,
                               .account = account_get(account),
                               .end = q->end,
                               .offset = f.offset,
                               .len = f.len};
}

/* The last fragment, if there is one of which the stack does not have every byte. */
static struct send_frag *open_tail(const struct sendq *q)
{
    return q->next != q->tail ? at(q, q->tail - 1) : NULL;
}

bool sendq_extend(struct sendq *q, struct frag f, struct account *account)
{
    struct send_frag *last = open_tail(q);
    if (!last || last->page != f.page || last->offset + last->len != f.offset ||
        last->account != account)
        return false;
    last->len += f.len;
    last->end += f.len;
    q->end += f.len;
    return true;
}

bool sendq_room(const struct sendq *q, u32 slot_len, struct frag *room, bool *share)
{
    if (q->head == q->tail)
        return false;
    const struct send_frag *last = at(q, q->tail - 1);
    u32 end = last->offset + last->len;
    *share = false;
    room->page = last->page;
    if (last->page->kind != PAGE_SOCK)
        return false;
    if (!slot_len) {
        room->offset = end;
        room->len = PAGE_SIZE - end;
        return last->page->index == SENDQ_FILLED && room->len > 0;
    }
    if (last->page->index != SENDQ_SLOTS)
        return false;
    /* Behind the bytes of a slot of which the stack has nothing yet: once a part was sent, what
     * follows would have payload where its headers must go. */
    bool untouched = q->next != q->tail && !(q->next == q->tail - 1 && q->next_done);
    if (untouched && last->len < slot_len && last->offset % SLOT_SIZE == SLOT_HEADROOM) {
        room->offset = end;
        room->len = slot_len - last->len;
        return true;
    }
    if (last->offset < SLOT_SIZE) { /* the page's second slot */
        room->offset = SLOT_SIZE + SLOT_HEADROOM;
        room->len = slot_len;
        *share = true;
        return true;
    }
    return false;
}

u32 sendq_unwritten(const struct sendq *q)
{
    u32 len = q->end - q->written;
    if (q->filling && q->next != q->tail) {
        const struct send_frag *last = at(q, q->tail - 1);
        len -= last->len - (q->next == q->tail - 1 ? q->next_done : 0);
    }
    return len;
}

u32 sendq_run(const struct sendq *q, u32 max, struct frag *start)
{
    u32 i = q->next, len = 0, skip = q->next_done;
    while (i != q->tail && len < max) {
        const struct send_frag *f = at(q, i);
        if (len == 0) {
            start->page = f->page;
            start->offset = f->offset + skip;
        } else {
            const struct send_frag *before = at(q, i - 1);
            bool same = f->page == before->page && f->offset == before->offset + before->len;
            bool following = f->page == before->page + 1 && f->offset == 0 &&
                             before->offset + before->len == PAGE_SIZE;
            if (!same && !following)
                break;
        }
        len += f->len - skip;
        skip = 0;
        i++;
    }
    return start->len = MIN(len, max);
}

void sendq_wrote(struct sendq *q, u32 len)
{
    q->written += len;
    len += q->next_done;
    while (q->next != q->tail && len >= at(q, q->next)->len)
        len -= at(q, q->next++)->len;
    q->next_done = len;
}

void sendq_release(struct sendq *q, u32 seq)
{
    while (q->head != q->next && seq_diff(at(q, q->head)->end, seq) <= 0)
        drop_head(q);
    if (seq_diff(q->cursor, q->head) < 0)
        q->cursor = q->head;
}

struct account *sendq_payer(struct sendq *q, u32 seq, u32 *len)
{
    while (q->cursor != q->tail && seq_diff(at(q, q->cursor)->end, seq) <= 0)
        q->cursor++;
    if (q->cursor == q->tail)
        return NULL;
    struct send_frag *f = at(q, q->cursor);
    *len = f->end - seq;
    return f->account;
}

void sendq_mark_sent(struct sendq *q, u32 seq)
{
    if (seq_diff(seq, q->sent) > 0)
        q->sent = seq;
}

/*
 * When to send: whole frames, and enough of them at once to be worth it, unless waiting would be
 * for nothing. RFC 9293, 3.8.6.2.1 (sender's silly window avoidance), with Nagle's rule (RFC 1122,
 * 4.2.3.4) carried over from a frame to a batch of frames: while something is in flight its ACK
 * will bring us back here, with more to send at one doorbell.
 */
u32 feed_amount(const struct feed_state *f)
{
    u32 n = MIN(f->unwritten, f->room);
    bool part = n < f->unwritten || (f->more && !f->now); /* more is to follow: */
    if (part && n > f->mss)
        n -= n % f->mss; /* no short frame in between */
    if (n >= MIN(FEED_BATCH / f->mss * f->mss, f->window / 2))
        return n;
    if (n == f->unwritten && f->now)
        return n;
    if (f->in_flight)
        return 0;
    /* Nothing in flight. If it is the window that is short, a whole frame goes; for less than
     * that it is better to wait until the window opens, but not for ever. If it is the data, it
     * goes unless the program has announced more. */
    if (f->room < f->unwritten)
        return n >= f->mss || f->override ? n : 0;
    return f->more ? 0 : n;
}
