/*
 * Who translates names: the name servers and the domain that DHCP (RFC 2132, 3.8 and 3.17) or the
 * command line's ip= tells, as Linux shows them in /proc/net/pnp. /etc/resolv.conf is a link to
 * that file.
 *
 * An address from the command line without a name server: that of QEMU's user network is assumed.
 */
#include "kernel/lib/lib.h"
#include "kernel/lib/text.h"
#include "kernel/net/net.h"
#include "kernel/net/stack.h"
#include "lwip/dhcp.h"
#include "lwip/ip4_addr.h"
#include "lwip/pbuf.h"

#define OPTION_NAME_SERVERS 6
#define OPTION_DOMAIN       15

#define QEMU_NAME_SERVER PP_HTONL(0x0A000203) /* 10.0.2.3 */

static struct {
    bool by_dhcp;
    u32 servers[3]; /* network byte order */
    u32 nr_servers;
    char domain[64];
} known;

void name_server_add(u32 ip)
{
    if (ip && known.nr_servers < ARRAY_LEN(known.servers))
        known.servers[known.nr_servers++] = ip;
}

void name_server_assume(void)
{
    if (!known.nr_servers)
        name_server_add(QEMU_NAME_SERVER);
}

/* An option of a DHCP message that lwIP does not look at itself. The offer and each renewal bring
 * it again. */
void dhcp_option_hook(u8 option, u8 len, const struct pbuf *p, u16 offset)
{
    known.by_dhcp = true;
    if (option == OPTION_NAME_SERVERS) {
        known.nr_servers = 0;
        for (u32 at = 0; at + 4 <= len; at += 4) {
            u32 ip = 0;
            pbuf_copy_partial(p, &ip, sizeof(ip), offset + at);
            name_server_add(ip);
        }
    } else if (option == OPTION_DOMAIN) {
        u32 n = pbuf_copy_partial(p, known.domain, MIN(len, (u32)sizeof(known.domain) - 1), offset);
        known.domain[n] = 0;
        for (char *c = known.domain; *c; c++) /* it is a line of a file */
            if (*c <= ' ' || *c > '~')
                *c = 0;
    }
}

void net_pnp_format(struct text *t)
{
    char ip[16];
    text_string(t, known.by_dhcp ? "#DHCP\n" : "#MANUAL\n");
    if (known.domain[0])
        text_printf(t, "domain %s\n", known.domain);
    for (u32 i = 0; i < known.nr_servers; i++) {
        ip4_addr_t server = {known.servers[i]};
        text_printf(t, "nameserver %s\n", ip4addr_ntoa_r(&server, ip, sizeof(ip)));
    }
}
