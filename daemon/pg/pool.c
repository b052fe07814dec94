/*
 * The pool: lanes of waiting calls, the connections that serve them, deadlines, and the rule that
 * a submitted call is answered exactly once and never before pg_pool_submit() has returned. All
 * work happens in work_event's callback; whatever changes wakes it. A lane's connections serve
 * that lane alone, so a flood in one never delays another.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "daemon/pg/internal.h"

/* Transactions on their way per connection. One for batches: while it runs, the next one fills. */
static const unsigned depths[PG_LANE_COUNT] = {
	[PG_LANE_BATCH] = 1,
	[PG_LANE_ACT] = 1, /* an act may wait for a lock, and nothing may wait behind it */
	[PG_LANE_READ] = 16,
	[PG_LANE_EMERGENCY] = 4,
};

/* Of calls that may share: one group is at work and one is on its way; the next ones gather. */
enum { SHARED_DEPTH = 2 };

int64_t pg_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void queue_append(struct queue *queue, struct pg_call *call)
{
	call->next = NULL;
	call->previous = queue->last;
	if (queue->last)
		queue->last->next = call;
	else
		queue->first = call;
	queue->last = call;
	queue->n_calls++;
}

static void queue_prepend(struct queue *queue, struct pg_call *call)
{
	call->previous = NULL;
	call->next = queue->first;
	if (queue->first)
		queue->first->previous = call;
	else
		queue->last = call;
	queue->first = call;
	queue->n_calls++;
}

static void queue_remove(struct queue *queue, struct pg_call *call)
{
	if (call->previous)
		call->previous->next = call->next;
	else
		queue->first = call->next;
	if (call->next)
		call->next->previous = call->previous;
	else
		queue->last = call->previous;
	call->next = call->previous = NULL;
	queue->n_calls--;
}

void pg_pool_report(struct pg_pool *pool, enum pg_event event, const char *text)
{
	if (event == PG_EVENT_CONNECTED)
		pool->trouble[0] = '\0';
	else if (event == PG_EVENT_LOST || event == PG_EVENT_REFUSED)
		(void)snprintf(pool->trouble, sizeof(pool->trouble), "%s", text);
	if (pool->setup.report)
		pool->setup.report(pool->setup.userdata, event, text);
}

void pg_pool_wake(struct pg_pool *pool)
{
	if (pool->work_event && !pool->is_ending)
		event_active(pool->work_event, EV_TIMEOUT, 0);
}

/* The only place that calls done(). */
void pg_call_answer(struct pg_call *call, struct pg_answer *answer)
{
	call->next = call->previous = NULL;
	call->done(call, answer);
}

/* Answers a call that has no result. */
void pg_call_fail(struct pg_call *call, enum pg_outcome outcome)
{
	struct pg_answer answer = { .outcome = outcome,
				    .status = 503,
				    .error_key = pg_outcome_key(outcome) };

	pg_call_answer(call, &answer);
}

/* Puts a call in front of its lane, where it will be sent in a transaction of its own. */
void pg_pool_requeue_alone(struct pg_pool *pool, struct pg_call *call)
{
	call->is_alone = true;
	queue_prepend(&pool->lanes[call->lane].queue, call);
	pg_pool_wake(pool);
}

/* The same of a call that was sent by itself and rolled back: the second attempt is its last. */
void pg_pool_requeue(struct pg_pool *pool, struct pg_call *call)
{
	call->n_attempts++;
	pg_pool_requeue_alone(pool, call);
}

/* A deploy replaced what the statement was prepared against: every session prepares it again. */
void pg_pool_unprepare(struct pg_pool *pool, const struct pg_statement *statement)
{
	size_t index = (size_t)(statement - pool->setup.statements);

	for (unsigned i = 0; i < PG_LANE_COUNT; i++)
		for (unsigned j = 0; j < pool->lanes[i].n_connections; j++)
			pool->lanes[i].connections[j].is_prepared[index] = false;
}

/*
 * A batch has ended. Its clients may come again at once, and without them the next batch would be
 * made of those alone who came meanwhile: two halves that take turns for ever, each paying for a
 * command and a commit. So the next one waits for as many as there were: the fuller it may get,
 * the longer, at most for what the last one took. Who is alone waits for nobody.
 */
void pg_pool_note_batch(struct pg_pool *pool, unsigned n_calls, int64_t sent_ms)
{
	struct lane *lane = &pool->lanes[PG_LANE_BATCH];
	int64_t now = pg_now_ms();
	int64_t most;

	lane->n_expected = n_calls + lane->queue.n_calls;
	if (lane->n_expected > PG_BATCH_LIMIT)
		lane->n_expected = PG_BATCH_LIMIT;
	most = (now - sent_ms) * lane->n_expected / PG_BATCH_LIMIT;
	lane->gathers_until = now + (most < PG_GATHER_MS ? most : PG_GATHER_MS);
}

static bool lane_gathers(struct pg_pool *pool, struct lane *lane)
{
	int64_t left = lane->gathers_until - pg_now_ms();
	const struct timeval wait = { .tv_usec = left * 1000 };

	if (left <= 0 || lane->queue.n_calls >= lane->n_expected || lane->queue.first->is_alone)
		return false;
	/* Without a timer nothing would end the wait. */
	return evtimer_add(pool->gather_event, &wait) == 0;
}

static struct connection *lane_find_session(struct lane *lane, uint64_t session)
{
	for (unsigned i = 0; i < lane->n_connections; i++)
		if (lane->connections[i].state == CONNECTION_READY &&
		    lane->connections[i].session == session)
			return &lane->connections[i];
	return NULL;
}

static struct connection *lane_find_idle(struct lane *lane, unsigned depth)
{
	struct connection *best = NULL;

	for (unsigned i = 0; i < lane->n_connections; i++) {
		struct connection *connection = &lane->connections[i];

		if (connection->state != CONNECTION_READY || connection->n_groups >= depth)
			continue;
		if (!best || connection->n_groups < best->n_groups)
			best = connection;
	}
	return best;
}

static int compare_lock_keys(const void *a, const void *b)
{
	const struct pg_call *one = *(struct pg_call *const *)a;
	const struct pg_call *two = *(struct pg_call *const *)b;
	size_t length = one->lock_key.length < two->lock_key.length ? one->lock_key.length
								    : two->lock_key.length;
	int r = length ? memcmp(one->lock_key.at, two->lock_key.at, length) : 0;

	if (r)
		return r;
	return (one->lock_key.length > two->lock_key.length) -
	       (one->lock_key.length < two->lock_key.length);
}

static bool is_shared(const struct pg_call *call, enum pg_lane which)
{
	return which == PG_LANE_READ && call->may_share;
}

/* Takes what goes into the next transaction: one call, or as many as may share it. */
static unsigned lane_take(struct lane *lane, enum pg_lane which, struct pg_call **ret_calls)
{
	const struct pg_call *first = lane->queue.first;
	unsigned limit = which == PG_LANE_BATCH    ? PG_BATCH_LIMIT
			 : is_shared(first, which) ? PG_SHARE_LIMIT
						   : 1;
	unsigned n = 0;

	while (n < limit && lane->queue.first) {
		struct pg_call *call = lane->queue.first;

		if (n > 0 && (call->is_alone || call->session || call->many != first->many ||
			      call->may_share != first->may_share))
			break;
		queue_remove(&lane->queue, call);
		ret_calls[n++] = call;
		if (call->is_alone || call->session)
			break;
	}
	qsort(ret_calls, n, sizeof(*ret_calls), compare_lock_keys);
	return n;
}

static void lane_dispatch(struct pg_pool *pool, enum pg_lane which)
{
	struct lane *lane = &pool->lanes[which];
	struct pg_call *calls[PG_BATCH_LIMIT];

	while (lane->queue.first) {
		struct pg_call *call = lane->queue.first;
		struct connection *connection;
		unsigned n;

		if (call->session) {
			connection = lane_find_session(lane, call->session);
			if (!connection) {
				queue_remove(&lane->queue, call);
				pg_call_fail(call, PG_UNAVAILABLE);
				continue;
			}
			if (connection->n_groups >= depths[which])
				return;
		} else {
			connection = lane_find_idle(lane, is_shared(call, which) ? SHARED_DEPTH
										 : depths[which]);
			if (!connection || lane_gathers(pool, lane))
				return;
		}
		n = lane_take(lane, which, calls);
		if (pg_group_send_calls(connection, calls, n) < 0)
			pg_connection_fail(connection, PG_EVENT_LOST, "a call could not be sent");
	}
}

static bool lane_is_ready(const struct lane *lane)
{
	for (unsigned i = 0; i < lane->n_connections; i++)
		if (lane->connections[i].state == CONNECTION_READY)
			return true;
	return false;
}

/*
 * Waiting calls whose time is over leave the queue and are answered after the walk, because an
 * answer may submit again.
 */
static void lane_expire_waiting(struct pg_pool *pool, struct lane *lane, int64_t now)
{
	bool is_ready = lane_is_ready(lane);
	struct pg_call *call = lane->queue.first;

	while (call) {
		struct pg_call *next = call->next;
		int64_t deadline = call->expires_ms;
		bool is_hopeless = !is_ready && now >= call->patience_ms;

		if (now >= deadline || is_hopeless) {
			queue_remove(&lane->queue, call);
			call->failure = now >= deadline ? PG_DEADLINE : PG_UNAVAILABLE;
			queue_append(&pool->failed, call);
		}
		call = next;
	}
}

/*
 * Nothing comes, and nobody waits for it any more. libpq calls a write that failed a success and
 * leaves it to the read to fail (fe-secure.c, pqsecure_raw_write()): where the read does not, a
 * connection is silent for ever. A server that is merely slow looks the same and gets one more
 * session for each that is given up, so that happens once in PG_STALL_MS.
 */
static bool connection_is_mute(const struct connection *connection, int64_t now)
{
	const struct group *group = connection->first;

	if (!group)
		return false;
	if (now - group->sent_ms > connection->stall_ms)
		return true;
	if (connection->muted_ms && now - connection->muted_ms <= connection->stall_ms)
		return false;
	for (unsigned i = 0; i < group->n_calls; i++)
		if (group->calls[i])
			return false;
	return group->kind == GROUP_CALLS && !group->n_seen && !group->has_answered;
}

/*
 * Sent calls whose time is over are answered; the transaction goes on, because a COMMIT is never
 * cancelled. Whether a write was stored is then unknown.
 */
static void connection_expire(struct connection *connection, int64_t now)
{
	struct pg_pool *pool = connection->pool;

	for (struct group *group = connection->first; group; group = group->next) {
		for (unsigned i = 0; i < group->n_calls; i++) {
			struct pg_call *call = group->calls[i];

			if (!call || now < call->expires_ms)
				continue;
			group->calls[i] = NULL;
			pool->n_in_flight--;
			call->failure = call->lane == PG_LANE_READ ? PG_DEADLINE : PG_UNKNOWN;
			queue_append(&pool->failed, call);
		}
	}
	if (connection_is_mute(connection, now)) {
		if (connection->muted_ms && connection->stall_ms < PG_STALL_LAST_MS)
			connection->stall_ms *= 2;
		connection->muted_ms = now;
		pg_connection_fail(connection, PG_EVENT_LOST, "the server does not answer");
	}
}

static void pool_answer_failed(struct pg_pool *pool)
{
	while (pool->failed.first) {
		struct pg_call *call = pool->failed.first;

		queue_remove(&pool->failed, call);
		pg_call_fail(call, call->failure);
	}
}

static bool pool_is_idle(const struct pg_pool *pool)
{
	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		if (pool->lanes[i].queue.first)
			return false;
		for (unsigned j = 0; j < pool->lanes[i].n_connections; j++)
			if (pool->lanes[i].connections[j].first)
				return false;
	}
	return true;
}

static void pool_arm_tick(struct pg_pool *pool)
{
	const struct timeval interval = { .tv_usec = PG_TICK_MS * 1000 };

	if (!pool_is_idle(pool) && !evtimer_pending(pool->tick_event, NULL))
		evtimer_add(pool->tick_event, &interval);
}

static void on_work(int fd, short what, void *userdata)
{
	struct pg_pool *pool = userdata;

	pool_answer_failed(pool);
	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		struct lane *lane = &pool->lanes[i];

		for (unsigned j = 0; j < lane->n_connections; j++)
			pg_connection_revive(&lane->connections[j]);
		lane_dispatch(pool, (enum pg_lane)i);
	}
	pool_arm_tick(pool);
}

static void on_tick(int fd, short what, void *userdata)
{
	struct pg_pool *pool = userdata;
	int64_t now = pg_now_ms();

	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		struct lane *lane = &pool->lanes[i];

		lane_expire_waiting(pool, lane, now);
		for (unsigned j = 0; j < lane->n_connections; j++)
			connection_expire(&lane->connections[j], now);
	}
	pool_answer_failed(pool);
	pool_arm_tick(pool);
}

static bool has_nul(const struct pg_call *call)
{
	for (unsigned i = 0; i < call->statement->n_params; i++) {
		const struct pg_param *param = &call->params[i];

		if (param->is_null || param->is_binary)
			continue;
		if (param->length < 0 ||
		    memchr(param->at ? param->at : "", '\0', (size_t)param->length))
			return true;
	}
	return false;
}

static bool has_statement(const struct pg_pool *pool, const struct pg_statement *statement)
{
	const struct pg_statement *first = pool->setup.statements;

	return statement >= first && statement < first + pool->setup.n_statements;
}

/*
 * Queues a call. Returns 0, and then call->done runs exactly once, later, from the event loop;
 * the call and its parameters stay the caller's and must stay put until then. A full lane is
 * answered PG_UNAVAILABLE. Returns -EINVAL, without done, for a bug: a statement that is not of
 * the pool's table, a lane without connections, or text with NUL.
 */
int pg_pool_submit(struct pg_pool *pool, struct pg_call *call)
{
	struct lane *lane;
	int64_t now = pg_now_ms();

	if (!has_statement(pool, call->statement) ||
	    (call->many && (!has_statement(pool, call->many) ||
			    call->many->n_params != call->statement->n_params)))
		return -EINVAL;
	if (call->lane >= PG_LANE_COUNT || !pool->lanes[call->lane].n_connections || has_nul(call))
		return -EINVAL;
	lane = &pool->lanes[call->lane];
	call->expires_ms = now + (call->deadline_ms ? call->deadline_ms : PG_DEADLINE_DEFAULT_MS);
	call->patience_ms = now + PG_PATIENCE_MS;
	call->n_attempts = 0;
	call->is_alone = false;
	if (lane->queue.n_calls >= PG_QUEUE_LIMIT || pool->is_ending) {
		call->failure = PG_UNAVAILABLE;
		queue_append(&pool->failed, call);
	} else {
		queue_append(&lane->queue, call);
	}
	pg_pool_wake(pool);
	return 0;
}

static int pool_setup_check(const struct pg_pool_setup *setup)
{
	for (unsigned i = 0; i < PG_LANE_COUNT; i++)
		if (setup->n_connections[i] > PG_CONNECTION_LIMIT)
			return -EINVAL;
	for (size_t i = 0; i < setup->n_statements; i++)
		if (setup->statements[i].n_params > PG_PARAM_LIMIT)
			return -EINVAL;
	return 0;
}

static int pool_start(struct pg_pool *pool)
{
	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		struct lane *lane = &pool->lanes[i];
		unsigned n = pool->setup.n_connections[i];

		if (!n)
			continue;
		lane->connections = calloc(n, sizeof(*lane->connections));
		if (!lane->connections)
			return -ENOMEM;
		for (; lane->n_connections < n; lane->n_connections++) {
			int r = pg_connection_init(&lane->connections[lane->n_connections], pool,
						   (enum pg_lane)i);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/*
 * Makes a pool and starts to connect; calls may be submitted at once and wait. The statements,
 * constraints and what identity points at must outlive the pool; conninfo and application_name are
 * copied.
 */
int pg_pool_new(const struct pg_pool_setup *setup, struct pg_pool **ret_pool)
{
	struct pg_pool *pool;
	int r = pool_setup_check(setup);

	if (r < 0)
		return r;
	pool = calloc(1, sizeof(*pool));
	if (!pool)
		return -ENOMEM;
	pool->setup = *setup;
	pool->conninfo = strdup(setup->conninfo);
	pool->application_name = strdup(setup->application_name);
	pool->work_event = evtimer_new(setup->base, on_work, pool);
	pool->tick_event = evtimer_new(setup->base, on_tick, pool);
	pool->gather_event = evtimer_new(setup->base, on_work, pool);
	r = -ENOMEM;
	if (pool->conninfo && pool->application_name && pool->work_event && pool->tick_event &&
	    pool->gather_event)
		r = pool_start(pool);
	if (r < 0) {
		pg_pool_free(pool);
		return r;
	}
	*ret_pool = pool;
	return 0;
}

/*
 * Ends the pool. Calls that still wait are answered PG_UNAVAILABLE from here, sent ones as after a
 * lost connection. Takes NULL and a half-made pool; returns NULL.
 */
struct pg_pool *pg_pool_free(struct pg_pool *pool)
{
	if (!pool)
		return NULL;
	pool->is_ending = true;
	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		struct lane *lane = &pool->lanes[i];

		for (unsigned j = 0; j < lane->n_connections; j++)
			pg_connection_deinit(&lane->connections[j]);
		while (lane->queue.first) {
			struct pg_call *call = lane->queue.first;

			queue_remove(&lane->queue, call);
			pg_call_fail(call, PG_UNAVAILABLE);
		}
	}
	pool_answer_failed(pool);
	for (unsigned i = 0; i < PG_LANE_COUNT; i++)
		free(pool->lanes[i].connections);
	if (pool->work_event)
		event_free(pool->work_event);
	if (pool->tick_event)
		event_free(pool->tick_event);
	if (pool->gather_event)
		event_free(pool->gather_event);
	free(pool->conninfo);
	free(pool->application_name);
	free(pool);
	return NULL;
}

/* Counts for the readiness check and the metrics. */
void pg_pool_get_state(const struct pg_pool *pool, struct pg_pool_state *ret_state)
{
	struct pg_pool_state state = { .n_in_flight = pool->n_in_flight,
				       .is_stranger = pool->is_stranger,
				       .trouble = pool->trouble };

	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		const struct lane *lane = &pool->lanes[i];

		state.n_connections += lane->n_connections;
		state.n_queued += lane->queue.n_calls;
		state.n_lanes += lane->n_connections > 0;
		state.n_lanes_ready += lane_is_ready(lane);
		for (unsigned j = 0; j < lane->n_connections; j++)
			state.n_ready += lane->connections[j].state == CONNECTION_READY;
	}
	*ret_state = state;
}
