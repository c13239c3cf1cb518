/*
 * sendfile: from the page cache to a socket, without the program.
 *
 *   scatter-gather on:   disk --DMA--> cache --DMA--> card
 *   scatter-gather off:  disk --DMA--> cache --CPU--> socket buffer --DMA--> card
 *
 * The whole difference is one line: either the socket's send queue takes a reference to the
 * cache's page, and the card's descriptors point into it, or the bytes are copied once into a
 * buffer that the card can fetch in one piece behind its headers. sendfile(2).
 */
#include <linux/fcntl.h>
#include "kernel/ledger/copy.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/paths/paths.h"

#define MAX_COUNT 0x7FFFF000u

/* One fragment of the cache into the socket; how much went in, or a negative errno. */
static ssize_t send_fragment(struct socket *s, struct frag f, bool nonblock, bool more)
{
    if (socket_can_send_pages(s))
        return socket_send_page(s, f, nonblock, more);
    return socket_send_copy(s, f, nonblock, more);
}

static ssize_t send_cached(struct socket *s, struct file *in, u64 *pos, u32 count, bool nonblock)
{
    struct inode *inode = in->inode;
    u32 done = 0;
    file_accessed(in);
    while (done < count && *pos < inode->size) {
        u32 index = *pos >> PAGE_SHIFT, offset = (u32)*pos & (PAGE_SIZE - 1);
        u32 len = MIN(count - done, PAGE_SIZE - offset);
        if (len > inode->size - *pos)
            len = inode->size - *pos;
        struct page *page;
        int err = cache_read(&inode->mapping, index,
                             (offset + (count - done) + PAGE_SIZE - 1) >> PAGE_SHIFT, &in->ra,
                             &page, NULL);
        if (err < 0)
            return done ? (ssize_t)done : err;
        bool more = done + len < count && *pos + len < inode->size;
        ssize_t n = send_fragment(s, (struct frag){page, offset, len}, nonblock, more);
        page_put(page, HOLD_USE);
        if (n < 0)
            return done ? (ssize_t)done : n;
        *pos += n;
        done += n;
        if ((u32)n < len)
            break;
    }
    return done;
}

static long do_sendfile(u32 out_fd, u32 in_fd, u64 *pos, u32 count)
{
    struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
    long ret = -EBADF;
    if (!in || !out || (in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY)
        goto end;
    ret = -ESPIPE;
    if (pos && S_TYPE(in->inode->mode) != S_REG && S_TYPE(in->inode->mode) != S_BLK &&
        S_TYPE(in->inode->mode) != S_DIR)
        goto end;
    ret = -EINVAL;
    struct socket *s = file_socket(out);
    bool to_file = !s && copy_file_can(out) && !(out->flags & O_APPEND);
    if (S_TYPE(in->inode->mode) != S_REG || !in->inode->mapping.ops || (!s && !to_file))
        goto end;
    if (pos && (s64)*pos < 0)
        goto end;
    if (pos && *pos + count < *pos)
        goto end;
    count = MIN(count, MAX_COUNT);
    u64 *from = pos ? pos : &in->pos;
    ret = !count ? 0
          : s    ? send_cached(s, in, from, count, out->flags & O_NONBLOCK)
                 : copy_file(in, from, out, &out->pos, count);
end:
    if (in)
        file_put(in);
    if (out)
        file_put(out);
    return ret;
}

long sys_sendfile64(u32 out_fd, u32 in_fd, u64 __user *offset, u32 count)
{
    if (!offset)
        return do_sendfile(out_fd, in_fd, NULL, count);
    u64 pos;
    if (copyin(&pos, offset, sizeof(pos)) < 0)
        return -EFAULT;
    long n = do_sendfile(out_fd, in_fd, &pos, count);
    return copyout(offset, &pos, sizeof(pos)) < 0 ? -EFAULT : n;
}

long sys_sendfile(u32 out_fd, u32 in_fd, u32 __user *offset, u32 count)
{
    if (!offset)
        return do_sendfile(out_fd, in_fd, NULL, count);
    s32 pos32;
    if (copyin(&pos32, offset, sizeof(pos32)) < 0)
        return -EFAULT;
    if (pos32 < 0)
        return -EINVAL;
    u64 pos = pos32;
    count = MIN(count, 0x7FFFFFFFu - pos); /* where the offset ends, so does the call */
    long n = do_sendfile(out_fd, in_fd, &pos, count);
    pos32 = pos;
    return copyout(offset, &pos32, sizeof(pos32)) < 0 ? -EFAULT : n;
}
