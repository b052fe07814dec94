/*
 * daemon/pg against a real server: commits, refusals, lost connections, deadlines, and the warning
 * that PostgreSQL gives when a commit's wait for a standby was cut short.
 */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "daemon/pg/pg.h"
#include "daemon/pg/session.h"

enum {
	ECHO,
	STORE,
	REFUSE,
	STORE_LATE,
	XACT,
	WAIT,
	SHAPE,
	SETTINGS,
	MISSING,
	BACKEND,
};

static const struct pg_statement statements[] = {
	[ECHO] = { "echo", "select $1::text, $2::bytea, $3::text", 3 },
	[STORE] = { "store", "insert into stored (id) values ($1::int) returning id", 1 },
	[REFUSE] = { "refuse", "select refuse($1::int)", 1 },
	[STORE_LATE] = { "store_late", "insert into late (id) values ($1::int)", 1 },
	[XACT] = { "xact", "select pg_current_xact_id(), $1::int", 1 },
	[WAIT] = { "wait", "select pg_advisory_xact_lock($1::int)", 1 },
	[SHAPE] = { "shape", "select shape()", 0 },
	[SETTINGS] = { "settings", "select current_setting($1::text)", 1 },
	[MISSING] = { "missing", "select appears_later()", 0 },
	[BACKEND] = { "backend", "select pg_backend_pid()", 0 },
};

static const struct pg_constraint constraints[] = {
	{ "late_parent", 409, "conduct-error-late" },
	{ "stored_pkey", 409, "conduct-error-stored" },
};

static const char schema[] =
	"drop table if exists late; drop table if exists stored;"
	"create table stored (id int constraint stored_pkey primary key);"
	"create table late (id int constraint late_parent references stored"
	" deferrable initially deferred);"
	"create or replace function refuse(p int) returns int language plpgsql as $$ begin"
	" raise exception using errcode = 'UC' || p, message = 'conduct-guard-test',"
	" detail = '{\"n\": 1}'; end $$;"
	"drop function if exists shape(); drop function if exists appears_later();"
	"create function shape() returns int language sql as 'select 1';";

struct try {
	struct pg_call call;
	struct pg_param params[3];
	char text[24];
	unsigned n_done;
	enum pg_outcome outcome;
	int status;
	char error_key[64];
	char detail[64];
	char cell[64];
	int n_rows;
	uint64_t session;
};

static struct event_base *base;
static struct pg_pool *pool;
static struct pg_session *admin;
static unsigned n_events[PG_EVENT_ERROR + 1];
static unsigned n_open;

static const char *database(void)
{
	const char *conninfo = getenv("CONDUCT_TEST_DATABASE");

	ck_assert_msg(conninfo, "started by tests/db/run only");
	return conninfo;
}

static void on_report(void *userdata, enum pg_event event, const char *text)
{
	n_events[event]++;
}

static void pool_open(const char *options)
{
	char conninfo[512];
	const struct pg_pool_setup setup = {
		.base = base,
		.conninfo = conninfo,
		.application_name = "conductd-test",
		.statements = statements,
		.n_statements = ARRAY_SIZE(statements),
		.constraints = constraints,
		.n_constraints = ARRAY_SIZE(constraints),
		.n_connections = { [PG_LANE_BATCH] = 1, [PG_LANE_ACT] = 2, [PG_LANE_READ] = 1,
				   [PG_LANE_EMERGENCY] = 1 },
		.report = on_report,
	};

	(void)snprintf(conninfo, sizeof(conninfo), "%s %s", database(), options);
	memset(n_events, 0, sizeof(n_events));
	ck_assert_int_eq(0, pg_pool_new(&setup, &pool));
}

static void admin_run(const char *sql)
{
	ck_assert_msg(pg_session_run(admin, sql) == 0, "%s: %s", sql, pg_session_error(admin));
}

static bool admin_asks(const char *sql)
{
	struct pg_rows *rows = NULL;
	bool is_true;

	ck_assert_msg(pg_session_query(admin, sql, NULL, 0, &rows) == 0, "%s: %s", sql,
		      pg_session_error(admin));
	is_true = pg_rows_count(rows) == 1 && strcmp(pg_rows_text(rows, 0, 0), "t") == 0;
	pg_rows_free(rows);
	return is_true;
}

static void set_up(void)
{
	base = event_base_new();
	n_open = 0;
	ck_assert_int_eq(0, pg_session_new(database(), "test-admin", &admin));
	admin_run(schema);
	pool_open("");
}

static void tear_down(void)
{
	pool = pg_pool_free(pool);
	admin = pg_session_free(admin);
	event_base_free(base);
}

static void on_done(struct pg_call *call, const struct pg_answer *answer)
{
	struct try *try = (struct try *)(void *)call;
	struct slice cell = pg_answer_cell(answer, 0, 0);

	try->n_done++;
	try->outcome = answer->outcome;
	try->status = answer->status;
	try->n_rows = answer->n_rows;
	try->session = answer->session;
	(void)snprintf(try->error_key, sizeof(try->error_key), "%s",
		       answer->error_key ? answer->error_key : "");
	(void)snprintf(try->detail, sizeof(try->detail), "%s",
		       answer->detail_json ? answer->detail_json : "");
	(void)snprintf(try->cell, sizeof(try->cell), "%.*s", (int)cell.length,
		       cell.at ? cell.at : "");
	n_open--;
}

static void try_submit(struct try *try, int statement, enum pg_lane lane, int argument)
{
	*try = (struct try){ .call = { .statement = &statements[statement], .lane = lane,
				       .params = try->params, .done = on_done } };
	(void)snprintf(try->text, sizeof(try->text), "%d", argument);
	try->params[0] = (struct pg_param){ .at = try->text, .length = (int)strlen(try->text) };
	n_open++;
	ck_assert_int_eq(0, pg_pool_submit(pool, &try->call));
	ck_assert_uint_eq(0, try->n_done);
}

static void run(void)
{
	while (n_open)
		ck_assert_int_eq(0, event_base_loop(base, EVLOOP_ONCE));
}

static void try_run(struct try *try, int statement, enum pg_lane lane, int argument)
{
	try_submit(try, statement, lane, argument);
	run();
	ck_assert_uint_eq(1, try->n_done);
}

/* Turns the loop until the server says so; the condition is the server's state, not time. */
static void run_until(const char *sql)
{
	while (!admin_asks(sql))
		event_base_loop(base, EVLOOP_NONBLOCK);
}

START_TEST(a_call_is_answered_with_its_rows)
{
	struct try try = { .call = { .statement = &statements[ECHO], .lane = PG_LANE_READ,
				     .params = try.params, .done = on_done } };

	try.params[0] = (struct pg_param){ .at = "abcd", .length = 3 };
	try.params[1] = (struct pg_param){ .at = "\0\1", .length = 2, .is_binary = true };
	try.params[2] = PG_NULL;
	n_open = 1;
	ck_assert_int_eq(0, pg_pool_submit(pool, &try.call));
	ck_assert_uint_eq(0, try.n_done);
	run();
	ck_assert_int_eq(PG_DONE, try.outcome);
	ck_assert_int_eq(200, try.status);
	ck_assert_int_eq(1, try.n_rows);
	ck_assert_str_eq("abc", try.cell);
	ck_assert_uint_ne(0, try.session);
}
END_TEST

static const enum pg_lane all_lanes[] = { PG_LANE_BATCH, PG_LANE_ACT, PG_LANE_READ,
					  PG_LANE_EMERGENCY };

START_TEST(every_lane_stores_and_refuses)
{
	struct try try;

	try_run(&try, STORE, all_lanes[_i], 7);
	ck_assert_int_eq(PG_DONE, try.outcome);
	ck_assert(admin_asks("select count(*) = 1 from stored where id = 7"));
	try_run(&try, REFUSE, all_lanes[_i], 409);
	ck_assert_int_eq(PG_REFUSED, try.outcome);
	ck_assert_int_eq(409, try.status);
	ck_assert_str_eq("conduct-guard-test", try.error_key);
	ck_assert_str_eq("{\"n\": 1}", try.detail);
	try_run(&try, STORE, all_lanes[_i], 7);
	ck_assert_int_eq(PG_REFUSED, try.outcome);
	ck_assert_str_eq("conduct-error-stored", try.error_key);
	ck_assert_str_eq("", try.detail);
}
END_TEST

START_TEST(calls_of_a_batch_share_a_transaction)
{
	struct try tries[PG_BATCH_LIMIT + 1];

	for (unsigned i = 0; i < ARRAY_SIZE(tries); i++)
		try_submit(&tries[i], XACT, PG_LANE_BATCH, 0);
	run();
	for (unsigned i = 1; i < PG_BATCH_LIMIT; i++)
		ck_assert_str_eq(tries[0].cell, tries[i].cell);
	ck_assert_str_ne(tries[0].cell, tries[PG_BATCH_LIMIT].cell);
}
END_TEST

START_TEST(acts_have_a_transaction_each)
{
	struct try tries[4];

	for (unsigned i = 0; i < 4; i++)
		try_submit(&tries[i], XACT, PG_LANE_ACT, 0);
	run();
	for (unsigned i = 1; i < 4; i++)
		ck_assert_str_ne(tries[0].cell, tries[i].cell);
}
END_TEST

START_TEST(a_bad_call_does_not_take_its_batch_with_it)
{
	struct try good[6];
	struct try bad;

	for (int i = 0; i < 3; i++)
		try_submit(&good[i], STORE, PG_LANE_BATCH, i);
	try_submit(&bad, REFUSE, PG_LANE_BATCH, 422);
	for (int i = 3; i < 6; i++)
		try_submit(&good[i], STORE, PG_LANE_BATCH, i);
	run();
	ck_assert_int_eq(PG_REFUSED, bad.outcome);
	ck_assert_int_eq(422, bad.status);
	for (unsigned i = 0; i < 6; i++)
		ck_assert_int_eq(PG_DONE, good[i].outcome);
	ck_assert(admin_asks("select count(*) = 6 from stored"));
}
END_TEST

START_TEST(a_constraint_that_fails_at_commit_is_heard)
{
	struct try try;

	try_run(&try, STORE_LATE, PG_LANE_ACT, 99);
	ck_assert_int_eq(PG_REFUSED, try.outcome);
	ck_assert_int_eq(409, try.status);
	ck_assert_str_eq("conduct-error-late", try.error_key);
	ck_assert(admin_asks("select count(*) = 0 from late"));
	try_run(&try, STORE, PG_LANE_ACT, 1);
	ck_assert_int_eq(PG_DONE, try.outcome);
}
END_TEST

START_TEST(a_batch_that_fails_at_commit_is_told_apart)
{
	struct try good[3];
	struct try bad;

	try_submit(&good[0], STORE, PG_LANE_BATCH, 1);
	try_submit(&bad, STORE_LATE, PG_LANE_BATCH, 99);
	try_submit(&good[1], STORE, PG_LANE_BATCH, 2);
	try_submit(&good[2], STORE_LATE, PG_LANE_BATCH, 1);
	run();
	ck_assert_int_eq(PG_REFUSED, bad.outcome);
	ck_assert_str_eq("conduct-error-late", bad.error_key);
	for (unsigned i = 0; i < 3; i++)
		ck_assert_int_eq(PG_DONE, good[i].outcome);
	ck_assert(admin_asks("select count(*) = 2 from stored"));
	ck_assert(admin_asks("select count(*) = 1 from late"));
}
END_TEST

START_TEST(batches_run_in_the_order_of_their_keys)
{
	static const char *const keys[] = { "b", "", "a", "ab" };
	struct try tries[4];

	for (int i = 0; i < 4; i++) {
		try_submit(&tries[i], STORE, PG_LANE_BATCH, i);
		tries[i].call.lock_key = (struct slice){ keys[i], strlen(keys[i]) };
	}
	run();
	/* The physical order of the rows is the order of the inserts. */
	ck_assert(admin_asks("select array_agg(id order by ctid) = '{1,2,3,0}' from stored"));
}
END_TEST

START_TEST(an_act_waits_briefly_for_a_lock)
{
	struct try try;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	try_run(&try, WAIT, PG_LANE_ACT, 1);
	admin_run("rollback");
	ck_assert_int_eq(PG_UNAVAILABLE, try.outcome);
	ck_assert_int_eq(503, try.status);
	ck_assert_str_eq("conduct-error-busy", try.error_key);
}
END_TEST

START_TEST(a_deadline_after_sending_leaves_a_write_unknown)
{
	struct try try;
	struct try behind;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	try_submit(&try, WAIT, PG_LANE_BATCH, 1);
	try_submit(&behind, WAIT, PG_LANE_READ, 1);
	n_open -= 2;
	try.call.expires_ms -= PG_DEADLINE_DEFAULT_MS - 300;
	behind.call.expires_ms -= PG_DEADLINE_DEFAULT_MS - 300;
	while (!try.n_done || !behind.n_done)
		event_base_loop(base, EVLOOP_ONCE);
	admin_run("rollback");
	ck_assert_int_eq(PG_UNKNOWN, try.outcome);
	ck_assert_str_eq("conduct-error-outcome-unknown", try.error_key);
	ck_assert_int_eq(PG_DEADLINE, behind.outcome);
	/* The connections are well, and the late results go to nobody. */
	n_open = 0;
	try_run(&behind, STORE, PG_LANE_BATCH, 1);
	ck_assert_int_eq(PG_DONE, behind.outcome);
	ck_assert_uint_eq(1, try.n_done);
}
END_TEST

START_TEST(a_deadline_in_the_queue_stores_nothing)
{
	struct try first;
	struct try second;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	try_submit(&first, WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	try_submit(&second, STORE, PG_LANE_BATCH, 5);
	second.call.expires_ms -= PG_DEADLINE_DEFAULT_MS;
	while (!second.n_done)
		event_base_loop(base, EVLOOP_ONCE);
	admin_run("rollback");
	run();
	ck_assert_int_eq(PG_DEADLINE, second.outcome);
	ck_assert_int_eq(PG_DONE, first.outcome);
	ck_assert(admin_asks("select count(*) = 0 from stored"));
}
END_TEST

START_TEST(a_write_whose_session_was_ended_is_known_to_be_absent)
{
	struct try try;
	unsigned n_connected;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	try_submit(&try, WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	n_connected = n_events[PG_EVENT_CONNECTED];
	admin_run("select pg_terminate_backend(pid) from pg_locks"
		  " where locktype = 'advisory' and not granted");
	run();
	admin_run("rollback");
	/* The server's own error came first: rolled back for sure. */
	ck_assert_int_eq(PG_UNAVAILABLE, try.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_LOST], 1);
	try_run(&try, STORE, PG_LANE_BATCH, 3);
	ck_assert_int_eq(PG_DONE, try.outcome);
	ck_assert_uint_gt(n_events[PG_EVENT_CONNECTED], n_connected);
}
END_TEST

START_TEST(a_full_lane_refuses_at_once)
{
	static struct try tries[PG_QUEUE_LIMIT + 2];
	unsigned n_refused = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(tries); i++)
		try_submit(&tries[i], XACT, PG_LANE_BATCH, 0);
	run();
	for (unsigned i = 0; i < ARRAY_SIZE(tries); i++)
		n_refused += tries[i].outcome == PG_UNAVAILABLE && tries[i].status == 503;
	ck_assert_uint_eq(2, n_refused);
	ck_assert_int_eq(PG_UNAVAILABLE, tries[PG_QUEUE_LIMIT].outcome);
}
END_TEST

START_TEST(a_replaced_function_is_prepared_again)
{
	struct try try;
	unsigned n_lost;

	try_run(&try, SHAPE, PG_LANE_READ, 0);
	ck_assert_str_eq("1", try.cell);
	n_lost = n_events[PG_EVENT_LOST];
	admin_run("drop function shape(); create function shape() returns text"
		  " language sql as 'select ''two''::text'");
	try_run(&try, SHAPE, PG_LANE_READ, 0);
	ck_assert_int_eq(PG_DONE, try.outcome);
	ck_assert_str_eq("two", try.cell);
	ck_assert_uint_eq(n_lost, n_events[PG_EVENT_LOST]);
}
END_TEST

START_TEST(a_missing_function_is_503_until_it_is_there)
{
	struct try try;

	try_run(&try, MISSING, PG_LANE_ACT, 0);
	ck_assert_int_eq(PG_UNAVAILABLE, try.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_UNPREPARED], 1);
	try_run(&try, STORE, PG_LANE_ACT, 0);
	ck_assert_int_eq(PG_DONE, try.outcome);
	admin_run("create function appears_later() returns int language sql as 'select 5'");
	try_run(&try, MISSING, PG_LANE_ACT, 0);
	ck_assert_int_eq(PG_DONE, try.outcome);
	ck_assert_str_eq("5", try.cell);
}
END_TEST

START_TEST(a_commit_whose_standby_wait_was_cancelled_is_unknown)
{
	struct try try;

	admin_run("alter system set synchronous_standby_names = 'nobody'");
	admin_run("select pg_reload_conf()");
	/* Our own session must not wait for nobody. */
	admin_run("set synchronous_commit = local");
	run_until("select current_setting('synchronous_standby_names') = 'nobody'");
	try_submit(&try, STORE, PG_LANE_ACT, 11);
	run_until("select count(*) = 1 from pg_stat_activity where wait_event = 'SyncRep'");
	ck_assert_uint_eq(0, try.n_done);
	admin_run("select pg_cancel_backend(pid) from pg_stat_activity"
		  " where wait_event = 'SyncRep'");
	run();
	admin_run("alter system reset synchronous_standby_names");
	admin_run("select pg_reload_conf()");
	ck_assert_int_eq(PG_UNKNOWN, try.outcome);
	ck_assert_int_eq(503, try.status);
	/* It says OK to the client and has stored the row. */
	ck_assert(admin_asks("select count(*) = 1 from stored where id = 11"));
}
END_TEST

static const char *const lossy[] = { "options='-c synchronous_commit=off'" };

START_TEST(a_server_that_loses_data_is_refused)
{
	struct try try;

	pool = pg_pool_free(pool);
	pool_open(lossy[0]);
	try_run(&try, STORE, PG_LANE_ACT, 1);
	ck_assert_int_eq(PG_UNAVAILABLE, try.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_REFUSED], 1);
	ck_assert_uint_eq(0, n_events[PG_EVENT_CONNECTED]);
	ck_assert(admin_asks("select count(*) = 0 from stored"));
}
END_TEST

START_TEST(a_server_that_is_not_there_is_503)
{
	struct try try;

	pool = pg_pool_free(pool);
	pool_open("host=/nonexistent");
	try_run(&try, STORE, PG_LANE_ACT, 1);
	ck_assert_int_eq(PG_UNAVAILABLE, try.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_LOST], 1);
}
END_TEST

START_TEST(a_call_bound_to_a_session_goes_nowhere_else)
{
	struct try try;
	struct try bound;

	try_run(&try, BACKEND, PG_LANE_EMERGENCY, 0);
	try_submit(&bound, BACKEND, PG_LANE_EMERGENCY, 0);
	bound.call.session = try.session;
	run();
	ck_assert_int_eq(PG_DONE, bound.outcome);
	ck_assert_str_eq(try.cell, bound.cell);
	try_submit(&bound, BACKEND, PG_LANE_EMERGENCY, 0);
	bound.call.session = try.session + 1000;
	run();
	ck_assert_int_eq(PG_UNAVAILABLE, bound.outcome);
}
END_TEST

START_TEST(ending_the_pool_answers_what_is_open)
{
	struct try sent;
	struct try waiting;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	try_submit(&sent, WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	try_submit(&waiting, STORE, PG_LANE_BATCH, 1);
	pool = pg_pool_free(pool);
	admin_run("rollback");
	ck_assert_uint_eq(0, n_open);
	ck_assert_int_eq(PG_UNKNOWN, sent.outcome);
	ck_assert_int_eq(PG_UNAVAILABLE, waiting.outcome);
}
END_TEST

static const struct {
	const char *name;
	const char *value[PG_LANE_COUNT];
} settings[] = {
	{ "lock_timeout", { "10s", "200ms", "10s", "10s" } },
	{ "client_encoding", { "UTF8", "UTF8", "UTF8", "UTF8" } },
	{ "application_name", { "conductd-test", "conductd-test", "conductd-test",
				"conductd-test" } },
	{ "default_transaction_isolation", { "read committed", "read committed", "read committed",
					     "read committed" } },
	{ "TimeZone", { "UTC", "UTC", "UTC", "UTC" } },
};

START_TEST(sessions_are_set_up_alike)
{
	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		struct try try = { .call = { .statement = &statements[SETTINGS],
					     .lane = (enum pg_lane)i, .params = try.params,
					     .done = on_done } };

		try.params[0] = (struct pg_param){ .at = settings[_i].name,
						   .length = (int)strlen(settings[_i].name) };
		n_open++;
		ck_assert_int_eq(0, pg_pool_submit(pool, &try.call));
		run();
		ck_assert_str_eq(settings[_i].value[i], try.cell);
	}
}
END_TEST

START_TEST(a_bug_of_the_caller_is_not_queued)
{
	const struct pg_statement foreign = { "foreign", "select 1", 0 };
	const struct pg_param nul = { .at = "a\0b", .length = 3 };
	struct pg_call call = { .statement = &foreign, .lane = PG_LANE_READ, .done = on_done };

	ck_assert_int_eq(-EINVAL, pg_pool_submit(pool, &call));
	call.statement = &statements[STORE];
	call.params = &nul;
	ck_assert_int_eq(-EINVAL, pg_pool_submit(pool, &call));
	call.lane = PG_LANE_COUNT;
	ck_assert_int_eq(-EINVAL, pg_pool_submit(pool, &call));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("db/pool");
	TCase *tcase = tcase_create("pool");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_call_is_answered_with_its_rows);
	tcase_add_loop_test(tcase, every_lane_stores_and_refuses, 0, (int)ARRAY_SIZE(all_lanes));
	tcase_add_test(tcase, calls_of_a_batch_share_a_transaction);
	tcase_add_test(tcase, acts_have_a_transaction_each);
	tcase_add_test(tcase, a_bad_call_does_not_take_its_batch_with_it);
	tcase_add_test(tcase, a_constraint_that_fails_at_commit_is_heard);
	tcase_add_test(tcase, a_batch_that_fails_at_commit_is_told_apart);
	tcase_add_test(tcase, batches_run_in_the_order_of_their_keys);
	tcase_add_test(tcase, an_act_waits_briefly_for_a_lock);
	tcase_add_test(tcase, a_deadline_after_sending_leaves_a_write_unknown);
	tcase_add_test(tcase, a_deadline_in_the_queue_stores_nothing);
	tcase_add_test(tcase, a_write_whose_session_was_ended_is_known_to_be_absent);
	tcase_add_test(tcase, a_full_lane_refuses_at_once);
	tcase_add_test(tcase, a_replaced_function_is_prepared_again);
	tcase_add_test(tcase, a_missing_function_is_503_until_it_is_there);
	tcase_add_test(tcase, a_commit_whose_standby_wait_was_cancelled_is_unknown);
	tcase_add_test(tcase, a_server_that_loses_data_is_refused);
	tcase_add_test(tcase, a_server_that_is_not_there_is_503);
	tcase_add_test(tcase, a_call_bound_to_a_session_goes_nowhere_else);
	tcase_add_test(tcase, ending_the_pool_answers_what_is_open);
	tcase_add_loop_test(tcase, sessions_are_set_up_alike, 0, (int)ARRAY_SIZE(settings));
	tcase_add_test(tcase, a_bug_of_the_caller_is_not_queued);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
