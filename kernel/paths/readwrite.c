/*
 * read and write: the path that everyone knows.
 *
 *   disk --DMA--> cache --CPU--> the program's buffer --CPU--> socket buffer --DMA--> card
 *
 * Two copies by the CPU and two system calls (four crossings of the border) for every chunk. A
 * write to a file goes the other way, from the program's buffer into the cache.
 * read(2), write(2), readv(2), pread(2).
 */
#include <asm/resource.h>
#include <asm/signal.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/uio.h>
#include "kernel/cache/writeback.h"
#include "kernel/fs/poll.h"
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/user_iter.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/process.h"

#define MAX_COUNT 0x7FFFF000u /* as on Linux: a longer request is cut */

/* Page by page out of the cache. An error after the first byte is reported by the next call. */
ssize_t cache_file_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct inode *inode = file->inode;
    size_t done = 0;
    file_accessed(file);
    while (done < len && *pos < inode->size && !task_pause()) {
        u32 index = *pos >> PAGE_SHIFT, offset = (u32)*pos & (PAGE_SIZE - 1);
        u32 chunk = MIN(len - done, PAGE_SIZE - offset);
        if (chunk > inode->size - *pos)
            chunk = inode->size - *pos;
        struct page *page;
        int err = cache_read(&inode->mapping, index,
                             (offset + (len - done) + PAGE_SIZE - 1) >> PAGE_SHIFT, &file->ra,
                             &page, NULL);
        if (err < 0)
            return done ? (ssize_t)done : err;
        size_t left = copy_page_to_user(EDGE_CACHE_USER, (char __user *)buf + done,
                                        (struct frag){page, offset, chunk});
        page_put(page, HOLD_USE);
        *pos += chunk - left;
        done += chunk - left;
        if (left)
            return done ? (ssize_t)done : -EFAULT;
    }
    return done;
}

static ssize_t write_piece(struct inode *inode, u64 pos, struct bytes from, u32 len)
{
    struct mapping *m = &inode->mapping;
    u32 index = pos >> PAGE_SHIFT, offset = (u32)pos & (PAGE_SIZE - 1);
    for (;;) {
        struct cache_write w;
        int err = cache_write_begin(m, index, offset, len, &w);
        if (err < 0)
            return err;
        if (pos > m->size)
            cache_zero_gap(m, pos);
        struct frag to = {w.page, offset, len};
        u32 left = 0;
        if (from.frag.page)
            copy_pages(EDGE_CACHE_CACHE, to, from.frag);
        else
            left = copy_user_to_page(EDGE_USER_CACHE, to, from.user);
        int done = cache_write_end(&w, len - left);
        if (done < 0)
            return done;
        if (done && pos + done > inode->size)
            inode_set_size(inode, pos + done);
        writeback_throttle(m);
        if (done || left)
            return done ? (ssize_t)done : -EFAULT;
    }
}

ssize_t cache_write_piece(struct inode *inode, u64 pos, struct bytes from, u32 len)
{
    const struct mapping_ops *ops = inode->mapping.ops;
    ssize_t done = write_piece(inode, pos, from, len);
    if (done < (ssize_t)len && ops->trim) /* room may have been taken for all of it */
        ops->trim(&inode->mapping);
    return done;
}

int file_check_size(u64 size)
{
    u32 limit = current->process->limits[RLIMIT_FSIZE].soft;
    if (limit == RLIM_INFINITY || size <= limit)
        return 0;
    signal_task(current, SIGXFSZ);
    return -EFBIG;
}

ssize_t cache_write_limit(const struct file *file, u64 pos, size_t len)
{
    /* Without O_LARGEFILE a file ends before 2 GiB; pages are numbered by 32 bits. */
    u64 limit = file->flags & O_LARGEFILE ? (u64)0xFFFFFFFF << PAGE_SHIFT : 0x7FFFFFFF;
    u32 allowed = current->process->limits[RLIMIT_FSIZE].soft;
    if (pos >= limit)
        return -EFBIG;
    if (allowed != RLIM_INFINITY && pos >= allowed)
        return file_check_size(pos + 1);
    if (allowed != RLIM_INFINITY)
        limit = MIN(limit, (u64)allowed);
    return (ssize_t)MIN((u64)len, limit - pos);
}

/* Page by page into the cache; from there to the disk later. An error after the first byte is
 * reported by the next call. The positions of O_APPEND are told apart by the inode's lock. */
ssize_t cache_file_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct inode *inode = file->inode;
    size_t done = 0;
    inode_lock(inode);
    if (file->flags & O_APPEND)
        *pos = inode->size;
    ssize_t n = cache_write_limit(file, *pos, len);
    for (len = MAX(n, 0); done < len && !task_pause();) {
        u32 chunk = MIN(len - done, PAGE_SIZE - ((u32)*pos & (PAGE_SIZE - 1)));
        struct bytes from = {.user = (const char __user *)buf + done};
        n = cache_write_piece(inode, *pos, from, chunk);
        if (n < 0)
            break;
        *pos += n;
        done += n;
        if ((u32)n < chunk)
            break;
    }
    if (done)
        inode_written(inode);
    inode_unlock(inode);
    return file_write_end(file, done, n);
}

int cache_file_resize(struct inode *inode, u64 size)
{
    struct mapping *m = &inode->mapping;
    if (size >= m->size) {
        cache_zero_gap(m, size);
        inode_set_size(inode, size);
        return 0;
    }
    inode_set_size(inode, size);
    u32 first = DIV_ROUND_UP(size, PAGE_SIZE), tail = (u32)size % PAGE_SIZE;
    if (m->nr_pages || m->nr_swapped) {
        mmap_forget(inode, first, ~0u);
        cache_drop(m, first, ~0u);
    }
    if (tail) /* the rest of the last page is what a longer file would find there */
        cache_zero(m, first - 1, tail, PAGE_SIZE - tail);
    return 0;
}

void cache_file_punch(struct inode *inode, u64 pos, u64 len)
{
    struct mapping *m = &inode->mapping;
    u64 end = pos + len;
    u32 first = DIV_ROUND_UP(pos, PAGE_SIZE), behind = end >> PAGE_SHIFT;
    if (first > behind) { /* inside one page */
        cache_zero(m, behind, (u32)pos % PAGE_SIZE, (u32)len);
        return;
    }
    if ((u32)pos % PAGE_SIZE)
        cache_zero(m, first - 1, (u32)pos % PAGE_SIZE, PAGE_SIZE - (u32)pos % PAGE_SIZE);
    cache_zero(m, behind, 0, (u32)end % PAGE_SIZE);
    mmap_forget(inode, first, behind);
    cache_drop(m, first, behind);
}

/* POSIX_FADV_NOREUSE: what was not in use before is not in use after. The page that is read ahead
 * and the one that is read are told apart by the cache, so this goes page by page. */
static ssize_t read_once(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct mapping *m = &file->inode->mapping;
    size_t done = 0;
    ssize_t n = 0;
    while (done < len) {
        u32 index = *pos >> PAGE_SHIFT;
        u32 piece = MIN(len - done, PAGE_SIZE - ((u32)*pos & (PAGE_SIZE - 1)));
        bool in_use = cache_in_use(m, index);
        n = cache_file_read(file, (char __user *)buf + done, piece, pos);
        if (!in_use)
            cache_not_used(m, index);
        if (n <= 0)
            break;
        done += n;
        if ((u32)n < piece)
            break;
    }
    return done ? (ssize_t)done : n;
}

static const struct file_ops read_once_ops = {.read = read_once, .write = cache_file_write};

void read_once_switch(struct file *f, bool on)
{
    if (on && f->ops == &regular_file_ops)
        f->ops = &read_once_ops;
    else if (!on && f->ops == &read_once_ops)
        f->ops = &regular_file_ops;
}

const struct file_ops regular_file_ops = {.read = cache_file_read, .write = cache_file_write};

ssize_t file_read_kernel(struct inode *inode, u64 pos, void *buf, size_t len)
{
    size_t done = 0;
    while (done < len && pos < inode->size) {
        u32 offset = (u32)pos & (PAGE_SIZE - 1);
        u32 chunk = MIN(len - done, PAGE_SIZE - offset);
        if (chunk > inode->size - pos)
            chunk = inode->size - pos;
        struct page *page;
        int err = cache_read(&inode->mapping, pos >> PAGE_SHIFT, 1, NULL, &page, NULL);
        if (err < 0)
            return err;
        memcpy((char *)buf + done, (char *)page_virt(page) + offset, chunk);
        page_put(page, HOLD_USE);
        done += chunk;
        pos += chunk;
    }
    return done;
}

static bool readable(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_WRONLY;
}
static bool writable(const struct file *f)
{
    return (f->flags & O_ACCMODE) != O_RDONLY;
}

static ssize_t do_read(struct file *f, void __user *buf, u32 len, u64 *pos)
{
    if (!readable(f))
        return -EBADF;
    if (!f->ops || !f->ops->read) /* no directory has it */
        return f->flags & O_PATH ? -EBADF : S_TYPE(f->inode->mode) == S_DIR ? -EISDIR : -EINVAL;
    if (!user_range_ok(buf, len))
        return -EFAULT;
    return len ? f->ops->read(f, buf, MIN(len, MAX_COUNT), pos) : 0;
}

static ssize_t do_write(struct file *f, const void __user *buf, u32 len, u64 *pos)
{
    if (!writable(f))
        return -EBADF;
    if (!f->ops || !f->ops->write)
        return -EINVAL;
    if (!user_range_ok(buf, len))
        return -EFAULT;
    return len ? f->ops->write(f, buf, MIN(len, MAX_COUNT), pos) : 0;
}

long sys_read(u32 fd, void __user *buf, u32 len)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long n = do_read(f, buf, len, &f->pos);
    file_put(f);
    return n;
}

long sys_write(u32 fd, const void __user *buf, u32 len)
{
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long n = do_write(f, buf, len, &f->pos);
    file_put(f);
    return n;
}

static bool seekable(const struct file *f)
{
    u16 type = S_TYPE(f->inode->mode);
    return type == S_REG || type == S_BLK || type == S_DIR;
}

/* All lengths are judged before the first byte moves, as on Linux. The bytes in all; *bits: what is
 * set in some address or length. */
static long vector_length(const struct iovec __user *iov, u32 count, u32 *bits)
{
    u32 total = 0;
    for (u32 i = 0; i < count; i++) {
        struct iovec piece;
        if (copyin(&piece, iov + i, sizeof(piece)) < 0)
            return -EFAULT;
        if ((s32)piece.iov_len < 0)
            return -EINVAL;
        total += MIN(piece.iov_len, MAX_COUNT - total); /* the total is cut */
        if (piece.iov_len)
            *bits |= (u32)(virt_t)piece.iov_base | piece.iov_len;
    }
    return total;
}

/* One piece after the other; stops at the first that is short or fails. */
static long vector_pieces(struct file *f, const struct iovec __user *iov, u32 count, u64 *pos,
                          bool to_user)
{
    long done = 0;
    for (u32 i = 0; i < count; i++) {
        struct iovec piece;
        if (done && to_user && !seekable(f) && !(poll_file(f, NULL) & POLLIN))
            break; /* a read that has got something does not wait for more */
        long n = copyin(&piece, iov + i, sizeof(piece));
        if (piece.iov_len > MAX_COUNT - (u32)done)
            piece.iov_len = MAX_COUNT - (u32)done;
        if (n == 0 && (piece.iov_len || !done))
            n = to_user ? do_read(f, piece.iov_base, piece.iov_len, pos)
                        : do_write(f, piece.iov_base, piece.iov_len, pos);
        if (n < 0)
            return done ? done : n;
        done += n;
        if ((u32)n < piece.iov_len)
            break;
    }
    return done;
}

/* The vector calls. pos NULL: the file's own position. `flags` are RWF_*. */
static long vector(u32 fd, const void __user *iov, u32 count, u64 *pos, u32 flags, bool to_user)
{
    if (count > UIO_MAXIOV || (pos && (s64)*pos < 0))
        return -EINVAL;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    u32 bits = 0;
    long ret = pos && !seekable(f) ? -ESPIPE : vector_length(iov, count, &bits);
    if (ret >= 0 && !(to_user ? readable(f) : writable(f)))
        ret = -EBADF;
    if (ret > 0 && !direct_vector_ok(f, to_user, pos ? *pos : f->pos, bits))
        ret = -EINVAL;
    if (ret > 0) {
        struct user_iter it = {.next = iov, .nr_next = count, .left = ret};
        ssize_t (*whole)(struct file *, struct user_iter *) = !f->ops   ? NULL
                                                              : to_user ? f->ops->read_iter
                                                                        : f->ops->write_iter;
        ret = whole ? whole(f, &it) : vector_pieces(f, iov, count, pos ? pos : &f->pos, to_user);
    }
    if (ret > 0 && !to_user && flags & (RWF_DSYNC | RWF_SYNC)) {
        int err = vfs_fsync(f->inode, &f->told, !(flags & RWF_SYNC));
        ret = err ? err : ret;
    }
    file_put(f);
    return ret;
}

long sys_readv(u32 fd, const void __user *iov, u32 count)
{
    return vector(fd, iov, count, NULL, 0, true);
}

long sys_writev(u32 fd, const void __user *iov, u32 count)
{
    return vector(fd, iov, count, NULL, 0, false);
}

long sys_preadv(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high)
{
    u64 pos = (u64)pos_high << 32 | pos_low;
    return vector(fd, iov, count, &pos, 0, true);
}

long sys_pwritev(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high)
{
    u64 pos = (u64)pos_high << 32 | pos_low;
    return vector(fd, iov, count, &pos, 0, false);
}

/* As if the file were open with O_DSYNC or O_SYNC, for this once. Other flags are not known here.
 */
static long vector2(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high, u32 flags,
                    bool to_user)
{
    u64 pos = (u64)pos_high << 32 | pos_low;
    if (flags & ~(u32)(RWF_HIPRI | RWF_DSYNC | RWF_SYNC))
        return -EOPNOTSUPP;
    return vector(fd, iov, count, pos == ~0ull ? NULL : &pos, flags, to_user);
}

long sys_preadv2(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high, u32 flags)
{
    return vector2(fd, iov, count, pos_low, pos_high, flags, true);
}

long sys_pwritev2(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high, u32 flags)
{
    return vector2(fd, iov, count, pos_low, pos_high, flags, false);
}

/* A position of its own; the file's stays where it is. */
static long positioned(u32 fd, void __user *buf, u32 len, u64 pos, bool to_user)
{
    if ((s64)pos < 0)
        return -EINVAL;
    struct file *f = fd_get(fd);
    if (!f)
        return -EBADF;
    long n = !seekable(f) ? -ESPIPE
             : to_user    ? do_read(f, buf, len, &pos)
                          : do_write(f, buf, len, &pos);
    file_put(f);
    return n;
}

long sys_pread64(u32 fd, void __user *buf, u32 len, u32 pos_low, u32 pos_high)
{
    return positioned(fd, buf, len, (u64)pos_high << 32 | pos_low, true);
}

long sys_pwrite64(u32 fd, const void __user *buf, u32 len, u32 pos_low, u32 pos_high)
{
    return positioned(fd, (void __user *)buf, len, (u64)pos_high << 32 | pos_low, false);
}
