#pragma once
/* "127.0.0.1:8480" and "[::1]:8480": a numeric address and a port. */

#include "daemon/base/error.h"

enum { ADDRESS_E_MALFORMED = 1, ADDRESS_HOST_SIZE = 64 };

struct address {
	char host[ADDRESS_HOST_SIZE]; /* as inet_ntop(3) writes it */
	unsigned port;                /* 1..65535 */
	bool is_loopback;
};

int address_read(const char *text, struct address *ret_address);
int address_of_socket(int fd, struct address *ret_address);
bool address_equals(const struct address *a, const struct address *b);
