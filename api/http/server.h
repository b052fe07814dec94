#pragma once
/* HTTP/1.1 on libevent: listeners, connections, time limits, draining. One per web process. */

#include "api/http/exchange.h"
#include "api/http/reply.h"
#include "daemon/ipc/page.h"

enum { SERVER_RESERVE = 32 /* connections above the limit, for emergencies alone */ };

struct event_base;
struct server;
struct tls;

/* 0 means the default beside it. Hosts are names without port, lower case. */
struct server_config {
	const struct route *routes;
	size_t n_routes;
	struct exchange_gate gate;
	void *application; /* becomes exchange->application */
	/* Told of every answer, also of what is refused before a route; may be NULL. */
	void (*answered)(void *application, int status);
	const char *const *hosts; /* what Host may name; loopback literals may always */
	size_t n_hosts;
	bool knows_own_address; /* and the address that a connection came to */
	struct client_ranges trusted_proxies;
	const char *const *cors_origins; /* exact */
	size_t n_cors_origins;
	/* Further origins; may be NULL. */
	bool (*is_wiki_origin)(void *application, struct slice origin);
	unsigned head_timeout_ms;  /* 10,000: from a head's first byte to its end */
	unsigned body_idle_ms;     /* 10,000: between two bytes of a body */
	unsigned body_rate;        /* 1,024 bytes a second, at least, over a whole body */
	unsigned stream_rate;      /* 4,096 bytes a second: of one that is taken in pieces */
	unsigned write_timeout_ms; /* 30,000: for an answer to leave, and by its length: */
	unsigned write_rate;       /* 16,384 bytes a second */
	unsigned idle_timeout_ms;  /* 60,000: between two requests */
	unsigned connections_max;  /* 10,000; fewer when there are not so many descriptors */
	unsigned network_max;      /* connections of one network; 0: there is no limit */
	unsigned exchange_ms;      /* 30,000: for an answer to be there */
	size_t buffers_max;        /* 64 MiB: requests and answers that are held at once */
	struct page_web *counters; /* may be NULL */
};

int server_new(struct event_base *base, const struct server_config *config,
	       struct server **ret_server);
/* Closes what is still open, at once; no exchange may be in flight. */
struct server *server_free(struct server *server);
/* Takes a listening, non-blocking socket; closed with the server. With tls, which is borrowed for
 * as long, its connections are TLS. */
int server_listen_take(struct server *server, int fd, struct tls *tls);
/* What Host may name from now on; borrowed like the configuration's. */
void server_set_hosts(struct server *server, const char *const *hosts, size_t n_hosts);
/* A listening TCP socket on a numeric address, "127.0.0.1" or "::1"; port 0: any free one. */
int server_open_listener(const char *address, unsigned port, bool is_shared, int *ret_fd);
/* Closes the listeners; in-flight exchanges are answered with Connection: close, and idle
 * connections have idle_ms for one more request. done(context) runs once, from the loop or before
 * this returns, when no connection is left. */
void server_drain(struct server *server, unsigned idle_ms, void (*done)(void *context),
		  void *context);
size_t server_n_connections(const struct server *server);
