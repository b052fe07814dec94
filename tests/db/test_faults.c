/*
 * daemon/pg when things go wrong: locks, deadlines, lost connections, and the warning that a
 * commit's wait for a standby was cut short.
 */

#include "tests/db/pool_fixture.h"
#include "tests/unit/suite.h"

START_TEST(an_act_waits_briefly_for_a_lock)
{
	struct attempt attempt;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	attempt_run(&attempt, WAIT, PG_LANE_ACT, 1);
	admin_run("rollback");
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	ck_assert_int_eq(503, attempt.status);
	ck_assert_str_eq("conduct-error-busy", attempt.error_key);
}
END_TEST

START_TEST(a_deadline_after_sending_leaves_a_write_unknown)
{
	struct attempt attempt;
	struct attempt behind;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	attempt_submit(&attempt, WAIT, PG_LANE_BATCH, 1);
	attempt_submit(&behind, WAIT, PG_LANE_READ, 1);
	n_open -= 2;
	attempt.call.expires_ms -= PG_DEADLINE_DEFAULT_MS - 300;
	behind.call.expires_ms -= PG_DEADLINE_DEFAULT_MS - 300;
	while (!attempt.n_done || !behind.n_done)
		event_base_loop(base, EVLOOP_ONCE);
	admin_run("rollback");
	ck_assert_int_eq(PG_UNKNOWN, attempt.outcome);
	ck_assert_str_eq("conduct-error-outcome-unknown", attempt.error_key);
	ck_assert_int_eq(PG_DEADLINE, behind.outcome);
	/* The late results go to nobody. */
	n_open = 0;
	attempt_run(&behind, STORE, PG_LANE_BATCH, 1);
	ck_assert_int_eq(PG_DONE, behind.outcome);
	ck_assert_uint_eq(1, attempt.n_done);
}
END_TEST

START_TEST(a_silent_connection_is_given_up_once_in_a_while)
{
	struct attempt attempt;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	for (unsigned i = 0; i < 2; i++) {
		attempt_submit(&attempt, WAIT, PG_LANE_BATCH, 1);
		run_until(i == 0 ? "select count(*) = 1 from pg_locks where not granted"
				 : "select count(*) = 2 from pg_locks where not granted");
		attempt.call.expires_ms -= PG_DEADLINE_DEFAULT_MS;
		run();
		ck_assert_int_eq(PG_UNKNOWN, attempt.outcome);
		/* A server that is slow a second time keeps its sessions. */
		ck_assert_uint_eq(1, n_events[PG_EVENT_LOST]);
		attempt_submit(&attempt, STORE, PG_LANE_BATCH, (int)i);
		if (i > 0)
			admin_run("rollback");
		run();
		ck_assert_int_eq(PG_DONE, attempt.outcome);
	}
	ck_assert_uint_eq(1, n_events[PG_EVENT_LOST]);
}
END_TEST

START_TEST(a_deadline_in_the_queue_stores_nothing)
{
	struct attempt first;
	struct attempt second;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	attempt_submit(&first, WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	attempt_submit(&second, STORE, PG_LANE_BATCH, 5);
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
	struct attempt attempt;
	unsigned n_connected;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	attempt_submit(&attempt, WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	n_connected = n_events[PG_EVENT_CONNECTED];
	admin_run("select pg_terminate_backend(pid) from pg_locks"
		  " where locktype = 'advisory' and not granted");
	run();
	admin_run("rollback");
	/* The server's own error came first: rolled back for sure. */
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_LOST], 1);
	attempt_run(&attempt, STORE, PG_LANE_BATCH, 3);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	ck_assert_uint_gt(n_events[PG_EVENT_CONNECTED], n_connected);
}
END_TEST

static void wait_for_nobody(void)
{
	admin_run("alter system set synchronous_standby_names = 'nobody'");
	admin_run("select pg_reload_conf()");
	/* Our own session must not wait for nobody. */
	admin_run("set synchronous_commit = local");
	run_until("select current_setting('synchronous_standby_names') = 'nobody'");
}

static void wait_no_more(void)
{
	admin_run("alter system reset synchronous_standby_names");
	admin_run("select pg_reload_conf()");
}

/* Also after a test that has failed half-way: the next one would wait for nobody. */
static void tear_all_down(void)
{
	admin_run("rollback");
	wait_no_more();
	tear_down();
}

static void check_cut_wait(enum pg_lane lane, const char *end)
{
	struct attempt attempt;

	attempt_submit(&attempt, STORE, lane, (int)lane);
	run_until("select count(*) = 1 from pg_stat_activity where wait_event = 'SyncRep'");
	ck_assert_uint_eq(0, attempt.n_done);
	admin_run(end);
	run();
	ck_assert_int_eq(PG_UNKNOWN, attempt.outcome);
	ck_assert_int_eq(503, attempt.status);
}

START_TEST(a_commit_whose_standby_wait_was_cancelled_is_unknown)
{
	static const char end[] = "select pg_cancel_backend(pid) from pg_stat_activity"
				  " where wait_event = 'SyncRep'";

	wait_for_nobody();
	check_cut_wait(PG_LANE_ACT, end);
	check_cut_wait(PG_LANE_BATCH, end);
	check_cut_wait(PG_LANE_EMERGENCY, end);
	wait_no_more();
	/* It says OK to the client and has stored the rows. */
	ck_assert(admin_asks("select count(*) = 3 from stored"));
}
END_TEST

START_TEST(a_role_that_hears_no_warnings_is_told_of_a_cancelled_wait)
{
	pool = pg_pool_free(pool);
	pool_open("options='-c client_min_messages=error'");
	wait_for_nobody();
	check_cut_wait(PG_LANE_ACT, "select pg_cancel_backend(pid) from pg_stat_activity"
				    " where wait_event = 'SyncRep'");
	wait_no_more();
	ck_assert(admin_asks("select count(*) = 1 from stored"));
}
END_TEST

START_TEST(a_commit_whose_backend_was_ended_while_it_waited_is_unknown)
{
	static const char end[] = "select pg_terminate_backend(pid) from pg_stat_activity"
				  " where wait_event = 'SyncRep'";

	wait_for_nobody();
	check_cut_wait(PG_LANE_ACT, end);
	check_cut_wait(PG_LANE_BATCH, end);
	wait_no_more();
	ck_assert(admin_asks("select count(*) = 2 from stored"));
}
END_TEST

START_TEST(a_batch_whose_standby_wait_was_cut_short_is_unknown)
{
	struct attempt attempts[3];

	wait_for_nobody();
	admin_run("begin; select pg_advisory_xact_lock(1)");
	attempt_submit(&attempts[0], WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	/* These two share the next transaction. */
	for (int i = 1; i < 3; i++)
		attempt_submit(&attempts[i], STORE, PG_LANE_BATCH, i);
	admin_run("rollback");
	run_until("select count(*) = 1 from pg_stat_activity where wait_event = 'SyncRep'");
	admin_run("select pg_cancel_backend(pid) from pg_stat_activity"
		  " where wait_event = 'SyncRep'");
	run();
	wait_no_more();
	ck_assert_int_eq(PG_DONE, attempts[0].outcome);
	for (int i = 1; i < 3; i++)
		ck_assert_int_eq(PG_UNKNOWN, attempts[i].outcome);
	ck_assert(admin_asks("select count(*) = 2 from stored"));
}
END_TEST

START_TEST(a_wait_for_a_standby_ends_for_the_client_at_its_deadline)
{
	struct attempt attempt;

	wait_for_nobody();
	attempt_submit(&attempt, STORE, PG_LANE_ACT, 12);
	run_until("select count(*) = 1 from pg_stat_activity where wait_event = 'SyncRep'");
	attempt.call.expires_ms -= PG_DEADLINE_DEFAULT_MS;
	run();
	ck_assert_int_eq(PG_UNKNOWN, attempt.outcome);
	/* The commit goes on: who gives up waiting cancels nothing. */
	ck_assert(admin_asks("select count(*) = 1 from pg_stat_activity"
			     " where wait_event = 'SyncRep'"));
	wait_no_more();
	run_until("select count(*) = 0 from pg_stat_activity where wait_event = 'SyncRep'");
	ck_assert(admin_asks("select count(*) = 1 from stored where id = 12"));
}
END_TEST

START_TEST(a_server_that_loses_data_is_refused)
{
	struct attempt attempt;

	pool = pg_pool_free(pool);
	pool_open("options='-c synchronous_commit=off'");
	attempt_run(&attempt, STORE, PG_LANE_ACT, 1);
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_REFUSED], 1);
	ck_assert_uint_eq(0, n_events[PG_EVENT_CONNECTED]);
	ck_assert(admin_asks("select count(*) = 0 from stored"));
}
END_TEST

START_TEST(a_server_that_takes_no_writes_is_refused)
{
	struct attempt attempt;

	pool = pg_pool_free(pool);
	pool_open("options='-c default_transaction_read_only=on'");
	attempt_run(&attempt, ECHO, PG_LANE_READ, 1);
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_REFUSED], 1);
	ck_assert_uint_eq(0, n_events[PG_EVENT_CONNECTED]);
}
END_TEST

/* Whatever waited for the first connection goes nowhere, on the emergency's lane as well. */
START_TEST(a_database_of_others_is_refused)
{
	static const char *const questions[] = { "select 'theirs'::text", "select null::text",
						 "select 1 where false", "select nobody()" };
	struct pg_pool_state state;
	struct attempt attempt;

	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		pool = pg_pool_free(pool);
		identity = (struct pg_identity){ questions[i], { "ours" }, { "it is theirs" } };
		pool_open("");
		attempt_run(&attempt, STORE, PG_LANE_EMERGENCY, 1);
		ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
		ck_assert_uint_ge(n_events[PG_EVENT_REFUSED], 1);
		ck_assert_uint_eq(0, n_events[PG_EVENT_CONNECTED]);
		pg_pool_get_state(pool, &state);
		ck_assert_int_eq(state.is_stranger, i < 2);
		ck_assert_int_eq(strcmp(state.trouble, "it is theirs") == 0, i < 2);
	}
	ck_assert(admin_asks("select count(*) = 0 from stored"));
}
END_TEST

START_TEST(a_database_that_is_ours_in_part_is_refused)
{
	struct pg_pool_state state;
	struct attempt attempt;

	pool = pg_pool_free(pool);
	identity = (struct pg_identity){ "select 'ours'::text, 'theirs'::text",
					 { "ours", "too" },
					 { "it is theirs", "in part" } };
	pool_open("");
	attempt_run(&attempt, STORE, PG_LANE_EMERGENCY, 1);
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	pg_pool_get_state(pool, &state);
	ck_assert(state.is_stranger);
	ck_assert_str_eq(state.trouble, "in part");
	ck_assert(admin_asks("select count(*) = 0 from stored"));
}
END_TEST

START_TEST(the_own_database_takes_what_waited_for_it)
{
	struct pg_pool_state state;
	struct attempt attempt;

	pool = pg_pool_free(pool);
	identity = (struct pg_identity){ "select 'ours'::text, 'too'::text",
					 { "ours", "too" },
					 { "it is theirs", "in part" } };
	pool_open("");
	attempt_run(&attempt, STORE, PG_LANE_EMERGENCY, 1);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	pg_pool_get_state(pool, &state);
	ck_assert(!state.is_stranger);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_503)
{
	struct attempt attempt;

	pool = pg_pool_free(pool);
	pool_open("host=/nonexistent");
	attempt_run(&attempt, STORE, PG_LANE_ACT, 1);
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_LOST], 1);
}
END_TEST

START_TEST(ending_the_pool_answers_what_is_open)
{
	struct attempt sent;
	struct attempt waiting;

	admin_run("begin; select pg_advisory_xact_lock(1)");
	attempt_submit(&sent, WAIT, PG_LANE_BATCH, 1);
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	attempt_submit(&waiting, STORE, PG_LANE_BATCH, 1);
	pool = pg_pool_free(pool);
	admin_run("rollback");
	ck_assert_uint_eq(0, n_open);
	ck_assert_int_eq(PG_UNKNOWN, sent.outcome);
	ck_assert_int_eq(PG_UNAVAILABLE, waiting.outcome);
}
END_TEST

SUITE_EACH("db/faults", set_up, tear_all_down, an_act_waits_briefly_for_a_lock,
	   a_deadline_after_sending_leaves_a_write_unknown,
	   a_silent_connection_is_given_up_once_in_a_while, a_deadline_in_the_queue_stores_nothing,
	   a_write_whose_session_was_ended_is_known_to_be_absent,
	   a_commit_whose_standby_wait_was_cancelled_is_unknown,
	   a_role_that_hears_no_warnings_is_told_of_a_cancelled_wait,
	   a_commit_whose_backend_was_ended_while_it_waited_is_unknown,
	   a_batch_whose_standby_wait_was_cut_short_is_unknown,
	   a_wait_for_a_standby_ends_for_the_client_at_its_deadline,
	   a_server_that_loses_data_is_refused, a_server_that_takes_no_writes_is_refused,
	   a_database_of_others_is_refused, a_database_that_is_ours_in_part_is_refused,
	   the_own_database_takes_what_waited_for_it, a_server_that_is_not_there_is_503,
	   ending_the_pool_answers_what_is_open)
