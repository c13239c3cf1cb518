/* devpts, the file system on /dev/pts: a file for each pseudo-terminal that there is (pty.h). */
#include "kernel/fs/pty.h"
#include "kernel/lib/lib.h"
#include "kernel/proc/task.h"

/* Inode numbers as on Linux: 1 the root, 2 its ptmx, the slaves from 3 on. */
enum { INO_ROOT = 1, INO_PTMX, INO_SLAVES };
enum { GROUP_TTY = 5 }; /* of Debian's /etc/group */

static struct super devpts_super;

static struct inode *lookup(struct inode *dir, const char *name, u32 len)
{
    u32 number = 0;
    if (len == 1 && name[0] == '.')
        return inode_hold(dir);
    if (len == 4 && !memcmp(name, "ptmx", 4))
        return inode_get(&devpts_super, INO_PTMX);
    if (!len || len > 3 || (len > 1 && name[0] == '0'))
        return err_ptr(-ENOENT);
    for (u32 i = 0; i < len; i++) {
        if (name[i] < '0' || name[i] > '9')
            return err_ptr(-ENOENT);
        number = 10 * number + name[i] - '0';
    }
    return pty_next(number) == number && number < NR_PTYS ? devpts_inode(number) : err_ptr(-ENOENT);
}

/* Positions: 0 and 1 the dots, 2 ptmx, then the slaves by their numbers. */
static int readdir(struct file *file, struct dir_sink *sink)
{
    static const struct {
        const char *name;
        u32 ino;
        u16 type;
    } fixed[] = {{".", INO_ROOT, S_DIR}, {"..", INO_ROOT, S_DIR}, {"ptmx", INO_PTMX, S_CHR}};
    for (; file->pos < ARRAY_LEN(fixed); file->pos++) {
        u32 i = file->pos;
        if (!sink->emit(sink, fixed[i].name, strlen(fixed[i].name), fixed[i].ino,
                        fixed[i].type >> 12, i + 1))
            return 0;
    }
    for (;;) {
        u32 number = pty_next((u32)file->pos - ARRAY_LEN(fixed));
        if (number == NR_PTYS)
            return 0;
        char name[8];
        u32 next = number + ARRAY_LEN(fixed) + 1;
        int len = snprintf(name, sizeof(name), "%u", number);
        if (!sink->emit(sink, name, len, INO_SLAVES + number, S_CHR >> 12, next))
            return 0;
        file->pos = next;
    }
}

static const struct inode_ops root_ops = {.lookup = lookup};
static const struct file_ops root_file_ops = {.readdir = readdir};

/* Mode and owner can be changed (login(1) does); they are kept while the pseudo-terminal is. */
static int update(struct inode *inode)
{
    return 0;
}

static const struct inode_ops node_ops = {.update = update};

static void make_slave(struct inode *inode)
{
    inode->atime = inode->mtime = inode->ctime = inode_now(inode);
    inode->mode = S_CHR | 0620;
    inode->uid = 0;
    inode->gid = GROUP_TTY;
    inode->rdev = PTS_MAJOR << 8 | (inode->ino - INO_SLAVES);
}

static int read_inode(struct inode *inode)
{
    if (inode->ino == INO_ROOT) {
        inode->mode = S_DIR | 0755;
        inode->atime = inode->mtime = inode->ctime = inode_now(inode);
        inode->nlink = 2;
        inode->ops = &root_ops;
        inode->fops = &root_file_ops;
        return 0;
    }
    inode->ops = &node_ops;
    if (inode->ino == INO_PTMX) {
        inode->atime = inode->mtime = inode->ctime = inode_now(inode);
        inode->mode = S_CHR | 0666;
        inode->rdev = RDEV_PTMX;
    } else {
        make_slave(inode);
    }
    return 0;
}

struct inode *devpts_inode(u32 number)
{
    char name[8];
    struct inode *inode = inode_get(&devpts_super, INO_SLAVES + number);
    if (!is_err(inode))
        inode_set_name(inode, devpts_super.root, name, snprintf(name, sizeof(name), "%u", number));
    return inode;
}

void devpts_fresh(u32 number)
{
    struct inode *inode = devpts_inode(number);
    if (is_err(inode))
        return; /* then it is made when it is looked up */
    make_slave(inode);
    inode->uid = current->cred.fsuid;
    inode_put(inode);
}

static struct super devpts_super = {.type = "devpts",
                                    .dev = 22,
                                    .magic = 0x1CD1,
                                    .block_size = PAGE_SIZE,
                                    .read_inode = read_inode};

static struct super *devpts_mount(struct block_device *device, u32 flags, const char *options)
{
    if (!devpts_super.root) {
        struct inode *root = inode_get(&devpts_super, INO_ROOT);
        if (is_err(root))
            return (struct super *)root;
        devpts_super.root = root;
    }
    return &devpts_super;
}

const struct fs_type devpts_fs = {.name = "devpts", .mount = devpts_mount};
