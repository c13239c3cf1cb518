/*
 * Files, inodes and names.
 *
 * An inode is a file on a file system; a struct file is an open file (what a descriptor stands
 * for). Inodes and files are counted by reference. Everything here may sleep unless it says
 * otherwise, and returns 0 (or a length) or a negative errno.
 */
#ifndef KERNEL_FS_VFS_H
#define KERNEL_FS_VFS_H

#include <bsd/sys/queue.h>
#include "kernel/cache/cache.h"
#include "kernel/lib/types.h"

struct inode;
struct file;
struct super;
struct vma;
struct poll_table;
struct user_iter;
struct text;

#define SUPER_READ_ONLY 1u /* MS_RDONLY of mount(2) */

#define NAME_MAX_LEN 255
#define PATH_MAX_LEN 4096

/* File types and permissions as in stat(2). */
#define S_TYPE(mode) ((mode)&0170000)
enum {
    S_FIFO = 0010000,
    S_CHR = 0020000,
    S_DIR = 0040000,
    S_BLK = 0060000,
    S_REG = 0100000,
    S_LNK = 0120000,
    S_SOCK = 0140000
};

/* Where readdir puts entries. emit returns false when it has no room: the entry was not taken,
 * stop; file->pos then must still name that entry. `next` is the position behind the entry. */
struct dir_sink {
    bool (*emit)(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 d_type, u64 next);
};

struct inode_ops {
    /* An inode with a reference, or err_ptr(-ENOENT ...). name is not terminated. */
    struct inode *(*lookup)(struct inode *dir, const char *name, u32 len);
    /* Copies the link's target, at most size bytes, not terminated; returns its length. */
    ssize_t (*readlink)(struct inode *link, char *buf, u32 size);
    /* A link that leads to a file whatever its text says (/proc/<pid>/fd): the file, held, or
     * err_ptr; NULL: go by the text. The operation may be absent. */
    struct inode *(*target)(struct inode *link);
    /* The last reference is gone: free what the file system keeps. The cache was emptied. */
    void (*release)(struct inode *inode);
};

struct file_ops {
    int (*open)(struct inode *inode, struct file *file);
    void (*release)(struct file *file); /* the last descriptor is closed */
    /* *pos is advanced by what was moved. NULL pos: not seekable. */
    ssize_t (*read)(struct file *file, void __user *buf, size_t len, u64 *pos);
    ssize_t (*write)(struct file *file, const void __user *buf, size_t len, u64 *pos);
    /* The vector calls on what has no position, as one transfer: where pieces belong together (a
     * pipe's atomic write). NULL: one read or write after the other. */
    ssize_t (*read_iter)(struct file *file, struct user_iter *to);
    ssize_t (*write_iter)(struct file *file, struct user_iter *from);
    int (*readdir)(struct file *file, struct dir_sink *sink); /* from file->pos on */
    int (*ioctl)(struct file *file, u32 request, u32 argument);
    /* POLL* bits that hold now; names to `p` the queues that are woken when they change (poll.h).
     * Never sleeps. NULL: always readable and writable, as regular files are. */
    u32 (*poll)(struct file *file, struct poll_table *p);
};

struct inode {
    struct super *super;
    u32 ino;
    u16 mode;
    u16 nlink;
    u32 uid, gid, rdev;
    u64 size;   /* bytes */
    u32 blocks; /* 512-byte blocks on the disk, for stat */
    u32 atime, mtime, ctime;
    u32 refs;
    const struct inode_ops *ops;
    const struct file_ops *fops;
    struct mapping mapping; /* S_REG: its pages; mapping.size == size */
    void *fs;               /* the file system's own */
    void *object;           /* S_FIFO: its pipe; S_SOCK: the socket bound to the name */
    struct inode *dir;      /* the directory where it was found last, held; NULL: nowhere yet */
    char *name;             /* and its name there */
    LIST_ENTRY(inode) hash;
    TAILQ_ENTRY(inode) unused; /* while refs is 0 */
};

struct super {
    const char *type; /* "ext2", "proc" ... */
    u32 dev;
    u32 magic; /* statfs(2) */
    u32 block_size;
    u64 blocks, blocks_free, files, files_free;
    u32 flags; /* MS_RDONLY ... of mount(2) */
    struct inode *root;
    struct block_device *device;
    /* Fills the inode of number inode->ino from the disk. Used by inode_get. */
    int (*read_inode)(struct inode *inode);
    void *fs;
    TAILQ_ENTRY(super) link;
};

struct fs_type {
    const char *name;
    /* Returns a super with its root inode, or err_ptr. Says in one kprintf line why it refuses. */
    struct super *(*mount)(struct block_device *device, u32 flags);
};
extern const struct fs_type ext2_fs, proc_fs, dev_fs;

struct file {
    u32 refs;
    u32 flags; /* O_* of open(2) */
    u64 pos;
    struct inode *inode;
    const struct file_ops *ops;
    struct readahead ra;
    void *private; /* of the ops: a socket, a generated text ... */
};

/* inode.c: the table of inodes in memory. inode_get finds or reads inode `ino` of the file
 * system, with a reference. */
struct inode *inode_get(struct super *super, u32 ino);
struct inode *inode_hold(struct inode *inode);
void inode_put(struct inode *inode);
/* Forgets inodes that nobody holds, with their cached pages (or only those without pages). */
u32 inode_drop_unused(bool keep_pages);
/* Says where the inode is found: each look-up does, and so must what creates or renames. path_of
 * (/proc, getcwd) makes paths of these names, without asking a disk. */
void inode_set_name(struct inode *inode, struct inode *dir, const char *name, u32 len);
/* A fresh inode that is in no table (proc, sockets, pipes); refs 1. */
struct inode *inode_new(struct super *super, u32 ino, u16 mode);

/* file.c */
extern u32 nr_open_files;
struct file *file_new(struct inode *inode, const struct file_ops *ops,
                      u32 flags); /* takes the inode's reference */
struct file *file_hold(struct file *file);
void file_put(struct file *file);
struct file *fd_get(u32 fd); /* of the current task, with a reference; NULL: -EBADF */
int fd_install(struct file *file, u32 min_fd,
               bool cloexec); /* takes the reference; fd or -EMFILE */

int fd_close(u32 fd); /* 0 or -EBADF */

/* name.c */
void vfs_mount_root(void); /* from root=; panics with one line when there is none */
/* flags */
enum { WALK_NOFOLLOW = 1, WALK_DIRECTORY = 2 };
/* start NULL: the current task's directory. */
struct inode *path_walk(struct inode *start, const char *path, u32 flags);
/* The absolute path by which a file was found last, not terminated; its length, or -ERANGE, or
 * -ENOENT: it has none (a pipe, a removed directory). Never sleeps. */
int path_of(struct inode *inode, char *buf, u32 size);
/* Why a name that does not exist cannot be made: -ENOENT, -ENOTDIR, -EROFS ... */
int path_parent_error(struct inode *start, const char *path);
void mounts_format(struct text *t); /* /proc/mounts */
struct file *file_open_at(struct inode *start, const char *path, u32 flags, u16 mode);
struct file *file_open(const char *path, u32 flags, u16 mode);

/* The generic file_ops of a regular file in the page cache (kernel/paths/readwrite.c). */
ssize_t cache_file_read(struct file *file, void __user *buf, size_t len, u64 *pos);
/* For the kernel's own use (program headers): reads through the cache into kernel memory. */
ssize_t file_read_kernel(struct inode *inode, u64 pos, void *buf, size_t len);

extern struct inode *vfs_root;

#endif
