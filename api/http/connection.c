/*
 * One client connection: reads a head, then a body, waits for the answer, writes it, and begins
 * again. The state changes in connection_enter() alone; each state has its own deadline. Input is
 * not read while an exchange is in flight, and no further request is begun while too much output
 * waits, so a client can make us hold only a bounded amount. An exchange outlives its client: when
 * the client leaves, the answer is dropped, the work is not.
 */

#include "api/http/connection.h"
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
	INPUT_MAX = 16 * 1024,        /* read ahead, beside a body */
	REFUSED_BODY_MAX = 64 * 1024, /* read and dropped, so that the connection can go on */
	LINGER_MS = 2000,
	DRAIN_FRESH_MS = 1000, /* for the first request of a connection that is there already */
};

enum connection_state {
	CONNECTION_SHAKE, /* TLS: the handshake is under way */
	CONNECTION_IDLE,  /* between requests */
	CONNECTION_HEAD,  /* the first byte of a head has come */
	CONNECTION_BODY,
	CONNECTION_BUSY,   /* the handler works */
	CONNECTION_SLOT,   /* the answer waits for the grid */
	CONNECTION_FULL,   /* the client does not read */
	CONNECTION_LINGER, /* the last answer is written; its client may still be sending */
	CONNECTION_CLOSED,
};

struct connection {
	struct connection_owner *owner;
	struct connection *next, **link;
	struct bufferevent *bev;
	struct event *timer;
	enum connection_state state;
	struct http_parser parser;
	struct exchange *exchange;
	struct exchange_refusal refusal; /* answered once the body has been read */
	uint64_t body_length;
	size_t n_body_seen;
	int64_t request_us;  /* when the request was complete; its head's first byte before that */
	int64_t deadline_us; /* of a body: by its length */
	int64_t written_us;  /* by when all output must have left; 0: there is none */
	bool is_head;        /* HEAD: the answer has no body */
	bool is_last;        /* close after this answer */
	bool has_ended;      /* the client sends nothing more */
	bool is_running;     /* the caller goes on with it: nobody else may free it */
	bool is_tls;
};

static void connection_run(struct connection *connection);

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void set_timer(struct connection *connection, int64_t us)
{
	struct timeval delay = { 0 };

	if (us > 0)
		delay = (struct timeval){ us / 1000000, us % 1000000 };
	event_add(connection->timer, &delay);
}

/* The longer of a state's own time and what the output may still take. */
static void set_timer_with_output(struct connection *connection, unsigned ms)
{
	int64_t us = (int64_t)ms * 1000, left = connection->written_us - now_us();

	set_timer(connection, connection->written_us && left > us ? left : us);
}

/* The sooner of the idle limit and the deadline that a body's length gives. */
static void set_body_timer(struct connection *connection)
{
	int64_t us = (int64_t)connection->owner->limits.body_idle_ms * 1000;
	int64_t left = connection->deadline_us - now_us();

	set_timer(connection, left < us ? left : us);
}

/* The one place where a connection changes its state; sets what the new state waits for. */
static void connection_enter(struct connection *connection, enum connection_state state)
{
	const struct server_limits *limits = &connection->owner->limits;
	bool reads = state == CONNECTION_IDLE || state == CONNECTION_HEAD ||
		     state == CONNECTION_BODY || state == CONNECTION_LINGER;

	connection->state = state;
	event_del(connection->timer);
	switch (state) {
	case CONNECTION_SHAKE:
		set_timer(connection, (int64_t)limits->head_timeout_ms * 1000);
		break;
	case CONNECTION_IDLE:
		set_timer_with_output(connection, limits->idle_timeout_ms);
		break;
	case CONNECTION_HEAD:
		set_timer(connection, (int64_t)limits->head_timeout_ms * 1000);
		break;
	case CONNECTION_BODY:
		set_body_timer(connection);
		break;
	case CONNECTION_FULL:
		set_timer(connection, connection->written_us - now_us());
		break;
	case CONNECTION_LINGER:
		set_timer_with_output(connection, LINGER_MS);
		break;
	case CONNECTION_BUSY:
	case CONNECTION_SLOT:
	case CONNECTION_CLOSED:
		break;
	}
	if (reads)
		bufferevent_enable(connection->bev, EV_READ);
	else
		bufferevent_disable(connection->bev, EV_READ);
}

/* Holds back what is read above it. TLS hands over a record at a time; see http_tls_new_take(). */
static void set_input_limit(struct connection *connection, size_t length)
{
	if (!connection->is_tls)
		bufferevent_setwatermark(connection->bev, EV_READ, 0, length);
}

/* Ends the connection at once, whatever happens to it. Takes NULL; returns NULL. */
struct connection *connection_free(struct connection *connection)
{
	struct connection_owner *owner;

	if (!connection)
		return NULL;
	owner = connection->owner;
	if (connection->link) {
		*connection->link = connection->next;
		if (connection->next)
			connection->next->link = connection->link;
		owner->n_connections--;
	}
	exchange_free(connection->exchange);
	if (connection->timer)
		event_free(connection->timer);
	if (connection->bev)
		bufferevent_free(connection->bev);
	if (connection->link)
		owner->closed(owner);
	free(connection);
	return NULL;
}

/* The next in the owner's list, or NULL. */
struct connection *connection_next(const struct connection *connection)
{
	return connection->next;
}

/* The answer's bytes on their way. TLS writes at once, and may find that the client has gone. */
static int connection_send(struct connection *connection, const struct exchange *exchange)
{
	struct evbuffer *output = connection->is_tls ? connection->owner->staged
						     : bufferevent_get_output(connection->bev);
	bool was_running = connection->is_running;
	int r = wire_write(exchange, connection->is_head, connection->is_last, connection->is_tls,
			   output);

	if (r < 0 || !connection->is_tls)
		return r;
	connection->is_running = true;
	r = http_tls_send(connection->bev, output);
	connection->is_running = was_running;
	return r;
}

/* Writes the finished answer, logs it, and frees the exchange. */
static void connection_write(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	size_t length;

	if (connection->owner->is_draining)
		connection->is_last = true;
	wire_log(exchange, connection->is_head, now_us() - connection->request_us);
	if (connection->owner->answered)
		connection->owner->answered(connection->owner->application,
					    exchange->reply->status);
	connection->exchange = NULL;
	if (connection->state != CONNECTION_CLOSED) {
		struct evbuffer *output = bufferevent_get_output(connection->bev);

		if (connection_send(connection, exchange))
			connection->state = CONNECTION_CLOSED;
		length = evbuffer_get_length(output);
		connection->written_us =
			now_us() + (int64_t)connection->owner->limits.write_timeout_ms * 1000 +
			(int64_t)length * 1000000 / connection->owner->limits.write_rate;
	}
	exchange_free(exchange);
}

/* The connection ends; an exchange in flight keeps the memory until its answer. */
static void connection_close(struct connection *connection)
{
	bool is_answered = connection->state == CONNECTION_SLOT;

	if (connection->is_tls && !connection->has_ended)
		http_tls_end(connection->bev);
	connection_enter(connection, CONNECTION_CLOSED);
	if (is_answered)
		connection_write(connection);
	if (!connection->exchange && !connection->is_running)
		connection_free(connection);
}

/* The exchange is answered: now, or at the next step of the grid. */
static void connection_deliver(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	int64_t wait;

	if (exchange->reply->is_slotted && connection->state != CONNECTION_CLOSED) {
		wait = REPLY_SLOT_US - (now_us() - connection->request_us) % REPLY_SLOT_US;
		connection_enter(connection, CONNECTION_SLOT);
		set_timer(connection, wait);
		return;
	}
	connection_write(connection);
	if (!connection->is_running)
		connection_run(connection);
}

/* A new exchange; false: no memory, and the connection has been closed. */
static bool begin_exchange(struct connection *connection)
{
	struct connection_owner *owner = connection->owner;

	connection->refusal = (struct exchange_refusal){ 0 };
	connection->body_length = 0;
	connection->n_body_seen = 0;
	connection->request_us = now_us();
	if (exchange_new(owner->gate, owner->application, connection_deliver,
			 &connection->exchange)) {
		connection_enter(connection, CONNECTION_CLOSED);
		return false;
	}
	connection->exchange->connection = connection;
	return true;
}

/* Answers what never became a request, and closes after it. */
static void refuse_and_close(struct connection *connection, int status, const char *key)
{
	connection->is_last = true;
	if (!connection->exchange && !begin_exchange(connection))
		return;
	connection->request_us = now_us();
	connection_enter(connection, CONNECTION_BUSY);
	exchange_refuse(connection->exchange, status, key);
}

/* The request is complete: hands it over. */
static void dispatch(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;

	connection->request_us = now_us();
	connection_enter(connection, CONNECTION_BUSY);
	if (connection->refusal.status == 204)
		exchange_reply_empty(exchange, 204);
	else if (connection->refusal.status)
		exchange_refuse(exchange, connection->refusal.status, connection->refusal.key);
	else
		exchange_admit_body(exchange);
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
	if (connection_is_host_known(connection->owner, request->headers[HTTP_HEADER_HOST]))
		r = exchange_admit_head(exchange, request, connection->owner->router,
					&connection->refusal);
	if (r) {
		connection->is_last = true;
		exchange_fail(exchange, r);
		return;
	}
	if (exchange->route && exchange->route->body_max)
		body_max = exchange->route->body_max;
	if (connection->refusal.status &&
	    (connection->body_length > body_max || request->expects_continue)) {
		connection->is_last = true;
		connection->body_length = 0;
	}
	if (connection->body_length == 0) {
		dispatch(connection);
		return;
	}
	if (request->expects_continue)
		wire_write_continue(bufferevent_get_output(connection->bev));
	connection->deadline_us = now_us() +
				  (int64_t)connection->owner->limits.body_idle_ms * 1000 +
				  (int64_t)connection->body_length * 1000000 /
					  connection->owner->limits.body_rate;
	set_input_limit(connection, connection->body_length + INPUT_MAX);
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
	if (connection->state == CONNECTION_IDLE)
		connection_enter(connection, CONNECTION_HEAD);
	if (available > HTTP_HEAD_MAX + 1)
		available = HTTP_HEAD_MAX + 1;
	bytes = (struct slice){ (const char *)evbuffer_pullup(input, (ssize_t)available),
				available };
	if (!bytes.at) {
		connection_enter(connection, CONNECTION_CLOSED);
		return false;
	}
	r = http_parse_head(&connection->parser, bytes, &request, &length, &status);
	if (r == HTTP_E_MORE)
		return false;
	if (r == HTTP_E_REFUSED) {
		connection->is_head = false;
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
			set_body_timer(connection);
		}
		return false;
	}
	set_input_limit(connection, INPUT_MAX);
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

/* After an answer: the next request, or the end. True when there may be more to do. */
static bool finish_answer(struct connection *connection)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);

	if (connection->is_last) {
		/* Closing with unread input resets the connection and may take the answer along. */
		connection_enter(connection, CONNECTION_LINGER);
		return false;
	}
	if (evbuffer_get_length(output) > OUTPUT_MAX) {
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
static void connection_run(struct connection *connection)
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
		case CONNECTION_BUSY:
			goes_on = !connection->exchange && finish_answer(connection);
			break;
		default:
			goes_on = false;
		}
	}
	if (connection->state == CONNECTION_LINGER)
		linger(connection);
	connection->is_running = false;
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
	if (connection->state == CONNECTION_FULL)
		connection_enter(connection, CONNECTION_IDLE);
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

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct connection *connection = context;

	switch (connection->state) {
	case CONNECTION_HEAD:
	case CONNECTION_BODY:
		connection->is_running = true;
		refuse_and_close(connection, 408, "conduct-timeout");
		connection_run(connection);
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
 *
 * Return: 0 or negative.
 */
int connection_new_take(struct connection_owner *owner, evutil_socket_t fd, struct tls *tls)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	int on = 1, r;

	if (!connection) {
		evutil_closesocket(fd);
		return -ENOMEM;
	}
	connection->owner = owner;
	connection->is_tls = tls;
	/* Without this an answer of two packets waits for the client's delayed acknowledgement. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	r = http_tls_new_take(owner->base, fd, tls, &connection->bev);
	if (r < 0) {
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
	set_input_limit(connection, INPUT_MAX);
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
	int n_unread = 0;

	connection->is_last = true;
	if (connection->state != CONNECTION_IDLE)
		return;
	(void)ioctl(bufferevent_getfd(connection->bev), FIONREAD, &n_unread);
	if (n_unread > 0 || connection->request_us == 0)
		set_timer(connection, (int64_t)DRAIN_FRESH_MS * 1000);
	else
		connection_close(connection);
}
