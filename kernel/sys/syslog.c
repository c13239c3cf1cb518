/* syslog(2), which dmesg(8) calls, and /proc/kmsg: programs read the kernel's log. */
#include <linux/capability.h>
#include <linux/fcntl.h>
#include "kernel/fs/poll.h"
#include "kernel/fs/vfs.h"
#include "kernel/lib/lib.h"
#include "kernel/lib/log.h"
#include "kernel/mm/uaccess.h"
#include "kernel/proc/task.h"
#include "kernel/sys/sys.h"

enum { /* syslog(2); Linux has no header for programs that names these */
       ACTION_CLOSE,
       ACTION_OPEN,
       ACTION_READ,
       ACTION_READ_ALL,
       ACTION_READ_CLEAR,
       ACTION_CLEAR,
       ACTION_CONSOLE_OFF,
       ACTION_CONSOLE_ON,
       ACTION_CONSOLE_LEVEL,
       ACTION_SIZE_UNREAD,
       ACTION_SIZE_BUFFER,
};
#define CONSOLE_LEVEL_DEFAULT 7
#define CONSOLE_LEVEL_OFF     1

static u32 next_read;   /* what ACTION_READ and /proc/kmsg read next: each byte once */
static u32 clear_point; /* where ACTION_READ_ALL begins */

static long copy_log(u32 *position, char __user *buf, u32 len)
{
    u32 done = 0, n;
    char piece[256];
    while (done < len && (n = log_copy(position, piece, MIN(len - done, sizeof(piece))))) {
        if (copyout(buf + done, piece, n) < 0)
            return done ? (long)done : -EFAULT;
        done += n;
    }
    return done;
}

static long read_once(char __user *buf, u32 len, bool wait)
{
    if (!wait && next_read == log_end)
        return -EAGAIN;
    int err = wait_event_signal(&log_grows, next_read != log_end, 0);
    return err ? err : copy_log(&next_read, buf, len);
}

/* The last len bytes, beginning with a whole line. */
static long read_all(char __user *buf, u32 len)
{
    u32 from = log_end - clear_point > LOG_SIZE ? log_start() : clear_point;
    char c = 0;
    while (log_end - from > len) /* lines that do not fit are left out, the oldest first */
        while (log_copy(&from, &c, 1) && c != '\n')
            ;
    return copy_log(&from, buf, len);
}

long sys_syslog(s32 type, char __user *buf, s32 len)
{
    bool harmless = type == ACTION_READ_ALL || type == ACTION_SIZE_BUFFER;
    if (!harmless && !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (type >= ACTION_READ && type <= ACTION_READ_CLEAR) {
        if (!buf || len < 0)
            return -EINVAL;
        if (!len)
            return 0;
    }
    switch (type) {
    case ACTION_CLOSE:
    case ACTION_OPEN:
        return 0;
    case ACTION_READ:
        return read_once(buf, (u32)len, true);
    case ACTION_READ_ALL:
        return read_all(buf, (u32)len);
    case ACTION_READ_CLEAR: {
        long n = read_all(buf, (u32)len);
        clear_point = log_end;
        return n;
    }
    case ACTION_CLEAR:
        clear_point = log_end;
        return 0;
    case ACTION_CONSOLE_OFF:
        log_console_level = CONSOLE_LEVEL_OFF;
        return 0;
    case ACTION_CONSOLE_ON:
        log_console_level = CONSOLE_LEVEL_DEFAULT;
        return 0;
    case ACTION_CONSOLE_LEVEL:
        if (len < 1 || len > 8)
            return -EINVAL;
        log_console_level = (u32)len;
        return 0;
    case ACTION_SIZE_UNREAD:
        return (long)MIN(log_end - next_read, LOG_SIZE);
    case ACTION_SIZE_BUFFER:
        return LOG_SIZE;
    default:
        return -EINVAL;
    }
}

static ssize_t kmsg_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    return read_once(buf, len, !(f->flags & O_NONBLOCK));
}

static u32 kmsg_poll(struct file *f, struct poll_table *p)
{
    poll_wait(p, &log_grows);
    return next_read != log_end ? POLLIN | POLLRDNORM : 0;
}

const struct file_ops kmsg_fops = {.read = kmsg_read, .poll = kmsg_poll};
