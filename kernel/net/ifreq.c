/*
 * The ioctl(2)s about interfaces, netdevice(7): what ifconfig shows and sets. An interface has one
 * address; there are no aliases.
 */
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/in.h>
#include <linux/sockios.h>
#include "kernel/lib/lib.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/netif.h"

static void put_address(struct sockaddr *to, u32 ip)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr = {ip}};
    memcpy(to, &in, sizeof(in));
}

static int interface_flags(struct netif *netif)
{
    struct netdev *d = interface_card(netif);
    int flags = d ? IFF_BROADCAST | IFF_MULTICAST : IFF_LOOPBACK;
    if (netif_is_up(netif))
        flags |= IFF_UP;
    if (netif_is_up(netif) && netif_is_link_up(netif))
        flags |= IFF_RUNNING;
    return flags;
}

/* The mask that an address had before there were others (RFC 791), as ifconfig leaves it. */
static u32 class_mask(u32 ip)
{
    u8 first = ip & 0xFF;
    return lwip_htonl(first < 128 ? 0xFF000000 : first < 192 ? 0xFFFF0000 : 0xFFFFFF00);
}

static int get(struct netif *netif, u32 request, struct ifreq *r)
{
    struct netdev *d = interface_card(netif);
    u32 ip = ip4_addr_get_u32(netif_ip4_addr(netif));
    u32 mask = ip4_addr_get_u32(netif_ip4_netmask(netif));
    memset(&r->ifr_ifru, 0, sizeof(r->ifr_ifru));
    switch (request) {
    case SIOCGIFNAME:
    case SIOCGIFINDEX:
        r->ifr_ifindex = netif_get_index(netif);
        return 0;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        put_address(&r->ifr_addr, ip);
        return ip ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFNETMASK:
        put_address(&r->ifr_netmask, mask);
        return ip ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFBRDADDR:
        put_address(&r->ifr_broadaddr, d ? ip | ~mask : 0);
        return ip ? 0 : -EADDRNOTAVAIL;
    case SIOCGIFFLAGS:
        r->ifr_flags = interface_flags(netif);
        return 0;
    case SIOCGIFMTU:
        r->ifr_mtu = d ? d->mtu : LOOPBACK_MTU;
        return 0;
    case SIOCGIFHWADDR:
        r->ifr_hwaddr.sa_family = d ? ARPHRD_ETHER : ARPHRD_LOOPBACK;
        if (d)
            memcpy(r->ifr_hwaddr.sa_data, d->mac, sizeof(d->mac));
        return 0;
    case SIOCGIFMETRIC:
    case SIOCGIFMAP:
        return 0;
    case SIOCGIFTXQLEN:
        r->ifr_qlen = 1000;
        return 0;
    default:
        return -EINVAL;
    }
}

static int set_mtu(struct netdev *d, s32 mtu)
{
    if (!d || mtu < MTU_MIN || mtu > MTU_MAX)
        return -EINVAL;
    d->mtu = mtu;
    ((struct netif *)d->stack)->mtu = mtu;
    return 0;
}

static int set(struct netif *netif, u32 request, const struct ifreq *r)
{
    u32 ip = ip4_addr_get_u32(netif_ip4_addr(netif));
    u32 mask = ip4_addr_get_u32(netif_ip4_netmask(netif));
    const struct sockaddr_in *in = (const void *)&r->ifr_addr;
    u32 changed = (u16)r->ifr_flags ^ interface_flags(netif);
    switch (request) {
    case SIOCSIFFLAGS:
        if (changed & (IFF_PROMISC | IFF_ALLMULTI | IFF_NOARP))
            return -EOPNOTSUPP;
        interface_set_up(netif, r->ifr_flags & IFF_UP); /* the rest is not for programs */
        return 0;
    case SIOCSIFADDR:
        if (in->sin_family != AF_INET)
            return -EINVAL;
        interface_set_address(netif, in->sin_addr.s_addr, class_mask(in->sin_addr.s_addr));
        return 0;
    case SIOCSIFNETMASK: {
        u32 holes = ~lwip_ntohl(in->sin_addr.s_addr);
        if (!ip)
            return -EADDRNOTAVAIL;
        if (holes & (holes + 1))
            return -EINVAL;
        if (in->sin_addr.s_addr != mask)
            interface_set_address(netif, ip, in->sin_addr.s_addr);
        return 0;
    }
    case SIOCSIFBRDADDR: /* it follows from the mask */
        return in->sin_addr.s_addr == (ip | ~mask) ? 0 : -EOPNOTSUPP;
    case SIOCSIFMTU:
        return set_mtu(interface_card(netif), r->ifr_mtu);
    default:
        return -EOPNOTSUPP;
    }
}

static bool is_set(u32 request)
{
    return request == SIOCSIFFLAGS || request == SIOCSIFADDR || request == SIOCSIFDSTADDR ||
           request == SIOCSIFBRDADDR || request == SIOCSIFNETMASK || request == SIOCSIFMETRIC ||
           request == SIOCSIFMTU || request == SIOCSIFNAME || request == SIOCSIFHWADDR ||
           request == SIOCSIFTXQLEN || request == SIOCSIFMAP;
}

/* SIOCGIFCONF: the interfaces that have an address. */
static int list_interfaces(void __user *argument)
{
    struct ifconf conf;
    if (copyin(&conf, argument, sizeof(conf)) < 0)
        return -EFAULT;
    char __user *to = conf.ifc_buf;
    int used = 0;
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n)) {
        struct ifreq r;
        if (ip4_addr_isany_val(*netif_ip4_addr(n)))
            continue;
        memset(&r, 0, sizeof(r));
        strlcpy(r.ifr_name, interface_name(n), sizeof(r.ifr_name));
        put_address(&r.ifr_addr, ip4_addr_get_u32(netif_ip4_addr(n)));
        if (to) {
            if (conf.ifc_len - used < (int)sizeof(r))
                break;
            if (copyout(to + used, &r, sizeof(r)) < 0)
                return -EFAULT;
        }
        used += sizeof(r);
    }
    conf.ifc_len = used;
    return copyout(argument, &conf, sizeof(conf)) < 0 ? -EFAULT : 0;
}

int interface_ioctl(u32 request, void __user *argument)
{
    struct ifreq r;
    if (request == SIOCGIFCONF)
        return list_interfaces(argument);
    if (copyin(&r, argument, sizeof(r)) < 0)
        return -EFAULT;
    r.ifr_name[IFNAMSIZ - 1] = 0;
    struct netif *netif = NULL;
    if (request == SIOCGIFNAME) {
        netif = netif_get_by_index(MIN((u32)r.ifr_ifindex, 255u));
        if (netif)
            strlcpy(r.ifr_name, interface_name(netif), sizeof(r.ifr_name));
    } else {
        netif = interface_find(r.ifr_name);
    }
    if (!netif)
        return -ENODEV;
    if (request == SIOCETHTOOL)
        return interface_card(netif) ? ethtool_ioctl(interface_card(netif), r.ifr_data)
                                     : -EOPNOTSUPP;
    if (is_set(request))
        return set(netif, request, &r);
    int err = get(netif, request, &r);
    return err < 0 ? err : copyout(argument, &r, sizeof(r));
}
