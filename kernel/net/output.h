/* netif->linkoutput of a card's interface (output.c). */
#ifndef KERNEL_NET_OUTPUT_H
#define KERNEL_NET_OUTPUT_H

#include "lwip/err.h"

struct netif;
struct pbuf;
err_t interface_output(struct netif *netif, struct pbuf *p);

#endif
