/* daemon/pg against a real server: commits, refusals, batches, statements that a deploy replaced.
 */

#include "tests/db/pool_fixture.h"

START_TEST(a_call_is_answered_with_its_rows)
{
	struct attempt attempt = { .call = { .statement = &statements[ECHO],
					     .lane = PG_LANE_READ,
					     .params = attempt.params,
					     .done = on_done } };

	attempt.params[0] = (struct pg_param){ .at = "abcd", .length = 3 };
	attempt.params[1] = (struct pg_param){ .at = "\0\1", .length = 2, .is_binary = true };
	attempt.params[2] = PG_NULL;
	n_open = 1;
	ck_assert_int_eq(0, pg_pool_submit(pool, &attempt.call));
	ck_assert_uint_eq(0, attempt.n_done);
	run();
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	ck_assert_int_eq(200, attempt.status);
	ck_assert_int_eq(1, attempt.n_rows);
	ck_assert_str_eq("abc", attempt.cell);
	ck_assert_uint_ne(0, attempt.session);
}
END_TEST

static const enum pg_lane all_lanes[] = { PG_LANE_BATCH, PG_LANE_ACT, PG_LANE_READ,
					  PG_LANE_EMERGENCY };

START_TEST(every_lane_stores_and_refuses)
{
	struct attempt attempt;

	attempt_run(&attempt, STORE, all_lanes[_i], 7);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	ck_assert(admin_asks("select count(*) = 1 from stored where id = 7"));
	attempt_run(&attempt, REFUSE, all_lanes[_i], 409);
	ck_assert_int_eq(PG_REFUSED, attempt.outcome);
	ck_assert_int_eq(409, attempt.status);
	ck_assert_str_eq("conduct-guard-test", attempt.error_key);
	ck_assert_str_eq("{\"n\": 1}", attempt.detail);
	attempt_run(&attempt, STORE, all_lanes[_i], 7);
	ck_assert_int_eq(PG_REFUSED, attempt.outcome);
	ck_assert_str_eq("conduct-error-stored", attempt.error_key);
	ck_assert_str_eq("", attempt.detail);
}
END_TEST

START_TEST(calls_of_a_batch_share_a_transaction)
{
	struct attempt attempts[PG_BATCH_LIMIT + 1];

	for (unsigned i = 0; i < ARRAY_SIZE(attempts); i++)
		attempt_submit(&attempts[i], XACT, PG_LANE_BATCH, 0);
	run();
	for (unsigned i = 1; i < PG_BATCH_LIMIT; i++)
		ck_assert_str_eq(attempts[0].cell, attempts[i].cell);
	ck_assert_str_ne(attempts[0].cell, attempts[PG_BATCH_LIMIT].cell);
}
END_TEST

START_TEST(acts_have_a_transaction_each)
{
	struct attempt attempts[4];

	for (unsigned i = 0; i < 4; i++)
		attempt_submit(&attempts[i], XACT, PG_LANE_ACT, 0);
	run();
	for (unsigned i = 1; i < 4; i++)
		ck_assert_str_ne(attempts[0].cell, attempts[i].cell);
}
END_TEST

static void share_all(struct attempt *attempts, unsigned n, int statement)
{
	for (unsigned i = 0; i < n; i++) {
		attempt_submit(&attempts[i], statement, PG_LANE_READ, (int)i);
		attempts[i].call.may_share = true;
	}
}

START_TEST(reads_that_may_share_do)
{
	struct attempt attempts[PG_SHARE_LIMIT + 1], other;

	share_all(attempts, ARRAY_SIZE(attempts), XACT);
	attempt_submit(&other, XACT, PG_LANE_READ, 0);
	run();
	for (unsigned i = 1; i < PG_SHARE_LIMIT; i++)
		ck_assert_str_eq(attempts[0].cell, attempts[i].cell);
	ck_assert_str_ne(attempts[0].cell, attempts[PG_SHARE_LIMIT].cell);
	ck_assert_str_ne(attempts[PG_SHARE_LIMIT].cell, other.cell);
}
END_TEST

/* What is at work takes one more group; what comes meanwhile gathers, and waits for a commit less.
 */
START_TEST(reads_gather_while_others_are_at_work)
{
	struct attempt first[2], rest[8];

	admin_run("select pg_advisory_lock(7)");
	for (unsigned i = 0; i < 2; i++) {
		attempt_submit(&first[i], WAIT, PG_LANE_READ, 7);
		first[i].call.may_share = true;
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	run_until("select count(*) = 1 from pg_locks where locktype = 'advisory' and not granted");
	share_all(rest, ARRAY_SIZE(rest), XACT);
	event_base_loop(base, EVLOOP_NONBLOCK);
	admin_run("select pg_advisory_unlock(7)");
	run();
	for (unsigned i = 1; i < ARRAY_SIZE(rest); i++)
		ck_assert_str_eq(rest[0].cell, rest[i].cell);
}
END_TEST

/* Six calls and a refused one in one transaction. */
static void refuse_one_of(enum pg_lane lane, bool may_share)
{
	struct attempt attempts[7];

	for (int i = 0; i < 7; i++) {
		attempt_submit(&attempts[i], i == 3 ? REFUSE : STORE, lane, i == 3 ? 422 : i);
		attempts[i].call.may_share = may_share;
	}
	run();
	for (unsigned i = 0; i < 7; i++)
		ck_assert_int_eq(i == 3 ? PG_REFUSED : PG_DONE, attempts[i].outcome);
	ck_assert_int_eq(422, attempts[3].status);
	ck_assert(admin_asks("select count(*) = 6 from stored"));
}

START_TEST(a_bad_call_does_not_take_its_batch_with_it)
{
	refuse_one_of(PG_LANE_BATCH, false);
}
END_TEST

START_TEST(a_refused_read_takes_no_other_with_it)
{
	refuse_one_of(PG_LANE_READ, true);
}
END_TEST

START_TEST(a_constraint_that_fails_at_commit_is_heard)
{
	struct attempt attempt;

	attempt_run(&attempt, STORE_LATE, PG_LANE_ACT, 99);
	ck_assert_int_eq(PG_REFUSED, attempt.outcome);
	ck_assert_int_eq(409, attempt.status);
	ck_assert_str_eq("conduct-error-late", attempt.error_key);
	ck_assert(admin_asks("select count(*) = 0 from late"));
	attempt_run(&attempt, STORE, PG_LANE_ACT, 1);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
}
END_TEST

/* Also a read: what logs it is stored in its transaction, so nothing is told before that is. */
START_TEST(nothing_is_answered_before_its_commit)
{
	struct attempt attempt;

	attempt_run(&attempt, STORE_LATE, all_lanes[_i], 98);
	ck_assert_int_eq(PG_REFUSED, attempt.outcome);
	ck_assert_uint_eq(1, attempt.n_done);
	ck_assert(admin_asks("select count(*) = 0 from late"));
}
END_TEST

START_TEST(a_batch_that_fails_at_commit_is_told_apart)
{
	struct attempt good[3];
	struct attempt bad;

	attempt_submit(&good[0], STORE, PG_LANE_BATCH, 1);
	attempt_submit(&bad, STORE_LATE, PG_LANE_BATCH, 99);
	attempt_submit(&good[1], STORE, PG_LANE_BATCH, 2);
	attempt_submit(&good[2], STORE_LATE, PG_LANE_BATCH, 1);
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
	struct attempt attempts[4];

	for (int i = 0; i < 4; i++) {
		attempt_submit(&attempts[i], STORE, PG_LANE_BATCH, i);
		attempts[i].call.lock_key = (struct slice){ keys[i], strlen(keys[i]) };
	}
	run();
	/* The physical order of the rows is the order of the inserts. */
	ck_assert(admin_asks("select array_agg(id order by ctid) = '{1,2,3,0}' from stored"));
}
END_TEST

START_TEST(a_full_lane_refuses_at_once)
{
	static struct attempt attempts[PG_QUEUE_LIMIT + 2];
	unsigned n_refused = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(attempts); i++)
		attempt_submit(&attempts[i], XACT, PG_LANE_BATCH, 0);
	run();
	for (unsigned i = 0; i < ARRAY_SIZE(attempts); i++)
		n_refused += attempts[i].outcome == PG_UNAVAILABLE && attempts[i].status == 503;
	ck_assert_uint_eq(2, n_refused);
	ck_assert_int_eq(PG_UNAVAILABLE, attempts[PG_QUEUE_LIMIT].outcome);
}
END_TEST

START_TEST(a_replaced_function_is_prepared_again)
{
	struct attempt attempt;
	unsigned n_lost;

	attempt_run(&attempt, SHAPE, PG_LANE_READ, 0);
	ck_assert_str_eq("1", attempt.cell);
	n_lost = n_events[PG_EVENT_LOST];
	admin_run("drop function shape(); create function shape() returns text"
		  " language sql as 'select ''two''::text'");
	attempt_run(&attempt, SHAPE, PG_LANE_READ, 0);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	ck_assert_str_eq("two", attempt.cell);
	ck_assert_uint_eq(n_lost, n_events[PG_EVENT_LOST]);
}
END_TEST

START_TEST(a_missing_function_is_503_until_it_is_there)
{
	struct attempt attempt;

	attempt_run(&attempt, MISSING, PG_LANE_ACT, 0);
	ck_assert_int_eq(PG_UNAVAILABLE, attempt.outcome);
	ck_assert_uint_ge(n_events[PG_EVENT_UNPREPARED], 1);
	attempt_run(&attempt, STORE, PG_LANE_ACT, 0);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	admin_run("create function appears_later() returns int language sql as 'select 5'");
	attempt_run(&attempt, MISSING, PG_LANE_ACT, 0);
	ck_assert_int_eq(PG_DONE, attempt.outcome);
	ck_assert_str_eq("5", attempt.cell);
}
END_TEST

START_TEST(a_call_bound_to_a_session_goes_nowhere_else)
{
	struct attempt attempt;
	struct attempt bound;

	attempt_run(&attempt, BACKEND, PG_LANE_EMERGENCY, 0);
	attempt_submit(&bound, BACKEND, PG_LANE_EMERGENCY, 0);
	bound.call.session = attempt.session;
	run();
	ck_assert_int_eq(PG_DONE, bound.outcome);
	ck_assert_str_eq(attempt.cell, bound.cell);
	attempt_submit(&bound, BACKEND, PG_LANE_EMERGENCY, 0);
	bound.call.session = attempt.session + 1000;
	run();
	ck_assert_int_eq(PG_UNAVAILABLE, bound.outcome);
}
END_TEST

static const struct {
	const char *name;
	const char *value[PG_LANE_COUNT];
} settings[] = {
	{ "lock_timeout", { "10s", "200ms", "10s", "10s" } },
	{ "client_encoding", { "UTF8", "UTF8", "UTF8", "UTF8" } },
	{ "application_name",
	  { "conductd-test", "conductd-test", "conductd-test", "conductd-test" } },
	{ "default_transaction_isolation",
	  { "read committed", "read committed", "read committed", "read committed" } },
	{ "TimeZone", { "UTC", "UTC", "UTC", "UTC" } },
	{ "synchronous_commit",
	  { "remote_apply", "remote_apply", "remote_apply", "remote_apply" } },
};

START_TEST(sessions_are_set_up_alike)
{
	for (unsigned i = 0; i < PG_LANE_COUNT; i++) {
		struct attempt attempt = { .call = { .statement = &statements[SETTINGS],
						     .lane = (enum pg_lane)i,
						     .params = attempt.params,
						     .done = on_done } };

		attempt.params[0] = (struct pg_param){ .at = settings[_i].name,
						       .length = (int)strlen(settings[_i].name) };
		n_open++;
		ck_assert_int_eq(0, pg_pool_submit(pool, &attempt.call));
		run();
		ck_assert_str_eq(settings[_i].value[i], attempt.cell);
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
	TCase *tcase = tcase_create("db/pool");
	SRunner *runner;
	int n_failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, a_call_is_answered_with_its_rows);
	tcase_add_loop_test(tcase, every_lane_stores_and_refuses, 0, (int)ARRAY_SIZE(all_lanes));
	tcase_add_test(tcase, calls_of_a_batch_share_a_transaction);
	tcase_add_test(tcase, acts_have_a_transaction_each);
	tcase_add_test(tcase, reads_that_may_share_do);
	tcase_add_test(tcase, a_refused_read_takes_no_other_with_it);
	tcase_add_test(tcase, reads_gather_while_others_are_at_work);
	tcase_add_test(tcase, a_bad_call_does_not_take_its_batch_with_it);
	tcase_add_test(tcase, a_constraint_that_fails_at_commit_is_heard);
	tcase_add_loop_test(tcase, nothing_is_answered_before_its_commit, 0,
			    (int)ARRAY_SIZE(all_lanes));
	tcase_add_test(tcase, a_batch_that_fails_at_commit_is_told_apart);
	tcase_add_test(tcase, batches_run_in_the_order_of_their_keys);
	tcase_add_test(tcase, a_full_lane_refuses_at_once);
	tcase_add_test(tcase, a_replaced_function_is_prepared_again);
	tcase_add_test(tcase, a_missing_function_is_503_until_it_is_there);
	tcase_add_test(tcase, a_call_bound_to_a_session_goes_nowhere_else);
	tcase_add_loop_test(tcase, sessions_are_set_up_alike, 0, (int)ARRAY_SIZE(settings));
	tcase_add_test(tcase, a_bug_of_the_caller_is_not_queued);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	n_failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return n_failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
