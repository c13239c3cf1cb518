/*
 * /proc: texts made when they are opened.
 *
 * A text is made whole at the first read and kept with the open file, so that a reader sees one
 * moment of the machine however small its buffer is. The files and who makes them stand in one
 * table (proc.c); what they say is written in proc_text.c.
 */
#ifndef KERNEL_FS_PROC_H
#define KERNEL_FS_PROC_H

#include "kernel/fs/vfs.h"
#include "kernel/proc/process.h"

/* Makers return the length, which may be beyond size: the text is cut then. Never sleep. `p` is
 * the process whose directory the file is in; NULL for the others. */
typedef int (*proc_maker)(struct process *p, char *buf, size_t size);

int proc_ledger(struct process *p, char *buf, size_t size);
int proc_ferry_ledger(struct process *p, char *buf, size_t size);
int proc_ferry_clock(struct process *p, char *buf, size_t size);
int proc_ferry_pages(struct process *p, char *buf, size_t size);
int proc_ferry_net(struct process *p, char *buf, size_t size);
int proc_ferry_disk(struct process *p, char *buf, size_t size);
int proc_ferry_proof(struct process *p, char *buf, size_t size);
int proc_ferry_trace(struct process *p, char *buf, size_t size);
int proc_meminfo(struct process *p, char *buf, size_t size);
int proc_interrupts(struct process *p, char *buf, size_t size);
int proc_slabinfo(struct process *p, char *buf, size_t size);
int proc_uptime(struct process *p, char *buf, size_t size);
int proc_version(struct process *p, char *buf, size_t size);
int proc_cmdline(struct process *p, char *buf, size_t size);
int proc_mounts(struct process *p, char *buf, size_t size);
int proc_stat(struct process *p, char *buf, size_t size);
int proc_net_dev(struct process *p, char *buf, size_t size);
int proc_net_tcp(struct process *p, char *buf, size_t size);
int proc_zero(struct process *p, char *buf, size_t size); /* "0\n": files that are only written */
int proc_task_stat(struct process *p, char *buf, size_t size);
int proc_task_status(struct process *p, char *buf, size_t size);
int proc_task_maps(struct process *p, char *buf, size_t size);
int proc_task_comm(struct process *p, char *buf, size_t size);

/* Writers get the number that was written: 0 or a negative errno. */
typedef int (*proc_writer)(u32 value);
int proc_write_drop_caches(u32 value);
int proc_write_proof(u32 value);
int proc_write_drop_nth(u32 value);
int proc_write_exit(u32 value);

/* /proc/<pid>/pagemap (Linux: Documentation/admin-guide/mm/pagemap.rst), read at any position. */
ssize_t proc_pagemap_read(u32 pid, void __user *buf, size_t len, u64 *pos);

#endif
