/* See uaccess.h. The moves themselves are in uaccess.asm. */
#include "kernel/mm/uaccess.h"
#include "kernel/lib/lib.h"

int copyin(void *dst, const void __user *src, size_t len)
{
    return user_range_ok(src, len) && user_copy_raw(dst, src, len) == 0 ? 0 : -EFAULT;
}

int copyout(void __user *dst, const void *src, size_t len)
{
    return user_range_ok(dst, len) && user_copy_raw(dst, src, len) == 0 ? 0 : -EFAULT;
}

int zero_user(void __user *dst, size_t len)
{
    return user_range_ok(dst, len) && user_zero_raw(dst, len) == 0 ? 0 : -EFAULT;
}

/* In pieces that end on page borders: the string may end right before a page that is not there. */
ssize_t copyin_string(char *dst, const char __user *src, size_t size)
{
    size_t done = 0;
    while (done < size) {
        size_t piece = MIN(size - done, PAGE_SIZE - ((virt_t)(src + done) & (PAGE_SIZE - 1)));
        piece = MIN(piece, 256u);
        if (copyin(dst + done, src + done, piece) < 0)
            return -EFAULT;
        const char *end = memchr(dst + done, 0, piece);
        if (end)
            return end - dst;
        done += piece;
    }
    return -ENAMETOOLONG;
}
