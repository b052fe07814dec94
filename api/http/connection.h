#pragma once
/* Inside api/http: one client connection. One request is in flight at a time, in order. */

#include "api/http/parser.h"
#include "api/http/reply.h"
#include "api/http/server.h"
#include "api/http/wire.h"

#include <event2/util.h>

struct server_limits {
	unsigned head_timeout_ms;
	unsigned body_idle_ms;
	unsigned body_rate;
	unsigned stream_rate;
	unsigned write_timeout_ms;
	unsigned write_rate;
	unsigned idle_timeout_ms;
	unsigned exchange_ms;
	size_t connections_max;
	size_t network_max; /* connections; 0: as many as there are */
	size_t buffers_max;
};

/* What connections need of their server, and tell it. */
struct connection_owner {
	struct event_base *base;
	const struct router *router;
	const struct exchange_gate *gate;
	void *application;
	void (*answered)(void *application, int status);
	const char *const *hosts;
	size_t n_hosts;
	bool knows_own_address;
	struct client_ranges trusted; /* proxies */
	struct server_limits limits;
	bool is_draining;
	unsigned drain_idle_ms; /* for one more request of a connection that is idle */
	struct wire wire;
	struct evbuffer *staged;  /* one answer on its way to TLS; else empty */
	struct connection *first; /* all connections, unordered */
	size_t n_connections;
	struct networks *networks;
	struct connection *oldest, *youngest;           /* those that wait for their clients */
	size_t n_held;                                  /* bytes of requests and answers */
	struct page_web *counters;                      /* may be NULL */
	void (*closed)(struct connection_owner *owner); /* one has gone */
};

int connection_new_take(struct connection_owner *owner, evutil_socket_t fd, struct tls *tls,
			const struct client_address *peer);
struct connection *connection_free(struct connection *connection);
struct connection *connection_next(const struct connection *connection);
/* Closes the connection that has waited longest for its client; false: none waits. */
bool connection_evict(struct connection_owner *owner);
/* The server drains: connections without a request close now, others after their answer. */
void connection_drain(struct connection *connection);
