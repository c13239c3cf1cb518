/*
 * Pseudo-terminals: a terminal whose line ends in a file, not in a device. pty(7), pts(4).
 *
 * Who opens /dev/ptmx gets a master; /dev/pts/N, its slave, is a terminal as any other (tty.h).
 * What is written to the slave is read from the master; what is written to the master is typed at
 * the slave. Telnet, script and the tests of the line discipline are such masters.
 */
#ifndef KERNEL_FS_PTY_H
#define KERNEL_FS_PTY_H

#include "kernel/fs/vfs.h"

#define RDEV_PTMX (5 << 8 | 2)
#define PTS_MAJOR 136u
#define NR_PTYS   256u

extern const struct file_ops ptmx_ops; /* of /dev/ptmx */

/* For devpts.c: the lowest number >= `from` whose slave may be opened by name; NR_PTYS: none. */
u32 pty_next(u32 from);

/* devpts.c: the slave's inode, with a reference, or err_ptr. */
extern const struct fs_type devpts_fs;
struct inode *devpts_inode(u32 number);
/* A new pseudo-terminal takes the number: its file is as if new. */
void devpts_fresh(u32 number);

#endif
