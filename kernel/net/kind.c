/* Which kinds of sockets there are. The first of a family and type is what protocol 0 means. */
#include "kernel/net/socket.h"
#include <linux/in.h>
#include "kernel/lib/lib.h"
#include "kernel/net/uapi.h"

#define MAX_TYPE 10 /* SOCK_PACKET; beyond it Linux knows none */

static const struct socket_kind kinds[] = {
    {AF_INET, SOCK_STREAM, IPPROTO_TCP, &stream_ops},
    {AF_INET, SOCK_DGRAM, IPPROTO_UDP, &udp_ops},
    {AF_INET, SOCK_DGRAM, IPPROTO_ICMP, &ping_ops},
    {AF_INET, SOCK_RAW, IPPROTO_IP, &raw_ops},
    {AF_UNIX, SOCK_STREAM, PF_UNIX, &unix_ops},
    {AF_UNIX, SOCK_DGRAM, PF_UNIX, &unix_ops},
    {AF_UNIX, SOCK_SEQPACKET, PF_UNIX, &unix_ops},
    {AF_UNIX, SOCK_RAW, PF_UNIX, &unix_ops}, /* another name for SOCK_DGRAM */
};

int socket_kind_find(u32 family, u32 type, u32 protocol, const struct socket_kind **kind)
{
    bool family_known = false, type_known = false;
    if (family >= AF_MAX)
        return -EAFNOSUPPORT;
    if (type > MAX_TYPE)
        return -EINVAL;
    for (u32 i = 0; i < ARRAY_LEN(kinds); i++) {
        *kind = &kinds[i];
        if (kinds[i].family != family)
            continue;
        family_known = true;
        if (kinds[i].type != type)
            continue;
        type_known = true;
        if (kinds[i].protocol ? !protocol || protocol == kinds[i].protocol : protocol)
            return 0;
    }
    return !family_known ? -EAFNOSUPPORT : !type_known ? -ESOCKTNOSUPPORT : -EPROTONOSUPPORT;
}
