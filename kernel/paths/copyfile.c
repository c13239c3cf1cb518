/*
 * From file to file: one copy from the pages of one into the pages of the other.
 *
 *   disk --DMA--> cache --CPU--> cache
 *
 * read and write would be two copies, by way of the program's buffer. copy_file_range(2), and
 * sendfile(2) to a file.
 */
#include <linux/fcntl.h>
#include "kernel/mm/uaccess.h"
#include "kernel/paths/paths.h"
#include "kernel/proc/task.h"

bool copy_file_can(const struct file *out)
{
    const struct mapping_ops *ops = out->inode->mapping.ops;
    return S_TYPE(out->inode->mode) == S_REG && ops && ops->prepare_write;
}

/* As much as lies within one page of both. */
static ssize_t copy_piece(struct file *in, u64 in_pos, struct file *out, u64 out_pos, u32 count)
{
    struct inode *from = in->inode;
    u32 offset = (u32)in_pos & (PAGE_SIZE - 1);
    u32 len = MIN(count, PAGE_SIZE - MAX(offset, (u32)out_pos & (PAGE_SIZE - 1)));
    if (len > from->size - in_pos)
        len = (u32)(from->size - in_pos);
    struct page *page;
    int err = cache_read(&from->mapping, in_pos >> PAGE_SHIFT,
                         (offset + count + PAGE_SIZE - 1) >> PAGE_SHIFT, &in->ra, &page, NULL);
    if (err < 0)
        return err;
    struct bytes bytes = {.frag = {page, offset, len}};
    ssize_t n = cache_write_piece(out->inode, out_pos, bytes, len);
    page_put(page, HOLD_USE);
    return n;
}

ssize_t copy_file(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u32 count)
{
    u32 done = 0;
    file_accessed(in);
    inode_lock(out->inode);
    ssize_t n = cache_write_limit(out, *out_pos, count);
    for (count = MAX(n, 0); done < count && *in_pos < in->inode->size && !task_pause();) {
        n = copy_piece(in, *in_pos, out, *out_pos, count - done);
        if (n < 0)
            break;
        *in_pos += n;
        *out_pos += n;
        done += n;
    }
    if (done)
        inode_written(out->inode);
    inode_unlock(out->inode);
    return file_write_end(out, done, n);
}

static long check_files(const struct file *in, const struct file *out)
{
    u16 in_type = S_TYPE(in->inode->mode), out_type = S_TYPE(out->inode->mode);
    if (in_type == S_DIR || out_type == S_DIR)
        return -EISDIR;
    if (in_type != S_REG || out_type != S_REG)
        return -EINVAL;
    if ((in->flags & O_ACCMODE) == O_WRONLY || (out->flags & O_ACCMODE) == O_RDONLY ||
        (out->flags & O_APPEND) || ((in->flags | out->flags) & O_PATH))
        return -EBADF;
    if (in->inode->super != out->inode->super)
        return -EXDEV;
    return in->inode->mapping.ops && copy_file_can(out) ? 0 : -EINVAL;
}

static long copy_range(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u32 count)
{
    long err = check_files(in, out);
    if (err)
        return err;
    if ((s64)*in_pos < 0 || (s64)*out_pos < 0)
        return -EINVAL;
    count = MIN(count, 0x7FFFF000u);
    if (*in_pos >= in->inode->size)
        return 0;
    count = (u32)MIN((u64)count, in->inode->size - *in_pos);
    if (in->inode == out->inode && *in_pos + count > *out_pos && *out_pos + count > *in_pos)
        return -EINVAL;
    return count ? copy_file(in, in_pos, out, out_pos, count) : 0;
}

long sys_copy_file_range(u32 in_fd, u64 __user *in_at, u32 out_fd, u64 __user *out_at, u32 count,
                         u32 flags)
{
    u64 in_pos, out_pos;
    if (flags)
        return -EINVAL;
    if ((in_at && copyin(&in_pos, in_at, sizeof(in_pos)) < 0) ||
        (out_at && copyin(&out_pos, out_at, sizeof(out_pos)) < 0))
        return -EFAULT;
    struct file *in = fd_get(in_fd), *out = fd_get(out_fd);
    long ret = -EBADF;
    if (in && out)
        ret = copy_range(in, in_at ? &in_pos : &in->pos, out, out_at ? &out_pos : &out->pos, count);
    if (in)
        file_put(in);
    if (out)
        file_put(out);
    if (ret > 0 && ((in_at && copyout(in_at, &in_pos, sizeof(in_pos)) < 0) ||
                    (out_at && copyout(out_at, &out_pos, sizeof(out_pos)) < 0)))
        return -EFAULT;
    return ret;
}
