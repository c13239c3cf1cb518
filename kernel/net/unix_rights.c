/*
 * Open files under way in messages (SCM_RIGHTS), and those that get lost there.
 *
 * A socket may be sent over a socket; once its sender has closed it, only a message keeps it. When
 * that message waits in the socket's own queue, or in that of another which is kept in the same
 * way, no program can ever reach either again, and counting references alone would keep them for
 * ever. So whenever a socket is closed while others are under way, or too many are, everything is
 * looked for that can be reached from a socket which somebody holds otherwise than by a message,
 * through the queues; what is not reached gives its files up.
 *
 * That leaves files that can be reached, but one behind the other, without end: the number of those
 * under way is limited (-ETOOMANYREFS, as Linux says to those who are not root).
 */
#include "kernel/lib/lib.h"
#include "kernel/mm/heap.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"

#define IN_FLIGHT_MAX 1024u /* files, in the whole machine */

static u32 files_in_flight, sockets_in_flight;

static struct unix_socket *socket_of(const struct file *f)
{
    return f->ops == &socket_file_ops && ((struct socket *)f->private)->family == AF_UNIX
               ? f->private
               : NULL;
}

struct unix_rights *unix_rights_new(u32 count)
{
    return kzalloc(sizeof(struct unix_rights) + count * sizeof(struct file *));
}

struct unix_rights *unix_rights_copy(const struct unix_rights *r)
{
    struct unix_rights *copy = unix_rights_new(r->count);
    for (; copy && copy->count < r->count; copy->count++)
        copy->files[copy->count] = file_hold(r->files[copy->count]);
    return copy;
}

/* Closing a socket may free messages with files, and so on, as deep as a program likes: what is to
 * be closed meanwhile waits for the outermost call, which has the stack for it. */
void unix_rights_free(struct unix_rights *r)
{
    static struct unix_rights *doomed;
    static bool closing;
    if (!r)
        return;
    r->next = doomed;
    doomed = r;
    if (closing)
        return;
    closing = true;
    while ((r = doomed)) {
        doomed = r->next;
        for (u32 i = 0; i < r->count; i++)
            file_put(r->files[i]); /* may sleep */
        kfree(r);
    }
    closing = false;
}

int unix_rights_depart(struct unix_rights *r)
{
    if (files_in_flight + r->count > IN_FLIGHT_MAX)
        unix_rights_collect();
    if (files_in_flight + r->count > IN_FLIGHT_MAX)
        return -ETOOMANYREFS;
    for (u32 i = 0; i < r->count; i++) {
        struct unix_socket *s = socket_of(r->files[i]);
        if (!s)
            continue;
        s->in_flight++;
        sockets_in_flight++;
    }
    files_in_flight += r->count;
    return 0;
}

void unix_rights_arrive(struct unix_rights *r)
{
    for (u32 i = 0; i < r->count; i++) {
        struct unix_socket *s = socket_of(r->files[i]);
        if (!s)
            continue;
        s->in_flight--;
        sockets_in_flight--;
    }
    files_in_flight -= r->count;
}

/* --- Collection: never sleeps before the end ----------------------------------------------- */

static void reach(struct unix_socket *s, struct unix_socket_list *work)
{
    if (s->reached)
        return;
    s->reached = true;
    TAILQ_INSERT_TAIL(work, s, work);
}

static void reach_queued(const struct unix_socket *u, struct unix_socket_list *work)
{
    const struct unix_packet *p;
    TAILQ_FOREACH (p, &u->queue, link) {
        for (u32 i = 0; p->rights && i < p->rights->count; i++) {
            struct unix_socket *other = socket_of(p->rights->files[i]);
            if (other)
                reach(other, work);
        }
    }
}

static void take_rights(struct unix_socket *u, struct unix_rights **taken)
{
    struct unix_packet *p;
    TAILQ_FOREACH (p, &u->queue, link) {
        if (!p->rights)
            continue;
        unix_rights_arrive(p->rights);
        p->rights->next = *taken;
        *taken = p->rights;
        p->rights = NULL;
    }
}

/* Somebody holds it: another than a packet has its file open, or a call is about to make one. What
 * waits to be accepted is reached through its listener. */
static bool held(const struct unix_socket *u)
{
    return u->s.file ? u->s.file->refs > u->in_flight : !u->dead && !u->s.listener;
}

void unix_rights_collect(void)
{
    struct unix_socket_list work = TAILQ_HEAD_INITIALIZER(work);
    struct unix_rights *taken = NULL;
    struct unix_socket *u;
    struct socket *child;
    if (!sockets_in_flight)
        return;
    TAILQ_FOREACH (u, &unix_sockets, all)
        u->reached = false;
    TAILQ_FOREACH (u, &unix_sockets, all)
        if (held(u))
            reach(u, &work);
    while ((u = TAILQ_FIRST(&work))) {
        TAILQ_REMOVE(&work, u, work);
        reach_queued(u, &work);
        TAILQ_FOREACH (child, &u->s.accept_queue, accept_link)
            reach_queued(unix_of(child), &work);
    }
    TAILQ_FOREACH (u, &unix_sockets, all) {
        if (u->reached || !u->in_flight)
            continue;
        take_rights(u, &taken);
        TAILQ_FOREACH (child, &u->s.accept_queue, accept_link)
            take_rights(unix_of(child), &taken);
    }
    while (taken) {
        struct unix_rights *r = taken;
        taken = r->next;
        unix_rights_free(r);
    }
}
