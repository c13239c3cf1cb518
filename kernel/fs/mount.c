/*
 * The tree of file systems: what is mounted where. mount(2), umount(2).
 *
 * A mount stands at a (directory, name) pair; the last one at a place hides those before it. It
 * holds the directory, so a file system with another one mounted in it is in use. There is one
 * place for each file system: no bind mounts, since a directory then would have two parents.
 */
#include <linux/mount.h>
#include "drivers/block.h"
#include "kernel/fs/dev.h"
#include "kernel/fs/pty.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

#define ATIME_FLAGS (MS_NOATIME | MS_NODIRATIME | MS_RELATIME)
#define FLAGS_KEPT  (MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | ATIME_FLAGS)

struct mount {
    TAILQ_ENTRY(mount) link;
    struct inode *dir; /* where, held: the name below it; NULL for the root */
    struct name name;  /* within `path` */
    struct super *super;
    char *path, *source; /* for /proc/mounts */
};
static TAILQ_HEAD(mount_list, mount) mounts = TAILQ_HEAD_INITIALIZER(mounts); /* oldest first */

static const struct fs_type *const types[] = {&ext2_fs, &tmp_fs, &proc_fs, &dev_fs, &devpts_fs};

/* What is mounted from the start, and what is made in it. Where the disk takes no writes, RAM
 * stands in for it at the places that programs write to. */
static const struct {
    const char *path;
    const struct fs_type *type;
    const char *options;
    bool stands_in;
} at_start[] = {
    {"/proc", &proc_fs, "", false},      {"/dev", &dev_fs, "", false},
    {"/dev/pts", &devpts_fs, "", false}, {"/dev/shm", &tmp_fs, "", false},
    {"/tmp", &tmp_fs, "", false},        {"/run", &tmp_fs, "mode=755", false},
    {"/var", &tmp_fs, "mode=755", true}, {"/root", &tmp_fs, "mode=700", true},
};
static const struct {
    const char *path;
    u16 mode;
    const char *target; /* a link instead */
} made_at_start[] = {
    {"/run/lock", S_DIR | 01777, NULL},
    {"/var/cache", S_DIR | 0755, NULL},
    {"/var/lib", S_DIR | 0755, NULL},
    {"/var/lock", S_LNK | 0777, "/run/lock"},
    {"/var/log", S_DIR | 0755, NULL},
    {"/var/run", S_LNK | 0777, "/run"},
    {"/var/spool", S_DIR | 0755, NULL},
    {"/var/spool/cron", S_DIR | 0755, NULL},
    {"/var/spool/cron/crontabs", S_DIR | 0700, NULL},
    {"/var/tmp", S_DIR | 01777, NULL},
};

struct mount *mount_below(struct inode *dir, const struct name *name)
{
    struct mount *m;
    TAILQ_FOREACH_REVERSE (m, &mounts, mount_list, link)
        if (m->dir == dir && m->name.len == name->len &&
            !memcmp(m->name.text, name->text, name->len))
            return m;
    return NULL;
}

static struct mount *mount_of_root(const struct inode *root)
{
    struct mount *m;
    TAILQ_FOREACH (m, &mounts, link)
        if (m->super->root == root)
            return m;
    return NULL;
}

struct inode *mount_root(const struct mount *m)
{
    return m->super->root;
}

struct inode *mount_dir(const struct inode *root, const char **name)
{
    const struct mount *m = mount_of_root(root);
    if (!m || !m->dir)
        return NULL;
    *name = m->name.text;
    return m->dir;
}

static char *copy_text(const char *text)
{
    char *copy = kmalloc(strlen(text) + 1);
    if (copy)
        memcpy(copy, text, strlen(text) + 1);
    return copy;
}

static void mount_free(struct mount *m)
{
    kfree(m->path);
    kfree(m->source);
    kfree(m);
}

/* A mount at `path`, which ends in the name below `dir`; not yet in the tree. */
static struct mount *mount_new(struct inode *dir, const char *path, const char *source)
{
    struct mount *m = kzalloc(sizeof(*m));
    if (!m || !(m->path = copy_text(path)) || !(m->source = copy_text(source))) {
        if (m)
            mount_free(m);
        return NULL;
    }
    m->dir = dir;
    m->name.text = strrchr(m->path, '/') + 1;
    m->name.len = strlen(m->name.text);
    return m;
}

static bool is_mounted(const struct super *super)
{
    const struct mount *m;
    TAILQ_FOREACH (m, &mounts, link)
        if (m->super == super)
            return true;
    return false;
}

/* Of the flags of mount(2), those that stay with the super. Nobody need ask for relatime. */
static u32 kept_flags(u32 flags)
{
    flags |= MS_RELATIME;
    if (flags & MS_STRICTATIME)
        flags &= ~(u32)(MS_RELATIME | MS_NOATIME);
    else if (flags & MS_NOATIME)
        flags &= ~(u32)MS_RELATIME;
    return flags & FLAGS_KEPT;
}

/* Others may write its sectors now, by a disk or a partition that has these as well: the next mount
 * finds what is there then. */
static void let_go(struct block_device *device)
{
    block_unclaim(device);
    if (device->metadata && !device->openers)
        cache_drop_clean_of(device->metadata, 0, ~0u);
}

/* Takes over the reference to dir, whether it works or not. */
static int mount_at(struct inode *dir, const char *path, const char *source,
                    const struct fs_type *type, struct block_device *device, u32 flags,
                    const char *options)
{
    int err = -ENOMEM;
    struct mount *m = mount_new(dir, path, source);
    if (!m)
        goto fail;
    if (device && (err = block_claim(device)))
        goto free;
    m->super = type->mount(device, kept_flags(flags), options);
    if (is_err(m->super)) {
        err = ptr_err(m->super);
        if (device)
            let_go(device);
        goto free;
    }
    if (is_mounted(m->super)) { /* there is one for ever, and it has its place */
        err = -EBUSY;
        goto free;
    }
    m->super->flags |= kept_flags(flags);
    if (!m->super->has_been_mounted)
        m->super->own_refs++; /* its root */
    m->super->has_been_mounted = true;
    TAILQ_INSERT_TAIL(&mounts, m, link);
    return 0;
free:
    mount_free(m);
fail:
    if (dir)
        inode_put(dir);
    return err;
}

static WAIT_QUEUE(synced);
static bool remounting; /* one at a time, and none while the machine ends: else a disk might be
                         * marked clean behind the back of who writes to it */

void super_sync_begin(struct super *super)
{
    super->syncing++;
}

void super_sync_end(struct super *super)
{
    if (--super->syncing == 0)
        wake_all(&synced);
}

void vfs_sync_all(bool last)
{
    static bool ending;
    struct mount *m, *next;
    if (last && !ending) {
        wait_event(&synced, !remounting);
        ending = remounting = true; /* for ever */
    }
    for (m = TAILQ_FIRST(&mounts); m; m = next) {
        struct super *s = m->super;
        super_sync_begin(s); /* so it stays, in its place of the list */
        int err = vfs_sync(s, last);
        if (err)
            kprintf("%s: sync: error %d\n", m->path, -err);
        next = TAILQ_NEXT(m, link);
        super_sync_end(s);
    }
    blkdev_sync_all();
}

static const struct fs_type *find_type(const char *name)
{
    for (u32 i = 0; i < ARRAY_LEN(types); i++)
        if (!strcmp(types[i]->name, name))
            return types[i];
    return NULL;
}

void filesystems_format(struct text *t)
{
    for (u32 i = 0; i < ARRAY_LEN(types); i++)
        text_printf(t, "%s\t%s\n", types[i]->needs_device ? "" : "nodev", types[i]->name);
}

int vfs_mount(struct inode *on, const char *source, const char *type_name, u32 flags,
              const char *options)
{
    const struct fs_type *type = find_type(type_name);
    struct block_device *device = NULL;
    if (!type)
        return -ENODEV;
    if (S_TYPE(on->mode) != S_DIR)
        return -ENOTDIR;
    if (type->needs_device) {
        struct inode *node = path_walk(NULL, source, 0);
        if (is_err(node))
            return ptr_err(node);
        bool is_block = S_TYPE(node->mode) == S_BLK;
        device = is_block ? block_by_number(node->rdev) : NULL;
        inode_put(node);
        if (!device)
            return is_block ? -ENXIO : -ENOTBLK;
    }
    const char *name;
    struct inode *dir = mount_dir(on, &name);
    dir = dir ? dir : on->dir;
    if (!dir || !on->nlink)
        return on == vfs_root ? -EBUSY : -ENOENT;
    char *path = kmalloc(PATH_MAX_LEN);
    if (!path)
        return -ENOMEM;
    int n = path_of(on, path, PATH_MAX_LEN - 1);
    if (n >= 0)
        path[n] = 0;
    int err = n < 0 ? n
                    : mount_at(inode_hold(dir), path, *source ? source : "none", type, device,
                               flags, options);
    kfree(path);
    return err;
}

static int remount(struct inode *root, u32 flags, const char *options)
{
    struct mount *m = mount_of_root(root);
    if (!m)
        return -EINVAL;
    struct super *s = m->super;
    if (s->only_reads && !(flags & MS_RDONLY))
        return -EROFS;
    /* A file is open or mapped for writing, or is to be freed when it is closed. */
    if ((flags & MS_RDONLY) && !(s->flags & MS_RDONLY) &&
        (s->writers || inodes_unlinked(s) || mmap_may_write(s, NULL)))
        return -EBUSY;
    int err = s->remount ? s->remount(s, flags, options) : 0;
    if (!(flags & (ATIME_FLAGS | MS_STRICTATIME))) /* then what there is stays */
        flags |=
            (s->flags & ATIME_FLAGS) | (s->flags & (MS_RELATIME | MS_NOATIME) ? 0 : MS_STRICTATIME);
    if (!err)
        s->flags = (s->flags & ~(u32)FLAGS_KEPT) | kept_flags(flags);
    atime_clock++;
    return err;
}

int vfs_remount(struct inode *root, u32 flags, const char *options)
{
    wait_event(&synced, !remounting);
    remounting = true;
    int err = remount(root, flags, options);
    remounting = false;
    wake_all(&synced);
    return err;
}

int vfs_umount(struct inode *root)
{
    struct mount *m = mount_of_root(root);
    if (m) /* while we hold its root nobody else unmounts it */
        wait_event(&synced, !m->super->syncing);
    inode_put(root);
    if (!m)
        return -EINVAL;
    struct super *s = m->super;
    if (!m->dir || s->refs != s->own_refs)
        return -EBUSY;
    TAILQ_REMOVE(&mounts, m, link);
    inode_put(m->dir);
    mount_free(m);
    if (s->unmount) {
        struct block_device *device = s->device;
        s->own_refs--;
        s->unmount(s);
        if (device)
            let_go(device);
    }
    return 0;
}

/* A machine without a usable disk says so in one line and stops there: it is no panic. */
static void __noreturn refuse(const char *why, const char *what)
{
    kprintf("ferry: %s%s: cannot start\n", why, what);
    power_fail();
}

/* The directory need not exist on the disk: a mount only needs a name. */
static void mount_at_start(const char *path, const struct fs_type *type, const char *options)
{
    struct name last;
    bool slash;
    struct inode *dir = path_parent(vfs_root, path, &last, &slash);
    int err = is_err(dir) ? ptr_err(dir) : mount_at(dir, path, type->name, type, NULL, 0, options);
    if (err)
        kprintf("cannot mount %s on %s: error %d\n", type->name, path, -err);
}

void vfs_mount_root(void)
{
    char name[32], source[40];
    if (!cmdline_get("root", name, sizeof(name)))
        strlcpy(name, "/dev/hda", sizeof(name));
    struct block_device *device = block_find(name);
    if (!device)
        refuse("no disk ", name);
    snprintf(source, sizeof(source), "/dev/%s", device->name);
    u32 flags = cmdline_has("ro") ? SUPER_READ_ONLY : 0;
    if (mount_at(NULL, "/", source, &ext2_fs, device, flags, ""))
        refuse("no usable ext2 file system on ", name);
    vfs_root = mount_root(TAILQ_FIRST(&mounts));
    shared_memory_init();
    bool read_only = vfs_root->super->flags & SUPER_READ_ONLY;
    for (u32 i = 0; i < ARRAY_LEN(at_start); i++)
        if (read_only || !at_start[i].stands_in)
            mount_at_start(at_start[i].path, at_start[i].type, at_start[i].options);
    for (u32 i = 0; i < ARRAY_LEN(made_at_start); i++) {
        struct new_file what = {.mode = made_at_start[i].mode, .target = made_at_start[i].target};
        struct inode *inode = vfs_make(vfs_root, made_at_start[i].path, &what);
        if (is_err(inode) && ptr_err(inode) != -EEXIST)
            kprintf("cannot make %s: error %d\n", made_at_start[i].path, -ptr_err(inode));
        else if (!is_err(inode))
            inode_put(inode);
    }
}

/* As fstab(5) has it: \040 for a space in a name. */
static void format_word(struct text *t, const char *word)
{
    for (; *word; word++)
        text_printf(t, *word > ' ' && *word != '\\' ? "%c" : "\\%03o", *word);
}

static void format_flags(struct text *t, const struct super *s)
{
    text_printf(t, "%s%s%s%s%s%s%s", s->flags & MS_RDONLY ? "ro" : "rw",
                s->flags & MS_NOSUID ? ",nosuid" : "", s->flags & MS_NODEV ? ",nodev" : "",
                s->flags & MS_NOEXEC ? ",noexec" : "", s->flags & MS_NOATIME ? ",noatime" : "",
                s->flags & MS_NODIRATIME ? ",nodiratime" : "",
                s->flags & MS_RELATIME ? ",relatime" : "");
}

void mounts_format(struct text *t)
{
    const struct mount *m;
    TAILQ_FOREACH (m, &mounts, link) {
        const struct super *s = m->super;
        format_word(t, m->source);
        text_string(t, " ");
        format_word(t, m->path);
        text_printf(t, " %s ", s->type);
        format_flags(t, s);
        if (s->show_options)
            s->show_options(s, t);
        text_string(t, " 0 0\n");
    }
}

/* Mounts are numbered by their place in the list. */
static u32 mount_id(const struct super *super)
{
    const struct mount *m;
    u32 id = 1;
    TAILQ_FOREACH (m, &mounts, link) {
        if (m->super == super)
            return id;
        id++;
    }
    return 0;
}

void mountinfo_format(struct text *t)
{
    const struct mount *m;
    TAILQ_FOREACH (m, &mounts, link) {
        const struct super *s = m->super;
        text_printf(t, "%u %u %u:%u / ", mount_id(s), m->dir ? mount_id(m->dir->super) : 0,
                    s->dev >> 8, s->dev & 255);
        format_word(t, m->path);
        text_string(t, " ");
        format_flags(t, s);
        text_printf(t, " - %s ", s->type);
        format_word(t, m->source);
        text_string(t, s->flags & MS_RDONLY ? " ro" : " rw");
        if (s->show_options)
            s->show_options(s, t);
        text_string(t, "\n");
    }
}
