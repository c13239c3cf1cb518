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
    S_SOCK = 0140000,
    S_SET_GID = 02000, /* of a directory: what is made in it belongs to its group */
    S_STICKY = 01000,
};

/* Where readdir puts entries. emit returns false when it has no room: the entry was not taken,
 * stop; file->pos then must still name that entry. `next` is the position behind the entry. */
struct dir_sink {
    bool (*emit)(struct dir_sink *sink, const char *name, u32 len, u32 ino, u8 d_type, u64 next);
};

/* One component of a path: not terminated. */
struct name {
    const char *text;
    u32 len;
};

/* What a file that is being made is to be; its owner is the caller. */
struct new_file {
    u16 mode;           /* type and permissions, the umask applied */
    u32 rdev;           /* S_CHR, S_BLK */
    const char *target; /* S_LNK */
};

/* Names and inodes. The calls that change something are made only on a file system that takes
 * writes, after kernel/fs/change.c has checked what is the same for all (types, permissions,
 * mounts); NULL is -EPERM. Where one of them may have slept since the look-up, it looks again. */
struct inode_ops {
    /* An inode with a reference, or err_ptr(-ENOENT ...). name is not terminated. */
    struct inode *(*lookup)(struct inode *dir, const char *name, u32 len);
    /* Copies the link's target, at most size bytes, not terminated; returns its length. */
    ssize_t (*readlink)(struct inode *link, char *buf, u32 size);
    /* A link that leads to a file whatever its text says (/proc/<pid>/fd): the file, held, or
     * err_ptr; NULL: go by the text. The operation may be absent. */
    struct inode *(*target)(struct inode *link);
    /* A new file of any type: with a reference, or err_ptr(-EEXIST, -ENOSPC ...). */
    struct inode *(*create)(struct inode *dir, const struct name *name,
                            const struct new_file *what);
    int (*link)(struct inode *dir, const struct name *name, struct inode *inode);
    /* Takes the name of `inode` away; of a directory only when it is empty (-ENOTEMPTY). */
    int (*unlink)(struct inode *dir, const struct name *name, struct inode *inode);
    /* `target` is what stands at the new place: NULL when nothing does; replaced, or with
     * RENAME_EXCHANGE moved to the old place. Types match; a directory in the way must be empty. */
    int (*rename)(struct inode *from, const struct name *from_name, struct inode *inode,
                  struct inode *to, const struct name *to_name, struct inode *target, u32 flags);
    /* Keeps mode, owner and times, which have been changed in the inode. */
    int (*update)(struct inode *inode);
    /* A regular file gets another size: cache_file_resize, and what the disk needs. */
    int (*resize)(struct inode *inode, u64 size);
    /* fallocate(2), `mode` being FALLOC_FL_*. */
    int (*allocate)(struct inode *inode, u32 mode, u64 pos, u64 len);
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

/* A point in time, since 1970. */
struct file_time {
    s64 sec;
    u32 nsec;
};

struct inode {
    struct super *super;
    u32 ino;
    u16 mode;
    bool locked;  /* inode_lock */
    bool dirty;   /* it has changed, and its file system's table has not: super->write_inode */
    bool resized; /* and not only its times or owner: without that its bytes are not found */
    u32 nlink;    /* 0: no name is left, and the file goes with its last reference */
    u32 uid, gid, rdev;
    u64 size;   /* bytes */
    u32 blocks; /* 512-byte blocks on the disk, for stat */
    struct file_time atime, mtime, ctime;
    u32 atime_seen; /* atime_clock, when a read would have left atime as it is; 0: not known */
    u32 refs;
    u32 writers, runners; /* open files that may write it; programs that it runs as: not both */
    const struct inode_ops *ops;
    const struct file_ops *fops;
    struct mapping mapping; /* S_REG: its pages; mapping.size == size */
    void *fs;               /* the file system's own */
    void *object;           /* S_FIFO: its pipe; S_SOCK: the socket bound to the name */
    struct inode *dir;      /* the directory where it was found last, held; NULL: nowhere yet */
    char *name;             /* and its name there */
    LIST_HEAD(, file_lock)
    locks; /* lock.h */
    LIST_ENTRY(inode) hash;
    TAILQ_ENTRY(inode) unused; /* while refs is 0 */
};

struct super {
    const char *type; /* "ext2", "proc" ... */
    u32 dev;
    u32 magic; /* statfs(2) */
    u32 block_size;
    u64 blocks, blocks_free, files, files_free;
    u64 blocks_kept; /* of the free ones: not for everybody */
    u32 flags;       /* MS_RDONLY ... of mount(2) */
    /* References to its inodes, and how many of them the file system holds itself (its root, every
     * name in RAM): when they are equal, nobody uses it, and it can be unmounted. */
    u32 refs, own_refs;
    u32 writers; /* regular files open for writing */
    u32 ending;  /* inodes that nobody finds any more, and whose release is not over */
    bool has_been_mounted;
    bool only_reads; /* cannot be mounted for writing */
    bool seconds;    /* its times are whole seconds of 32 bits, as ext2 keeps them */
    struct inode *root;
    struct block_device *device;
    struct write_errors errors; /* of the data of any of its files */
    /* Fills the inode of number inode->ino from the disk. Used by inode_get. */
    int (*read_inode)(struct inode *inode);
    /* The inode into the table in memory; NULL: there is none. */
    int (*write_inode)(struct inode *inode);
    /* The file, with all that leads to it, is on the disk and survives a loss of power.
     * `data_only`: its times need not be (fdatasync(2)). NULL: there is no disk. */
    int (*fsync)(struct inode *inode, bool data_only);
    int (*sync)(struct super *super, bool last); /* all of it; `last`: and now nothing follows */
    void (*statfs)(struct super *super); /* brings blocks_free and files_free up to date; or NULL */
    /* Its options as /proc/mounts shows them, ",size=64k"; or NULL. Never sleeps. */
    void (*show_options)(const struct super *super, struct text *t);
    int (*remount)(struct super *super, u32 flags, const char *options); /* may be NULL */
    /* Nobody uses it any more: everything goes, the super too (super_end). NULL: it stays for ever,
     * and the next mount gives it again. */
    void (*unmount)(struct super *super);
    void *fs;
    u32 syncing;             /* super_sync_begin: unmounting waits */
    TAILQ_ENTRY(super) link; /* in a list of its kind's own */
};

struct fs_type {
    const char *name;
    /* Returns a super with its root inode, or err_ptr. Says in one kprintf line why it refuses.
     * `options` are those of mount(2), "" when there are none. */
    struct super *(*mount)(struct block_device *device, u32 flags, const char *options);
    bool needs_device;
};
extern const struct fs_type ext2_fs, proc_fs, dev_fs, tmp_fs;

struct file {
    u32 refs;
    u32 flags; /* O_* of open(2) */
    u64 pos;
    struct inode *inode;
    const struct file_ops *ops;
    bool writes; /* counted as a writer of the inode and of its super */
    s32 owner;   /* fcntl(2), F_SETOWN; nothing is sent there */
    struct errors_told told;
    struct readahead ra;
    void *private; /* of the ops: a socket, a generated text ... */
    LIST_HEAD(, epoll_item)
    epoll_items; /* who waits for it by epoll(7), anon.h */
};

/* attr.c: who reads by an open file says so here; nearly always it is one comparison. The clock
 * moves on when a read may have to set atime though nothing was written: time passes, or the
 * machine's clock or a mount's options are set. */
extern u32 atime_clock;
void file_accessed_slow(const struct file *file);
static inline void file_accessed(const struct file *file)
{
    if (unlikely(file->inode->atime_seen != atime_clock))
        file_accessed_slow(file);
}

/* inode.c: the table of inodes in memory. inode_get finds or reads inode `ino` of the file
 * system, with a reference. */
struct inode *inode_get(struct super *super, u32 ino);
bool inode_in_memory(struct super *super, u32 ino);
struct inode *inode_hold(struct inode *inode);
void inode_put(struct inode *inode);
/* Reclaim: of the inodes that nobody holds, as large a part as nr is of `of` is looked at, those
 * unused for longest first; what is clean and has no pages goes. How many went. Never sleeps. */
u32 inode_trim(u32 nr, u32 of);
u32 inode_pages(void); /* that would become free in that way */
/* Says where the inode is found: each look-up does, and so must what creates or renames. path_of
 * (/proc, getcwd) makes paths of these names, without asking a disk. */
void inode_set_name(struct inode *inode, struct inode *dir, const char *name, u32 len);
/* A fresh inode that is in no table (proc, sockets, pipes, tmpfs); refs 1. */
struct inode *inode_new(struct super *super, u32 ino, u16 mode);
/* The end of a file system whose super and `fs` came from kmalloc: its root is put, all its inodes
 * are forgotten, and both are freed. */
void super_end(struct super *super);
/* A reference that the file system keeps for itself: no reason not to unmount it. */
struct inode *inode_hold_own(struct inode *inode);
void inode_put_own(struct inode *inode);
/* One task at a time writes to a file or changes its size. Sleeps; not twice by one task. */
void inode_lock(struct inode *inode);
void inode_unlock(struct inode *inode);
/* The size of a regular file and of its mapping, which are one. */
static inline void inode_set_size(struct inode *inode, u64 size)
{
    inode->size = inode->mapping.size = size;
    inode->dirty = inode->resized = true;
}
/* A program runs from the file, or ends: meanwhile nobody opens it for writing (-ETXTBSY). */
static inline struct inode *inode_run(struct inode *inode)
{
    inode->runners++;
    return inode_hold(inode);
}
static inline void inode_stop(struct inode *inode)
{
    inode->runners--;
    inode_put(inode);
}
/* Walks the inodes of a file system (NULL: of all) of which something is newer than on the disk, or
 * on its way there, in no order: holds the one it returns, and puts the one it is given. What comes
 * or goes meanwhile may be missed. */
struct inode *inode_next_dirty(struct super *super, struct inode *after);
/* Files without a name that are still in use. inode_take_unlinked: one of them, held, and no longer
 * in the table: its number may become that of another file. NULL: there is none. */
bool inodes_unlinked(const struct super *super);
struct inode *inode_take_unlinked(struct super *super);
void inodes_wait_ending(const struct super *super);
/* A time as the inode's file system can keep it. */
struct file_time inode_time(const struct inode *inode, struct file_time t);
struct file_time inode_now(const struct inode *inode);
/* It was written: mtime and ctime are now. It was changed (mode, links ...): ctime is now. */
void inode_written(struct inode *inode);
void inode_changed(struct inode *inode);
/* It was read: atime is now, if its mount says so (relatime: where it tells less than the others,
 * or is a day old). The inode goes to the disk with the others that have changed. */
void inode_accessed(struct inode *inode);
/* May the current task do this (MAY_* bits)? 0, or -EACCES. Not asked whether the file system takes
 * writes. */
enum { MAY_EXECUTE = 1, MAY_WRITE = 2, MAY_READ = 4 };
int inode_permission(const struct inode *inode, u32 may);
/* A new inode belongs to the current task, and its times are now. Its mode is set already. */
void inode_init_owner(struct inode *inode, const struct inode *dir);
/* It was written by, or given to, somebody: it no longer runs with its owner's rights. */
void inode_drop_set_ids(struct inode *inode);
/* May it change mode and times: is it the owner, or root? */
bool inode_owned(const struct inode *inode);

/* file.c */
extern u32 nr_open_files;
struct file *file_new(struct inode *inode, const struct file_ops *ops,
                      u32 flags); /* takes the inode's reference */
struct file *file_hold(struct file *file);
void file_put(struct file *file);
struct file *fd_get(u32 fd); /* of the current task, with a reference; NULL: -EBADF */
int fd_install(struct file *file, u32 min_fd,
               bool cloexec); /* takes the reference; fd or -EMFILE */

int fd_close(u32 fd);    /* 0 or -EBADF */
u32 fd_limit(void);      /* RLIMIT_NOFILE: descriptors are below */
bool fd_available(void); /* there is one left: else fd_install says -EMFILE */

/* name.c */
/* flags */
enum { WALK_NOFOLLOW = 1, WALK_DIRECTORY = 2 };
/* start NULL: the current task's directory. */
struct inode *path_walk(struct inode *start, const char *path, u32 flags);
/* The directory that the last name of the path is in, or err_ptr; *last (within `path`) is that
 * name: empty for "/". *slash: something other than a directory would be wrong there. */
struct inode *path_parent(struct inode *start, const char *path, struct name *last, bool *slash);
/* One step: what `name` is in `dir`, across mounts, but no links. With a reference, or err_ptr. */
struct inode *path_step(struct inode *dir, const struct name *name);
struct inode *path_up(struct inode *dir);   /* "..", across mounts */
bool name_is_dots(const struct name *name); /* "." or ".." */
char *path_readlink(struct inode *link);    /* terminated, kfree it; or err_ptr */
/* The absolute path by which a file was found last, not terminated; its length, or -ERANGE, or
 * -ENOENT: it has none (a pipe, a removed directory). Never sleeps. */
int path_of(struct inode *inode, char *buf, u32 size);

/* change.c: what changes names and inodes. start NULL: the current task's directory. */
struct inode *vfs_create(struct inode *dir, const struct name *name, const struct new_file *what);
/* With a reference, or err_ptr(-EEXIST ...). */
struct inode *vfs_make(struct inode *start, const char *path, const struct new_file *what);
int vfs_link(struct inode *inode, struct inode *start, const char *path);
int vfs_unlink(struct inode *start, const char *path);
int vfs_rmdir(struct inode *start, const char *path);
int vfs_rename(struct inode *from_start, const char *from, struct inode *to_start, const char *to,
               u32 flags);
int vfs_resize(struct inode *inode, u64 size); /* truncate(2); that the caller may write is known */

/* sync.c: 0, or the first error. */
int inodes_sync(struct super *super); /* data pages, then what has changed in the inodes */
int vfs_write_out(struct inode *inode, bool data_only); /* nobody is told of what failed before */
int vfs_sync(struct super *super, bool last);
/* Of the errors since vfs_errors_begin (or the last answer) the caller hears once: those of the
 * file's data, and those of the metadata of the disk that it is on, for they may be its own. */
void vfs_errors_begin(const struct inode *inode, struct errors_told *told);
int vfs_fsync(struct inode *inode, struct errors_told *told, bool data_only);
int file_sync(struct file *file);   /* after a write, when O_SYNC or O_DSYNC is set */
int file_syncfs(struct file *file); /* syncfs(2): all of its file system */
/* Around what brings a file system's inodes to the disk in the background, and may hold some. */
void super_sync_begin(struct super *super);
void super_sync_end(struct super *super);

/* mount.c: the tree of file systems. */
void vfs_sync_all(bool last);
void vfs_mount_root(void); /* from root=, and the table of mount.c; panics when there is none */
struct mount;
struct mount *mount_below(struct inode *dir, const struct name *name); /* NULL: none */
struct inode *mount_root(const struct mount *m);                       /* no reference */
/* Of the file system whose root `root` is: the directory (no reference) and the name that it
 * stands at; NULL for the tree's own root, and for a directory that is no root. */
struct inode *mount_dir(const struct inode *root, const char **name);
/* mount(2): on a directory; `flags` are MS_*. */
int vfs_mount(struct inode *on, const char *source, const char *type, u32 flags,
              const char *options);
int vfs_remount(struct inode *root, u32 flags, const char *options);
int vfs_umount(
    struct inode *root); /* takes the reference; -EBUSY, -EINVAL: nothing mounted there */
void mounts_format(struct text *t);      /* /proc/mounts */
void mountinfo_format(struct text *t);   /* /proc/<pid>/mountinfo */
void filesystems_format(struct text *t); /* /proc/filesystems */

/* open.c */
struct file *file_open_at(struct inode *start, const char *path, u32 flags, u16 mode);
struct file *file_open(const char *path, u32 flags, u16 mode);

/* The generic file_ops of a regular file in the page cache (kernel/paths/readwrite.c). */
ssize_t cache_file_read(struct file *file, void __user *buf, size_t len, u64 *pos);
ssize_t cache_file_write(struct file *file, const void __user *buf, size_t len, u64 *pos);
/* Another size: pages behind it go, from programs' memory too; what is added reads as zero. */
int cache_file_resize(struct inode *inode, u64 size);
/* May a file become that long? -EFBIG, with SIGXFSZ, beyond RLIMIT_FSIZE. */
int file_check_size(u64 size);
/* A hole: what lies inside reads as zero from now on. */
void cache_file_punch(struct inode *inode, u64 pos, u64 len);
/* For the kernel's own use (program headers): reads through the cache into kernel memory. */
ssize_t file_read_kernel(struct inode *inode, u64 pos, void *buf, size_t len);

extern struct inode *vfs_root;

#endif
