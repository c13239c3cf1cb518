/*
 * An open text of /proc: made whole at the first read, kept with the open file in pages of its
 * own, made anew when it is read again from the start.
 */
#include <linux/fcntl.h>
#include "kernel/fs/procfs/proc.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/mm.h"
#include "kernel/mm/uaccess.h"

#define SNAPSHOT_PAGES 256u /* 1 MiB: a longer text is cut there */
#define WRITE_MAX      256u

struct snapshot {
    u32 refs; /* the open file, and each reader that copies from it: a copy may sleep */
    bool no_memory;
    u32 nr_pages;
    struct text text;
    struct page *pages[SNAPSHOT_PAGES];
};

static void snapshot_put(struct snapshot *s)
{
    if (!s || --s->refs)
        return;
    for (u32 i = 0; i < s->nr_pages; i++)
        page_put(s->pages[i], HOLD_KERNEL);
    kfree(s);
}

/* One more page, without a sleep: a system call begins with frames in reserve (frames_refill). */
static bool snapshot_more(struct text *t)
{
    struct snapshot *s = container_of(t, struct snapshot, text);
    if (s->nr_pages == SNAPSHOT_PAGES)
        return false;
    struct page *page =
        nr_free_frames > ATOMIC_RESERVE / 2 ? page_alloc_atomic(PAGE_KERNEL, HOLD_KERNEL) : NULL;
    if (!page) {
        s->no_memory = true;
        return false;
    }
    s->pages[s->nr_pages++] = page;
    t->at = page_virt(page);
    t->room = PAGE_SIZE;
    return true;
}

static int make(struct inode *inode, struct text *t)
{
    const struct proc_file *pf = inode->fs;
    struct subject s;
    if (pf->text_of) {
        if (!subject_find(inode->ino, &s))
            return -ESRCH;
        pf->text_of(t, &s);
    } else if (pf->text) {
        pf->text(t);
    } else if (pf->line) {
        text_printf(t, "%s\n", pf->line);
    }
    return 0;
}

static struct snapshot *snapshot_make(struct inode *inode)
{
    struct snapshot *s = kzalloc(sizeof(*s));
    if (!s)
        return err_ptr(-ENOMEM);
    s->refs = 1;
    s->text.more = snapshot_more;
    int err = make(inode, &s->text);
    if (!err && s->no_memory)
        err = -ENOMEM;
    if (!err)
        return s;
    snapshot_put(s);
    return err_ptr(err);
}

static ssize_t text_read(struct file *f, void __user *buf, size_t len, u64 *pos)
{
    if (*pos == 0 || !f->private) {
        struct snapshot *fresh = snapshot_make(f->inode);
        if (is_err(fresh))
            return ptr_err(fresh);
        snapshot_put(f->private);
        f->private = fresh;
    }
    struct snapshot *s = f->private;
    s->refs++;
    ssize_t done = 0;
    while ((size_t)done < len && *pos < s->text.len) {
        u32 at = (u32)*pos, offset = at % PAGE_SIZE;
        u32 n = MIN(MIN(len - done, PAGE_SIZE - offset), s->text.len - at);
        const char *from = (char *)page_virt(s->pages[at / PAGE_SIZE]) + offset;
        if (copyout((char __user *)buf + done, from, n) < 0) {
            done = done ? done : -EFAULT;
            break;
        }
        done += n;
        *pos += n;
    }
    snapshot_put(s);
    return done;
}

static ssize_t text_write(struct file *f, const void __user *buf, size_t len, u64 *pos)
{
    const struct proc_file *pf = f->inode->fs;
    char value[WRITE_MAX];
    size_t n = MIN(len, sizeof(value) - 1);
    if (!pf->write && !pf->write_of)
        return -EIO;
    if (copyin(value, buf, n) < 0)
        return -EFAULT;
    while (n && (value[n - 1] == '\n' || !value[n - 1]))
        n--;
    value[n] = 0;
    struct subject s;
    if (pf->write_of && !subject_find(f->inode->ino, &s))
        return -ESRCH;
    int err = pf->write_of ? pf->write_of(&s, value) : pf->write(value);
    return err < 0 ? err : (ssize_t)len;
}

int proc_number(const char *value, u32 *number)
{
    const char *end;
    while (*value == ' ')
        value++;
    *number = strtou32(value, &end);
    return end == value || (*end && *end != ' ' && *end != '\n') ? -EINVAL : 0;
}

static void text_release(struct file *f)
{
    snapshot_put(f->private);
}

static int text_open(struct inode *inode, struct file *f)
{
    const struct proc_file *pf = inode->fs;
    bool write = (f->flags & O_ACCMODE) != O_RDONLY;
    return write && !pf->write && !pf->write_of ? -EACCES : 0;
}

const struct file_ops proc_text_ops = {
    .open = text_open, .read = text_read, .write = text_write, .release = text_release};
