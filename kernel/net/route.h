/* The routing table, and the hooks through which lwIP asks it (lwip/hooks.h). */
#ifndef KERNEL_NET_ROUTE_H
#define KERNEL_NET_ROUTE_H

#include "kernel/lib/types.h"

struct netif;

/* Addresses and masks in network byte order; gateway 0: the destination is on the wire itself.
 * 0, -EEXIST, -ENETUNREACH (no way to the gateway), -ENOBUFS. */
int route_add(u32 dest, u32 mask, u32 gateway, u32 metric, struct netif *netif);
/* The first that matches; gateway 0 and netif NULL: any. -ESRCH: there is none. */
int route_delete(u32 dest, u32 mask, u32 gateway, struct netif *netif);
void route_drop_all(struct netif *netif);         /* it goes down, or has another address */
int route_ioctl(bool add, void __user *argument); /* SIOCADDRT, SIOCDELRT */

#endif
