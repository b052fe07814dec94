/*
 * Calls that go together: one command whose parameters are arrays, with one element a call, and
 * whose rows answer them in that order. What a command costs is then paid once. Nothing of this is
 * a promise: a call that gets no row of its own, and every call of a command that fails, is sent
 * once more alone.
 */

#include <arpa/inet.h>
#include <string.h>

#include "daemon/base/buffer.h"
#include "daemon/pg/internal.h"

/* pg_type.dat: these never change. */
enum { OID_BYTEA = 17, OID_TEXT = 25 };

static void append_integer(struct buffer *buffer, uint32_t integer)
{
	uint32_t wire = htonl(integer);

	buffer_append(buffer, &wire, sizeof(wire));
}

/* The binary form of a one-dimensional array (array_recv() in PostgreSQL's arrayfuncs.c). */
static void append_array(struct buffer *buffer, struct pg_call *const *calls, unsigned n_calls,
			 unsigned param, bool is_binary)
{
	append_integer(buffer, 1); /* dimensions */
	append_integer(buffer, 1); /* may hold nulls */
	append_integer(buffer, is_binary ? OID_BYTEA : OID_TEXT);
	append_integer(buffer, n_calls);
	append_integer(buffer, 1); /* lower bound */
	for (unsigned i = 0; i < n_calls; i++) {
		const struct pg_param *value = &calls[i]->params[param];

		append_integer(buffer, value->is_null ? UINT32_MAX : (uint32_t)value->length);
		if (!value->is_null)
			buffer_append(buffer, value->at, (size_t)value->length);
	}
}

/* Whether any call has a value there, and whether it is bytes: all that have one agree. */
static bool has_value(struct pg_call *const *calls, unsigned n_calls, unsigned param,
		      bool *ret_is_binary)
{
	for (unsigned i = 0; i < n_calls; i++) {
		if (calls[i]->params[param].is_null)
			continue;
		*ret_is_binary = calls[i]->params[param].is_binary;
		return true;
	}
	return false;
}

/* Sends the command; a parameter that no call has is null as a whole. */
int pg_many_send(struct connection *connection, struct pg_call *const *calls, unsigned n_calls)
{
	const struct pg_statement *many = calls[0]->many;
	CLEANUP(buffer_deinit) struct buffer buffer = BUFFER_NULL;
	const char *values[PG_PARAM_LIMIT];
	size_t starts[PG_PARAM_LIMIT + 1];
	int lengths[PG_PARAM_LIMIT];
	int formats[PG_PARAM_LIMIT];
	int r;

	for (unsigned i = 0; i < many->n_params; i++) {
		bool is_binary = false;

		starts[i] = buffer.length;
		if (has_value(calls, n_calls, i, &is_binary))
			append_array(&buffer, calls, n_calls, i, is_binary);
	}
	starts[many->n_params] = buffer.length;
	r = buffer_finish(&buffer);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < many->n_params; i++) {
		lengths[i] = (int)(starts[i + 1] - starts[i]);
		values[i] = lengths[i] ? buffer.at + starts[i] : NULL;
		formats[i] = 1;
	}
	r = PQsendQueryPrepared(connection->pg, many->name, (int)many->n_params, values, lengths,
				formats, 0);
	return r ? 0 : -EPIPE;
}

static void requeue_alone(struct pg_pool *pool, struct pg_call *call)
{
	if (pool->is_ending)
		pg_call_fail(call, PG_UNAVAILABLE);
	else
		pg_pool_requeue_alone(pool, call);
}

/* The row of a call, or nothing: then it goes alone. */
static void call_answer_row(struct pg_pool *pool, struct pg_call *call, PGresult *result, int row,
			    uint64_t session)
{
	struct pg_answer answer = { .outcome = PG_DONE,
				    .status = 200,
				    .n_rows = 1,
				    .n_columns = PQnfields(result),
				    .session = session,
				    .row = row,
				    .result = result };

	if (PQgetisnull(result, row, 0))
		requeue_alone(pool, call);
	else
		pg_call_answer(call, &answer);
}

/*
 * Answers the calls of a group that went together and is over. When it failed, nobody was at fault
 * that is known; its statement is prepared again in case that was stale. Rows that are not as many
 * as the calls are a bug of the function, and what it stored is not known.
 */
void pg_many_finish(struct connection *connection, struct group *group)
{
	struct pg_pool *pool = connection->pool;
	PGresult *result = group->results[0];
	bool is_whole = result && PQntuples(result) == (int)group->n_calls;

	for (unsigned j = 0; j < group->n_calls; j++) {
		/* Requeued calls go in front one by one, so from the last to keep their order. */
		unsigned i = group->n_calls - 1 - j;
		struct pg_call *call = group->calls[i];

		group->calls[i] = NULL;
		if (!call)
			continue;
		if (group->error)
			requeue_alone(pool, call);
		else if (group->is_unknown || !is_whole)
			pg_call_fail(call,
				     call->lane == PG_LANE_READ ? PG_UNAVAILABLE : PG_UNKNOWN);
		else
			call_answer_row(pool, call, result, (int)i, connection->session);
	}
}
