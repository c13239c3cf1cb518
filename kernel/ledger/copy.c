/* The only places where an instruction moves payload. See copy.h. */
#include "kernel/ledger/copy.h"
#include <linux/uio.h>
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/mm/user_iter.h"

static size_t user_copy(enum ledger_edge edge, void *dst, const void *src, size_t len,
                        const void __user *user)
{
    if (unlikely(!user_range_ok(user, len)))
        return len;
    size_t left = user_copy_raw(dst, src, len);
    ledger_add(account_current(), edge, MOVER_CPU, len - left);
    return left;
}

size_t copy_page_to_user(enum ledger_edge edge, void __user *dst, struct frag src)
{
    return user_copy(edge, dst, frag_virt(src), src.len, dst);
}

size_t copy_user_to_page(enum ledger_edge edge, struct frag dst, const void __user *src)
{
    return user_copy(edge, frag_virt(dst), src, dst.len, src);
}

size_t copy_buffer_to_user(enum ledger_edge edge, void __user *dst, const void *src, size_t len)
{
    return user_copy(edge, dst, src, len, dst);
}

/* Sees to it that there is a piece in hand; false when the program's list cannot be read. */
static bool piece_in_hand(struct user_iter *it)
{
    while (!it->len) {
        struct iovec piece;
        if (!it->nr_next || copyin(&piece, it->next, sizeof(piece)) < 0)
            return false;
        it->next++;
        it->nr_next--;
        it->at = piece.iov_base;
        it->len = MIN(piece.iov_len, it->left); /* it may have changed since it was judged */
    }
    return true;
}

static size_t iter_copy(enum ledger_edge edge, struct user_iter *it, struct frag f, bool to_user)
{
    while (f.len) {
        if (!piece_in_hand(it))
            return f.len;
        size_t n = MIN(f.len, it->len);
        size_t left = to_user ? user_copy(edge, it->at, frag_virt(f), n, it->at)
                              : user_copy(edge, frag_virt(f), it->at, n, it->at);
        n -= left;
        it->at += n;
        it->len -= n;
        it->left -= n;
        f.offset += n;
        f.len -= n;
        if (left)
            return f.len;
    }
    return 0;
}

size_t copy_iter_to_page(enum ledger_edge edge, struct frag dst, struct user_iter *src)
{
    return iter_copy(edge, src, dst, false);
}

size_t copy_page_to_iter(enum ledger_edge edge, struct user_iter *dst, struct frag src)
{
    return iter_copy(edge, dst, src, true);
}

void copy_pages(enum ledger_edge edge, struct frag dst, struct frag src)
{
    memcpy(frag_virt(dst), frag_virt(src), dst.len);
    ledger_add(account_current(), edge, MOVER_CPU, dst.len);
}

void copy_zeroes(enum ledger_edge edge, struct frag dst)
{
    memset(frag_virt(dst), 0, dst.len);
    ledger_add(account_current(), edge, MOVER_CPU, dst.len);
}

void copy_port_to_page(struct frag dst, u16 port)
{
    void *to = frag_virt(dst);
    u32 words = dst.len / 2;
    __asm__ volatile("rep insw" : "+D"(to), "+c"(words) : "d"(port) : "memory");
}

void copy_page_to_port(u16 port, struct frag src)
{
    const void *from = frag_virt(src);
    u32 words = src.len / 2;
    __asm__ volatile("rep outsw" : "+S"(from), "+c"(words) : "d"(port) : "memory");
}
