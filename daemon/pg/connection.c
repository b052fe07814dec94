/*
 * One connection of the pool: opened without blocking, set up (safe server settings, session
 * settings, prepared statements) before it is ready, watched by two events, and opened again with
 * a growing pause when it is lost. A server that would lose acknowledged writes is never used, nor
 * a database that is not the one that the pool was made for.
 */

#include <stdlib.h>
#include <string.h>

#include "daemon/pg/internal.h"

static void on_timer(int fd, short what, void *userdata);
static void on_socket(int fd, short what, void *userdata);

static struct timeval interval_from_ms(unsigned ms)
{
	return (struct timeval){ .tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000 };
}

static void connection_arm_timer(struct connection *connection, unsigned ms)
{
	const struct timeval interval = interval_from_ms(ms);

	evtimer_add(connection->timer, &interval);
}

static struct event *event_drop(struct event *event)
{
	if (event)
		event_free(event);
	return NULL;
}

static void connection_unwatch(struct connection *connection)
{
	connection->read_event = event_drop(connection->read_event);
	connection->write_event = event_drop(connection->write_event);
}

/* libpq may change the socket while it tries hosts, so the events are made anew at each step. */
static int connection_watch(struct connection *connection)
{
	struct event_base *base = connection->pool->setup.base;
	int fd = PQsocket(connection->pg);

	connection_unwatch(connection);
	if (fd < 0)
		return -ENOTCONN;
	connection->read_event = event_new(base, fd, EV_READ | EV_PERSIST, on_socket, connection);
	connection->write_event = event_new(base, fd, EV_WRITE, on_socket, connection);
	return connection->read_event && connection->write_event ? 0 : -ENOMEM;
}

/*
 * PostgreSQL says OK to a COMMIT whose wait for a standby was cancelled or cut off, with a warning
 * only (src/backend/replication/syncrep.c): what was to be stored twice is stored once, perhaps.
 */
static void on_notice(void *userdata, const PGresult *notice)
{
	struct connection *connection = userdata;
	struct group *group = connection->first;
	const char *severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

	if (!group || !severity || strcmp(severity, "WARNING") != 0)
		return;
	if ((function && strcmp(function, "SyncRepWaitForLSN") == 0) ||
	    group->n_seen >= group->n_commands)
		group->is_unknown = true;
}

/*
 * Drops the connection, answers what it carried, and tries again after a pause that doubles up to
 * PG_BACKOFF_LAST_MS, with some chance in it so that processes do not come back all at once.
 */
void pg_connection_fail(struct connection *connection, enum pg_event event, const char *text)
{
	struct pg_pool *pool = connection->pool;
	unsigned pause = connection->backoff_ms;

	connection->state = CONNECTION_DOWN;
	connection->session = 0;
	connection_unwatch(connection);
	if (!pool->is_ending)
		pg_pool_report(pool, event, text);
	if (connection->pg)
		PQfinish(connection->pg);
	connection->pg = NULL;
	memset(connection->is_prepared, 0, pool->setup.n_statements * sizeof(bool));
	if (!pool->is_ending) {
		connection_arm_timer(connection, pause + (unsigned)random() % (pause / 2 + 1));
		connection->backoff_ms = pause * 2 > PG_BACKOFF_LAST_MS ? PG_BACKOFF_LAST_MS
									: pause * 2;
	}
	pg_group_abandon(connection);
	pg_pool_wake(pool);
}

/* One line of libpq's text, which names host and cause and never holds a value of ours. */
static void connection_lost(struct connection *connection)
{
	char text[256];
	const char *message = connection->pg ? PQerrorMessage(connection->pg) : "out of memory";
	size_t length = strcspn(message, "\n");

	if (length >= sizeof(text))
		length = sizeof(text) - 1;
	memcpy(text, message, length);
	text[length] = '\0';
	pg_connection_fail(connection, PG_EVENT_LOST, text);
}

/* Sends what libpq holds back; the write event carries on when the socket is full. */
int pg_connection_flush(struct connection *connection)
{
	int r = PQflush(connection->pg);

	if (r < 0)
		return -EPIPE;
	return r > 0 && event_add(connection->write_event, NULL) ? -ENOMEM : 0;
}

static int connection_set_up(struct connection *connection)
{
	int r;

	if (PQsetnonblocking(connection->pg, 1) < 0 || !PQenterPipelineMode(connection->pg))
		return -EPIPE;
	PQsetNoticeReceiver(connection->pg, on_notice, connection);
	r = connection_watch(connection);
	if (r < 0)
		return r;
	if (event_add(connection->read_event, NULL))
		return -ENOMEM;
	connection->state = CONNECTION_SETTING_UP;
	r = pg_group_send_settings(connection);
	if (r == 0 && connection->pool->setup.identity.sql)
		r = pg_group_send_identity(connection);
	for (size_t i = 0; r == 0 && i < connection->pool->setup.n_statements; i++)
		r = pg_group_send_prepare(connection, i);
	return r < 0 ? r : pg_connection_flush(connection);
}

static void connection_poll(struct connection *connection)
{
	PostgresPollingStatusType status = PQconnectPoll(connection->pg);

	switch (status) {
	case PGRES_POLLING_READING:
	case PGRES_POLLING_WRITING:
		if (connection_watch(connection) < 0 ||
		    event_add(status == PGRES_POLLING_READING ? connection->read_event
							      : connection->write_event,
			      NULL))
			connection_lost(connection);
		return;
	case PGRES_POLLING_OK:
		if (connection_set_up(connection) < 0)
			connection_lost(connection);
		return;
	default:
		connection_lost(connection);
	}
}

/* Set up to the last statement: from here on the lane may use it. */
static void connection_become_ready(struct connection *connection)
{
	struct pg_pool *pool = connection->pool;

	connection->state = CONNECTION_READY;
	connection->backoff_ms = PG_BACKOFF_FIRST_MS;
	connection->session = ++pool->last_session;
	evtimer_del(connection->timer);
	pg_pool_report(pool, PG_EVENT_CONNECTED, pool->application_name);
	pg_pool_wake(pool);
}

static void connection_exchange(struct connection *connection, short what)
{
	if ((what & EV_READ) && !PQconsumeInput(connection->pg)) {
		/* What came before the end still counts: an error that arrived is known. */
		pg_group_receive(connection);
		if (connection->state != CONNECTION_DOWN)
			connection_lost(connection);
		return;
	}
	pg_group_receive(connection);
	if (connection->state == CONNECTION_DOWN)
		return;
	if (connection->refusal) {
		connection->backoff_ms = PG_BACKOFF_LAST_MS;
		pg_connection_fail(connection, PG_EVENT_REFUSED, connection->refusal);
		return;
	}
	if (PQstatus(connection->pg) == CONNECTION_BAD || pg_connection_flush(connection) < 0) {
		connection_lost(connection);
		return;
	}
	if (connection->state == CONNECTION_SETTING_UP && !connection->first)
		connection_become_ready(connection);
}

static void on_socket(int fd, short what, void *userdata)
{
	struct connection *connection = userdata;

	if (connection->state == CONNECTION_OPENING)
		connection_poll(connection);
	else
		connection_exchange(connection, what);
}

/* Fires when a pause is over, and when a connection takes too long to become ready. */
static void on_timer(int fd, short what, void *userdata)
{
	struct connection *connection = userdata;

	if (connection->state == CONNECTION_DOWN)
		pg_connection_open(connection);
	else if (connection->state != CONNECTION_READY)
		pg_connection_fail(connection, PG_EVENT_LOST, "connecting took too long");
}

/* Starts to connect. The last keywords win over the same ones in conninfo. */
void pg_connection_open(struct connection *connection)
{
	struct pg_pool *pool = connection->pool;
	const char *const keywords[] = { "dbname", "application_name", "client_encoding", NULL };
	const char *const values[] = { pool->conninfo, pool->application_name, "UTF8", NULL };

	connection->refusal = NULL;
	connection->pg = PQconnectStartParams(keywords, values, 1);
	if (!connection->pg || PQstatus(connection->pg) == CONNECTION_BAD ||
	    connection_watch(connection) < 0 || event_add(connection->write_event, NULL)) {
		connection_lost(connection);
		return;
	}
	connection->state = CONNECTION_OPENING;
	connection_arm_timer(connection, PG_CONNECT_MS);
}

/* Goes on where there was no memory for the timer that should have seen to it. */
void pg_connection_revive(struct connection *connection)
{
	bool is_down = connection->state == CONNECTION_DOWN;

	if (connection->state != CONNECTION_READY && !evtimer_pending(connection->timer, NULL))
		connection_arm_timer(connection, is_down ? connection->backoff_ms : PG_CONNECT_MS);
}

/* Prepares the struct; the connection is opened from the loop. */
int pg_connection_init(struct connection *connection, struct pg_pool *pool, enum pg_lane lane)
{
	*connection = (struct connection){ .pool = pool,
					   .lane = lane,
					   .backoff_ms = PG_BACKOFF_FIRST_MS,
					   .stall_ms = PG_STALL_MS };
	connection->last = &connection->first;
	connection->is_prepared = calloc(pool->setup.n_statements + 1, sizeof(bool));
	connection->timer = evtimer_new(pool->setup.base, on_timer, connection);
	if (!connection->is_prepared || !connection->timer) {
		free(connection->is_prepared);
		connection->timer = event_drop(connection->timer);
		return -ENOMEM;
	}
	connection_arm_timer(connection, 0);
	return 0;
}

void pg_connection_deinit(struct connection *connection)
{
	if (connection->pg)
		pg_connection_fail(connection, PG_EVENT_LOST, "the pool ends");
	connection->timer = event_drop(connection->timer);
	free(connection->is_prepared);
	connection->is_prepared = NULL;
}
