/* /proc/net/unix: one line a socket, as netstat(8) reads it. */
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/net/net.h"
#include "kernel/net/uapi.h"
#include "kernel/net/unix.h"

#define LISTENS 0x10000u /* __SO_ACCEPTCON */

/* Those of <linux/net.h>: 1 unconnected, 2 connecting (not accepted yet), 3 connected, 4 closed. */
static u32 state_number(const struct unix_socket *u)
{
    bool connected = u->s.state == SOCKET_CONNECTED;
    return u->s.file ? connected ? 3 : 1 : connected ? 2 : 4;
}

void net_unix_format(struct text *t)
{
    const struct unix_socket *u;
    text_printf(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
    TAILQ_FOREACH (u, &unix_sockets, all) {
        text_printf(t, "%08x: %08X %08X %08X %04X %02X %5u", (u32)u, u->refs, 0,
                    u->s.state == SOCKET_LISTENING ? LISTENS : 0, u->s.type, state_number(u),
                    u->s.file ? u->s.file->inode->ino : 0);
        if (u->name) {
            u32 len = MIN(u->name->len - offsetof(struct sockaddr_un, sun_path), UNIX_PATH_MAX);
            const char *path = u->name->address.sun_path;
            bool abstract = !path[0]; /* and may contain further NULs */
            text_string(t, " ");
            for (u32 i = 0; i < len && (abstract || path[i]); i++)
                text_bytes(t, path[i] ? &path[i] : "@", 1);
        }
        text_string(t, "\n");
    }
}
