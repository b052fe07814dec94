/*
 * The states of a connection and the way out of each: deadlines, the answer that is written, the
 * end. connection.c reads what comes in and decides which state is next.
 */

#include "api/http/shared.h"
#include "api/http/state.h"
#include "api/http/tls.h"
#include "api/http/wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <time.h>

enum { LINGER_MS = 2000 };

int64_t connection_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* A timer that stands already is left where it is if it comes sooner, and looks then for how long
 * there still is: most states end long before their deadline. */
static void arm_timer(struct connection *connection, int64_t now_us)
{
	int64_t us = connection->due_us > now_us ? connection->due_us - now_us : 0;
	const struct timeval delay = { us / 1000000, us % 1000000 };

	if (connection->armed_us && connection->armed_us <= connection->due_us)
		return;
	if (event_add(connection->timer, &delay) == 0)
		connection->armed_us = connection->due_us;
}

void connection_set_timer(struct connection *connection, int64_t us)
{
	int64_t now_us = connection_now_us();

	connection->due_us = now_us + (us > 0 ? us : 0);
	arm_timer(connection, now_us);
}

/* What waits has waited long enough: true, and nothing waits any more. */
bool connection_is_due(struct connection *connection)
{
	int64_t now_us = connection_now_us();

	connection->armed_us = 0;
	if (!connection->due_us)
		return false;
	if (connection->due_us > now_us) {
		arm_timer(connection, now_us);
		return false;
	}
	connection->due_us = 0;
	return true;
}

/* The longer of a state's own time and what the output may still take. */
static void set_timer_with_output(struct connection *connection, unsigned ms)
{
	int64_t us = (int64_t)ms * 1000;
	int64_t left = connection->written_us ? connection->written_us - connection_now_us() : 0;

	connection_set_timer(connection, left > us ? left : us);
}

/* The sooner of the idle limit and the deadline that a body's length gives. */
void connection_set_body_timer(struct connection *connection)
{
	int64_t us = (int64_t)connection->owner->limits.body_idle_ms * 1000;
	int64_t left = connection->deadline_us - connection_now_us();

	connection_set_timer(connection, left < us ? left : us);
}

/* Telling the kernel costs a system call, so it is done once for all states that were gone through.
 * An end that was read would be read again and again. */
void connection_sync(struct connection *connection)
{
	bool is_enabled = bufferevent_get_enabled(connection->bev) & EV_READ;
	bool reads = connection->reads && !connection->has_ended;

	if (reads && !is_enabled)
		bufferevent_enable(connection->bev, EV_READ);
	else if (!reads && is_enabled)
		bufferevent_disable(connection->bev, EV_READ);
}

/* The one place where a connection changes its state; sets what the new state waits for. */
void connection_enter(struct connection *connection, enum connection_state state)
{
	const struct server_limits *limits = &connection->owner->limits;
	bool reads = state == CONNECTION_IDLE || state == CONNECTION_HEAD ||
		     state == CONNECTION_BODY || state == CONNECTION_TAKE ||
		     state == CONNECTION_LINGER;

	bool waits = reads && state != CONNECTION_BODY && state != CONNECTION_TAKE;

	connection_wait(connection, waits || state == CONNECTION_FULL || state == CONNECTION_SHAKE);
	connection->state = state;
	connection->due_us = 0;
	switch (state) {
	case CONNECTION_SHAKE:
		connection_set_timer(connection, (int64_t)limits->head_timeout_ms * 1000);
		break;
	case CONNECTION_IDLE:
		set_timer_with_output(connection, limits->idle_timeout_ms);
		break;
	case CONNECTION_HEAD:
		connection_set_timer(connection, (int64_t)limits->head_timeout_ms * 1000);
		break;
	case CONNECTION_BODY:
	case CONNECTION_TAKE:
		connection_set_body_timer(connection);
		break;
	case CONNECTION_FULL:
		connection_set_timer(connection, connection->written_us - connection_now_us());
		break;
	case CONNECTION_LATE:
	case CONNECTION_LINGER:
		set_timer_with_output(connection, LINGER_MS);
		break;
	case CONNECTION_BUSY:
	case CONNECTION_SEND:
	case CONNECTION_SLOT:
	case CONNECTION_CLOSED:
		break;
	}
	connection->reads = reads;
	if (!connection->is_running)
		connection_sync(connection);
}

/* Ends the connection at once, whatever happens to it. Takes NULL; returns NULL. */
struct connection *connection_free(struct connection *connection)
{
	struct connection_owner *owner;

	if (!connection)
		return NULL;
	owner = connection->owner;
	connection_wait(connection, false);
	connection_hold(connection, 0);
	if (connection->link) {
		*connection->link = connection->next;
		if (connection->next)
			connection->next->link = connection->link;
		owner->n_connections--;
	}
	network_leave(connection->network);
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

static void skip(struct slice *bytes, size_t *n)
{
	size_t skipped = *n < bytes->length ? *n : bytes->length;

	bytes->at += skipped;
	bytes->length -= skipped;
	*n -= skipped;
}

/* Sends what the socket takes; what fails here fails again in the loop, which says so. */
static void send_now(int fd, struct slice *head, struct slice *body)
{
	/* writev(2) is told of bytes without const; it only reads them. */
	union {
		const char *borrowed;
		void *opaque;
	} pointers[] = { { head->at }, { body->at } };
	const struct iovec parts[] = { { pointers[0].opaque, head->length },
				       { pointers[1].opaque, body->length } };
	ssize_t r = writev(fd, parts, body->length ? 2 : 1);
	size_t n = r > 0 ? (size_t)r : 0;

	skip(head, &n);
	skip(body, &n);
}

/* The answer's bytes on their way. They are written at once: most fit into the socket, and nobody
 * has to wait for it to say so. TLS may find that the client has gone. */
int connection_send(struct connection *connection, const struct exchange *exchange)
{
	struct evbuffer *output = bufferevent_get_output(connection->bev);
	struct wire *wire = &connection->owner->wire;
	struct slice body = wire_body(exchange, connection->is_head), head;
	bool was_running = connection->is_running;
	int r = wire_write_head(wire, exchange, connection->is_last, connection->is_tls);

	if (r < 0)
		return r;
	head = (struct slice){ wire->head.at, wire->head.length };
	if (connection->is_tls) {
		struct evbuffer *staged = connection->owner->staged;

		r = wire_add(exchange, head, body, staged);
		connection->is_running = true;
		if (r == 0)
			r = http_tls_send(connection->bev, staged);
		connection->is_running = was_running;
		evbuffer_drain(staged, evbuffer_get_length(staged));
		return r;
	}
	if (evbuffer_get_length(output) == 0)
		send_now(bufferevent_getfd(connection->bev), &head, &body);
	return wire_add(exchange, head, body, output);
}

/* Writes the finished answer, logs it, and frees the exchange. */
void connection_write(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	size_t length;

	/* Nobody reads the rest of a body that was not taken. */
	if (connection->owner->is_draining ||
	    (exchange->stream.left && !exchange->reply->is_stream))
		connection->is_last = true;
	if (exchange->reply->is_stream && !connection->is_head && exchange->reply->length &&
	    connection->state == CONNECTION_BUSY) {
		connection_begin_send(connection);
		return;
	}
	wire_log(exchange, connection->is_head, connection_now_us() - connection->request_us);
	if (connection->owner->answered)
		connection->owner->answered(connection->owner->application,
					    exchange->reply->status);
	connection->exchange = NULL;
	if (connection->state != CONNECTION_CLOSED && connection->state != CONNECTION_LATE) {
		struct evbuffer *output = bufferevent_get_output(connection->bev);

		if (connection_send(connection, exchange))
			connection->state = CONNECTION_CLOSED;
		length = evbuffer_get_length(output);
		/* Shared bytes are nobody's own. */
		connection_hold(connection,
				exchange->reply->shared &&
						length > exchange->reply->shared->bytes.length
					? length - exchange->reply->shared->bytes.length
					: length);
		if (length == 0)
			connection->written_us = 0;
		else
			connection->written_us =
				connection_now_us() +
				(int64_t)connection->owner->limits.write_timeout_ms * 1000 +
				(int64_t)length * 1000000 / connection->owner->limits.write_rate;
	}
	exchange_free(exchange);
}

/* The connection ends; an exchange in flight keeps the memory until its answer. */
void connection_close(struct connection *connection)
{
	bool is_answered = connection->state == CONNECTION_SLOT;

	if (connection->is_tls && !connection->has_ended && connection->state != CONNECTION_CLOSED)
		http_tls_end(connection->bev);
	connection_enter(connection, CONNECTION_CLOSED);
	if (is_answered)
		connection_write(connection);
	connection_leave(connection);
	if (!connection->exchange && !connection->is_running)
		connection_free(connection);
}

/* The exchange is answered: now, or at the next step of the grid. */
void connection_deliver(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	int64_t wait;

	if (exchange->reply->is_slotted && connection->state == CONNECTION_BUSY) {
		wait = REPLY_SLOT_US -
		       (connection_now_us() - connection->request_us) % REPLY_SLOT_US;
		connection_enter(connection, CONNECTION_SLOT);
		connection_set_timer(connection, wait);
		return;
	}
	connection_write(connection);
	if (!connection->is_running)
		connection_run(connection);
}
