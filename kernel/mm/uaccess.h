/*
 * Reaching a program's memory. Every function survives any pointer: it returns -EFAULT (or the
 * number of bytes not moved) where the program could not have reached the bytes itself.
 * All may sleep, since the page may have to be brought in first.
 *
 * For structures and strings only; payload goes through kernel/ledger/copy.h.
 */
#ifndef KERNEL_MM_UACCESS_H
#define KERNEL_MM_UACCESS_H

#include "kernel/lib/types.h"

int copyin(void *dst, const void __user *src, size_t len) __must_check;  /* 0 or -EFAULT */
int copyout(void __user *dst, const void *src, size_t len) __must_check; /* 0 or -EFAULT */
int zero_user(void __user *dst, size_t len) __must_check;                /* 0 or -EFAULT */
/* Length without the terminator, -EFAULT, or -ENAMETOOLONG when it does not end within size. */
ssize_t copyin_string(char *dst, const char __user *src, size_t size) __must_check;

/* The address range belongs to user space (it may still not be mapped). */
static inline bool user_range_ok(const void __user *p, size_t len)
{
    return (virt_t)p < 0xC0000000u && len <= 0xC0000000u - (virt_t)p;
}

/* The raw moves (uaccess.asm): return the number of bytes not moved. For copy.c and uaccess.c. */
size_t user_copy_raw(void *dst, const void *src, size_t len);
size_t user_zero_raw(void *dst, size_t len);

#endif
