/* Listening addresses. Numeric only: what a name resolves to is not for a daemon to guess. */

#include <arpa/inet.h>
#include <string.h>

#include "daemon/app/address.h"

static int port_read(const char *text, unsigned *ret_port)
{
	unsigned port = 0;

	if (*text == '\0' || *text == '0' || strlen(text) > 5)
		return ADDRESS_E_MALFORMED;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return ADDRESS_E_MALFORMED;
		port = port * 10 + (unsigned)(*text - '0');
	}
	if (port > 65535)
		return ADDRESS_E_MALFORMED;
	*ret_port = port;
	return 0;
}

/* Returns 0 or ADDRESS_E_MALFORMED. */
int address_read(const char *text, struct address *ret_address)
{
	struct address address = { 0 };
	bool is_bracketed = text[0] == '[';
	const char *end = is_bracketed ? strstr(text, "]:") : strchr(text, ':');
	const char *host = text + is_bracketed;
	struct in_addr four;
	struct in6_addr six;
	size_t length;

	if (!end)
		return ADDRESS_E_MALFORMED;
	length = (size_t)(end - host);
	if (length == 0 || length >= sizeof(address.host))
		return ADDRESS_E_MALFORMED;
	memcpy(address.host, host, length);
	if (port_read(end + 1 + is_bracketed, &address.port))
		return ADDRESS_E_MALFORMED;
	if (is_bracketed) {
		if (inet_pton(AF_INET6, address.host, &six) != 1)
			return ADDRESS_E_MALFORMED;
		address.is_loopback = IN6_IS_ADDR_LOOPBACK(&six);
	} else {
		if (inet_pton(AF_INET, address.host, &four) != 1)
			return ADDRESS_E_MALFORMED;
		address.is_loopback = ntohl(four.s_addr) >> 24 == 127;
	}
	*ret_address = address;
	return 0;
}
