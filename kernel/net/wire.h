/*
 * Looking at frames as bytes, without the stack: which bare ACK makes an earlier one needless,
 * where a run of memory crosses pages, and the Internet checksum. Pure functions.
 */
#ifndef KERNEL_NET_WIRE_H
#define KERNEL_NET_WIRE_H

#include "drivers/netdev.h"
#include "kernel/lib/types.h"

enum { ETH_HEADER = 14, IP_HEADER = 20, TCP_HEADER = 20, UDP_HEADER = 8 };

static inline u16 get_be16(const u8 *p)
{
    return (u16)(p[0] << 8 | p[1]);
}
static inline u32 get_be32(const u8 *p)
{
    return (u32)get_be16(p) << 16 | get_be16(p + 2);
}
static inline void put_be16(u8 *p, u16 v)
{
    p[0] = v >> 8;
    p[1] = v & 0xFF;
}

/* What tells two bare ACKs of one connection apart. */
struct bare_ack {
    u32 src, dst, ports; /* as they are in the frame */
    u32 seq, ack;
    u8 header_len; /* TCP header with its options */
};
/* True when the frame is a TCP segment over IPv4 without IP options that carries an
 * acknowledgement and nothing else: no payload, no flag but ACK, no fragment. */
bool bare_ack_parse(const u8 *frame, u32 len, struct bare_ack *ack);
/* True when `newer` says all that `older` said: the same connection, and strictly more bytes
 * acknowledged. An equal number is a duplicate, which TCP counts, so it is never needless. */
bool bare_ack_supersedes(const struct bare_ack *newer, const struct bare_ack *older);

/* Bytes of an Ethernet frame that are headers (and padding) rather than TCP or UDP payload. */
u32 frame_header_bytes(const u8 *frame, u32 len);

/* Appends a run of physical memory to the packet, cut at page boundaries so that each range lies
 * in one page. False when the packet has no room for it. */
bool packet_add_run(struct netdev_packet *p, phys_t phys, u32 len);

/* The one's complement sum of RFC 1071, started with `sum`; data at an even distance from the
 * start of what is summed. Not complemented. */
u32 inet_sum(u32 sum, const void *data, u32 len);
u16 inet_fold(u32 sum); /* to 16 bits, in network byte order as the sum itself */

#endif
