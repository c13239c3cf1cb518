/* The tree of /proc: the machine's files by the names in files.c, and a directory a process. */
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/sys/clock.h"

#define PROC_DEV        4
#define PROC_MAGIC      0x9FA0 /* <linux/magic.h> */
#define MAX_DIRECTORIES 32

/* The directories that the files' names imply: the beginnings of those names. The first is "". */
static struct directory {
    const char *path;
    u32 len;
} directories[MAX_DIRECTORIES] = {{"", 0}};
static u32 nr_directories = 1;

static u32 directory_place(const char *path, u32 len)
{
    for (u32 i = 0; i < nr_directories; i++)
        if (directories[i].len == len && !memcmp(directories[i].path, path, len))
            return i;
    return MAX_DIRECTORIES;
}

static void find_directories(void)
{
    for (u32 i = 0; i < nr_proc_files; i++) {
        const char *path = proc_files[i].path;
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
            u32 len = slash - path;
            if (directory_place(path, len) < MAX_DIRECTORIES)
                continue;
            ASSERT(nr_directories < MAX_DIRECTORIES);
            directories[nr_directories++] = (struct directory){path, len};
        }
    }
}

/* The last part of a path of `len` bytes when it lies in directory `dir` itself, else NULL. */
static const char *child_name(const char *path, u32 len, const struct directory *dir, u32 *rest)
{
    u32 start = dir->len ? dir->len + 1 : 0;
    if (len <= start || memcmp(path, dir->path, dir->len) || (dir->len && path[dir->len] != '/') ||
        memchr(path + start, '/', len - start))
        return NULL;
    *rest = len - start;
    return path + start;
}

static const struct inode_ops directory_ops;
static const struct file_ops directory_fops;
static const struct inode_ops link_ops;

struct inode *proc_inode(u32 ino, u16 mode, const struct proc_file *file)
{
    struct inode *inode = inode_new(&proc_super, ino, mode);
    if (!inode)
        return err_ptr(-ENOMEM);
    inode->atime = inode->mtime = inode->ctime = inode_now(inode);
    struct subject s;
    if (ino >> INO_ID_SHIFT && subject_find(ino, &s) && s.task) {
        inode->uid = s.task->cred.euid;
        inode->gid = s.task->cred.egid;
    }
    if (!file) {
        inode->nlink = S_TYPE(mode) == S_DIR ? 2 : 1;
        return inode;
    }
    bool link = file->link || file->readlink || file->target;
    bool write = file->write || file->write_of;
    inode->mode = file->mode ? file->mode : link ? S_LNK | 0777 : S_REG | (write ? 0644 : 0444);
    inode->nlink = S_TYPE(inode->mode) == S_DIR ? 2 : 1;
    inode->fs = (void *)file;
    inode->ops = file->ops ? file->ops : link ? &link_ops : NULL;
    inode->fops = file->fops ? file->fops : link ? NULL : &proc_text_ops;
    return inode;
}

static struct inode *machine_directory(u32 place)
{
    if (!place && proc_super.root)
        return inode_hold(proc_super.root);
    struct inode *inode = proc_inode(INO_ROOT + place, S_DIR | 0555, NULL);
    if (!is_err(inode)) {
        inode->ops = &directory_ops;
        inode->fops = &directory_fops;
    }
    return inode;
}

static u32 parent_place(u32 place)
{
    const struct directory *dir = &directories[place];
    for (u32 len = dir->len; len > 0; len--)
        if (dir->path[len - 1] == '/')
            return directory_place(dir->path, len - 1);
    return 0;
}

static struct inode *directory_lookup(struct inode *inode, const char *name, u32 len)
{
    u32 place = inode->ino - INO_ROOT, n;
    const struct directory *dir = &directories[place];
    if (len == 2 && name[0] == '.' && name[1] == '.')
        return machine_directory(parent_place(place));
    for (u32 i = 0; i < nr_proc_files; i++) {
        const char *child = child_name(proc_files[i].path, strlen(proc_files[i].path), dir, &n);
        if (child && n == len && !memcmp(child, name, len))
            return proc_inode(INO_FILES + i, 0, &proc_files[i]);
    }
    for (u32 i = 1; i < nr_directories; i++) {
        const char *child = child_name(directories[i].path, directories[i].len, dir, &n);
        if (child && n == len && !memcmp(child, name, len))
            return machine_directory(i);
    }
    return place ? err_ptr(-ENOENT) : pid_directory(name, len, false, 0);
}

/* Position n of a directory: "." and "..", the files, the directories, then the processes. */
static int directory_readdir(struct file *file, struct dir_sink *sink)
{
    u32 place = file->inode->ino - INO_ROOT;
    const struct directory *dir = &directories[place];
    const u32 first_directory = 2 + nr_proc_files, first_pid = first_directory + nr_directories;
    if (!proc_emit_dots(file, sink, INO_ROOT + parent_place(place)))
        return 0;
    for (; file->pos < first_pid; file->pos++) {
        u32 at = (u32)file->pos, n, ino;
        const char *name;
        u16 type = S_REG;
        if (at < first_directory) {
            const struct proc_file *pf = &proc_files[at - 2];
            name = child_name(pf->path, strlen(pf->path), dir, &n);
            ino = INO_FILES + at - 2;
            type = pf->mode ? S_TYPE(pf->mode) : pf->link || pf->readlink ? S_LNK : S_REG;
        } else {
            const struct directory *below = &directories[at - first_directory];
            name = child_name(below->path, below->len, dir, &n);
            ino = INO_ROOT + at - first_directory;
            type = S_DIR;
        }
        if (name && !sink->emit(sink, name, n, ino, type >> 12, at + 1))
            return 0;
    }
    return place ? 0 : pid_readdir(file, sink, first_pid);
}

/* "." and "..", at positions 0 and 1. False: the sink is full. */
bool proc_emit_dots(struct file *dir, struct dir_sink *sink, u32 parent)
{
    for (; dir->pos < 2; dir->pos++) {
        u32 n = (u32)dir->pos + 1;
        if (!sink->emit(sink, "..", n, n == 1 ? dir->inode->ino : parent, S_DIR >> 12, n))
            return false;
    }
    return true;
}

static ssize_t link_read(struct inode *inode, char *buf, u32 size)
{
    const struct proc_file *pf = inode->fs;
    struct subject s = {0};
    if (pf->link) {
        u32 n = MIN(strlen(pf->link), size);
        memcpy(buf, pf->link, n);
        return n;
    }
    if (inode->ino >> INO_ID_SHIFT && !subject_find(inode->ino, &s))
        return -ENOENT;
    if (pf->readlink)
        return pf->readlink(&s, buf, size);
    struct inode *target = pf->target(&s);
    if (is_err(target))
        return ptr_err(target);
    u32 n = inode_describe(target, buf, size);
    inode_put(target);
    return n;
}

static struct inode *link_target(struct inode *inode)
{
    const struct proc_file *pf = inode->fs;
    struct subject s;
    if (!pf->target)
        return NULL;
    return subject_find(inode->ino, &s) ? pf->target(&s) : err_ptr(-ENOENT);
}

static const struct inode_ops directory_ops = {.lookup = directory_lookup};
static const struct file_ops directory_fops = {.readdir = directory_readdir};
static const struct inode_ops link_ops = {.readlink = link_read, .target = link_target};

struct super proc_super = {
    .type = "proc", .dev = PROC_DEV, .magic = PROC_MAGIC, .block_size = PAGE_SIZE};

static struct super *proc_mount(struct block_device *device, u32 flags, const char *options)
{
    if (!proc_super.root) {
        find_directories();
        struct inode *root = machine_directory(0);
        if (is_err(root))
            return (struct super *)root;
        proc_super.root = root;
    }
    return &proc_super;
}

const struct fs_type proc_fs = {.name = "proc", .mount = proc_mount};
