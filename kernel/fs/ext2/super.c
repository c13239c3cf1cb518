/*
 * Mounting ext2: the superblock, and the root directory. Mounts are read-only today.
 *
 * Refused, each with one line that says why: a device without ext2, features or a block size that
 * we cannot read, counts that contradict each other, and an image shorter than its file system
 * (it would mount, and fail at some file later: better to hear of it now).
 */
#include "kernel/cpu/cpu.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"

int ext2_damaged(struct super *s, const char *fmt, ...)
{
    struct ext2 *fs = ext2_of(s);
    char text[120];
    va_list ap;
    if (timer_ticks() < fs->quiet_until) {
        fs->swallowed++;
        return -EIO;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    kprintf("ext2 on %s is damaged: %s\n", s->device->name, text);
    if (fs->swallowed)
        kprintf("ext2 on %s: %u more such lines not shown\n", s->device->name, fs->swallowed);
    fs->swallowed = 0;
    fs->quiet_until = timer_ticks() + TIMER_HZ;
    return -EIO;
}

/* Reads and checks the superblock, fills in fs and super. */
static int read_super(struct super *s, struct ext2 *fs)
{
    struct block_device *device = s->device;
    char why[160];
    struct ext2_super_block *sb = kmalloc(sizeof(*sb));
    if (!sb)
        return -ENOMEM;
    int error = cache_read_bytes(fs->metadata, EXT2_SUPER_OFFSET, sb, sizeof(*sb));
    if (error) {
        kprintf("%s: cannot read the superblock (error %d)\n", device->name, -error);
    } else if (!ext2_check_super(sb, device->nr_sectors * SECTOR_SIZE, &fs->g, why, sizeof(why))) {
        kprintf("%s: not mounted: %s\n", device->name, why);
        error = -EINVAL;
    } else {
        s->block_size = fs->g.block_size;
        s->blocks = fs->g.blocks;
        s->blocks_free = MIN(sb->s_free_blocks_count, fs->g.blocks);
        s->files = fs->g.inodes;
        s->files_free = MIN(sb->s_free_inodes_count, fs->g.inodes);
    }
    kfree(sb);
    return error;
}

static struct super *ext2_mount(struct block_device *device, u32 flags, const char *options)
{
    int error = -ENOMEM;
    struct super *s = kzalloc(sizeof(*s));
    struct ext2 *fs = kzalloc(sizeof(*fs));
    if (!s || !fs)
        goto fail;
    s->type = "ext2";
    s->dev = device->rdev;
    s->magic = EXT2_SUPER_MAGIC;
    s->flags = flags | SUPER_READ_ONLY;
    s->only_reads = true;
    s->unmount = super_end;
    s->device = device;
    s->read_inode = ext2_read_inode;
    s->fs = fs;
    fs->metadata = block_mapping(device);
    if (!fs->metadata)
        goto fail;
    error = read_super(s, fs);
    if (error)
        goto fail;

    struct inode *root = inode_get(s, EXT2_ROOT_INO);
    if (is_err(root)) {
        error = ptr_err(root);
        kprintf("%s: not mounted: cannot read the root directory (error %d)\n", device->name,
                -error);
        goto fail;
    }
    if (S_TYPE(root->mode) != S_DIR) {
        kprintf("%s: not mounted: the root is no directory\n", device->name);
        inode_put(root);
        error = -EINVAL;
        goto fail;
    }
    s->root = root;
    return s;

fail:
    kfree(fs);
    kfree(s);
    return err_ptr(error);
}

const struct fs_type ext2_fs = {.name = "ext2", .mount = ext2_mount, .needs_device = true};
