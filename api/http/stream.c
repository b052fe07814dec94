/*
 * Bodies and answers that are never whole in memory. The handler asks for a piece of the body and
 * nothing is read until it does; an answer's next piece is asked for when the one before has left.
 * So a connection holds one piece, however long the file, and whoever is slower sets the pace.
 *
 * A client that leaves ends nothing by itself: next() tells the handler, which answers or ends the
 * exchange when its own work is done.
 */

#include "api/http/state.h"
#include "api/http/wire.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>

/* Whether the request came by a row whose body, or answer, is one of these. */
bool connection_is_stream(const struct connection *connection)
{
	const struct route *route = connection->exchange->route;

	return route && (route->flags & ROUTE_STREAM);
}

uint64_t exchange_body_left(const struct exchange *exchange)
{
	return exchange->stream.left;
}

void exchange_take(struct exchange *exchange, char *room, size_t size,
		   void (*next)(struct exchange *exchange, bool is_there))
{
	struct connection *connection = exchange->connection;
	struct exchange_stream *stream = &exchange->stream;

	stream->room = room;
	stream->size = size;
	stream->n_filled = 0;
	stream->next = next;
	if (connection->state != CONNECTION_BUSY) {
		next(exchange, false);
		return;
	}
	stream->is_waiting = true;
	if (connection->owes_continue)
		wire_write_continue(bufferevent_get_output(connection->bev));
	connection->owes_continue = false;
	connection_enter(connection, CONNECTION_TAKE);
	if (!connection->is_running)
		connection_run(connection);
}

/* What has come goes to the handler's room. True when the piece is whole. */
bool connection_take(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	struct exchange_stream *stream = &exchange->stream;
	struct evbuffer *input = bufferevent_get_input(connection->bev);
	int n = evbuffer_remove(input, stream->room + stream->n_filled,
				stream->size - stream->n_filled);

	if (n > 0)
		stream->n_filled += (size_t)n;
	if (stream->n_filled < stream->size) {
		/* Only progress moves the idle limit. */
		if (n > 0)
			connection_set_body_timer(connection);
		return false;
	}
	stream->left -= stream->size;
	stream->is_waiting = false;
	connection_enter(connection, CONNECTION_BUSY);
	stream->next(exchange, true);
	return true;
}

/* The answer has a head, which leaves; its body is asked for. */
void connection_begin_send(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	bool was_running = connection->is_running;

	if (connection->owner->answered)
		connection->owner->answered(connection->owner->application,
					    exchange->reply->status);
	connection_enter(connection, connection_send(connection, exchange) ? CONNECTION_CLOSED
									   : CONNECTION_SEND);
	connection_hold(connection, CONNECTION_STREAM_ROOM);
	connection_set_timer(connection, (int64_t)connection->owner->limits.exchange_ms * 1000);
	/* Whoever brought us here goes on with the connection, or nobody does. */
	connection->is_running = true;
	exchange->stream.next(exchange, connection->state == CONNECTION_SEND);
	connection->is_running = was_running;
}

/* The exchange has come to its end: whole, or cut off, which its length tells the client. */
static void finish(struct exchange *exchange, bool is_whole)
{
	struct connection *connection = exchange->connection;

	wire_log(exchange, connection->is_head, connection_now_us() - connection->request_us);
	connection->exchange = NULL;
	exchange_free(exchange);
	if (connection->state == CONNECTION_SEND) {
		connection_hold(connection,
				evbuffer_get_length(bufferevent_get_output(connection->bev)));
		connection_enter(connection, is_whole ? CONNECTION_BUSY : CONNECTION_CLOSED);
	}
	if (!connection->is_running)
		connection_run(connection);
}

void exchange_end(struct exchange *exchange)
{
	finish(exchange, false);
}

/* `bytes` are copied; no more of them than are left. */
void exchange_send(struct exchange *exchange, struct slice bytes)
{
	struct connection *connection = exchange->connection;
	struct exchange_stream *stream = &exchange->stream;
	const struct server_limits *limits = &connection->owner->limits;

	if (connection->state != CONNECTION_SEND || bytes.length > stream->left ||
	    bufferevent_write(connection->bev, bytes.at, bytes.length)) {
		stream->next(exchange, false);
		return;
	}
	stream->left -= bytes.length;
	connection->written_us = connection_now_us() + (int64_t)limits->write_timeout_ms * 1000 +
				 (int64_t)bytes.length * 1000000 / limits->write_rate;
	if (stream->left == 0) {
		finish(exchange, true);
		return;
	}
	stream->is_waiting = true;
	connection_set_timer(connection, connection->written_us - connection_now_us());
}

/* All that was given has left: the next piece. */
void connection_sent(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;

	if (!exchange->stream.is_waiting)
		return;
	exchange->stream.is_waiting = false;
	connection_set_timer(connection, (int64_t)connection->owner->limits.exchange_ms * 1000);
	exchange->stream.next(exchange, true);
}

/* The client does no more; the handler is told if it waits for it. */
void connection_leave(struct connection *connection)
{
	struct exchange *exchange = connection->exchange;
	bool was_running = connection->is_running;

	if (!exchange || !exchange->stream.is_waiting)
		return;
	exchange->stream.is_waiting = false;
	connection->is_running = true;
	exchange->stream.next(exchange, false);
	connection->is_running = was_running;
}
