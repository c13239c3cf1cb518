/* What connection.c and feed.c share: the socket's side of lwIP's control block. */
#ifndef KERNEL_NET_CONNECTION_H
#define KERNEL_NET_CONNECTION_H

#include "kernel/net/socket.h"

/* connection.c */
void connection_note(struct socket *s);   /* is served when the batch is done */
void connection_forget(struct socket *s); /* the socket is freed */

/* tcp_option.c: what of the options lwIP has to know. */
void tcp_apply_options(const struct socket *s, struct tcp_pcb *pcb);

/* feed.c */
void connection_tune(struct socket *s); /* the card's features decide how segments are built */
/* Gives the stack what may go now. `flush`: MSG_MORE is over. `tick`: the slow clock has ticked. */
void connection_feed(struct socket *s, bool flush, bool tick);
/* After an ACK: sends the next lost segment again when there was more than one. */
void connection_recover(struct socket *s);
/* The slow clock has ticked: probes a closed window. True when the peer has vanished. */
bool connection_persist(struct socket *s);
/* The same: true when something has waited for an ACK longer than TCP_USER_TIMEOUT allows. */
bool connection_stalled(struct socket *s);

/* transfer.c: received data of a connection joins the socket's queue. */
void stream_discard(struct socket *s); /* frees what was received and not read */
void stream_queue(struct socket *s, struct pbuf *p);

#endif
