/*
 * Addresses of clients. X-Forwarded-For is a list that anybody may begin and each proxy goes on
 * with, so it is read from its end, and only as far as those who wrote it are trusted. An address
 * lives as long as its exchange; nothing here is stored or logged.
 */

#include "api/http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

enum { TEXT_MAX = INET6_ADDRSTRLEN + 1, MAPPED_BITS = 96, NETWORK_4_BITS = 24, PORT_DIGITS = 5 };

static const uint8_t mapped[MAPPED_BITS / 8] = { [10] = 0xff, [11] = 0xff };

static bool is_mapped(const uint8_t bytes[CLIENT_ADDRESS_SIZE])
{
	return memcmp(bytes, mapped, sizeof(mapped)) == 0;
}

/* A bare numeric address; inet_pton() takes neither zones nor short or octal forms. */
static bool read_bare(struct slice text, bool is_four, struct client_address *ret_address)
{
	struct client_address address = { { 0 } };
	char copy[TEXT_MAX];

	if (text.length == 0 || text.length >= sizeof(copy) || memchr(text.at, '\0', text.length))
		return false;
	memcpy(copy, text.at, text.length);
	copy[text.length] = '\0';
	if (is_four) {
		memcpy(address.bytes, mapped, sizeof(mapped));
		if (inet_pton(AF_INET, copy, address.bytes + sizeof(mapped)) != 1)
			return false;
	} else if (inet_pton(AF_INET6, copy, address.bytes) != 1) {
		return false;
	}
	*ret_address = address;
	return true;
}

static bool is_port(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return text.length > 0 && text.length <= PORT_DIGITS;
}

/**
 * client_range_read() - a network of the configuration
 *
 * Return: 0 or CLIENT_E_MALFORMED; bits behind the prefix are a mistake, never a wish.
 */
int client_range_read(const char *text, struct client_range *ret_range)
{
	const char *slash = strchr(text, '/');
	struct slice bare = { text, slash ? (size_t)(slash - text) : strlen(text) };
	bool is_four = !memchr(bare.at, ':', bare.length);
	unsigned n_bits = is_four ? 32 : 128, most = n_bits;
	struct client_address address;
	struct client_range range;

	if (!read_bare(bare, is_four, &address))
		return CLIENT_E_MALFORMED;
	if (slash) {
		struct slice digits = { slash + 1, strlen(slash + 1) };

		if (!is_port(digits) || (digits.length > 1 && digits.at[0] == '0'))
			return CLIENT_E_MALFORMED;
		n_bits = 0;
		for (size_t i = 0; i < digits.length; i++)
			n_bits = n_bits * 10 + (unsigned)(digits.at[i] - '0');
		if (n_bits > most)
			return CLIENT_E_MALFORMED;
	}
	range.n_bits = n_bits + (is_four ? MAPPED_BITS : 0);
	memcpy(range.bytes, address.bytes, sizeof(range.bytes));
	for (unsigned bit = range.n_bits; bit < 8 * CLIENT_ADDRESS_SIZE; bit++)
		if (range.bytes[bit / 8] & (0x80 >> bit % 8))
			return CLIENT_E_MALFORMED;
	*ret_range = range;
	return 0;
}

static bool range_has(const struct client_range *range, const struct client_address *address)
{
	unsigned n_bytes = range->n_bits / 8, n_rest = range->n_bits % 8;

	if (memcmp(range->bytes, address->bytes, n_bytes) != 0)
		return false;
	return n_rest == 0 ||
	       ((range->bytes[n_bytes] ^ address->bytes[n_bytes]) & (0xff00 >> n_rest) & 0xff) == 0;
}

/* True when one of the networks holds the address. "::/0" holds no IPv4 one. */
bool client_ranges_have(const struct client_ranges *ranges, const struct client_address *address)
{
	for (size_t i = 0; i < ranges->n; i++) {
		const struct client_range *range = &ranges->at[i];

		if (range->n_bits < MAPPED_BITS && is_mapped(address->bytes))
			continue;
		if (range_has(range, address))
			return true;
	}
	return false;
}

static struct slice trim(struct slice text)
{
	while (text.length && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.length--;
	}
	while (text.length && (text.at[text.length - 1] == ' ' || text.at[text.length - 1] == '\t'))
		text.length--;
	return text;
}

/* Return: 0 or CLIENT_E_MALFORMED. */
int client_address_read(struct slice text, struct client_address *ret_address)
{
	const char *colon, *bracket;
	struct slice bare;

	text = trim(text);
	if (text.length >= 2 && text.at[0] == '"' && text.at[text.length - 1] == '"')
		text = (struct slice){ text.at + 1, text.length - 2 };
	if (text.length && text.at[0] == '[') {
		bracket = memchr(text.at, ']', text.length);
		if (!bracket)
			return CLIENT_E_MALFORMED;
		bare = (struct slice){ text.at + 1, (size_t)(bracket - text.at) - 1 };
		text.length -= bare.length + 2;
		text.at = bracket + 1;
		if (text.length &&
		    (text.at[0] != ':' || !is_port((struct slice){ text.at + 1, text.length - 1 })))
			return CLIENT_E_MALFORMED;
		return read_bare(bare, false, ret_address) ? 0 : CLIENT_E_MALFORMED;
	}
	colon = text.length ? memchr(text.at, ':', text.length) : NULL;
	if (!colon)
		return read_bare(text, true, ret_address) ? 0 : CLIENT_E_MALFORMED;
	bare = (struct slice){ text.at, (size_t)(colon - text.at) };
	if (memchr(bare.at, '.', bare.length))
		return is_port((struct slice){ colon + 1, text.length - bare.length - 1 }) &&
				       read_bare(bare, true, ret_address)
			       ? 0
			       : CLIENT_E_MALFORMED;
	return read_bare(text, false, ret_address) ? 0 : CLIENT_E_MALFORMED;
}

/* Of an accepted connection; all zero for a socket that has no network address. */
void client_address_from(const struct sockaddr *socket, struct client_address *ret_address)
{
	struct client_address address = { { 0 } };

	if (socket && socket->sa_family == AF_INET) {
		struct sockaddr_in in4;

		memcpy(&in4, socket, sizeof(in4));
		memcpy(address.bytes, mapped, sizeof(mapped));
		memcpy(address.bytes + sizeof(mapped), &in4.sin_addr, sizeof(in4.sin_addr));
	} else if (socket && socket->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, socket, sizeof(in6));
		memcpy(address.bytes, &in6.sin6_addr, sizeof(address.bytes));
	}
	*ret_address = address;
}

/* The last element of a list, which is cut off from it. */
static struct slice take_last(struct slice *line)
{
	const char *comma = line->length ? memrchr(line->at, ',', line->length) : NULL;
	struct slice element = *line;

	if (comma) {
		element.at = comma + 1;
		element.length = line->length - (size_t)(element.at - line->at);
		line->length = (size_t)(comma - line->at);
	} else {
		line->length = 0;
		line->at = NULL;
	}
	return element;
}

struct client_address client_find(const struct client_address *peer,
				  const struct client_ranges *trusted, const struct slice *lines,
				  size_t n_lines)
{
	struct client_address client = *peer;

	while (n_lines > 0) {
		struct slice line = lines[--n_lines];

		while (line.at) {
			/* What cannot be read was not written by the hop that is trusted for it. */
			if (!client_ranges_have(trusted, &client) ||
			    client_address_read(take_last(&line), &client))
				return client;
		}
	}
	return client;
}

/* 127.0.0.0/8 or ::1. */
bool client_is_loopback(const struct client_address *address)
{
	static const uint8_t loopback[CLIENT_ADDRESS_SIZE] = { [15] = 1 };

	return is_mapped(address->bytes) ? address->bytes[sizeof(mapped)] == 127
					 : memcmp(address->bytes, loopback, sizeof(loopback)) == 0;
}

void client_network(const struct client_address *address, uint8_t ret_network[CLIENT_NETWORK_SIZE])
{
	memset(ret_network, 0, CLIENT_NETWORK_SIZE);
	if (is_mapped(address->bytes)) {
		ret_network[0] = 4;
		memcpy(ret_network + 1, address->bytes + sizeof(mapped), NETWORK_4_BITS / 8);
	} else {
		ret_network[0] = 6;
		memcpy(ret_network + 1, address->bytes, CLIENT_NETWORK_SIZE - 1);
	}
}
