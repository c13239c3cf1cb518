/* Looking at frames as bytes. See wire.h. */
#include "kernel/net/wire.h"
#include "kernel/mm/page.h"

/* Offsets in an Ethernet frame with IPv4 without options and TCP. */
enum {
    ETH_TYPE = 12,
    IP_VERSION = 14,
    IP_TOTAL = 16,
    IP_FRAGMENT = 20,
    IP_PROTOCOL = 23,
    IP_SRC = 26,
    IP_DST = 30,
    TCP_PORTS = 34,
    TCP_SEQ = 38,
    TCP_ACK_NO = 42,
    TCP_OFFSET = 46,
    TCP_FLAG_BITS = 47,
};
enum { ETHERTYPE_IPV4 = 0x0800, PROTOCOL_TCP = 6, PROTOCOL_UDP = 17, FLAG_ACK = 0x10 };

bool bare_ack_parse(const u8 *f, u32 len, struct bare_ack *ack)
{
    if (len < ETH_HEADER + IP_HEADER + TCP_HEADER || f[TCP_FLAG_BITS] != FLAG_ACK ||
        get_be16(f + ETH_TYPE) != ETHERTYPE_IPV4 || f[IP_VERSION] != 0x45 ||
        f[IP_PROTOCOL] != PROTOCOL_TCP || get_be16(f + IP_FRAGMENT) & 0x3FFF)
        return false;
    u32 header_len = (f[TCP_OFFSET] >> 4) * 4u, total = get_be16(f + IP_TOTAL);
    if (header_len < TCP_HEADER || total != IP_HEADER + header_len || total > len - ETH_HEADER)
        return false;
    ack->src = get_be32(f + IP_SRC);
    ack->dst = get_be32(f + IP_DST);
    ack->ports = get_be32(f + TCP_PORTS);
    ack->seq = get_be32(f + TCP_SEQ);
    ack->ack = get_be32(f + TCP_ACK_NO);
    ack->header_len = header_len;
    return true;
}

bool bare_ack_supersedes(const struct bare_ack *newer, const struct bare_ack *older)
{
    return newer->src == older->src && newer->dst == older->dst && newer->ports == older->ports &&
           newer->seq == older->seq && newer->header_len == older->header_len &&
           (s32)(newer->ack - older->ack) > 0;
}

u32 frame_header_bytes(const u8 *f, u32 len)
{
    if (len < ETH_HEADER + IP_HEADER || get_be16(f + ETH_TYPE) != ETHERTYPE_IPV4)
        return len;
    u32 ip = (f[IP_VERSION] & 15) * 4u, total = get_be16(f + IP_TOTAL);
    if (f[IP_VERSION] >> 4 != 4 || ip < IP_HEADER || total > len - ETH_HEADER || total < ip)
        return len;
    const u8 *transport = f + ETH_HEADER + ip;
    u32 header = 0, left = total - ip;
    if (f[IP_PROTOCOL] == PROTOCOL_TCP && left >= TCP_HEADER)
        header = (transport[12] >> 4) * 4u;
    else if (f[IP_PROTOCOL] == PROTOCOL_UDP && left >= UDP_HEADER)
        header = UDP_HEADER;
    if (!header || header > left)
        return len;
    return len - (left - header);
}

bool packet_add_run(struct netdev_packet *p, phys_t phys, u32 len)
{
    while (len) {
        if (p->nr_ranges == NETDEV_MAX_RANGES)
            return false;
        u32 n = MIN(len, PAGE_SIZE - (phys & (PAGE_SIZE - 1)));
        p->ranges[p->nr_ranges++] = (struct netdev_range){phys, n};
        phys += n;
        len -= n;
    }
    return true;
}

u32 inet_sum(u32 sum, const void *data, u32 len)
{
    const u8 *p = data;
    u64 total = sum;
    u32 word = 0;
    for (; len >= 4; len -= 4, p += 4) {
        __builtin_memcpy(&word, p, 4); /* one load: the address may be odd */
        total += word;
    }
    word = 0;
    __builtin_memcpy(&word, p, len); /* a last odd byte counts as if a zero followed */
    total += (word & 0xFFFF) + (word >> 16);
    total = (total & 0xFFFFFFFF) + (total >> 32);
    return (u32)((total & 0xFFFFFFFF) + (total >> 32));
}

u16 inet_fold(u32 sum)
{
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (u16)(sum + (sum >> 16));
}
