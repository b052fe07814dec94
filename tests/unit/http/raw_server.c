/*
 * The real HTTP library with a handful of routes that mimic the daemon's, for the raw-socket tests:
 * everything that is refused before a handler runs is the library's and can be tested without a
 * database. Prints its address; its time limits are short. TERM drains it.
 */

#include "api/http/server.h"
#include "daemon/base/log.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>

static void get_policy(struct exchange *exchange)
{
	CLEANUP(value_freep) struct value *value = value_new_object();

	exchange_set_etag(exchange, "one");
	exchange_set_public(exchange, 60);
	value_set_string(value, "version", "one");
	value_set_text(value, "wiki", exchange_query(exchange, "wiki"));
	exchange_reply_json(exchange, 200, value);
}

static void post_report(struct exchange *exchange)
{
	if (!exchange_require_key(exchange))
		return;
	if (!value_get(exchange->json, "details"))
		exchange_refuse(exchange, 422, "conduct-invalid-body");
	else
		exchange_reply_json(exchange, 201, exchange->json);
}

static void get_case(struct exchange *exchange)
{
	exchange_refuse(exchange, 404, "conduct-not-found");
}

static void act(struct exchange *exchange)
{
	int64_t revision;
	int r = exchange_read_if_match(exchange, &revision);

	if (r)
		exchange_refuse(exchange, r == EXCHANGE_E_ABSENT ? 428 : 412,
				r == EXCHANGE_E_ABSENT ? "conduct-precondition-required"
						       : "conduct-precondition-failed");
	else
		exchange_refuse(exchange, 404, "conduct-not-found");
}

/* Anybody whose token says "demo". */
static void authenticate(void *context, struct exchange *exchange, enum audience audience,
			 void (*next)(struct exchange *exchange))
{
	const char *header = exchange->headers[HTTP_HEADER_AUTHORIZATION].at;

	if (header && strcmp(header, "Bearer demo") == 0)
		next(exchange);
	else
		exchange_refuse(exchange, 401, "conduct-unauthorized");
}

static const struct route routes[] = {
	{ HTTP_GET, "/v1/policy", AUDIENCE_PUBLIC, 0, 0, get_policy, { "wiki", "lang" } },
	{ HTTP_POST,
	  "/v1/reports",
	  AUDIENCE_LATE,
	  ROUTE_BODY_DEFAULT,
	  ROUTE_KEY_LATE | ROUTE_PADDED,
	  post_report,
	  { NULL } },
	{ HTTP_GET,
	  "/v1/cases/{id}",
	  AUDIENCE_ACCOUNT,
	  0,
	  ROUTE_SLOT | ROUTE_UUIDS,
	  get_case,
	  { NULL } },
	{ HTTP_POST,
	  "/v1/cases/{id}/actions/{action}",
	  AUDIENCE_ACCOUNT,
	  ROUTE_BODY_DEFAULT,
	  ROUTE_KEY | ROUTE_SLOT | ROUTE_UUIDS,
	  act,
	  { NULL } },
};

static void leave(void *context)
{
	event_base_loopexit(context, NULL);
}

struct program {
	struct event_base *base;
	struct server *server;
};

static void on_term(evutil_socket_t fd, short what, void *context)
{
	struct program *program = context;

	server_drain(program->server, 0, leave, program->base);
}

static int print_address(int fd)
{
	struct sockaddr_in address = { 0 };
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length))
		return -errno;
	printf("http://127.0.0.1:%u\n", ntohs(address.sin_port));
	return fflush(stdout) ? -errno : 0;
}

int main(void)
{
	const struct server_config config = {
		.routes = routes,
		.n_routes = ARRAY_SIZE(routes),
		.gate = { authenticate, NULL },
		.head_timeout_ms = 400,
		.body_idle_ms = 400,
		.write_timeout_ms = 400,
		.write_rate = 1024 * 1024,
		.idle_timeout_ms = 4000,
	};
	struct program program = { event_base_new(), NULL };
	struct event *term;
	int fd;

	signal(SIGPIPE, SIG_IGN);
	log_init("raw", LOG_LEVEL_WARN);
	if (!program.base || server_new(program.base, &config, &program.server) ||
	    server_open_listener("127.0.0.1", 0, false, &fd) || print_address(fd) ||
	    server_listen_take(program.server, fd, NULL))
		return 1;
	term = evsignal_new(program.base, SIGTERM, on_term, &program);
	event_add(term, NULL);
	event_base_dispatch(program.base);
	event_free(term);
	server_free(program.server);
	event_base_free(program.base);
	return 0;
}
