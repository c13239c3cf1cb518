/*
 * The paths: one file each. What differs between them is only where they copy payload and where
 * they pass a fragment on.
 *
 *   readwrite.c   read and write: through a buffer of the program's
 *   mmap.c        the cache's own pages in the program's address space
 *   sendfile.c    from the cache to a socket without the program; by reference where the card
 *                 gathers, by one copy where it does not
 *   direct.c      O_DIRECT: between the disk and the program's own pages
 *   copyfile.c    from the cache into another file's pages, without the program
 */
#ifndef KERNEL_PATHS_PATHS_H
#define KERNEL_PATHS_PATHS_H

#include <linux/fcntl.h>
#include "kernel/fs/vfs.h"
#include "kernel/lib/types.h"

struct mm;
struct vma;

extern const struct file_ops regular_file_ops;
void read_once_switch(struct file *f, bool on); /* posix_fadvise(2), POSIX_FADV_NOREUSE */

/* Brings the page of a file that belongs to `address` (and its cached neighbours) into the page
 * table, read-only unless the region is shared and writable. 0, -ENXIO behind the end of the
 * file, -EIO, -ENOMEM; -EAGAIN: what `v` was is no longer there. Sleeps. */
int mmap_fault(struct mm *mm, struct vma *v, u32 address, bool *did_io);
/* The page at `address` of a shared region is present and about to be written: makes room for it
 * in the file, marks it dirty, and makes the entry writable. 0, or as above. Sleeps. */
int mmap_make_writable(struct mm *mm, struct vma *v, u32 address);
/* The pages [first, end) leave the file (truncate(2)): no program sees them any more. */
void mmap_forget(struct inode *inode, u32 first, u32 end);
/* Can some program write to the file through a mapping, whether its file is still open or not?
 * inode NULL: to any file of that file system. */
bool mmap_may_write(const struct super *super, const struct inode *inode);

/* What is written to a file: a program's memory, or (user NULL) bytes of a page. */
struct bytes {
    const void __user *user;
    struct frag frag; /* with a page: this; without: `user`, which may well be NULL */
};
/* Writes them within one page of the file, whose inode is locked. How many went in, at least one,
 * or a negative errno. */
ssize_t cache_write_piece(struct inode *inode, u64 pos, struct bytes from, u32 len);
/* What a write of `done` bytes gives, which `error` (or 0) has ended: with O_DSYNC, which O_SYNC
 * contains, they are on the disk first. */
static inline ssize_t file_write_end(struct file *file, size_t done, ssize_t error)
{
    if (done && (file->flags & O_DSYNC) && (error = file_sync(file)) < 0)
        return error;
    return done ? (ssize_t)done : MIN(error, 0);
}
/* How much of a write of len bytes the file and RLIMIT_FSIZE allow; -EFBIG: nothing. */
ssize_t cache_write_limit(const struct file *file, u64 pos, size_t len);

/* From file to file in the kernel (copyfile.c): bytes copied, or a negative errno. Both positions
 * move. Short where `in` ends. */
ssize_t copy_file(struct file *in, u64 *in_pos, struct file *out, u64 *out_pos, u32 count);
bool copy_file_can(const struct file *out); /* `out` takes pages of others */
long sys_copy_file_range(u32 in_fd, u64 __user *in_pos, u32 out_fd, u64 __user *out_pos, u32 count,
                         u32 flags);

long sys_read(u32 fd, void __user *buf, u32 len);
long sys_write(u32 fd, const void __user *buf, u32 len);
long sys_readv(u32 fd, const void __user *iov, u32 count);
long sys_writev(u32 fd, const void __user *iov, u32 count);
long sys_preadv(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high);
long sys_pwritev(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high);
long sys_pread64(u32 fd, void __user *buf, u32 len, u32 pos_low, u32 pos_high);
long sys_pwrite64(u32 fd, const void __user *buf, u32 len, u32 pos_low, u32 pos_high);
long sys_preadv2(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high, u32 flags);
long sys_pwritev2(u32 fd, const void __user *iov, u32 count, u32 pos_low, u32 pos_high, u32 flags);
long sys_mmap2(u32 address, u32 len, u32 prot, u32 flags, u32 fd, u32 pgoff);
long sys_old_mmap(const void __user *args);
long sys_munmap(u32 address, u32 len);
long sys_mprotect(u32 address, u32 len, u32 prot);
long sys_sendfile(u32 out_fd, u32 in_fd, u32 __user *offset, u32 count);
long sys_sendfile64(u32 out_fd, u32 in_fd, u64 __user *offset, u32 count);

/* The page is about to be written to the disk: programs that share it may write to it again only
 * after a fault, by which it becomes dirty again. */
void mmap_protect_page(struct mapping *m, u32 index);
/* The page leaves the cache, the file goes on: programs that see it look again. Private copies
 * stay. */
void mmap_unmap_page(struct mapping *m, u32 index);

/* direct.c. O_DIRECT: has the file a disk to go to? It is switched on or off; -EINVAL: it has not.
 */
bool direct_possible(const struct inode *inode, const struct file_ops *ops);
int direct_switch(struct file *f, bool on);
ssize_t direct_read(struct file *file, struct mapping *m, void __user *buf, size_t len, u64 *pos);
/* May a vector move to or from the program? `bits`: all its addresses and lengths together. Of
 * several buffers none is moved when one is not aligned. */
bool direct_vector_ok(const struct file *f, bool to_user, u64 pos, u32 bits);
/* To a block device; what is behind its end has been cut off. */
ssize_t direct_write(struct file *file, struct mapping *m, const void __user *buf, size_t len,
                     u64 *pos);

#endif
