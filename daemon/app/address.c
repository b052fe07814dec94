/* Listening addresses. Numeric only: what a name resolves to is not for a daemon to guess. */

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

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

static bool is_loopback_six(const struct in6_addr *address)
{
	return memcmp(address, &in6addr_loopback, sizeof(*address)) == 0;
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
		address.is_loopback = is_loopback_six(&six);
		(void)inet_ntop(AF_INET6, &six, address.host, sizeof(address.host));
	} else {
		if (inet_pton(AF_INET, address.host, &four) != 1)
			return ADDRESS_E_MALFORMED;
		address.is_loopback = ntohl(four.s_addr) >> 24 == 127;
	}
	*ret_address = address;
	return 0;
}

/* Where a listening TCP socket listens. Returns 0, ADDRESS_E_MALFORMED for another kind, or -errno.
 */
int address_of_socket(int fd, struct address *ret_address)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_storage room;
	} name = { 0 };
	struct address address = { 0 };
	socklen_t length = sizeof(name);
	int is_listening = 0;
	socklen_t size = sizeof(is_listening);

	if (getsockname(fd, &name.any, &length) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &is_listening, &size) < 0)
		return -errno;
	if (!is_listening)
		return ADDRESS_E_MALFORMED;
	if (name.any.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &name.four.sin_addr, address.host, sizeof(address.host));
		address.port = ntohs(name.four.sin_port);
		address.is_loopback = ntohl(name.four.sin_addr.s_addr) >> 24 == 127;
	} else if (name.any.sa_family == AF_INET6) {
		(void)inet_ntop(AF_INET6, &name.six.sin6_addr, address.host, sizeof(address.host));
		address.port = ntohs(name.six.sin6_port);
		address.is_loopback = is_loopback_six(&name.six.sin6_addr);
	} else {
		return ADDRESS_E_MALFORMED;
	}
	*ret_address = address;
	return 0;
}

bool address_equals(const struct address *a, const struct address *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}
