/*
 * The kernel around block devices, page cache and ext2, as far as these need it, for a test that
 * runs them on the host: pages are pieces of the heap (the address sanitizer sees each step
 * outside), the disk is an array whose requests end when somebody waits, and there are no
 * interrupts. Include the C library first, then this, then the sources under test.
 */
#ifndef TESTS_UNIT_EXT2_IMAGE_H
#define TESTS_UNIT_EXT2_IMAGE_H

#define ssize_t          kernel_ssize_t /* the host's is another */
#define KERNEL_CPU_CPU_H                /* not this machine's processor */
#include "kernel/lib/types.h"

#define TIMER_HZ 100
static inline u32 irq_save(void)
{
    return 0;
}
static inline void irq_restore(u32 flags) {}
static u64 ticks_gone;
static u64 timer_ticks(void)
{
    return ++ticks_gone;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wint-to-pointer-cast"
#pragma GCC diagnostic ignored "-Wpointer-to-int-cast"
#define page_virt page_virt_of_the_kernel
#include "kernel/mm/page.h"
#undef page_virt
#pragma GCC diagnostic pop
#include "drivers/block.h"
#include "kernel/fs/vfs.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/proc/wait.h"

/* --- Pages ------------------------------------------------------------------------------------ */

#define NR_PAGES 2048
static struct page page_structs[NR_PAGES];
static void *page_memory[NR_PAGES];
struct page *pages = page_structs;
u32 nr_frames = NR_PAGES, page_holds[NR_HOLDERS];
static u32 pages_left = NR_PAGES; /* page_alloc fails, or reclaims, when none is */

static void *page_virt(const struct page *p)
{
    assert_non_null(page_memory[p - pages]);
    return page_memory[p - pages];
}

/* There is always room enough, or there is none to wait for. */
u32 nr_free_frames = NR_PAGES;
void reclaim_refill(void) {}
bool frames_wait(void)
{
    return false;
}

static u32 cache_reclaim_some(void);

void *early_alloc(size_t size)
{
    return calloc(1, size);
}

struct page *page_alloc(enum page_kind kind, enum holder holder)
{
    if (pages_left == 0 && cache_reclaim_some() == 0)
        return NULL;
    for (u32 i = 0; i < NR_PAGES; i++) {
        if (page_memory[i])
            continue;
        page_memory[i] = malloc(PAGE_SIZE);
        memset(page_memory[i], 0xA5, PAGE_SIZE);
        pages[i] = (struct page){.refs = 1, .kind = (u8)kind};
        page_holds[holder]++;
        pages_left--;
        return &pages[i];
    }
    return NULL;
}

struct page *page_alloc_zeroed(enum page_kind kind, enum holder holder)
{
    struct page *p = page_alloc(kind, holder);
    memset(page_virt(p), 0, PAGE_SIZE);
    return p;
}

void page_get(struct page *p, enum holder holder)
{
    assert_true(p->refs > 0);
    p->refs++;
    page_holds[holder]++;
}

void page_put(struct page *p, enum holder holder)
{
    assert_true(p->refs > 0 && page_holds[holder] > 0);
    page_holds[holder]--;
    if (--p->refs == 0) {
        free(page_memory[p - pages]);
        page_memory[p - pages] = NULL;
        pages_left++;
    }
}

/* --- Heap, output, accounts ------------------------------------------------------------------- */

static u32 objects;             /* of the heap, alive */
static bool (*no_memory)(void); /* kmalloc fails; NULL: never */
void *kmalloc(size_t size)
{
    assert_true(size <= 2 * PAGE_SIZE); /* pointers are twice as long here */
    if (no_memory && no_memory())
        return NULL;
    objects++;
    return malloc(size);
}
void *kzalloc(size_t size)
{
    return memset(kmalloc(size), 0, size);
}
void kfree(void *object)
{
    objects -= object != NULL;
    free(object);
}

static char said[4096]; /* the last lines printed */
void kprintf(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof(said), fmt, ap);
    va_end(ap);
}
void panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    abort();
}
size_t strlcpy(char *dst, const char *src, size_t size)
{
    return (size_t)snprintf(dst, size, "%s", src);
}

static struct account account = {.refs = 1};
static u64 moved_payload, moved_padding, moved_zeroes;
struct account *account_current(void)
{
    return &account;
}
struct account *account_get(struct account *a)
{
    return a->refs++, a;
}
void account_put(struct account *a)
{
    if (a)
        a->refs--;
}
void ledger_add(struct account *a, enum ledger_edge edge, enum ledger_mover mover, u32 bytes)
{
    assert_true(edge == EDGE_DISK_CACHE && mover == MOVER_DMA && bytes);
    moved_payload += bytes;
}
void ledger_add_apart(struct account *a, enum ledger_apart what, u32 bytes)
{
    if (what == APART_PADDING)
        moved_padding += bytes;
}
void copy_zeroes(enum ledger_edge edge, struct frag dst)
{
    assert_true(edge == EDGE_ZERO_CACHE && dst.offset + dst.len <= PAGE_SIZE);
    memset((char *)page_virt(dst.page) + dst.offset, 0, dst.len);
    moved_zeroes += dst.len;
}

/* --- The disk --------------------------------------------------------------------------------- */

static u8 *disk_bytes;
static struct block_request_list disk_queue = TAILQ_HEAD_INITIALIZER(disk_queue);
static u32 disk_commands;
static u64 bad_sector = ~0ull;

static void disk_submit(struct block_device *d, struct block_request *r)
{
    assert_true(r->disk_lba + r->nr_sectors <= d->nr_sectors && r->nr_sectors <= d->max_sectors);
    TAILQ_INSERT_TAIL(&disk_queue, r, link);
}
static const struct block_ops disk_ops = {.submit = disk_submit};

static void disk_end(struct block_request *r)
{
    u64 at = r->disk_lba * SECTOR_SIZE;
    bool bad = bad_sector - r->disk_lba < r->nr_sectors;
    TAILQ_REMOVE(&disk_queue, r, link);
    disk_commands++;
    for (u32 i = 0; i < r->nr_frags && !bad; at += r->frags[i++].len) {
        char *memory = (char *)page_virt(r->frags[i].page) + r->frags[i].offset;
        if (r->write)
            memcpy(disk_bytes + at, memory, r->frags[i].len);
        else
            memcpy(memory, disk_bytes + at, r->frags[i].len);
    }
    r->mover = MOVER_DMA;
    r->done(r, bad ? -EIO : 0);
}

/* Who waits, waits for the disk. A wait for something else would never end. */
void wait_sleep_disk(struct wait_queue *q)
{
    assert_false(TAILQ_EMPTY(&disk_queue));
    disk_end(TAILQ_FIRST(&disk_queue));
}
bool wait_sleep(struct wait_queue *q, u64 deadline)
{
    wait_sleep_disk(q);
    return true;
}
void wake_all(struct wait_queue *q) {}

/* --- There is no swap ------------------------------------------------------------------------- */

u32 shmem_first(struct mapping *m, u32 index, u32 end)
{
    return end;
}
int shmem_in(struct mapping *m, u32 index, bool *did_io)
{
    return 0;
}
void shmem_forget(struct mapping *m, u32 first, u32 end) {}
bool shmem_out(struct page *page)
{
    return false;
}
bool swap_has_room(void)
{
    return false;
}
void swap_flush(void) {}

/* --- Inodes: no table, each get reads anew ---------------------------------------------------- */

const struct file_ops regular_file_ops;

struct inode *inode_get(struct super *super, u32 ino)
{
    struct inode *inode = kzalloc(sizeof(*inode));
    inode->super = super;
    inode->ino = ino;
    inode->refs = 1;
    int error = super->read_inode(inode);
    if (error) {
        kfree(inode);
        return err_ptr(error);
    }
    return inode;
}

void inode_put(struct inode *inode)
{
    assert_int_equal(inode->refs, 1);
    if (inode->mapping.ops)
        cache_truncate(&inode->mapping);
    inode->ops->release(inode);
    kfree(inode);
}

void super_end(struct super *super)
{
    inode_put(super->root);
    kfree(super->fs);
    kfree(super);
}

#endif
