/*
 * futex(2): a thread sleeps until another says that a word of memory has changed.
 *
 * Locks live in the programs' memory; the kernel is asked only to wait and to wake. A waiter is
 * known by what its word is: an address in one address space, or, in memory that processes share, a
 * place in the mapped object. Between the look at the word and the sleep nobody else runs (kernel
 * code is not preempted), so no wake-up is lost. futex(2), set_robust_list(2).
 */
#include "kernel/proc/futex.h"
#include <linux/futex.h>
#include <linux/time.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/fault.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/process.h"
#include "kernel/sys/clock.h"
#include "kernel/sys/timeout.h"

struct key {
    const void *object; /* struct mm, or struct inode */
    u64 at;             /* address in it, or offset */
};

struct waiter {
    TAILQ_ENTRY(waiter) link;
    struct key key;
    u32 bits; /* of FUTEX_WAIT_BITSET */
    bool woken;
    struct wait_queue queue;
};

#define NR_BUCKETS 64
static TAILQ_HEAD(bucket, waiter) buckets[NR_BUCKETS];

static struct bucket *bucket_of(const struct key *key)
{
    u32 i = ((u32)key->object >> 5 ^ (u32)key->at >> 2 ^ (u32)key->at >> 12) % NR_BUCKETS;
    struct bucket *b = &buckets[i];
    if (!b->tqh_last)
        TAILQ_INIT(b);
    return b;
}

static bool same(const struct key *a, const struct key *b)
{
    return a->object == b->object && a->at == b->at;
}

/* 0, -EINVAL, -EFAULT. */
static int key_of(struct key *key, u32 address, bool private)
{
    if (address % sizeof(u32))
        return -EINVAL;
    if (!user_range_ok((const void *)address, sizeof(u32)))
        return -EFAULT;
    *key = (struct key){current->mm, address};
    if (private)
        return 0;
    const struct vma *v = vma_find(current->mm, address);
    if (!v)
        return -EFAULT;
    if (v->shared && v->inode)
        *key = (struct key){v->inode, ((u64)v->pgoff << PAGE_SHIFT) + (address - v->start)};
    return 0;
}

/* ---- waking ---- */

static void wake(struct waiter *w)
{
    TAILQ_REMOVE(bucket_of(&w->key), w, link);
    w->woken = true;
    wake_all(&w->queue);
}

static int wake_some(const struct key *key, u32 most, u32 bits)
{
    struct waiter *w, *next;
    int n = 0;
    TAILQ_FOREACH_SAFE (w, bucket_of(key), link, next) {
        if (!same(&w->key, key) || !(w->bits & bits))
            continue;
        wake(w);
        if (++n >= (int)most)
            break;
    }
    return n;
}

/* Those that are not woken wait for the other word from here on. */
static int requeue(const struct key *from, const struct key *to, u32 wakes, u32 moves)
{
    struct waiter *w, *next;
    int n = 0;
    TAILQ_FOREACH_SAFE (w, bucket_of(from), link, next) {
        if (!same(&w->key, from))
            continue;
        if (n >= (int)(wakes + moves))
            break;
        if (n++ < (int)wakes) {
            wake(w);
        } else if (!same(from, to)) {
            TAILQ_REMOVE(bucket_of(from), w, link);
            w->key = *to;
            TAILQ_INSERT_TAIL(bucket_of(to), w, link);
        }
    }
    return n;
}

/* ---- waiting ---- */

static long wait_again(struct restart *r);

struct wait_request {
    u32 address, value, bits;
    bool private, timed;
    struct timeout timeout;
};

static long wait_on(const struct wait_request *r)
{
    struct waiter w = {.bits = r->bits};
    u32 now;
    int err = r->bits ? key_of(&w.key, r->address, r->private) : -EINVAL;
    if (err)
        return err;
    if (copyin(&now, (const void __user *)r->address, sizeof(now)) < 0)
        return -EFAULT;
    if (now != r->value)
        return -EAGAIN;
    if (r->timed && r->timeout.at_once)
        return -ETIMEDOUT;
    wait_init(&w.queue);
    TAILQ_INSERT_TAIL(bucket_of(&w.key), &w, link);
    err = wait_event_signal(&w.queue, w.woken, r->timed ? r->timeout.end_tick : 0);
    if (w.woken)
        return 0;
    TAILQ_REMOVE(bucket_of(&w.key), &w, link);
    if (err != -ERESTARTSYS || !r->timed)
        return err;
    signal_restart_later(wait_again, r->timeout.end_tick, r->address, r->value, r->bits,
                         r->private);
    return -ERESTART_RESTARTBLOCK;
}

static long wait_again(struct restart *r)
{
    struct wait_request again = {r->args[0], r->args[1], r->args[2],
                                 r->args[3], true,       {.end_tick = r->deadline}};
    return wait_on(&again);
}

/* ---- FUTEX_WAKE_OP: a change of the second word, and a look at what it was ---- */

static s32 sign_extend12(u32 x)
{
    return (s32)(x << 20) >> 20;
}

static int apply(u32 op, u32 argument, u32 *word)
{
    switch (op) {
    case FUTEX_OP_SET:
        *word = argument;
        return 0;
    case FUTEX_OP_ADD:
        *word += argument;
        return 0;
    case FUTEX_OP_OR:
        *word |= argument;
        return 0;
    case FUTEX_OP_ANDN:
        *word &= ~argument;
        return 0;
    case FUTEX_OP_XOR:
        *word ^= argument;
        return 0;
    default:
        return -ENOSYS;
    }
}

static int compare(u32 how, s32 a, s32 b)
{
    switch (how) {
    case FUTEX_OP_CMP_EQ:
        return a == b;
    case FUTEX_OP_CMP_NE:
        return a != b;
    case FUTEX_OP_CMP_LT:
        return a < b;
    case FUTEX_OP_CMP_GE:
        return a >= b;
    case FUTEX_OP_CMP_LE:
        return a <= b;
    case FUTEX_OP_CMP_GT:
        return a > b;
    default:
        return -ENOSYS;
    }
}

/* Until the word can be read and written without a fault, which would sleep: then the change is
 * one step for all other threads. */
static int make_writable(u32 address)
{
    for (;;) {
        const u32 *pte = pte_get(current->mm, address, false);
        if (pte && (*pte & PTE_PRESENT) && (*pte & PTE_WRITE))
            return 0;
        if (fault_handle(address, FAULT_USER | FAULT_WRITE, false))
            return -EFAULT;
    }
}

static int change_word(u32 address, u32 code)
{
    u32 op = code >> 28 & 7, how = code >> 24 & 15;
    u32 argument = (u32)sign_extend12(code >> 12 & 0xFFF), old, new;
    if (code >> 28 & FUTEX_OP_OPARG_SHIFT)
        argument = 1u << (argument & 31);
    if (make_writable(address) < 0 || copyin(&old, (const void __user *)address, sizeof(old)) < 0)
        return -EFAULT;
    new = old;
    int err = apply(op, argument, &new);
    if (err)
        return err;
    if (copyout((void __user *)address, &new, sizeof(new)) < 0)
        return -EFAULT;
    return compare(how, (s32)old, sign_extend12(code & 0xFFF));
}

static long wake_op(const struct key *one, const struct key *two, u32 address2, u32 wakes,
                    u32 wakes2, u32 code)
{
    int holds = change_word(address2, code);
    if (holds < 0)
        return holds;
    long n = wake_some(one, wakes, FUTEX_BITSET_MATCH_ANY);
    return holds ? n + wake_some(two, wakes2, FUTEX_BITSET_MATCH_ANY) : n;
}

/* ---- the call ---- */

static long wait_call(u32 address, u32 op, u32 value, void __user *time, enum time_form form,
                      u32 bits)
{
    bool absolute = (op & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
    struct wait_request r = {address, value, bits, op & FUTEX_PRIVATE_FLAG, time, {0}};
    u64 now = 0;
    if (time && absolute)
        clock_read(op & FUTEX_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_MONOTONIC, &now);
    int err =
        absolute ? timeout_at(&r.timeout, time, form, now) : timeout_in(&r.timeout, time, form);
    return err ? err : wait_on(&r);
}

static long futex(u32 address, u32 op, u32 value, void __user *time, enum time_form form,
                  u32 address2, u32 value3)
{
    bool private = op & FUTEX_PRIVATE_FLAG;
    u32 command = op & FUTEX_CMD_MASK, value2 = (u32)time;
    struct key one, two;
    if (command == FUTEX_WAIT || command == FUTEX_WAIT_BITSET)
        return wait_call(address, op, value, time, form,
                         command == FUTEX_WAIT ? FUTEX_BITSET_MATCH_ANY : value3);
    if (op & FUTEX_CLOCK_REALTIME || command > FUTEX_WAKE_BITSET || command == FUTEX_FD ||
        (command >= FUTEX_LOCK_PI && command <= FUTEX_TRYLOCK_PI))
        return -ENOSYS;
    if (command == FUTEX_WAKE_BITSET && !value3)
        return -EINVAL;
    int err = key_of(&one, address, private);
    if (!err &&
        (command == FUTEX_REQUEUE || command == FUTEX_CMP_REQUEUE || command == FUTEX_WAKE_OP)) {
        if (command != FUTEX_WAKE_OP && ((s32)value < 0 || (s32)value2 < 0))
            return -EINVAL;
        err = key_of(&two, address2, private);
    }
    if (err)
        return err;
    u32 now;
    switch (command) {
    case FUTEX_WAKE:
        return wake_some(&one, value, FUTEX_BITSET_MATCH_ANY);
    case FUTEX_WAKE_BITSET:
        return wake_some(&one, value, value3);
    case FUTEX_WAKE_OP:
        return wake_op(&one, &two, address2, value, value2, value3);
    case FUTEX_CMP_REQUEUE:
        if (copyin(&now, (const void __user *)address, sizeof(now)) < 0)
            return -EFAULT;
        if (now != value3)
            return -EAGAIN;
        return requeue(&one, &two, value, value2);
    default:
        return requeue(&one, &two, value, value2);
    }
}

long sys_futex(u32 address, u32 op, u32 value, void __user *timeout, u32 address2, u32 value3)
{
    return futex(address, op, value, timeout, TIMESPEC32, address2, value3);
}

long sys_futex_time64(u32 address, u32 op, u32 value, void __user *timeout, u32 address2,
                      u32 value3)
{
    return futex(address, op, value, timeout, TIMESPEC64, address2, value3);
}

/* ---- locks that their owner leaves behind ---- */

struct robust_head { /* struct robust_list_head of <linux/futex.h> */
    u32 next;
    s32 offset; /* from an entry to its word */
    u32 pending;
};

#define ROBUST_MAX 2048 /* entries: a list may be a circle */

/* The word of a lock that we own says so; the next one is told that its owner has died. */
static void leave_lock(u32 entry, s32 offset, bool is_pending)
{
    u32 address = (entry & ~1u) + (u32)offset, word;
    struct key key;
    if (address % sizeof(u32) || make_writable(address) < 0 ||
        copyin(&word, (const void __user *)address, sizeof(word)) < 0)
        return;
    bool ours = (word & FUTEX_TID_MASK) == current->tid;
    if (ours) {
        u32 left = (word & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
        if (copyout((void __user *)address, &left, sizeof(left)) < 0)
            return;
    }
    /* A lock just given up, whose next owner is not yet awake, needs the wake-up, too. */
    if ((ours && word & FUTEX_WAITERS) || (is_pending && !word))
        if (key_of(&key, address, false) == 0)
            wake_some(&key, 1, FUTEX_BITSET_MATCH_ANY);
}

static void walk_robust_list(u32 at)
{
    struct robust_head head;
    if (copyin(&head, (const void __user *)at, sizeof(head)) < 0)
        return;
    u32 entry = head.next;
    for (u32 n = 0; (entry & ~1u) != at && n < ROBUST_MAX; n++) {
        u32 next;
        bool more = copyin(&next, (const void __user *)(entry & ~1u), sizeof(next)) == 0;
        if (entry != head.pending)
            leave_lock(entry, head.offset, false);
        if (!more)
            break;
        entry = next;
    }
    if (head.pending & ~1u)
        leave_lock(head.pending, head.offset, true);
}

void futex_thread_ends(void)
{
    struct task *t = current;
    struct key key;
    u32 zero = 0;
    if (t->robust_list)
        walk_robust_list(t->robust_list);
    t->robust_list = 0;
    /* Alone in its memory there is nobody to tell. */
    if (t->clear_child_tid && t->mm->refs > 1 &&
        copyout((void __user *)t->clear_child_tid, &zero, sizeof(zero)) == 0 &&
        key_of(&key, t->clear_child_tid, false) == 0)
        wake_some(&key, 1, FUTEX_BITSET_MATCH_ANY);
    t->clear_child_tid = 0;
}

long sys_set_robust_list(u32 head, u32 len)
{
    if (len != sizeof(struct robust_head))
        return -EINVAL;
    current->robust_list = head;
    return 0;
}

long sys_get_robust_list(u32 tid, u32 __user *head, u32 __user *len)
{
    const u32 size = sizeof(struct robust_head);
    const struct task *t = tid ? task_find(tid) : current;
    if (!t)
        return -ESRCH;
    u32 at = t->robust_list;
    if (copyout(len, &size, sizeof(size)) < 0)
        return -EFAULT;
    return copyout(head, &at, sizeof(at));
}
