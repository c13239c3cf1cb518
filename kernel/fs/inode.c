/*
 * The table of inodes in memory: one struct inode for each file in use, found by (file system,
 * number), so that everybody who opens a file shares its size and its cached pages.
 *
 * An inode nobody holds stays in the table with its pages for the next opener. When memory is short
 * its pages go one by one as all pages of the cache do, and then the inode itself (inode_trim).
 */
#include "kernel/cache/writeback.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/sched.h"
#include "kernel/proc/wait.h"

#define BUCKETS 1024

LIST_HEAD(inode_list, inode);
static struct inode_list table[BUCKETS];
static struct slab_cache *inode_cache;

TAILQ_HEAD(inode_queue, inode);
static struct inode_queue unused_list = TAILQ_HEAD_INITIALIZER(unused_list); /* oldest first */
static u32 nr_unused;

static struct inode_list *bucket(struct super *super, u32 ino)
{
    return &table[(ino ^ (u32)super >> 4) % BUCKETS];
}

struct inode *inode_new(struct super *super, u32 ino, u16 mode)
{
    if (!inode_cache)
        inode_cache = slab_create("inode", sizeof(struct inode));
    struct inode *inode = slab_alloc(inode_cache);
    if (!inode)
        return NULL;
    memset(inode, 0, sizeof(*inode));
    inode->super = super;
    inode->mapping.errors_above = super ? &super->errors : NULL;
    inode->ino = ino;
    inode->mode = mode;
    inode->nlink = 1;
    inode->refs = 1;
    if (super)
        super->refs++;
    return inode;
}

static bool in_table(const struct inode *inode)
{
    return inode->hash.le_prev != NULL;
}

static WAIT_QUEUE(ended); /* the last of a super's inodes that were ending */

/* Returns the directory whose reference the inode held: the caller's now, to give back in a loop
 * (a path may be deep, the stack is not). */
static struct inode *destroy(struct inode *inode)
{
    struct inode *dir = inode->dir;
    struct super *super = inode->super;
    if (super)
        super->ending++;
    inode->mapping.closing = true; /* flushd, leave it alone */
    if (dir)
        dir->super->own_refs--; /* it is put as any other */
    if (in_table(inode))
        LIST_REMOVE(inode, hash);
    if (inode->mapping.ops)
        cache_truncate(&inode->mapping);
    if (inode->ops && inode->ops->release)
        inode->ops->release(inode);
    kfree(inode->name);
    slab_free(inode_cache, inode);
    if (super && --super->ending == 0)
        wake_all(&ended);
    return dir;
}

void inodes_wait_ending(const struct super *super)
{
    wait_event(&ended, !super->ending);
}

/* Nothing of it is newer here than on the disk. */
static bool clean(const struct inode *inode)
{
    const struct mapping *m = &inode->mapping;
    return !(inode->dirty && inode->super->write_inode) && !m->nr_dirty && !m->nr_writeback;
}

static struct inode *forget(struct inode *inode)
{
    TAILQ_REMOVE(&unused_list, inode, unused);
    nr_unused--;
    return destroy(inode);
}

void inode_set_name(struct inode *inode, struct inode *dir, const char *name, u32 len)
{
    if (inode->dir == dir && inode->name && !strncmp(inode->name, name, len) && !inode->name[len])
        return;
    for (struct inode *above = dir; above; above = above->dir)
        if (above == inode)
            return; /* a corrupt disk: a directory below itself */
    char *copy = kmalloc(len + 1);
    if (!copy)
        return; /* it keeps the name that it had */
    memcpy(copy, name, len);
    copy[len] = 0;
    kfree(inode->name);
    inode->name = copy;
    struct inode *before = inode->dir;
    inode->dir = inode_hold_own(dir);
    if (before)
        inode_put_own(before);
}

struct inode *inode_hold_own(struct inode *inode)
{
    inode->super->own_refs++;
    return inode_hold(inode);
}

void inode_put_own(struct inode *inode)
{
    inode->super->own_refs--;
    inode_put(inode);
}

static WAIT_QUEUE(locks); /* of all inodes: rarely does anybody wait here */

void inode_lock(struct inode *inode)
{
    wait_event(&locks, !inode->locked);
    inode->locked = true;
}

void inode_unlock(struct inode *inode)
{
    inode->locked = false;
    wake_all(&locks);
}

/* The next one that nobody holds goes without anybody having to sleep for it. */
static bool can_go(const struct inode *inode)
{
    const struct inode *dir = inode->dir;
    bool dir_ends = dir && dir->refs == 1 && (!dir->nlink || !in_table(dir));
    return clean(inode) && !inode->mapping.nr_pages && !dir_ends;
}

u32 inode_trim(u32 nr, u32 of)
{
    u32 gone = 0, looks = (u32)DIV_ROUND_UP((u64)nr_unused * nr, of);
    while (looks--) {
        struct inode *inode = TAILQ_FIRST(&unused_list);
        if (can_go(inode)) {
            inode_put(forget(inode)); /* its directory, which may now be the last of the list */
            gone++;
        } else {
            TAILQ_REMOVE(&unused_list, inode, unused);
            TAILQ_INSERT_TAIL(&unused_list, inode, unused);
        }
    }
    return gone;
}

u32 inode_pages(void)
{
    return nr_unused * sizeof(struct inode) / PAGE_SIZE;
}

/* Those who walk all inodes (flushd) leave them alone from now on; who holds one has come to it
 * while the file system was brought to the disk, and is waited for. */
static void take_leave(struct super *super)
{
    struct inode *inode;
    for (u32 i = 0; i < BUCKETS; i++)
        LIST_FOREACH (inode, &table[i], hash)
            if (inode->super == super)
                inode->mapping.closing = true;
    while (super->refs != super->own_refs || super->ending)
        task_sleep_ticks(1);
}

void super_end(struct super *super)
{
    inode_put(super->root);
    take_leave(super);
    for (;;) {
        struct inode *inode;
        TAILQ_FOREACH (inode, &unused_list, unused) {
            if (inode->super == super)
                break;
        }
        if (!inode)
            break;
        struct inode *dir = forget(inode);
        if (dir)
            inode_put(dir);
    }
    ASSERT(super->refs == 0);
    kfree(super->fs);
    kfree(super);
}

struct inode *inode_hold(struct inode *inode)
{
    if (inode->super)
        inode->super->refs++;
    if (inode->refs++ == 0) {
        TAILQ_REMOVE(&unused_list, inode, unused);
        nr_unused--;
    }
    return inode;
}

void inode_put(struct inode *inode)
{
    while (inode) {
        ASSERT(inode->refs > 0);
        if (inode->super)
            inode->super->refs--;
        if (--inode->refs)
            return;
        if (!in_table(inode) || !inode->nlink) {
            inode = destroy(inode);
            continue;
        }
        TAILQ_INSERT_TAIL(&unused_list, inode, unused);
        nr_unused++;
        return;
    }
}

struct inode *inode_next_dirty(struct super *super, struct inode *after)
{
    u32 i = after ? bucket(after->super, after->ino) - table : 0;
    struct inode *inode = after && in_table(after) ? LIST_NEXT(after, hash) : LIST_FIRST(&table[i]);
    for (;;) {
        while (!inode && ++i < BUCKETS)
            inode = LIST_FIRST(&table[i]);
        if (!inode || ((!super || inode->super == super) && inode->nlink &&
                       !inode->mapping.closing && !clean(inode)))
            break;
        inode = LIST_NEXT(inode, hash);
    }
    if (inode)
        inode_hold(inode);
    if (after)
        inode_put(after);
    return inode;
}

static struct inode *unlinked(const struct super *super)
{
    struct inode *inode = NULL;
    for (u32 i = 0; i < BUCKETS && !inode; i++)
        LIST_FOREACH (inode, &table[i], hash)
            if (inode->super == super && !inode->nlink)
                break;
    return inode;
}

bool inodes_unlinked(const struct super *super)
{
    return unlinked(super) != NULL;
}

struct inode *inode_take_unlinked(struct super *super)
{
    struct inode *inode = unlinked(super);
    if (!inode)
        return NULL;
    LIST_REMOVE(inode, hash);
    inode->hash.le_prev = NULL;
    return inode_hold(inode);
}

static struct inode *find(struct super *super, u32 ino)
{
    struct inode *inode;
    LIST_FOREACH (inode, bucket(super, ino), hash)
        if (inode->super == super && inode->ino == ino)
            return inode;
    return NULL;
}

bool inode_in_memory(struct super *super, u32 ino)
{
    return find(super, ino) != NULL;
}

struct inode *inode_get(struct super *super, u32 ino)
{
    struct inode *inode = find(super, ino);
    if (inode)
        return inode_hold(inode);
    inode = inode_new(super, ino, 0);
    if (!inode)
        return err_ptr(-ENOMEM);
    int err = super->read_inode(inode); /* sleeps */
    if (err) {
        inode->ops = NULL; /* nothing of the file system's own to release */
        super->refs--;
        destroy(inode);
        return err_ptr(err);
    }
    struct inode *other = find(super, ino); /* another task may have read it meanwhile */
    if (other) {
        super->refs--;
        destroy(inode);
        return inode_hold(other);
    }
    LIST_INSERT_HEAD(bucket(super, ino), inode, hash);
    return inode;
}
