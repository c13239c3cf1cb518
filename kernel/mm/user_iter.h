/*
 * The program's memory that one call names: a buffer, or the pieces of a vector (readv(2)), as a
 * thing to take bytes from or put bytes into one after the other, whatever the pieces are.
 *
 * Payload moves by copy_from_iter and copy_to_iter (kernel/ledger/copy.h).
 */
#ifndef KERNEL_MM_USER_ITER_H
#define KERNEL_MM_USER_ITER_H

#include "kernel/lib/types.h"

struct iovec; /* readv(2) */

struct user_iter {
    char __user *at; /* what is left of the piece in hand */
    size_t len;
    const struct iovec __user *next; /* the pieces behind it, read when their turn comes */
    u32 nr_next;
    size_t left; /* bytes in all, as the lengths were when the call began */
};

static inline struct user_iter user_iter_of(const void __user *buf, size_t len)
{
    return (struct user_iter){.at = (char __user *)buf, .len = len, .left = len};
}

#endif
