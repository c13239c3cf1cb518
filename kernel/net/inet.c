/* What the sockets of AF_INET have in common: their addresses. ip(7). */
#include <linux/in.h>
#include "kernel/lib/lib.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/ip.h"

int inet_endpoint(const struct address *a, struct endpoint *e)
{
    const struct sockaddr_in *in = (const void *)a->bytes;
    if (a->len < sizeof(*in))
        return -EINVAL;
    if (a->family != AF_INET)
        return -EAFNOSUPPORT;
    *e = (struct endpoint){in->sin_addr.s_addr, in->sin_port};
    return 0;
}

int inet_bind_endpoint(const struct address *a, struct endpoint *e)
{
    const struct sockaddr_in *in = (const void *)a->bytes;
    if (a->len < sizeof(*in))
        return -EINVAL;
    /* Old programs leave the family out (as Linux has it). */
    if (a->family != AF_INET && !(a->family == AF_UNSPEC && !in->sin_addr.s_addr))
        return -EAFNOSUPPORT;
    *e = (struct endpoint){in->sin_addr.s_addr, in->sin_port};
    return e->ip && e->ip != INADDR_BROADCAST && !interface_is_ours(e->ip) ? -EADDRNOTAVAIL : 0;
}

void inet_address(struct endpoint e, struct address *a)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = e.port, .sin_addr = {e.ip}};
    a->len = sizeof(in);
    memcpy(a->bytes, &in, sizeof(in));
}

int inet_name(struct socket *s, bool of_peer, struct address *a)
{
    if (of_peer && s->state != SOCKET_CONNECTED)
        return -ENOTCONN;
    inet_address(of_peer ? s->remote : s->local, a);
    return 0;
}

u32 inet_mtu(u32 destination)
{
    ip_addr_t to = {.addr = destination};
    struct netif *netif = ip_route(IP4_ADDR_ANY4, &to);
    struct netdev *d = interface_card(netif);
    return d ? d->mtu : LOOPBACK_MTU;
}
