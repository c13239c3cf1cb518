/*
 * Mounting ext2, and bringing it into order on the disk: the superblock, and the root directory.
 *
 * The superblock says whether the file system is clean. A mount that takes writes takes the mark
 * away, and unmounting, or a sync before the power goes, gives it back: in between, after a crash,
 * e2fsck(8) knows that it has to look.
 *
 * Refused, each with one line that says why: a device without ext2, features or a block size that
 * we cannot read, counts that contradict each other, and an image shorter than its file system
 * (it would mount, and fail at some file later: better to hear of it now).
 */
#include "kernel/cache/writeback.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/ext2/ext2.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/sys/clock.h"

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

void ext2_lock(struct super *s)
{
    struct ext2 *fs = ext2_of(s);
    wait_event(&fs->unlocked, !fs->locked);
    fs->locked = true;
}

void ext2_unlock(struct super *s)
{
    struct ext2 *fs = ext2_of(s);
    fs->locked = false;
    wake_one(&fs->unlocked);
}

int ext2_change_begin(struct super *s)
{
    ext2_lock(s);
    if (!(s->flags & SUPER_READ_ONLY))
        return 0;
    ext2_unlock(s);
    return -EROFS;
}

/* The superblock's bytes in the cache, to be changed; the others of its block are not touched. */
static int get_super(struct super *s, struct ext2_buf *b, struct ext2_super_block **sb)
{
    const struct ext2_geometry *g = &ext2_of(s)->g;
    int error = ext2_buf_read(s, EXT2_SUPER_OFFSET >> g->block_shift, b);
    *sb = (void *)((char *)b->data + (EXT2_SUPER_OFFSET & (g->block_size - 1)));
    return error;
}

/* A file system of revision 0 has no features, and becomes one of revision 1 for it. */
int ext2_allow_large_files(struct super *s)
{
    struct ext2_buf b;
    struct ext2_super_block *sb;
    if (ext2_of(s)->large_files)
        return 0;
    int error = get_super(s, &b, &sb);
    if (error)
        return error;
    if (sb->s_rev_level == EXT2_GOOD_OLD_REV) {
        sb->s_rev_level = EXT2_DYNAMIC_REV;
        sb->s_first_ino = EXT2_GOOD_OLD_FIRST_INO;
        sb->s_inode_size = EXT2_GOOD_OLD_INODE_SIZE;
    }
    sb->s_feature_ro_compat |= EXT2_FEATURE_RO_COMPAT_LARGE_FILE;
    ext2_of(s)->large_files = true;
    ext2_buf_dirty(s, &b);
    ext2_buf_put(&b);
    return 0;
}

static int change_super(struct super *s, bool clean)
{
    struct ext2 *fs = ext2_of(s);
    struct ext2_buf b;
    struct ext2_super_block *sb;
    int error = get_super(s, &b, &sb);
    if (error)
        return error;
    sb->s_free_blocks_count = (u32)s->blocks_free;
    sb->s_free_inodes_count = (u32)s->files_free;
    sb->s_wtime = realtime_seconds();
    sb->s_state =
        (u16)(clean && fs->was_clean ? sb->s_state | EXT2_VALID_FS : sb->s_state & ~EXT2_VALID_FS);
    fs->counts_changed = false;
    ext2_buf_dirty(s, &b);
    ext2_buf_put(&b);
    return 0;
}

/* The machine's last sync: what goes when it is closed will never be closed. */
static void delete_unlinked(struct super *s)
{
    struct inode *inode;
    while ((inode = inode_take_unlinked(s))) {
        ext2_lock(s);
        ext2_delete(inode);
        ext2_unlock(s);
        inode_put(inode);
    }
}

/* And then what the drive keeps in its own cache, of data as well. */
static int write_metadata(struct super *s)
{
    int error = cache_write_out(ext2_of(s)->metadata, 0, ~0u);
    int e = block_flush(s->device);
    return error ? error : e;
}

/* Everything that belongs to the file system is on the disk, and survives a loss of power. When it
 * shall be clean then, no change may come behind the mark that says so: it is read-only from now
 * on, and what is under way is waited for. */
static int ext2_sync(struct super *s, bool clean)
{
    struct ext2 *fs = ext2_of(s);
    bool last = clean;
    if (s->flags & SUPER_READ_ONLY)
        return 0;
    if (last) {
        s->flags |= SUPER_READ_ONLY;
        fs->closing = true;
        ext2_lock(s);
        ext2_unlock(s);
        delete_unlinked(s);
        inodes_wait_ending(s);
        fs->closing = false;
    }
    int error = inodes_sync(s); /* data, then the inodes into their tables */
    int e = split_sync(s->device);
    error = error ? error : e;
    e = clean ? write_metadata(s) : 0;
    error = error ? error : e;
    /* The mark says that all the rest is there, and that nothing was lost since it was mounted. */
    clean = clean && !error && s->device->errors.count == fs->errors_before;
    ext2_lock(s);
    e = 0;
    if (last || !(s->flags & SUPER_READ_ONLY)) { /* else it was made so meanwhile, and marked */
        e = fs->counts_changed || clean != fs->is_clean ? change_super(s, clean) : 0;
        fs->is_clean = clean && !e;
    }
    ext2_unlock(s);
    error = error ? error : e;
    e = write_metadata(s);
    return error ? error : e;
}

/* All metadata go, not the file's alone: its name, the directories above, the tables. */
static int ext2_fsync(struct inode *inode, bool data_only)
{
    struct super *s = inode->super;
    if (s->flags & SUPER_READ_ONLY)
        return 0;
    int error = inode->mapping.ops ? cache_write_out(&inode->mapping, 0, ~0u) : 0;
    int e = split_sync(s->device);
    error = error ? error : e;
    ext2_lock(s);
    bool changed = data_only ? inode->resized : inode->dirty;
    e = changed ? ext2_write_inode(inode) : 0;
    ext2_unlock(s);
    error = error ? error : e;
    e = write_metadata(s);
    return error ? error : e;
}

static int ext2_update_inode(struct inode *inode)
{
    ext2_lock(inode->super);
    int error = ext2_write_inode(inode);
    ext2_unlock(inode->super);
    return error;
}

/* The superblock has the sums, too, but it is not written with each change: after a crash they may
 * be old ones. */
static int count_free(struct super *s)
{
    struct ext2 *fs = ext2_of(s);
    const struct ext2_geometry *g = &fs->g;
    u64 table = ((u64)g->first_data_block + 1) << g->block_shift;
    s->blocks_free = s->files_free = 0;
    for (u32 group = 0; group < g->groups; group++) {
        struct ext2_group_desc gd;
        int error =
            cache_read_bytes(fs->metadata, table + (u64)group * sizeof(gd), &gd, sizeof(gd));
        if (error)
            return error;
        s->blocks_free += MIN((u32)gd.bg_free_blocks_count, g->blocks_per_group);
        s->files_free += MIN((u32)gd.bg_free_inodes_count, g->inodes_per_group);
    }
    s->blocks_free = MIN(s->blocks_free, s->blocks);
    s->files_free = MIN(s->files_free, s->files);
    return 0;
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
        s->blocks_kept = sb->s_r_blocks_count <= fs->g.blocks ? sb->s_r_blocks_count : 0;
        fs->kept_uid = sb->s_def_resuid;
        fs->kept_gid = sb->s_def_resgid;
        s->only_reads = block_read_only(device) || !fs->g.writable;
        fs->was_clean = sb->s_state & EXT2_VALID_FS && !(sb->s_state & EXT2_ERROR_FS);
        s->files = fs->g.inodes;
    }
    kfree(sb);
    return error ? error : count_free(s);
}

/* From now on it is written: until the mark is given back, a crash leaves it to e2fsck. */
static int take_mark(struct super *s)
{
    ext2_lock(s);
    int error = change_super(s, false);
    ext2_of(s)->is_clean = false;
    ext2_unlock(s);
    return error ? error : cache_write_out(ext2_of(s)->metadata, 0, ~0u);
}

static int ext2_remount(struct super *s, u32 flags, const char *options)
{
    bool now = s->flags & SUPER_READ_ONLY, then = flags & SUPER_READ_ONLY;
    if (now == then)
        return 0;
    if (now)
        return take_mark(s);
    int error = ext2_sync(s, true);
    if (error)
        s->flags &= ~SUPER_READ_ONLY;
    return error;
}

static void ext2_unmount(struct super *s)
{
    int error = ext2_sync(s, true);
    if (error)
        kprintf("%s: not all could be written (error %d)\n", s->device->name, -error);
    super_end(s);
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
    s->seconds = true;
    s->flags = flags;
    s->unmount = ext2_unmount;
    s->remount = ext2_remount;
    s->sync = ext2_sync;
    s->fsync = ext2_fsync;
    s->device = device;
    s->read_inode = ext2_read_inode;
    s->write_inode = ext2_update_inode;
    s->fs = fs;
    wait_init(&fs->unlocked);
    TAILQ_INIT(&fs->windows);
    fs->metadata = block_mapping(device);
    fs->errors_before = device->errors.count;
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
    s->root = root;
    if (S_TYPE(root->mode) != S_DIR) {
        kprintf("%s: not mounted: the root is no directory\n", device->name);
        super_end(s);
        return err_ptr(-EINVAL);
    }
    if (s->only_reads)
        s->flags |= SUPER_READ_ONLY;
    if (!(s->flags & SUPER_READ_ONLY))
        error = take_mark(s);
    if (error) {
        kprintf("%s: mounted read-only (error %d)\n", device->name, -error);
        s->flags |= SUPER_READ_ONLY;
    }
    return s;

fail:
    kfree(fs);
    kfree(s);
    return err_ptr(error);
}

const struct fs_type ext2_fs = {.name = "ext2", .mount = ext2_mount, .needs_device = true};
