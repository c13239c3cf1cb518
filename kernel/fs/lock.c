/* Locks between programs. See lock.h; fcntl(2), "Advisory record locking"; flock(2). */
#include "kernel/fs/lock.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/wait.h"

static WAIT_QUEUE(changed); /* some lock has gone; locks are rare, so all wait here */

/* Who waits for whom, to see a circle before it closes. */
struct waiting {
    LIST_ENTRY(waiting) link;
    const void *owner, *blocker;
};
static LIST_HEAD(, waiting)
waiting = LIST_HEAD_INITIALIZER(waiting);

static bool overlap(const struct file_lock *a, const struct file_lock *b)
{
    return a->kind == b->kind && a->first <= b->last && b->first <= a->last;
}

static struct file_lock *find_conflict(struct inode *inode, const struct file_lock *lock)
{
    struct file_lock *l;
    LIST_FOREACH (l, &inode->locks, link)
        if (l->owner != lock->owner && overlap(l, lock) &&
            (l->type == LOCK_EXCLUSIVE || lock->type == LOCK_EXCLUSIVE))
            return l;
    return NULL;
}

bool lock_test(struct inode *inode, const struct file_lock *lock, struct file_lock *found)
{
    const struct file_lock *l = find_conflict(inode, lock);
    if (l)
        *found = *l;
    return l;
}

static void remove(struct file_lock *l)
{
    LIST_REMOVE(l, link);
    kfree(l);
}

/* Takes the bytes of `lock` out of what its owner has; a lock that is cut in the middle becomes
 * two: *spare is the second. */
static void cut_out(struct inode *inode, const struct file_lock *lock, struct file_lock **spare)
{
    struct file_lock *l, *next;
    LIST_FOREACH_SAFE (l, &inode->locks, link, next) {
        if (l->owner != lock->owner || !overlap(l, lock))
            continue;
        bool before = l->first<lock->first, behind = l->last> lock->last;
        if (before && behind) {
            struct file_lock *rest = *spare;
            *spare = NULL;
            *rest = *l;
            rest->first = lock->last + 1;
            LIST_INSERT_HEAD(&inode->locks, rest, link);
            l->last = lock->first - 1;
            return; /* an owner's locks do not overlap: there is no other */
        }
        if (before)
            l->last = lock->first - 1;
        else if (behind)
            l->first = lock->last + 1;
        else
            remove(l);
    }
}

/* Neighbours of one type are one lock. */
static void put_in(struct inode *inode, const struct file_lock *lock, struct file_lock *fresh)
{
    struct file_lock *l, *next;
    *fresh = *lock;
    LIST_FOREACH_SAFE (l, &inode->locks, link, next) {
        if (l->owner != lock->owner || l->kind != lock->kind || l->type != lock->type)
            continue;
        if (l->last + 1 == fresh->first && l->last != ~0ull) {
            fresh->first = l->first;
            remove(l);
        } else if (fresh->last + 1 == l->first && fresh->last != ~0ull) {
            fresh->last = l->last;
            remove(l);
        }
    }
    LIST_INSERT_HEAD(&inode->locks, fresh, link);
}

/* Would `owner` wait for somebody who, by way of others, waits for it? Only processes have this
 * looked at: open files have no single one that waits. */
static bool is_deadlock(const void *owner, const void *blocker)
{
    for (u32 steps = 0; blocker != owner && steps < 64; steps++) {
        const struct waiting *w;
        LIST_FOREACH (w, &waiting, link)
            if (w->owner == blocker)
                break;
        if (!w)
            return false;
        blocker = w->blocker;
    }
    return blocker == owner;
}

static int wait_for_others(struct inode *inode, const struct file_lock *lock)
{
    const struct file_lock *other;
    while ((other = find_conflict(inode, lock))) {
        if (lock->kind == LOCK_RECORD && lock->pid && is_deadlock(lock->owner, other->owner))
            return -EDEADLK;
        struct waiting me = {.owner = lock->owner, .blocker = other->owner};
        LIST_INSERT_HEAD(&waiting, &me, link);
        int err = wait_event_signal(&changed, find_conflict(inode, lock) != other, 0);
        LIST_REMOVE(&me, link);
        if (err)
            return err;
    }
    return 0;
}

int lock_set(struct inode *inode, const struct file_lock *lock, bool wait)
{
    int err = 0;
    /* flock(2): to change the type is to let go first, so two that wait for each other's do not
     * block each other. */
    if (lock->kind == LOCK_WHOLE && lock->type != LOCK_NONE) {
        struct file_lock *l, *next;
        LIST_FOREACH_SAFE (l, &inode->locks, link, next) {
            if (l->owner != lock->owner || l->kind != LOCK_WHOLE)
                continue;
            if (l->type == lock->type)
                return 0;
            remove(l);
            wake_all(&changed);
        }
    }
    if (lock->type != LOCK_NONE && find_conflict(inode, lock))
        err = wait ? wait_for_others(inode, lock) : -EAGAIN;
    if (err)
        return err;
    struct file_lock *spare = kmalloc(sizeof(*spare));
    struct file_lock *fresh = lock->type == LOCK_NONE ? NULL : kmalloc(sizeof(*fresh));
    if (!spare || (lock->type != LOCK_NONE && !fresh)) {
        kfree(spare);
        kfree(fresh);
        return -ENOLCK;
    }
    cut_out(inode, lock, &spare);
    if (fresh)
        put_in(inode, lock, fresh);
    kfree(spare);
    wake_all(&changed);
    return 0;
}

void lock_drop_owner(struct inode *inode, const void *owner)
{
    struct file_lock *l, *next;
    bool any = false;
    LIST_FOREACH_SAFE (l, &inode->locks, link, next) {
        if (l->owner != owner)
            continue;
        remove(l);
        any = true;
    }
    if (any)
        wake_all(&changed);
}
