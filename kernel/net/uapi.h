/*
 * The numbers and structures that programs share with us: Linux's own headers, and those of the C
 * library for what Linux leaves to it (SOCK_, MSG_, struct msghdr). Not together with lwIP's
 * sockets.h, which is not used here.
 */
#ifndef KERNEL_NET_UAPI_H
#define KERNEL_NET_UAPI_H

#include <asm/errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#endif
