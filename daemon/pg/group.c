/*
 * Groups: what is sent before one Sync and is therefore one implicit transaction (PostgreSQL 15,
 * section 34.5.1.3 and the extended protocol's 55.2.3). Nothing of a group is answered before its
 * Sync came back: only then are the rows committed, deferred constraints checked, and warnings of
 * the replication wait heard. When one call of a batch fails all are rolled back, so each innocent
 * one is sent once more in a transaction of its own.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/pg/internal.h"

static struct group *group_free(struct group *group)
{
	if (!group)
		return NULL;
	for (unsigned i = 0; i < PG_BATCH_LIMIT; i++)
		PQclear(group->results[i]);
	PQclear(group->error);
	free(group);
	return NULL;
}

static struct group *group_append(struct connection *connection, enum group_kind kind,
				  unsigned n_calls)
{
	struct group *group = calloc(1, sizeof(*group));

	if (!group)
		return NULL;
	group->kind = kind;
	group->n_calls = n_calls;
	group->n_commands = n_calls;
	group->sent_ms = pg_now_ms();
	*connection->last = group;
	connection->last = &group->next;
	connection->n_groups++;
	return group;
}

static struct group *group_pop(struct connection *connection)
{
	struct group *group = connection->first;

	connection->first = group->next;
	if (!connection->first)
		connection->last = &connection->first;
	connection->n_groups--;
	return group;
}

static int group_sync(struct connection *connection, struct group *group)
{
	if (!PQpipelineSync(connection->pg))
		return -EPIPE;
	group->is_synced = true;
	return 0;
}

/*
 * Asks what the server does to a commit, and makes the session what every call relies on. The
 * timeline is the first third of a WAL file's name; a standby has no WAL of its own to name. The
 * server looks whether its client is still there, so that what a lost host held is free again.
 */
int pg_group_send_settings(struct connection *connection)
{
	static const char format[] =
		"select current_setting('fsync'), current_setting('full_page_writes'),"
		" current_setting('synchronous_commit'), current_setting('transaction_read_only'),"
		" case when not pg_is_in_recovery() then"
		" ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::bigint end,"
		" set_config('synchronous_commit', 'remote_apply', false),"
		/* Silenced, a wait that was cut short would look like any other commit. */
		" set_config('client_min_messages', 'warning', false),"
		" set_config('lock_timeout', '%d', false),"
		" set_config('statement_timeout', '%d', false),"
		" set_config('tcp_keepalives_idle', '10', false),"
		" set_config('tcp_keepalives_interval', '5', false),"
		" set_config('tcp_keepalives_count', '3', false),"
		" set_config('default_transaction_isolation', 'read committed', false),"
		" set_config('TimeZone', 'UTC', false), set_config('DateStyle', 'ISO', false),"
		" set_config('IntervalStyle', 'iso_8601', false),"
		" set_config('bytea_output', 'hex', false)";
	bool is_act = connection->lane == PG_LANE_ACT;
	struct group *group = group_append(connection, GROUP_SETTINGS, 1);
	char sql[sizeof(format) + 32];

	if (!group)
		return -ENOMEM;
	(void)snprintf(sql, sizeof(sql), format, is_act ? PG_LOCK_TIMEOUT_MS : 10000,
		       PG_STATEMENT_TIMEOUT_MS);
	if (!PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
		return -EPIPE;
	return group_sync(connection, group);
}

/*
 * Asks whose database it is, ahead of every call and each time anew: conninfo may name several
 * servers, and what answers to a name today need not be what did yesterday.
 */
int pg_group_send_identity(struct connection *connection)
{
	struct group *group = group_append(connection, GROUP_IDENTITY, 1);

	if (!group)
		return -ENOMEM;
	if (!PQsendQueryParams(connection->pg, connection->pool->setup.identity.sql, 0, NULL, NULL,
			       NULL, NULL, 0))
		return -EPIPE;
	return group_sync(connection, group);
}

/* In a transaction of its own, so that one missing function does not take the others with it. */
int pg_group_send_prepare(struct connection *connection, size_t statement)
{
	const struct pg_statement *row = &connection->pool->setup.statements[statement];
	struct group *group = group_append(connection, GROUP_PREPARE, 1);

	if (!group)
		return -ENOMEM;
	group->statement = statement;
	/* Until the server says otherwise; a refusal of the Prepare takes it back. */
	connection->is_prepared[statement] = true;
	if (!PQsendPrepare(connection->pg, row->name, row->sql, (int)row->n_params, NULL))
		return -EPIPE;
	return group_sync(connection, group);
}

static int group_send_prepare_again(struct connection *connection, size_t statement)
{
	const struct pg_statement *row = &connection->pool->setup.statements[statement];
	struct group *group = group_append(connection, GROUP_DEALLOCATE, 1);
	char sql[160];
	int r;

	if (!group)
		return -ENOMEM;
	r = snprintf(sql, sizeof(sql), "deallocate \"%s\"", row->name);
	if (r < 0 || (size_t)r >= sizeof(sql))
		return -EINVAL;
	if (!PQsendQueryParams(connection->pg, sql, 0, NULL, NULL, NULL, NULL, 0))
		return -EPIPE;
	r = group_sync(connection, group);
	return r < 0 ? r : pg_group_send_prepare(connection, statement);
}

/* libpq wants a NUL behind text; callers pass slices of buffers that have none. */
static char *params_copy(const struct pg_call *call, const char **values, int *lengths,
			 int *formats)
{
	size_t size = 1;
	char *copy;
	char *at;

	for (unsigned i = 0; i < call->statement->n_params; i++)
		if (!call->params[i].is_null)
			size += (size_t)call->params[i].length + 1;
	at = copy = malloc(size);
	if (!copy)
		return NULL;
	for (unsigned i = 0; i < call->statement->n_params; i++) {
		const struct pg_param *param = &call->params[i];

		values[i] = NULL;
		lengths[i] = 0;
		formats[i] = param->is_binary;
		if (param->is_null)
			continue;
		if (param->length)
			memcpy(at, param->at, (size_t)param->length);
		at[param->length] = '\0';
		values[i] = at;
		lengths[i] = param->length;
		at += param->length + 1;
	}
	return copy;
}

static int call_send(struct connection *connection, const struct pg_call *call)
{
	const char *values[PG_PARAM_LIMIT];
	int lengths[PG_PARAM_LIMIT];
	int formats[PG_PARAM_LIMIT];
	char *copy = params_copy(call, values, lengths, formats);
	int r;

	if (!copy)
		return -ENOMEM;
	r = PQsendQueryPrepared(connection->pg, call->statement->name,
				(int)call->statement->n_params, values, lengths, formats, 0);
	free(copy);
	return r ? 0 : -EPIPE;
}

/* What is sent for a call of a group, or for all of it. */
static const struct pg_statement *statement_of(const struct pg_call *call,
					       const struct pg_statement *many)
{
	return many ? many : call->statement;
}

/*
 * Sends calls as one transaction. On failure the connection is to be failed, which answers them:
 * they belong to it in any case.
 */
int pg_group_send_calls(struct connection *connection, struct pg_call *const *calls,
			unsigned n_calls)
{
	const struct pg_statement *statements = connection->pool->setup.statements;
	const struct pg_statement *many = n_calls > 1 ? calls[0]->many : NULL;
	struct group *group;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n_calls; i++) {
		size_t index = (size_t)(statement_of(calls[i], many) - statements);

		if (!connection->is_prepared[index])
			r = group_send_prepare_again(connection, index);
	}
	group = group_append(connection, GROUP_CALLS, n_calls);
	if (!group) {
		for (unsigned i = 0; i < n_calls; i++)
			pg_call_fail(calls[i], PG_UNAVAILABLE);
		return -ENOMEM;
	}
	memcpy(group->calls, calls, n_calls * sizeof(*calls));
	connection->pool->n_in_flight += n_calls;
	group->many = many;
	if (many) {
		group->n_commands = 1;
		if (r == 0)
			r = pg_many_send(connection, calls, n_calls);
	}
	for (unsigned i = 0; r == 0 && !many && i < n_calls; i++)
		r = call_send(connection, calls[i]);
	if (r == 0)
		r = group_sync(connection, group);
	return r < 0 ? r : pg_connection_flush(connection);
}

static void report_error(struct pg_pool *pool, enum pg_event event, const char *statement,
			 const PGresult *error)
{
	const char *sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE);
	const char *constraint = PQresultErrorField(error, PG_DIAG_CONSTRAINT_NAME);
	char text[256];

	/* Not the message: it quotes values. */
	(void)snprintf(text, sizeof(text), "%s: SQLSTATE %s%s%s", statement,
		       sqlstate ? sqlstate : "none", constraint ? ", constraint " : "",
		       constraint ? constraint : "");
	pg_pool_report(pool, event, text);
}

static void call_answer_rows(struct pg_call *call, PGresult *result, uint64_t session)
{
	struct pg_answer answer = {
		.outcome = PG_DONE, .status = 200, .session = session, .result = result
	};

	if (result) {
		answer.n_rows = PQntuples(result);
		answer.n_columns = PQnfields(result);
	}
	pg_call_answer(call, &answer);
}

/* The call at fault; a stale plan is no fault and is prepared again, once. */
static void call_answer_error(struct pg_pool *pool, struct pg_call *call, const PGresult *error)
{
	const struct failure failure = {
		.sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE),
		.message = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY),
		.detail = PQresultErrorField(error, PG_DIAG_MESSAGE_DETAIL),
		.constraint = PQresultErrorField(error, PG_DIAG_CONSTRAINT_NAME),
	};
	struct pg_answer answer = { 0 };
	struct verdict verdict;

	pg_verdict_make(&pool->setup, &failure, &verdict);
	if (verdict.is_stale && call->n_attempts == 0 && !pool->is_ending) {
		pg_pool_unprepare(pool, call->statement);
		pg_pool_requeue(pool, call);
		return;
	}
	if (verdict.is_reported)
		report_error(pool, PG_EVENT_ERROR, call->statement->name, error);
	answer.outcome = verdict.outcome;
	answer.status = verdict.status;
	answer.error_key = verdict.error_key;
	answer.detail_json = verdict.detail_json;
	pg_call_answer(call, &answer);
}

static void call_answer_rolled_back(struct pg_pool *pool, struct pg_call *call)
{
	if (call->n_attempts == 0 && !pool->is_ending)
		pg_pool_requeue(pool, call);
	else
		pg_call_fail(call, PG_UNAVAILABLE);
}

/* Calls that go together are not at fault one by one; a stale plan is prepared again. */
static void many_heed_error(struct pg_pool *pool, const struct pg_statement *many,
			    const PGresult *error)
{
	const struct failure failure = {
		.sqlstate = PQresultErrorField(error, PG_DIAG_SQLSTATE),
		.message = PQresultErrorField(error, PG_DIAG_MESSAGE_PRIMARY),
	};
	struct verdict verdict;

	pg_verdict_make(&pool->setup, &failure, &verdict);
	if (verdict.is_stale)
		pg_pool_unprepare(pool, many);
	else
		report_error(pool, PG_EVENT_ERROR, many->name, error);
}

static void calls_finish(struct connection *connection, struct group *group)
{
	struct pg_pool *pool = connection->pool;
	uint64_t session = connection->session;
	bool is_unknown = group->is_unknown && !group->error;

	/* What libpq itself could not receive, the server may have stored; it is not sent again. */
	if (group->error && !PQresultErrorField(group->error, PG_DIAG_SQLSTATE))
		is_unknown = true;
	/* Counted down first: an answer may look at the pool's state. */
	for (unsigned i = 0; i < group->n_calls; i++)
		pool->n_in_flight -= group->calls[i] != NULL;
	if (connection->lane == PG_LANE_BATCH)
		pg_pool_note_batch(pool, group->n_calls, group->sent_ms);
	if (group->many) {
		if (group->error)
			many_heed_error(pool, group->many, group->error);
		pg_many_finish(connection, group);
		return;
	}
	for (unsigned j = 0; j < group->n_calls; j++) {
		/* Requeued calls go in front one by one, so from the last to keep their order. */
		unsigned i = group->error ? group->n_calls - 1 - j : j;
		struct pg_call *call = group->calls[i];
		bool is_culprit = i == group->failed_at || group->n_calls == 1;

		group->calls[i] = NULL;
		if (!call)
			continue;
		if (is_unknown)
			pg_call_fail(call,
				     call->lane == PG_LANE_READ ? PG_UNAVAILABLE : PG_UNKNOWN);
		else if (group->error && is_culprit)
			call_answer_error(pool, call, group->error);
		else if (group->error)
			call_answer_rolled_back(pool, call);
		else
			call_answer_rows(call, group->results[i], session);
	}
}

static bool is_set(const PGresult *result, int column, const char *text)
{
	return strcmp(PQgetvalue(result, 0, column), text) == 0;
}

/*
 * Why a server gets no call, or NULL. Refused as well when it does not say: better no service than
 * a false promise. After a failover the old primary may come back and take itself for one still:
 * its timeline is lower than the one that was seen since.
 */
static const char *find_refusal(struct pg_pool *pool, const PGresult *settings)
{
	int64_t timeline;

	if (!settings || is_set(settings, 0, "off") || is_set(settings, 1, "off") ||
	    is_set(settings, 2, "off"))
		return "fsync, full_page_writes or synchronous_commit is off: turn them on";
	if (is_set(settings, 3, "on"))
		return "the server is a standby or read-only: name all hosts and "
		       "target_session_attrs=read-write, or promote it";
	timeline = strtoll(PQgetvalue(settings, 0, 4), NULL, 10);
	if (timeline < pool->timeline)
		return "the server is an old primary, of before a failover: stop it and make it "
		       "a standby";
	pool->timeline = timeline;
	return NULL;
}

/* A database that does not say whose it is may be anybody's. */
static const char *find_stranger(struct pg_pool *pool, const PGresult *said)
{
	const struct pg_identity *identity = &pool->setup.identity;

	if (!said || PQntuples(said) != 1)
		return "the database does not say whose it is: run `conductctl migrate`";
	pool->is_stranger = false;
	for (int i = 0; i < (int)ARRAY_SIZE(identity->answers) && identity->answers[i]; i++) {
		pool->is_stranger = !is_set(said, i, identity->answers[i]);
		if (pool->is_stranger)
			return identity->refusals[i];
	}
	return NULL;
}

static void group_finish(struct connection *connection)
{
	struct pg_pool *pool = connection->pool;
	struct group *group = group_pop(connection);

	switch (group->kind) {
	case GROUP_SETTINGS:
		connection->refusal = find_refusal(pool, group->results[0]);
		break;
	case GROUP_IDENTITY:
		connection->refusal = find_stranger(pool, group->results[0]);
		break;
	case GROUP_DEALLOCATE:
		break;
	case GROUP_PREPARE:
		if (group->error) {
			connection->is_prepared[group->statement] = false;
			report_error(pool, PG_EVENT_UNPREPARED,
				     pool->setup.statements[group->statement].name, group->error);
		}
		break;
	case GROUP_CALLS:
		connection->stall_ms = PG_STALL_MS;
		calls_finish(connection, group);
		break;
	}
	group_free(group);
	pg_pool_wake(pool);
}

static void group_take_result(struct group *group, PGresult *result)
{
	group->has_answered = true;
	switch (PQresultStatus(result)) {
	case PGRES_TUPLES_OK:
	case PGRES_COMMAND_OK:
	case PGRES_EMPTY_QUERY:
		if (group->n_seen < group->n_commands && !group->results[group->n_seen]) {
			group->results[group->n_seen] = result;
			return;
		}
		break;
	case PGRES_PIPELINE_ABORTED:
		break;
	default:
		if (!group->error) {
			group->error = result;
			group->failed_at = group->n_seen;
			return;
		}
	}
	PQclear(result);
}

/* Takes every result that has arrived; stops at settings that were refused. */
void pg_group_receive(struct connection *connection)
{
	while (connection->first && !PQisBusy(connection->pg)) {
		PGresult *result = PQgetResult(connection->pg);
		struct group *group = connection->first;

		if (result && PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			group_finish(connection);
			if (connection->refusal)
				return;
		} else if (result) {
			group_take_result(group, result);
		} else if (group->has_answered) {
			group->has_answered = false;
			group->n_seen++;
		} else if (PQisBusy(connection->pg) || PQstatus(connection->pg) == CONNECTION_BAD) {
			return;
		}
	}
}

/*
 * The connection is gone. A group whose Sync was never sent, or one of whose commands is known to
 * have failed, was rolled back; of the others nobody knows. Reads store nothing that matters.
 */
void pg_group_abandon(struct connection *connection)
{
	struct pg_pool *pool = connection->pool;
	struct group *group = connection->first;

	/* Detached first: an answer may submit, and the list must not be seen half-empty. */
	connection->first = NULL;
	connection->last = &connection->first;
	connection->n_groups = 0;
	while (group) {
		struct group *next = group->next;
		bool is_absent = !group->is_synced || connection->lane == PG_LANE_READ ||
				 (group->error && group->failed_at < group->n_commands &&
				  PQresultErrorField(group->error, PG_DIAG_SQLSTATE));

		for (unsigned i = 0; group->kind == GROUP_CALLS && i < group->n_calls; i++) {
			struct pg_call *call = group->calls[i];

			if (!call)
				continue;
			pool->n_in_flight--;
			pg_call_fail(call, is_absent ? PG_UNAVAILABLE : PG_UNKNOWN);
		}
		group_free(group);
		group = next;
	}
}
