/*
 * One client connection: reads a head, then a body, waits for the answer, writes it, and begins
 * again. The state changes in connection_enter() alone; each state has its own deadline. Input is
 * not read while an exchange is in flight, and no further request is begun while too much output
 * waits, so a client can make us hold only a bounded amount. An exchange outlives its client: when
 * the client leaves, the answer is dropped, the work is not.
 */

#include "api/http/state.h"
#include "api/http/cors.h"
#include "api/http/tls.h"
#include "api/http/wire.h"
#include "daemon/base/log.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

enum {
	OUTPUT_MAX = 256 * 1024,      /* no new request is begun above this */
	INPUT_MAX = 16 * 1024,        /* read at once, and so ahead of a body */
	REFUSED_BODY_MAX = 64 * 1024, /* read and dropped, so that the connection can go on */
	DRAIN_FRESH_MS = 1000, /* for the first request of a connection that is there already */
};

/* A new exchange; false: no memory, and the connection has been closed. */
static bool begin_exchange(struct connection *connection)
{
	struct connection_owner *owner = connection->owner;

	connection->refusal = (struct exchange_refusal){ 0 };
	connection->body_length = 0;
	connection->n_body_seen = 0;
	connection->request_us = connection_now_us();
	if (exchange_new(owner->gate, owner->application, connection_deliver,
			 &connection->exchange)) {
		connection_enter(connection, CONNECTION_CLOSED);
		return false;
	}
	connection->exchange->connection = connection;
	/* There may be room again since it was accepted. */
	connection->exchange->reply->is_reserve =
		connection->is_reserve && (owner->n_connections > owner->limits.connections_max ||
					   network_is_over(connection->network, 0));
	return true;
}

/* Answers what never became a request, and closes after it. */
static void refuse_and_close(struct connection *connection, int status, const char *key)
{
	connection->is_last = true;
	if (!connection->exchange && !begin_exchange(connection))
		return;
	connection->request_us = connection_now_us();
	connection_enter(connection, CONNECTION_BUSY);
	exchange_refuse(connection->exchange, status, key);
}

/* The request is complete: hands it over. */
static void dispatch(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;

	connection->request_us = connection_now_us();
	connection_enter(connection, CONNECTION_BUSY);
	if (connection->refusal.status == 204)
		exchange_reply_empty(exchange, 204);
	else if (connection->refusal.status)
		exchange_refuse(exchange, connection->refusal.status, connection->refusal.key);
	else
		exchange_admit_body(exchange);
}

/* A body takes so long: from its head on by its length, between two bytes of it no longer. */
static void set_body_deadline(struct connection *connection, unsigned rate)
{
	connection->deadline_us = connection_now_us() +
				  (int64_t)connection->owner->limits.body_idle_ms * 1000 +
				  (int64_t)connection->body_length * 1000000 / rate;
}

/* The handler runs now, and takes the body itself. */
static void take_stream(struct connection *connection, const struct http_request *request)
{
	if (!connection_has_room(connection->owner, CONNECTION_STREAM_ROOM)) {
		refuse_and_close(connection, 503, "conduct-unavailable");
		return;
	}
	connection_hold(connection, CONNECTION_STREAM_ROOM);
	connection->owes_continue = request->expects_continue;
	connection->exchange->stream.left = connection->body_length;
	set_body_deadline(connection, connection->owner->limits.stream_rate);
	dispatch(connection);
}

/* After a head that the parser took. */
static void take_head(struct connection *connection, const struct http_request *request)
{
	struct exchange *exchange = connection->exchange;
	uint64_t body_max = REFUSED_BODY_MAX;
	int r = 0;

	connection->is_head = request->method == HTTP_HEAD;
	connection->is_last = !request->is_keep_alive;
	connection->body_length = request->content_length;
	connection->refusal = (struct exchange_refusal){ 421, "conduct-foreign-host" };
	connection_name_client(connection, request);
	if (!connection_is_host_known(connection, request->headers[HTTP_HEADER_HOST]))
		cors_admit(exchange, request->headers[HTTP_HEADER_ORIGIN]);
	else
		r = exchange_admit_head(exchange, request, connection->owner->router,
					&connection->refusal);
	if (r) {
		connection->is_last = true;
		exchange_fail(exchange, r);
		return;
	}
	if (exchange->route && exchange->route->body_max &&
	    !(exchange->route->flags & ROUTE_STREAM))
		body_max = exchange->route->body_max;
	if (connection->refusal.status &&
	    (connection->body_length > body_max || request->expects_continue)) {
		connection->is_last = true;
		connection->body_length = 0;
	}
	if (!connection->refusal.status && connection_is_stream(connection)) {
		take_stream(connection, request);
		return;
	}
	if (connection->body_length == 0) {
		dispatch(connection);
		return;
	}
	if (!connection_has_room(connection->owner, connection->body_length)) {
		refuse_and_close(connection, 503, "conduct-unavailable");
		return;
	}
	connection_hold(connection, connection->body_length);
	if (request->expects_continue)
		wire_write_continue(bufferevent_get_output(connection->bev));
	set_body_deadline(connection, connection->owner->limits.body_rate);
	connection_enter(connection, CONNECTION_BODY);
}

/* True when something was done and there may be more to do. */
static bool read_head(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t available = evbuffer_get_length(input), length;
	struct http_request request;
	struct slice bytes;
	int r, status;

	if (available == 0)
		return false;
	if (available > HTTP_HEAD_MAX + 1)
		available = HTTP_HEAD_MAX + 1;
	bytes = (struct slice){ (const char *)evbuffer_pullup(input, (ssize_t)available),
				available };
	if (!bytes.at) {
		connection_enter(connection, CONNECTION_CLOSED);
		return false;
	}
	r = http_parse_head(&connection->parser, bytes, &request, &length, &status);
	if (r == HTTP_E_MORE) {
		if (connection->state == CONNECTION_IDLE)
			connection_enter(connection, CONNECTION_HEAD);
		return false;
	}
	if (r == HTTP_E_REFUSED) {
		connection->is_head = false;
		if (!begin_exchange(connection))
			return false;
		cors_admit(connection->exchange, cors_find(bytes));
		refuse_and_close(connection, status, connection_refusal_key(status));
		return true;
	}
	if (!begin_exchange(connection))
		return false;
	connection->parser = (struct http_parser)HTTP_PARSER_NULL;
	connection_enter(connection, CONNECTION_BUSY);
	take_head(connection, &request);
	evbuffer_drain(input, length);
	return true;
}

static bool read_body(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	size_t available = evbuffer_get_length(input);
	struct exchange *exchange = connection->exchange;
	char *body;

	if (available < connection->body_length) {
		/* Only progress moves the idle limit. */
		if (available > connection->n_body_seen) {
			connection->n_body_seen = available;
			connection_set_body_timer(connection);
		}
		return false;
	}
	body = arena_alloc(exchange->arena, connection->body_length + 1);
	if (!body) {
		evbuffer_drain(input, connection->body_length);
		connection_enter(connection, CONNECTION_BUSY);
		exchange_fail(exchange, -ENOMEM);
		return true;
	}
	evbuffer_remove(input, body, connection->body_length);
	exchange->body = (struct slice){ body, connection->body_length };
	dispatch(connection);
	return true;
}

/* When too much waits for clients already, each fetches its last answer before the next. */
static size_t output_max(const struct connection_owner *owner)
{
	return owner->n_held > owner->limits.buffers_max ? 0 : OUTPUT_MAX;
}

/* After an answer: the next request, or the end. True when there may be more to do. */
static bool finish_answer(struct connection *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);

	if (connection->is_last) {
		/* Closing with unread input resets the connection and may take the answer along. */
		connection_enter(connection, CONNECTION_LINGER);
		return false;
	}
	if (evbuffer_get_length(output) > output_max(connection->owner)) {
		connection_enter(connection, CONNECTION_FULL);
		return false;
	}
	connection_enter(connection, CONNECTION_IDLE);
	return true;
}

static void linger(struct connection *connection)
{
	struct evbuffer *input = bufferevent_get_input(connection->bev);

	evbuffer_drain(input, evbuffer_get_length(input));
	if (evbuffer_get_length(bufferevent_get_output(connection->bev)))
		return;
	connection->written_us = 0;
	if (connection->has_ended) {
		connection_enter(connection, CONNECTION_CLOSED);
		return;
	}
	if (connection->is_tls)
		http_tls_end(connection->bev);
	shutdown(bufferevent_getfd(connection->bev), SHUT_WR);
}

/* Does whatever can be done now. Handlers that answer at once come back here by looping, not by
 * recursion: a thousand pipelined requests take one stack frame. */
void connection_run(struct connection *connection)
{
	bool goes_on = true;

	connection->is_running = true;
	while (goes_on) {
		switch (connection->state) {
		case CONNECTION_IDLE:
		case CONNECTION_HEAD:
			goes_on = read_head(connection);
			break;
		case CONNECTION_BODY:
			goes_on = read_body(connection);
			break;
		case CONNECTION_TAKE:
			goes_on = connection_take(connection);
			break;
		case CONNECTION_BUSY:
			goes_on = !connection->exchange && finish_answer(connection);
			break;
		default:
			goes_on = false;
		}
	}
	if (connection->state == CONNECTION_LINGER)
		linger(connection);
	if (connection->state == CONNECTION_LATE && !connection->exchange)
		connection_enter(connection, CONNECTION_CLOSED);
	if (connection->state == CONNECTION_BUSY)
		connection_set_timer(connection,
				     (int64_t)connection->owner->limits.exchange_ms * 1000);
	connection->is_running = false;
	connection_sync(connection);
	if (connection->has_ended && connection->state == CONNECTION_TAKE)
		connection_enter(connection, CONNECTION_CLOSED);
	if (connection->has_ended && !connection->exchange &&
	    (connection->state == CONNECTION_IDLE || connection->state == CONNECTION_HEAD ||
	     connection->state == CONNECTION_BODY)) {
		connection->is_last = true;
		connection_enter(connection, CONNECTION_LINGER);
		linger(connection);
	}
	if (connection->state == CONNECTION_CLOSED)
		connection_close(connection);
}

static void on_read(struct bufferevent *bev, void *context)
{
	connection_run(context);
}

/* The output is empty. */
static void on_write(struct bufferevent *bev, void *context)
{
	struct connection *connection = context;

	connection->written_us = 0;
	if (!connection->exchange)
		connection_hold(connection, 0);
	if (connection->state == CONNECTION_FULL)
		connection_enter(connection, CONNECTION_IDLE);
	if (connection->state == CONNECTION_SEND)
		connection_sent(connection);
	else
		connection_run(connection);
}

static void on_event(struct bufferevent *bev, short what, void *context)
{
	struct connection *connection = context;

	if (what & BEV_EVENT_CONNECTED) {
		connection_enter(connection, CONNECTION_IDLE);
		if (connection->owner->is_draining)
			connection_drain(connection);
		return;
	}
	connection->has_ended = true;
	if (!(what & BEV_EVENT_EOF) || connection->state == CONNECTION_SHAKE) {
		connection_close(connection);
		return;
	}
	if (connection->is_running)
		return;
	if (connection->state == CONNECTION_BODY) {
		/* Half a body will never be whole; the exchange has not begun. */
		connection->exchange = exchange_free(connection->exchange);
		connection_close(connection);
		return;
	}
	connection_run(connection);
}

/* The handler takes too long: its client is told so, and its answer will go nowhere. */
static void answer_late(struct connection *connection)
{
	struct connection_owner *owner = connection->owner;
	struct exchange *late = connection->exchange;

	if (owner->counters)
		atomic_fetch_add(&owner->counters->n_late, 1);
	connection->exchange = NULL;
	connection->is_running = true;
	refuse_and_close(connection, 503, "conduct-unavailable");
	connection->is_running = false;
	connection->exchange = late;
	if (connection->state == CONNECTION_CLOSED)
		return;
	connection_enter(connection, CONNECTION_LATE);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;

	if (!connection_is_due(connection))
		return;
	switch (connection->state) {
	case CONNECTION_HEAD:
	case CONNECTION_BODY:
		connection->is_running = true;
		refuse_and_close(connection, 408, "conduct-timeout");
		connection_run(connection);
		break;
	case CONNECTION_TAKE:
		connection->is_last = true;
		connection_enter(connection, CONNECTION_BUSY);
		connection->is_running = true;
		connection_leave(connection);
		connection_run(connection);
		break;
	case CONNECTION_BUSY:
		answer_late(connection);
		break;
	case CONNECTION_SLOT:
		connection_enter(connection, CONNECTION_BUSY);
		connection_write(connection);
		connection_run(connection);
		break;
	default:
		connection_close(connection);
	}
}

/**
 * connection_new_take() - serve a client
 * @fd: owned from here on, also on failure
 * @tls: NULL: plain HTTP
 * @peer: who connected
 *
 * Return: 0, -EAGAIN when its network has too many already, or another negative error.
 */
int connection_new_take(struct connection_owner *owner, evutil_socket_t fd, struct tls *tls,
			const struct client_address *peer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int on = 1, r;

	if (!connection) {
		evutil_closesocket(fd);
		return -ENOMEM;
	}
	connection->owner = owner;
	connection->peer = *peer;
	if (!connection_admit(connection)) {
		evutil_closesocket(fd);
		free(connection);
		return -EAGAIN;
	}
	connection->is_tls = tls;
	/* Without this an answer of two packets waits for the client's delayed acknowledgement. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r = http_tls_new_take(owner->base, fd, tls, &connection->bev);
	if (r < 0) {
		network_leave(connection->network);
		free(connection);
		return r;
	}
	connection->timer = evtimer_new(owner->base, on_timer, connection);
	if (!connection->timer) {
		connection_free(connection);
		return -ENOMEM;
	}
	connection->next = owner->first;
	connection->link = &owner->first;
	if (owner->first)
		owner->first->link = &connection->next;
	owner->first = connection;
	owner->n_connections++;
	bufferevent_setcb(connection->bev, on_read, on_write, on_event, connection);
	/* No high watermark: libevent crashes where it has no memory for one. */
	bufferevent_set_max_single_read(connection->bev, INPUT_MAX);
	bufferevent_enable(connection->bev, EV_WRITE);
	connection_enter(connection, tls ? CONNECTION_SHAKE : CONNECTION_IDLE);
	return 0;
}

/*
 * The answer in flight is the last. An idle connection is closed, unless its request is on its way:
 * closing over unread bytes would reset it, and one that never asked was made in order to.
 */
void connection_drain(struct connection *connection)
{
	unsigned wait_ms = connection->owner->drain_idle_ms;
	int n_unread = 0;

	connection->is_last = true;
	if (connection->state != CONNECTION_IDLE)
		return;
	(void)ioctl(bufferevent_getfd(connection->bev), FIONREAD, &n_unread);
	if (wait_ms < DRAIN_FRESH_MS && (n_unread > 0 || connection->request_us == 0))
		wait_ms = DRAIN_FRESH_MS;
	if (wait_ms)
		connection_set_timer(connection, (int64_t)wait_ms * 1000);
	else
		connection_close(connection);
}
