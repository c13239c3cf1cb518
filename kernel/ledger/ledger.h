/*
 * The ledger: every payload byte that moves is entered here as (edge, mover, bytes).
 *
 * An edge is one step of a file's way through the machine. A mover is who carried the bytes over
 * it: the CPU (an instruction loaded and stored them), DMA (the device did), or TOUCH (the CPU
 * read every byte without moving it: a software checksum). What is not payload - protocol
 * headers, retransmissions, file system metadata, the padding of a last block - is kept apart
 * under a name of its own, so that payload figures are exact and can be tested for equality.
 *
 * An account is one task's ledger. It outlives the task while a request or a packet in flight
 * still has to be entered, so it is counted by reference. Each entry is made in the account and
 * in the machine's total at once. Nothing here sleeps; entries are made in interrupts too
 * (interrupts are off there, and tasks make entries with a short cli, see ledger_add).
 */
#ifndef KERNEL_LEDGER_LEDGER_H
#define KERNEL_LEDGER_LEDGER_H

#include "kernel/lib/types.h"

/* name, from, to */
#define LEDGER_EDGES(X)                                                                            \
    X(DISK_CACHE, "disk", "cache")                                                                 \
    X(DISK_USER, "disk", "user")                                                                   \
    X(DISK_BUFFER, "disk", "buffer")   /* ferry.cache=split */                                     \
    X(BUFFER_CACHE, "buffer", "cache") /* the second copy of it */                                 \
    X(CACHE_BUFFER, "cache", "buffer")                                                             \
    X(USER_BUFFER, "user", "buffer")                                                               \
    X(BUFFER_DISK, "buffer", "disk")                                                               \
    X(ZERO_CACHE, "zero", "cache") /* a hole in a file, filled with zeroes */                      \
    X(ZERO_USER, "zero", "user")   /* the same, by O_DIRECT */                                     \
    X(CACHE_USER, "cache", "user")                                                                 \
    X(CACHE_CACHE, "cache", "cache") /* from file to file in the kernel */                         \
    X(CACHE_SOCK, "cache", "sock")                                                                 \
    X(CACHE_NIC, "cache", "nic")                                                                   \
    X(USER_DISK, "user", "disk")                                                                   \
    X(USER_CACHE, "user", "cache")                                                                 \
    X(USER_USER, "user", "user") /* copy-on-write of an anonymous page */                          \
    X(USER_SOCK, "user", "sock")                                                                   \
    X(USER_PIPE, "user", "pipe")                                                                   \
    X(USER_NIC, "user", "nic")                                                                     \
    X(PIPE_USER, "pipe", "user")                                                                   \
    X(SOCK_NIC, "sock", "nic")                                                                     \
    X(SOCK_USER, "sock", "user")                                                                   \
    X(SOCK_SOCK, "sock", "sock") /* the loopback interface, or the stack made a copy of its own */ \
    X(NIC_SOCK, "nic", "sock")                                                                     \
    X(CACHE_DISK, "cache", "disk")

#define LEDGER_MOVERS(X) X(CPU, "cpu") X(DMA, "dma") X(TOUCH, "touch")

/* Kept apart from payload. */
#define LEDGER_APART(X)                                                                   \
    X(TX_HEADERS, "tx_headers") /* Ethernet, IP, TCP headers and bare ACKs sent */        \
    X(RX_HEADERS, "rx_headers") /* the same received */                                   \
    X(RETRANSMIT, "retransmit") /* payload that the card fetched once more */             \
    X(METADATA, "metadata")     /* superblock, group and inode tables, directories ... */ \
    X(PADDING, "padding")       /* the rest of a file's last page, behind its end */      \
    X(SWAP, "swap")             /* programs' own pages, out to swap and in again */

/* Why the kernel was entered. */
#define LEDGER_ENTRIES(X)                                                   \
    X(SYSCALL, "syscall")                                                   \
    X(MINOR_FAULT, "minor_fault") /* page fault without I/O */              \
    X(MAJOR_FAULT, "major_fault") /* page fault that waited for the disk */ \
    X(EXCEPTION, "exception")     /* any other exception */                 \
    X(IRQ, "irq")

#define LEDGER_SWITCHES(X) X(VOLUNTARY, "voluntary") X(INVOLUNTARY, "involuntary")

enum ledger_edge {
#define X(name, from, to) EDGE_##name,
    LEDGER_EDGES(X)
#undef X
        NR_EDGES
};
enum ledger_mover {
#define X(name, text) MOVER_##name,
    LEDGER_MOVERS(X)
#undef X
        NR_MOVERS
};
enum ledger_apart {
#define X(name, text) APART_##name,
    LEDGER_APART(X)
#undef X
        NR_APART
};
enum ledger_entry {
#define X(name, text) ENTRY_##name,
    LEDGER_ENTRIES(X)
#undef X
        NR_ENTRIES
};
enum ledger_switch {
#define X(name, text) SWITCH_##name,
    LEDGER_SWITCHES(X)
#undef X
        NR_SWITCHES
};

struct ledger_cell {
    u64 bytes;
    u32 ops; /* how many moves: copies, or DMA requests */
};

struct account {
    u32 refs; /* the task, and each request or packet in flight */
    struct ledger_cell edges[NR_EDGES][NR_MOVERS];
    struct ledger_cell apart[NR_APART];
    u32 entries[NR_ENTRIES];
    u32 switches[NR_SWITCHES];
};

extern struct account ledger_machine; /* the sum over everything since boot */

/* The account that pays for what the current task does; never NULL (the machine's own at boot). */
struct account *account_current(void);
struct account *account_new(void); /* NULL without memory */
struct account *account_get(struct account *account);
void account_put(struct account *account); /* NULL is allowed */

void ledger_add(struct account *account, enum ledger_edge edge, enum ledger_mover mover, u32 bytes);
void ledger_add_apart(struct account *account, enum ledger_apart what, u32 bytes);
void ledger_entry(struct account *account, enum ledger_entry cause);
void ledger_switch(struct account *account, enum ledger_switch kind);

/* Writes the account as text (the format of /proc/<pid>/ledger, see docs/architecture.md). */
struct text;
void ledger_format(const struct account *account, struct text *t);

#endif
