/* Listing directories: getdents64(2), and getdents(2) as it was before. */
#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/sys/sys.h"

struct dirent64 {
    u64 ino, next;
    u16 record_len;
    u8 type;
    char name[];
} __packed;

/* The type stands in the record's last byte. */
struct dirent32 {
    u32 ino, next;
    u16 record_len;
    char name[];
} __packed;

struct user_sink {
    struct dir_sink sink;
    char __user *to;
    u32 room, used;
    int error;
};

/* A record on its way to the program. */
static bool give(struct user_sink *s, const void *record, u32 len)
{
    if (copyout(s->to + s->used, record, len) < 0) {
        s->error = -EFAULT;
        return false;
    }
    s->used += len;
    return true;
}

static bool has_room(struct user_sink *s, u32 name_len, u32 record_len)
{
    if (name_len <= NAME_MAX_LEN && record_len <= s->room - s->used)
        return true;
    s->error = -EINVAL; /* only when nothing fits at all */
    return false;
}

static bool emit64(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 type, u64 next)
{
    struct user_sink *s = container_of(sink, struct user_sink, sink);
    char buf[sizeof(struct dirent64) + NAME_MAX_LEN + 8] = {0};
    u32 record_len = ROUND_UP(sizeof(struct dirent64) + len + 1, 8);
    if (!has_room(s, len, record_len))
        return false;
    struct dirent64 *d = (struct dirent64 *)buf;
    d->ino = ino;
    d->next = next;
    d->record_len = record_len;
    d->type = type;
    memcpy(d->name, name, len);
    return give(s, buf, record_len);
}

static bool emit32(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 type, u64 next)
{
    struct user_sink *s = container_of(sink, struct user_sink, sink);
    char buf[sizeof(struct dirent32) + NAME_MAX_LEN + 8] = {0};
    u32 record_len = ROUND_UP(sizeof(struct dirent32) + len + 2, 4);
    if (!has_room(s, len, record_len))
        return false;
    struct dirent32 *d = (struct dirent32 *)buf;
    d->ino = ino;
    d->next = (u32)next;
    d->record_len = record_len;
    memcpy(d->name, name, len);
    buf[record_len - 1] = (char)type;
    return give(s, buf, record_len);
}

static long list(u32 fd, struct user_sink *s)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long ret = -ENOTDIR;
    if (f->flags & O_PATH)
        ret = -EBADF;
    else if (S_TYPE(f->inode->mode) == S_DIR && !f->inode->nlink)
        ret = -ENOENT;
    else if (f->ops && f->ops->readdir) {
        ret = f->ops->readdir(f, &s->sink);
        file_accessed(f);
    }
    file_put(f);
    return s->used ? (long)s->used : ret < 0 ? ret : s->error;
}

long sys_getdents64(u32 fd, void __user *buf, u32 len)
{
    struct user_sink s = {.sink = {emit64}, .to = buf, .room = len};
    return list(fd, &s);
}

long sys_getdents(u32 fd, void __user *buf, u32 len)
{
    struct user_sink s = {.sink = {emit32}, .to = buf, .room = len};
    return list(fd, &s);
}
