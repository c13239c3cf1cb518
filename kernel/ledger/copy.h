/*
 * The only functions with which the CPU moves payload bytes. Each names the edge that it crosses
 * and enters the bytes in the current task's account. User addresses are checked; a bad one ends
 * the copy early. All may sleep (a user page may have to be brought in), but for copy_pages and
 * the port copies, which never do.
 *
 * Each returns the number of bytes that were NOT copied: 0 is success.
 */
#ifndef KERNEL_LEDGER_COPY_H
#define KERNEL_LEDGER_COPY_H

#include "kernel/ledger/ledger.h"
#include "kernel/mm/page.h"

struct user_iter;

size_t copy_page_to_user(enum ledger_edge edge, void __user *dst, struct frag src);
size_t copy_user_to_page(enum ledger_edge edge, struct frag dst, const void __user *src);

/* The same for a program's memory in pieces (kernel/mm/user_iter.h), of which at least dst.len or
 * src.len are left; what was copied is left no more. */
size_t copy_iter_to_page(enum ledger_edge edge, struct frag dst, struct user_iter *src);
size_t copy_page_to_iter(enum ledger_edge edge, struct user_iter *dst, struct frag src);

/* From page to page; dst.len bytes, src.len must not be smaller. */
void copy_pages(enum ledger_edge edge, struct frag dst, struct frag src);

/* Received data out of the stack's buffer (kernel memory that is not a page of its own). */
size_t copy_buffer_to_user(enum ledger_edge edge, void __user *dst, const void *src, size_t len);

/* Fills a hole of a file. */
void copy_zeroes(enum ledger_edge edge, struct frag dst);

/* Programmed I/O: 16-bit words between a device's data port and a page; the length is even. What of
 * the bytes is payload, and whose, only the request knows that they belong to: its completion
 * enters them, with the CPU as the mover (block_request.mover). */
void copy_port_to_page(struct frag dst, u16 port);
void copy_page_to_port(u16 port, struct frag src);

#endif
