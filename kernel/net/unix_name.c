/*
 * Addresses of AF_UNIX sockets. unix(7).
 *
 * A path is a file of type S_SOCK, made by bind(2) and left behind when the socket is closed; who
 * connects to it finds the socket in its inode. An abstract address begins with NUL, is in no file
 * system, and ends with its socket; each type of sockets has a name space of its own.
 */
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"
#include "kernel/proc/task.h"

#define PATH_AT offsetof(struct sockaddr_un, sun_path)

static const char *path_in(const struct address *a)
{
    return (const char *)a->bytes + PATH_AT;
}

int unix_check(const struct address *a)
{
    bool good = a->len > PATH_AT && a->len <= sizeof(struct sockaddr_un) && a->family == AF_UNIX;
    return good ? 0 : -EINVAL;
}

void unix_name_put(struct unix_name *name)
{
    if (name && --name->refs == 0)
        kfree(name);
}

static struct unix_name *name_new(const void *path, u32 len)
{
    struct unix_name *name = kzalloc(sizeof(*name));
    if (!name)
        return NULL;
    name->refs = 1;
    name->len = PATH_AT + len;
    name->address.sun_family = AF_UNIX;
    memcpy(name->address.sun_path, path, len);
    return name;
}

void unix_tell(const struct unix_name *name, struct address *a, u32 otherwise)
{
    a->len = name ? name->len : otherwise;
    a->family = AF_UNIX;
    if (!name)
        return;
    memcpy(a->bytes, &name->address, sizeof(name->address));
    a->bytes[sizeof(name->address)] = 0; /* of a path that fills it, unix(7) */
}

int unix_name(struct socket *s, bool of_peer, struct address *a)
{
    const struct unix_socket *u = unix_of(s);
    if (of_peer && !u->peer)
        return -ENOTCONN;
    unix_tell(of_peer ? u->peer->name : u->name, a, PATH_AT);
    return 0;
}

/* --- Who is there -------------------------------------------------------------------------- */

static struct unix_socket *find_abstract(const void *path, u32 len, u16 type)
{
    struct unix_socket *u;
    TAILQ_FOREACH (u, &unix_sockets, all)
        if (u->abstract && u->s.type == type && u->name->len == PATH_AT + len &&
            !memcmp(u->name->address.sun_path, path, len))
            return u;
    return NULL;
}

/* The path may lack its NUL, when it fills the address. */
static void path_copy(char path[UNIX_PATH_MAX + 1], const struct address *a)
{
    u32 len = a->len - PATH_AT;
    memcpy(path, path_in(a), len);
    path[len] = 0;
}

static struct unix_socket *find_path(const struct address *a, u16 type)
{
    char path[UNIX_PATH_MAX + 1];
    path_copy(path, a);
    struct inode *inode = path_walk(NULL, path, 0);
    if (is_err(inode))
        return (struct unix_socket *)inode;
    int err = inode_permission(inode, MAY_WRITE);
    struct unix_socket *u = !err && S_TYPE(inode->mode) == S_SOCK ? inode->object : NULL;
    if (u)
        unix_hold(u);
    inode_put(inode);
    if (!u)
        return err_ptr(err ? err : -ECONNREFUSED);
    if (u->s.type == type)
        return u;
    unix_put(u);
    return err_ptr(-EPROTOTYPE);
}

struct unix_socket *unix_find(const struct address *a, u16 type)
{
    if (*path_in(a))
        return find_path(a, type);
    struct unix_socket *u = find_abstract(path_in(a), a->len - PATH_AT, type);
    return u ? unix_hold(u) : err_ptr(-ECONNREFUSED);
}

/* --- Binding ------------------------------------------------------------------------------- */

static int bind_abstract(struct unix_socket *u, const void *path, u32 len)
{
    if (find_abstract(path, len, u->s.type))
        return -EADDRINUSE;
    u->name = name_new(path, len);
    u->abstract = u->name;
    return u->name ? 0 : -ENOMEM;
}

/* An abstract address of five hexadecimal digits. */
int unix_autobind(struct unix_socket *u)
{
    static u32 last;
    for (u32 tries = 0; tries <= 0xFFFFF; tries++) {
        char path[7] = "";
        snprintf(path + 1, sizeof(path) - 1, "%05x", ++last & 0xFFFFF);
        int err = u->name ? 0 : bind_abstract(u, path, 6);
        if (err != -EADDRINUSE)
            return err;
    }
    return -ENOSPC;
}

/* Makes the file. Its directory may be on a disk: this sleeps. */
static struct inode *make_file(const char *path)
{
    struct new_file what = {.mode = S_SOCK | (0777 & ~current->fs->umask)};
    struct inode *inode = vfs_make(NULL, path, &what);
    return is_err(inode) && ptr_err(inode) == -EEXIST ? err_ptr(-EADDRINUSE) : inode;
}

static int bind_path(struct unix_socket *u, const struct address *a)
{
    char path[UNIX_PATH_MAX + 1];
    path_copy(path, a);
    struct unix_name *name = name_new(path, MIN(strlen(path) + 1, UNIX_PATH_MAX));
    if (!name)
        return -ENOMEM;
    name->len = PATH_AT + strlen(path) + 1;
    u->name = name; /* before this sleeps: another bind must not come in between */
    struct inode *inode = make_file(path);
    if (is_err(inode)) {
        u->name = NULL;
        unix_name_put(name);
        return ptr_err(inode);
    }
    u->inode = inode;
    inode->object = u;
    return 0;
}

int unix_bind(struct socket *s, const struct address *a)
{
    struct unix_socket *u = unix_of(s);
    if (a->len == PATH_AT && a->family == AF_UNIX)
        return unix_autobind(u);
    int err = unix_check(a);
    if (err < 0)
        return err;
    if (u->name)
        return -EINVAL;
    return *path_in(a) ? bind_path(u, a) : bind_abstract(u, path_in(a), a->len - PATH_AT);
}

void unix_unbind(struct unix_socket *u)
{
    struct inode *inode = u->inode;
    u->abstract = false;
    if (!inode)
        return;
    u->inode = NULL;
    inode->object = NULL;
    inode_put(inode);
}
