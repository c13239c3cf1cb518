/* ioctl(2) on a socket: its queues, and the interfaces (netdevice(7)). */
#include <asm/ioctls.h>
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

static int interface_number(struct netif *netif)
{
    return netif_get_index(netif);
}

static int interface_ioctl(u32 request, void __user *argument)
{
    struct ifreq r;
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
    if (ip4_addr_isany_val(*netif_ip4_addr(netif)) &&
        (request == SIOCGIFADDR || request == SIOCGIFDSTADDR || request == SIOCGIFNETMASK ||
         request == SIOCGIFBRDADDR))
        return -EADDRNOTAVAIL;
    struct netdev *d = interface_card(netif);
    memset(&r.ifr_ifru, 0, request == SIOCETHTOOL ? 0 : sizeof(r.ifr_ifru));
    switch (request) {
    case SIOCGIFNAME:
        r.ifr_ifindex = interface_number(netif);
        break;
    case SIOCGIFINDEX:
        r.ifr_ifindex = interface_number(netif);
        break;
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
        put_address(&r.ifr_addr, ip4_addr_get_u32(netif_ip4_addr(netif)));
        break;
    case SIOCGIFNETMASK:
        put_address(&r.ifr_netmask, ip4_addr_get_u32(netif_ip4_netmask(netif)));
        break;
    case SIOCGIFBRDADDR:
        put_address(&r.ifr_broadaddr, ip4_addr_get_u32(netif_ip4_addr(netif)) |
                                          ~ip4_addr_get_u32(netif_ip4_netmask(netif)));
        break;
    case SIOCGIFFLAGS:
        r.ifr_flags = interface_flags(netif);
        break;
    case SIOCGIFMTU:
        r.ifr_mtu = d ? d->mtu : LOOPBACK_MTU;
        break;
    case SIOCGIFHWADDR:
        r.ifr_hwaddr.sa_family = d ? ARPHRD_ETHER : ARPHRD_LOOPBACK;
        if (d)
            memcpy(r.ifr_hwaddr.sa_data, d->mac, sizeof(d->mac));
        break;
    case SIOCGIFMETRIC:
    case SIOCGIFMAP:
        break;
    case SIOCGIFTXQLEN:
        r.ifr_qlen = 1000;
        break;
    case SIOCETHTOOL:
        return d ? ethtool_ioctl(d, r.ifr_data) : -EOPNOTSUPP;
    default:
        return -EINVAL;
    }
    return copyout(argument, &r, sizeof(r)) < 0 ? -EFAULT : 0;
}

static int give_int(void __user *argument, int value)
{
    return copyout(argument, &value, sizeof(value)) < 0 ? -EFAULT : 0;
}

static int give_waiting(struct socket *s, void __user *argument, bool to_send)
{
    int n = s->ops->waiting ? s->ops->waiting(s, to_send) : -EINVAL;
    return n < 0 ? n : give_int(argument, n);
}

int socket_ioctl(struct file *file, u32 request, u32 argument)
{
    struct socket *s = file->private;
    void __user *arg = (void __user *)argument;
    int on;
    switch (request) {
    case FIONREAD: /* and SIOCINQ */
        return give_waiting(s, arg, false);
    case TIOCOUTQ: /* and SIOCOUTQ */
        return give_waiting(s, arg, true);
    case FIONBIO:
        if (copyin(&on, arg, sizeof(on)) < 0)
            return -EFAULT;
        file->flags = on ? file->flags | O_NONBLOCK : file->flags & ~O_NONBLOCK;
        return 0;
    case SIOCGIFCONF:
        return list_interfaces(arg);
    case SIOCGIFNAME:
    case SIOCGIFINDEX:
    case SIOCGIFADDR:
    case SIOCGIFDSTADDR:
    case SIOCGIFNETMASK:
    case SIOCGIFBRDADDR:
    case SIOCGIFFLAGS:
    case SIOCGIFMTU:
    case SIOCGIFHWADDR:
    case SIOCGIFMETRIC:
    case SIOCGIFMAP:
    case SIOCGIFTXQLEN:
    case SIOCETHTOOL:
        return interface_ioctl(request, arg);
    case SIOCSIFADDR:
    case SIOCSIFFLAGS:
    case SIOCSIFMTU:
        return -EPERM; /* addresses come from ip= or DHCP */
    default:
        return -ENOTTY;
    }
}
