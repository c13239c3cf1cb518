/*
 * The socket as an object and as an open file: made, read, written, asked (poll), closed.
 */
#include "kernel/net/socket.h"
#include "kernel/cpu/cpu.h"
#include "kernel/fs/poll.h"
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/connection.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"

#define DEFAULT_BUFFER (256u << 10) /* SO_SNDBUF and SO_RCVBUF, bytes */

struct socket_list all_sockets = TAILQ_HEAD_INITIALIZER(all_sockets);

/* --- The object ---------------------------------------------------------------------------- */

static struct socket *make(const struct socket_ops *ops, u16 family, u16 type, u16 protocol)
{
    struct socket *s = kzalloc(MAX(sizeof(*s), ops->size));
    if (!s)
        return NULL;
    s->ops = ops;
    s->family = family;
    s->type = type;
    s->protocol = protocol;
    s->account = account_get(&ledger_machine); /* until a task uses it */
    s->sndbuf = cmdline_u32("ferry.sndbuf", DEFAULT_BUFFER);
    s->rcvbuf = DEFAULT_BUFFER;
    s->ip = ip_defaults;
    sendq_init(&s->q, 0, s->sndbuf);
    wait_init(&s->readers);
    wait_init(&s->writers);
    TAILQ_INIT(&s->datagrams);
    TAILQ_INIT(&s->accept_queue);
    TAILQ_INSERT_TAIL(&all_sockets, s, all);
    return s;
}

struct socket *socket_new(const struct socket_kind *kind)
{
    return make(kind->ops, kind->family, kind->type, kind->protocol);
}

struct socket *socket_new_like(const struct socket *like)
{
    return make(like->ops, like->family, like->type, like->protocol);
}

void socket_free(struct socket *s)
{
    connection_forget(s);
    TAILQ_REMOVE(&all_sockets, s, all);
    stream_discard(s);
    sendq_free(&s->q);
    account_put(s->account);
    kfree(s);
}

int socket_take_error(struct socket *s)
{
    int err = s->error;
    s->error = 0;
    return -err;
}

void socket_used(struct socket *s)
{
    struct account *now = account_current();
    if (s->account == now)
        return;
    account_put(s->account);
    s->account = account_get(now);
}

u64 socket_deadline(u32 timeout_ticks)
{
    return timeout_ticks ? timer_ticks() + timeout_ticks : 0;
}

int socket_wait_error(int err, u32 timeout_ticks)
{
    if (err == -ETIMEDOUT)
        return -EAGAIN;
    return err == -ERESTARTSYS && timeout_ticks ? -EINTR : err;
}

struct socket *file_socket(struct file *file)
{
    return file->ops == &socket_file_ops ? file->private : NULL;
}

/* --- Fragments, for sendfile --------------------------------------------------------------- */

bool socket_can_send_pages(struct socket *s)
{
    return s->ops->takes_pages && s->ops->takes_pages(s);
}

ssize_t socket_send_copy(struct socket *s, struct frag frag, bool nonblock, bool more)
{
    return s->ops->send_copy ? s->ops->send_copy(s, frag, nonblock, more) : -EINVAL;
}

ssize_t socket_send_page(struct socket *s, struct frag frag, bool nonblock, bool more)
{
    return s->ops->send_page ? s->ops->send_page(s, frag, nonblock, more)
                             : socket_send_copy(s, frag, nonblock, more);
}

/* --- As a file ----------------------------------------------------------------------------- */

ssize_t socket_send(struct file *file, struct message *m)
{
    struct socket *s = file->private;
    if (file->flags & O_NONBLOCK)
        m->flags |= MSG_DONTWAIT;
    return s->ops->send(s, m);
}

ssize_t socket_receive(struct file *file, struct message *m)
{
    struct socket *s = file->private;
    if (file->flags & O_NONBLOCK)
        m->flags |= MSG_DONTWAIT;
    return s->ops->receive(s, m);
}

static ssize_t file_read(struct file *file, void __user *buf, size_t len, u64 *pos)
{
    struct user_range range = {(u32)buf, len};
    struct user_vec data = {&range, 1, len};
    struct message m = {.data = &data};
    return len ? socket_receive(file, &m) : 0;
}

static ssize_t file_write(struct file *file, const void __user *buf, size_t len, u64 *pos)
{
    struct user_range range = {(u32)buf, len};
    struct user_vec data = {&range, 1, len};
    struct message m = {.data = &data};
    return socket_send(file, &m);
}

static void file_release(struct file *file)
{
    struct socket *s = file->private;
    s->ops->release(s);
}

static u32 file_poll(struct file *file, struct poll_table *p)
{
    struct socket *s = file->private;
    poll_wait(p, &s->readers);
    poll_wait(p, &s->writers);
    net_rest(); /* who asks is about to sleep */
    return s->ops->poll(s, p);
}

const struct file_ops socket_file_ops = {
    .release = file_release,
    .read = file_read,
    .write = file_write,
    .read_iter = socket_read_iter,
    .write_iter = socket_write_iter,
    .ioctl = socket_ioctl,
    .poll = file_poll,
};

int socket_descriptor(struct socket *s, u32 flags)
{
    static u32 number; /* inode numbers, as fstat shows them */
    struct inode *inode = inode_new(NULL, ++number, S_SOCK | 0777);
    struct file *file =
        inode ? file_new(inode, &socket_file_ops, O_RDWR | (flags & O_NONBLOCK)) : NULL;
    if (!file) {
        if (inode)
            inode_put(inode);
        s->ops->release(s);
        return -ENFILE;
    }
    file->private = s;
    s->file = file;
    int fd = fd_install(file, 0, flags & SOCK_CLOEXEC);
    if (fd < 0)
        file_put(file);
    return fd;
}
