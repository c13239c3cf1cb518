/*
 * Devices that are files: what they do, and /dev, where they stand. Numbers as in Linux's
 * admin-guide/devices.txt; null(4), full(4), random(4).
 */
#include "kernel/fs/dev.h"
#include "drivers/block.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/tmpfs.h"
#include "kernel/fs/tty.h"
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

static const struct device {
    const char *name;
    u32 rdev;
    const struct file_ops *ops;
} devices[] = {
    {"null", RDEV(1, 3), &null_ops},      {"zero", RDEV(1, 5), &zero_ops},
    {"full", RDEV(1, 7), &full_ops},      {"random", RDEV(1, 8), &random_ops},
    {"urandom", RDEV(1, 9), &random_ops}, {"tty", RDEV(5, 0), &tty_ops},
    {"console", RDEV(5, 1), &tty_ops},    {"ttyS0", RDEV(4, 64), &tty_ops},
    {"ttyS1", RDEV(4, 65), &tty_ops},     {"tty0", RDEV(4, 0), &tty_ops},
    {"tty1", RDEV(4, 1), &tty_ops},       {"ptmx", RDEV_PTMX, &ptmx_ops},
};

const struct file_ops *dev_ops(u16 mode, u32 rdev)
{
    if (S_TYPE(mode) == S_CHR) {
        for (u32 i = 0; i < ARRAY_LEN(devices); i++)
            if (devices[i].rdev == rdev)
                return devices[i].ops;
        return rdev >> 8 == PTS_MAJOR ? &tty_ops : NULL;
    }
    return block_by_number(rdev) ? &disk_ops : NULL;
}

u64 dev_size(u32 rdev)
{
    const struct block_device *d = block_by_number(rdev);
    return d ? d->nr_sectors * SECTOR_SIZE : 0;
}

/* ---- /dev: a tmpfs with a node for each device, where more can be made ---- */

static const struct {
    const char *name, *target; /* no target: a directory */
} fixtures[] = {
    {"fd", "/proc/self/fd"},
    {"stdin", "/proc/self/fd/0"},
    {"stdout", "/proc/self/fd/1"},
    {"stderr", "/proc/self/fd/2"},
    {"pts", NULL},
    {"shm", NULL},
};

static int make(struct inode *root, const char *text, u16 mode, u32 rdev, const char *target)
{
    struct name name = {text, strlen(text)};
    struct new_file what = {.mode = mode, .rdev = rdev, .target = target};
    struct inode *inode = vfs_create(root, &name, &what);
    if (is_err(inode))
        return ptr_err(inode);
    inode_put(inode);
    return 0;
}

static int populate(struct inode *root)
{
    int err = 0;
    for (u32 i = 0; i < ARRAY_LEN(devices) && !err; i++)
        err = make(root, devices[i].name, S_CHR | 0666, devices[i].rdev, NULL);
    for (struct block_device *d = block_next(NULL); d && !err; d = block_next(d))
        err = make(root, d->name, S_BLK | 0660, d->rdev, NULL);
    for (u32 i = 0; i < ARRAY_LEN(fixtures) && !err; i++)
        err = make(root, fixtures[i].name, fixtures[i].target ? S_LNK | 0777 : S_DIR | 0755, 0,
                   fixtures[i].target);
    return err;
}

static TAILQ_HEAD(, super) instances = TAILQ_HEAD_INITIALIZER(instances);

int dev_add(const char *name, u32 rdev)
{
    struct super *super;
    int err = 0;
    TAILQ_FOREACH (super, &instances, link) {
        int e = make(super->root, name, S_BLK | 0660, rdev, NULL);
        err = err || e == -EEXIST ? err : e;
    }
    return err;
}

void dev_remove(const char *name)
{
    struct super *super;
    TAILQ_FOREACH (super, &instances, link)
        (void)vfs_unlink(super->root, name); /* somebody may have done that already */
}

static void dev_unmount(struct super *super)
{
    TAILQ_REMOVE(&instances, super, link);
    tmpfs_unmount(super);
}

static struct super *dev_mount(struct block_device *device, u32 flags, const char *options)
{
    struct super *super = tmpfs_mount(NULL, flags, *options ? options : "mode=755");
    if (is_err(super))
        return super;
    super->type = "devtmpfs";
    super->unmount = dev_unmount;
    TAILQ_INSERT_TAIL(&instances, super, link);
    int err = populate(super->root);
    if (err)
        kprintf("devtmpfs: a device is missing, error %d\n", err);
    return super;
}

const struct fs_type dev_fs = {.name = "devtmpfs", .mount = dev_mount};
