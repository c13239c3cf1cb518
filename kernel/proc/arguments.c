/*
 * The arguments and the environment of a new program: copied once, from the old address space
 * into the pages that become the new stack. System V ABI i386, figure 3-31; execve(2), "Limits on
 * size of arguments and environment".
 */
#include <linux/resource.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/program.h"
#include "kernel/proc/process.h"

struct arguments *arguments_new(void)
{
    struct arguments *a = kzalloc(sizeof(*a));
    if (a) {
        u32 limit = current->process->limits[RLIMIT_STACK].soft / 4;
        a->lowest = USER_STACK_TOP - 4;
        a->limit = MIN(MAX(limit, STRING_MAX), ARGUMENT_PAGES * PAGE_SIZE);
    }
    return a;
}

void arguments_free(struct arguments *a)
{
    if (!a)
        return;
    for (u32 i = 0; i < ARGUMENT_PAGES; i++)
        if (a->pages[i])
            page_put(a->pages[i], HOLD_USE);
    kfree(a);
}

/* Where an address of the new stack is now. */
static char *place(const struct arguments *a, virt_t at)
{
    u32 i = (USER_STACK_TOP - 1 - at) >> PAGE_SHIFT;
    return (char *)page_virt(a->pages[i]) + (at & (PAGE_SIZE - 1));
}

/* Moves `lowest` down and sees to it that there is memory from there on. */
static int make_room(struct arguments *a, u32 len)
{
    u32 used = USER_STACK_TOP - a->lowest + len;
    u32 pointers = (a->argc + a->envc) * 4;
    if (len > STRING_MAX || pointers >= a->limit || used > a->limit - pointers)
        return -E2BIG;
    for (u32 i = DIV_ROUND_UP(used, PAGE_SIZE); i-- && !a->pages[i];)
        if (!(a->pages[i] = page_alloc_zeroed(PAGE_ANON, HOLD_USE)))
            return -ENOMEM;
    a->lowest -= len;
    return 0;
}

/* The next piece of [at, at + len) that lies in one page. */
static u32 piece(virt_t at, u32 len)
{
    return MIN(len, PAGE_SIZE - (at & (PAGE_SIZE - 1)));
}

static int push(struct arguments *a, const void *data, u32 len)
{
    int err = make_room(a, len);
    for (u32 done = 0, n; !err && done < len; done += n) {
        n = piece(a->lowest + done, len - done);
        memcpy(place(a, a->lowest + done), (const char *)data + done, n);
    }
    return err;
}

int arguments_push(struct arguments *a, const char *text)
{
    return push(a, text, strlen(text) + 1);
}

/* The length of a program's string with its end, or -EFAULT, or -E2BIG. */
static int user_length(const char __user *text)
{
    char part[256];
    for (u32 len = 0; len < STRING_MAX; len += sizeof(part)) {
        ssize_t n = copyin_string(part, text + len, sizeof(part));
        if (n != -ENAMETOOLONG)
            return n < 0 ? n : (int)(len + n + 1);
    }
    return -E2BIG;
}

static int push_user(struct arguments *a, const char __user *text)
{
    int len = user_length(text);
    int err = len < 0 ? len : make_room(a, len);
    for (u32 done = 0, n; !err && done < (u32)len; done += n) {
        n = piece(a->lowest + done, len - done);
        err = copyin(place(a, a->lowest + done), text + done, n);
    }
    if (!err) /* another thread may have changed it since it was measured */
        *place(a, a->lowest + len - 1) = 0;
    return err;
}

int arguments_push_vector(struct arguments *a, const u32 __user *vector, u32 count)
{
    int err = 0;
    while (count-- && !err) {
        u32 at;
        err = copyin(&at, vector + count, sizeof(at));
        if (!err)
            err = push_user(a, (const char __user *)at);
        if (!err && task_pause())
            err = -EINTR;
    }
    return err;
}

int arguments_count(const u32 __user *vector, u32 *count)
{
    for (*count = 0; vector; ++*count) {
        u32 at;
        if (copyin(&at, vector + *count, sizeof(at)) < 0)
            return -EFAULT;
        if (!at)
            break;
        if (*count >= ARGUMENT_PAGES * PAGE_SIZE / 4)
            return -E2BIG;
    }
    return 0;
}

/* The address behind the end of the string that begins there. */
static virt_t behind(const struct arguments *a, virt_t at)
{
    for (;;) {
        u32 n = piece(at, PAGE_SIZE);
        const char *from = place(a, at), *end = memchr(from, 0, n);
        if (end)
            return at + (end - from) + 1;
        at += n;
    }
}

void arguments_drop_first(struct arguments *a)
{
    a->lowest = behind(a, a->lowest);
}

/* The processor's kind as the dynamic linker's $PLATFORM, and 16 bytes that differ each time. */
static int push_extras(struct arguments *a)
{
    u32 seed[4];
    for (u32 i = 0; i < ARRAY_LEN(seed); i++)
        seed[i] = (u32)rdtsc() * 2654435761u + i * 40503u + current->tid;
    int err = arguments_push(a, "i686");
    a->platform = a->lowest;
    if (!err)
        err = push(a, seed, sizeof(seed));
    a->random = a->lowest;
    return err;
}

int arguments_install(struct arguments *a, struct mm *mm)
{
    a->arg_start = a->lowest;
    mm->arg_start = a->arg_start;
    mm->arg_end = mm->env_start = a->env_start;
    mm->env_end = a->execfn;
    int err = push_extras(a);
    if (err)
        return err;
    struct vma *stack = vma_find(mm, USER_STACK_TOP - 1);
    for (u32 i = 0; i < ARGUMENT_PAGES && a->pages[i]; i++) {
        stack->start = MIN(stack->start, USER_STACK_TOP - (i + 1) * PAGE_SIZE);
        u32 *pte = pte_get(mm, USER_STACK_TOP - (i + 1) * PAGE_SIZE, true);
        if (!pte)
            return -ENOMEM;
        page_get(a->pages[i], HOLD_MAP);
        *pte = page_phys(a->pages[i]) | PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_DIRTY;
        mm->nr_pages++;
    }
    return 0;
}

/* A row of pointers to consecutive strings, and the NULL behind it. */
static int put_vector(const struct arguments *a, virt_t *to, virt_t string, u32 count)
{
    u32 row[64], n = 0;
    for (u32 i = 0; i <= count; i++) {
        row[n++] = i < count ? string : 0;
        if (i < count)
            string = behind(a, string);
        if (n < ARRAY_LEN(row) && i < count)
            continue;
        if (copyout((void __user *)*to, row, n * 4) < 0)
            return -EFAULT;
        *to += n * 4;
        n = 0;
    }
    return 0;
}

long arguments_finish(struct arguments *a, const Elf32_auxv_t *aux, u32 nr_aux)
{
    virt_t at = a->lowest & ~15u;
    virt_t sp = (at - 4 * (1 + a->argc + 1 + a->envc + 1) - nr_aux * sizeof(*aux)) & ~15u;
    at = sp;
    if (copyout((void __user *)at, &a->argc, 4) < 0)
        return -EFAULT;
    at += 4;
    if (put_vector(a, &at, a->arg_start, a->argc) < 0 ||
        put_vector(a, &at, a->env_start, a->envc) < 0 ||
        copyout((void __user *)at, aux, nr_aux * sizeof(*aux)) < 0)
        return -EFAULT;
    return sp;
}
