/*
 * Frames: which RAM there is, and who holds which frame.
 *
 * The loader's memory map says what is RAM. Everything below the kernel's end, and what
 * early_alloc took behind it, stays reserved; the rest becomes a list of free frames. A frame is
 * counted by references held by name (page.h); the last one out puts it back on the list.
 */
#include "boot/multiboot.h"
#include "kernel/cache/cache.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"

struct page *pages;
u32 nr_frames, nr_free_frames, total_frames, frames_low;
u32 page_holds[NR_HOLDERS];

static struct page_list free_list = TAILQ_HEAD_INITIALIZER(free_list);

#define MAX_REGIONS 16
static struct {
    phys_t start, end;
} regions[MAX_REGIONS];
static u32 nr_regions;
static phys_t early_next, early_end;

extern u8 kernel_end[];

void frame_init(const struct multiboot_info *info)
{
    phys_t limit = KERNEL_RAM_MAX;
    u32 mem = cmdline_u32("mem", 0); /* mem=64M as on Linux; a bare number of bytes works, too */
    char text[16];
    if (mem && cmdline_get("mem", text, sizeof(text))) {
        size_t n = strlen(text);
        u32 unit = text[n - 1] == 'M' || text[n - 1] == 'm'   ? 20
                   : text[n - 1] == 'K' || text[n - 1] == 'k' ? 10
                                                              : 0;
        if (mem <= KERNEL_RAM_MAX >> unit)
            limit = mem << unit;
    }
    if (!(info->flags & MULTIBOOT_HAS_MMAP))
        panic("the boot loader passed no memory map");

    phys_t kernel_top = virt_to_phys(kernel_end), highest = 0;
    const char *p = phys_to_virt(info->mmap_addr), *end = p + info->mmap_length;
    while (p + sizeof(struct multiboot_mmap) <= end) {
        const struct multiboot_mmap *m = (const void *)p;
        p += m->size + sizeof(m->size);
        if (m->type != MULTIBOOT_AVAILABLE || m->base >= limit || m->base < 0x100000)
            continue; /* RAM below 1 MiB holds firmware data and the VGA screen: left alone */
        u64 stop = MIN(m->base + m->length, (u64)limit);
        phys_t start = ROUND_UP((phys_t)m->base, PAGE_SIZE);
        phys_t top = (phys_t)stop & PAGE_MASK;
        if (nr_regions == MAX_REGIONS || start >= top)
            continue;
        regions[nr_regions].start = start;
        regions[nr_regions++].end = top;
        highest = MAX(highest, top);
        if (kernel_top > start && kernel_top <= top) {
            early_next = kernel_top;
            early_end = top;
        }
    }
    if (!early_next)
        panic("no RAM behind the kernel: its end is at %08x", kernel_top);
    nr_frames = highest >> PAGE_SHIFT;
    pages = early_alloc(nr_frames * sizeof(struct page));
}

void *early_alloc(size_t size)
{
    size = ROUND_UP(size, PAGE_SIZE);
    if (size > early_end - early_next)
        panic("not enough memory to start: %u KiB more needed", size >> 10);
    void *p = phys_to_virt(early_next);
    early_next += size;
    return memset(p, 0, size);
}

void frame_start(void)
{
    for (u32 r = 0; r < nr_regions; r++) {
        for (phys_t at = regions[r].start; at < regions[r].end; at += PAGE_SIZE) {
            total_frames++;
            if (at < early_next && at >= virt_to_phys((void *)(KERNEL_BASE + 0x100000)))
                continue;
            struct page *page = phys_page(at);
            page->kind = PAGE_FREE;
            TAILQ_INSERT_TAIL(&free_list, page, link);
            nr_free_frames++;
        }
    }
    early_end = early_next; /* no more of it */
    frames_low = MAX(total_frames / 64, 3 * ATOMIC_RESERVE);
}

struct page *page_alloc_atomic(enum page_kind kind, enum holder holder)
{
    u32 flags = irq_save();
    struct page *page = TAILQ_FIRST(&free_list);
    if (page) {
        TAILQ_REMOVE(&free_list, page, link);
        nr_free_frames--;
        page_holds[holder]++;
        page->refs = 1;
        page->kind = kind;
        page->flags = 0;
        page->io_pending = 0;
        page->mapping = NULL;
        page->dirty_sectors = 0;
    }
    irq_restore(flags);
    return page;
}

struct page *page_alloc(enum page_kind kind, enum holder holder)
{
    if (unlikely(nr_free_frames <= frames_low)) {
        reclaim_kick();
        if (nr_free_frames <= ATOMIC_RESERVE && cache_reclaim(32) == 0 &&
            nr_free_frames <= ATOMIC_RESERVE / 2 && cache_reclaim_hard(32) == 0)
            return NULL;
    }
    return page_alloc_atomic(kind, holder);
}

struct page *page_alloc_zeroed(enum page_kind kind, enum holder holder)
{
    struct page *page = page_alloc(kind, holder);
    if (page)
        memset(page_virt(page), 0, PAGE_SIZE);
    return page;
}

void page_get(struct page *page, enum holder holder)
{
    u32 flags = irq_save();
    ASSERT(page->refs > 0);
    page->refs++;
    page_holds[holder]++;
    irq_restore(flags);
}

void page_put(struct page *page, enum holder holder)
{
    u32 flags = irq_save();
    if (unlikely(page->refs == 0 || page_holds[holder] == 0))
        panic("page %08x put once too often by holder %d (refs %u, kind %u)", page_phys(page),
              holder, page->refs, page->kind);
    page_holds[holder]--;
    if (--page->refs == 0) {
        page->kind = PAGE_FREE;
        TAILQ_INSERT_HEAD(&free_list, page, link);
        nr_free_frames++;
    }
    irq_restore(flags);
}
