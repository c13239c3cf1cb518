/*
 * Interfaces: each card, and the loopback, as lwIP's netif; their addresses and features.
 *
 * eth0 gets its address by DHCP, or from the command line as on Linux (nfsroot.txt in its
 * documentation):
 *
 *     ip=dhcp                                       (or without ip=)
 *     ip=10.0.2.15::10.0.2.2:255.255.255.0          address, (server), gateway, netmask
 *     ip=10.0.2.15::10.0.2.2:255.255.255.0::::10.0.2.3   ... and a name server, or two
 *     ip=off
 */
#include "kernel/cpu/cpu.h"
#include "kernel/lib/lib.h"
#include "kernel/net/output.h"
#include "kernel/net/route.h"
#include "kernel/net/socket.h"
#include "kernel/net/stack.h"
#include "kernel/proc/task.h"
#include "lwip/dhcp.h"
#include "lwip/etharp.h"
#include "lwip/ip.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#define DHCP_WAIT_MS 3000

static struct netif interfaces[MAX_NETDEVS];
static struct netif *loopback;

struct netdev *interface_card(struct netif *netif)
{
    return netif && netif->linkoutput == interface_output ? netif->state : NULL;
}

const char *interface_name(struct netif *netif)
{
    struct netdev *d = interface_card(netif);
    return d ? d->name : "lo";
}

struct netif *interface_next(struct netif *after)
{
    if (!after)
        return loopback;
    u32 i = after == loopback ? 0 : (u32)(after - interfaces) + 1;
    return i < nr_netdevs ? &interfaces[i] : NULL;
}

struct netif *interface_find(const char *name)
{
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n))
        if (!strcmp(interface_name(n), name))
            return n;
    return NULL;
}

bool interface_is_ours(u32 ip)
{
    for (struct netif *n = interface_next(NULL); n; n = interface_next(n))
        if (ip4_addr_get_u32(netif_ip4_addr(n)) == ip)
            return ip != 0;
    return (ip & lwip_htonl(0xFF000000)) == lwip_htonl(0x7F000000); /* 127.0.0.0/8 */
}

/* Packets to an address of our own go through the loopback, which needs no checksums, and never
 * through a card's interface, which leaves them to the card (lwip/hooks.h). */
struct netif *interface_route_hook(const ip4_addr_t *dest)
{
    u32 ip = ip4_addr_get_u32(dest);
    return !interface_is_ours(ip) ? route_find(ip) : netif_is_up(loopback) ? loopback : NULL;
}

static err_t interface_setup(struct netif *netif)
{
    struct netdev *d = netif->state;
    netif->name[0] = 'e';
    netif->name[1] = 't';
    netif->hostname = "ferry";
    netif->output = etharp_output;
    netif->linkoutput = interface_output;
    netif->mtu = d->mtu;
    netif->hwaddr_len = sizeof(d->mac);
    memcpy(netif->hwaddr, d->mac, sizeof(d->mac));
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    /* output.c sees to these two, with the card or without it. */
    NETIF_SET_CHECKSUM_CTRL(netif, NETIF_CHECKSUM_ENABLE_ALL &
                                       ~(NETIF_CHECKSUM_GEN_IP | NETIF_CHECKSUM_GEN_TCP));
    return ERR_OK;
}

/* Takes the next field of "a:b:c" off the text. */
static char *field(char **text)
{
    char *start = *text, *colon = strchr(start, ':');
    *text = colon ? colon + 1 : start + strlen(start);
    if (colon)
        *colon = 0;
    return start;
}

static bool address_static(struct netif *netif, char *text)
{
    ip4_addr_t ip, gateway, mask;
    char *address = field(&text);
    field(&text); /* the server's: of no use here */
    char *via = field(&text), *netmask = field(&text);
    field(&text); /* host name, device, way: there is one card, and this is the way */
    field(&text);
    field(&text);
    if (!ip4addr_aton(address, &ip) || (*via && !ip4addr_aton(via, &gateway)) ||
        (*netmask && !ip4addr_aton(netmask, &mask)))
        return false;
    if (!*via)
        ip4_addr_set_zero(&gateway);
    if (!*netmask)
        IP4_ADDR(&mask, 255, 255, 255, 0);
    netif_set_addr(netif, &ip, &mask, &gateway);
    for (u32 i = 0; i < 2; i++) {
        ip4_addr_t server;
        if (ip4addr_aton(field(&text), &server))
            name_server_add(ip4_addr_get_u32(&server));
    }
    name_server_assume();
    return true;
}

/* Waits for the lease: the first program shall find the network up. */
static void address_dhcp(struct netif *netif)
{
    u64 give_up = timer_ms() + DHCP_WAIT_MS;
    dhcp_start(netif);
    net_flush();
    while (!dhcp_supplied_address(netif) && timer_ms() < give_up) {
        net_poll();
        sys_check_timeouts();
        net_flush();
        if (!dhcp_supplied_address(netif))
            task_sleep_ticks(1);
    }
}

static void address_print(struct netif *netif)
{
    char ip[16], mask[16], gateway[16];
    ip4addr_ntoa_r(netif_ip4_addr(netif), ip, sizeof(ip));
    ip4addr_ntoa_r(netif_ip4_netmask(netif), mask, sizeof(mask));
    ip4addr_ntoa_r(netif_ip4_gw(netif), gateway, sizeof(gateway));
    if (ip4_addr_isany_val(*netif_ip4_addr(netif)))
        kprintf("%s: no address\n", interface_name(netif));
    else
        kprintf("%s: %s, netmask %s, gateway %s\n", interface_name(netif), ip, mask, gateway);
}

void interfaces_init(void)
{
    char text[80] = "";
    loopback = netif_get_by_index(1); /* lwip_init has added it, and nothing else */
    /* Raw sockets see whole packets, so these two must be right. */
    NETIF_SET_CHECKSUM_CTRL(loopback, NETIF_CHECKSUM_GEN_IP | NETIF_CHECKSUM_GEN_ICMP);
    for (u32 i = 0; i < nr_netdevs; i++) {
        struct netif *netif = &interfaces[i];
        struct netdev *d = netdevs[i];
        netif_add(netif, IP4_ADDR_ANY4, IP4_ADDR_ANY4, IP4_ADDR_ANY4, d, interface_setup,
                  ethernet_input);
        d->stack = netif;
        if (d->link_up)
            netif_set_link_up(netif);
        d->ops->open(d);
        netif_set_up(netif);
    }
    if (!nr_netdevs) {
        kprintf("net: no card, loopback only\n");
        return;
    }
    cmdline_get("ip", text, sizeof(text));
    if (!strcmp(text, "off") || !strcmp(text, "none"))
        return;
    if (!*text || !strcmp(text, "dhcp") || !strcmp(text, "on") || !strcmp(text, "any") ||
        !strcmp(text, ":::::eth0:dhcp"))
        address_dhcp(&interfaces[0]);
    else if (!address_static(&interfaces[0], text))
        kprintf("net: cannot read ip=%s\n", text);
    u32 gateway = ip4_addr_get_u32(netif_ip4_gw(&interfaces[0]));
    if (gateway)
        (void)route_add(0, 0, gateway, 0, &interfaces[0]);
    net_flush(); /* gratuitous ARP: the first packet to us need not ask */
    address_print(&interfaces[0]);
}

void interface_set_up(struct netif *netif, bool up)
{
    if (up && !netif_is_up(netif)) {
        netif_set_up(netif);
    } else if (!up && netif_is_up(netif)) {
        route_drop_all(netif);
        netif_set_down(netif);
    }
    net_flush();
}

/* By hand: the lease is given back, and routes through the former address go. */
void interface_set_address(struct netif *netif, u32 ip, u32 mask)
{
    ip4_addr_t new_ip = {ip}, new_mask = {ip ? mask : 0};
    if (netif_dhcp_data(netif))
        dhcp_release_and_stop(netif);
    route_drop_all(netif);
    netif_set_addr(netif, &new_ip, &new_mask, IP4_ADDR_ANY4);
    net_flush();
}

void interface_link(struct netdev *d, bool up)
{
    struct netif *netif = d->stack;
    if (!netif || d->link_up == up)
        return;
    d->link_up = up;
    kprintf("%s: link %s\n", d->name, up ? "up" : "down");
    if (up)
        netif_set_link_up(netif);
    else
        netif_set_link_down(netif);
}

/* What stands on what: without checksums by the card no gathering, without gathering no TSO. */
static u32 features_fix(u32 wanted)
{
    if (!(wanted & NETDEV_CSUM))
        wanted &= ~NETDEV_SG;
    if (!(wanted & NETDEV_SG))
        wanted &= ~NETDEV_TSO;
    return wanted;
}

/* As Linux (netdev_fix_features): a switch takes along those that need it, and they come back
 * with it; one that cannot stand now is remembered. */
int interface_set_features(struct netdev *d, u32 feature, bool on)
{
    if (on && !(d->features_available & feature))
        return -EOPNOTSUPP;
    d->features_wanted = on ? d->features_wanted | feature : d->features_wanted & ~feature;
    u32 features = features_fix(d->features_wanted);
    if (features != d->features) {
        d->features = features;
        connection_retune(d);
    }
    return 0;
}
