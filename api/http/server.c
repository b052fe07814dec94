/*
 * The listeners of one web process and the connections that came through them. When the limit of
 * connections or of file descriptors is reached, accepting pauses; the kernel's queue holds the
 * others meanwhile.
 */

#include "api/http/server.h"
#include "api/http/connection.h"
#include "api/http/cors.h"
#include "api/http/network.h"
#include "daemon/base/log.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LISTENERS_MAX = 64, LISTEN_BACKLOG = 1024, ACCEPT_PAUSE_MS = 100, BUFFERS_MAX = 64 << 20 };

struct listener {
	struct server *server;
	struct evconnlistener *events;
	struct tls *tls; /* NULL: plain */
};

struct server {
	struct connection_owner owner; /* first: connections know nothing else */
	struct router *router;
	struct exchange_gate gate;
	struct exchange_ids ids;
	struct cors cors;
	struct listener listeners[LISTENERS_MAX];
	size_t n_listeners;
	struct event *pause;
	bool is_full; /* not even the reserve is left */
	void (*drained)(void *context);
	void *drained_context;
};

static void set_accepting(struct server *server, bool is_accepting)
{
	for (size_t i = 0; i < server->n_listeners; i++) {
		if (is_accepting)
			evconnlistener_enable(server->listeners[i].events);
		else
			evconnlistener_disable(server->listeners[i].events);
	}
}

static void on_closed(struct connection_owner *owner)
{
	struct server *server = (struct server *)owner;
	void (*drained)(void *context) = server->drained;

	if (!owner->is_draining) {
		if (server->is_full) {
			server->is_full = false;
			set_accepting(server, true);
		}
		return;
	}
	if (owner->n_connections == 0 && drained) {
		server->drained = NULL;
		drained(server->drained_context);
	}
}

static void on_accept(struct evconnlistener *events, evutil_socket_t fd, struct sockaddr *address,
		      int length, void *context)
{
	const struct listener *listener = context;
	struct server *server = listener->server;
	struct client_address peer;

	client_address_from(address, &peer);
	/* Who waits for nothing makes room. When everybody works, what is left is for emergencies:
	 * see exchange_authenticate(). */
	if (server->owner.n_connections >= server->owner.limits.connections_max)
		connection_evict(&server->owner);
	if (connection_new_take(&server->owner, fd, listener->tls, &peer))
		return;
	if (server->owner.n_connections >= server->owner.limits.connections_max + SERVER_RESERVE) {
		server->is_full = true;
		set_accepting(server, false);
	}
}

static void on_pause_end(evutil_socket_t fd, short what, void *context)
{
	struct server *server = context;

	if (!server->owner.is_draining && !server->is_full)
		set_accepting(server, true);
}

/* Out of file descriptors: without a pause the loop would spin on the waiting connection. */
static void on_accept_error(struct evconnlistener *events, void *context)
{
	struct server *server = ((const struct listener *)context)->server;
	struct timeval delay = { 0, ACCEPT_PAUSE_MS * 1000 };

	log_say(LOG_LEVEL_ERROR, "accepting a connection failed: %s", strerror(errno));
	set_accepting(server, false);
	event_add(server->pause, &delay);
}

static unsigned or_default(unsigned number, unsigned otherwise)
{
	return number ? number : otherwise;
}

/**
 * server_new() - a server without listeners
 * @config: copied; what it points at is borrowed for the server's life
 *
 * Return: 0, -ENOMEM, -EINVAL for a broken route table.
 */
int server_new(struct event_base *base, const struct server_config *config,
	       struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->cors = (struct cors){ config->cors_origins, config->n_cors_origins,
				      config->is_wiki_origin };
	server->gate = config->gate;
	server->gate.cors = &server->cors;
	server->gate.ids = &server->ids;
	if (config->counters)
		server->gate.n_overloaded = &config->counters->n_overloaded;
	server->owner = (struct connection_owner){
		.base = base,
		.gate = &server->gate,
		.application = config->application,
		.answered = config->answered,
		.hosts = config->hosts,
		.n_hosts = config->n_hosts,
		.knows_own_address = config->knows_own_address,
		.trusted = config->trusted_proxies,
		.limits = {
			.head_timeout_ms = or_default(config->head_timeout_ms, 10000),
			.body_idle_ms = or_default(config->body_idle_ms, 10000),
			.body_rate = or_default(config->body_rate, 1024),
			.stream_rate = or_default(config->stream_rate, 4096),
			.write_timeout_ms = or_default(config->write_timeout_ms, 30000),
			.write_rate = or_default(config->write_rate, 16 * 1024),
			.idle_timeout_ms = or_default(config->idle_timeout_ms, 60000),
			.exchange_ms = or_default(config->exchange_ms, 30000),
			.connections_max = or_default(config->connections_max, 10000),
			.network_max = config->network_max,
			.buffers_max = config->buffers_max ? config->buffers_max : BUFFERS_MAX,
		},
		.closed = on_closed,
		.counters = config->counters,
	};
	r = router_new(config->routes, config->n_routes, &server->router);
	if (r) {
		server_free(server);
		return r;
	}
	server->owner.router = server->router;
	server->pause = evtimer_new(base, on_pause_end, server);
	server->owner.staged = evbuffer_new();
	r = networks_new(&server->owner.networks);
	if (!server->pause || !server->owner.staged || r < 0) {
		server_free(server);
		return r < 0 ? r : -ENOMEM;
	}
	*ret_server = server;
	return 0;
}

static void close_listeners(struct server *server)
{
	while (server->n_listeners)
		evconnlistener_free(server->listeners[--server->n_listeners].events);
}

/* Takes NULL and half-built servers; returns NULL. */
struct server *server_free(struct server *server)
{
	if (!server)
		return NULL;
	server->drained = NULL;
	server->owner.is_draining = true;
	while (server->owner.first)
		connection_free(server->owner.first);
	close_listeners(server);
	if (server->pause)
		event_free(server->pause);
	if (server->owner.staged)
		evbuffer_free(server->owner.staged);
	networks_free(server->owner.networks);
	buffer_deinit(&server->owner.wire.head);
	router_free(server->router);
	free(server);
	return NULL;
}

/* `fd` is the server's from the call on, also when it fails. */
int server_listen_take(struct server *server, int fd, struct tls *tls)
{
	struct listener *listener = &server->listeners[server->n_listeners];

	if (server->n_listeners == LISTENERS_MAX) {
		close(fd);
		return -ENOSPC;
	}
	*listener = (struct listener){ .server = server, .tls = tls };
	listener->events = evconnlistener_new(server->owner.base, on_accept, listener,
					      LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!listener->events) {
		close(fd);
		return -ENOMEM;
	}
	evconnlistener_set_error_cb(listener->events, on_accept_error);
	server->n_listeners++;
	return 0;
}

void server_set_hosts(struct server *server, const char *const *hosts, size_t n_hosts)
{
	server->owner.hosts = hosts;
	server->owner.n_hosts = n_hosts;
}

/**
 * server_open_listener() - a bound, listening, non-blocking TCP socket
 * @address: numeric IPv4 or IPv6; an IPv6 one takes IPv6 alone
 * @is_shared: SO_REUSEPORT: several processes listen on one port
 *
 * Return: 0, -EINVAL for an address that is not numeric, or -errno of the failing call.
 */
int server_open_listener(const char *address, unsigned port, bool is_shared, int *ret_fd)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	bool is_in4 = inet_pton(AF_INET, address, &in4.sin_addr) == 1;
	int fd, on = 1, r;

	if (port > UINT16_MAX || (!is_in4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1))
		return -EINVAL;
	fd = socket(is_in4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (is_shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (is_in4) {
		r = bind(fd, (struct sockaddr *)&in4, sizeof(in4));
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
		r = bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	}
	if (r == 0)
		r = listen(fd, LISTEN_BACKLOG);
	if (r < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* Begins to drain. Called again it only replaces the callback. */
void server_drain(struct server *server, unsigned idle_ms, void (*done)(void *context),
		  void *context)
{
	struct connection *next;

	/* Closed, not only left alone: the kernel queues connections until the last copy is. */
	close_listeners(server);
	server->owner.is_draining = true;
	server->owner.drain_idle_ms = idle_ms;
	for (struct connection *at = server->owner.first; at; at = next) {
		next = connection_next(at);
		connection_drain(at);
	}
	if (server->owner.n_connections == 0) {
		done(context);
		return;
	}
	server->drained = done;
	server->drained_context = context;
}

/* Open connections, idle ones included. */
size_t server_n_connections(const struct server *server)
{
	return server->owner.n_connections;
}
