/* The ARP cache, as arp(7) shows it and lets it be changed: SIOC*ARP and /proc/net/arp. */
#include <linux/if_arp.h>
#include <linux/in.h>
#include <linux/sockios.h>
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/mm/uaccess.h"
#include "kernel/net/net.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/net/uapi.h"
#include "lwip/etharp.h"

/* The card that would ask for this address: by its name, or that whose network it is in. */
static struct netif *card_for(const char *name, const ip4_addr_t *ip)
{
    if (*name)
        return interface_find(name);
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n))
        if (interface_card(n) && ip4_addr_netcmp(ip, netif_ip4_addr(n), netif_ip4_netmask(n)))
            return n;
    return NULL;
}

static int forget(const ip4_addr_t *ip, struct netif *netif)
{
    struct eth_addr *mac, copy;
    const ip4_addr_t *found;
    if (etharp_find_addr(netif, ip, &mac, &found) < 0)
        return -ENXIO;
    copy = *mac;
    etharp_add_static_entry(ip, &copy); /* lwIP removes none but static ones */
    return lwip_errno(etharp_remove_static_entry(ip));
}

int neighbour_ioctl(u32 request, void __user *argument)
{
    struct arpreq r;
    if (copyin(&r, argument, sizeof(r)) < 0)
        return -EFAULT;
    if (r.arp_pa.sa_family != AF_INET)
        return -EPFNOSUPPORT;
    if (request == SIOCSARP && (r.arp_flags & ATF_PUBL || r.arp_flags & ATF_NETMASK))
        return -EOPNOTSUPP; /* lwIP answers for nobody else */
    r.arp_dev[sizeof(r.arp_dev) - 1] = 0;
    ip4_addr_t ip = {((struct sockaddr_in *)&r.arp_pa)->sin_addr.s_addr};
    struct netif *netif = card_for(r.arp_dev, &ip);
    if (!netif)
        return *r.arp_dev ? -ENODEV : -ENETUNREACH;
    if (!interface_card(netif))
        return -ENXIO;
    struct eth_addr *mac;
    const ip4_addr_t *found;
    switch (request) {
    case SIOCDARP:
        return forget(&ip, netif);
    case SIOCSARP:
        if (r.arp_ha.sa_family != ARPHRD_ETHER)
            return -EINVAL;
        return lwip_errno(etharp_add_static_entry(&ip, (struct eth_addr *)r.arp_ha.sa_data));
    }
    if (etharp_find_addr(netif, &ip, &mac, &found) < 0)
        return -ENXIO;
    memset(&r.arp_ha, 0, sizeof(r.arp_ha));
    r.arp_ha.sa_family = ARPHRD_ETHER;
    memcpy(r.arp_ha.sa_data, mac, sizeof(*mac));
    r.arp_flags = ATF_COM;
    strlcpy(r.arp_dev, interface_name(netif), sizeof(r.arp_dev));
    return copyout(argument, &r, sizeof(r));
}

void net_arp_format(struct text *t)
{
    text_string(t,
                "IP address       HW type     Flags       HW address            Mask     Device\n");
    for (u32 i = 0; i < ARP_TABLE_SIZE; i++) {
        ip4_addr_t *ip;
        struct netif *netif;
        struct eth_addr *mac;
        char address[16];
        if (!etharp_get_entry(i, &ip, &netif, &mac))
            continue;
        ip4addr_ntoa_r(ip, address, sizeof(address));
        const u8 *m = mac->addr;
        text_printf(t, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
                    address, ARPHRD_ETHER, ATF_COM, m[0], m[1], m[2], m[3], m[4], m[5],
                    interface_name(netif));
    }
}
