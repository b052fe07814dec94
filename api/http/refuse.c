/* What is settled before there is a route: who asks, a Host of somebody else, a head that is none.
 */

#include "api/http/state.h"

#include <event2/bufferevent.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

static bool is_loopback(struct slice name)
{
	static const char *const names[] = { "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (name.length == strlen(names[i]) &&
		    strncasecmp(name.at, names[i], name.length) == 0)
			return true;
	return false;
}

/* Scrapers and balancers that are given an address name it. No page can: what is looked up for it
 * is named by its own name. */
static bool is_own_address(const struct connection *connection, struct slice name)
{
	struct client_address named, own;
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);

	if (client_address_read(name, &named) ||
	    getsockname(bufferevent_getfd(connection->bev), (struct sockaddr *)&address, &length))
		return false;
	client_address_from((struct sockaddr *)&address, &own);
	return memcmp(named.bytes, own.bytes, sizeof(own.bytes)) == 0;
}

/* Host without its port against what the server answers for. */
bool connection_is_host_known(const struct connection *connection, struct slice host)
{
	const struct connection_owner *owner = connection->owner;
	const char *bracket = memchr(host.at, ']', host.length);
	const char *from = bracket ? bracket : host.at;
	const char *colon = memchr(from, ':', host.length - (size_t)(from - host.at));
	struct slice name = { host.at, colon ? (size_t)(colon - host.at) : host.length };

	for (size_t i = 0; i < owner->n_hosts; i++)
		if (name.length == strlen(owner->hosts[i]) &&
		    strncasecmp(name.at, owner->hosts[i], name.length) == 0)
			return true;
	return is_loopback(name) || (owner->knows_own_address && is_own_address(connection, name));
}

/* The error's key for what the parser refused. */
const char *connection_refusal_key(int status)
{
	switch (status) {
	case 414:
		return "conduct-target-too-long";
	case 417:
		return "conduct-expectation";
	case 431:
		return "conduct-head-too-large";
	case 501:
		return "conduct-unsupported-method";
	case 505:
		return "conduct-http-version";
	default:
		return "conduct-bad-request";
	}
}

/* What only a trusted proxy may say: who asks, and what the request is called. */
void connection_name_client(struct connection *connection, const struct http_request *request)
{
	const struct client_ranges *trusted = &connection->owner->trusted;
	struct exchange *exchange = connection->exchange;

	exchange->client = connection->peer;
	if (!client_ranges_have(trusted, &connection->peer))
		return;
	exchange->client = client_find(&connection->peer, trusted, request->forwarded,
				       request->n_forwarded);
	exchange_take_id(exchange, request->headers[HTTP_HEADER_X_REQUEST_ID]);
}
