/* tmpfs: mounting, inodes, and the pages of files. See tmpfs.h. */
#include "kernel/fs/tmpfs.h"
#include <linux/falloc.h>
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/swap.h"
#include "kernel/paths/paths.h"

#define TMPFS_MAGIC      0x01021994
#define SECTORS_PER_PAGE (PAGE_SIZE / 512)
#define KEPT_FREE        16 /* one frame of so many is left to programs */

/* --- Pages ------------------------------------------------------------------------------------ */

/* A page that is asked for and is not there is a hole. It stays clean until it is written. */
static void read_hole(struct mapping *m, struct page **run, u32 nr)
{
    for (u32 i = 0; i < nr; i++) {
        u64 left = m->size - ((u64)run[i]->index << PAGE_SHIFT);
        u32 len = (u32)MIN((u64)PAGE_SIZE, left);
        if (m->is_metadata) /* a program's own shared memory is no payload */
            memset(page_virt(run[i]), 0, len);
        else
            copy_zeroes(EDGE_ZERO_CACHE, (struct frag){run[i], 0, len});
        cache_page_done(run[i], 0);
    }
}

/* Files here must not take the last memory from programs, however many file systems share it. */
static bool memory_is_short(void)
{
    u32 kept = total_frames / KEPT_FREE;
    if (swap_has_room())
        return false;
    if (nr_free_frames < kept)
        cache_reclaim(kept - nr_free_frames);
    return nr_free_frames < kept;
}

static int prepare_write(struct mapping *m, u32 index, u32 offset, u32 len)
{
    const struct tmpfs *fs = tmpfs_of(m->host);
    if (cache_find_dirty(m, index, index + 1, true) == index)
        return 0;
    return fs->pages >= fs->max_pages || (!m->is_metadata && memory_is_short()) ? -ENOSPC : 0;
}

static void count_pages(struct mapping *m, int pages)
{
    struct inode *inode = m->host;
    tmpfs_of(inode)->pages += pages;
    inode->blocks += pages * (int)SECTORS_PER_PAGE;
}

static const struct mapping_ops mapping_ops = {
    .read_pages = read_hole, .prepare_write = prepare_write, .dirtied = count_pages};

static const struct file_ops file_fops = {.read = cache_file_read, .write = cache_file_write};

/* --- Inodes ----------------------------------------------------------------------------------- */

int tmpfs_update(struct inode *inode)
{
    return 0;
}

/* fallocate(2): pages that have room from now on, or holes. */
static int tmpfs_allocate(struct inode *inode, u32 mode, u64 pos, u64 len)
{
    if (mode & ~(u32)(FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE))
        return -EOPNOTSUPP;
    if (mode & FALLOC_FL_PUNCH_HOLE) {
        u64 end = MIN(pos + len, ROUND_UP(inode->size, (u64)PAGE_SIZE));
        if (pos < end)
            cache_file_punch(inode, pos, end - pos);
        return 0;
    }
    u64 before = inode->size;
    if (pos + len > before) /* pages behind the end cannot be brought in */
        cache_file_resize(inode, pos + len);
    int err = 0;
    for (u64 at = ROUND_DOWN(pos, (u64)PAGE_SIZE); at < pos + len && !err; at += PAGE_SIZE) {
        struct page *page;
        err = cache_read(&inode->mapping, at >> PAGE_SHIFT, 1, NULL, &page, NULL);
        if (!err) {
            err = cache_make_dirty(&inode->mapping, page);
            page_put(page, HOLD_USE);
        }
    }
    if (err || (mode & FALLOC_FL_KEEP_SIZE))
        cache_file_resize(inode, before);
    return err;
}

void tmpfs_release(struct inode *inode)
{
    kfree(inode->fs);
    tmpfs_of(inode)->inodes--;
}

static ssize_t tmpfs_readlink(struct inode *link, char *buf, u32 size)
{
    u32 len = MIN((u32)link->size, size);
    memcpy(buf, link->fs, len);
    return len;
}

const struct inode_ops tmpfs_file_ops = {
    .update = tmpfs_update,
    .resize = cache_file_resize,
    .allocate = tmpfs_allocate,
    .release = tmpfs_release,
};
const struct inode_ops tmpfs_link_ops = {
    .readlink = tmpfs_readlink, .update = tmpfs_update, .release = tmpfs_release};

static int set_up(struct inode *inode, const struct new_file *what)
{
    inode->ops = &tmpfs_file_ops;
    switch (S_TYPE(what->mode)) {
    case S_REG:
        inode->fops = &file_fops;
        inode->mapping = (struct mapping){.ops = &mapping_ops, .host = inode, .in_ram = true};
        return 0;
    case S_DIR:
        inode->ops = &tmpfs_dir_ops;
        inode->fops = &tmpfs_dir_fops;
        return tmpfs_dir_init(inode);
    case S_LNK:
        inode->ops = &tmpfs_link_ops;
        inode->size = strlen(what->target);
        inode->fs = kmalloc(inode->size + 1);
        if (!inode->fs)
            return -ENOSPC;
        memcpy(inode->fs, what->target, inode->size + 1);
        return 0;
    default:
        inode->rdev = what->rdev;
        return 0;
    }
}

struct inode *tmpfs_inode(struct super *super, struct inode *dir, const struct new_file *what)
{
    struct tmpfs *fs = super->fs;
    if (fs->inodes >= fs->max_inodes)
        return err_ptr(-ENOSPC);
    struct inode *inode = inode_new(super, ++fs->last_ino, what->mode);
    if (!inode)
        return err_ptr(-ENOMEM);
    fs->inodes++;
    inode->nlink = 0;
    if (dir)
        inode_init_owner(inode, dir);
    int err = set_up(inode, what);
    if (!err)
        return inode;
    inode_put(inode);
    return err_ptr(err);
}

/* --- Mounting --------------------------------------------------------------------------------- */

static void tmpfs_statfs(struct super *super)
{
    const struct tmpfs *fs = super->fs;
    super->blocks = fs->max_pages;
    super->blocks_free = fs->max_pages - MIN(fs->pages, fs->max_pages);
    super->files = fs->max_inodes;
    super->files_free = fs->max_inodes - fs->inodes;
}

static void tmpfs_show_options(const struct super *super, struct text *t)
{
    const struct tmpfs *fs = super->fs;
    text_printf(t, ",size=%uk,nr_inodes=%u", fs->max_pages * (PAGE_SIZE / 1024), fs->max_inodes);
    if ((super->root->mode & 07777) != 01777)
        text_printf(t, ",mode=%o", super->root->mode & 07777);
}

void tmpfs_unmount(struct super *super)
{
    tmpfs_empty(super->root);
    super_end(super);
}

/* A number of `unit` bytes, with k, m, g or % of the RAM behind it; ~0 when it is none. */
static u32 parse_amount(const char *text, u32 unit)
{
    const char *end;
    u64 value = strtou32(text, &end);
    if (end == text)
        return ~0u;
    if (*end == '%' && unit == PAGE_SIZE)
        return (u32)(value * total_frames) / 100;
    u32 shift = *end == 'k' || *end == 'K'   ? 10
                : *end == 'm' || *end == 'M' ? 20
                : *end == 'g' || *end == 'G' ? 30
                                             : 0;
    value <<= shift;
    return (u32)MIN((value + unit - 1) >> (unit == PAGE_SIZE ? PAGE_SHIFT : 0), (u64)0x7FFFFFFF);
}

static bool parse_octal(const char *text, u16 *mode)
{
    u32 value = 0;
    for (; *text >= '0' && *text <= '7' && value < 07777; text++)
        value = value * 8 + (*text - '0');
    *mode = value & 07777;
    return !*text;
}

struct tmpfs_options {
    u32 max_pages, max_inodes, uid, gid;
    u16 mode;
};

/* One "key=value", terminated. */
static bool parse_option(const char *option, struct tmpfs_options *o)
{
    const char *value = strchr(option, '='), *end;
    if (!value++)
        return false;
    if (!strncmp(option, "size=", 5))
        return (o->max_pages = parse_amount(value, PAGE_SIZE)) != ~0u;
    if (!strncmp(option, "nr_inodes=", 10))
        return (o->max_inodes = parse_amount(value, 1)) != ~0u;
    if (!strncmp(option, "mode=", 5))
        return parse_octal(value, &o->mode);
    if (!strncmp(option, "uid=", 4))
        o->uid = strtou32(value, &end);
    else if (!strncmp(option, "gid=", 4))
        o->gid = strtou32(value, &end);
    else
        return false;
    return end != value && !*end;
}

static int parse_options(const char *options, struct tmpfs_options *o)
{
    char option[64];
    while (*options) {
        u32 len = 0;
        while (options[len] && options[len] != ',')
            len++;
        strlcpy(option, options, MIN(len + 1, sizeof(option)));
        if (len && (len >= sizeof(option) || !parse_option(option, o))) {
            kprintf("tmpfs: bad option '%s'\n", option);
            return -EINVAL;
        }
        options += len + (options[len] == ',');
    }
    return 0;
}

static int tmpfs_remount(struct super *super, u32 flags, const char *options)
{
    struct tmpfs *fs = super->fs;
    struct tmpfs_options o = {fs->max_pages, fs->max_inodes, super->root->uid, super->root->gid,
                              super->root->mode & 07777};
    int err = parse_options(options, &o);
    if (err || o.max_pages < fs->pages || o.max_inodes < fs->inodes)
        return err ? err : -EINVAL;
    fs->max_pages = o.max_pages;
    fs->max_inodes = o.max_inodes;
    return 0;
}

struct super *tmpfs_mount(struct block_device *device, u32 flags, const char *options)
{
    static u32 minor; /* devices without a disk: major 0 */
    struct tmpfs_options o = {total_frames / 2, total_frames / 2, 0, 0, 01777};
    int err = parse_options(options, &o);
    if (err)
        return err_ptr(err);
    struct super *super = kzalloc(sizeof(*super));
    struct tmpfs *fs = kzalloc(sizeof(*fs));
    struct inode *root = err_ptr(-ENOMEM);
    if (super && fs) {
        *super = (struct super){
            .type = "tmpfs",
            .dev = 32 + minor++ % 224, /* above those of proc, devpts ... */
            .magic = TMPFS_MAGIC,
            .block_size = PAGE_SIZE,
            .statfs = tmpfs_statfs,
            .show_options = tmpfs_show_options,
            .remount = tmpfs_remount,
            .unmount = tmpfs_unmount,
            .fs = fs,
        };
        *fs = (struct tmpfs){.max_pages = o.max_pages, .max_inodes = o.max_inodes};
        root = tmpfs_inode(super, NULL, &(struct new_file){.mode = S_DIR | o.mode});
    }
    if (is_err(root)) {
        kfree(super);
        kfree(fs);
        return (struct super *)root;
    }
    root->nlink = 2;
    root->uid = o.uid;
    root->gid = o.gid;
    root->atime = root->mtime = root->ctime = inode_now(root);
    super->root = root;
    return super;
}

const struct fs_type tmp_fs = {.name = "tmpfs", .mount = tmpfs_mount};

/* --- Memory that programs share without a file --------------------------------------------------
 */

/* mmap(2) with MAP_SHARED | MAP_ANONYMOUS: a file without a name, in a file system that nobody
 * sees. As long as memory lasts. */
static struct super *shared_memory;

void shared_memory_init(void)
{
    shared_memory = tmpfs_mount(NULL, 0, "");
    if (is_err(shared_memory))
        panic("no memory for shared memory");
    struct tmpfs *fs = shared_memory->fs;
    fs->max_pages = fs->max_inodes = ~0u;
}

struct inode *shared_memory_inode(u32 len)
{
    struct inode *inode =
        tmpfs_inode(shared_memory, NULL, &(struct new_file){.mode = S_REG | 0777});
    if (is_err(inode))
        return NULL;
    inode->mapping.is_metadata = true;
    inode_set_size(inode, len);
    return inode;
}
