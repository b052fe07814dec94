#pragma once
/* Who is at the other end: addresses, the proxies that may name another one, and its network. */

#include "daemon/base/error.h"

struct sockaddr;

enum { CLIENT_ADDRESS_SIZE = 16, CLIENT_NETWORK_SIZE = 1 + 8 };

enum { CLIENT_E_MALFORMED = 1 };

/* IPv4 as ::ffff:a.b.c.d, so that one client has one form. */
struct client_address {
	uint8_t bytes[CLIENT_ADDRESS_SIZE];
};

/* A network in CIDR form; of an IPv4 one the bits count from the mapped prefix on. */
struct client_range {
	uint8_t bytes[CLIENT_ADDRESS_SIZE];
	unsigned n_bits;
};

struct client_ranges {
	const struct client_range *at;
	size_t n;
};

/* "192.0.2.0/24", "2001:db8::/32", or one address; CLIENT_E_MALFORMED also for bits behind the
 * prefix. */
int client_range_read(const char *text, struct client_range *ret_range);
bool client_ranges_have(const struct client_ranges *ranges, const struct client_address *address);

/* An element of X-Forwarded-For: an address, perhaps in brackets or quotes, perhaps with a port. */
int client_address_read(struct slice text, struct client_address *ret_address);
void client_address_from(const struct sockaddr *socket, struct client_address *ret_address);

/* The client behind trusted proxies: what the nearest untrusted hop is called by the one before
 * it. `lines` are the values of X-Forwarded-For, nearest last. */
struct client_address client_find(const struct client_address *peer,
				  const struct client_ranges *trusted, const struct slice *lines,
				  size_t n_lines);

bool client_is_loopback(const struct client_address *address);

/* The /24 or /64 that the address lies in. */
void client_network(const struct client_address *address, uint8_t ret_network[CLIENT_NETWORK_SIZE]);
