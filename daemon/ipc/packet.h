#pragma once
/* One packet of a SEQPACKET socketpair, perhaps with a descriptor: for channels, and for upgrades.
 */

#include "daemon/base/error.h"

struct ipc_received {
	size_t length;  /* 0: an empty packet, or the end */
	int descriptor; /* -1, or the receiver's own; closed on exec */
	bool is_cut;    /* there was more than fits */
};

int ipc_packet_send(int fd, struct slice bytes, int descriptor);
int ipc_packet_receive(int fd, char *bytes, size_t size, int flags,
		       struct ipc_received *ret_received);
