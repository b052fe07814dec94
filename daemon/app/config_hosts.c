/* Where it listens and what it is called: what is of the right form and yet could never work. */

#include "api/http/client.h"
#include "api/http/cors.h"
#include "daemon/app/address.h"
#include "daemon/app/config_row.h"

#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* As Host has it, without a port: a name, an IPv4 address or an IPv6 address in brackets. */
static bool is_host(const char *text)
{
	size_t length = strlen(text);

	if (length == 0 || length > 253)
		return false;
	if (text[0] == '[')
		return length > 3 && text[length - 1] == ']' &&
		       strspn(text + 1, DIGITS "ABCDEFabcdef:.") == length - 2;
	return strspn(text, LETTERS DIGITS "-._") == length && text[0] != '.' && text[0] != '-';
}

/* The form of a list's items that the text has not; NULL: it has. */
const char *config_find_missed_form(enum config_kind kind, const char *text)
{
	struct client_range range;

	switch (kind) {
	case CONFIG_NETWORKS:
		return client_range_read(text, &range) == 0
			       ? NULL
			       : "an address or a network, such as 192.0.2.0/24 or 2001:db8::/32";
	case CONFIG_HOSTS:
		return is_host(text) ? NULL : "a name without port, such as conduct.example.org";
	default:
		return cors_is_origin(text) ? NULL : "an origin, such as https://en.wikipedia.org";
	}
}

static const char *nth_address(const struct config *config, size_t n)
{
	if (n < config->listen.n)
		return config->listen.at[n];
	n -= config->listen.n;
	return n < config->n_tls ? config->tls[n].listen : config->ops_listen;
}

/* The first address that is there twice, or NULL. */
const char *config_find_twice(const struct config *config)
{
	size_t n_addresses = config->listen.n + config->n_tls + 1;
	struct address one, other;

	for (size_t i = 1; i < n_addresses; i++) {
		if (address_read(nth_address(config, i), &one))
			continue;
		for (size_t j = 0; j < i; j++)
			if (address_read(nth_address(config, j), &other) == 0 &&
			    address_equals(&one, &other))
				return nth_address(config, i);
	}
	return NULL;
}
