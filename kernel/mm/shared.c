/*
 * Anonymous shared memory (mmap with MAP_SHARED | MAP_ANONYMOUS): a file without a name, whose
 * pages exist only in the page cache. They count as dirty, so that nothing drops them before the
 * last mapping is gone.
 */
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/mm.h"

static void zero_pages(struct mapping *m, struct page **pages, u32 nr)
{
    for (u32 i = 0; i < nr; i++) {
        memset(page_virt(pages[i]), 0, PAGE_SIZE);
        pages[i]->flags |= PG_DIRTY;
        pages[i]->io_pending = 1;
        cache_page_done(pages[i], 0);
    }
}

static const struct mapping_ops zero_ops = {.read_pages = zero_pages};

struct inode *shared_memory_inode(u32 len)
{
    struct inode *inode = inode_new(NULL, 0, S_REG | 0600);
    if (!inode)
        return NULL;
    inode->size = inode->mapping.size = len;
    inode->mapping.ops = &zero_ops;
    inode->mapping.host = inode;
    inode->mapping.is_metadata = true;
    return inode;
}
