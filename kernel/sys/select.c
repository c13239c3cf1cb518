/* select and pselect: poll(2) with sets of bits. select(2), select_tut(2). */
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/sys.h"
#include "kernel/sys/timeout.h"

enum { READABLE, WRITABLE, EXCEPTIONAL, NR_SETS };
#define WORDS DIV_ROUND_UP(NR_FDS, 32)

/* What counts as which, as in Linux's fs/select.c. */
static const u32 bits_of_set[NR_SETS] = {
    [READABLE] = POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR | POLLNVAL,
    [WRITABLE] = POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR | POLLNVAL,
    [EXCEPTIONAL] = POLLPRI | POLLNVAL,
};

struct sets {
    u32 nr;                    /* descriptors from 0 on that are looked at */
    u32 __user *user[NR_SETS]; /* NULL: not asked for */
    u32 asked[NR_SETS][WORDS], found[NR_SETS][WORDS];
};

static u32 bytes_of(const struct sets *s)
{
    return DIV_ROUND_UP(s->nr, 32) * sizeof(u32); /* a program's fd_set is made of longs */
}

static int sets_in(struct sets *s)
{
    memset(s->asked, 0, sizeof(s->asked));
    for (u32 set = 0; set < NR_SETS; set++)
        if (s->user[set] && copyin(s->asked[set], s->user[set], bytes_of(s)) < 0)
            return -EFAULT;
    return 0;
}

static int sets_out(const struct sets *s)
{
    for (u32 set = 0; set < NR_SETS; set++)
        if (s->user[set] && copyout(s->user[set], s->found[set], bytes_of(s)) < 0)
            return -EFAULT;
    return 0;
}

static bool is_in(const u32 set[WORDS], u32 fd)
{
    return set[fd / 32] >> fd % 32 & 1;
}

static bool is_asked(const struct sets *s, u32 fd)
{
    return is_in(s->asked[READABLE], fd) || is_in(s->asked[WRITABLE], fd) ||
           is_in(s->asked[EXCEPTIONAL], fd);
}

/* Of one descriptor: in how many sets it was found. */
static int ask(struct poller *p, struct sets *s, u32 fd)
{
    struct file *f = fd_get(fd);
    u32 bits = POLLNVAL; /* it was there when the call began */
    if (f) {
        bits = poller_ask(p, f);
        file_put(f);
    }
    int found = 0;
    for (u32 set = 0; set < NR_SETS; set++) {
        if (!is_in(s->asked[set], fd) || !(bits & bits_of_set[set]))
            continue;
        s->found[set][fd / 32] |= 1u << fd % 32;
        found++;
    }
    if (found)
        p->table.watch = NULL; /* no need to wait any more */
    return found;
}

static int select_sets(struct sets *s, const struct timeout *t)
{
    struct poller p;
    int result, found;
    poller_init(&p, t->at_once);
    do {
        found = 0;
        memset(s->found, 0, sizeof(s->found));
        for (u32 fd = 0; fd < s->nr; fd++)
            if (is_asked(s, fd))
                found += ask(&p, s, fd);
    } while (poller_rest(&p, found, t->end_tick, &result));
    poller_free(&p);
    return result;
}

static long select_user(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex,
                        const struct timeout *t)
{
    if (nr < 0)
        return -EINVAL;
    struct sets s = {.nr = MIN((u32)nr, NR_FDS), .user = {in, out, ex}};
    int ret = sets_in(&s);
    if (ret < 0)
        return ret;
    for (u32 fd = 0; fd < s.nr; fd++)
        if (is_asked(&s, fd) && !current->files->fd[fd])
            return -EBADF;
    ret = select_sets(&s, t);
    return ret >= 0 && sets_out(&s) < 0 ? -EFAULT : ret;
}

static long select_timed(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time,
                         enum time_form form, const void __user *mask, u32 mask_size)
{
    struct timeout t;
    long ret = timeout_in(&t, time, form);
    if (ret < 0)
        return ret;
    ret = wait_mask(mask, mask_size);
    if (ret < 0)
        return ret;
    return wait_done(select_user(nr, in, out, ex, &t), &t, time, form);
}

long sys_select(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time)
{
    return select_timed(nr, in, out, ex, time, TIMEVAL, NULL, 0);
}

/* The first i386 select: its arguments lie in memory. */
long sys_old_select(const u32 __user *arguments)
{
    u32 a[5];
    if (copyin(a, arguments, sizeof(a)) < 0)
        return -EFAULT;
    return sys_select(a[0], (u32 __user *)a[1], (u32 __user *)a[2], (u32 __user *)a[3],
                      (void __user *)a[4]);
}

static long pselect(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time,
                    enum time_form form, const u32 __user *mask_and_size)
{
    u32 mask[2] = {0};
    if (mask_and_size && copyin(mask, mask_and_size, sizeof(mask)) < 0)
        return -EFAULT;
    return select_timed(nr, in, out, ex, time, form, (void __user *)mask[0], mask[1]);
}

long sys_pselect6(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time,
                  const u32 __user *mask_and_size)
{
    return pselect(nr, in, out, ex, time, TIMESPEC32, mask_and_size);
}

long sys_pselect6_time64(s32 nr, u32 __user *in, u32 __user *out, u32 __user *ex, void __user *time,
                         const u32 __user *mask_and_size)
{
    return pselect(nr, in, out, ex, time, TIMESPEC64, mask_and_size);
}
