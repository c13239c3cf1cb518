/*
 * How lwIP 2.1.3 is configured; read by every one of its files (lwip/opt.h explains each name).
 *
 * What matters for the ledger: the stack must never copy payload on its own account. tcp_write
 * is called without COPY, so a segment is a small header buffer and references to our pages;
 * TX_SINGLE_PBUF, OVERSIZE and CHECKSUM_ON_COPY would each bring a copy back, so they are off.
 * Should the stack copy payload all the same (the loopback interface does), MEMCPY (arch/cc.h)
 * enters it.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

/* Raw API in process context: one CPU, no kernel preemption, hence no locks and no threads. */
#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET          0
#define LWIP_NETCONN         0
#define LWIP_TIMERS          1

/* Memory: the header buffers come from kmalloc (an object never crosses a page, so the card can
 * fetch it in one piece), everything else from static pools whose use /proc/ferry/net shows. */
#define MEM_LIBC_MALLOC          1
#define MEM_ALIGNMENT            4
#define MEMP_NUM_PBUF            8192 /* references to payload: one for each page or slot sent */
#define MEMP_NUM_TCP_PCB         512  /* connections, TIME_WAIT among them */
#define MEMP_NUM_TCP_PCB_LISTEN  64
#define MEMP_NUM_TCP_SEG         8192
#define MEMP_NUM_UDP_PCB         64
#define MEMP_NUM_RAW_PCB         32
#define MEMP_NUM_ARP_QUEUE       64
#define MEMP_NUM_REASSDATA       8
#define MEMP_NUM_SYS_TIMEOUT     16
#define PBUF_POOL_SIZE           0 /* received frames are in buffers of our own */
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define PBUF_LINK_HLEN           14

/* Which protocols. */
#define LWIP_IPV4                     1
#define LWIP_IPV6                     0
#define LWIP_ETHERNET                 1
#define LWIP_ARP                      1
#define ARP_QUEUEING                  1
#define ARP_TABLE_SIZE                64
#define ARP_QUEUE_LEN                 16
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define LWIP_ICMP                     1
#define LWIP_RAW                      1
#define LWIP_UDP                      1
#define LWIP_TCP                      1
#define LWIP_DNS                      0
#define LWIP_IGMP                     0
#define LWIP_DHCP                     1
#define DHCP_DOES_ARP_CHECK           0 /* would delay the first program by more than a second */
#define LWIP_AUTOIP                   0
#define IP_DEFAULT_TTL                64 /* as Linux */
#define IP_FORWARD                    0
#define IP_FRAG                       0 /* a TSO segment is longer than the MTU on purpose */
#define IP_REASSEMBLY                 1
#define IP_REASS_MAX_PBUFS            256
#define SO_REUSE                      1
#define IP_SOF_BROADCAST              1
#define LWIP_HAVE_LOOPIF              1
#define LWIP_NETIF_LOOPBACK           1
#define LWIP_LOOPBACK_MAX_PBUFS       1024
#define LWIP_NETIF_HOSTNAME           1
#define LWIP_NETIF_TX_SINGLE_PBUF     0

/* TCP. The window is what a peer without window scaling can use; we accept a scaled window of
 * the peer's, which is what limits sending. */
#define TCP_MSS             1460
#define TCP_WND             65535
#define LWIP_WND_SCALE      1
#define TCP_RCV_SCALE       0
#define TCP_SND_BUF         (256 * 1024 - 1)
#define TCP_SND_QUEUELEN    4096
#define TCP_SNDLOWAT        (32 * 1024)
#define TCP_OVERSIZE        0
#define TCP_OOSEQ_MAX_PBUFS 128 /* of one connection */
#define TCP_QUEUE_OOSEQ     1
#define TCP_LISTEN_BACKLOG  1
#define LWIP_TCP_KEEPALIVE  1
#define LWIP_TCP_SACK_OUT   1
/* lwIP's clock for delayed ACKs; retransmissions go by twice that. Its shortest time-out is three
 * of those ticks: 0.6 s. A vanished peer is given up after six silent ones, which double: 38 s. */
#define TCP_TMR_INTERVAL 100 /* ms */
#define TCP_MAXRTX       6
#define TCP_SYNMAXRTX    4
#define TCP_MSL          30000UL /* TIME_WAIT lasts 60 s, as on Linux */

/* Checksums. What is received is checked by the CPU (QEMU's card cannot); what is sent through a
 * card gets its checksums in kernel/net/output.c, by the card or by the CPU (see netif.c). */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHECKSUM_ON_COPY        0
#define LWIP_CHKSUM_ALGORITHM        3

/* Counters: cheap ones, in 32 bits. */
#define LWIP_STATS       1
#define LWIP_STATS_LARGE 1
#define MIB2_STATS       1 /* /proc/net/snmp, and what goes over the loopback */
#define LINK_STATS       0
#define ETHARP_STATS     0
#define IPFRAG_STATS     0
#define IP_STATS         1
#define ICMP_STATS       0
#define UDP_STATS        1
#define TCP_STATS        1
#define MEM_STATS        0
#define MEMP_STATS       1
#define SYS_STATS        0

/* Where lwIP calls us from the middle of its own work; declared and explained in hooks.h. */
#define LWIP_HOOK_FILENAME                   "kernel/net/lwip/hooks.h"
#define LWIP_HOOK_IP4_ROUTE_SRC(src, dest)   interface_route_hook(dest)
#define LWIP_HOOK_ETHARP_GET_GW(netif, dest) route_gateway_hook(netif, dest)
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, msg, msg_type, option, len, pbuf, offset) \
    dhcp_option_hook(option, len, pbuf, offset)
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p) \
    (connection_note_segment(pcb), ERR_OK)
#define LWIP_HOOK_TCP_ISN(local_ip, local_port, remote_ip, remote_port) net_random()

#endif
