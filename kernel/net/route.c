/*
 * Routes. An interface's own network is reached through it as long as it is up; lwIP knows that
 * from the interface. All the rest - the default route, other networks, single hosts - is in this
 * table; the longest prefix wins, among equals the lowest metric.
 *
 * lwIP asks twice for a packet: which interface (interface_route_hook), and, when the destination
 * is not in that interface's network, which gateway (route_gateway_hook). So a gateway for a host
 * inside of the network of an interface is not heeded, and the interface's own network cannot be
 * deleted: such routes are refused.
 */
#include "kernel/net/route.h"
#include <linux/in.h>
#include <linux/route.h>
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/netif.h"

struct route {
    u32 dest, mask, gateway, metric;
    struct netif *netif;
};

static struct route routes[32]; /* in the order of the look-up */
static u32 nr_routes;

static u32 host_order(u32 mask)
{
    return lwip_ntohl(mask);
}

static struct route *find(u32 dest)
{
    for (struct route *r = routes; r < routes + nr_routes; r++)
        if ((dest & r->mask) == r->dest && netif_is_up(r->netif))
            return r;
    return NULL;
}

static bool on_link(const struct netif *netif, u32 ip)
{
    u32 own = ip4_addr_get_u32(netif_ip4_addr(netif)),
        mask = ip4_addr_get_u32(netif_ip4_netmask(netif));
    return own && netif_is_up(netif) && (own & mask) == (ip & mask);
}

/* NULL: lwIP looks for an interface that has the destination in its network. */
struct netif *route_find(u32 dest)
{
    struct route *r = find(dest);
    if (!r)
        return NULL;
    /* A longer prefix wins, and of equal ones the interface's own. */
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n))
        if (on_link(n, dest) &&
            host_order(ip4_addr_get_u32(netif_ip4_netmask(n))) >= host_order(r->mask))
            return NULL;
    return r->netif;
}

const ip4_addr_t *route_gateway_hook(struct netif *netif, const ip4_addr_t *dest)
{
    static ip4_addr_t gateway;
    struct route *r = find(ip4_addr_get_u32(dest));
    if (!r || !r->gateway)
        return dest; /* on the wire itself */
    gateway.addr = r->gateway;
    return &gateway;
}

int route_add(u32 dest, u32 mask, u32 gateway, u32 metric, struct netif *netif)
{
    u32 at = 0;
    if (gateway && !on_link(netif, gateway))
        return -ENETUNREACH;
    if (!netif_is_up(netif))
        return -ENETDOWN;
    if (nr_routes == ARRAY_LEN(routes))
        return -ENOBUFS;
    for (; at < nr_routes; at++) {
        const struct route *r = &routes[at];
        if (r->dest == dest && r->mask == mask && r->metric == metric)
            return -EEXIST;
        if (host_order(r->mask) < host_order(mask) || (r->mask == mask && r->metric > metric))
            break;
    }
    memmove(&routes[at + 1], &routes[at], (nr_routes - at) * sizeof(routes[0]));
    routes[at] = (struct route){dest, mask, gateway, metric, netif};
    nr_routes++;
    return 0;
}

static void remove(u32 at)
{
    nr_routes--;
    memmove(&routes[at], &routes[at + 1], (nr_routes - at) * sizeof(routes[0]));
}

int route_delete(u32 dest, u32 mask, u32 gateway, struct netif *netif)
{
    for (u32 i = 0; i < nr_routes; i++) {
        const struct route *r = &routes[i];
        if (r->dest == dest && r->mask == mask && (!gateway || r->gateway == gateway) &&
            (!netif || r->netif == netif)) {
            remove(i);
            return 0;
        }
    }
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n))
        if (on_link(n, dest) && ip4_addr_get_u32(netif_ip4_netmask(n)) == mask)
            return -EOPNOTSUPP;
    return -ESRCH;
}

void route_drop_all(struct netif *netif)
{
    for (u32 i = nr_routes; i-- > 0;)
        if (routes[i].netif == netif)
            remove(i);
}

/* --- For programs -------------------------------------------------------------------------- */

static u32 address_of(const struct sockaddr *a)
{
    return ((const struct sockaddr_in *)a)->sin_addr.s_addr;
}

/* The interface of a route: by its name, or the one that has the gateway in its network. */
static int route_interface(const struct rtentry *e, u32 gateway, struct netif **netif)
{
    char name[16];
    *netif = NULL;
    if (e->rt_dev) {
        ssize_t n = copyin_string(name, e->rt_dev, sizeof(name));
        if (n < 0)
            return n == -ENAMETOOLONG ? -ENODEV : n;
        *netif = interface_find(name);
        return *netif ? 0 : -ENODEV;
    }
    for (struct netif *n = interface_next(NULL); gateway && n; n = interface_next(n))
        if (on_link(n, gateway))
            *netif = n;
    return 0;
}

int route_ioctl(bool add, void __user *argument)
{
    struct rtentry e;
    struct netif *netif;
    if (copyin(&e, argument, sizeof(e)) < 0)
        return -EFAULT;
    if (e.rt_dst.sa_family != AF_INET)
        return -EAFNOSUPPORT;
    u32 dest = address_of(&e.rt_dst), mask = 0xFFFFFFFF, gateway = 0;
    if (!(e.rt_flags & RTF_HOST)) {
        mask = address_of(&e.rt_genmask);
        if (e.rt_genmask.sa_family != AF_INET && (mask || e.rt_genmask.sa_family))
            return -EAFNOSUPPORT;
        u32 holes = ~host_order(mask);
        if (holes & (holes + 1) || dest & ~mask)
            return -EINVAL;
    }
    if (e.rt_gateway.sa_family == AF_INET)
        gateway = address_of(&e.rt_gateway);
    if (add && e.rt_flags & RTF_GATEWAY && !gateway)
        return -EINVAL;
    if (e.rt_flags & RTF_REJECT)
        return -EOPNOTSUPP;
    int err = route_interface(&e, gateway, &netif);
    if (err < 0)
        return err;
    if (!add)
        return route_delete(dest, mask, gateway, netif);
    if (!netif)
        return gateway ? -ENETUNREACH : -ENODEV;
    return route_add(dest, mask, gateway, e.rt_metric ? e.rt_metric - 1 : 0, netif);
}

static void route_line(struct text *t, const struct route *r)
{
    char line[128];
    u32 flags = RTF_UP | (r->gateway ? RTF_GATEWAY : 0) | (r->mask == 0xFFFFFFFF ? RTF_HOST : 0);
    snprintf(line, sizeof(line), "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%d\t%u\t%u",
             interface_name(r->netif), r->dest, r->gateway, flags, 0, 0, r->metric, r->mask, 0, 0,
             0);
    text_printf(t, "%-127s\n", line);
}

void net_route_format(struct text *t)
{
    text_printf(t, "%-127s\n",
                "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU"
                "\tWindow\tIRTT");
    for (u32 i = nr_routes; i-- > 0;)
        route_line(t, &routes[i]);
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n)) {
        u32 own = ip4_addr_get_u32(netif_ip4_addr(n)),
            mask = ip4_addr_get_u32(netif_ip4_netmask(n));
        if (interface_card(n) && own && netif_is_up(n))
            route_line(t, &(struct route){own & mask, mask, 0, 0, n});
    }
}
