/* Calls that go together: one command, a row for each, and a second chance alone for every one. */

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/db/pool_fixture.h"
#include "tests/unit/suite.h"

/* The pool's clock: the real one, or one that stands still until the test moves it. */
static struct timespec stopped;

int clock_gettime(clockid_t clock_id, struct timespec *tp)
{
	if (clock_id != CLOCK_MONOTONIC || !stopped.tv_sec)
		return (int)syscall(SYS_clock_gettime, clock_id, tp);
	*tp = stopped;
	return 0;
}

static void pass(unsigned ms)
{
	stopped.tv_nsec += (long)ms * 1000000;
	stopped.tv_sec += stopped.tv_nsec / 1000000000;
	stopped.tv_nsec %= 1000000000;
}

static void submit(struct attempt *attempt, int many, int argument)
{
	attempt_submit(attempt, STORE, PG_LANE_BATCH, argument);
	attempt->call.many = &statements[many];
}

static bool is_stored(const struct attempt *attempt)
{
	return attempt->n_done == 1 && attempt->outcome == PG_DONE && attempt->n_rows == 1 &&
	       strcmp(attempt->cell, attempt->text) == 0;
}

START_TEST(each_is_answered_with_its_row)
{
	struct attempt attempts[PG_BATCH_LIMIT + 1];
	unsigned n = ARRAY_SIZE(attempts);

	for (unsigned i = 0; i < n; i++)
		submit(&attempts[i], STORES, (int)i);
	run();
	for (unsigned i = 0; i < n; i++)
		ck_assert(is_stored(&attempts[i]));
	/* One transaction, and another for what did not fit. */
	ck_assert(
		admin_asks("select count(*) = 65 and count(distinct xmin::text) = 2 from stored"));
	ck_assert_uint_eq(0, n_events[PG_EVENT_ERROR]);
}
END_TEST

/* Whether so many calls wait to be sent and none is on its way, once everything that can happen
 * has. */
static bool waits(unsigned n_queued)
{
	struct pg_pool_state state;

	for (unsigned i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	pg_pool_get_state(pool, &state);
	return state.n_queued == n_queued && state.n_in_flight == 0;
}

/* Eight at once, whose batch takes 100 ms by the pool's clock. */
static void run_batch_of_eight(struct attempt attempts[8])
{
	struct pg_pool_state state;

	(void)clock_gettime(CLOCK_MONOTONIC, &stopped);
	for (unsigned i = 0; i < 8; i++)
		submit(&attempts[i], STORES, (int)i);
	do {
		event_base_loop(base, EVLOOP_ONCE);
		pg_pool_get_state(pool, &state);
	} while (state.n_queued);
	pass(100);
	run();
	admin_run("delete from stored");
}

START_TEST(who_comes_again_goes_together)
{
	struct attempt attempts[8];

	run_batch_of_eight(attempts);
	for (unsigned i = 0; i < 8; i++) {
		ck_assert(waits(i));
		submit(&attempts[i], STORES, (int)i);
	}
	run();
	ck_assert(admin_asks("select count(*) = 8 and count(distinct xmin::text) = 1 from stored"));
}
END_TEST

START_TEST(who_comes_alone_waits_a_while_for_the_others_and_then_for_nobody)
{
	struct attempt attempts[8];

	run_batch_of_eight(attempts);
	submit(&attempts[0], STORES, 0);
	ck_assert(waits(1));
	pass(26);
	run();
	ck_assert(is_stored(&attempts[0]));
	submit(&attempts[1], STORES, 1);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert(!waits(1));
	run();
	ck_assert(is_stored(&attempts[1]));
}
END_TEST

START_TEST(values_arrive_as_they_are)
{
	struct attempt attempts[3];
	static const struct pg_param params[3][3] = {
		{ { .at = "a,\"}x", .length = 3 },
		  { .at = "\0\1", .length = 2, .is_binary = true },
		  PG_NULL },
		{ { .at = "", .length = 0 }, PG_NULL, PG_NULL },
		{ { .at = "{NULL}", .length = 6 },
		  { .at = "", .length = 0, .is_binary = true },
		  PG_NULL },
	};
	static const char *const cells[] = { "a,\"", "", "{NULL}" };

	for (unsigned i = 0; i < 3; i++) {
		attempt_submit(&attempts[i], ECHO, PG_LANE_BATCH, 0);
		attempts[i].call.params = params[i];
		attempts[i].call.many = &statements[ECHOES];
	}
	run();
	for (unsigned i = 0; i < 3; i++) {
		ck_assert_int_eq(PG_DONE, attempts[i].outcome);
		ck_assert_int_eq(1, attempts[i].n_rows);
		ck_assert_str_eq(cells[i], attempts[i].cell);
	}
}
END_TEST

START_TEST(one_that_is_left_out_goes_alone)
{
	struct attempt good[2], out;

	submit(&good[0], STORES, 1);
	submit(&out, STORES, -1);
	submit(&good[1], STORES, 2);
	run();
	ck_assert(is_stored(&good[0]) && is_stored(&good[1]) && is_stored(&out));
	ck_assert(admin_asks("select count(*) = 3 and count(distinct xmin::text) = 2 from stored"));
}
END_TEST

START_TEST(one_that_fails_takes_nobody_with_it)
{
	struct attempt good[4], bad;

	attempt_run(&bad, STORE, PG_LANE_BATCH, 7);
	submit(&good[0], STORES, 1);
	submit(&good[1], STORES, 2);
	submit(&bad, STORES, 7);
	submit(&good[2], STORES, 3);
	submit(&good[3], STORES, -4);
	run();
	for (unsigned i = 0; i < 4; i++)
		ck_assert(is_stored(&good[i]));
	ck_assert_int_eq(PG_REFUSED, bad.outcome);
	ck_assert_str_eq("conduct-error-stored", bad.error_key);
	ck_assert(admin_asks("select count(*) = 5 and count(distinct xmin::text) = 5 from stored"));
	ck_assert_uint_eq(1, n_events[PG_EVENT_ERROR]);
}
END_TEST

START_TEST(one_that_fails_at_the_commit_takes_nobody_with_it)
{
	struct attempt good[2], bad;

	submit(&good[0], STORES, 1);
	submit(&bad, STORES, 1000);
	submit(&good[1], STORES, 2);
	run();
	ck_assert(is_stored(&good[0]) && is_stored(&good[1]));
	/* Alone it is a statement that fails nowhere. */
	ck_assert(is_stored(&bad));
	ck_assert(admin_asks("select count(*) = 3 and count(distinct xmin::text) = 3 from stored"));
	ck_assert(admin_asks("select count(*) = 0 from late"));
}
END_TEST

START_TEST(rows_that_are_too_few_acknowledge_nothing)
{
	struct attempt attempts[2];

	submit(&attempts[0], STORES, 500);
	submit(&attempts[1], STORES, 1);
	run();
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(PG_UNKNOWN, attempts[i].outcome);
}
END_TEST

static void read_with_others(struct attempt *attempt, int argument)
{
	attempt_submit(attempt, STORE, PG_LANE_READ, argument);
	attempt->call.many = &statements[STORES];
	attempt->call.may_share = true;
}

START_TEST(reads_go_together)
{
	struct attempt attempts[PG_SHARE_LIMIT + 1];

	for (unsigned i = 0; i < ARRAY_SIZE(attempts); i++)
		read_with_others(&attempts[i], (int)i);
	run();
	for (unsigned i = 0; i < ARRAY_SIZE(attempts); i++)
		ck_assert(is_stored(&attempts[i]));
	ck_assert(admin_asks("select count(distinct xmin::text) = 2 from stored"));
}
END_TEST

/* What was read may be logged and is answered to nobody: who asks again asks for the same. */
START_TEST(reads_with_too_few_rows_are_only_unavailable)
{
	struct attempt attempts[2];

	read_with_others(&attempts[0], 500);
	read_with_others(&attempts[1], 1);
	run();
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(PG_UNAVAILABLE, attempts[i].outcome);
}
END_TEST

START_TEST(a_missing_function_is_done_without_until_it_is_there)
{
	struct attempt attempts[4];

	submit(&attempts[0], APPEARS, 1);
	submit(&attempts[1], APPEARS, 2);
	run();
	ck_assert(is_stored(&attempts[0]) && is_stored(&attempts[1]));
	ck_assert(admin_asks("select count(*) = 2 and count(distinct xmin::text) = 2 from stored"));
	admin_run("create function appears_for_many(p text[]) returns setof int language sql"
		  " as 'insert into stored (id) select v::int from unnest(p) v returning id'");
	submit(&attempts[2], APPEARS, 3);
	submit(&attempts[3], APPEARS, 4);
	run();
	ck_assert(is_stored(&attempts[2]) && is_stored(&attempts[3]));
	ck_assert(admin_asks("select count(*) = 4 and count(distinct xmin::text) = 3 from stored"));
}
END_TEST

START_TEST(a_lost_connection_acknowledges_nothing)
{
	struct attempt attempts[2];

	/* Ids whose row somebody else has inserted and not committed: both wait. */
	admin_run("begin; insert into stored (id) values (1)");
	submit(&attempts[0], STORES, 1);
	submit(&attempts[1], STORES, 2);
	run_until("select exists (select from pg_locks where not granted)");
	ck_assert(admin_asks(
		"select pg_terminate_backend(min(pid)) from pg_locks where not granted"));
	run();
	admin_run("rollback");
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(503, attempts[i].status);
	ck_assert(admin_asks("select count(*) = 0 from stored"));
}
END_TEST

START_TEST(one_by_itself_needs_no_array)
{
	struct attempt attempt;

	submit(&attempt, STORES, -9);
	run();
	ck_assert(is_stored(&attempt));
}
END_TEST

START_TEST(arrays_of_other_parameters_are_a_bug)
{
	const struct pg_param params[3] = { PG_NULL, PG_NULL, PG_NULL };
	struct pg_call call = { .statement = &statements[STORE],
				.many = &statements[ECHOES],
				.lane = PG_LANE_BATCH,
				.params = params,
				.done = on_done };

	ck_assert_int_eq(-EINVAL, pg_pool_submit(pool, &call));
	call.many = &(const struct pg_statement){ "stranger", "select 1", 1 };
	ck_assert_int_eq(-EINVAL, pg_pool_submit(pool, &call));
}
END_TEST

SUITE_EACH("db/many", set_up, tear_down, each_is_answered_with_its_row,
	   who_comes_again_goes_together,
	   who_comes_alone_waits_a_while_for_the_others_and_then_for_nobody,
	   values_arrive_as_they_are, one_that_is_left_out_goes_alone,
	   one_that_fails_takes_nobody_with_it, one_that_fails_at_the_commit_takes_nobody_with_it,
	   rows_that_are_too_few_acknowledge_nothing, reads_go_together,
	   reads_with_too_few_rows_are_only_unavailable,
	   a_missing_function_is_done_without_until_it_is_there,
	   a_lost_connection_acknowledges_nothing, one_by_itself_needs_no_array,
	   arrays_of_other_parameters_are_a_bug)
