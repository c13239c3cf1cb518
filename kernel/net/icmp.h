/* ICMP errors to the sockets that they concern. */
#ifndef KERNEL_NET_ICMP_H
#define KERNEL_NET_ICMP_H

void icmp_watch(void); /* once, when the stack is up */

#endif
