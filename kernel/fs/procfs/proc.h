/*
 * /proc: what the kernel tells about itself, in the formats of proc(5).
 *
 * A file of text is made whole when it is first read and kept with the open file, so that a reader
 * sees one moment of the machine however small its buffer is (text.c). To add a file of the
 * machine: one line in files.c, and a function that writes the text:
 *
 *     {"net/udp", .text = net_udp_format},        void net_udp_format(struct text *t);
 *
 * Directories are made of the names. The files of a process stand in pid.c, in the same form; their
 * makers are told of which process and which thread the directory is.
 *
 * An inode here is made new at each look-up: a process with that number may be another by then.
 */
#ifndef KERNEL_FS_PROCFS_PROC_H
#define KERNEL_FS_PROCFS_PROC_H

#include "kernel/fs/vfs.h"
#include "kernel/lib/text.h"
#include "kernel/proc/process.h"

struct mm;
struct vma;

/* Of whom a directory tells. It is looked up at each use and must not be kept over a sleep. */
struct subject {
    struct process *process;
    struct task *task; /* the thread; for /proc/<pid> one that speaks for all; NULL: a zombie */
    bool thread;       /* /proc/<pid>/task/<tid> */
    u32 what;          /* which of its files, as in the inode's number */
};

struct proc_file {
    const char *path;
    u16 mode; /* type and permissions; 0: what follows from the rest */
    /* The text: of the machine, of a process, or always the same line. Never sleeps. */
    void (*text)(struct text *t);
    void (*text_of)(struct text *t, const struct subject *s);
    const char *line;
    /* What was written, terminated, without the newline: 0 or a negative errno. */
    int (*write)(const char *value);
    int (*write_of)(const struct subject *s, const char *value);
    /* A symbolic link: to a fixed text, or to what `target` finds (held, or err_ptr); `target` may
     * stand alone, then the link shows the path of the inode. */
    const char *link;
    ssize_t (*readlink)(const struct subject *s, char *buf, u32 size);
    struct inode *(*target)(const struct subject *s);
    /* Neither text nor link. */
    const struct inode_ops *ops;
    const struct file_ops *fops;
};

/*
 * Inode numbers: whose file it is, and which.
 *
 *     31          17 16      15 .. 0
 *     process or tid | thread | what        0 and no thread: the machine's
 */
enum {
    INO_ROOT = 1,       /* the machine's directories, by their place in tree.c */
    INO_FILES = 0x1000, /* the machine's files, by their place in files.c */
    INO_ID_SHIFT = 17,
    INO_THREAD = 1 << 16,
    INO_WHAT = 0xFFFF, /* of a process: 0 its directory, then its files by their place in pid.c */
    INO_FD = 0x4000,   /* + descriptor: its link */
    INO_FDINFO = 0x8000,
    INO_FD_COUNT = 0x4000,
};

static inline u32 ino_of(u32 id, bool thread, u32 what)
{
    return id << INO_ID_SHIFT | (thread ? INO_THREAD : 0) | what;
}

extern struct super proc_super;
/* A fresh inode; err_ptr without memory. `file` says what it is; NULL: the caller does. */
struct inode *proc_inode(u32 ino, u16 mode, const struct proc_file *file);

/* tree.c */
extern const struct proc_file proc_files[];
extern const u32 nr_proc_files;
bool proc_emit_dots(struct file *dir, struct dir_sink *sink, u32 parent);

/* pid.c: false when the process or thread is gone. */
bool subject_find(u32 ino, struct subject *s);
struct inode *pid_directory(const char *name, u32 len, bool thread, u32 of); /* err_ptr(-ENOENT) */
int pid_readdir(struct file *dir, struct dir_sink *sink,
                u32 first); /* the processes, behind first */
bool is_name(const char *a, const char *name, u32 len);
u32 name_number(const char *name, u32 len); /* ~0: none */

/* fd.c */
extern const struct inode_ops fd_directory_ops, fdinfo_directory_ops;
extern const struct file_ops fd_directory_fops, fdinfo_directory_fops;
/* The path of a file as links and maps show it: "/bin/sh", "pipe:[7]", "/tmp/x (deleted)". Its
 * length; not terminated. */
u32 inode_describe(const struct inode *inode, char *buf, u32 size);

/* text.c: the file_ops of every text. */
extern const struct file_ops proc_text_ops;
int proc_number(const char *value, u32 *number); /* what a writer got; -EINVAL */

/* process.c, maps.c: the texts of a process. */
char state_letter(const struct subject *s);
void pid_stat(struct text *t, const struct subject *s);
void pid_statm(struct text *t, const struct subject *s);
void pid_status(struct text *t, const struct subject *s);
void pid_cmdline(struct text *t, const struct subject *s);
void pid_environ(struct text *t, const struct subject *s);
void pid_comm(struct text *t, const struct subject *s);
int pid_comm_write(const struct subject *s, const char *value);
void pid_io(struct text *t, const struct subject *s);
void pid_limits(struct text *t, const struct subject *s);
void pid_oom_score(struct text *t, const struct subject *s);
void pid_oom_score_adj(struct text *t, const struct subject *s);
int pid_oom_score_adj_write(const struct subject *s, const char *value);
void pid_wchan(struct text *t, const struct subject *s);
void pid_ledger(struct text *t, const struct subject *s);
void pid_maps(struct text *t, const struct subject *s);
void map_line(struct text *t, const struct mm *mm, const struct vma *v); /* of maps */
void pid_smaps(struct text *t, const struct subject *s);                 /* smaps.c */
struct memory_use {
    u32 size, resident, text, data, stack, lib, tables; /* pages */
    u32 file, shared; /* of the resident: of files (and of shared memory), of shared memory */
    virt_t start_code, end_code;
};
void memory_count(struct mm *mm, struct memory_use *use); /* NULL: zeroes */
void memory_count_files(struct mm *mm, struct memory_use *use);
extern const struct file_ops pagemap_fops, pagetable_fops;
extern const struct file_ops kpagecount_fops, kpageflags_fops; /* kpage.c */

/* machine.c */
void proc_meminfo(struct text *t);
void proc_stat(struct text *t);
void proc_uptime(struct text *t);
void proc_loadavg(struct text *t);
void proc_version(struct text *t);
void proc_cmdline(struct text *t);
void proc_cpuinfo(struct text *t);
void proc_devices(struct text *t);
void proc_partitions(struct text *t);
void proc_diskstats(struct text *t);
void proc_vmstat(struct text *t);

/* sys.c: /proc/sys */
void sys_hostname(struct text *t);
int sys_hostname_write(const char *value);
void sys_domainname(struct text *t);
int sys_domainname_write(const char *value);
void sys_pid_max(struct text *t);
void sys_threads_max(struct text *t);
void sys_nr_open(struct text *t);
void sys_pipe_max_size(struct text *t);
void sys_file_nr(struct text *t);
void sys_uuid(struct text *t);
void sys_boot_id(struct text *t);
int sys_drop_caches(const char *value);
int sys_set_dirty_ratio(const char *value);
int sys_set_dirty_background_ratio(const char *value);
int sys_set_dirty_bytes(const char *value);
int sys_set_dirty_background_bytes(const char *value);
int sys_set_dirty_expire(const char *value);
int sys_set_dirty_writeback(const char *value);
void sys_dirty_ratio(struct text *t);
void sys_dirty_background_ratio(struct text *t);
void sys_dirty_bytes(struct text *t);
void sys_dirty_background_bytes(struct text *t);
void sys_dirty_expire(struct text *t);
void sys_dirty_writeback(struct text *t);
void sys_disk_polling(struct text *t);
int sys_set_disk_polling(const char *value);
void sys_disk_timeout(struct text *t);
int sys_set_disk_timeout(const char *value);
int sys_drop_nth(const char *value);

/* ferry.c: /proc/ferry */
void ferry_ledger(struct text *t);
void ferry_clock(struct text *t);
void ferry_pages(struct text *t);
void ferry_net(struct text *t);
void ferry_disk(struct text *t);
int ferry_proof_write(const char *value);
int ferry_exit(const char *value);

#endif
