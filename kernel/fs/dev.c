/*
 * /dev: a directory made up from what the machine has. Numbers as in Linux's
 * admin-guide/devices.txt; null(4), full(4), random(4).
 */
#include "kernel/fs/dev.h"
#include "drivers/block.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/tty.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"

#define RDEV(major, minor) ((major) << 8 | (minor))

static ssize_t null_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    return 0;
}
static ssize_t null_write(struct file *f, const void __user *buf, size_t len, u64 *pos)
{
    return len;
}
static ssize_t zero_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    size_t done = 0;
    for (u32 n; done < len && !task_pause(); done += n) {
        n = MIN(len - done, 64u << 10);
        if (zero_user((char __user *)buf + done, n) < 0)
            return done ? (ssize_t)done : -EFAULT;
    }
    return done;
}
static ssize_t full_write(struct file *f, const void __user *buf, size_t len, u64 *pos)
{
    return -ENOSPC;
}

/* xorshift (Marsaglia 2003) stirred with the time-stamp counter: unpredictable enough for
 * programs that want different numbers each run, not for keys. */
u32 random_word(void)
{
    static u32 x;
    x ^= (u32)rdtsc() | 1;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    return x;
}

ssize_t random_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    size_t done = 0;
    for (u32 n; done < len && !task_pause(); done += n) {
        u32 words[64];
        for (u32 i = 0; i < ARRAY_LEN(words); i++)
            words[i] = random_word();
        n = MIN(len - done, sizeof(words));
        if (copyout((char __user *)buf + done, words, n) < 0)
            return done ? (ssize_t)done : -EFAULT;
    }
    return done;
}

static const struct file_ops null_ops = {.read = null_read, .write = null_write};
static const struct file_ops zero_ops = {.read = zero_read, .write = null_write};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write};
static const struct file_ops random_ops = {.read = random_read, .write = null_write};

/* A disk's raw sectors come through the page cache, as the metadata of its file system do. */
static ssize_t disk_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    struct block_device *d = block_next(NULL);
    while (d && d->rdev != f->inode->rdev)
        d = block_next(d);
    struct mapping *m = d ? block_mapping(d) : NULL;
    if (!m)
        return -ENXIO;
    size_t done = 0;
    while (done < len && *pos < m->size) {
        u32 offset = (u32)*pos & (PAGE_SIZE - 1);
        u32 chunk = MIN(len - done, PAGE_SIZE - offset);
        if (chunk > m->size - *pos)
            chunk = m->size - *pos;
        struct page *page;
        int err = cache_read(m, *pos >> PAGE_SHIFT, 1, &f->ra, &page, NULL);
        if (err < 0)
            return done ? (ssize_t)done : err;
        size_t left = copy_page_to_user(EDGE_CACHE_USER, (char __user *)buf + done,
                                        (struct frag){page, offset, chunk});
        page_put(page, HOLD_USE);
        if (left)
            return done ? (ssize_t)done : -EFAULT;
        done += chunk;
        *pos += chunk;
    }
    return done;
}
static const struct file_ops disk_ops = {.read = disk_read};

static const struct device {
    const char *name;
    u32 rdev;
    const struct file_ops *ops;
} devices[] = {
    {"null", RDEV(1, 3), &null_ops},
    {"zero", RDEV(1, 5), &zero_ops},
    {"full", RDEV(1, 7), &full_ops},
    {"random", RDEV(1, 8), &random_ops},
    {"urandom", RDEV(1, 9), &random_ops},
    {"tty", RDEV(5, 0), &tty_ops},
    {"console", RDEV(5, 1), &tty_ops},
    {"ttyS0", RDEV(4, 64), &tty_ops},
    {"ttyS1", RDEV(4, 65), &tty_ops},
    {"tty0", RDEV(4, 0), &tty_ops},
    {"tty1", RDEV(4, 1), &tty_ops},
    {"ptmx", RDEV_PTMX, &ptmx_ops},
    {"pts", 0, NULL}, /* a directory, for devpts */
};

const struct file_ops *dev_ops(u16 mode, u32 rdev)
{
    if (S_TYPE(mode) == S_CHR) {
        for (u32 i = 0; i < ARRAY_LEN(devices); i++)
            if (devices[i].rdev == rdev)
                return devices[i].ops;
        return rdev >> 8 == PTS_MAJOR ? &tty_ops : NULL;
    }
    for (struct block_device *d = block_next(NULL); d; d = block_next(d))
        if (d->rdev == rdev)
            return &disk_ops;
    return NULL;
}

/* Inode numbers: 1 the root, then the table above, then the disks. */
enum { INO_ROOT = 1, INO_DEVICES = 2, INO_DISKS = 64 };

static struct block_device *disk_number(u32 n)
{
    struct block_device *d = block_next(NULL);
    while (d && n--)
        d = block_next(d);
    return d;
}

static const char *name_of(u32 ino)
{
    if (ino >= INO_DISKS) {
        struct block_device *d = disk_number(ino - INO_DISKS);
        return d ? d->name : NULL;
    }
    return ino >= INO_DEVICES && ino < INO_DEVICES + ARRAY_LEN(devices)
               ? devices[ino - INO_DEVICES].name
               : NULL;
}

static u16 type_of(u32 ino)
{
    return ino >= INO_DISKS ? S_BLK : devices[ino - INO_DEVICES].rdev ? S_CHR : S_DIR;
}

/* The next number in use from `ino` on; 0 behind the last. */
static u32 next_ino(u32 ino)
{
    if (ino < INO_DISKS) {
        if (ino < INO_DEVICES + ARRAY_LEN(devices))
            return MAX(ino, (u32)INO_DEVICES);
        ino = INO_DISKS;
    }
    return name_of(ino) ? ino : 0;
}

static struct inode *dev_lookup(struct inode *dir, const char *name, u32 len)
{
    for (u32 ino = next_ino(0); ino; ino = next_ino(ino + 1))
        if (strlen(name_of(ino)) == len && !memcmp(name_of(ino), name, len))
            return inode_get(dir->super, ino);
    return err_ptr(-ENOENT);
}

static int dev_readdir(struct file *file, struct dir_sink *sink)
{
    if (file->pos == 0 && !sink->emit(sink, ".", 1, INO_ROOT, S_DIR >> 12, 1))
        return 0;
    file->pos = MAX(file->pos, 1u);
    if (file->pos == 1 && !sink->emit(sink, "..", 2, INO_ROOT, S_DIR >> 12, 2))
        return 0;
    file->pos = MAX(file->pos, 2u);
    for (u32 ino = next_ino((u32)file->pos); ino; ino = next_ino(ino + 1)) {
        const char *name = name_of(ino);
        u8 type = type_of(ino) >> 12;
        if (!sink->emit(sink, name, strlen(name), ino, type, ino + 1))
            return 0;
        file->pos = ino + 1;
    }
    return 0;
}

static const struct inode_ops dir_ops = {.lookup = dev_lookup};
static const struct file_ops dir_fops = {.readdir = dev_readdir};

static int dev_read_inode(struct inode *inode)
{
    if (inode->ino == INO_ROOT) {
        inode->mode = S_DIR | 0755;
        inode->nlink = 2;
        inode->ops = &dir_ops;
        inode->fops = &dir_fops;
    } else if (inode->ino >= INO_DISKS) {
        struct block_device *d = disk_number(inode->ino - INO_DISKS);
        inode->mode = S_BLK | 0440;
        inode->rdev = d->rdev;
        inode->size = d->nr_sectors * SECTOR_SIZE;
    } else if (type_of(inode->ino) == S_DIR) {
        inode->mode = S_DIR | 0755;
        inode->nlink = 2;
    } else {
        inode->mode = S_CHR | 0666;
        inode->rdev = devices[inode->ino - INO_DEVICES].rdev;
    }
    return 0;
}

static struct super *dev_mount(struct block_device *device, u32 flags)
{
    static struct super super = {.type = "devtmpfs",
                                 .dev = 5,
                                 .magic = 0x01021994,
                                 .block_size = PAGE_SIZE,
                                 .read_inode = dev_read_inode};
    struct inode *root = inode_get(&super, INO_ROOT);
    if (is_err(root))
        return (struct super *)root;
    super.root = root;
    return &super;
}

const struct fs_type dev_fs = {"devtmpfs", dev_mount};
